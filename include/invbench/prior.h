/*
 * The prior kind: what restricts the search to plausible images. A prior maps
 * a latent z to an image x; the search moves z.
 */
#ifndef INVBENCH_PRIOR_H
#define INVBENCH_PRIOR_H

#include <invbench/images.h>
#include <invbench/rng.h>

enum ib_start { IB_START_BLACK, IB_START_MEAN, IB_START_RANDOM };
extern const struct ib_choice ib_start_choices[];

struct ib_prior_env {
    struct ib_shape shape;
    const struct ib_images *public_images; /* NULL or n = 0: none */
    struct ib_scratch *scratch;
};

struct ib_prior {
    struct ib_plugin plugin;
    /* Required: latent size, or 0 with err set. state: taken from
     * env->scratch, handed to all other hooks; may be left NULL. */
    size_t (*open)(const void *options, const struct ib_prior_env *env,
                   void **state, struct ib_error *err);
    /* Required: a start or an unoptimised sample. mean needs public images. */
    enum ib_status (*start)(const void *state, enum ib_start start,
                            struct ib_rng *rng, float *z, struct ib_error *err);
    /* Required: x = G(z) for n rows; dz = dx * dG/dz at z; z back into its
     * range after a step. */
    void (*decode)(const void *state, size_t n, const float *z, float *x);
    void (*vjp)(const void *state, size_t n, const float *z, const float *dx,
                float *dz);
    void (*project)(const void *state, size_t n, float *z);
};

/* A prior with its options and state, as the harness hands it to an attack. */
struct ib_prior_use {
    const struct ib_prior *prior;
    const void *state;
    size_t size; /* of z */
};

#endif
