/*
 * A variational autoencoder of the public images (Kingma, Welling,
 * "Auto-Encoding Variational Bayes", ICLR 2014), with convolutions:
 *
 *   q(z|x) = N(mu(x), diag exp(v(x))),   z = mu + exp(v / 2) eps,
 *   loss = E sum_pixels (x - G(z))^2 / (2 s^2) + beta KL(q(z|x) || N(0, 1))
 *
 * s: `noise`, the standard deviation of a pixel around G(z); beta other than 1:
 * the beta-VAE of Higgins et al., ICLR 2017. Only the decoder G is kept.
 */
#include <math.h>

#include <invbench/losses.h>
#include <invbench/parts/batches.h>
#include <invbench/parts/generator.h>
#include <invbench/parts/ladder.h>
#include <invbench/parts/learner.h>

enum { MOST = 128, TOLD_STEPS = 100, REGIONS_MAX = 16 };

struct options {
    struct ib_batches_options images;
    struct ib_ladder_options ladder;
    int64_t latent, steps;
    double rate, beta, noise;
};

#define FIELD(name) .offset = offsetof(struct options, name)
static const struct ib_option table[] = {
    {.name = "latent",
     .type = IB_INT,
     .value = "32",
     .min = 1,
     .max = 4096,
     FIELD(latent),
     .help = "numbers of z"},
    {.name = "beta",
     .type = IB_REAL,
     .value = "1",
     .min = 0,
     .max = 1000,
     FIELD(beta),
     .help = "weight of the divergence from N(0, 1)"},
    {.name = "noise",
     .type = IB_REAL,
     .value = "0.1",
     .min = 1e-4,
     .max = 10,
     FIELD(noise),
     .help = "standard deviation of a pixel around its mean"},
    IB_LADDER_OPTIONS(options, "transposed"),
    {.name = "steps",
     .type = IB_INT,
     .value = "2000",
     .min = 1,
     .max = 1e7,
     FIELD(steps),
     .help = "of training"},
    {.name = "rate",
     .type = IB_REAL,
     .value = "0.001",
     .min = 1e-9,
     .max = 1,
     FIELD(rate),
     .help = "learning rate (adam), falling along half a cosine"},
    IB_BATCHES_OPTIONS(options, "64", "1"),
    {0},
};

/* --- the nets ------------------------------------------------------------ */

static ib_node decoder(const struct options *o, struct ib_graph *g, ib_node z,
                       struct ib_shape shape)
{
    const struct ib_ladder_up how = {.upsample = o->ladder.upsample,
                                     .classes = IB_NONE};
    struct ib_ladder ladder;

    ib_ladder_init(&ladder, shape, o->ladder.channels, MOST);
    return ib_ladder_up(g, z, &ladder, &how, "decoder");
}

/* Both halves; what comes after `code` is the decoder. */
struct nodes {
    ib_node image, noise, mean, variance, code, output;
};

static struct ib_graph *build_both(const struct options *o,
                                   struct ib_shape shape, struct nodes *w)
{
    struct ib_graph *g = ib_graph_create();
    int latent = (int)o->latent;
    struct ib_ladder ladder;
    ib_node x;

    if (!g)
        return NULL;
    ib_ladder_init(&ladder, shape, o->ladder.channels, MOST);
    w->image = ib_graph_input(g, shape, "image");
    w->noise = ib_graph_input(g, (struct ib_shape){latent, 1, 1}, "noise");
    x = ib_graph_affine(g, w->image, 2, -1);
    x = ib_ladder_down(g, x, &ladder, false, "encoder");
    w->mean = ib_graph_keep(g, ib_graph_dense(g, x, latent, "mean"));
    w->variance =
        ib_graph_keep(g, ib_graph_dense(g, x, latent, "log-variance"));
    x = ib_graph_exp(g, ib_graph_affine(g, w->variance, 0.5, 0));
    w->code = ib_graph_plus(g, w->mean, ib_graph_times(g, w->noise, x));
    w->output = decoder(o, g, w->code, shape);
    return g;
}

/* --- training ------------------------------------------------------------ */

struct trainer {
    const struct options *o;
    struct ib_prior_fit *fit;
    size_t d, n, latent; /* numbers of an image, rows, numbers of z */
    struct nodes at;
    struct ib_learner own;
    struct ib_batches batches;
    struct ib_rng noise_rng, train_rng;
    uint32_t *place; /* n */
    int64_t step;
    double error, divergence; /* sums over the last TOLD_STEPS steps */
};

