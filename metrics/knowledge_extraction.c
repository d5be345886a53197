/*
 * Knowledge extraction: what a student that has seen nothing but the
 * reconstructions knows of the private images.
 *
 * Struppek, Hintersdorf, Kersting, "Be careful what you smooth for: label
 * smoothing can be a privacy shield but also a catalyst for model inversion
 * attacks", ICLR 2024: a ResNet-50 is trained on the attack's results, and its
 * accuracy on the target's training data is the score. Deviations: a small
 * convolutional net (two 3x3 convolutions with rectifiers and pooling, one
 * hidden layer), for data sets of this size; `steps` steps whatever the number
 * of reconstructions; shifts as the only augmentation; at most `test` private
 * images of the people under attack, evenly spaced. The student starts from the
 * same weights for every cell. Guessing is 1 / people; see the controls for
 * what a student learns from public images and from noise.
 */
#include <math.h>
#include <string.h>

#include <invbench/metric.h>
#include <invbench/trainer.h>

struct options {
    int64_t steps, batch, shift, test;
};

static const struct ib_option table[] = {
    {.name = "steps",
     .type = IB_INT,
     .value = "150",
     .min = 1,
     .max = 1000000,
     .offset = offsetof(struct options, steps),
     .help = "of training (adam, falling along half a cosine from 0.002); at "
             "least one pass over the reconstructions"},
    {.name = "batch",
     .type = IB_INT,
     .value = "32",
     .min = 1,
     .max = 4096,
     .offset = offsetof(struct options, batch),
     .unit = "images",
     .help = "rows of one step"},
    {.name = "shift",
     .type = IB_INT,
     .value = "2",
     .min = 0,
     .max = 64,
     .offset = offsetof(struct options, shift),
     .unit = "pixels",
     .help = "reconstructions are shifted by up to so many while training"},
    {.name = "test",
     .type = IB_INT,
     .value = "2000",
     .min = 10,
     .max = 1000000,
     .offset = offsetof(struct options, test),
     .unit = "images",
     .help = "private images at most"},
    {0},
};

struct student {
    struct ib_net *net;
    ib_node input, logits;
};

static enum ib_status build(const struct ib_metric_env *env, int batch,
                            struct student *s, struct ib_error *err)
{
    static const int channels[] = {16, 32};
    enum { HIDDEN = 64, ROWS_LEAST = 64 };
    struct ib_graph *g = ib_graph_create();
    ib_node x;

    if (!g)
        return ib_error_set(err, IB_E_NOMEM, "knowledge-extraction: no memory");
    x = s->input = ib_graph_input(g, env->shape, "image");
    for (size_t i = 0; i < IB_COUNT(channels); i++) {
        struct ib_conv conv = {.channels = channels[i], .kernel = 3, .pad = 1};

        x = ib_graph_relu(g, ib_graph_conv2d(g, x, conv, NULL));
        x = ib_graph_maxpool(g, x, 2, 2);
    }
    x = ib_graph_relu(g, ib_graph_dense(g, x, HIDDEN, NULL));
    s->logits = ib_graph_dense(g, x, env->classes, "logits");
    return ib_net_create(&s->net, g, batch > ROWS_LEAST ? batch : ROWS_LEAST,
                         err);
}

static enum ib_status train(const struct options *o,
                            const struct ib_metric_env *env, struct student *s,
                            struct ib_error *err)
{
    const struct ib_images seen = {env->shape, env->n, env->image, env->target};
    size_t batch = (size_t)o->batch < env->n ? (size_t)o->batch : env->n;
    size_t passes = (env->n + batch - 1) / batch; /* steps of an epoch */
    int64_t epochs = o->steps / (int64_t)passes;
    const struct ib_training t = {.net = s->net,
                                  .input = s->input,
                                  .logits = s->logits,
                                  .data = &seen,
                                  .classes = env->classes,
                                  .options = {.epochs = epochs > 0 ? epochs : 1,
                                              .batch = (int64_t)batch,
                                              .optimiser = IB_ADAM,
                                              .schedule = IB_COSINE,
                                              .rate = 0.002,
                                              .momentum = 0.9,
                                              .augment = {.shift = o->shift}},
                                  .role = "student"};

