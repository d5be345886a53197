/*
 * Builders of nodes. Every one returns the new node, or IB_NONE after an error
 * (also when x is IB_NONE: calls can be chained without checks). name: for
 * messages and model files; unique, copied; NULL makes one from the op and its
 * number.
 */
#ifndef INVBENCH_OPS_H
#define INVBENCH_OPS_H

#include <invbench/graph.h>

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

#endif
