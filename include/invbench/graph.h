/*
 * The numeric engine: a graph of ops, and a net that runs it.
 *
 * Build a graph (shapes are checked as nodes are added; the first mistake
 * sticks and names both nodes and both shapes), make a net of it for a largest
 * batch, run it. All memory of a net is two allocations: parameters (values,
 * gradients, optimiser state) and activations (values, gradients, scratch).
 * Running allocates nothing. Batches are rows: row i of every node depends on
 * row i of the input alone.
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

/* Every builder returns the new node, or IB_NONE after an error (also when x
 * is IB_NONE: calls can be chained without checks). name: for messages and
 * model files; unique, copied; NULL makes one from the op and its number. */
ib_node ib_graph_input(struct ib_graph *g, struct ib_shape s, const char *name);
/* y = x W^T + b; flattens x. W: units x D. */
ib_node ib_graph_dense(struct ib_graph *g, ib_node x, int units,
                       const char *name);
/* The same layer again, with the very parameters of the dense node `of`
 * (gradients of all uses add up). The input must be as long. */
ib_node ib_graph_dense_shared(struct ib_graph *g, ib_node x, ib_node of,
                              const char *name);
struct ib_conv {
    int channels, kernel, stride, pad; /* stride 0 means 1 */
};
ib_node ib_graph_conv2d(struct ib_graph *g, ib_node x, struct ib_conv conv,
                        const char *name);
ib_node ib_graph_maxpool(struct ib_graph *g, ib_node x, int size, int stride);
ib_node ib_graph_avgpool(struct ib_graph *g, ib_node x, int size, int stride);
ib_node ib_graph_relu(struct ib_graph *g, ib_node x);
ib_node ib_graph_sigmoid(struct ib_graph *g, ib_node x);
ib_node ib_graph_tanh(struct ib_graph *g, ib_node x);
ib_node ib_graph_softmax(struct ib_graph *g, ib_node x); /* over all of a row */
/* Inverted dropout: identity outside training. */
ib_node ib_graph_dropout(struct ib_graph *g, ib_node x, double rate);
/* y = scale * x + shift, elementwise constants (input normalisation). */
ib_node ib_graph_affine(struct ib_graph *g, ib_node x, double scale,
                        double shift);
ib_node ib_graph_reshape(struct ib_graph *g, ib_node x, struct ib_shape s);

struct ib_net;

/* Takes the graph over (also on failure). max_batch >= 1. */
IB_CHECK enum ib_status ib_net_create(struct ib_net **out, struct ib_graph *g,
                                      int max_batch, struct ib_error *err);
void ib_net_free(struct ib_net *net);
const struct ib_graph *ib_net_graph(const struct ib_net *net);
int ib_net_max_batch(const struct ib_net *net);
size_t ib_net_bytes(const struct ib_net *net); /* all memory it holds */

/* He-uniform for layers that feed relu, Glorot-uniform otherwise; biases 0.
 * Draws from rng in node order. */
void ib_net_init(struct ib_net *net, struct ib_rng *rng);
/* All parameters as one array, in node order (weights, then biases). */
size_t ib_net_parameter_count(const struct ib_net *net);
float *ib_net_parameters(struct ib_net *net);
float *ib_net_parameter_gradients(struct ib_net *net);
/* Offset and length of one node's parameters in those arrays (0, 0: none). */
void ib_net_parameter_range(const struct ib_net *net, ib_node x, size_t *first,
                            size_t *count);

/* Rows of a node's value: max_batch x size; valid until the next run. Write
 * an input node's value before forward. */
float *ib_net_value(struct ib_net *net, ib_node x);
/* Rows of d loss / d node. The caller writes the output node's before
 * backward and reads the input node's after it. */
float *ib_net_gradient(struct ib_net *net, ib_node x);

/* dropout: NULL outside training. */
struct ib_forward {
    int n;                  /* rows */
    ib_node from, to;       /* computes `to` given the value of `from` */
    struct ib_rng *dropout; /* NULL: inference */
};
void ib_net_forward(struct ib_net *net, const struct ib_forward *f);
/* Runs back over the same nodes as the forward run f. Gradients of nodes are
 * overwritten; gradients of parameters are added to (when wanted), or, with
 * IB_WRT_OVERWRITE, replaced for the nodes that are run. */
enum { IB_WRT_INPUT = 1, IB_WRT_PARAMETERS = 2, IB_WRT_OVERWRITE = 4 };
void ib_net_backward(struct ib_net *net, const struct ib_forward *f, int wrt);
void ib_net_zero_gradients(struct ib_net *net); /* of parameters */

/* Losses: return the mean over rows (double), write d mean / d logits.
 * target: n x k, rows sum to 1 (they may be negative: negative smoothing). */
double ib_loss_cross_entropy(size_t n, size_t k, const float *logits,
                             const float *target, float *gradient);
/* mean over rows and columns of (y - t)^2. */
double ib_loss_mse(size_t n, size_t d, const float *y, const float *t,
                   float *gradient);

#endif