static void load(struct trainer *t)
{
    ib_batches_load(&t->batches, t->n, t->d,
                    ib_net_value(t->own.net, t->at.image), t->place);
    ib_rng_fill_normal(&t->noise_rng, ib_net_value(t->own.net, t->at.noise),
                       t->n * t->latent, 1);
}

static void scale(ib_real *x, size_t n, double by)
{
    for (size_t i = 0; i < n; i++)
        x[i] *= (ib_real)by;
}

/* Both losses, with their gradients at their nodes; *error is the mean squared
 * error of a pixel. */
static double loss(struct trainer *t, double *error, double *divergence)
{
    struct ib_net *net = t->own.net;
    ib_real *out = ib_net_gradient(net, t->at.output);
    const struct ib_normals q = {.mean = ib_net_value(net, t->at.mean),
                                 .spread = ib_net_value(net, t->at.variance),
                                 .kind = IB_LOG_VARIANCE,
                                 .dmean = ib_net_gradient(net, t->at.mean),
                                 .dspread =
                                     ib_net_gradient(net, t->at.variance)};
    double weight = (double)t->d / (2 * t->o->noise * t->o->noise);

    *error = ib_loss_mse(t->n, t->d, ib_net_value(net, t->at.output),
                         ib_net_value(net, t->at.image), out);
    *divergence = ib_loss_kl_standard(t->n, t->latent, &q);
    scale(out, t->n * t->d, weight);
    scale(q.dmean, t->n * t->latent, t->o->beta);
    scale(q.dspread, t->n * t->latent, t->o->beta);
    return weight * *error + t->o->beta * *divergence;
}

static enum ib_status train_step(void *ctx, struct ib_error *err)
{
    struct trainer *t = ctx;
    const ib_node also[] = {t->at.mean, t->at.variance};
    const struct ib_forward f = {.n = (int)t->n,
                                 .from = IB_NONE,
                                 .to = t->at.output,
                                 .rng = &t->train_rng,
                                 .also = also,
                                 .n_also = 2};
    const struct ib_learner *const own[] = {&t->own};
    const struct ib_rate_plan plan = {
        .schedule = IB_COSINE, .rate = t->o->rate, .steps = t->o->steps};
    double error, divergence, all;

    load(t);
    ib_net_forward(t->own.net, &f);
    all = loss(t, &error, &divergence);
    ib_net_backward(t->own.net, &f, IB_WRT_PARAMETERS | IB_WRT_OVERWRITE);
    t->own.optim.rate = ib_rate_at(&plan, t->step);
    ib_learner_apply(&t->own);
    if (t->o->steps - t->step <= TOLD_STEPS) {
        t->error += error;
        t->divergence += divergence;
    }
    return ib_learner_check(own, 1, t->step, all, err);
}

/* --- beginning and end --------------------------------------------------- */

static enum ib_status open_trainer(struct trainer *t, struct ib_error *err)
{
    struct ib_scratch *scratch = t->fit->scratch;
    uint64_t seed = t->fit->seed;
    const struct ib_learner_setup setup = {
        .graph = build_both(t->o, t->fit->shape, &t->at),
        .rows = t->n,
        .stream = "autoencoder",
        .adam = {.momentum = 0.9}};
    enum ib_status s = ib_learner_open(&t->own, &setup, t->fit, err);

    if (s)
        return s;
    t->noise_rng = ib_rng_stream(seed, "prior", -1, "noise");
    t->train_rng = ib_rng_stream(seed, "prior", -1, "train");
    t->batches =
        (struct ib_batches){.images = t->fit->images, .options = t->o->images};
    t->place = ib_scratch_take(scratch, t->n, sizeof(*t->place));
    if (t->place && ib_batches_init(&t->batches, seed, scratch))
        return IB_OK;
    return ib_error_set(err, IB_E_NOMEM, "no memory to train in");
}

