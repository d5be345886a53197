/*
 * Frechet distance between what came out and the private images, in an
 * evaluator's features.
 *
 * Heusel, Ramsauer, Unterthiner, Nessler, Hochreiter, "GANs trained by a two
 * time-scale update rule converge to a local Nash equilibrium", NeurIPS 2017.
 * Inversion papers take 2048 features of an Inception net, and often fewer
 * images than features, where the value tells how few they are. Deviations: the
 * evaluator's own features along the 16 directions in which those of all
 * private images vary most (the same for every cell of a data set); null under
 * 160 images on either side. Private images are those of the people under
 * attack. All reconstructions count, recognised or not.
 */
#include <math.h>

#include <invbench/metric.h>

static enum ib_status measure(const struct ib_metric_env *env,
                              const struct ib_private_rows *real, double *value,
                              const char **reason, struct ib_error *err)
{
    const struct ib_evaluator_view *e = env->evaluators;
    struct ib_frechet q = {
        .axes = {.d = (size_t)e->features, .k = IB_FRECHET_AXES},
        .n = real->n,
        .m = env->n,
        .a = real->feature,
        .b = e->feature};
    enum ib_status s = IB_OK;

    if (q.n >= IB_FRECHET_LEAST && q.m >= IB_FRECHET_LEAST)
        s = ib_axes_find(env->train->n, e->private_feature, &q.axes,
                         env->scratch, err);
    if (!s)
        s = ib_frechet_find(&q, env->scratch, err);
    *value = q.value;
    *reason = q.reason;
    return s;
}

static enum ib_status score(const void *options,
                            const struct ib_metric_env *env, double *value,
                            const char **reason, struct ib_error *err)
{
    struct ib_private_rows real;
    enum ib_status s = ib_private_rows_find(env, env->train->n, &real, err);

    (void)options;
    *value = NAN;
    return s ? s : measure(env, &real, value, reason, err);
}

static const struct ib_column columns[] = {
    {.name = "frechet",
     .min = 0,
     .max = INFINITY,
     .direction = IB_LOWER_LEAKS,
     .definition = "squared Frechet distance of the Gaussians that fit "
                   "reconstructions and private images, along the 16 "
                   "directions in which the evaluator's features of all "
                   "private images vary most; needs 160 images on each side"},
    {0},
};

const struct ib_metric ib_metric_frechet = {
    .plugin =
        {
            .kind = IB_KIND_METRIC,
            .name = "frechet",
            .summary = "Frechet distance to the private images in the "
                       "evaluator's features",
            .citation = "Heusel, Ramsauer, Unterthiner, Nessler, Hochreiter: "
                        "GANs trained by a two time-scale update rule converge "
                        "to a local Nash equilibrium. NeurIPS 2017",
            .license = "MIT",
            .version = "1",
        },
    .columns = columns,
    .per_evaluator = true,
    .of_set = true,
    .score = score,
};
