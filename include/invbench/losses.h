/*
 * Losses: each returns its value and writes its gradient.
 *
 * Unless a comment says otherwise, arrays hold n >= 1 rows, the value is the
 * mean over rows of what the comment says, and `gradient`, an array of its own
 * as large as the first one, is overwritten with d value / d that one; NULL:
 * not wanted. What a row adds does not depend on the other rows: called with
 * one row, a function returns that row's own loss. Labels are 0..k-1, k >= 2.
 * Nothing is allocated.
 *
 * Losses at one node are combined by ib_axpy of their gradients; losses at
 * several nodes by ib_forward.also.
 */
#ifndef INVBENCH_LOSSES_H
#define INVBENCH_LOSSES_H

#include <invbench/base.h>

/* --- classification: n x k logits z --------------------------------------- */

/* -sum_j t_j log softmax(z)_j. target: n x k, of any sum and sign (mixed
 * labels, negative smoothing). */
double ib_loss_cross_entropy(size_t n, size_t k, const ib_real *logits,
                             const ib_real *target, ib_real *gradient);
/* Writes one-hot rows. */
void ib_target_one_hot(size_t n, size_t k, const int32_t *label,
                       ib_real *target);
/* t <- (1 - alpha) t + alpha sum(t) / k, in place: label smoothing (Szegedy et
 * al., CVPR 2016, section 7); alpha < 0: negative label smoothing (Struppek,
 * Hintersdorf, Kersting, "Be Careful What You Smooth For", ICLR 2024; default
 * -0.05). */
void ib_target_smooth(size_t n, size_t k, double alpha, ib_real *target);
/* Their schedule (train_model.py of the official code, written for 100 epochs,
 * here in shares of them): 0 in the first half of the epochs, then alpha times
 * the share of the second half that is over at the end of this epoch, and alpha
 * itself in the last quarter. epoch: from 0. */
double ib_smoothing_at(double alpha, int64_t epoch, int64_t epochs);
/* -z_y + max_{j != y} z_j (Yuan et al., "Pseudo Label-Guided Model Inversion
 * Attack", AAAI 2023; max_margin_loss of the official code). Of equal logits
 * the first counts. */
double ib_loss_max_margin(size_t n, size_t k, const ib_real *logits,
                          const int32_t *label, ib_real *gradient);
/* -z_y: the negative log-likelihood of unnormalised logits (Nguyen et al.,
 * "Re-thinking Model Inversion Attacks Against Deep Neural Networks", CVPR
 * 2023, without its regulariser: that is ib_loss_feature_rows). */
double ib_loss_logit(size_t n, size_t k, const ib_real *logits,
                     const int32_t *label, ib_real *gradient);
/* arcosh(1 + 2 |u - v|^2 / ((1 - |u|^2) (1 - |v|^2))), u = z / |z|_1, v =
 * 0.9999 at the label and 0 elsewhere (Struppek et al., "Plug & Play Attacks",
 * ICML 2022, section 4.2). 1 - |u|^2 is taken as 1e-12 at least; a row of zeros
 * has u = 0 and no gradient. */
double ib_loss_poincare(size_t n, size_t k, const ib_real *logits,
                        const int32_t *label, ib_real *gradient);

/* --- values: n x d, the mean also over columns ---------------------------- */

double ib_loss_mse(size_t n, size_t d, const ib_real *y, const ib_real *t,
                   ib_real *gradient); /* (y - t)^2 */
double ib_loss_l1(size_t n, size_t d, const ib_real *y, const ib_real *t,
                  ib_real *gradient); /* |y - t|; slope 0 at 0 */
/* -t log p - (1 - t) log(1 - p), p = sigmoid(z); t in [0, 1]. With t = 1 and
 * t = 0 also the losses of a GAN's discriminator, with t = 1 the
 * non-saturating one of its generator (Goodfellow et al., NIPS 2014). */
double ib_loss_bce_logits(size_t n, size_t d, const ib_real *z,
                          const ib_real *t, ib_real *gradient);
/* The same on probabilities. As in PyTorch, logarithms are -100 at least and
 * p (1 - p) in the slope's denominator is 1e-12 at least. */
double ib_loss_bce(size_t n, size_t d, const ib_real *p, const ib_real *t,
                   ib_real *gradient);
/* max(0, 1 - sign s): a discriminator's loss on real rows (sign 1) and on
 * generated ones (sign -1), and -s: its generator's (Lim, Ye, "Geometric GAN",
 * 2017; Miyato et al., "Spectral Normalization for GANs", ICLR 2018). s: n
 * scores. */
double ib_loss_hinge(size_t n, int sign, const ib_real *s, ib_real *gradient);
double ib_loss_hinge_generator(size_t n, const ib_real *s, ib_real *gradient);

/* --- features ------------------------------------------------------------- */

