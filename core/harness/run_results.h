/* Reading what a run left. */
#ifndef INVBENCH_HARNESS_RUN_RESULTS_H
#define INVBENCH_HARNESS_RUN_RESULTS_H

#include "json.h"

/* dir/results.json; freed by the caller. Where the run did not come to its
 * end, the error says how to go on. */
IB_CHECK enum ib_status ib_run_results(const char *dir, cJSON **out,
                                       struct ib_error *err);

#endif
