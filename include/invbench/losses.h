/*
 * Losses: return the mean over rows (double), write d mean / d input.
 */
#ifndef INVBENCH_LOSSES_H
#define INVBENCH_LOSSES_H

#include <invbench/base.h>

/* target: n x k, rows sum to 1 (they may be negative: negative smoothing). */
double ib_loss_cross_entropy(size_t n, size_t k, const ib_real *logits,
                             const ib_real *target, ib_real *gradient);
/* mean over rows and columns of (y - t)^2. */
double ib_loss_mse(size_t n, size_t d, const ib_real *y, const ib_real *t,
                   ib_real *gradient);

#endif
