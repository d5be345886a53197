/*
 * How long artifacts took, for estimates and for what to start first: kept in
 * STORE/timings.json, never part of a result. A class is the node's kind and
 * plugin ("model/cnn", "score").
 */
#ifndef INVBENCH_HARNESS_TIMINGS_H
#define INVBENCH_HARNESS_TIMINGS_H

#include "plan.h"

struct ib_timings;
/* Reads what is there; a missing or damaged file is an empty one. NULL: no
 * memory. dir may be NULL. */
struct ib_timings *ib_timings_open(const char *dir);
void ib_timings_free(struct ib_timings *t);
/* The class of a node, made when it is new; -1: no memory. */
int ib_timings_class(struct ib_timings *t, const struct ib_plan_node *node);
/* Seconds that one artifact of the class takes, by the last ones. */
double ib_timings_estimate(const struct ib_timings *t, int class);
/* True when the class was measured at least once. */
bool ib_timings_known(const struct ib_timings *t, int class);
/* Also the largest memory of a worker so far. */
void ib_timings_note(struct ib_timings *t, int class, double seconds,
                     double mib);
/* 0: not known. */
double ib_timings_mib(const struct ib_timings *t, int class);
/* A store that cannot be written keeps its old file. */
void ib_timings_save(const struct ib_timings *t, const char *dir);

#endif
