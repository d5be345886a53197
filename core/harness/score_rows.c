/* The private images that a set of reconstructions is compared with. */
#include <string.h>

#include <invbench/metric.h>

static enum ib_status no_memory(struct ib_error *err)
{
    return ib_error_set(err, IB_E_NOMEM, "no memory for private images");
}

static bool *wanted_classes(const struct ib_metric_env *env)
{
    bool *wanted =
        ib_scratch_take(env->scratch, (size_t)env->classes, sizeof(*wanted));

    for (size_t i = 0; wanted && i < env->n; i++)
        wanted[env->target[i]] = true;
    return wanted;
}

enum ib_status ib_private_rows_find(const struct ib_metric_env *env,
                                    size_t most, struct ib_private_rows *out,
                                    struct ib_error *err)
{
    const struct ib_evaluator_view *e = env->evaluators;
    size_t f = (size_t)e->features, all = 0, seen = 0, n;
    const bool *wanted = wanted_classes(env);

    *out = (struct ib_private_rows){0};
    for (size_t i = 0; wanted && i < env->train->n; i++)
        all += wanted[env->train->identity[i]];
    n = all < most ? all : most;
    float *feature = ib_scratch_take(env->scratch, n + 1, f * sizeof(*feature));
    int32_t *identity = ib_scratch_take(env->scratch, n + 1, sizeof(*identity));
    if (!wanted || !feature || !identity)
        return no_memory(err);
    for (size_t i = 0; i < env->train->n && out->n < n; i++) {
        if (!wanted[env->train->identity[i]])
            continue;
        if (seen++ != out->n * all / n)
            continue;
        memcpy(feature + out->n * f, e->private_feature + i * f,
               f * sizeof(*feature));
        identity[out->n++] = env->train->identity[i];
    }
    out->feature = feature;
    out->identity = identity;
    return IB_OK;
}
