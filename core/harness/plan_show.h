/* A plan for a reader, and for a program. */
#ifndef INVBENCH_HARNESS_PLAN_SHOW_H
#define INVBENCH_HARNESS_PLAN_SHOW_H

#include "plan.h"

/* Artifacts by kind: how many, how many are there, what the rest will take. */
IB_CHECK enum ib_status ib_plan_show(const struct ib_plan *plan,
                                     const char *store_dir, int jobs,
                                     struct ib_text *out, struct ib_error *err);
/* attack x stack, per model: run, skip or bypass, with reasons below. */
void ib_plan_show_matrix(const struct ib_plan *plan, struct ib_text *out);
cJSON *ib_plan_json(const struct ib_plan *plan, const char *store_dir);

#endif
