/*
 * Flags: what a reader must know before believing a number. Each has one rule,
 * which the report prints whether or not it is broken.
 */
#ifndef INVBENCH_HARNESS_FLAGS_H
#define INVBENCH_HARNESS_FLAGS_H

#include "json_put.h"

enum ib_flag {
    IB_FLAG_COPIED,
    IB_FLAG_DEGENERATE,
    IB_FLAG_STOCHASTIC,
    IB_FLAG_EVALUATORS,
    IB_FLAG_CONTROL,
    IB_FLAG_UTILITY,
    IB_FLAG_SEEDS,
    IB_FLAG_MISSING,
    IB_FLAG_CONVERGED,
    IB_FLAG_MASKING,
    IB_FLAG_POWER,
    IB_FLAG_COUNT
};
struct ib_flag_rule {
    const char *name; /* as results have it */
    const char *rule; /* when it is raised, with its limits */
};
extern const struct ib_flag_rule ib_flag_rules[IB_FLAG_COUNT];

/* NaN, NULL and 0 stand for "not known" and raise no flag. */
struct ib_flag_facts {
    /* output of the attack: the worst seed */
    int images, distinct;
    double spread, contrast;
    double copied, copied_real; /* shares of the reconstructions and of held-out
                                   images, of the worst seed */
    const char *stochastic;     /* name of a defense that answers at random */
    double acc1_low, acc1_high; /* over evaluators */
    const char *control;        /* text of a control out of range */
    double accuracy_undefended, accuracy; /* of the target, on holdout */
    int seeds, planned, missing;          /* cells: ok, planned, not ok */
    double gain;                          /* of Acc@1 from `half` queries on */
    double half, full;                    /* queries */
    double here, labels; /* highest leakage (or Acc@1) at this level and of
                            label-only attacks on the same stack */
    double leakage_low, leakage_high; /* 95 % interval */
};
/* Array of {name, text}; NULL: no memory. */
cJSON *ib_flags_make(const struct ib_flag_facts *f);

/* How high a floor control may score on an evaluator: `public-best`, the public
 * image that the target likes most, or any other. Below the least ceiling an
 * evaluator knows too few real images. */
double ib_flag_floor_limit(bool public_best, int classes);
extern const double ib_flag_ceiling_least;

#endif