/* All that moves, for checkpoints. */
static int regions(struct trainer *t, struct ib_region *r)
{
    int n = ib_learner_regions(&t->own, r);

    n += ib_batches_regions(&t->batches, r + n);
    r[n++] = (struct ib_region){&t->noise_rng, sizeof(t->noise_rng)};
    r[n++] = (struct ib_region){&t->train_rng, sizeof(t->train_rng)};
    r[n++] = (struct ib_region){&t->step, sizeof(t->step)};
    r[n++] = (struct ib_region){&t->error, sizeof(t->error)};
    r[n++] = (struct ib_region){&t->divergence, sizeof(t->divergence)};
    return n;
}

static enum ib_status train(struct trainer *t, struct ib_error *err)
{
    struct ib_region r[REGIONS_MAX];
    const struct ib_learner_loop loop = {.fit = t->fit,
                                         .step = &t->step,
                                         .steps = t->o->steps,
                                         .region = r,
                                         .regions = regions(t, r),
                                         .ctx = t,
                                         .run = train_step};

    return ib_learner_train(&loop, err);
}

/* The encoder keeps no state: all of it is the decoder's. */
static enum ib_status finish(struct trainer *t, struct ib_error *err)
{
    const struct ib_generator_part part = {
        .net = t->own.net,
        .first_parameter =
            ib_graph_info(ib_net_graph(t->own.net), t->at.code + 1).first};
    double told = (double)(t->o->steps < TOLD_STEPS ? t->o->steps : TOLD_STEPS);

    t->fit->number[0] =
        (struct ib_prior_number){"reconstruction_rms", sqrt(t->error / told)};
    t->fit->number[1] =
        (struct ib_prior_number){"divergence", t->divergence / told};
    t->fit->numbers = 2;
    return ib_generator_keep(t->fit, &part, err);
}

static enum ib_status autoencoder_fit(const void *options,
                                      struct ib_prior_fit *fit,
                                      struct ib_error *err)
{
    const struct options *o = options;
    struct trainer t = {.o = o,
                        .fit = fit,
                        .d = ib_shape_size(fit->shape),
                        .n = (size_t)o->images.batch,
                        .latent = (size_t)o->latent};
    enum ib_status s = open_trainer(&t, err);

    if (!s)
        s = train(&t, err);
    if (!s)
        s = finish(&t, err);
    ib_learner_close(&t.own);
    return s;
}

/* The decoder and its input. */
static struct ib_graph *build_decoder(const struct options *o,
                                      struct ib_shape shape, ib_node *input,
                                      ib_node *output)
{
    struct ib_graph *g = ib_graph_create();

    if (!g)
        return NULL;
    *input = ib_graph_input(g, (struct ib_shape){(int)o->latent, 1, 1}, "z");
    *output = decoder(o, g, *input, shape);
    return g;
}

static void autoencoder_measure(const void *options, struct ib_shape shape,
                                struct ib_prior_size *size)
{
    const struct options *o = options;
    struct nodes nodes;
    ib_node in, out;
    struct ib_graph *g = build_decoder(o, shape, &in, &out);

    if (!g)
        return;
    size->parameters = ib_graph_parameters(g);
    size->answering = ib_graph_bytes(g, IB_GENERATOR_ROWS);
    size->fitting =
        ib_learner_bytes(build_both(o, shape, &nodes), (size_t)o->images.batch);
    ib_graph_free(g);
}

static size_t autoencoder_open(const void *options,
                               const struct ib_prior_env *env, void **state,
                               struct ib_error *err)
{
    struct ib_generator_graph g = {0};

    g.graph = build_decoder(options, env->shape, &g.input, &g.output);
    if (!g.graph) {
        ib_error_set(err, IB_E_NOMEM, "no memory for an autoencoder");
        return 0;
    }
    return ib_generator_open(&g, env, state, err);
}

const struct ib_prior ib_prior_autoencoder = {
    .plugin =
        {
            .kind = IB_KIND_PRIOR,
            .name = "autoencoder",
            .summary = "the decoder of a variational autoencoder of public "
                       "images",
            .citation = "Kingma, Welling: Auto-Encoding Variational Bayes. "
                        "ICLR 2014",
            .license = "MIT",
            .version = "1",
            .options = table,
            .options_size = sizeof(struct options),
        },
    .fitted = true,
    .fit = autoencoder_fit,
    .measure = autoencoder_measure,
    .open = autoencoder_open,
    .start = ib_generator_start,
    .decode = ib_generator_decode,
    .vjp = ib_generator_vjp,
    .project = ib_generator_project,
    .close = ib_generator_close,
};
