/*
 * Flags: what a reader must know before believing a number. Each rule is
 * simple, stated in its text, and documented in docs/results.md.
 */
#ifndef INVBENCH_HARNESS_FLAGS_H
#define INVBENCH_HARNESS_FLAGS_H

#include "json_put.h"

/* NaN, NULL and 0 stand for "not known" and raise no flag. */
struct ib_flag_facts {
    /* output of the attack: the worst seed */
    int images, distinct;
    double spread, contrast;
    const char *stochastic;     /* name of a defense that answers at random */
    double acc1_low, acc1_high; /* over evaluators */
    const char *control;        /* text of a control out of range */
    double accuracy_undefended, accuracy; /* of the target, on holdout */
    int seeds, planned, missing;          /* cells: ok, planned, not ok */
    double gain;                          /* of Acc@1 from `half` queries on */
    double half, full;                    /* queries */
    double here, labels; /* highest leakage (or Acc@1) at this level and of
                            label-only attacks on the same stack */
};
/* Array of {name, text}; NULL: no memory. */
cJSON *ib_flags_make(const struct ib_flag_facts *f);

#endif
