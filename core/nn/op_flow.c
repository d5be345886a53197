/*
 * Invertible 1x1 convolution (Kingma, Dhariwal, NeurIPS 2018, section 3.2):
 * y = W x at each pixel, W: C x C, initially a random orthogonal matrix. Three
 * ops read one W: the convolution, its inverse x = W^-1 y, and the
 * log-determinant H W log |det W| (eq. 10), the same number for every row.
 *
 * A singular W gives NaN where W^-1 or the log-determinant is needed, so that
 * training stops there.
 */
#include "linear.h"

#include "node.h"

#include <invbench/math.h>
#include <math.h>
#include <string.h>

static size_t channels_of(const struct ib_graph_node *node)
{
    return (size_t)node->config.channels;
}

static int pixels_of(const struct ib_graph_node *node)
{
    return node->config.h * node->config.w;
}

static const char *square(struct ib_graph_node *node)
{
    size_t c = channels_of(node);
    return ib_size_mul(c, c, &node->weights) ? NULL : "too many weights";
}

static const char *shape(struct ib_graph_node *node, const struct ib_shape *in)
{
    node->shape = in[0];
    node->config.channels = in[0].c;
    node->config.h = in[0].h;
    node->config.w = in[0].w;
    return square(node);
}

static void init(const struct ib_graph_node *node, ib_real *w, ib_real *state,
                 struct ib_rng *rng)
{
    (void)state;
    ib_rng_fill_normal(rng, w, node->weights, 1);
    ib_orthonormalise(channels_of(node), w);
}

/* --- W^-1 ------------------------------------------------------------------
 */

/* Shared memory: a factored copy of W, the log-determinant, a column of W^-1,
 * all in double; then W^-1. */
static size_t shared(const struct ib_graph_node *node,
                     const struct ib_shape *in)
{
    size_t c = channels_of(node);
    size_t wide = sizeof(double) / sizeof(ib_real);
    (void)in;
    return wide * (ib_lu_size(c) + 1 + c) + c * c;
}

static double *factors_of(const struct ib_op_run *r)
{
    return (double *)(void *)r->shared;
}

static double *logdet_of(const struct ib_op_run *r)
{
    return factors_of(r) + ib_lu_size(channels_of(r->node));
}

static ib_real *inverse_of(const struct ib_op_run *r)
{
    return (ib_real *)(void *)(logdet_of(r) + 1 + channels_of(r->node));
}

static void factor(const struct ib_op_run *r)
{
    double *a = factors_of(r);
    for (size_t i = 0; i < r->node->weights; i++)
        a[i] = (double)r->w[i];
    *logdet_of(r) = ib_lu_factor(channels_of(r->node), a);
}

static void invert(const struct ib_op_run *r)
{
    size_t c = channels_of(r->node);
    const double *a = factors_of(r);
    double *column = logdet_of(r) + 1;
    bool regular = isfinite(*logdet_of(r));
    ib_real *inverse = inverse_of(r);
    for (size_t j = 0; j < c; j++) {
        if (regular)
            ib_lu_inverse_column(c, a, j, column);
        for (size_t i = 0; i < c; i++)
            inverse[i * c + j] = regular ? (ib_real)column[i] : (ib_real)NAN;
    }
}

/* --- convolution, both ways --------------------------------------------------
 */

/* y = op(A) x of one row, or y += it. */
static void apply(const struct ib_op_run *r, const ib_real *a, bool transpose,
                  const ib_real *x, bool add, ib_real *y)
{
    int c = r->node->config.channels, pixels = pixels_of(r->node);
    ib_sgemm(y, a, x,
             &(struct ib_gemm){.ta = transpose,
                               .m = c,
                               .n = pixels,
                               .k = c,
                               .alpha = 1,
                               .beta = add ? 1 : 0,
                               .lda = c,
                               .ldb = pixels,
                               .ldc = pixels});
}

/* dw = beta dw + alpha a b^T, a and b: C x pixels. */
static void outer(const struct ib_op_run *r, ib_real alpha, const ib_real *a,
                  const ib_real *b, ib_real beta)
{
    int c = r->node->config.channels, pixels = pixels_of(r->node);
    ib_sgemm(r->dw, a, b,
             &(struct ib_gemm){.tb = true,
                               .m = c,
                               .n = c,
                               .k = pixels,
                               .alpha = alpha,
                               .beta = beta,
                               .lda = pixels,
                               .ldb = pixels,
                               .ldc = c});
}

static void forward_by(const struct ib_op_run *r, const ib_real *a)
{
    size_t d = ib_shape_size(r->node->shape);
    for (size_t i = 0; i < r->n; i++)
        apply(r, a, false, r->x[0] + i * d, false, r->y + i * d);
}

static void forward(const struct ib_op_run *r)
{
    forward_by(r, r->w);
}

