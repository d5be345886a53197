/*
 * Dense layer: y = x W^T + b. N rows, D inputs, K units, W: K x D.
 */
#include "kernel.h"
#include "pool.h"
#include "spectral.h"

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
    node->biases = node->config.no_bias ? 0 : (size_t)k;
    node->state = node->config.spectral ? ib_spectral_state(node) : 0;
    return NULL;
}

/* --- slices ---------------------------------------------------------------
 * Products are cut along one side into slices that threads share out: how they
 * are cut depends on the sizes alone. */

enum { SLICES = 8 };

/* Up to so many terms, the kernels' strips are faster than BLAS, which packs;
 * ALIASED inputs: see by_rows. */
enum { FEW_ROWS = 256, FEW_UNITS = 128, ALIASED = 512 };

/* Length of a slice of `whole`: no shorter than `least`, a multiple of 16. */
static size_t slice_of(size_t whole, size_t least)
{
    size_t each = (whole + SLICES - 1) / SLICES;
    each = each > least ? each : least;
    return (each + 15) / 16 * 16;
}

struct product {
    const struct ib_op_run *r;
    size_t whole, each; /* the side that is cut; a slice of it */
    bool rows;          /* forward: rows are cut, not units */
};

static int tasks_of(const struct product *p)
{
    return (int)((p->whole + p->each - 1) / p->each);
}

/* Where slice `task` begins; its length. */
static size_t slice(const struct product *p, int task, int *length)
{
    size_t from = (size_t)task * p->each;
    *length = (int)(p->whole - from < p->each ? p->whole - from : p->each);
    return from;
}

/* --- forward ------------------------------------------------------------- */

/* Few units, and no rows that lie a power of two apart, which share too few
 * sets of the cache. */
static bool by_rows(const struct ib_op_run *r)
{
    size_t d = ib_shape_size(r->in[0]);
    return r->node->shape.c <= IB_ROWS_UNITS && d % ALIASED != 0;
}

/* As many slices as the kernel has blocks of rows, of whole tiles. */
static size_t even_slice(size_t rows)
{
    size_t slices = (rows + IB_ROWS_BLOCK - 1) / IB_ROWS_BLOCK;
    size_t each = (rows + slices - 1) / slices;
    return (each + IB_ROWS_TILE - 1) / IB_ROWS_TILE * IB_ROWS_TILE;
}

static void rows_slice(void *ctx, int task, int thread)
{
    const struct product *p = ctx;
    const struct ib_op_run *r = p->r;
    size_t d = ib_shape_size(r->in[0]), k = (size_t)r->node->shape.c;
    int length;
    size_t at = slice(p, task, &length);
    (void)thread;
    ib_kernel_rows(
        &(struct ib_dense_rows){.x = r->x[0] + at * d,
                                .w = r->w,
                                .bias = r->node->biases > 0 ? r->b : NULL,
                                .x_row = d,
                                .w_row = d,
                                .y_row = k,
                                .rows = (size_t)length,
                                .units = k,
                                .inputs = d,
                                .y = r->y + at * k});
}

static void forward_slice(void *ctx, int task, int thread)
{
    const struct product *p = ctx;
    const struct ib_op_run *r = p->r;
    int d = (int)ib_shape_size(r->in[0]), k = r->node->shape.c, length;
    size_t at = slice(p, task, &length);
    size_t row = p->rows ? at : 0, unit = p->rows ? 0 : at;
    size_t n = p->rows ? (size_t)length : r->n;
    size_t units = p->rows ? (size_t)k : (size_t)length;
    ib_real *y = r->y + row * (size_t)k + unit;
    bool bias = r->node->biases > 0;
    (void)thread;
    for (size_t i = 0; i < n && bias; i++)
        memcpy(y + i * (size_t)k, r->b + unit, units * sizeof *y);
    ib_sgemm(y, r->x[0] + row * (size_t)d, r->w + unit * (size_t)d,
             &(struct ib_gemm){.tb = true,
                               .m = (int)n,
                               .n = (int)units,
                               .k = d,
                               .alpha = 1,
                               .beta = bias ? 1 : 0,
                               .lda = d,
                               .ldb = d,
                               .ldc = k});
}

static void forward(const struct ib_op_run *r)
{
    size_t k = (size_t)r->node->shape.c;
    struct product p = {r, k, slice_of(k, 64), k < 128};
    if (by_rows(r)) {
        p = (struct product){r, r->n, even_slice(r->n), true};
        ib_pool_run(r->pool, tasks_of(&p), rows_slice, &p);
        return;
    }
    if (p.rows) {
        p.whole = r->n;
        p.each = slice_of(r->n, 32);
    }
    ib_pool_run(r->pool, tasks_of(&p), forward_slice, &p);
}

