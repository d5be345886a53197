/*
 * A generative adversarial net in the manner of DCGAN (Radford, Metz, Chintala,
 * "Unsupervised Representation Learning with Deep Convolutional Generative
 * Adversarial Networks", ICLR 2016), with the hinge loss (Lim, Ye, "Geometric
 * GAN", 2017) and a discriminator whose layers are divided by their spectral
 * norms (Miyato, Kataoka, Koyama, Yoshida, "Spectral Normalization for
 * Generative Adversarial Networks", ICLR 2018):
 *
 *   L_D = E max(0, 1 - D(x)) + E max(0, 1 + D(G(z))),   L_G = -E D(G(z))
 *
 * conditional: on the public identities, by embeddings in the generator's batch
 * norms (Dumoulin et al., ICLR 2017) and a projection in the discriminator
 * (Miyato, Koyama, "cGANs with Projection Discriminator", ICLR 2018):
 * D(x, y) = w phi(x) + <e_y, phi(x)>. The class weights then follow z.
 *
 * Made to train in minutes on a few cores: narrow where sides are large. The
 * generator that is kept is the running mean of its weights (Yazici et al.,
 * ICLR 2019) with batch statistics taken anew. Real and generated images are
 * shifted alike at random, and gradients follow (Zhao et al., "Differentiable
 * Augmentation for Data-Efficient GAN Training", NeurIPS 2020).
 */
#include <string.h>

#include <invbench/losses.h>
#include <invbench/math.h>
#include <invbench/parts/batches.h>
#include <invbench/parts/critic.h>
#include <invbench/parts/generator.h>
#include <invbench/parts/ladder.h>
#include <invbench/parts/learner.h>

enum {
    STATISTICS_STEPS = 100,
    TOLD_STEPS = 100,
    FEATURES = 128,
    MOST = 128,
    REGIONS_MAX = 20
};

/* Decay of the running mean of the generator's weights. */
#define AVERAGE 0.995

struct options {
    struct ib_batches_options images;
    struct ib_ladder_options ladder;
    int64_t latent, steps, critic;
    double rate, rate_discriminator;
    bool conditional;
};

#define FIELD(name) .offset = offsetof(struct options, name)
static const struct ib_option table[] = {
    {.name = "latent",
     .type = IB_INT,
     .value = "100",
     .min = 1,
     .max = 4096,
     FIELD(latent),
     .help = "numbers of z"},
    IB_LADDER_OPTIONS(options, "nearest"),
    {.name = "conditional",
     .type = IB_BOOL,
     .value = "false",
     FIELD(conditional),
     .help = "learn the public identities as classes"},
    {.name = "steps",
     .type = IB_INT,
     .value = "2000",
     .min = 1,
     .max = 1e7,
     FIELD(steps),
     .help = "of the generator"},
    {.name = "critic",
     .type = IB_INT,
     .value = "1",
     .min = 1,
     .max = 100,
     FIELD(critic),
     .help = "steps of the discriminator for each of those"},
    {.name = "rate",
     .type = IB_REAL,
     .value = "0.0005",
     .min = 1e-9,
     .max = 1,
     FIELD(rate),
     .help = "learning rate of the generator (adam), falling to 0"},
    {.name = "rate_discriminator",
     .type = IB_REAL,
     .value = "0.001",
     .min = 1e-9,
     .max = 1,
     FIELD(rate_discriminator),
     .help = "and of the discriminator"},
    IB_BATCHES_OPTIONS(options, "64", "2"),
    {0},
};

/* --- the nets ------------------------------------------------------------ */

static enum ib_status build_generator(const struct options *o,
                                      struct ib_shape shape, size_t classes,
                                      struct ib_generator_graph *out,
                                      struct ib_error *err)
{
    struct ib_graph *g = ib_graph_create();
    struct ib_ladder ladder;
    struct ib_ladder_up how = {.upsample = o->ladder.upsample};
    int k = (int)classes;
    ib_node z;

    if (!g)
        return ib_error_set(err, IB_E_NOMEM, "no memory for a generator");
    ib_ladder_init(&ladder, shape, o->ladder.channels, MOST);
    *out = (struct ib_generator_graph){.graph = g, .classes = classes};
    out->input =
        ib_graph_input(g, (struct ib_shape){(int)o->latent + k, 1, 1}, "z");
    z = ib_critic_split(g, out->input, (int)o->latent, k, &how.classes);
    out->output = ib_ladder_up(g, z, &ladder, &how, "generator");
    return IB_OK;
}

