/*
 * Dense layer: y = x W^T + b. N rows, D inputs, K units, W: K x D.
 */
#include "node.h"

#include <invbench/math.h>
#include <limits.h>
#include <string.h>

static const char *shape(struct ib_graph_node *node, const struct ib_shape *in)
{
    size_t d = ib_shape_size(in[0]);
    int k = node->config.channels;
    node->shape = (struct ib_shape){k, 1, 1};
    if (k < 1)
        return "at least one unit is needed";
    if (!ib_size_mul((size_t)k, d, &node->weights))
        return "too many weights";
    node->biases = (size_t)k;
    return NULL;
}

static void forward(const struct ib_op_run *r)
{
    int d = (int)ib_shape_size(r->in[0]), k = r->node->shape.c;
    for (size_t i = 0; i < r->n; i++)
        memcpy(r->y + i * (size_t)k, r->b, (size_t)k * sizeof *r->y);
    ib_sgemm(r->y, r->x[0], r->w,
             &(struct ib_gemm){.tb = true,
                               .m = (int)r->n,
                               .n = k,
                               .k = d,
                               .alpha = 1,
                               .beta = 1,
                               .lda = d,
                               .ldb = d,
                               .ldc = k});
}

/* db[k] = sum over rows, in double. */
static void bias_gradient(const struct ib_op_run *r, size_t k)
{
    for (size_t j = 0; j < k; j++) {
        double s = r->keep != 0 ? (double)r->db[j] : 0;
        for (size_t i = 0; i < r->n; i++)
            s += (double)r->dy[i * k + j];
        r->db[j] = (ib_real)s;
    }
}

static void backward(const struct ib_op_run *r)
{
    int d = (int)ib_shape_size(r->in[0]), k = r->node->shape.c;
    int n = (int)r->n;
    if (r->dw) {
        ib_sgemm(r->dw, r->dy, r->x[0],
                 &(struct ib_gemm){.ta = true,
                                   .m = k,
                                   .n = d,
                                   .k = n,
                                   .alpha = 1,
                                   .beta = r->keep,
                                   .lda = k,
                                   .ldb = d,
                                   .ldc = d});
        bias_gradient(r, (size_t)k);
    }
    if (r->dx[0])
        ib_sgemm(r->dx[0], r->dy, r->w,
                 &(struct ib_gemm){.m = n,
                                   .n = d,
                                   .k = k,
                                   .alpha = 1,
                                   .beta = r->add[0] ? 1 : 0,
                                   .lda = k,
                                   .ldb = d,
                                   .ldc = d});
}

const struct ib_op ib_op_dense = {
    .name = "dense",
    .whole = true,
    .shape = shape,
    .forward = forward,
    .backward = backward,
};

ib_node ib_graph_dense(struct ib_graph *g, ib_node x, int units,
                       const char *name)
{
    const struct ib_op_config c = {.channels = units};
    return ib_graph_add_unary(g, IB_OP_DENSE, x, &c, name);
}

ib_node ib_graph_dense_shared(struct ib_graph *g, ib_node x, ib_node of,
                              const char *name)
{
    if (ib_graph_error(g))
        return IB_NONE;
    if (of < 0 || of >= g->n || g->node[of].op != IB_OP_DENSE)
        return ib_graph_fail(g, IB_E_INTERNAL,
                             "parameters are shared with no dense");
    ib_node y =
        ib_graph_add_unary(g, IB_OP_DENSE, x, &g->node[of].config, name);
    if (y == IB_NONE)
        return y;
    if (g->node[y].weights != g->node[of].weights)
        return ib_graph_misfit(g, &g->node[y],
                               "the shared weights are of another length");
    ib_graph_share(g, y, of);
    return y;
}
