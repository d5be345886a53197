/*
 * The pixels themselves: z = x, every entry in [0, 1]. No knowledge but the
 * box; starts from black, from the mean of the public images, or from uniform
 * noise (which is also its unoptimised sample).
 */
#include <invbench/prior.h>

#include <string.h>

const struct ib_choice ib_start_choices[] = {
    {"black", "zeros"},
    {"mean", "the mean of the public images"},
    {"random", "a sample of the prior"},
    {0},
};

struct state {
    size_t d;
    const float *mean; /* NULL: no public images */
};

static const float *mean_image(const struct ib_images *images,
                               struct ib_scratch *scratch)
{
    size_t d = ib_shape_size(images->shape);
    float *mean = ib_scratch_take(scratch, d, sizeof(*mean));

    if (!mean)
        return NULL;
    for (size_t j = 0; j < d; j++) {
        uint64_t sum = 0;

        for (size_t i = 0; i < images->n; i++)
            sum += images->pixels[i * d + j];
        mean[j] = (float)((double)sum / (255.0 * (double)images->n));
    }
    return mean;
}

static size_t pixels_open(const void *options, const struct ib_prior_env *env,
                          void **out, struct ib_error *err)
{
    struct state *state = ib_scratch_take(env->scratch, 1, sizeof(*state));

    (void)options;
    if (!state)
        goto no_memory;
    state->d = ib_shape_size(env->shape);
    if (env->public_images && env->public_images->n > 0) {
        state->mean = mean_image(env->public_images, env->scratch);
        if (!state->mean)
            goto no_memory;
    }
    *out = state;
    return state->d;

no_memory:
    ib_error_set(err, IB_E_NOMEM, "no memory for the prior pixels");
    return 0;
}

static enum ib_status pixels_start(const void *opaque, enum ib_start start,
                                   struct ib_rng *rng, float *z,
                                   struct ib_error *err)
{
    const struct state *state = opaque;
    size_t bytes = state->d * sizeof(*z);

    switch (start) {
    case IB_START_BLACK:
        memset(z, 0, bytes);
        return IB_OK;
    case IB_START_RANDOM:
        ib_rng_fill_uniform(rng, z, state->d);
        return IB_OK;
    case IB_START_MEAN:
        if (!state->mean)
            return ib_error_set(err, IB_E_DENIED,
                                "start \"mean\" needs public images; the data "
                                "set has none");
        memcpy(z, state->mean, bytes);
        return IB_OK;
    }
    return ib_error_set(err, IB_E_INTERNAL, "unknown start %d", (int)start);
}

static void pixels_decode(const void *opaque, size_t n, const float *z,
                          float *x)
{
    const struct state *state = opaque;

    memcpy(x, z, n * state->d * sizeof(*x));
}

static void pixels_vjp(const void *opaque, size_t n, const float *z,
                       const float *dx, float *dz)
{
    const struct state *state = opaque;

    (void)z;
    memcpy(dz, dx, n * state->d * sizeof(*dz));
}

static void pixels_project(const void *opaque, size_t n, float *z)
{
    const struct state *state = opaque;
    size_t size = n * state->d;

    for (size_t i = 0; i < size; i++) {
        float v = z[i] > 0 ? z[i] : 0;

        z[i] = v < 1 ? v : 1;
    }
}

const struct ib_prior ib_prior_pixels = {
    .plugin =
        {
            .kind = IB_KIND_PRIOR,
            .name = "pixels",
            .summary = "every image in the box [0, 1]; no other knowledge",
            .citation = "invbench",
            .license = "MIT",
            .version = "1",
        },
    .open = pixels_open,
    .start = pixels_start,
    .decode = pixels_decode,
    .vjp = pixels_vjp,
    .project = pixels_project,
};
