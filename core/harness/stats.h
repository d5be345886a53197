/*
 * Intervals and tests for what is measured on identities under several seeds.
 *
 * The unit is the identity, crossed with seeds (splits, trainings). With K
 * identities and S seeds, and for a statistic that is a function of means:
 *
 *   V_identity = K/(K-1) times the variance over resamples of identities
 *   V_seed     = S/(S-1) times the variance over resamples of seeds
 *   V_rest     = what of a single cell is explained by neither, of n cells
 *   V          = max(V_identity - V_rest, 0) + V_seed
 *   df         = V^2 / (V_identity^2/df_identity + V_seed^2/df_seed)
 *
 * and the interval is Student's t: value +- t(df) sqrt(V). It is the two-way
 * variance of Cameron, Gelbach and Miller ("Robust inference with multiway
 * clustering", JBES 2011) with the degrees of freedom of Satterthwaite (1946),
 * where only the identities' part may vanish: seeds are few, and a variance
 * from few that is cut off at 0 misses the truth too often. With one seed V is
 * V_identity: it says nothing about how training varies.
 *
 *  - A mean's resampling variances are known in closed form; for any other
 *    statistic they are taken from IB_RESAMPLES resamples of identities and as
 *    many of seeds, each of which recomputes the statistic whole (floors,
 *    ceilings, ratio and minimum of a leakage).
 *  - df_identity = K-1, df_seed = S-1; of bounded quantities S-1 + 1/(S-1),
 *    and of shares 3(K-1): their variance is tied to their value.
 *  - A share (all values 0 or 1) has Wilson's interval with n = p(1-p)/V;
 *    where all are 0 or all are 1, n = K.
 *
 * The choices are those that kept the coverage near 95 % in bench/coverage.c;
 * docs/results.md has the table. 95 %, two-sided; none under 10 identities.
 */
#ifndef INVBENCH_HARNESS_STATS_H
#define INVBENCH_HARNESS_STATS_H

#include <invbench/base.h>

enum {
    IB_IDENTITIES_MIN = 10,
    IB_RESAMPLES = 10000,
    IB_STATISTIC_PANELS = 256
};
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

/* A function of the means of n panels over the seeds and identities that the
 * support has. All panels are of one size. */
struct ib_statistic {
    int n; /* at most IB_STATISTIC_PANELS */
    const struct ib_panel *const *panel;
    double (*value)(const void *ctx, const double *mean); /* NaN: undefined */
    const void *ctx;
    const struct ib_panel *support; /* which seeds and identities exist */
    bool bounded;                   /* see above */
};
struct ib_interval {
    double value, low, high; /* NaN: none */
    double se, df;           /* NaN: none */
    const char *reason;      /* static; of what is NaN */
};
IB_CHECK enum ib_status ib_interval_make(const struct ib_statistic *s,
                                         struct ib_interval *out,
                                         struct ib_error *err);
/* Of a mean; values lie in min..max. */
IB_CHECK enum ib_status ib_interval_mean(const struct ib_panel *p, double min,
                                         double max, struct ib_interval *out,
                                         struct ib_error *err);
/* Of a mean of n values, one a seed, that lie in min..max: Student's t, from 3
 * seeds on. */
void ib_interval_seeds(const double *x, int n, double min, double max,
                       struct ib_interval *out);
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
