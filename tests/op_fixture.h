/*
 * Ops against naive twins in double: the forward pass directly, the backward
 * pass against finite differences of the twin. A test program has a table of
 * layers and runs the checks on it.
 */
#ifndef INVBENCH_TESTS_OP_FIXTURE_H
#define INVBENCH_TESTS_OP_FIXTURE_H

#include "cmocka_all.h"
#include "node.h"

#include <invbench/math.h>
#include <invbench/ops.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MANY = 4096, ROWS = 3 };

/* One layer under test: a graph of one op with its twin, which computes one
 * row. Values of several inputs stand one after the other in x. */
struct layer {
    const char *name;
    struct ib_shape in;
    struct ib_conv conv; /* channels: units; kernel: pool size */
    double a, b;         /* affine, dropout */
    /* x: the first input; the others are x + 1 ... */
    ib_node (*add)(struct ib_graph *g, ib_node x, const struct layer *l);
    void (*twin)(const struct layer *l, struct ib_shape out, const double *x,
                 const double *w, double *y);
    struct ib_shape more[IB_OP_INPUTS - 1]; /* inputs beyond the first */
    bool positive;                          /* inputs are made so */
};

/* Of the layer's input k; a channel count of 0: there is none. */
static inline struct ib_shape layer_input(const struct layer *l, int k)
{
    return k == 0 ? l->in : l->more[k - 1];
}

static inline int layer_inputs(const struct layer *l)
{
    int n = 1;
    while (n < IB_OP_INPUTS && l->more[n - 1].c > 0)
        n++;
    return n;
}

/* Where input k starts in a twin's x; for k = all inputs: how long x is. */
static inline size_t layer_offset(const struct layer *l, int k)
{
    size_t d = 0;
    for (int i = 0; i < k; i++)
        d += ib_shape_size(layer_input(l, i));
    return d;
}

struct bench {
    const struct layer *l;
    struct ib_net *net;
    ib_node y; /* inputs are nodes 0 ... */
    struct ib_shape out;
    size_t d, k, p; /* sizes of all inputs and out, parameters */
    double px[MANY], pw[MANY], py[MANY];
    float dy[MANY], dx[MANY];
};

static inline void bench_fill(float *x, size_t n, const char *name)
{
    struct ib_rng r = ib_rng_stream(5, "test", 0, name);
    ib_rng_fill_normal(&r, x, n, 1);
}

/* What the net's inputs hold, as rows of the twin's x, and back. */
static inline void bench_gather(struct bench *b, bool gradients, float *x)
{
    for (int k = 0; k < layer_inputs(b->l); k++) {
        size_t d = ib_shape_size(layer_input(b->l, k));
        const float *in =
            gradients ? ib_net_gradient(b->net, k) : ib_net_value(b->net, k);
        for (size_t r = 0; r < ROWS; r++)
            memcpy(x + r * b->d + layer_offset(b->l, k), in + r * d,
                   d * sizeof *x);
    }
}

static inline void bench_fill_inputs(struct bench *b)
{
    const char *name[IB_OP_INPUTS] = {"x", "x1", "x2", "x3"};
    for (int k = 0; k < layer_inputs(b->l); k++) {
        size_t n = ROWS * ib_shape_size(layer_input(b->l, k));
        float *x = ib_net_value(b->net, k);
        bench_fill(x, n, name[k]);
        for (size_t i = 0; i < n && b->l->positive; i++)
            x[i] = fabsf(x[i]) + 0.1f;
    }
    bench_gather(b, false, b->dx);
    for (size_t i = 0; i < ROWS * b->d; i++)
        b->px[i] = (double)b->dx[i];
}

