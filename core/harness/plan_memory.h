/* What a worker of a plan takes: computed before anything is. */
#ifndef INVBENCH_HARNESS_PLAN_MEMORY_H
#define INVBENCH_HARNESS_PLAN_MEMORY_H

#include "plan.h"

/* For every model and evaluator of the suite, with the stack that asks for
 * most, and for every prior that trains a net: parameters, training and
 * answering (ib_model_measure). Where the data
 * are not in the store yet, their loader is asked for the shape of an image.
 * limit: what a worker may use. Says so where something is not known. */
IB_CHECK enum ib_status ib_plan_show_memory(const struct ib_plan *p,
                                            const struct ib_stage_env *env,
                                            size_t limit, struct ib_text *out,
                                            struct ib_error *err);
/* An array of {"model" | "evaluator" | "prior": id (of a prior: its attack's),
 * "parameters", "state", "training_bytes", "answering_bytes"}; null where it is
 * not known. */
cJSON *ib_plan_memory_json(const struct ib_plan *p,
                           const struct ib_stage_env *env);

#endif
