/*
 * What follows from an interval of a difference, and tests beside it.
 *
 * A difference is of two sides measured on the same identities under the same
 * seeds; its value, se and df are those of stats.h. All p-values are NaN where
 * there is no se.
 */
#ifndef INVBENCH_HARNESS_INFERENCE_H
#define INVBENCH_HARNESS_INFERENCE_H

#include "stats.h"

/* One-sided bounds of confidence level: the truth is above (below) them in
 * that share of cases. NaN without se. */
double ib_bound_low(const struct ib_interval *d, double level);
double ib_bound_high(const struct ib_interval *d, double level);
/* Of no difference, two-sided. */
double ib_p_different(const struct ib_interval *d);
/* Two one-sided tests (Schuirmann 1987): small when |difference| < margin is
 * shown. */
double ib_p_equivalent(const struct ib_interval *d, double margin);
/* Small when difference < margin is shown. */
double ib_p_noninferior(const struct ib_interval *d, double margin);
/* Chance that the low bound of that level lies above 0 when the truth is
 * effect; and the effect at which that chance is power (NaN where nothing
 * varies: such runs say nothing about what they would see). Shifted t. */
double ib_power(const struct ib_interval *d, double effect, double level);
double ib_detectable(const struct ib_interval *d, double level, double power);
/* Adjusts n p-values (Holm 1979); NaN stay NaN and do not count. In place. */
IB_CHECK enum ib_status ib_holm(double *p, size_t n, struct ib_error *err);

/* Permutation test: for each of IB_RESAMPLES rounds every identity's results
 * are exchanged between the sides or not, under all seeds at once. *p is the
 * share of rounds whose |difference| is at least that measured; what would be
 * equal is told apart by fixed small weights of the identities, so that few
 * distinct values do not make it timid. Exact where the sides are alike under
 * the null, seed by seed. s->value is a difference; the
 * second half of s->panel is the other side of the first. NaN under
 * IB_IDENTITIES_MIN. */
IB_CHECK enum ib_status ib_permutation(const struct ib_statistic *s, double *p,
                                       struct ib_error *err);
/* Of the mean of a - b over the pairs that both have. */
IB_CHECK enum ib_status ib_permutation_mean(const struct ib_panel *a,
                                            const struct ib_panel *b, double *p,
                                            struct ib_error *err);

#endif