/* mean: d, the mean of n rows. */
void ib_mean_row(size_t n, size_t d, const ib_real *y, ib_real *mean);
/* Mean over rows and columns of (y - t)^2, with one row t for all: e.g. the
 * regulariser of Nguyen et al., CVPR 2023 (t: the mean penultimate feature of
 * public images; default weight 1). */
double ib_loss_feature_rows(size_t n, size_t d, const ib_real *y,
                            const ib_real *t, ib_real *gradient);
/* |mean_i y_i - t|^2, t: a row (Salimans et al., "Improved Techniques for
 * Training GANs", NIPS 2016, section 3.1), and the mean over columns of the
 * absolute difference, as the code of KEDMI has it (Chen et al., ICCV 2021).
 * Of the batch: rows do influence each other. */
double ib_loss_feature_mean(size_t n, size_t d, const ib_real *y,
                            const ib_real *t, ib_real *gradient);
double ib_loss_feature_mean_l1(size_t n, size_t d, const ib_real *y,
                               const ib_real *t, ib_real *gradient);

/* --- normal distributions: n rows of d independent ones ------------------- */

enum ib_spread {
    IB_LOG_VARIANCE,
    IB_DEVIATION, /* positive */
};
struct ib_normals {
    const ib_real *mean, *spread;
    enum ib_spread kind;      /* of spread */
    ib_real *dmean, *dspread; /* gradients, overwritten; NULL: not wanted */
};
/* Sum over columns of KL(q || N(0, 1)) (Kingma, Welling, "Auto-Encoding
 * Variational Bayes", ICLR 2014, appendix B). */
double ib_loss_kl_standard(size_t n, size_t d, const struct ib_normals *q);
/* Sum over columns of KL(q || p). */
double ib_loss_kl(size_t n, size_t d, const struct ib_normals *q,
                  const struct ib_normals *p);

/* --- dependence: of the batch, rows do influence each other --------------- */

enum ib_kernel { IB_GAUSSIAN_KERNEL, IB_LINEAR_KERNEL };
/* n rows of d features under a kernel. */
struct ib_features {
    size_t d;
    const ib_real *x;
    ib_real *gradient; /* n x d, overwritten; NULL: not wanted */
    enum ib_kernel kernel;
    /* gaussian: exp(-|a - b|^2 / (2 sigma^2)); 0: the median of the pairwise
     * distances, a constant of the gradient; their mean where the median is 0;
     * 1 where that is 0 too. */
    double sigma;
};
/* Bytes of `work` for n rows; aligned as doubles. */
size_t ib_dependence_bytes(size_t n);
/* K, L: the kernel matrices of x, y; H = I - 1/n; n >= 2.
 *
 * tr(K H L H) / (n - 1)^2 (Gretton et al., "Measuring Statistical Dependence
 * with Hilbert-Schmidt Norms", ALT 2005: the biased estimator). */
double ib_loss_hsic(size_t n, const struct ib_features *x,
                    const struct ib_features *y, void *work);
/* tr(R_K R_L), R_K = H K H (H K H + epsilon n I)^-1, epsilon = 1e-5 (Fukumizu
 * et al., NIPS 2007): what BiDO's code takes for HSIC (Peng et al., "Bilateral
 * Dependency Optimization", KDD 2022), with sigma = 5 sqrt(d) for inputs and
 * hidden features, and a linear kernel on one-hot labels. */
double ib_loss_hsic_normalised(size_t n, const struct ib_features *x,
                               const struct ib_features *y, void *work);
/* sqrt(|H K H L H|) / n: COCO (Gretton et al., "Kernel Constrained Covariance
 * for Dependence Measurement", AISTATS 2005). The norm is the largest singular
 * value in that definition, and the Frobenius norm in BiDO's code. */
enum ib_coco_norm { IB_SPECTRAL_NORM, IB_FROBENIUS_NORM };
double ib_loss_coco(size_t n, const struct ib_features *x,
                    const struct ib_features *y, enum ib_coco_norm norm,
                    void *work);

/* --- images --------------------------------------------------------------- */

/* With dx, dy the forward differences of a pixel (0 at the last column, row),
 * each channel by itself, the sum over the image of */
enum ib_variation {
    IB_VARIATION_L1,     /* |dx| + |dy|: anisotropic */
    IB_VARIATION_L2,     /* dx^2 + dy^2 */
    IB_VARIATION_SMOOTH, /* sqrt(dx^2 + dy^2 + epsilon^2) - epsilon */
};
/* (Rudin, Osher, Fatemi, Physica D 60, 1992; as a prior of inverted images:
 * Mahendran, Vedaldi, CVPR 2015.) epsilon > 0, of IB_VARIATION_SMOOTH
 * alone: e.g. 1e-3. */
double ib_loss_total_variation(size_t n, struct ib_shape s,
                               enum ib_variation form, double epsilon,
                               const ib_real *x, ib_real *gradient);

#endif
