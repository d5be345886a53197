/*
 * RUN/records.jsonl, RUN/results.json, RUN/reconstructions/: what a run says.
 * The format is results/results.schema.json; provenance apart, its bytes are a
 * function of the suite and of numerics.
 */
#ifndef INVBENCH_HARNESS_RESULTS_H
#define INVBENCH_HARNESS_RESULTS_H

#include "plan.h"

/* Assembles the whole results object from a plan whose nodes are done. */
IB_CHECK enum ib_status ib_results_make(const struct ib_plan *plan,
                                        const struct ib_stage_env *env,
                                        cJSON **out, struct ib_error *err);
/* Writes suite.json, records.jsonl, results.json, reconstructions/ to dir. */
IB_CHECK enum ib_status ib_results_write(const struct ib_plan *plan,
                                         const struct ib_stage_env *env,
                                         const cJSON *results, const char *dir,
                                         struct ib_error *err);
/* One record as soon as a cell is over; appended to dir/records.jsonl. */
IB_CHECK enum ib_status ib_record_append(const struct ib_plan *plan,
                                         size_t cell,
                                         const struct ib_stage_env *env,
                                         const char *dir, struct ib_error *err);

#endif
