/*
 * Intervals for what is measured on identities under several seeds.
 *
 * The unit is the identity; seeds (splits, trainings) are crossed with
 * identities. A statistic is recomputed whole from a weight for every
 * (seed, identity): floors, ceilings, ratios and minima move with it.
 *
 *  - identities < 10: no interval.
 *  - identities >= 50 and (seeds = 1 or seeds >= 10): percentile interval of
 *    2000 resamples, identities and seeds drawn with replacement independently
 *    of each other (Owen, "The pigeonhole bootstrap", Ann. Appl. Stat. 2007).
 *  - otherwise Student's t around the value, with the two-way jackknife
 *    variance V = V_identity + V_seed - V_cell, never below the larger of the
 *    first two (Cameron, Gelbach and Miller, "Robust inference with multiway
 *    clustering", JBES 2011; V_cell is left out above 2000 cells), and
 *    Satterthwaite's degrees of freedom from V_identity and V_seed.
 *
 * 95 %, two-sided. With one seed an interval speaks of identities alone.
 */
#ifndef INVBENCH_HARNESS_STATS_H
#define INVBENCH_HARNESS_STATS_H

#include <invbench/base.h>

enum { IB_IDENTITIES_MIN = 10 };
extern const char ib_stats_method[]; /* the above, for the report */

/* Values by [seed * identities + identity]; NaN: missing. */
struct ib_panel {
    int seeds, identities;
    double *v;
};
/* NULL v: no memory. All NaN. */
struct ib_panel ib_panel_make(int seeds, int identities);
void ib_panel_free(struct ib_panel *p);
/* Weighted mean of what is there (w NULL: plain); NaN when nothing is. */
double ib_panel_mean(const struct ib_panel *p, const double *w);
/* How many seeds, or identities, have a value at all. */
int ib_panel_seeds(const struct ib_panel *p);
int ib_panel_identities(const struct ib_panel *p);
/* Weights (free()): 1 where both the seed and the identity have a value at
 * all, else 0. NULL: no memory. */
double *ib_panel_support(const struct ib_panel *p);
/* Has a value (a - b) where both have; of one size. NULL v: no memory. */
struct ib_panel ib_panel_both(const struct ib_panel *a,
                              const struct ib_panel *b);

/* w: seeds x identities, >= 0. NaN: undefined on this resample. */
struct ib_statistic {
    double (*value)(const void *ctx, const double *w);
    const void *ctx;
    const struct ib_panel *support; /* which seeds and identities exist */
};
struct ib_interval {
    double value, low, high; /* NaN: none */
    double se, df;           /* NaN where the bootstrap was used */
    const char *reason;      /* static; of what is NaN */
};
IB_CHECK enum ib_status ib_interval_make(const struct ib_statistic *s,
                                         struct ib_interval *out,
                                         struct ib_error *err);
/* Of a mean; values lie in min..max. Where all are 0 or all are 1 and the
 * range is 0..1 the interval is Wilson's. */
IB_CHECK enum ib_status ib_interval_mean(const struct ib_panel *p, double min,
                                         double max, struct ib_interval *out,
                                         struct ib_error *err);
extern const char ib_no_spread[]; /* reason where all pairs differ alike */
/* Of the mean difference a - b over the (seed, identity) pairs that both
 * have. */
IB_CHECK enum ib_status ib_interval_difference(const struct ib_panel *a,
                                               const struct ib_panel *b,
                                               struct ib_interval *out,
                                               int *pairs,
                                               struct ib_error *err);

/* Wilson's 95 % interval for 0 (or n) of n: how far from 0 (or 1) it goes. */
double ib_wilson_reach(int n);
/* P(T <= t) and its inverse for Student's t; df > 0 need not be whole. */
double ib_student_cdf(double t, double df);
double ib_student_quantile(double p, double df);

#endif
