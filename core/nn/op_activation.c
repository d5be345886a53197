/*
 * Elementwise ops, dropout and softmax. D values a row.
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
        const float *restrict y = r->y, *restrict dy = r->dy;                  \
        float *restrict dx = r->dx[0];                                         \
        if (!dx)                                                               \
            return;                                                            \
        if (r->add[0])                                                         \
            for (size_t i = 0; i < n; i++)                                     \
                dx[i] += dy[i] * (slope);                                      \
        else                                                                   \
            for (size_t i = 0; i < n; i++)                                     \
                dx[i] = dy[i] * (slope);                                       \
    }

/* NaN stays NaN, so that a diverged layer is seen. */
static void relu_forward(const struct ib_op_run *r)
{
    size_t n = length(r);
    const float *restrict x = r->x[0];
    float *restrict y = r->y;
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
    float a = (float)r->node->config.scale, b = (float)r->node->config.shift;
    for (size_t i = 0; i < n; i++)
        r->y[i] = __builtin_fmaf(a, r->x[0][i], b);
}

static void affine_backward(const struct ib_op_run *r)
{
    size_t n = length(r);
    float a = (float)r->node->config.scale;
    if (!r->dx[0])
        return;
    for (size_t i = 0; i < n; i++)
        r->dx[0][i] = a * r->dy[i] + (r->add[0] ? r->dx[0][i] : 0.0f);
}

static void softmax_forward(const struct ib_op_run *r)
{
    ib_softmax_rows(r->n, ib_shape_size(r->node->shape), r->x[0], r->y);
}

/* dx = p * (dy - sum_j p_j dy_j) */
static void softmax_backward(const struct ib_op_run *r)
{
    size_t k = ib_shape_size(r->node->shape);
    if (!r->dx[0])
        return;
    for (size_t i = 0; i < r->n; i++) {
        const float *p = r->y + i * k, *dy = r->dy + i * k;
        float *dx = r->dx[0] + i * k;
        float s = (float)ib_dot(k, p, dy);
        for (size_t j = 0; j < k; j++)
            dx[j] = p[j] * (dy[j] - s) + (r->add[0] ? dx[j] : 0.0f);
    }
}

static const char *dropout_shape(struct ib_graph_node *node,
                                 const struct ib_shape *in)
{
    node->shape = in[0];
    double rate = node->config.rate;
    return rate >= 0 && rate < 1 ? NULL : "the rate must be in [0, 1)";
}

/* The factor that each value was multiplied by. */
static size_t dropout_saved(const struct ib_graph_node *node)
{
    return ib_shape_size(node->shape) * sizeof(float);
}

static void dropout_forward(const struct ib_op_run *r)
{
    size_t n = length(r);
    float rate = (float)r->node->config.rate, scale = 1.0f / (1.0f - rate);
    float *factor = r->saved;
    if (!r->dropout) {
        memcpy(r->y, r->x[0], n * sizeof *r->y);
        return;
    }
    ib_rng_fill_uniform(r->dropout, factor, n);
    for (size_t i = 0; i < n; i++)
        factor[i] = factor[i] < rate ? 0.0f : scale;
    for (size_t i = 0; i < n; i++)
        r->y[i] = r->x[0][i] * factor[i];
}

static void dropout_backward(const struct ib_op_run *r)
{
    size_t n = length(r);
    const float *factor = r->saved;
    float *dx = r->dx[0];
    if (!dx)
        return;
    for (size_t i = 0; i < n; i++)
        dx[i] = r->dy[i] * (r->dropout ? factor[i] : 1.0f) +
                (r->add[0] ? dx[i] : 0.0f);
}

const struct ib_op ib_op_relu = {
    .name = "relu",
    .shape = same_shape,
    .forward = relu_forward,
    .backward = relu_backward,
};

const struct ib_op ib_op_sigmoid = {
    .name = "sigmoid",
    .shape = same_shape,
    .forward = sigmoid_forward,
    .backward = sigmoid_backward,
};

const struct ib_op ib_op_tanh = {
    .name = "tanh",
    .shape = same_shape,
    .forward = tanh_forward,
    .backward = tanh_backward,
};

const struct ib_op ib_op_affine = {
    .name = "affine",
    .shape = same_shape,
    .forward = affine_forward,
    .backward = affine_backward,
};

const struct ib_op ib_op_softmax = {
    .name = "softmax",
    .shape = same_shape,
    .forward = softmax_forward,
    .backward = softmax_backward,
};

const struct ib_op ib_op_dropout = {
    .name = "dropout",
    .shape = dropout_shape,
    .saved = dropout_saved,
    .forward = dropout_forward,
    .backward = dropout_backward,
};
