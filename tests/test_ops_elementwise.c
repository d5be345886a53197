/*
 * Elementwise ops, softmax and dropout against naive twins, and at the ends of
 * their ranges.
 */
#include "op_fixture.h"

ELEMENTWISE(relu, ib_graph_relu(g, x), x[i] > 0 ? x[i] : 0)
ELEMENTWISE(leaky, ib_graph_leaky_relu(g, x, l->a),
            x[i] > 0 ? x[i] : l->a * x[i])
ELEMENTWISE(sigmoid, ib_graph_sigmoid(g, x), 1 / (1 + exp(-x[i])))
ELEMENTWISE(tanh, ib_graph_tanh(g, x), tanh(x[i]))
ELEMENTWISE(softplus, ib_graph_softplus(g, x), log1p(exp(x[i])))
ELEMENTWISE(silu, ib_graph_silu(g, x), x[i] / (1 + exp(-x[i])))
ELEMENTWISE(exp, ib_graph_exp(g, x), exp(x[i]))
ELEMENTWISE(log, ib_graph_log(g, x), log(x[i]))
ELEMENTWISE(affine, ib_graph_affine(g, x, l->a, l->b), l->a *x[i] + l->b)
ELEMENTWISE(dropout, ib_graph_dropout(g, x, l->a), x[i])

static ib_node add_softmax(struct ib_graph *g, ib_node x, const struct layer *l)
{
    return l->a > 0 ? ib_graph_log_softmax(g, x) : ib_graph_softmax(g, x);
}

static void twin_softmax(const struct layer *l, struct ib_shape out,
                         const double *x, const double *w, double *y)
{
    (void)w;
    double s = 0;
    for (size_t i = 0; i < ib_shape_size(out); i++)
        s += y[i] = exp(x[i]);
    for (size_t i = 0; i < ib_shape_size(out); i++)
        y[i] = l->a > 0 ? log(y[i] / s) : y[i] / s;
}

/* Where value i of a row of the first input meets the second. */
static size_t beside(const struct layer *l, size_t i)
{
    struct ib_shape a = l->in, b = l->more[0];
    size_t plane = (size_t)a.h * (size_t)a.w;
    size_t c = b.c > 1 ? i / plane : 0;
    size_t at = b.h * b.w > 1 ? i % plane : 0;
    return ib_shape_size(a) + c * (size_t)b.h * (size_t)b.w + at;
}

ELEMENTWISE(plus, ib_graph_plus(g, x, x + 1), x[i] + x[beside(l, i)])
ELEMENTWISE(minus, ib_graph_minus(g, x, x + 1), x[i] - x[beside(l, i)])
ELEMENTWISE(times, ib_graph_times(g, x, x + 1), x[i] * x[beside(l, i)])

#define ROW(op, ...)                                                           \
    {                                                                          \
        .name = #op, .add = add_##op, .twin = twin_##op, __VA_ARGS__           \
    }
#define ON .in = {3, 9, 10}
#define ARITH(op)                                                              \
    ROW(op, ON, .more = {{3, 9, 10}}), ROW(op, ON, .more = {{3, 1, 1}}),       \
        ROW(op, ON, .more = {{1, 9, 10}}), ROW(op, ON, .more = {{1, 1, 1}}),   \
        ROW(op, .in = {1, 1, 1}, .more = {{1, 1, 1}}),                         \
        ROW(op, .in = {5, 1, 1}, .more = {{1, 1, 1}})

static const struct layer layers[] = {
    ROW(relu, ON),
    ROW(leaky, ON, .a = 0.2),
    ROW(leaky, ON, .a = -0.5),
    ROW(sigmoid, ON),
    ROW(tanh, ON),
    ROW(softplus, ON),
    ROW(silu, ON),
    ROW(exp, ON),
    ROW(log, ON, .positive = true),
    ROW(affine, ON, .a = -2.5, .b = 0.75),
    ROW(dropout, ON, .a = 0.5),
    ROW(softmax, .in = {7, 1, 1}),
    ROW(softmax, .in = {1, 30, 10}, .a = 1),
    ROW(softmax, .in = {7, 1, 1}, .a = 1),
    ARITH(plus),
    ARITH(minus),
    ARITH(times),
};

LAYER_TESTS(layers)

/* y of one op on the values of x, as one row. */
static void apply(ib_node (*op)(struct ib_graph *g, ib_node x), size_t n,
                  const float *x, float *y, float *dx)
{
    struct ib_error err;
    struct ib_net *net;
    struct ib_graph *g = ib_graph_create();
    ib_node in = ib_graph_input(g, (struct ib_shape){(int)n, 1, 1}, "x");
    ib_node out = op(g, in);
    assert_int_equal(ib_net_create(&net, g, 1, &err), IB_OK);
    memcpy(ib_net_value(net, in), x, n * sizeof *x);
    struct ib_forward f = {.n = 1, .from = IB_NONE, .to = out};
    ib_net_forward(net, &f);
    memcpy(y, ib_net_value(net, out), n * sizeof *y);
    for (size_t i = 0; i < n; i++)
        ib_net_gradient(net, out)[i] = 1;
    ib_net_backward(net, &f, IB_WRT_INPUT);
    memcpy(dx, ib_net_gradient(net, in), n * sizeof *dx);
    ib_net_free(net);
}

