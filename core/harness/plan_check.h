/* What can be known about a plan's cells before they run. */
#ifndef INVBENCH_HARNESS_PLAN_CHECK_H
#define INVBENCH_HARNESS_PLAN_CHECK_H

#include "plan.h"

/* Asks applicable() of in-tree attacks for every cell whose data set is in the
 * store: cells that will turn out not to apply become IB_CELL_SKIP with the
 * attack's reason. For display: a run asks the worker. */
IB_CHECK enum ib_status ib_plan_check(struct ib_plan *plan,
                                      const struct ib_stage_env *env,
                                      struct ib_error *err);

#endif
