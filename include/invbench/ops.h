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
struct ib_dense {
    int units;
    bool no_bias;
    bool spectral; /* W / its largest singular value (spectral.h) */
};
ib_node ib_graph_dense_with(struct ib_graph *g, ib_node x,
                            struct ib_dense dense, const char *name);
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

/* Members that are 0 stand for epsilon 1e-5, rate 0.1, groups 1. */
struct ib_norm {
    int groups;     /* group norm; divides the channels */
    bool no_affine; /* neither scale nor shift per channel */
    double epsilon; /* beside the variance */
    double rate;    /* batch norm: running = running + rate (batch - running);
                       in (0, 1] */
};
/* Per channel, over rows and pixels. Training runs use the batch's statistics
 * (rows then influence each other) and move the running ones, which inference
 * uses. See statistics.h. */
ib_node ib_graph_batchnorm(struct ib_graph *g, ib_node x, struct ib_norm norm,
                           const char *name);
/* Per row, over the channels of a group and their pixels. */
ib_node ib_graph_groupnorm(struct ib_graph *g, ib_node x, struct ib_norm norm,
                           const char *name);
/* Group norm with a group for each channel. */
ib_node ib_graph_instancenorm(struct ib_graph *g, ib_node x,
                              struct ib_norm norm, const char *name);
/* y = (1 + scale) x + shift; scale and shift: nodes of one value a channel. */
ib_node ib_graph_film(struct ib_graph *g, ib_node x, ib_node scale,
                      ib_node shift, const char *name);
/* <a, b>: one value a row. */
ib_node ib_graph_inner(struct ib_graph *g, ib_node a, ib_node b,
                       const char *name);
/* A learnt vector for each class; classes: a node of one-hot rows (or of any
 * weights: embeddings are mixed). */
ib_node ib_graph_embedding(struct ib_graph *g, ib_node classes, int units,
                           const char *name);
/* Batch norm whose scale and shift are embeddings of the class (Dumoulin et
 * al., ICLR 2017): nodes NAME-statistics, NAME-scale, NAME-shift, NAME. */
ib_node ib_graph_conditional_batchnorm(struct ib_graph *g, ib_node x,
                                       ib_node classes, struct ib_norm norm,
                                       const char *name);
/* <x, embedding of the class>, the class term of a projection discriminator
 * (Miyato, Koyama, ICLR 2018, eq. 3): nodes NAME-embedding, NAME. */
ib_node ib_graph_projection(struct ib_graph *g, ib_node x, ib_node classes,
                            bool spectral, const char *name);
/* y = W x at each pixel, W: C x C, initially orthogonal; its inverse and H W
 * log |det W| (one value a row) with the very W of the node `of`. NaN in the
 * latter two while W is singular. */
ib_node ib_graph_invconv(struct ib_graph *g, ib_node x, const char *name);
ib_node ib_graph_invconv_inverse(struct ib_graph *g, ib_node y, ib_node of,
                                 const char *name);
ib_node ib_graph_invconv_logdet(struct ib_graph *g, ib_node of,
                                const char *name);
ib_node ib_graph_reshape(struct ib_graph *g, ib_node x, struct ib_shape s);

#endif
