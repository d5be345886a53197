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
    int groups;                        /* 0 means 1 */
    bool no_bias;
    bool spectral; /* weights divided by their spectral norm */
};
/* Cross-correlation with zero padding. W: channels x C / groups x k x k. */
ib_node ib_graph_conv2d(struct ib_graph *g, ib_node x, struct ib_conv conv,
                        const char *name);
struct ib_deconv {
    int channels, kernel, stride, pad; /* stride 0 means 1 */
    int out_pad;                       /* below the stride */
    int groups;                        /* 0 means 1 */
    bool no_bias;
};
/* Transposed convolution: sides become (H - 1) stride + kernel + out_pad - 2
 * pad. W: C x channels / groups x k x k. */
ib_node ib_graph_deconv2d(struct ib_graph *g, ib_node x,
                          struct ib_deconv deconv, const char *name);
ib_node ib_graph_maxpool(struct ib_graph *g, ib_node x, int size, int stride);
ib_node ib_graph_avgpool(struct ib_graph *g, ib_node x, int size, int stride);
ib_node ib_graph_relu(struct ib_graph *g, ib_node x);
ib_node ib_graph_sigmoid(struct ib_graph *g, ib_node x);
ib_node ib_graph_tanh(struct ib_graph *g, ib_node x);
ib_node ib_graph_leaky_relu(struct ib_graph *g, ib_node x, double slope);
/* log(1 + exp(x)) without overflow; x * sigmoid(x). */
ib_node ib_graph_softplus(struct ib_graph *g, ib_node x);
ib_node ib_graph_silu(struct ib_graph *g, ib_node x);
ib_node ib_graph_exp(struct ib_graph *g, ib_node x);
ib_node ib_graph_log(struct ib_graph *g, ib_node x);
ib_node ib_graph_softmax(struct ib_graph *g, ib_node x); /* over all of a row */
ib_node ib_graph_log_softmax(struct ib_graph *g, ib_node x); /* the same */
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

/* a + b, a - b, a * b, value by value. b is of a's shape CxHxW, or Cx1x1 (one
 * value a channel), 1xHxW (one plane for all channels) or 1x1x1 (one value a
 * row). */
ib_node ib_graph_plus(struct ib_graph *g, ib_node a, ib_node b);
ib_node ib_graph_minus(struct ib_graph *g, ib_node a, ib_node b);
ib_node ib_graph_times(struct ib_graph *g, ib_node a, ib_node b);
/* y = op(a) op(b), row by row of the batch and channel by channel: planes are
 * matrices of H x W, transposed where ta, tb say so. */
ib_node ib_graph_matmul(struct ib_graph *g, ib_node a, ib_node b, bool ta,
                        bool tb);

ib_node ib_graph_reshape(struct ib_graph *g, ib_node x, struct ib_shape s);
ib_node ib_graph_flatten(struct ib_graph *g, ib_node x); /* D x 1 x 1 */
/* The channels of x[0], then those of x[1] ...; n is 1 to 4. */
ib_node ib_graph_concat(struct ib_graph *g, const ib_node *x, int n);
/* Channels first .. first + count - 1. */
ib_node ib_graph_slice(struct ib_graph *g, ib_node x, int first, int count);
/* h x w pixels of every channel, from row `top` and column `left` on. */
ib_node ib_graph_crop(struct ib_graph *g, ib_node x, int top, int left, int h,
                      int w);
/* What stands around the image: a constant, its outermost pixels, or the image
 * mirrored (without repeating the outermost pixels). */
enum ib_border { IB_BORDER_VALUE, IB_BORDER_EDGE, IB_BORDER_REFLECT };
struct ib_pad {
    int top, bottom, left, right;
    enum ib_border border;
    double value; /* of IB_BORDER_VALUE */
};
ib_node ib_graph_pad(struct ib_graph *g, ib_node x, struct ib_pad pad);
/* Every pixel becomes factor x factor pixels. */
ib_node ib_graph_upsample(struct ib_graph *g, ib_node x, int factor);
/* Bilinear, pixel centres at half-integers (PyTorch: align_corners=False),
 * without smoothing first where it shrinks. */
ib_node ib_graph_resize(struct ib_graph *g, ib_node x, int h, int w);

/* Over all of a row (gives 1x1x1), over each channel's plane (Cx1x1), or over
 * the channels of each pixel (1xHxW). */
enum ib_over { IB_OVER_ROW, IB_OVER_PLANE, IB_OVER_CHANNELS };
ib_node ib_graph_sum(struct ib_graph *g, ib_node x, enum ib_over over);
ib_node ib_graph_mean(struct ib_graph *g, ib_node x, enum ib_over over);
/* Of equal maxima the first gets the gradient. */
ib_node ib_graph_max(struct ib_graph *g, ib_node x, enum ib_over over);
ib_node ib_graph_log_sum_exp(struct ib_graph *g, ib_node x, enum ib_over over);
/* Mean and max over each channel's plane. */
ib_node ib_graph_global_avgpool(struct ib_graph *g, ib_node x);
ib_node ib_graph_global_maxpool(struct ib_graph *g, ib_node x);

#endif
