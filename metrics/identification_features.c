/*
 * Identification by features: does a search through all private images by
 * distance in an evaluator's features return the person?
 *
 * As identification by SSIM: the gallery is every private (training) image of
 * every identity, an identity is as near as its nearest image, ties count
 * against the target. Euclidean distance of penultimate features; exact.
 */
#include <math.h>

#include <invbench/metric.h>

enum { TOP1, TOP5, RANK, COLUMNS };

static void fill(const struct ib_metric_env *env, const int *rank,
                 double *value, const char **reason)
{
    size_t n = env->n;
    for (size_t i = 0; i < n; i++) {
        bool five = rank[i] && env->classes >= 10;
        value[TOP1 * n + i] = rank[i] ? rank[i] == 1 : NAN;
        value[TOP5 * n + i] = five ? rank[i] <= 5 : NAN;
        value[RANK * n + i] = rank[i] ? (double)rank[i] : NAN;
        if (!rank[i])
            *reason = "the identity has no private image";
        else if (!five)
            *reason = "top-5 says nothing below 10 classes";
    }
}

static enum ib_status score(const void *options,
                            const struct ib_metric_env *env, double *value,
                            const char **reason, struct ib_error *err)
{
    const struct ib_evaluator_view *v = env->evaluators;
    int *rank = ib_scratch_take(env->scratch, env->n, sizeof *rank);
    (void)options;
    if (!rank)
        return ib_error_set(err, IB_E_NOMEM,
                            "identification-features: no memory");
    struct ib_ranking q = {
        .d = (size_t)v->features,
        .a = {.n = env->n, .floats = v->feature},
        .b = {.n = env->train->n, .floats = v->private_feature},
        .target = env->target,
        .identity = env->train->identity,
        .classes = env->classes,
        .rank = rank,
    };
    enum ib_status status = ib_ranking_find(&q, env->scratch, err);
    if (!status)
        fill(env, rank, value, reason);
    return status;
}

static const struct ib_column columns[] = {
    [TOP1] = {.name = "feat_top1",
              .min = 0,
              .max = 1,
              .direction = IB_HIGHER_LEAKS,
              .definition = "1 where the private image nearest in the "
                            "evaluator's features, of all identities' "
                            "training images, shows the target; ties count "
                            "against"},
    [TOP5] = {.name = "feat_top5",
              .min = 0,
              .max = 1,
              .direction = IB_HIGHER_LEAKS,
              .definition = "1 where the target is among the five identities "
                            "nearest in features; null below 10 classes"},
    [RANK] = {.name = "feat_rank",
              .unit = "rank",
              .min = 1,
              .max = INFINITY,
              .direction = IB_LOWER_LEAKS,
              .definition = "place of the target among all identities by "
                            "their nearest private image in features"},
    {0},
};

const struct ib_metric ib_metric_identification_features = {
    .plugin =
        {
            .kind = IB_KIND_METRIC,
            .name = "identification-features",
            .summary = "retrieval over all private images by features",
            .citation = "invbench",
            .license = "MIT",
            .version = "1",
        },
    .columns = columns,
    .per_evaluator = true,
    .score = score,
};
