/*
 * Nearest images in pixels: is what came out nearer to the person than to
 * anybody else, private or public?
 *
 * Root of the mean squared difference of pixels in [0, 1]. Searched exactly
 * over all private and all public images.
 *
 * A copy is an image within 0.02 of a private one, 5 grey levels of 255. Of the
 * first 2000 test images of MNIST and of Fashion-MNIST none lies so near any of
 * the 60 000 training images; the nearest lie at 0.036 and 0.030.
 */
#include <math.h>

#include <invbench/metric.h>

enum { OWN, PRIVATE, IS_OWN, PUBLIC, WHO, COPIED, COLUMNS };

static const double copy_distance = 0.02;

struct search {
    const struct ib_metric_env *env;
    size_t d;
    double scale; /* squared distances are divided by this */
    struct ib_rows a, own, others;
};

static double own_distance2(const struct search *s, size_t i)
{
    double best = INFINITY;
    for (size_t j = 0; j < s->own.n; j++) {
        if (s->env->train->identity[j] != s->env->target[i])
            continue;
        double x = ib_rows_distance2(s->d, &s->a, i, &s->own, j);
        if (x < best)
            best = x;
    }
    return best;
}

static void fill_private(const struct search *s, const size_t *index,
                         const double *distance2, double *value,
                         const char **reason)
{
    size_t n = s->env->n;
    for (size_t i = 0; i < n; i++) {
        double own = own_distance2(s, i);
        int32_t who = s->env->train->identity[index[i]];
        value[OWN * n + i] = own < INFINITY ? sqrt(own / s->scale) : NAN;
        value[PRIVATE * n + i] = sqrt(distance2[i] / s->scale);
        value[IS_OWN * n + i] = who == s->env->target[i];
        value[WHO * n + i] = who;
        value[COPIED * n + i] = value[PRIVATE * n + i] <= copy_distance;
        if (!(own < INFINITY))
            *reason = "the identity has no private image";
    }
}

static enum ib_status find(const struct search *s, const struct ib_rows *b,
                           size_t *index, double *distance2,
                           struct ib_error *err)
{
    struct ib_nearest q = {s->d, s->a, *b, index, distance2};
    return ib_nearest_find(&q, s->env->scratch, err);
}

static enum ib_status score(const void *options,
                            const struct ib_metric_env *env, double *value,
                            const char **reason, struct ib_error *err)
{
    size_t n = env->n;
    struct ib_rows a = {.n = env->n, .bytes = env->image};
    struct ib_rows own = {.n = env->train->n, .bytes = env->train->pixels};
    struct ib_rows others = {.n = env->publics->n,
                             .bytes = env->publics->pixels};
    size_t d = ib_shape_size(env->shape);
    struct search s = {env, d, (double)d, a, own, others};
    size_t *index = ib_scratch_take(env->scratch, n, sizeof *index);
    double *distance2 = ib_scratch_take(env->scratch, n, sizeof *distance2);
    (void)options;
    if (!index || !distance2)
        return ib_error_set(err, IB_E_NOMEM, "nearest: no memory");
    for (size_t i = 0; i < COLUMNS * n; i++)
        value[i] = NAN;
    *reason = "the data has no public split";
    if (s.others.n) {
        enum ib_status status = find(&s, &s.others, index, distance2, err);
        if (status)
            return status;
        for (size_t i = 0; i < n; i++)
            value[PUBLIC * n + i] = sqrt(distance2[i] / s.scale);
        *reason = NULL;
    }
    if (!s.own.n)
        return IB_OK;
    enum ib_status status = find(&s, &s.own, index, distance2, err);
    if (!status)
        fill_private(&s, index, distance2, value, reason);
    return status;
}

static const struct ib_column columns[] = {
    [OWN] = {.name = "dist_own",
             .unit = "RMS",
             .min = 0,
             .max = 1,
             .direction = IB_LOWER_LEAKS,
             .definition =
                 "distance in pixels to the nearest private image of the "
                 "identity"},
    [PRIVATE] = {.name = "dist_private",
                 .unit = "RMS",
                 .min = 0,
                 .max = 1,
                 .direction = IB_LOWER_LEAKS,
                 .definition =
                     "distance in pixels to the nearest private image of "
                     "anybody"},
    [IS_OWN] = {.name = "nearest_is_own",
                .min = 0,
                .max = 1,
                .direction = IB_HIGHER_LEAKS,
                .definition =
                    "1 where the nearest private image in pixels shows "
                    "the identity"},
    [PUBLIC] = {.name = "dist_public",
                .unit = "RMS",
                .min = 0,
                .max = 1,
                .direction = IB_NEUTRAL,
                .definition = "distance in pixels to the nearest public image"},
    [WHO] = {.name = "nearest_class",
             .unit = "class",
             .min = 0,
             .max = INFINITY,
             .direction = IB_NEUTRAL,
             .definition = "whom the nearest private image in pixels shows"},
    [COPIED] = {.name = "copied",
                .min = 0,
                .max = 1,
                .direction = IB_HIGHER_LEAKS,
                .definition = "1 where a private image lies within 0.02 (RMS), "
                              "as only copies do"},
    {0},
};

const struct ib_metric ib_metric_nearest = {
    .plugin =
        {
            .kind = IB_KIND_METRIC,
            .name = "nearest",
            .summary = "nearest private and public images in pixels",
            .citation = "invbench",
            .license = "MIT",
            .version = "1",
        },
    .columns = columns,
    .score = score,
};
