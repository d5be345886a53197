/*
 * Leakage: (Q - floor) / (ceiling - floor), the smallest over evaluators.
 *
 * Q: an evaluator's Acc@1 on reconstructions. Floor: the highest Acc@1 of that
 * evaluator on the controls public-mean, public-best, noise and other.
 * Ceiling: on real held-out images. 0: no more than a control finds; 1: as good
 * as a fresh photograph. Never clamped.
 *
 * Floors and ceilings are of the seeds and identities that Q has; which
 * evaluators count is settled once, over all seeds together.
 */
#ifndef INVBENCH_HARNESS_LEAKAGE_H
#define INVBENCH_HARNESS_LEAKAGE_H

#include "stats.h"

enum { IB_FLOORS = 4, IB_FLOORS_MAX = 6, IB_LEAKAGE_EVALUATORS = 16 };
extern const char *const ib_floor_names[IB_FLOORS];

struct ib_leakage_evaluator {
    const char *id;
    /* all of one size; floor[i].v NULL: not measured */
    struct ib_panel q, ceiling, floor[IB_FLOORS_MAX];
    double accuracy, target_accuracy; /* on holdout; NaN: unknown */
};
struct ib_leakage_task {
    int n;
    struct ib_leakage_evaluator evaluator[IB_LEAKAGE_EVALUATORS];
    int floors; /* panels that a floor is the highest of; 0: IB_FLOORS */
    const char *const *floor_name; /* of them; NULL: ib_floor_names */
    const char
        *no_public; /* why public controls are missing; NULL: are there */
};
struct ib_leakage_part {                  /* of one evaluator */
    double acc1, floor, ceiling, leakage; /* NaN: none */
    int floor_index;                      /* -1: none */
    bool counts;
    char reason[IB_TEXT_MAX]; /* "" when it counts */
};
struct ib_leakage {
    struct ib_interval interval; /* reason is in `reason` */
    int evaluator;               /* that gives the minimum; -1 */
    char reason[IB_TEXT_MAX];    /* "": none */
    struct ib_leakage_part part[IB_LEAKAGE_EVALUATORS];
};
IB_CHECK enum ib_status ib_leakage_make(const struct ib_leakage_task *t,
                                        struct ib_leakage *out,
                                        struct ib_error *err);
/* a - b over the seeds and identities that both have, resampled together (they
 * share controls). */
IB_CHECK enum ib_status ib_leakage_difference(const struct ib_leakage_task *a,
                                              const struct ib_leakage_task *b,
                                              struct ib_interval *out,
                                              struct ib_error *err);
/* Permutation test of that difference (inference.h); NaN where it has none, or
 * where other evaluators count on either side. */
IB_CHECK enum ib_status ib_leakage_permutation(const struct ib_leakage_task *a,
                                               const struct ib_leakage_task *b,
                                               double *p, struct ib_error *err);

#endif
