/* What stats.c and its fellows share: a statistic on the seeds and identities
 * that exist, and the parts of its variance. */
#ifndef INVBENCH_HARNESS_STATS_PARTS_H
#define INVBENCH_HARNESS_STATS_PARTS_H

#include "stats.h"

struct ib_sample {
    const struct ib_statistic *s;
    int seeds, identities; /* that exist: S and K */
    double *v;             /* [panel][seed][identity]; NaN: missing */
    double *mean;          /* [panel] */
    double *influence; /* [seed][identity]: what a cell adds to the value, to
                          first order; NaN where no panel has a value */
    double value;
    void *memory;
};
/* What V is made of (stats.h). */
struct ib_parts {
    double identity, seed, rest;
    const char *reason; /* static, of no parts; NULL: there are */
};

IB_CHECK enum ib_status ib_sample_make(struct ib_sample *x,
                                       const struct ib_statistic *s,
                                       struct ib_error *err);
void ib_sample_free(struct ib_sample *x);
double ib_sample_value(const struct ib_sample *x, const double *mean);

/* In closed form, from the influences: exact for means, else to first order. */
struct ib_parts ib_parts_linear(const struct ib_sample *x);
/* identity and seed from resamples, rest from the influences. */
IB_CHECK enum ib_status ib_parts_resampled(const struct ib_sample *x,
                                           struct ib_parts *out,
                                           struct ib_error *err);
/* Variance and degrees of freedom of stats.h; scale: of df_identity, more: on
 * df_seed. */
void ib_parts_join(const struct ib_sample *x, const struct ib_parts *p,
                   double scale, double more, struct ib_interval *out);

#endif