static void softplus_is_accurate_at_both_ends(void **state)
{
    (void)state;
    enum { N = 600 };
    float x[N], y[N], dx[N];
    for (int i = 0; i < N; i++)
        x[i] = -60 + 0.2f * (float)i;
    x[0] = -INFINITY;
    x[1] = 3e38f;
    apply(ib_graph_softplus, N, x, y, dx);
    assert_true(y[0] == 0 && y[1] == 3e38f && dx[0] == 0 && dx[1] == 1);
    for (int i = 2; i < N; i++) {
        double want = x[i] > 0 ? (double)x[i] + log1p(exp(-(double)x[i]))
                               : log1p(exp((double)x[i]));
        double slope = 1 / (1 + exp(-(double)x[i]));
        assert_true(fabs((double)y[i] - want) <= 4e-7 * want);
        assert_true(fabs((double)dx[i] - slope) <= 4e-7 * slope);
    }
}

static void log_softmax_of_large_values_does_not_overflow(void **state)
{
    (void)state;
    float x[4] = {1000, 999, -1000, 0}, y[4], dx[4];
    apply(ib_graph_log_softmax, 4, x, y, dx);
    double norm = log(1 + exp(-1));
    assert_true(fabs((double)y[0] + norm) < 1e-6);
    assert_true(fabs((double)y[1] + 1 + norm) < 1e-6);
    assert_true(y[2] == -2000 - (float)norm);
    assert_true(isfinite(dx[0]) && isfinite(dx[2]));
}

static ib_node leaky(struct ib_graph *g, ib_node x)
{
    return ib_graph_leaky_relu(g, x, 0.1);
}

static ib_node scaled(struct ib_graph *g, ib_node x)
{
    return ib_graph_affine(g, x, 0, 1);
}

static ib_node squared(struct ib_graph *g, ib_node x)
{
    return ib_graph_times(g, x, x);
}

static ib_node doubled(struct ib_graph *g, ib_node x)
{
    return ib_graph_plus(g, x, x);
}

/* A layer that has diverged is to be seen. */
static void nan_stays_nan(void **state)
{
    (void)state;
    ib_node (*const ops[])(struct ib_graph *, ib_node) = {ib_graph_relu,
                                                          leaky,
                                                          ib_graph_sigmoid,
                                                          ib_graph_tanh,
                                                          scaled,
                                                          ib_graph_exp,
                                                          ib_graph_log,
                                                          ib_graph_softplus,
                                                          ib_graph_silu,
                                                          ib_graph_softmax,
                                                          ib_graph_log_softmax,
                                                          squared,
                                                          doubled};
    float x[70], y[70], dx[70];
    for (size_t i = 0; i < 70; i++)
        x[i] = (float)i + 0.5f;
    x[3] = x[69] = NAN;
    for (size_t i = 0; i < IB_COUNT(ops); i++) {
        apply(ops[i], 70, x, y, dx);
        assert_true(isnan(y[3]) && isnan(y[69]));
    }
}

/* x * x and x + x: one node that is both inputs. */
static void one_node_may_be_both_inputs(void **state)
{
    (void)state;
    float x[3] = {1.5f, -2, 0}, y[3], dx[3];
    apply(squared, 3, x, y, dx);
    for (size_t i = 0; i < 3; i++)
        assert_true(y[i] == x[i] * x[i] && dx[i] == 2 * x[i]);
    apply(doubled, 3, x, y, dx);
    for (size_t i = 0; i < 3; i++)
        assert_true(y[i] == 2 * x[i] && dx[i] == 2);
}

static void dropout_drops_scales_and_passes_its_mask_back(void **state)
{
    (void)state;
    static struct bench b;
    static const struct layer l = ROW(dropout, .in = {1, 20, 50}, .a = 0.25);
    set_up(&b, &l);
    struct ib_rng rng = ib_rng_stream(1, "test", 0, "dropout");
    struct ib_forward f = {.n = ROWS, .from = 0, .to = b.y, .rng = &rng};
    ib_net_forward(b.net, &f);
    memcpy(ib_net_gradient(b.net, b.y), b.dy, ROWS * b.k * sizeof(float));
    ib_net_backward(b.net, &f, IB_WRT_INPUT);
    const float *x = ib_net_value(b.net, 0), *y = ib_net_value(b.net, b.y);
    const float *dx = ib_net_gradient(b.net, 0);
    int dropped = 0;
    for (size_t i = 0; i < ROWS * b.d; i++) {
        bool off = y[i] == 0;
        float scale = off ? 0 : 4.0f / 3;
        assert_true(fabsf(y[i] - scale * x[i]) < 1e-5f);
        assert_true(fabsf(dx[i] - scale * b.dy[i]) < 1e-5f);
        dropped += off;
    }
    assert_in_range(dropped, 650, 850);
    ib_net_free(b.net);
}

static void misfits_name_the_input_that_does_not_fit(void **state)
{
    (void)state;
    struct ib_graph *g = ib_graph_create();
    ib_node x = ib_graph_input(g, (struct ib_shape){2, 4, 5}, "photo");
    ib_node m = ib_graph_input(g, (struct ib_shape){2, 4, 1}, "mask");
    assert_int_equal(ib_graph_times(g, x, m), IB_NONE);
    const char *text = ib_graph_error(g)->text;
    assert_non_null(strstr(text, "(times, 2x4x5) does not fit its input 'mask' "
                                 "(2x4x1) beside 'photo' (2x4x5): "));
    ib_graph_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LAYER_UNIT_TESTS,
        cmocka_unit_test(softplus_is_accurate_at_both_ends),
        cmocka_unit_test(log_softmax_of_large_values_does_not_overflow),
        cmocka_unit_test(nan_stays_nan),
        cmocka_unit_test(one_node_may_be_both_inputs),
        cmocka_unit_test(dropout_drops_scales_and_passes_its_mask_back),
        cmocka_unit_test(misfits_name_the_input_that_does_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
