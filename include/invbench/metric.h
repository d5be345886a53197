/*
 * The metric kind: one metric per file. A metric scores the reconstructions
 * of one cell, image by image; the harness reduces to identities and cells.
 * What cannot be computed is null with a reason, never 0.
 */
#ifndef INVBENCH_METRIC_H
#define INVBENCH_METRIC_H

#include <invbench/images.h>

/* An independent classifier that judges identity. Everything is computed by
 * the harness before a metric runs. */
struct ib_evaluator_view {
    const char *id;
    int classes, features;        /* K, F */
    const float *logits;          /* n x K: of the reconstructions */
    const float *feature;         /* n x F */
    const float *private_feature; /* train->n x F */
    const float *public_feature;  /* publics->n x F */
};

struct ib_metric_env {
    struct ib_shape shape;
    int classes;
    size_t n;                      /* reconstructions */
    const uint8_t *image;          /* n x D: the 8-bit pictures that are kept */
    const int32_t *target;         /* n: class that each is meant to show */
    const struct ib_images *train; /* all private images */
    const struct ib_images *publics; /* n = 0: none */
    const struct ib_evaluator_view *evaluators;
    int n_evaluators;
    struct ib_scratch *scratch;
};

enum ib_direction { IB_HIGHER_LEAKS, IB_LOWER_LEAKS, IB_NEUTRAL };

struct ib_column {
    const char *name; /* NULL ends the list */
    const char *unit; /* NULL: a plain number */
    double min, max;  /* range; INFINITY where open */
    enum ib_direction direction;
    const char *definition; /* printed with the number */
};

struct ib_metric {
    struct ib_plugin plugin;
    const struct ib_column *columns;
    bool per_evaluator; /* computed once for each evaluator: env->evaluators
                           then holds exactly that one */
    /* Fills value[c * n + i] for column c, image i. A NaN is a null; set
     * *reason (static text) when there are any. */
    enum ib_status (*score)(const void *options,
                            const struct ib_metric_env *env, double *value,
                            const char **reason, struct ib_error *err);
    /* Also computed on what stood published at each query checkpoint (the
     * quality-versus-queries curve): set where that is cheap. */
    bool curve;
};

/* --- what metrics share ------------------------------------------------ */

/* SSIM of one pair (Wang et al. 2004): Gaussian 11x11 with sigma 1.5, kept to
 * where the whole window fits, population covariance, K1 .01, K2 .03, data
 * range 1, mean over positions, then over channels. Images below 11 pixels a
 * side use the largest odd window that fits. */
double ib_ssim(struct ib_shape s, const uint8_t *a, const uint8_t *b);
/* As above for many pairs: images are prepared (local means and variances)
 * once. out[i * m + j] = SSIM(a_i, b_j). */
struct ib_ssim_pairs {
    struct ib_shape shape;
    size_t n, m;
    const uint8_t *a, *b; /* n x D, m x D */
    double *out;          /* n x m */
};
IB_CHECK enum ib_status ib_ssim_matrix(const struct ib_ssim_pairs *q,
                                       struct ib_scratch *scratch,
                                       struct ib_error *err);
/* Mean of squared differences over D pixels, range 1. */
double ib_pixel_mse(size_t d, const uint8_t *a, const uint8_t *b);

/* Rows to be compared: 8-bit images (taken as x / 255) or floats. */
struct ib_rows {
    size_t n;
    const uint8_t *bytes; /* n x D, or NULL */
    const float *floats;  /* n x D, or NULL */
};
/* Exact squared Euclidean distance of two rows: integers for bytes, double
 * sums in order for floats. Both of one type. */
double ib_rows_distance2(size_t d, const struct ib_rows *a, size_t i,
                         const struct ib_rows *b, size_t j);

/* Exact nearest neighbours: candidates by a float matrix product, kept by a
 * bound on its rounding error, then compared exactly; the lowest index wins a
 * tie. */
struct ib_nearest {
    size_t d;
    struct ib_rows a, b; /* of one type; b.n >= 1 */
    size_t *index;       /* out, a.n: of the nearest row of b */
    double *distance2;   /* out, a.n: squared distance to it */
};
IB_CHECK enum ib_status ib_nearest_find(const struct ib_nearest *q,
                                        struct ib_scratch *scratch,
                                        struct ib_error *err);

/* For each row of a: 1 + how many other identities have a row of b at most as
 * far as the nearest row of target[i]'s own: ties count against. 0 where the
 * target has no row. */
struct ib_ranking {
    size_t d;
    struct ib_rows a, b;
    const int32_t *target;   /* a.n */
    const int32_t *identity; /* b.n; 0..classes-1 */
    int classes;
    int *rank; /* out, a.n */
};
IB_CHECK enum ib_status ib_ranking_find(const struct ib_ranking *q,
                                        struct ib_scratch *scratch,
                                        struct ib_error *err);

#endif
