/*
 * MSE: mean squared difference of pixels from the private images of the
 * identity. The textbook definition, on pixels in [0, 1]; exact, since images
 * are compared as 8-bit pictures.
 */
#include <math.h>

#include <invbench/metric.h>

static enum ib_status score(const void *options,
                            const struct ib_metric_env *env, double *value,
                            const char **reason, struct ib_error *err)
{
    size_t d = ib_shape_size(env->shape);
    (void)options;
    (void)err;
    for (size_t i = 0; i < env->n; i++) {
        double best = INFINITY, sum = 0;
        size_t n = 0;
        for (size_t j = 0; j < env->train->n; j++) {
            if (env->train->identity[j] != env->target[i])
                continue;
            double x =
                ib_pixel_mse(d, env->image + i * d, env->train->pixels + j * d);
            sum += x;
            n++;
            if (x < best)
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
    {.name = "mse",
     .min = 0,
     .max = 1,
     .direction = IB_LOWER_LEAKS,
     .definition = "mean squared difference of pixels (range 1) from the "
                   "nearest private image of the identity"},
    {.name = "mse_mean",
     .min = 0,
     .max = 1,
     .direction = IB_LOWER_LEAKS,
     .definition = "the same, mean over all private images of the identity"},
    {0},
};

const struct ib_metric ib_metric_mse = {
    .plugin =
        {
            .kind = IB_KIND_METRIC,
            .name = "mse",
            .summary = "squared pixel error against the identity's images",
            .citation = "invbench",
            .license = "MIT",
            .version = "1",
        },
    .columns = columns,
    .score = score,
};
