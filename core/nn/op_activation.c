/*
 * Elementwise ops of one input. NaN stays NaN, so that a diverged layer is
 * seen.
 */
#include "put.h"

#include <invbench/math.h>
#include <math.h>

static const char *same_shape(struct ib_graph_node *node,
                              const struct ib_shape *in)
{
    node->shape = in[0];
    return NULL;
}

static const char *leaky_shape(struct ib_graph_node *node,
                               const struct ib_shape *in)
{
    node->shape = in[0];
    return isfinite(node->config.scale) ? NULL : "the slope must be finite";
}

static size_t length(const struct ib_op_run *r)
{
    return r->n * ib_shape_size(r->node->shape);
}

/* dx = dy * slope or dx += dy * slope, where slope is an expression of i and of
 * what was configured as scale: a. */
#define BACKWARD(name, slope)                                                  \
    static void name(const struct ib_op_run *r)                                \
    {                                                                          \
        size_t n = length(r);                                                  \
        const ib_real *x = r->x[0], *y = r->y, *dy = r->dy;                    \
        ib_real *dx = r->dx[0], a = (ib_real)r->node->config.scale;            \
        (void)a;                                                               \
        (void)x;                                                               \
        (void)y;                                                               \
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

/* The same where the slope takes a function of math.h: chunk by chunk, in
 * three loops. */
static void backward_by(const struct ib_op_run *r,
                        void (*slope)(size_t n, const ib_real *x, ib_real *s))
{
    size_t n = length(r);
    ib_real s[IB_CHUNK];
    if (!r->dx[0])
        return;
    for (size_t at = 0; at < n; at += IB_CHUNK) {
        size_t m = ib_chunk(n, at);
        slope(m, r->x[0] + at, s);
        ib_put_product(m, s, r->dy + at, r->dx[0] + at, r->add[0]);
    }
}

static void relu_forward(const struct ib_op_run *r)
{
    size_t n = length(r);
    const ib_real *restrict x = r->x[0];
    ib_real *restrict y = r->y;
    for (size_t i = 0; i < n; i++)
        y[i] = x[i] < 0.0f ? 0.0f : x[i];
}

static void leaky_forward(const struct ib_op_run *r)
{
    size_t n = length(r);
    ib_real slope = (ib_real)r->node->config.scale;
    const ib_real *restrict x = r->x[0];
    ib_real *restrict y = r->y;
    for (size_t i = 0; i < n; i++)
        y[i] = x[i] * (x[i] < 0.0f ? slope : 1.0f);
}

static void sigmoid_forward(const struct ib_op_run *r)
{
    ib_vsigmoid(length(r), r->x[0], r->y);
}

static void tanh_forward(const struct ib_op_run *r)
{
    ib_vtanh(length(r), r->x[0], r->y);
}

static void exp_forward(const struct ib_op_run *r)
{
    ib_vexp(length(r), r->x[0], r->y);
}

static void log_forward(const struct ib_op_run *r)
{
    ib_vlog(length(r), r->x[0], r->y);
}

BACKWARD(relu_backward, y[i] > 0.0f ? 1.0f : 0.0f)
BACKWARD(leaky_backward, x[i] > 0.0f ? 1.0f : a)
BACKWARD(sigmoid_backward, y[i] * (1.0f - y[i]))
BACKWARD(tanh_backward, 1.0f - y[i] * y[i])
BACKWARD(exp_backward, y[i])
BACKWARD(log_backward, 1.0f / x[i])

/* max(x, 0) + log(1 + e), e = exp(-|x|). The logarithm loses what 1 + e was
 * rounded by; e / ((1 + e) - 1) brings it back (Goldberg, ACM Computing Surveys
 * 23, 1991, theorem 4). */
static void softplus_forward(const struct ib_op_run *r)
{
    size_t n = length(r);
    ib_real e[IB_CHUNK], l[IB_CHUNK];
    for (size_t at = 0; at < n; at += IB_CHUNK) {
        size_t m = ib_chunk(n, at);
        const ib_real *restrict x = r->x[0] + at;
        ib_real *restrict y = r->y + at;
        for (size_t i = 0; i < m; i++)
            e[i] = x[i] > 0 ? -x[i] : x[i];
        ib_vexp(m, e, e);
        for (size_t i = 0; i < m; i++)
            l[i] = 1.0f + e[i];
        ib_vlog(m, l, l);
        for (size_t i = 0; i < m; i++) {
            ib_real d = (1.0f + e[i]) - 1.0f;
            ib_real log1p = d > 0 ? l[i] * (e[i] / d) : e[i];
            y[i] = (x[i] > 0 ? x[i] : 0.0f) + log1p;
        }
    }
}

static void softplus_backward(const struct ib_op_run *r)
{
    backward_by(r, ib_vsigmoid);
}

static void silu_forward(const struct ib_op_run *r)
{
    size_t n = length(r);
    const ib_real *restrict x = r->x[0];
    ib_real *restrict y = r->y;
    ib_vsigmoid(n, x, y);
    for (size_t i = 0; i < n; i++)
        y[i] *= x[i];
}

/* s (1 + x (1 - s)), s = sigmoid(x) */
static void silu_slope(size_t n, const ib_real *x, ib_real *s)
{
    ib_vsigmoid(n, x, s);
    for (size_t i = 0; i < n; i++)
        s[i] += s[i] * (x[i] * (1.0f - s[i]));
}

static void silu_backward(const struct ib_op_run *r)
{
    backward_by(r, silu_slope);
}

static void affine_forward(const struct ib_op_run *r)
{
    size_t n = length(r);
    ib_real a = (ib_real)r->node->config.scale,
            b = (ib_real)r->node->config.shift;
    const ib_real *restrict x = r->x[0];
    ib_real *restrict y = r->y;
    for (size_t i = 0; i < n; i++)
        y[i] = ib_fma(a, x[i], b);
}

static void affine_backward(const struct ib_op_run *r)
{
    if (r->dx[0])
        ib_put_scaled(length(r), (ib_real)r->node->config.scale, r->dy,
                      r->dx[0], r->add[0]);
}

#define ELEMENTWISE(op, cuts)                                                  \
    {                                                                          \
        .name = #op, .in_place = true, .rectifies = (cuts),                    \
        .shape = same_shape, .forward = op##_forward,                          \
        .backward = op##_backward                                              \
    }

const struct ib_op ib_op_relu = ELEMENTWISE(relu, true);
const struct ib_op ib_op_sigmoid = ELEMENTWISE(sigmoid, false);
const struct ib_op ib_op_tanh = ELEMENTWISE(tanh, false);
const struct ib_op ib_op_affine = ELEMENTWISE(affine, false);
const struct ib_op ib_op_softplus = ELEMENTWISE(softplus, false);
const struct ib_op ib_op_silu = ELEMENTWISE(silu, true);
const struct ib_op ib_op_exp = ELEMENTWISE(exp, false);
const struct ib_op ib_op_log = ELEMENTWISE(log, false);

const struct ib_op ib_op_leaky_relu = {
    .name = "leaky_relu",
    .in_place = true,
    .rectifies = true,
    .shape = leaky_shape,
    .forward = leaky_forward,
    .backward = leaky_backward,
};

#define BUILDER(op, id)                                                        \
    ib_node ib_graph_##op(struct ib_graph *g, ib_node x)                       \
    {                                                                          \
        return ib_graph_add_unary(g, IB_OP_##id, x, NULL, NULL);               \
    }

BUILDER(relu, RELU)
BUILDER(sigmoid, SIGMOID)
BUILDER(tanh, TANH)
BUILDER(softplus, SOFTPLUS)
BUILDER(silu, SILU)
BUILDER(exp, EXP)
BUILDER(log, LOG)

ib_node ib_graph_leaky_relu(struct ib_graph *g, ib_node x, double slope)
{
    const struct ib_op_config c = {.scale = slope};
    return ib_graph_add_unary(g, IB_OP_LEAKY_RELU, x, &c, NULL);
}

ib_node ib_graph_affine(struct ib_graph *g, ib_node x, double scale,
                        double shift)
{
    const struct ib_op_config c = {.scale = scale, .shift = shift};
    return ib_graph_add_unary(g, IB_OP_AFFINE, x, &c, NULL);
}
