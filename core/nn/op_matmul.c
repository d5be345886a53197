/*
 * Matrix product of two activations: channel by channel of each row, planes
 * are matrices. C = op(A) op(B), A: M x K, B: K x N, C: M x N.
 */
#include "put.h"

#include <invbench/math.h>

static const char *shape(struct ib_graph_node *node, const struct ib_shape *in)
{
    const struct ib_op_config *c = &node->config;
    int m = c->ta ? in[0].w : in[0].h, inner = c->ta ? in[0].h : in[0].w;
    int n = c->tb ? in[1].h : in[1].w;
    node->shape = (struct ib_shape){in[0].c, m, n};
    node->misfit = 1;
    if (in[0].c != in[1].c)
        return "both need the same number of channels (matrices)";
    if (inner != (c->tb ? in[1].w : in[1].h))
        return "the inner sides of the product differ";
    return NULL;
}

/* One matrix of a node, as op() of what is stored. */
struct matrix {
    const ib_real *at;
    int width; /* of a stored line */
    bool t;
};

struct sides {
    int m, n, k;
};

static void product(ib_real *c, struct sides s, struct matrix a,
                    struct matrix b, bool add)
{
    ib_sgemm(c, a.at, b.at,
             &(struct ib_gemm){.ta = a.t,
                               .tb = b.t,
                               .m = s.m,
                               .n = s.n,
                               .k = s.k,
                               .alpha = 1,
                               .beta = add ? 1 : 0,
                               .lda = a.width,
                               .ldb = b.width,
                               .ldc = s.n});
}

/* Matrix i of all rows' channels of input k, or of the output's gradient. */
static struct matrix operand(const struct ib_op_run *r, int k, size_t i, bool t)
{
    struct ib_shape s = r->in[k];
    return (struct matrix){r->x[k] + i * (size_t)s.h * (size_t)s.w, s.w, t};
}

static struct matrix gradient(const struct ib_op_run *r, size_t i, bool t)
{
    struct ib_shape s = r->node->shape;
    return (struct matrix){r->dy + i * (size_t)s.h * (size_t)s.w, s.w, t};
}

static void forward(const struct ib_op_run *r)
{
    const struct ib_op_config *c = &r->node->config;
    struct ib_shape out = r->node->shape;
    int inner = c->ta ? r->in[0].h : r->in[0].w;
    for (size_t i = 0; i < r->n * (size_t)out.c; i++)
        product(r->y + i * (size_t)out.h * (size_t)out.w,
                (struct sides){out.h, out.w, inner}, operand(r, 0, i, c->ta),
                operand(r, 1, i, c->tb), false);
}

/* d op(A) = dC op(B)^T, and the transpose of that where A is stored so. */
static void first_gradient(const struct ib_op_run *r, size_t i)
{
    const struct ib_op_config *c = &r->node->config;
    struct ib_shape a = r->in[0], out = r->node->shape;
    struct sides s = {a.h, a.w, out.w};
    ib_real *da = r->dx[0] + i * (size_t)a.h * (size_t)a.w;
    if (c->ta)
        product(da, s, operand(r, 1, i, c->tb), gradient(r, i, true),
                r->add[0]);
    else
        product(da, s, gradient(r, i, false), operand(r, 1, i, !c->tb),
                r->add[0]);
}

/* d op(B) = op(A)^T dC */
static void second_gradient(const struct ib_op_run *r, size_t i)
{
    const struct ib_op_config *c = &r->node->config;
    struct ib_shape b = r->in[1];
    struct sides s = {b.h, b.w, r->node->shape.h};
    ib_real *db = r->dx[1] + i * (size_t)b.h * (size_t)b.w;
    if (c->tb)
        product(db, s, gradient(r, i, true), operand(r, 0, i, c->ta),
                r->add[1]);
    else
        product(db, s, operand(r, 0, i, !c->ta), gradient(r, i, false),
                r->add[1]);
}

static void backward(const struct ib_op_run *r)
{
    size_t matrices = r->n * (size_t)r->node->shape.c;
    for (size_t i = 0; i < matrices; i++) {
        if (r->dx[0])
            first_gradient(r, i);
        if (r->dx[1])
            second_gradient(r, i);
    }
}

const struct ib_op ib_op_matmul = {
    .name = "matmul",
    .shape = shape,
    .forward = forward,
    .backward = backward,
};

ib_node ib_graph_matmul(struct ib_graph *g, ib_node a, ib_node b, bool ta,
                        bool tb)
{
    struct ib_graph_node node = {.op = IB_OP_MATMUL,
                                 .config = {.ta = ta, .tb = tb},
                                 .n_inputs = 2,
                                 .input = {a, b}};
    return ib_graph_add(g, &node, NULL);
}
