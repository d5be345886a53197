/* Building a model's net, shared by training and loading. */
#ifndef INVBENCH_HARNESS_MODEL_IO_H
#define INVBENCH_HARNESS_MODEL_IO_H

#include "stack.h"
#include "stage.h"

enum { IB_SIDE_MAX = 16384, IB_CLASSES_MAX = 1 << 20 };

/* What the plugin makes of a task: a graph that is the caller's, and its nodes.
 * The graph may hold an error. IB_E_DENIED where the plugin comes from outside
 * and its code is not loaded. */
IB_CHECK enum ib_status
ib_model_graph(const struct ib_use *use, const struct ib_stack *stack,
               const struct ib_model_task *task, struct ib_graph **out,
               struct ib_model_nodes *nodes, struct ib_error *err);
/* Fills out->net, nodes and task (not out->use). On failure out->net is NULL.
 * Also tells what the plugin builds: has the model a code, do shapes fit.
 * stack: its defenses of stage train rewrite the graph; NULL: none. */
IB_CHECK enum ib_status
ib_model_build(const struct ib_use *use, const struct ib_stack *stack,
               const struct ib_model_task *task, int max_batch,
               struct ib_loaded_model *out, struct ib_error *err);

struct ib_model_size {
    size_t parameters, state; /* numbers */
    /* Bytes; 0: more than can be addressed. */
    size_t training;  /* the net for its batch, the optimiser's moments, the
                         best parameters so far where it stops early */
    size_t answering; /* the net that an oracle asks */
};
/* Rows that an oracle answers at once: a function of the image's size, so of
 * the cell alone. */
static inline int ib_model_attack_rows(struct ib_shape shape)
{
    enum { SMALL_IMAGE = 1024, ROWS_SMALL = 256, ROWS_LARGE = 64 };

    return ib_shape_size(shape) <= SMALL_IMAGE ? ROWS_SMALL : ROWS_LARGE;
}

IB_CHECK enum ib_status ib_model_measure(const struct ib_use *use,
                                         const struct ib_stack *stack,
                                         const struct ib_model_task *task,
                                         struct ib_model_size *out,
                                         struct ib_error *err);

/* What a saved model holds: its parameters, then its state, each in node
 * order; so many numbers. */
size_t ib_model_numbers(const struct ib_net *net);
void ib_model_save(struct ib_net *net, float *out);
/* The way back from `bytes` bytes: as many as the net needs, every number
 * finite. what: for messages. */
IB_CHECK enum ib_status ib_model_load(struct ib_net *net, const void *data,
                                      size_t bytes, const char *what,
                                      struct ib_error *err);

#endif