    return ib_train(&t, err);
}

static size_t argmax(size_t k, const ib_real *z)
{
    size_t best = 0;

    for (size_t i = 1; i < k; i++)
        if (z[i] > z[best])
            best = i;
    return best;
}

/* Share of right answers to the images of wanted classes. */
static enum ib_status test(const struct options *o,
                           const struct ib_metric_env *env, struct student *s,
                           const bool *wanted, double *value,
                           struct ib_error *err)
{
    const struct ib_images *x = env->train;
    size_t d = ib_shape_size(env->shape), k = (size_t)env->classes;
    size_t all = 0, most = (size_t)o->test, seen = 0, n = 0, hits = 0;

    for (size_t i = 0; i < x->n; i++)
        all += wanted[x->identity[i]];
    most = all < most ? all : most;
    uint8_t *pixels = ib_scratch_take(env->scratch, most + 1, d);
    int32_t *who = ib_scratch_take(env->scratch, most + 1, sizeof(*who));
    ib_real *z = ib_scratch_take(env->scratch, most + 1, k * sizeof(*z));
    if (!pixels || !who || !z)
        return ib_error_set(err, IB_E_NOMEM, "knowledge-extraction: no memory");
    for (size_t i = 0; i < x->n && n < most; i++) {
        if (!wanted[x->identity[i]] || seen++ != n * all / most)
            continue;
        memcpy(pixels + n * d, x->pixels + i * d, d);
        who[n++] = x->identity[i];
    }
    const struct ib_images shown = {env->shape, n, pixels, who};
    ib_predict(s->net, s->input, s->logits, &shown, z);
    for (size_t i = 0; i < n; i++)
        hits += argmax(k, z + i * k) == (size_t)who[i];
    *value = n ? (double)hits / (double)n : NAN;
    return IB_OK;
}

static enum ib_status score(const void *opaque, const struct ib_metric_env *env,
                            double *value, const char **reason,
                            struct ib_error *err)
{
    const struct options *o = opaque;
    struct student student = {0};
    bool *wanted =
        ib_scratch_take(env->scratch, (size_t)env->classes, sizeof(*wanted));
    int people = 0;
    enum ib_status s;

    if (!wanted)
        return ib_error_set(err, IB_E_NOMEM, "knowledge-extraction: no memory");
    for (size_t i = 0; i < env->n; i++) {
        people += !wanted[env->target[i]];
        wanted[env->target[i]] = true;
    }
    *value = NAN;
    *reason = "one person alone cannot be mistaken for another";
    if (people < 2)
        return IB_OK;
    *reason = "the people under attack have no private image";
    s = build(env, (int)o->batch, &student, err);
    if (!s)
        s = train(o, env, &student, err);
    if (!s)
        s = test(o, env, &student, wanted, value, err);
    ib_net_free(student.net);
    return s;
}

static const struct ib_column columns[] = {
    {.name = "knowledge_extraction",
     .min = 0,
     .max = 1,
     .direction = IB_HIGHER_LEAKS,
     .definition = "accuracy on private images of the people under attack of a "
                   "student that was trained on the reconstructions alone"},
    {0},
};

const struct ib_metric ib_metric_knowledge_extraction = {
    .plugin =
        {
            .kind = IB_KIND_METRIC,
            .name = "knowledge-extraction",
            .summary = "accuracy on private images of a student that saw "
                       "nothing but reconstructions",
            .citation = "Struppek, Hintersdorf, Kersting: Be careful what you "
                        "smooth for. ICLR 2024",
            .license = "MIT",
            .version = "1",
            .options = table,
            .options_size = sizeof(struct options),
        },
    .columns = columns,
    .of_set = true,
    .on_request = true,
    .score = score,
};
