/*
 * The numeric engine: a graph of ops, and a net that runs it.
 *
 * Build a graph (shapes are checked as nodes are added; the first mistake
 * sticks and names both nodes and both shapes), make a net of it for a largest
 * batch, run it. All memory of a net is two allocations: parameters (values,
 * gradients, optimiser state) and activations (values, gradients, scratch).
 * Running allocates nothing. Batches are rows: row i of every node depends on
 * row i of the input alone, batch norm in training runs excepted.
 */
#ifndef INVBENCH_GRAPH_H
#define INVBENCH_GRAPH_H

#include <invbench/rng.h>

typedef int ib_node;
#define IB_NONE (-1)

struct ib_graph;
IB_CHECK struct ib_graph *ib_graph_create(void); /* NULL: no memory */
void ib_graph_free(struct ib_graph *g);
/* NULL while every node that was added fits. */
const struct ib_error *ib_graph_error(const struct ib_graph *g);
struct ib_shape ib_graph_shape(const struct ib_graph *g, ib_node x);
size_t ib_graph_parameters(const struct ib_graph *g); /* how many numbers */

/* What stands at a node: for messages, tables and model files. */
struct ib_node_info {
    const char *name, *op; /* owned by the graph; op: "conv2d", "relu" */
    int n_inputs;
    const ib_node *input; /* owned by the graph: earlier nodes */
    struct ib_shape shape;
    ib_node owner; /* whose parameters it uses; itself unless shared */
    size_t first, weights, biases; /* in ib_net_parameters */
    size_t first_state, state;     /* in ib_net_state */
};
int ib_graph_count(const struct ib_graph *g); /* nodes: 0..count-1 */
struct ib_node_info ib_graph_info(const struct ib_graph *g, ib_node x);

/* Every builder returns the new node, or IB_NONE after an error (also when x
 * is IB_NONE: calls can be chained without checks). name: for messages and
 * model files; unique, copied; NULL makes one from the op and its number. */
ib_node ib_graph_input(struct ib_graph *g, struct ib_shape s, const char *name);
/* Gives x memory of its own for its gradient, where the engine would share it
 * with its only consumer's: needed before x may be in ib_forward.also. Returns
 * x. */
ib_node ib_graph_keep(struct ib_graph *g, ib_node x);

struct ib_net;

/* Takes the graph over (also on failure). max_batch >= 1. */
IB_CHECK enum ib_status ib_net_create(struct ib_net **out, struct ib_graph *g,
                                      int max_batch, struct ib_error *err);
void ib_net_free(struct ib_net *net);
const struct ib_graph *ib_net_graph(const struct ib_net *net);
int ib_net_max_batch(const struct ib_net *net);
size_t ib_net_bytes(const struct ib_net *net); /* all memory it holds */
/* The same before there is a net; 0: more than can be addressed. */
size_t ib_graph_bytes(const struct ib_graph *g, int max_batch);
/* Runs use these threads from now on (NULL: the calling one alone). The pool
 * must outlive the net. Results do not depend on it. */
struct ib_pool;
IB_CHECK enum ib_status
ib_net_use_pool(struct ib_net *net, struct ib_pool *pool, struct ib_error *err);

/* He-uniform for layers that feed a relu or its like (directly or through a
 * norm), Glorot-uniform otherwise; biases 0. Norms begin at scale 1, layers
 * that scale and shift a FiLM at 0, invertible convolutions orthogonal. Sets
 * the state too. Draws from rng in node order. */
void ib_net_init(struct ib_net *net, struct ib_rng *rng);
/* All parameters as one array, in node order (weights, then biases). */
size_t ib_net_parameter_count(const struct ib_net *net);
ib_real *ib_net_parameters(struct ib_net *net);
ib_real *ib_net_parameter_gradients(struct ib_net *net);
/* Offset and length of one node's parameters in those arrays (0, 0: none). */
void ib_net_parameter_range(const struct ib_net *net, ib_node x, size_t *first,
                            size_t *count);

/* What training keeps beside the parameters (running statistics, singular
 * vectors), in node order; part of a saved model. */
size_t ib_net_state_count(const struct ib_net *net);
ib_real *ib_net_state(struct ib_net *net);

/* Rows of a node's value: max_batch x size; valid until the next run. Write
 * an input node's value before forward. */
ib_real *ib_net_value(struct ib_net *net, ib_node x);
/* Rows of d loss / d node. The caller writes the output node's before
 * backward and reads the `from` node's after it; inner nodes may share. */
ib_real *ib_net_gradient(struct ib_net *net, ib_node x);

struct ib_forward {
    int n;               /* rows */
    ib_node from, to;    /* computes `to` given the value of `from`; from
                            IB_NONE: given those of the input nodes */
    struct ib_rng *rng;  /* of a training run: dropout draws from it, norms use
                            the batch's statistics; NULL: inference */
    const ib_node *also; /* backward: further nodes whose gradient the caller
                            has written (losses at inner layers) */
    int n_also;
};
void ib_net_forward(struct ib_net *net, const struct ib_forward *f);
/* Runs back over the same nodes as the forward run f. Gradients of nodes are
 * overwritten; gradients of parameters are added to (when wanted), or, with
 * IB_WRT_OVERWRITE, replaced for the nodes that are run. */
enum { IB_WRT_INPUT = 1, IB_WRT_PARAMETERS = 2, IB_WRT_OVERWRITE = 4 };
void ib_net_backward(struct ib_net *net, const struct ib_forward *f, int wrt);
/* After a forward run f, with the gradient of f->to written: the squared norm
 * of each row's own gradient of the parameters, without keeping any (ghost
 * norms). norm2: n. Gradients of nodes are overwritten. IB_E_USAGE, naming the
 * layer, where rows influence each other (batch statistics). */
IB_CHECK enum ib_status ib_net_row_norms(struct ib_net *net,
                                         const struct ib_forward *f,
                                         double *norm2, struct ib_error *err);
void ib_net_zero_gradients(struct ib_net *net); /* of parameters */

#endif
