/*
 * The metric kind: one metric per file. A metric scores the reconstructions
 * of one cell, image by image (the harness reduces to identities and cells), or
 * all of them together.
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
    bool of_set;        /* one value for all reconstructions together: score
                           fills value[c] for column c */
    bool on_request; /* costly: runs where a suite names it, not by default */
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

/* At most `most` private images of the classes under attack, evenly spaced over
 * them: rows of an evaluator's features, and their classes. From scratch. */
struct ib_private_rows {
    size_t n;
    const float *feature;    /* n x F */
    const int32_t *identity; /* n */
};
IB_CHECK enum ib_status ib_private_rows_find(const struct ib_metric_env *env,
                                             size_t most,
                                             struct ib_private_rows *out,
                                             struct ib_error *err);

/* --- is one set of rows like another? ----------------------------------- */

/* Precision, recall, density, coverage (Naeem, Oh, Uh, Choi, Yoo, "Reliable
 * Fidelity and Diversity Metrics for Generative Models", ICML 2020), as in the
 * authors' code. With N real rows X, M fake rows Y, and r(.) a row's distance
 * to the k-th nearest other row of its own set:
 *   precision  share of the Y_j with |Y_j - X_i| < r(X_i) for some i
 *   recall     share of the X_i with |X_i - Y_j| < r(Y_j) for some j
 *   density    1/(k M) sum_j #{i: |Y_j - X_i| < r(X_i)}
 *   coverage   share of the X_i with |X_i - Y_j| < r(X_i) for some j
 * inversion: what model inversion papers compute under these names (Struppek et
 * al., ICML 2022, and those who took over their code): <= for <; precision and
 * recall ask the nearest row's ball alone; density divides by N, not M. */
struct ib_prdc {
    size_t d, k;
    struct ib_rows real, fake; /* of one type */
    bool inversion;
    double precision, recall, density, coverage; /* out; NaN: null, ... */
    const char *reason; /* out: ... for this reason (static text) */
};
IB_CHECK enum ib_status ib_prdc_find(struct ib_prdc *q,
                                     struct ib_scratch *scratch,
                                     struct ib_error *err);

/* The k directions of largest variance of n rows, orthonormal; k becomes less
 * where they span less. Of rows longer than 256 at most 256 are asked, evenly
 * spaced. axis: from scratch. */
struct ib_axes {
    size_t d, k;
    const double *axis; /* k x d */
};
IB_CHECK enum ib_status ib_axes_find(size_t n, const float *rows,
                                     struct ib_axes *axes,
                                     struct ib_scratch *scratch,
                                     struct ib_error *err);

enum { IB_FRECHET_AXES = 16, IB_FRECHET_LEAST = 160 };
/* Squared Frechet distance of the Gaussians that fit two sets of rows along
 * axes (Dowson, Landau 1982; Heusel et al., NeurIPS 2017):
 *   |m_a - m_b|^2 + tr(C_a + C_b - 2 (C_a C_b)^(1/2)),
 * covariances over n - 1. Null below IB_FRECHET_LEAST rows in either set: with
 * few rows it measures how few they are. */
struct ib_frechet {
    struct ib_axes axes;
    size_t n, m;
    const float *a, *b;
    double value;       /* out; NaN: null, ... */
    const char *reason; /* out: ... for this reason (static text) */
};
IB_CHECK enum ib_status ib_frechet_find(struct ib_frechet *q,
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
