/*
 * a + b, a - b, a * b. y has a's shape; b has it too, or is stretched over the
 * sides where it has 1.
 */
#include "put.h"

#include <invbench/math.h>

/* How b lies along a row of a: `outer` spans of `inner` values; within a span
 * b is one number or as many, from span to span it moves on by step. */
struct fit {
    size_t outer, inner, step;
    bool one;
};

static bool fit_of(struct ib_shape a, struct ib_shape b, struct fit *f)
{
    size_t all = ib_shape_size(a), plane = (size_t)a.h * (size_t)a.w;
    bool pixel = b.h == 1 && b.w == 1;
    if (ib_shape_equal(a, b))
        *f = (struct fit){1, all, 0, false};
    else if (pixel && b.c == 1)
        *f = (struct fit){1, all, 0, true};
    else if (pixel && b.c == a.c)
        *f = (struct fit){(size_t)a.c, plane, 1, true};
    else if (b.c == 1 && b.h == a.h && b.w == a.w)
        *f = (struct fit){(size_t)a.c, plane, 0, false};
    else
        return false;
    return true;
}

static const char *shape(struct ib_graph_node *node, const struct ib_shape *in)
{
    struct fit f;
    node->shape = in[0];
    node->misfit = 1;
    return fit_of(in[0], in[1], &f)
               ? NULL
               : "the second node needs the first one's shape, or one value a "
                 "channel, or one plane, or one value";
}

/* --- forward ------------------------------------------------------------- */

typedef void (*span_op)(size_t n, const ib_real *a, const ib_real *b, bool one,
                        ib_real *y);

#define SPAN(name, op)                                                         \
    static void name(size_t n, const ib_real *a, const ib_real *b, bool one,   \
                     ib_real *restrict y)                                      \
    {                                                                          \
        ib_real same = *b;                                                     \
        if (one)                                                               \
            for (size_t i = 0; i < n; i++)                                     \
                y[i] = a[i] op same;                                           \
        else                                                                   \
            for (size_t i = 0; i < n; i++)                                     \
                y[i] = a[i] op b[i];                                           \
    }

SPAN(plus_span, +)
SPAN(minus_span, -)
SPAN(times_span, *)

static void forward(const struct ib_op_run *r, span_op op)
{
    struct fit f;
    (void)fit_of(r->in[0], r->in[1], &f);
    const ib_real *a = r->x[0];
    ib_real *y = r->y;
    for (size_t i = 0; i < r->n; i++) {
        const ib_real *b = r->x[1] + i * ib_shape_size(r->in[1]);
        for (size_t o = 0; o < f.outer; o++) {
            op(f.inner, a, b, f.one, y);
            a += f.inner;
            y += f.inner;
            b += f.step;
        }
    }
}

static void plus_forward(const struct ib_op_run *r)
{
    forward(r, plus_span);
}

static void minus_forward(const struct ib_op_run *r)
{
    forward(r, minus_span);
}

static void times_forward(const struct ib_op_run *r)
{
    forward(r, times_span);
}

/* --- backward ------------------------------------------------------------ */

/* db of one span, where d y[i] / d b = s a[i], or s if a is NULL. */
static void span_gradient(const struct fit *f, ib_real s, const ib_real *a,
                          const ib_real *dy, ib_real *db, bool add)
{
    if (f->one) {
        double sum = a ? ib_dot(f->inner, a, dy) : ib_sum(f->inner, dy);
        ib_put_one(1, s * (ib_real)sum, db, add);
    } else if (a) {
        ib_put_product(f->inner, a, dy, db, add);
    } else if (s < 0) {
        ib_put_scaled(f->inner, s, dy, db, add);
    } else {
        ib_put(f->inner, dy, db, add);
    }
}

static void second_gradient(const struct ib_op_run *r, ib_real s, bool times)
{
    struct fit f;
    (void)fit_of(r->in[0], r->in[1], &f);
    const ib_real *a = times ? r->x[0] : NULL, *dy = r->dy;
    if (!r->dx[1])
        return;
    for (size_t i = 0; i < r->n; i++) {
        ib_real *db = r->dx[1] + i * ib_shape_size(r->in[1]);
        for (size_t o = 0; o < f.outer; o++) {
            bool add = r->add[1] || (o > 0 && f.step == 0);
            span_gradient(&f, s, a, dy, db, add);
            a = a ? a + f.inner : NULL;
            dy += f.inner;
            db += f.step;
        }
    }
}

/* da first: where a and b are one node, db is added to it. */
static void sum_backward(const struct ib_op_run *r, ib_real s)
{
    if (r->dx[0])
        ib_put(r->n * ib_shape_size(r->in[0]), r->dy, r->dx[0], r->add[0]);
    second_gradient(r, s, false);
}

static void plus_backward(const struct ib_op_run *r)
{
    sum_backward(r, 1);
}

static void minus_backward(const struct ib_op_run *r)
{
    sum_backward(r, -1);
}

/* Both of equal shape: dx[0] may be dy, and dx[1] may be dx[0]. */
static void product_backward(const struct ib_op_run *r)
{
    size_t n = r->n * ib_shape_size(r->in[0]);
    ib_real dy[IB_CHUNK];
    for (size_t at = 0; at < n; at += IB_CHUNK) {
        size_t m = ib_chunk(n, at);
        memcpy(dy, r->dy + at, m * sizeof *dy);
        for (int k = 0; k < 2; k++)
            if (r->dx[k])
                ib_put_product(m, dy, r->x[1 - k] + at, r->dx[k] + at,
                               r->add[k]);
    }
}

static void times_backward(const struct ib_op_run *r)
{
    struct fit f;
    if (ib_shape_equal(r->in[0], r->in[1])) {
        product_backward(r);
        return;
    }
    second_gradient(r, 1, true);
    if (!r->dx[0])
        return;
    (void)fit_of(r->in[0], r->in[1], &f);
    const ib_real *dy = r->dy;
    ib_real *da = r->dx[0];
    for (size_t i = 0; i < r->n; i++) {
        const ib_real *b = r->x[1] + i * ib_shape_size(r->in[1]);
        for (size_t o = 0; o < f.outer; o++) {
            if (f.one)
                ib_put_scaled(f.inner, *b, dy, da, r->add[0]);
            else
                ib_put_product(f.inner, b, dy, da, r->add[0]);
            dy += f.inner;
            da += f.inner;
            b += f.step;
        }
    }
}

#define ARITH(op)                                                              \
    {                                                                          \
        .name = #op, .in_place = true, .passes = true, .shape = shape,         \
        .forward = op##_forward, .backward = op##_backward                     \
    }

const struct ib_op ib_op_plus = ARITH(plus);
const struct ib_op ib_op_minus = ARITH(minus);
const struct ib_op ib_op_times = ARITH(times);

static ib_node binary(struct ib_graph *g, enum ib_op_id op, ib_node a,
                      ib_node b)
{
    struct ib_graph_node node = {.op = op, .n_inputs = 2, .input = {a, b}};
    return ib_graph_add(g, &node, NULL);
}

ib_node ib_graph_plus(struct ib_graph *g, ib_node a, ib_node b)
{
    return binary(g, IB_OP_PLUS, a, b);
}

ib_node ib_graph_minus(struct ib_graph *g, ib_node a, ib_node b)
{
    return binary(g, IB_OP_MINUS, a, b);
}

ib_node ib_graph_times(struct ib_graph *g, ib_node a, ib_node b)
{
    return binary(g, IB_OP_TIMES, a, b);
}
