/*
 * 2-D convolution (cross-correlation, zero padding) and its transpose, with
 * groups: what nodes say about them. The work is done in conv_run.c. Weights:
 * conv2d M x C / groups x k x k, M output and C input channels; deconv2d C x M
 * / groups x k x k, as in PyTorch.
 */
#include "conv.h"
#include "kernel.h"
#include "node.h"
#include "spectral.h"

#include <limits.h>

/* --- shapes --------------------------------------------------------------- */

static const char *check_config(const struct ib_op_config *o, int in)
{
    if (o->channels < 1 || o->kernel < 1 || o->stride < 1 || o->pad < 0)
        return "channels, kernel and stride must be positive";
    if (o->kernel > 255 || o->stride > 255 || o->pad >= o->kernel)
        return "kernel and stride go to 255, pad stays below the kernel";
    if (o->groups < 1 || in % o->groups || o->channels % o->groups)
        return "groups must divide the channels of input and output";
    return NULL;
}

/* Weights, and what the lists of offsets must be able to reach. */
static const char *check_sizes(struct ib_graph_node *node, struct ib_shape in)
{
    const struct ib_op_config *o = &node->config;
    size_t area = (size_t)(o->kernel * o->kernel), reach;
    size_t side = (size_t)o->kernel + (size_t)o->stride;
    size_t h = (size_t)(in.h > node->shape.h ? in.h : node->shape.h) + side;
    size_t w = (size_t)(in.w > node->shape.w ? in.w : node->shape.w) + side;
    size_t c = (size_t)(in.c > node->shape.c ? in.c : node->shape.c);
    if (!ib_size_mul(h, w, &reach) || !ib_size_add(reach, 32, &reach) ||
        !ib_size_mul(reach, c, &reach) || reach > INT_MAX / 2)
        return "the padded images have too many values";
    if (!ib_size_mul(area, (size_t)(in.c / o->groups), &node->weights) ||
        !ib_size_mul(node->weights, (size_t)o->channels, &node->weights) ||
        node->weights > INT_MAX / 2)
        return "too many weights";
    node->biases = o->no_bias ? 0 : (size_t)o->channels;
    return NULL;
}

static const char *conv_shape(struct ib_graph_node *node,
                              const struct ib_shape *in)
{
    struct ib_op_config *o = &node->config;
    node->shape = (struct ib_shape){o->channels, 0, 0};
    const char *reason = check_config(o, in[0].c);
    if (reason)
        return reason;
    int h = in[0].h + 2 * o->pad - o->kernel;
    int w = in[0].w + 2 * o->pad - o->kernel;
    node->shape.h = h < 0 ? 0 : h / o->stride + 1;
    node->shape.w = w < 0 ? 0 : w / o->stride + 1;
    if (h < 0 || w < 0)
        return "the kernel is larger than the padded input";
    reason = check_sizes(node, in[0]);
    if (!reason && o->spectral)
        node->state = ib_spectral_state(node);
    return reason;
}

static const char *deconv_shape(struct ib_graph_node *node,
                                const struct ib_shape *in)
{
    struct ib_op_config *o = &node->config;
    node->shape = (struct ib_shape){o->channels, 0, 0};
    const char *reason = check_config(o, in[0].c);
    if (reason)
        return reason;
    if (o->out_pad < 0 || o->out_pad >= o->stride)
        return "output padding goes from 0 to the stride - 1";
    int more = o->out_pad + o->kernel - 2 * o->pad;
    if (in[0].h > INT_MAX / 1024 || in[0].w > INT_MAX / 1024)
        return "the output has too many values";
    int h = (in[0].h - 1) * o->stride + more;
    int w = (in[0].w - 1) * o->stride + more;
    node->shape.h = h < 0 ? 0 : h;
    node->shape.w = w < 0 ? 0 : w;
    if (h < 1 || w < 1)
        return "the padding leaves nothing of the output";
    return check_sizes(node, in[0]);
}

/* --- passes --------------------------------------------------------------- */

static struct ib_conv_map map_of(const struct ib_graph_node *node,
                                 struct ib_shape in)
{
    bool up = node->op == IB_OP_DECONV2D;
    return (struct ib_conv_map){.large = up ? node->shape : in,
                                .small = up ? in : node->shape,
                                .groups = node->config.groups,
                                .kernel = node->config.kernel,
                                .stride = node->config.stride,
                                .pad = node->config.pad};
}

/* The passes of a node; what they share lies in this order. */
struct passes {
    struct ib_conv_pass forward, outer, backward;
};

static void passes_of(const struct ib_graph_node *node, struct ib_shape in,
                      struct passes *p)
{
    struct ib_conv_map m = map_of(node, in);
    bool up = node->op == IB_OP_DECONV2D;
    p->forward = up ? ib_conv_up(&m) : ib_conv_down(&m);
    p->backward = up ? ib_conv_down(&m) : ib_conv_up(&m);
    p->outer = ib_conv_outer_pass(&m);
}

static ib_real *outer_shared(const struct ib_op_run *r, const struct passes *p)
{
    return r->shared + ib_conv_shared(&p->forward);
}

static ib_real *backward_shared(const struct ib_op_run *r,
                                const struct passes *p)
{
    return outer_shared(r, p) + ib_conv_shared(&p->outer);
}

static size_t shared(const struct ib_graph_node *node,
                     const struct ib_shape *in)
{
    struct passes p;
    passes_of(node, in[0], &p);
    return ib_conv_shared(&p.forward) + ib_conv_shared(&p.outer) +
           ib_conv_shared(&p.backward);
}

