/* What a model's answers are worth: accuracy, calibration, distortion. */
#ifndef INVBENCH_HARNESS_EVALUATE_H
#define INVBENCH_HARNESS_EVALUATE_H

#include "stack.h"

enum { IB_ECE_BINS = 15 };

/* Expected calibration error (Guo, Pleiss, Sun, Weinberger, ICML 2017): 15
 * bins of equal width over the confidence in [0, 1], bin b holding b/15 <= c <
 * (b+1)/15 (the last also c = 1); sum over bins of n_b/n |accuracy_b -
 * confidence_b|. */
struct ib_ece {
    double confidence[IB_ECE_BINS];
    size_t n[IB_ECE_BINS], correct[IB_ECE_BINS];
};
void ib_ece_add(struct ib_ece *e, double confidence, bool correct);
double ib_ece_value(const struct ib_ece *e);

struct ib_utility {
    size_t n, hits;
    struct ib_ece ece;
    double distortion; /* sum of L1 distances of answers from the model's own */
    size_t *correct, *total; /* per class; the caller's */
};
/* Adds n rows of probabilities (in place: they become what leaves the stack).
 * first: ordinal of the first row, for stochastic defenses. */
struct ib_utility_rows {
    size_t n, first;
    int classes;
    float *scores; /* n x K, and K more as room to work in */
    const int32_t *label;
    uint64_t seed;
};
IB_CHECK enum ib_status ib_utility_add(struct ib_utility *u,
                                       const struct ib_stack *stack,
                                       const struct ib_utility_rows *rows,
                                       struct ib_error *err);

#endif
