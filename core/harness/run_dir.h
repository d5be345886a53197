/* The directory of a run: whose it is, and what failed in it before. */
#ifndef INVBENCH_HARNESS_RUN_DIR_H
#define INVBENCH_HARNESS_RUN_DIR_H

#include "plan.h"

/* Makes dir, locks it (*lock: a descriptor to close; a second run of it is
 * refused), and writes suite.json. One that holds another suite's run is
 * refused unless force. */
IB_CHECK enum ib_status ib_run_dir_open(const struct ib_suite *suite,
                                        const char *dir, bool force, int *lock,
                                        struct ib_error *err);
/* dir/failures.json: outcome and reason by key, but for what only the store
 * prevented, which is tried again. Load marks the pending nodes
 * of the plan that failed before and returns how many. */
size_t ib_failures_load(struct ib_plan *plan, const char *dir);
IB_CHECK enum ib_status ib_failures_save(const struct ib_plan *plan,
                                         const char *dir, struct ib_error *err);

#endif