static size_t scratch(const struct ib_graph_node *node,
                      const struct ib_shape *in, size_t n)
{
    struct passes p;
    passes_of(node, in[0], &p);
    size_t need[] = {
        ib_conv_scratch(&p.forward, n), ib_conv_scratch(&p.backward, n),
        ib_conv_outer_scratch(&p.outer, n), ib_conv_norms_scratch(&p.outer)};
    size_t most = 0;
    for (size_t i = 0; i < IB_COUNT(need); i++)
        most = need[i] > most ? need[i] : most;
    return most;
}

static void prepare(const struct ib_op_run *r)
{
    struct passes p;
    passes_of(r->node, r->in[0], &p);
    ib_conv_prepare(&p.forward, r->w, r->node->biases ? r->b : NULL, r->shared);
}

static void prepare_backward(const struct ib_op_run *r)
{
    struct passes p;
    passes_of(r->node, r->in[0], &p);
    if (r->dw)
        ib_conv_prepare(&p.outer, NULL, NULL, outer_shared(r, &p));
    if (r->dx[0])
        ib_conv_prepare(&p.backward, r->w, NULL, backward_shared(r, &p));
}

static void forward(const struct ib_op_run *r)
{
    struct passes p;
    passes_of(r->node, r->in[0], &p);
    ib_conv_run(&p.forward, &(struct ib_conv_run){.shared = r->shared,
                                                  .n = r->n,
                                                  .x = r->x[0],
                                                  .y = r->y,
                                                  .scratch = r->scratch});
}

/* --- gradients ------------------------------------------------------------ */

static struct ib_conv_outer outer_of(const struct ib_op_run *r,
                                     const struct passes *p)
{
    bool up = p->forward.up;
    return (struct ib_conv_outer){.shared = outer_shared(r, p),
                                  .n = r->n,
                                  .large = up ? r->dy : r->x[0],
                                  .small = up ? r->x[0] : r->dy,
                                  .dw = r->dw,
                                  .add = r->keep != 0,
                                  .scratch = r->scratch};
}

/* Of the bias of channel m, over row i. */
static double bias_sum(const struct ib_op_run *r, size_t i, size_t m)
{
    struct ib_shape s = r->node->shape;
    size_t area = (size_t)s.h * (size_t)s.w;
    return ib_kernel_sum(area, r->dy + (i * (size_t)s.c + m) * area);
}

static void bias_gradient(const struct ib_op_run *r)
{
    for (size_t m = 0; m < r->node->biases; m++) {
        double s = r->keep != 0 ? (double)r->db[m] : 0;
        for (size_t i = 0; i < r->n; i++)
            s += bias_sum(r, i, m);
        r->db[m] = (ib_real)s;
    }
}

static void backward(const struct ib_op_run *r)
{
    struct passes p;
    passes_of(r->node, r->in[0], &p);
    if (r->dw) {
        struct ib_conv_outer o = outer_of(r, &p);
        ib_conv_outer(&p.outer, &o);
        bias_gradient(r);
    }
    if (r->dx[0])
        ib_conv_run(&p.backward,
                    &(struct ib_conv_run){.shared = backward_shared(r, &p),
                                          .n = r->n,
                                          .x = r->dy,
                                          .y = r->dx[0],
                                          .add = r->add[0],
                                          .scratch = r->scratch});
}

static void norms(const struct ib_op_run *r, double *norm2)
{
    struct passes p;
    passes_of(r->node, r->in[0], &p);
    struct ib_conv_outer o = outer_of(r, &p);
    ib_conv_norms(&p.outer, &o, norm2);
    for (size_t i = 0; i < r->n; i++)
        for (size_t m = 0; m < r->node->biases; m++) {
            double s = bias_sum(r, i, m);
            norm2[i] += s * s;
        }
}

/* --- ops ------------------------------------------------------------------ */

const struct ib_op ib_op_conv2d = {
    .name = "conv2d",
    .shape = conv_shape,
    .scratch = scratch,
    .shared = shared,
    .prepare = prepare,
    .prepare_backward = prepare_backward,
    .forward = forward,
    .backward = backward,
    .norms = norms,
};

const struct ib_op ib_op_deconv2d = {
    .name = "deconv2d",
    .shape = deconv_shape,
    .scratch = scratch,
    .shared = shared,
    .prepare = prepare,
    .prepare_backward = prepare_backward,
    .forward = forward,
    .backward = backward,
    .norms = norms,
};

ib_node ib_graph_conv2d(struct ib_graph *g, ib_node x, struct ib_conv conv,
                        const char *name)
{
    const struct ib_op_config c = {.channels = conv.channels,
                                   .kernel = conv.kernel,
                                   .stride = conv.stride ? conv.stride : 1,
                                   .pad = conv.pad,
                                   .groups = conv.groups ? conv.groups : 1,
                                   .no_bias = conv.no_bias,
                                   .spectral = conv.spectral};
    return ib_graph_add_unary(g, IB_OP_CONV2D, x, &c, name);
}

ib_node ib_graph_deconv2d(struct ib_graph *g, ib_node x,
                          struct ib_deconv deconv, const char *name)
{
    const struct ib_op_config c = {.channels = deconv.channels,
                                   .kernel = deconv.kernel,
                                   .stride = deconv.stride ? deconv.stride : 1,
                                   .pad = deconv.pad,
                                   .out_pad = deconv.out_pad,
                                   .groups = deconv.groups ? deconv.groups : 1,
                                   .no_bias = deconv.no_bias};
    return ib_graph_add_unary(g, IB_OP_DECONV2D, x, &c, name);
}
