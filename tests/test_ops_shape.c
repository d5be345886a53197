/*
 * Ops that move, resize, reduce and multiply images, against naive twins.
 */
#include "op_fixture.h"

/* Settings of a layer: its op's whole numbers, in the order of the builder's
 * arguments. */
#define SET(...) .conv = {__VA_ARGS__}
#define FIRST    l->conv.channels
#define SECOND   l->conv.kernel
#define THIRD    l->conv.stride
#define FOURTH   l->conv.pad

#define TWIN(op)                                                               \
    static void twin_##op(const struct layer *l, struct ib_shape out,          \
                          const double *x, const double *w, double *y)
#define ADD(op, call)                                                          \
    static ib_node add_##op(struct ib_graph *g, ib_node x,                     \
                            const struct layer *l)                             \
    {                                                                          \
        (void)l;                                                               \
        return call;                                                           \
    }

ELEMENTWISE(reshape,
            ib_graph_reshape(g, x,
                             (struct ib_shape){l->in.h, l->in.c, l->in.w}),
            x[i])
ELEMENTWISE(flatten, ib_graph_flatten(g, x), x[i])
ELEMENTWISE(concat,
            ib_graph_concat(g, (ib_node[]){x, x + 1, x + 2, x + 3},
                            layer_inputs(l)),
            x[i])

/* What stands at channel c, row i, column j of the first input. */
static double at(const struct layer *l, const double *x, int c, int i, int j)
{
    return x[(c * l->in.h + i) * l->in.w + j];
}

ADD(slice, ib_graph_slice(g, x, FIRST, SECOND))
ADD(crop, ib_graph_crop(g, x, FIRST, SECOND, THIRD, FOURTH))

/* Every output pixel, given its place, by an expression. */
#define PIXELS(op, expression)                                                 \
    TWIN(op)                                                                   \
    {                                                                          \
        (void)w;                                                               \
        for (int c = 0; c < out.c; c++)                                        \
            for (int i = 0; i < out.h; i++)                                    \
                for (int j = 0; j < out.w; j++)                                \
                    *y++ = expression;                                         \
    }

PIXELS(slice, at(l, x, c + FIRST, i, j))
PIXELS(crop, at(l, x, c, i + FIRST, j + SECOND))

ADD(pad, ib_graph_pad(g, x,
                      (struct ib_pad){.top = FIRST,
                                      .bottom = SECOND,
                                      .left = THIRD,
                                      .right = FOURTH,
                                      .border = (enum ib_border)l->a,
                                      .value = l->b}))

static int clamp(int i, int n)
{
    return i < 0 ? 0 : i >= n ? n - 1 : i;
}

static int mirror(int i, int n)
{
    i = abs(i);
    return n - 1 - abs(n - 1 - i);
}

static double padded(const struct layer *l, const double *x, int c, int i,
                     int j)
{
    int h = l->in.h, w = l->in.w;
    if ((enum ib_border)l->a == IB_BORDER_EDGE)
        return at(l, x, c, clamp(i, h), clamp(j, w));
    if ((enum ib_border)l->a == IB_BORDER_REFLECT)
        return at(l, x, c, mirror(i, h), mirror(j, w));
    return i < 0 || j < 0 || i >= h || j >= w ? l->b : at(l, x, c, i, j);
}

PIXELS(pad, padded(l, x, c, i - FIRST, j - THIRD))

ADD(upsample, ib_graph_upsample(g, x, FIRST))
PIXELS(upsample, at(l, x, c, i / FIRST, j / FIRST))

ADD(resize, ib_graph_resize(g, x, FIRST, SECOND))

/* The weight of source line s for place i of n. */
static double tent(int i, int n, int s, int lines)
{
    double place = (i + 0.5) * lines / n - 0.5;
    place = fmin(fmax(place, 0), lines - 1);
    return fmax(0, 1 - fabs(place - s));
}

static double resized(const struct layer *l, const double *x, int c, int i,
                      int j, struct ib_shape out)
{
    double sum = 0;
    for (int a = 0; a < l->in.h; a++)
        for (int b = 0; b < l->in.w; b++)
            sum += tent(i, out.h, a, l->in.h) * tent(j, out.w, b, l->in.w) *
                   at(l, x, c, a, b);
    return sum;
}

PIXELS(resize, resized(l, x, c, i, j, out))

/* Which of the output's values input i goes into. */
static size_t into(const struct layer *l, size_t i)
{
    size_t plane = (size_t)l->in.h * (size_t)l->in.w;
    return FIRST == IB_OVER_ROW     ? 0
           : FIRST == IB_OVER_PLANE ? i / plane
                                    : i % plane;
}

