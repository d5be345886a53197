/* Running a plan: workers, limits, progress, the run directory. */
#ifndef INVBENCH_HARNESS_RUN_H
#define INVBENCH_HARNESS_RUN_H

#include "console.h"
#include "plan.h"

struct ib_run_options {
    int jobs;                 /* workers at once */
    int threads;              /* of a worker; 0: what the others leave free */
    double cpu_limit;         /* seconds a worker; 0: 3600 */
    size_t memory_limit;      /* bytes a worker; 0: 4 GiB */
    volatile const int *stop; /* set by SIGINT: start nothing more */
    /* Per node: NULL: all; false: only where a wanted one needs it. */
    const bool *want;
    /* Optional: called for each cell that comes to its end in this run. */
    void (*cell_over)(void *ctx, size_t cell);
    void *ctx;
};

/* Computes every pending node of the plan; fills outcome and reason. Returns
 * IB_OK also when nodes failed, or when *stop ended it early (nodes are then
 * still pending); an error only when nothing can go on. Nodes whose outcome is
 * a failure already are not tried again: what needs them is blocked. */
IB_CHECK enum ib_status ib_run_plan(struct ib_plan *plan,
                                    const struct ib_stage_env *env,
                                    const struct ib_run_options *options,
                                    const struct ib_console *console,
                                    struct ib_error *err);
/* results.h: RUN/suite.json, records.jsonl, results.json, reconstructions/;
 * report.h: images/, plots/, report.html. */

#endif