static void backward(const struct ib_op_run *r)
{
    size_t d = ib_shape_size(r->node->shape);
    for (size_t i = 0; i < r->n; i++) {
        const ib_real *dy = r->dy + i * d;
        if (r->dw)
            outer(r, 1, dy, r->x[0] + i * d, i == 0 ? r->keep : 1);
        if (r->dx[0])
            apply(r, r->w, true, dy, r->add[0], r->dx[0] + i * d);
    }
}

static void inverse_prepare(const struct ib_op_run *r)
{
    factor(r);
    invert(r);
}

static size_t inverse_scratch(const struct ib_graph_node *node,
                              const struct ib_shape *in, size_t n)
{
    (void)n;
    (void)node;
    return ib_shape_size(in[0]);
}

static void inverse_forward(const struct ib_op_run *r)
{
    forward_by(r, inverse_of(r));
}

/* With V = W^-1, y = V x and dV = -V dW V: dW = -(V^T dy) y^T. */
static void inverse_backward(const struct ib_op_run *r)
{
    size_t d = ib_shape_size(r->node->shape);
    for (size_t i = 0; i < r->n; i++) {
        ib_real *back = r->scratch;
        apply(r, inverse_of(r), true, r->dy + i * d, false, back);
        if (r->dw)
            outer(r, -1, back, r->y + i * d, i == 0 ? r->keep : 1);
        if (!r->dx[0])
            continue;
        ib_real *dx = r->dx[0] + i * d;
        if (r->add[0])
            ib_axpy(d, 1, back, dx);
        else
            memcpy(dx, back, d * sizeof *dx);
    }
}

/* --- log-determinant
 * ---------------------------------------------------------- */

static const char *logdet_shape(struct ib_graph_node *node,
                                const struct ib_shape *in)
{
    (void)in;
    node->shape = (struct ib_shape){1, 1, 1};
    return square(node);
}

static void logdet_forward(const struct ib_op_run *r)
{
    for (size_t i = 0; i < r->n; i++)
        r->y[i] = (ib_real)(*logdet_of(r) * pixels_of(r->node));
}

static void logdet_prepare_backward(const struct ib_op_run *r)
{
    if (r->dw)
        invert(r);
}

/* d log |det W| / d W = W^-T */
static void logdet_backward(const struct ib_op_run *r)
{
    size_t c = channels_of(r->node);
    const ib_real *inverse = inverse_of(r);
    ib_real scale = (ib_real)(ib_sum(r->n, r->dy) * pixels_of(r->node));
    for (size_t i = 0; i < c; i++)
        for (size_t j = 0; j < c; j++) {
            ib_real *dw = r->dw + i * c + j;
            *dw = ib_fma(scale, inverse[j * c + i], r->keep != 0 ? *dw : 0);
        }
}

const struct ib_op ib_op_invconv = {
    .name = "invconv",
    .shape = shape,
    .init = init,
    .forward = forward,
    .backward = backward,
};

const struct ib_op ib_op_invconv_inverse = {
    .name = "invconv_inverse",
    .shape = shape,
    .shared = shared,
    .scratch = inverse_scratch,
    .prepare = inverse_prepare,
    .forward = inverse_forward,
    .backward = inverse_backward,
};

const struct ib_op ib_op_logdet = {
    .name = "logdet",
    .shape = logdet_shape,
    .shared = shared,
    .prepare = factor,
    .prepare_backward = logdet_prepare_backward,
    .forward = logdet_forward,
    .backward = logdet_backward,
};

/* --- builders
 * ------------------------------------------------------------------ */

ib_node ib_graph_invconv(struct ib_graph *g, ib_node x, const char *name)
{
    return ib_graph_add_unary(g, IB_OP_INVCONV, x, NULL, name);
}

static bool is_invconv(struct ib_graph *g, ib_node of)
{
    if (ib_graph_error(g))
        return false;
    if (of >= 0 && of < g->n && g->node[of].op == IB_OP_INVCONV)
        return true;
    (void)ib_graph_fail(g, IB_E_INTERNAL,
                        "parameters are shared with no invertible convolution");
    return false;
}

ib_node ib_graph_invconv_inverse(struct ib_graph *g, ib_node y, ib_node of,
                                 const char *name)
{
    if (!is_invconv(g, of))
        return IB_NONE;
    ib_node x = ib_graph_add_unary(g, IB_OP_INVCONV_INVERSE, y, NULL, name);
    if (x == IB_NONE)
        return x;
    if (g->node[x].weights != g->node[of].weights)
        return ib_graph_misfit(g, &g->node[x],
                               "the shared weights are of another size");
    ib_graph_share(g, x, of);
    return x;
}

ib_node ib_graph_invconv_logdet(struct ib_graph *g, ib_node of,
                                const char *name)
{
    if (!is_invconv(g, of))
        return IB_NONE;
    struct ib_graph_node node = {.op = IB_OP_LOGDET,
                                 .config = g->node[of].config};
    ib_node y = ib_graph_add(g, &node, name);
    if (y != IB_NONE)
        ib_graph_share(g, y, of);
    return y;
}