static inline void set_up(struct bench *b, const struct layer *l)
{
    struct ib_error err;
    struct ib_graph *g = ib_graph_create();
    assert_non_null(g);
    b->l = l;
    for (int k = 0; k < layer_inputs(l); k++)
        assert_int_equal(ib_graph_input(g, layer_input(l, k), NULL), k);
    b->y = l->add(g, 0, l);
    if (ib_graph_error(g))
        fail_msg("%s: %s", l->name, ib_graph_error(g)->text);
    b->out = ib_graph_shape(g, b->y);
    assert_int_equal(ib_net_create(&b->net, g, ROWS, &err), IB_OK);
    b->d = layer_offset(l, layer_inputs(l));
    b->k = ib_shape_size(b->out);
    b->p = ib_net_parameter_count(b->net);
    assert_true(ROWS * b->d <= MANY && ROWS * b->k <= MANY && b->p <= MANY);
    bench_fill_inputs(b);
    bench_fill(ib_net_parameters(b->net), b->p, "w");
    bench_fill(b->dy, ROWS * b->k, "dy");
    for (size_t i = 0; i < b->p; i++)
        b->pw[i] = (double)ib_net_parameters(b->net)[i];
}

/* sum dy * twin(x), which is what the engine's gradients belong to. */
static inline double twin_loss(struct bench *b)
{
    double s = 0;
    for (size_t r = 0; r < ROWS; r++) {
        b->l->twin(b->l, b->out, b->px + r * b->d, b->pw, b->py);
        for (size_t j = 0; j < b->k; j++)
            s += (double)b->dy[r * b->k + j] * b->py[j];
    }
    return s;
}

static inline struct ib_forward forward(struct bench *b)
{
    struct ib_forward f = {.n = ROWS, .from = IB_NONE, .to = b->y};
    ib_net_forward(b->net, &f);
    return f;
}

/* Gradients of the inputs are then in b->dx, laid out as b->px. */
static inline void backward(struct bench *b, int wrt)
{
    struct ib_forward f = forward(b);
    float *dy = ib_net_gradient(b->net, b->y);
    memcpy(dy, b->dy, ROWS * b->k * sizeof *dy);
    ib_net_backward(b->net, &f, wrt);
    if (wrt & IB_WRT_INPUT)
        bench_gather(b, true, b->dx);
}

static inline void check_forward(const struct layer *l)
{
    static struct bench b;
    set_up(&b, l);
    (void)forward(&b);
    for (size_t r = 0; r < ROWS; r++) {
        l->twin(b.l, b.out, b.px + r * b.d, b.pw, b.py);
        const float *y = ib_net_value(b.net, b.y) + r * b.k;
        for (size_t j = 0; j < b.k; j++)
            if (!(fabs((double)y[j] - b.py[j]) < 1e-5 * (1 + fabs(b.py[j]))))
                fail_msg("%s: row %zu value %zu: %g, not %g", l->name, r, j,
                         (double)y[j], b.py[j]);
    }
    ib_net_free(b.net);
}

static inline double bench_slope(struct bench *b, double *at)
{
    const double h = 1e-5, keep = *at;
    *at = keep + h;
    double up = twin_loss(b);
    *at = keep - h;
    double down = twin_loss(b);
    *at = keep;
    return (up - down) / (2 * h);
}

/* Norm of the difference over the norm of the gradient. */
static inline double distance(struct bench *b, const float *g, double *at,
                              size_t n)
{
    double wrong = 0, norm = 0;
    for (size_t i = 0; i < n; i++) {
        double want = bench_slope(b, &at[i]), e = (double)g[i] - want;
        wrong += e * e;
        norm += want * want;
    }
    assert_true(norm > 1e-6);
    return sqrt(wrong / norm);
}

static inline void check_gradients(const struct layer *l, int wrt)
{
    static struct bench b;
    set_up(&b, l);
    backward(&b, wrt);
    double e = 0;
    if (wrt & IB_WRT_INPUT)
        e = distance(&b, b.dx, b.px, ROWS * b.d);
    else if (b.p > 0)
        e = distance(&b, ib_net_parameter_gradients(b.net), b.pw, b.p);
    if (!(e < 1e-5))
        fail_msg("%s: gradient off by %g", l->name, e);
    ib_net_free(b.net);
}

