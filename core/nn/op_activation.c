/*
 * Elementwise ops.
 */
#include "node.h"

#include <invbench/math.h>
#include <string.h>

static const char *same_shape(struct ib_graph_node *node,
                              const struct ib_shape *in)
{
    node->shape = in[0];
    return NULL;
}

static size_t length(const struct ib_op_run *r)
{
    return r->n * ib_shape_size(r->node->shape);
}

/* dx = dy * slope or dx += dy * slope, where slope is an expression of i. */
#define BACKWARD(name, slope)                                                  \
    static void name(const struct ib_op_run *r)                                \
    {                                                                          \
        size_t n = length(r);                                                  \
        const ib_real *y = r->y, *dy = r->dy;                                  \
        ib_real *dx = r->dx[0];                                                \
        if (!dx)                                                               \
            return;                                                            \
        if (r->add[0]) {                                                       \
            IB_SAME_INDEX                                                      \
            for (size_t i = 0; i < n; i++)                                     \
                dx[i] += dy[i] * (slope);                                      \
        } else {                                                               \
            IB_SAME_INDEX                                                      \
            for (size_t i = 0; i < n; i++)                                     \
                dx[i] = dy[i] * (slope);                                       \
        }                                                                      \
    }

/* NaN stays NaN, so that a diverged layer is seen. */
static void relu_forward(const struct ib_op_run *r)
{
    size_t n = length(r);
    const ib_real *restrict x = r->x[0];
    ib_real *restrict y = r->y;
    for (size_t i = 0; i < n; i++)
        y[i] = x[i] < 0.0f ? 0.0f : x[i];
}

static void sigmoid_forward(const struct ib_op_run *r)
{
    ib_vsigmoid(length(r), r->x[0], r->y);
}

static void tanh_forward(const struct ib_op_run *r)
{
    ib_vtanh(length(r), r->x[0], r->y);
}

BACKWARD(relu_backward, y[i] > 0.0f ? 1.0f : 0.0f)
BACKWARD(sigmoid_backward, y[i] * (1.0f - y[i]))
BACKWARD(tanh_backward, 1.0f - y[i] * y[i])

static void affine_forward(const struct ib_op_run *r)
{
    size_t n = length(r);
    ib_real a = (ib_real)r->node->config.scale,
            b = (ib_real)r->node->config.shift;
    for (size_t i = 0; i < n; i++)
        r->y[i] = ib_fma(a, r->x[0][i], b);
}

static void affine_backward(const struct ib_op_run *r)
{
    size_t n = length(r);
    ib_real a = (ib_real)r->node->config.scale;
    if (!r->dx[0])
        return;
    for (size_t i = 0; i < n; i++)
        r->dx[0][i] = a * r->dy[i] + (r->add[0] ? r->dx[0][i] : 0.0f);
}

const struct ib_op ib_op_relu = {
    .name = "relu",
    .in_place = true,
    .rectifies = true,
    .shape = same_shape,
    .forward = relu_forward,
    .backward = relu_backward,
};

const struct ib_op ib_op_sigmoid = {
    .name = "sigmoid",
    .in_place = true,
    .shape = same_shape,
    .forward = sigmoid_forward,
    .backward = sigmoid_backward,
};

const struct ib_op ib_op_tanh = {
    .name = "tanh",
    .in_place = true,
    .shape = same_shape,
    .forward = tanh_forward,
    .backward = tanh_backward,
};

const struct ib_op ib_op_affine = {
    .name = "affine",
    .in_place = true,
    .shape = same_shape,
    .forward = affine_forward,
    .backward = affine_backward,
};

ib_node ib_graph_relu(struct ib_graph *g, ib_node x)
{
    return ib_graph_add_unary(g, IB_OP_RELU, x, NULL, NULL);
}

ib_node ib_graph_sigmoid(struct ib_graph *g, ib_node x)
{
    return ib_graph_add_unary(g, IB_OP_SIGMOID, x, NULL, NULL);
}

ib_node ib_graph_tanh(struct ib_graph *g, ib_node x)
{
    return ib_graph_add_unary(g, IB_OP_TANH, x, NULL, NULL);
}

ib_node ib_graph_affine(struct ib_graph *g, ib_node x, double scale,
                        double shift)
{
    const struct ib_op_config c = {.scale = scale, .shift = shift};
    return ib_graph_add_unary(g, IB_OP_AFFINE, x, &c, NULL);
}
