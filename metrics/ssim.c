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

#include <invbench/metric.h>

/* The identity's private images, gathered one after another. */
static size_t gather(const struct ib_images *train, int32_t who,
                     const uint8_t **own)
{
    size_t n = 0, d = ib_shape_size(train->shape);
    for (size_t j = 0; j < train->n; j++)
        if (train->identity[j] == who)
            own[n++] = train->pixels + j * d;
    return n;
}

static enum ib_status score(const void *options,
                            const struct ib_metric_env *env, double *value,
                            const char **reason, struct ib_error *err)
{
    size_t d = ib_shape_size(env->shape);
    const uint8_t **own =
        ib_scratch_take(env->scratch, env->train->n, sizeof *own);
    (void)options;
    if (env->train->n && !own)
        return ib_error_set(err, IB_E_NOMEM, "ssim: no memory");
    for (size_t i = 0; i < env->n; i++) {
        size_t n = gather(env->train, env->target[i], own);
        double best = -1, sum = 0;
        for (size_t j = 0; j < n; j++) {
            double x = ib_ssim(env->shape, env->image + i * d, own[j]);
            sum += x;
            if (x > best)
                best = x;
        }
        value[i] = n ? best : NAN;
        value[env->n + i] = n ? sum / (double)n : NAN;
        if (!n)
            *reason = "the identity has no private image";
    }
    return IB_OK;
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