static struct ib_critic critic_of(const struct options *o,
                                  struct ib_shape shape, size_t classes)
{
    return (struct ib_critic){.image = shape,
                              .channels = o->ladder.channels,
                              .most = MOST,
                              .features = FEATURES,
                              .classes = (int)classes};
}

/* --- training ------------------------------------------------------------ */

struct side {
    struct ib_learner own;
    ib_node input, output;
    size_t row;  /* numbers of an input row */
    double loss; /* sum over the last TOLD_STEPS steps */
};

struct trainer {
    const struct options *o;
    struct ib_prior_fit *fit;
    size_t d, n; /* numbers of an image, rows */
    struct ib_labels labels;
    struct side generator, discriminator;
    struct ib_batches batches;
    struct ib_rng z_rng, shift_rng, train_rng;
    uint32_t *place;        /* n */
    struct ib_shift *shift; /* n: of the generated rows */
    ib_real *mean;          /* the generator's weights, averaged */
    int64_t step;
};

/* Class weights behind the `size` numbers of a row: one of them 1. */
static void put_class(const struct trainer *t, ib_real *row, size_t size,
                      size_t class)
{
    memset(row + size, 0, t->labels.n * sizeof(*row));
    if (t->labels.n)
        row[size + class] = 1;
}

static size_t draw_class(struct trainer *t)
{
    return t->labels.n ? ib_rng_below(&t->z_rng, (uint32_t)t->labels.n) : 0;
}

static void generate(struct trainer *t)
{
    struct side *g = &t->generator;
    size_t latent = (size_t)t->o->latent;
    ib_real *z = ib_net_value(g->own.net, g->input);

    for (size_t i = 0; i < t->n; i++, z += g->row) {
        ib_rng_fill_normal(&t->z_rng, z, latent, 1);
        put_class(t, z, latent, draw_class(t));
    }
    ib_net_forward(g->own.net, &(struct ib_forward){.n = (int)t->n,
                                                    .from = g->input,
                                                    .to = g->output,
                                                    .rng = &t->train_rng});
}

static void show_real(struct trainer *t, ib_real *to)
{
    size_t stride = t->discriminator.row;

    ib_batches_load(&t->batches, t->n, stride, to, t->place);
    for (size_t i = 0; i < t->n; i++)
        put_class(
            t, to + i * stride, t->d,
            ib_labels_at(&t->labels, t->fit->images->identity[t->place[i]]));
}

static void show_generated(struct trainer *t, ib_real *to)
{
    const ib_real *x = ib_net_value(t->generator.own.net, t->generator.output);
    const ib_real *z = ib_net_value(t->generator.own.net, t->generator.input);
    size_t latent = (size_t)t->o->latent;

    for (size_t i = 0; i < t->n; i++, to += t->discriminator.row) {
        t->shift[i] = ib_shift_draw(&t->shift_rng, &t->o->images);
        ib_shift_row(t->shift[i], t->fit->shape, x + i * t->d, to);
        memcpy(to + t->d, z + i * t->generator.row + latent,
               t->labels.n * sizeof(*to));
    }
}

/* Real rows, then as many generated ones, in one run. */
static double step_discriminator(struct trainer *t)
{
    struct side *d = &t->discriminator;
    struct ib_forward f = {.n = (int)(2 * t->n),
                           .from = d->input,
                           .to = d->output,
                           .rng = &t->train_rng};
    ib_real *in = ib_net_value(d->own.net, d->input), *score, *gradient;
    double loss;

    generate(t);
    show_real(t, in);
    show_generated(t, in + t->n * d->row);
    ib_net_forward(d->own.net, &f);
    score = ib_net_value(d->own.net, d->output);
    gradient = ib_net_gradient(d->own.net, d->output);
    loss = ib_loss_hinge(t->n, 1, score, gradient) +
           ib_loss_hinge(t->n, -1, score + t->n, gradient + t->n);
    ib_net_backward(d->own.net, &f, IB_WRT_PARAMETERS | IB_WRT_OVERWRITE);
    ib_learner_apply(&d->own);
    return loss;
}