#define REDUCTION(op, start, take, end)                                        \
    ADD(op, ib_graph_##op(g, x, (enum ib_over)FIRST))                          \
    TWIN(op)                                                                   \
    {                                                                          \
        size_t n = ib_shape_size(out), d = ib_shape_size(l->in);               \
        double count = (double)(d / n);                                        \
        (void)w;                                                               \
        (void)count;                                                           \
        for (size_t i = 0; i < n; i++)                                         \
            y[i] = start;                                                      \
        for (size_t i = 0; i < d; i++) {                                       \
            double *to = &y[into(l, i)];                                       \
            *to = take;                                                        \
        }                                                                      \
        for (size_t i = 0; i < n; i++)                                         \
            y[i] = end;                                                        \
    }

REDUCTION(sum, 0, *to + x[i], y[i])
REDUCTION(mean, 0, *to + x[i], y[i] / count)
REDUCTION(max, -INFINITY, fmax(*to, x[i]), y[i])
REDUCTION(log_sum_exp, 0, *to + exp(x[i]), log(y[i]))

ADD(matmul, ib_graph_matmul(g, x, x + 1, FIRST != 0, SECOND != 0))

/* Element (i, k) of op(A), A being H x W. */
static double element(struct ib_shape s, const double *a, bool t, int i, int k)
{
    return t ? a[k * s.w + i] : a[i * s.w + k];
}

TWIN(matmul)
{
    struct ib_shape a = l->in, b = l->more[0];
    const double *second = x + ib_shape_size(a);
    int inner = FIRST ? a.h : a.w;
    (void)w;
    for (int c = 0; c < out.c; c++)
        for (int i = 0; i < out.h; i++)
            for (int j = 0; j < out.w; j++, y++) {
                *y = 0;
                for (int k = 0; k < inner; k++)
                    *y += element(a, x + c * a.h * a.w, FIRST != 0, i, k) *
                          element(b, second + c * b.h * b.w, SECOND != 0, k, j);
            }
}

#define ROW(op, ...)                                                           \
    {                                                                          \
        .name = #op, .add = add_##op, .twin = twin_##op, __VA_ARGS__           \
    }
#define ON .in = {3, 6, 7}
#define OVER_ALL(op)                                                           \
    ROW(op, .in = {1, 17, 16}, SET(IB_OVER_ROW)),                              \
        ROW(op, .in = {2, 6, 7}, SET(IB_OVER_PLANE)),                          \
        ROW(op, .in = {2, 18, 15}, SET(IB_OVER_CHANNELS)),                     \
        ROW(op, .in = {40, 1, 1}, SET(IB_OVER_CHANNELS))

static const struct layer layers[] = {
    ROW(reshape, ON),
    ROW(flatten, ON),
    ROW(concat, ON),
    ROW(concat, ON, .more = {{1, 6, 7}}),
    ROW(concat, ON, .more = {{1, 6, 7}, {2, 6, 7}, {5, 6, 7}}),
    ROW(slice, ON, SET(1, 2)),
    ROW(slice, ON, SET(0, 3)),
    ROW(crop, ON, SET(1, 2, 4, 5)),
    ROW(crop, ON, SET(5, 6, 1, 1)),
    ROW(pad, ON, SET(1, 2, 3, 4), .b = -1.5),
    ROW(pad, ON, SET(0, 0, 0, 1)),
    ROW(pad, ON, SET(1, 2, 3, 4), .a = IB_BORDER_EDGE),
    ROW(pad, ON, SET(5, 2, 3, 6), .a = IB_BORDER_REFLECT),
    ROW(upsample, ON, SET(2)),
    ROW(upsample, ON, SET(3)),
    ROW(upsample, ON, SET(1)),
    ROW(resize, ON, SET(12, 14)),
    ROW(resize, ON, SET(13, 4)),
    ROW(resize, ON, SET(3, 2)),
    ROW(resize, ON, SET(6, 7)),
    ROW(resize, ON, SET(1, 1)),
    ROW(resize, .in = {2, 1, 1}, SET(3, 2)),
    ROW(resize, .in = {1, 1, 5}, SET(2, 9)),
    OVER_ALL(sum),
    OVER_ALL(mean),
    OVER_ALL(max),
    OVER_ALL(log_sum_exp),
    ROW(matmul, .in = {2, 3, 4}, .more = {{2, 4, 5}}),
    ROW(matmul, .in = {2, 4, 3}, .more = {{2, 4, 5}}, SET(1, 0)),
    ROW(matmul, .in = {1, 3, 4}, .more = {{1, 5, 4}}, SET(0, 1)),
    ROW(matmul, .in = {2, 4, 3}, .more = {{2, 5, 4}}, SET(1, 1)),
};

LAYER_TESTS(layers)

/* One op on one row of 1 x n values. */
static float reduced(ib_node (*op)(struct ib_graph *, ib_node, enum ib_over),
                     size_t n, const float *x, float *dx)
{
    struct ib_error err;
    struct ib_net *net;
    struct ib_graph *g = ib_graph_create();
    ib_node in = ib_graph_input(g, (struct ib_shape){1, 1, (int)n}, "x");
    ib_node out = op(g, in, IB_OVER_ROW);
    assert_int_equal(ib_net_create(&net, g, 1, &err), IB_OK);
    memcpy(ib_net_value(net, in), x, n * sizeof *x);
    struct ib_forward f = {.n = 1, .from = IB_NONE, .to = out};
    ib_net_forward(net, &f);
    float y = ib_net_value(net, out)[0];
    ib_net_gradient(net, out)[0] = 1;
    ib_net_backward(net, &f, IB_WRT_INPUT);
    memcpy(dx, ib_net_gradient(net, in), n * sizeof *dx);
    ib_net_free(net);
    return y;
}

static void of_equal_maxima_the_first_gets_the_gradient(void **state)
{
    (void)state;
    float x[40] = {0}, dx[40];
    x[17] = x[18] = x[39] = 5;
    assert_true(reduced(ib_graph_max, 40, x, dx) == 5);
    for (int i = 0; i < 40; i++)
        assert_true(dx[i] == (i == 17 ? 1.0f : 0.0f));
}

static void reductions_pass_nan_on(void **state)
{
    (void)state;
    ib_node (*const ops[])(struct ib_graph *, ib_node, enum ib_over) = {
        ib_graph_sum, ib_graph_mean, ib_graph_max, ib_graph_log_sum_exp};
    float x[40] = {0}, dx[40];
    for (size_t place = 0; place < 40; place += 13)
        for (size_t i = 0; i < IB_COUNT(ops); i++) {
            x[place] = NAN;
            assert_true(isnan(reduced(ops[i], 40, x, dx)));
            x[place] = 0;
        }
}

static void log_sum_exp_neither_overflows_nor_underflows(void **state)
{
    (void)state;
    float x[3] = {-2000, -2000, -2000}, dx[3];
    float y = reduced(ib_graph_log_sum_exp, 3, x, dx);
    assert_true(fabs((double)y - (log(3) - 2000)) < 1e-3);
    assert_true(fabsf(dx[1] - 1.0f / 3) < 1e-3f);
    x[1] = 3000;
    assert_true(reduced(ib_graph_log_sum_exp, 3, x, dx) == 3000);
    assert_true(dx[0] == 0 && dx[1] == 1);
    x[0] = x[1] = x[2] = -INFINITY;
    assert_true(reduced(ib_graph_log_sum_exp, 3, x, dx) == -INFINITY);
    x[1] = INFINITY;
    assert_true(reduced(ib_graph_log_sum_exp, 3, x, dx) == INFINITY);
}

/* What is added as node number 2 beside x (2x6x6) and y (3x6x5). */
static ib_node impossible(struct ib_graph *g, int i, ib_node x, ib_node y)
{
    const struct ib_pad pads[] = {
        {.top = -1},
        {.left = 1 << 20},
        {.right = 6, .border = IB_BORDER_REFLECT},
    };
    const ib_node both[] = {x, y}, x5[] = {x, x, x, x, x};
    return i < 3     ? ib_graph_pad(g, x, pads[i])
           : i == 3  ? ib_graph_concat(g, both, 2)
           : i == 4  ? ib_graph_concat(g, x5, 5)
           : i == 5  ? ib_graph_slice(g, x, 1, 2)
           : i == 6  ? ib_graph_slice(g, x, -1, 1)
           : i == 7  ? ib_graph_slice(g, x, 0, 0)
           : i == 8  ? ib_graph_crop(g, x, 3, 0, 4, 4)
           : i == 9  ? ib_graph_crop(g, x, 0, 0, 0, 4)
           : i == 10 ? ib_graph_upsample(g, x, 0)
           : i == 11 ? ib_graph_resize(g, x, 0, 3)
           : i == 12 ? ib_graph_resize(g, x, 1 << 20, 1 << 20)
           : i == 13 ? ib_graph_matmul(g, x, y, false, false)
                     : ib_graph_matmul(g, y, y, false, false);
}

static void impossible_nodes_are_refused(void **state)
{
    (void)state;
    for (int i = 0; i < 15; i++) {
        struct ib_graph *g = ib_graph_create();
        ib_node x = ib_graph_input(g, (struct ib_shape){2, 6, 6}, "x");
        ib_node y = ib_graph_input(g, (struct ib_shape){3, 6, 5}, "y");
        assert_int_equal(impossible(g, i, x, y), IB_NONE);
        assert_non_null(ib_graph_error(g));
        assert_true(ib_graph_error(g)->text[0] != 0);
        ib_graph_free(g);
    }
}

static void misfits_name_the_input_that_does_not_fit(void **state)
{
    (void)state;
    struct ib_graph *g = ib_graph_create();
    ib_node x[3] = {ib_graph_input(g, (struct ib_shape){2, 4, 5}, "a"),
                    ib_graph_input(g, (struct ib_shape){1, 4, 5}, "b"),
                    ib_graph_input(g, (struct ib_shape){1, 5, 5}, "odd")};
    assert_int_equal(ib_graph_concat(g, x, 3), IB_NONE);
    assert_non_null(strstr(ib_graph_error(g)->text,
                           "does not fit its input 'odd' (1x5x5) beside 'a' "
                           "(2x4x5): "));
    ib_graph_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LAYER_UNIT_TESTS,
        cmocka_unit_test(of_equal_maxima_the_first_gets_the_gradient),
        cmocka_unit_test(reductions_pass_nan_on),
        cmocka_unit_test(log_sum_exp_neither_overflows_nor_underflows),
        cmocka_unit_test(impossible_nodes_are_refused),
        cmocka_unit_test(misfits_name_the_input_that_does_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
