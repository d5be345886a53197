/* Building a model's net, shared by training and loading. */
#ifndef INVBENCH_HARNESS_MODEL_IO_H
#define INVBENCH_HARNESS_MODEL_IO_H

#include "stack.h"
#include "stage.h"

/* Fills out->net, nodes and task (not out->use). On failure out->net is NULL.
 * Also tells what the plugin builds: has the model a code, do shapes fit.
 * stack: its defenses of stage train rewrite the graph; NULL: none. */
IB_CHECK enum ib_status
ib_model_build(const struct ib_use *use, const struct ib_stack *stack,
               const struct ib_model_task *task, int max_batch,
               struct ib_loaded_model *out, struct ib_error *err);

#endif
