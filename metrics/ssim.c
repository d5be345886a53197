/*
 * SSIM: structural similarity with the private images of the identity.
 *
 * Zhou Wang, Alan C. Bovik, Hamid R. Sheikh, Eero P. Simoncelli, "Image
 * quality assessment: from error visibility to structural similarity", IEEE
 * Transactions on Image Processing 13(4), 2004. Gaussian window 11x11 of sigma
 * 1.5, K1 0.01, K2 0.03, population covariance, data range 1; averaged over
 * the positions where the window fits, then over channels, where the paper
 * speaks of grey images only.
 */
#include <math.h>
#include <string.h>

#include <invbench/metric.h>

/* Copies of one identity's private images; NULL: no memory. */
static uint8_t *gather(const struct ib_metric_env *env, int32_t who, size_t *n)
{
    size_t d = ib_shape_size(env->shape), m = 0;
    const struct ib_images *t = env->train;
    for (size_t j = 0; j < t->n; j++)
        m += t->identity[j] == who;
    uint8_t *own = ib_scratch_take(env->scratch, m * d + 1, 1);
    *n = 0;
    for (size_t j = 0; own && j < t->n; j++)
        if (t->identity[j] == who)
            memcpy(own + (*n)++ * d, t->pixels + j * d, d);
    return own;
}

/* Rows first .. first + count, all of one target. */
static enum ib_status score_rows(const struct ib_metric_env *env, size_t first,
                                 size_t count, double *value,
                                 struct ib_error *err)
{
    size_t m, d = ib_shape_size(env->shape);
    const uint8_t *own = gather(env, env->target[first], &m);
    double *all = ib_scratch_take(env->scratch, count * m + 1, sizeof *all);
    if (!own || !all)
        return ib_error_set(err, IB_E_NOMEM, "ssim: no memory");
    struct ib_ssim_pairs q = {env->shape, count, m, env->image + first * d,
                              own,        all};
    enum ib_status status = ib_ssim_matrix(&q, env->scratch, err);
    for (size_t i = 0; !status && i < count; i++) {
        double best = -1, sum = 0;
        for (size_t j = 0; j < m; j++) {
            sum += all[i * m + j];
            best = fmax(best, all[i * m + j]);
        }
        value[first + i] = m ? best : NAN;
        value[env->n + first + i] = m ? sum / (double)m : NAN;
    }
    return status;
}

static enum ib_status score(const void *options,
                            const struct ib_metric_env *env, double *value,
                            const char **reason, struct ib_error *err)
{
    enum ib_status status = IB_OK;
    (void)options;
    for (size_t i = 0, end; !status && i < env->n; i = end) {
        size_t mark = ib_scratch_mark(env->scratch);
        end = i + 1;
        while (end < env->n && env->target[end] == env->target[i])
            end++;
        status = score_rows(env, i, end - i, value, err);
        ib_scratch_reset(env->scratch, mark);
        if (!status && isnan(value[i]))
            *reason = "the identity has no private image";
    }
    return status;
}

static const struct ib_column columns[] = {
    {.name = "ssim",
     .min = -1,
     .max = 1,
     .direction = IB_HIGHER_LEAKS,
     .definition = "structural similarity (Wang et al. 2004; Gaussian 11x11, "
                   "sigma 1.5, data range 1, mean over channels) with the "
                   "most similar private image of the identity"},
    {.name = "ssim_mean",
     .min = -1,
     .max = 1,
     .direction = IB_HIGHER_LEAKS,
     .definition = "the same, mean over all private images of the identity"},
    {0},
};

const struct ib_metric ib_metric_ssim = {
    .plugin =
        {
            .kind = IB_KIND_METRIC,
            .name = "ssim",
            .summary = "structural similarity with the identity's images",
            .citation = "Wang, Bovik, Sheikh, Simoncelli: Image quality "
                        "assessment: from error visibility to structural "
                        "similarity. IEEE TIP 13(4), 2004",
            .license = "MIT",
            .version = "1",
        },
    .columns = columns,
    .score = score,
    .curve = true,
};