/* --- backward ------------------------------------------------------------ */

static void weight_strips(void *ctx, int task, int thread)
{
    const struct product *p = ctx;
    const struct ib_op_run *r = p->r;
    size_t d = ib_shape_size(r->in[0]), k = (size_t)r->node->shape.c;
    int length;
    size_t at = slice(p, task, &length);
    (void)thread;
    ib_kernel_strips(&(struct ib_dense_strips){.a = r->dy,
                                               .x = r->x[0] + at,
                                               .a_row = k,
                                               .a_step = 1,
                                               .x_row = d,
                                               .out_row = d,
                                               .rows = k,
                                               .terms = r->n,
                                               .width = (size_t)length,
                                               .out = r->dw + at,
                                               .keep = r->keep});
}

static void input_strips(void *ctx, int task, int thread)
{
    const struct product *p = ctx;
    const struct ib_op_run *r = p->r;
    size_t d = ib_shape_size(r->in[0]), k = (size_t)r->node->shape.c;
    int length;
    size_t at = slice(p, task, &length);
    (void)thread;
    ib_kernel_strips(&(struct ib_dense_strips){.a = r->dy,
                                               .x = r->w + at,
                                               .a_row = 1,
                                               .a_step = k,
                                               .x_row = d,
                                               .out_row = d,
                                               .rows = r->n,
                                               .terms = k,
                                               .width = (size_t)length,
                                               .out = r->dx[0] + at,
                                               .keep = r->add[0] ? 1 : 0});
}

static void weight_slice(void *ctx, int task, int thread)
{
    const struct product *p = ctx;
    const struct ib_op_run *r = p->r;
    int d = (int)ib_shape_size(r->in[0]), k = r->node->shape.c, length;
    size_t at = slice(p, task, &length);
    (void)thread;
    ib_sgemm(r->dw + at, r->dy, r->x[0] + at,
             &(struct ib_gemm){.ta = true,
                               .m = k,
                               .n = length,
                               .k = (int)r->n,
                               .alpha = 1,
                               .beta = r->keep,
                               .lda = k,
                               .ldb = d,
                               .ldc = d});
}

static void input_slice(void *ctx, int task, int thread)
{
    const struct product *p = ctx;
    const struct ib_op_run *r = p->r;
    int d = (int)ib_shape_size(r->in[0]), k = r->node->shape.c, length;
    size_t at = slice(p, task, &length);
    (void)thread;
    ib_sgemm(r->dx[0] + at, r->dy, r->w + at,
             &(struct ib_gemm){.m = (int)r->n,
                               .n = length,
                               .k = k,
                               .alpha = 1,
                               .beta = r->add[0] ? 1 : 0,
                               .lda = k,
                               .ldb = d,
                               .ldc = d});
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
    size_t d = ib_shape_size(r->in[0]);
    struct product p = {r, d, slice_of(d, 512), false};
    if (r->dw) {
        ib_pool_run(r->pool, tasks_of(&p),
                    r->n <= FEW_ROWS ? weight_strips : weight_slice, &p);
        bias_gradient(r, r->node->biases);
    }
    if (r->dx[0])
        ib_pool_run(r->pool, tasks_of(&p),
                    r->node->shape.c <= FEW_UNITS ? input_strips : input_slice,
                    &p);
}

/* |dy x^T|^2 = |dy|^2 |x|^2 (Goodfellow, arXiv:1510.01799, section 3). */
static void norms(const struct ib_op_run *r, double *norm2)
{
    size_t d = ib_shape_size(r->in[0]), k = (size_t)r->node->shape.c;
    double bias = r->node->biases > 0 ? 1 : 0;
    for (size_t i = 0; i < r->n; i++) {
        const ib_real *x = r->x[0] + i * d, *dy = r->dy + i * k;
        norm2[i] += ib_dot(k, dy, dy) * (ib_dot(d, x, x) + bias);
    }
}

const struct ib_op ib_op_dense = {
    .name = "dense",
    .whole = true,
    .shape = shape,
    .forward = forward,
    .backward = backward,
    .norms = norms,
};

ib_node ib_graph_dense_with(struct ib_graph *g, ib_node x,
                            struct ib_dense dense, const char *name)
{
    const struct ib_op_config c = {.channels = dense.units,
                                   .no_bias = dense.no_bias,
                                   .spectral = dense.spectral};
    return ib_graph_add_unary(g, IB_OP_DENSE, x, &c, name);
}

ib_node ib_graph_dense(struct ib_graph *g, ib_node x, int units,
                       const char *name)
{
    return ib_graph_dense_with(g, x, (struct ib_dense){.units = units}, name);
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
