/*
 * PSNR: peak signal-to-noise ratio, 10 log10(1 / MSE) on pixels in [0, 1],
 * with the private images of the identity. Equal images would be infinitely
 * good; the value is cut at 99 dB, which no two different 8-bit pictures of
 * under 120 megapixels reach.
 */
#include <math.h>

#include <invbench/math.h>
#include <invbench/metric.h>

static const double psnr_max = 99;

static double psnr(double mse)
{
    if (mse <= 0)
        return psnr_max;
    double x = -10 * ib_log(mse) / 2.302585092994045684;
    return x > psnr_max ? psnr_max : x;
}

static enum ib_status score(const void *options,
                            const struct ib_metric_env *env, double *value,
                            const char **reason, struct ib_error *err)
{
    size_t d = ib_shape_size(env->shape);
    (void)options;
    (void)err;
    for (size_t i = 0; i < env->n; i++) {
        double best = 0, sum = 0;
        size_t n = 0;
        for (size_t j = 0; j < env->train->n; j++) {
            if (env->train->identity[j] != env->target[i])
                continue;
            double x = psnr(ib_pixel_mse(d, env->image + i * d,
                                         env->train->pixels + j * d));
            sum += x;
            n++;
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
    {.name = "psnr",
     .unit = "dB",
     .min = 0,
     .max = 99,
     .direction = IB_HIGHER_LEAKS,
     .definition = "peak signal-to-noise ratio (peak 1, cut at 99) with the "
                   "nearest private image of the identity"},
    {.name = "psnr_mean",
     .unit = "dB",
     .min = 0,
     .max = 99,
     .direction = IB_HIGHER_LEAKS,
     .definition = "the same, mean over all private images of the identity"},
    {0},
};

const struct ib_metric ib_metric_psnr = {
    .plugin =
        {
            .kind = IB_KIND_METRIC,
            .name = "psnr",
            .summary = "peak signal-to-noise ratio with the identity's images",
            .citation = "invbench",
            .license = "MIT",
            .version = "1",
        },
    .columns = columns,
    .score = score,
};
