/*
 * Softmax and its logarithm over all values of a row.
 */
#include "put.h"

#include <invbench/math.h>

static const char *same_shape(struct ib_graph_node *node,
                              const struct ib_shape *in)
{
    node->shape = in[0];
    return NULL;
}

static void softmax_forward(const struct ib_op_run *r)
{
    ib_softmax_rows(r->n, ib_shape_size(r->node->shape), r->x[0], r->y);
}

/* dx = p (dy - sum_j p_j dy_j) */
static void softmax_backward(const struct ib_op_run *r)
{
    size_t k = ib_shape_size(r->node->shape);
    if (!r->dx[0])
        return;
    for (size_t i = 0; i < r->n; i++) {
        const ib_real *p = r->y + i * k, *dy = r->dy + i * k;
        ib_real *dx = r->dx[0] + i * k;
        ib_real s = (ib_real)ib_dot(k, p, dy);
        if (r->add[0]) {
            IB_SAME_INDEX
            for (size_t j = 0; j < k; j++)
                dx[j] += p[j] * (dy[j] - s);
        } else {
            IB_SAME_INDEX
            for (size_t j = 0; j < k; j++)
                dx[j] = p[j] * (dy[j] - s);
        }
    }
}

/* y = x - max - log sum_j exp(x_j - max) */
static void log_softmax_forward(const struct ib_op_run *r)
{
    size_t k = ib_shape_size(r->node->shape);
    for (size_t i = 0; i < r->n; i++) {
        const ib_real *restrict x = r->x[0] + i * k;
        ib_real *restrict y = r->y + i * k;
        ib_real top = ib_max(k, x);
        for (size_t j = 0; j < k; j++)
            y[j] = x[j] - top;
        ib_real e[IB_CHUNK];
        double sum = 0;
        for (size_t at = 0; at < k; at += IB_CHUNK) {
            size_t m = ib_chunk(k, at);
            ib_vexp(m, y + at, e);
            sum += ib_sum(m, e);
        }
        ib_real norm = (ib_real)ib_log(sum);
        for (size_t j = 0; j < k; j++)
            y[j] -= norm;
    }
}

/* dx = dy - exp(y) sum_j dy_j */
static void log_softmax_backward(const struct ib_op_run *r)
{
    size_t k = ib_shape_size(r->node->shape);
    ib_real v[IB_CHUNK];
    if (!r->dx[0])
        return;
    for (size_t i = 0; i < r->n; i++) {
        const ib_real *y = r->y + i * k, *dy = r->dy + i * k;
        ib_real sum = (ib_real)ib_sum(k, dy);
        for (size_t at = 0; at < k; at += IB_CHUNK) {
            size_t m = ib_chunk(k, at);
            ib_vexp(m, y + at, v);
            for (size_t j = 0; j < m; j++)
                v[j] = dy[at + j] - v[j] * sum;
            ib_put(m, v, r->dx[0] + i * k + at, r->add[0]);
        }
    }
}

const struct ib_op ib_op_softmax = {
    .name = "softmax",
    .in_place = true,
    .shape = same_shape,
    .forward = softmax_forward,
    .backward = softmax_backward,
};

const struct ib_op ib_op_log_softmax = {
    .name = "log_softmax",
    .in_place = true,
    .shape = same_shape,
    .forward = log_softmax_forward,
    .backward = log_softmax_backward,
};

ib_node ib_graph_softmax(struct ib_graph *g, ib_node x)
{
    return ib_graph_add_unary(g, IB_OP_SOFTMAX, x, NULL, NULL);
}

ib_node ib_graph_log_softmax(struct ib_graph *g, ib_node x)
{
    return ib_graph_add_unary(g, IB_OP_LOG_SOFTMAX, x, NULL, NULL);
}