/* Through the discriminator, which stands still, and the shifts. */
static double step_generator(struct trainer *t)
{
    struct side *d = &t->discriminator, *g = &t->generator;
    struct ib_forward fd = {.n = (int)t->n, .from = d->input, .to = d->output};
    struct ib_forward fg = {.n = (int)t->n,
                            .from = g->input,
                            .to = g->output,
                            .rng = &t->train_rng};
    ib_real *gradient;
    double loss;

    generate(t);
    show_generated(t, ib_net_value(d->own.net, d->input));
    ib_net_forward(d->own.net, &fd);
    loss = ib_loss_hinge_generator(t->n, ib_net_value(d->own.net, d->output),
                                   ib_net_gradient(d->own.net, d->output));
    ib_net_backward(d->own.net, &fd, IB_WRT_INPUT);
    gradient = ib_net_gradient(g->own.net, g->output);
    for (size_t i = 0; i < t->n; i++)
        ib_shift_back(t->shift[i], t->fit->shape,
                      ib_net_gradient(d->own.net, d->input) + i * d->row,
                      gradient + i * t->d);
    ib_net_backward(g->own.net, &fg, IB_WRT_PARAMETERS | IB_WRT_OVERWRITE);
    ib_learner_apply(&g->own);
    return loss;
}

/* A short memory at first, so that the first weights are soon forgotten. */
static void average(struct trainer *t)
{
    double early = (1.0 + (double)t->step) / (10.0 + (double)t->step);
    double keep = early < AVERAGE ? early : AVERAGE;
    const ib_real *w = ib_net_parameters(t->generator.own.net);
    size_t n = t->generator.own.parameters;

    for (size_t i = 0; i < n; i++)
        t->mean[i] = (ib_real)keep * t->mean[i] + (ib_real)(1 - keep) * w[i];
}

static enum ib_status train_step(void *ctx, struct ib_error *err)
{
    struct trainer *t = ctx;
    const struct ib_learner *const both[] = {&t->discriminator.own,
                                             &t->generator.own};
    const struct ib_rate_plan plan = {
        .schedule = IB_LINEAR, .rate = 1, .steps = t->o->steps};
    double share = ib_rate_at(&plan, t->step);
    bool told = t->o->steps - t->step <= TOLD_STEPS;
    double d = 0, g;

    t->generator.own.optim.rate = share * t->o->rate;
    t->discriminator.own.optim.rate = share * t->o->rate_discriminator;
    for (int64_t i = 0; i < t->o->critic; i++)
        d += step_discriminator(t) / (double)t->o->critic;
    g = step_generator(t);
    t->discriminator.loss += told ? d : 0;
    t->generator.loss += told ? g : 0;
    average(t);
    return ib_learner_check(both, 2, t->step, d + g, err);
}

/* --- beginning and end --------------------------------------------------- */

static enum ib_status open_side(struct trainer *t, struct side *s,
                                struct ib_graph *graph, struct ib_error *err)
{
    bool generator = s == &t->generator;
    const struct ib_learner_setup setup = {
        .graph = graph,
        .rows = generator ? t->n : 2 * t->n,
        .stream = generator ? "generator" : "discriminator",
        .adam = {.momentum = 0.5}};
    enum ib_status status = ib_learner_open(&s->own, &setup, t->fit, err);

    if (!status)
        s->row =
            ib_shape_size(ib_graph_shape(ib_net_graph(s->own.net), s->input));
    return status;
}

static enum ib_status open_sides(struct trainer *t, struct ib_error *err)
{
    struct ib_generator_graph g;
    const struct ib_critic critic = critic_of(t->o, t->fit->shape, t->labels.n);
    struct ib_graph *d;
    enum ib_status s =
        build_generator(t->o, t->fit->shape, t->labels.n, &g, err);

    if (s)
        return s;
    t->generator.input = g.input;
    t->generator.output = g.output;
    s = open_side(t, &t->generator, g.graph, err);
    if (s)
        return s;
    d = ib_critic_build(&critic, &t->discriminator.input,
                        &t->discriminator.output);
    return open_side(t, &t->discriminator, d, err);
}

static enum ib_status open_trainer(struct trainer *t, struct ib_error *err)
{
    struct ib_scratch *scratch = t->fit->scratch;
    uint64_t seed = t->fit->seed;
    enum ib_status s = IB_OK;

    if (t->o->conditional)
        s = ib_labels_find(&t->labels, t->fit->images, scratch, err);
    if (!s)
        s = open_sides(t, err);
    if (s)
        return s;
    t->z_rng = ib_rng_stream(seed, "prior", -1, "z");
    t->shift_rng = ib_rng_stream(seed, "prior", -1, "shift-generated");
    t->train_rng = ib_rng_stream(seed, "prior", -1, "train");
    t->batches =
        (struct ib_batches){.images = t->fit->images, .options = t->o->images};
    t->place = ib_scratch_take(scratch, t->n, sizeof(*t->place));
    t->shift = ib_scratch_take(scratch, t->n, sizeof(*t->shift));
    t->mean =
        ib_scratch_take(scratch, t->generator.own.parameters, sizeof(*t->mean));
    if (t->place && t->shift && t->mean &&
        ib_batches_init(&t->batches, seed, scratch))
        return IB_OK;
    return ib_error_set(err, IB_E_NOMEM, "no memory to train a gan in");
}

