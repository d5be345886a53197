/*
 * The prior kind: what restricts the search to plausible images. A prior maps
 * a latent z to an image x; the search moves z.
 *
 * A prior that learns does so once, in fit(), from public images alone; what
 * it has learnt is a block of bytes that the store keeps and that open() gets
 * in every attack. Both run where attacks do: without files, in a process that
 * holds nothing private.
 */
#ifndef INVBENCH_PRIOR_H
#define INVBENCH_PRIOR_H

#include <invbench/checkpoint.h>
#include <invbench/images.h>
#include <invbench/pool.h>
#include <invbench/rng.h>

enum ib_start { IB_START_BLACK, IB_START_MEAN, IB_START_RANDOM };
extern const struct ib_choice ib_start_choices[];

struct ib_prior_env {
    struct ib_shape shape;
    const struct ib_images *public_images; /* NULL or n = 0: none */
    struct ib_scratch *scratch;
    /* What fit() made, 64-byte aligned, there as long as the state is; NULL, 0
     * without fit(). Hostile: every size is to be checked before use. */
    const void *fitted;
    size_t fitted_size;
    struct ib_pool *pool; /* for nets; NULL: one thread */
};

/* --- fitting ------------------------------------------------------------ */

enum { IB_PRIOR_NUMBERS_MAX = 16 };

/* What a fit tells of itself: losses, shares, counts. */
struct ib_prior_number {
    const char *name; /* lower case and '_' */
    double value;     /* finite */
};

struct ib_prior_fit {
    struct ib_shape shape;
    const struct ib_images *images; /* public ones, at least one; some more
                                       are held out, to judge the prior by */
    uint64_t seed; /* the cell's: for ib_rng_stream(seed, "prior", ...) */
    struct ib_scratch *scratch;
    struct ib_reporter *reporter;
    struct ib_pool *pool; /* for nets; NULL: one thread */
    /* For what takes over a minute; NULL: none. */
    const struct ib_checkpoint *checkpoint;
    /* Results. data: in scratch; it alone is what open() gets. */
    const void *data;
    size_t size;
    struct ib_prior_number number[IB_PRIOR_NUMBERS_MAX];
    int numbers;
};

/* What fit() and the net of an opened prior will take, for `plan`. */
struct ib_prior_size {
    size_t parameters;         /* that are kept */
    size_t fitting, answering; /* bytes */
};

struct ib_prior {
    struct ib_plugin plugin;
    /* There is a fit(). */
    bool fitted;
    /* Optional. A pure function of options, images and seed: bytes of the same
     * fit are the same. */
    enum ib_status (*fit)(const void *options, struct ib_prior_fit *fit,
                          struct ib_error *err);
    /* Optional, pure. */
    void (*measure)(const void *options, struct ib_shape shape,
                    struct ib_prior_size *size);
    /* Required: latent size, or 0 with err set. state: taken from
     * env->scratch, handed to all other hooks; may be left NULL. After an
     * error nothing of it is used, and close() is not called. */
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
    /* Optional: frees what is not in env->scratch (a net). */
    void (*close)(void *state);
};

/* A prior with its options and state, as the harness hands it to an attack. */
struct ib_prior_use {
    const struct ib_prior *prior;
    const void *state;
    size_t size; /* of z */
};

#endif