/* The op alone, as it is called where its inputs have other readers. */
static inline struct ib_op_run bench_run(struct bench *b, int inputs, float *dx)
{
    static _Alignas(64) float scratch[8 * MANY], shared[8 * MANY];
    static uint32_t saved[4 * MANY];
    const struct ib_graph_node *node = &ib_net_graph(b->net)->node[b->y];
    const struct ib_op *op = ib_ops[node->op];
    assert_true(!op->scratch ||
                op->scratch(node, &b->l->in, ROWS) <= IB_COUNT(scratch));
    assert_true(!op->shared || op->shared(node, &b->l->in) <= IB_COUNT(shared));
    struct ib_op_run r = {.node = node,
                          .n = ROWS,
                          .y = ib_net_value(b->net, b->y),
                          .dy = b->dy,
                          .w = ib_net_parameters(b->net),
                          .b = ib_net_parameters(b->net) + node->weights,
                          .saved = saved,
                          .shared = shared,
                          .scratch = scratch};
    for (int k = 0; k < inputs; k++) {
        r.in[k] = layer_input(b->l, k);
        r.x[k] = ib_net_value(b->net, k);
        r.dx[k] = dx + ROWS * layer_offset(b->l, k);
        r.add[k] = true;
    }
    return r;
}

/* Ops that feed a node with several readers add to what is there. */
static inline void check_added(const struct layer *l)
{
    static struct bench b;
    static float dx[MANY];
    set_up(&b, l);
    struct ib_op_run r = bench_run(&b, layer_inputs(l), dx);
    const struct ib_op *op = ib_ops[r.node->op];
    for (size_t j = 0; j < ROWS * b.d; j++)
        dx[j] = 2;
    backward(&b, IB_WRT_INPUT);
    if (!op->alias) {
        if (op->prepare)
            op->prepare(&r);
        op->forward(&r);
        if (op->prepare_backward)
            op->prepare_backward(&r);
        op->backward(&r);
    }
    for (int k = 0; k < layer_inputs(l) && !op->alias; k++) {
        const float *want = ib_net_gradient(b.net, k);
        for (size_t j = 0; j < ROWS * ib_shape_size(r.in[k]); j++)
            if (!(fabsf(r.dx[k][j] - 2 - want[j]) < 2e-5f))
                fail_msg("%s: input %d, value %zu: %g + 2, not %g", l->name, k,
                         j, (double)want[j], (double)r.dx[k][j]);
    }
    ib_net_free(b.net);
}

/* The tests that every table of layers goes through. */
#define LAYER_TESTS(layers)                                                    \
    static void forward_equals_the_naive_twin(void **state)                    \
    {                                                                          \
        (void)state;                                                           \
        for (size_t i = 0; i < IB_COUNT(layers); i++)                          \
            check_forward(&(layers)[i]);                                       \
    }                                                                          \
    static void input_gradients_equal_finite_differences(void **state)         \
    {                                                                          \
        (void)state;                                                           \
        for (size_t i = 0; i < IB_COUNT(layers); i++)                          \
            check_gradients(&(layers)[i], IB_WRT_INPUT);                       \
    }                                                                          \
    static void input_gradients_are_added_where_told(void **state)             \
    {                                                                          \
        (void)state;                                                           \
        for (size_t i = 0; i < IB_COUNT(layers); i++)                          \
            check_added(&(layers)[i]);                                         \
    }

#define LAYER_UNIT_TESTS                                                       \
    cmocka_unit_test(forward_equals_the_naive_twin),                           \
        cmocka_unit_test(input_gradients_equal_finite_differences),            \
        cmocka_unit_test(input_gradients_are_added_where_told)

/* --- layers of one elementwise expression of i, x and l ------------------ */

#define ELEMENTWISE(op, call, expression)                                      \
    static ib_node add_##op(struct ib_graph *g, ib_node x,                     \
                            const struct layer *l)                             \
    {                                                                          \
        (void)l;                                                               \
        return call;                                                           \
    }                                                                          \
    static void twin_##op(const struct layer *l, struct ib_shape out,          \
                          const double *x, const double *w, double *y)         \
    {                                                                          \
        (void)w;                                                               \
        (void)l;                                                               \
        for (size_t i = 0; i < ib_shape_size(out); i++)                        \
            y[i] = expression;                                                 \
    }

#endif