/* All that moves, for checkpoints. */
static int regions(struct trainer *t, struct ib_region *r)
{
    int n = ib_learner_regions(&t->generator.own, r);

    n += ib_learner_regions(&t->discriminator.own, r + n);
    n += ib_batches_regions(&t->batches, r + n);
    r[n++] = (struct ib_region){&t->z_rng, sizeof(t->z_rng)};
    r[n++] = (struct ib_region){&t->shift_rng, sizeof(t->shift_rng)};
    r[n++] = (struct ib_region){&t->train_rng, sizeof(t->train_rng)};
    r[n++] = (struct ib_region){&t->step, sizeof(t->step)};
    r[n++] = (struct ib_region){&t->generator.loss, sizeof(double)};
    r[n++] = (struct ib_region){&t->discriminator.loss, sizeof(double)};
    r[n++] = (struct ib_region){t->mean,
                                t->generator.own.parameters * sizeof(*t->mean)};
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

static enum ib_status finish(struct trainer *t, struct ib_error *err)
{
    const struct ib_generator_part part = {.net = t->generator.own.net,
                                           .classes = t->labels.n};
    size_t n = t->generator.own.parameters;
    double told = (double)(t->o->steps < TOLD_STEPS ? t->o->steps : TOLD_STEPS);

    memcpy(ib_net_parameters(t->generator.own.net), t->mean,
           n * sizeof(ib_real));
    for (int i = 0; i < STATISTICS_STEPS; i++)
        generate(t);
    t->fit->number[0] = (struct ib_prior_number){"loss_discriminator",
                                                 t->discriminator.loss / told};
    t->fit->number[1] =
        (struct ib_prior_number){"loss_generator", t->generator.loss / told};
    t->fit->number[2] = (struct ib_prior_number){"parameters", (double)n};
    t->fit->numbers = 3;
    return ib_generator_keep(t->fit, &part, err);
}

static enum ib_status gan_fit(const void *options, struct ib_prior_fit *fit,
                              struct ib_error *err)
{
    struct trainer t = {
        .o = options,
        .fit = fit,
        .d = ib_shape_size(fit->shape),
        .n = (size_t)((const struct options *)options)->images.batch};
    enum ib_status s = open_trainer(&t, err);

    if (!s)
        s = train(&t, err);
    if (!s)
        s = finish(&t, err);
    ib_learner_close(&t.generator.own);
    ib_learner_close(&t.discriminator.own);
    return s;
}

static void gan_measure(const void *options, struct ib_shape shape,
                        struct ib_prior_size *size)
{
    const struct options *o = options;
    const struct ib_critic critic = critic_of(o, shape, 0);
    size_t n = (size_t)o->images.batch;
    struct ib_generator_graph g;
    ib_node in, out;

    if (build_generator(o, shape, 0, &g, NULL))
        return;
    size->parameters = ib_graph_parameters(g.graph);
    size->answering = ib_graph_bytes(g.graph, IB_GENERATOR_ROWS);
    size->fitting =
        ib_learner_bytes(g.graph, n) +
        ib_learner_bytes(ib_critic_build(&critic, &in, &out), 2 * n);
}

static size_t gan_open(const void *options, const struct ib_prior_env *env,
                       void **state, struct ib_error *err)
{
    struct ib_generator_graph g;
    size_t classes;

    if (ib_generator_classes(env, &classes, err) ||
        build_generator(options, env->shape, classes, &g, err))
        return 0;
    return ib_generator_open(&g, env, state, err);
}

const struct ib_prior ib_prior_gan = {
    .plugin =
        {
            .kind = IB_KIND_PRIOR,
            .name = "gan",
            .summary = "a generator trained against a discriminator of public "
                       "images",
            .citation = "Miyato, Kataoka, Koyama, Yoshida: Spectral "
                        "Normalization for Generative Adversarial Networks. "
                        "ICLR 2018",
            .license = "MIT",
            .version = "1",
            .options = table,
            .options_size = sizeof(struct options),
        },
    .fitted = true,
    .fit = gan_fit,
    .measure = gan_measure,
    .open = gan_open,
    .start = ib_generator_start,
    .decode = ib_generator_decode,
    .vjp = ib_generator_vjp,
    .project = ib_generator_project,
    .close = ib_generator_close,
};
