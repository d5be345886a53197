/*
 * Softmax over all values of a row.
 */
#include "node.h"

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

/* dx = p * (dy - sum_j p_j dy_j) */
static void softmax_backward(const struct ib_op_run *r)
{
    size_t k = ib_shape_size(r->node->shape);
    if (!r->dx[0])
        return;
    for (size_t i = 0; i < r->n; i++) {
        const ib_real *p = r->y + i * k, *dy = r->dy + i * k;
        ib_real *dx = r->dx[0] + i * k;
        ib_real s = (ib_real)ib_dot(k, p, dy);
        for (size_t j = 0; j < k; j++)
            dx[j] = p[j] * (dy[j] - s) + (r->add[0] ? dx[j] : 0.0f);
    }
}

const struct ib_op ib_op_softmax = {
    .name = "softmax",
    .in_place = true,
    .shape = same_shape,
    .forward = softmax_forward,
    .backward = softmax_backward,
};

ib_node ib_graph_softmax(struct ib_graph *g, ib_node x)
{
    return ib_graph_add_unary(g, IB_OP_SOFTMAX, x, NULL, NULL);
}
