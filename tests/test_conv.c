/*
 * Convolutions against a naive twin in double, kernels against their plain
 * twins to the last bit, per-row norms against each row's own gradient.
 */
#include "cmocka_all.h"
#include "kernel.h"
#include "node.h"

#include <invbench/ops.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MANY = 1 << 18, ROWS = 9 };

struct layer {
    bool transposed;
    struct ib_shape in;
    struct ib_deconv o;
};

struct bench {
    struct layer l;
    struct ib_net *net;
    ib_node x, y;
    struct ib_shape out;
    size_t d, k, weights, parameters;
    double w[MANY], dw[MANY], y1[MANY], dx[MANY];
    ib_real dy[MANY];
};

static void fill(ib_real *x, size_t n, const char *name)
{
    struct ib_rng r = ib_rng_stream(5, "test", 0, name);
    ib_rng_fill_normal(&r, x, n, 1);
}

static ib_node add(struct ib_graph *g, ib_node x, const struct layer *l)
{
    if (l->transposed)
        return ib_graph_deconv2d(g, x, l->o, "c");
    struct ib_conv c = {.channels = l->o.channels,
                        .kernel = l->o.kernel,
                        .stride = l->o.stride,
                        .pad = l->o.pad,
                        .groups = l->o.groups,
                        .no_bias = l->o.no_bias};
    return ib_graph_conv2d(g, x, c, "c");
}

static const char *describe(const struct layer *l)
{
    static char text[160];
    snprintf(text, sizeof text,
             "%s %dx%dx%d to %d, kernel %d, stride %d, pad %d, out_pad %d, "
             "groups %d",
             l->transposed ? "deconv2d" : "conv2d", l->in.c, l->in.h, l->in.w,
             l->o.channels, l->o.kernel, l->o.stride, l->o.pad, l->o.out_pad,
             l->o.groups);
    return text;
}

static void set_up(struct bench *b, const struct layer *l)
{
    struct ib_error err;
    struct ib_graph *g = ib_graph_create();
    assert_non_null(g);
    b->l = *l;
    b->x = ib_graph_input(g, l->in, "x");
    b->y = add(g, b->x, l);
    if (ib_graph_error(g))
        fail_msg("%s: %s", describe(l), ib_graph_error(g)->text);
    b->out = ib_graph_shape(g, b->y);
    b->weights = g->node[b->y].weights;
    assert_int_equal(ib_net_create(&b->net, g, ROWS, &err), IB_OK);
    b->d = ib_shape_size(l->in);
    b->k = ib_shape_size(b->out);
    b->parameters = ib_net_parameter_count(b->net);
    assert_true(ROWS * b->d <= MANY && ROWS * b->k <= MANY &&
                b->parameters <= MANY);
    fill(ib_net_value(b->net, b->x), ROWS * b->d, "x");
    fill(ib_net_parameters(b->net), b->parameters, "w");
    fill(b->dy, ROWS * b->k, "dy");
    for (size_t i = 0; i < b->parameters; i++)
        b->w[i] = (double)ib_net_parameters(b->net)[i];
}

static struct ib_forward run(struct bench *b, int n, int wrt)
{
    struct ib_forward f = {.n = n, .from = b->x, .to = b->y};
    ib_net_forward(b->net, &f);
    memcpy(ib_net_gradient(b->net, b->y), b->dy,
           (size_t)n * b->k * sizeof *b->dy);
    if (wrt)
        ib_net_backward(b->net, &f, wrt);
    return f;
}

/* --- the naive twin ------------------------------------------------------- */

/* One product: weight wi times input xi goes to output yi. */
static void product(struct bench *b, const ib_real *x, const ib_real *dy,
                    const size_t at[3])
{
    b->y1[at[2]] += b->w[at[0]] * (double)x[at[1]];
    b->dx[at[1]] += b->w[at[0]] * (double)dy[at[2]];
    b->dw[at[0]] += (double)x[at[1]] * (double)dy[at[2]];
}

/* All products of channel m of the small side with channel c of its group. */
static void twin_channels(struct bench *b, const ib_real *x, const ib_real *dy,
                          int m, int c)
{
    const struct ib_deconv *o = &b->l.o;
    bool up = b->l.transposed;
    struct ib_shape large = up ? b->out : b->l.in;
    struct ib_shape small = up ? b->l.in : b->out;
    int k = o->kernel, per = large.c / o->groups;
    int group = m / (small.c / o->groups), s = o->stride;
    for (int t = 0; t < k * k; t++)
        for (int q = 0; q < small.h * small.w; q++) {
            int iy = q / small.w * s + t / k - o->pad;
            int ix = q % small.w * s + t % k - o->pad;
            if (iy < 0 || ix < 0 || iy >= large.h || ix >= large.w)
                continue;
            size_t i =
                (size_t)(((group * per + c) * large.h + iy) * large.w + ix);
            size_t j = (size_t)(m * small.h * small.w + q);
            size_t w = (size_t)((m * per + c) * k * k + t);
            product(b, x, dy, (const size_t[3]){w, up ? j : i, up ? i : j});
        }
}

/* Adds row i: y1 and dx are its own, dw that of all rows so far. */
static void twin_row(struct bench *b, size_t i)
{
    int small = b->l.transposed ? b->l.in.c : b->out.c;
    int large = b->l.transposed ? b->out.c : b->l.in.c;
    size_t area = b->k / (size_t)b->out.c;
    const ib_real *dy = b->dy + i * b->k;
    memset(b->dx, 0, b->d * sizeof *b->dx);
    for (size_t j = 0; j < b->k; j++) {
        bool bias = !b->l.o.no_bias;
        b->y1[j] = bias ? b->w[b->weights + j / area] : 0;
        if (bias)
            b->dw[b->weights + j / area] += (double)dy[j];
    }
    for (int m = 0; m < small; m++)
        for (int c = 0; c < large / b->l.o.groups; c++)
            twin_channels(b, ib_net_value(b->net, b->x) + i * b->d, dy, m, c);
}

static void expect(const struct bench *b, const char *what, const ib_real *got,
                   const double *want, size_t n)
{
    double wrong = 0, norm = 0;
    for (size_t i = 0; i < n; i++) {
        double e = (double)got[i] - want[i];
        wrong += e * e;
        norm += want[i] * want[i];
    }
    if (!(sqrt(wrong) <= 1e-6 * sqrt(norm)))
        fail_msg("%s: %s is off by %g of %g", describe(&b->l), what,
                 sqrt(wrong), sqrt(norm));
}

static void check(const struct layer *l, int n)
{
    static struct bench b;
    set_up(&b, l);
    run(&b, n, IB_WRT_INPUT | IB_WRT_PARAMETERS);
    memset(b.dw, 0, sizeof b.dw);
    for (size_t i = 0; i < (size_t)n; i++) {
        twin_row(&b, i);
        expect(&b, "a value", ib_net_value(b.net, b.y) + i * b.k, b.y1, b.k);
        expect(&b, "an input gradient", ib_net_gradient(b.net, b.x) + i * b.d,
               b.dx, b.d);
    }
    expect(&b, "the weights' gradient", ib_net_parameter_gradients(b.net), b.dw,
           b.parameters);
    ib_net_free(b.net);
}

/* Channels and sizes of all kinds of tails, both kernels, both directions. */
static const struct ib_shape inputs[] = {{2, 7, 6},  {4, 5, 9}, {18, 4, 5},
                                         {32, 3, 3}, {6, 1, 1}, {2, 2, 17}};
static const int outputs[] = {2, 4, 16, 34};

static void every_geometry_equals_the_naive_twin(void **state)
{
    (void)state;
    size_t checked = 0;
    for (int i = 0; i < 5 * 3 * 3 * 2 * 2; i++) {
        int kernel = 1 + i % 5, stride = 1 + i / 5 % 3, pad = i / 15 % 3;
        struct ib_deconv o = {.kernel = kernel,
                              .stride = stride,
                              .pad = pad,
                              .groups = 1 + i / 45 % 2,
                              .channels = outputs[i % 4],
                              .no_bias = i % 7 == 0};
        bool up = i / 90 == 1;
        struct ib_shape in = inputs[(i + i / 6) % 6];
        if (pad >= kernel ||
            (!up && (in.h + 2 * pad < kernel || in.w + 2 * pad < kernel)))
            continue;
        if (up) {
            o.out_pad = i % stride;
            if ((in.h - 1) * stride + kernel + o.out_pad <= 2 * pad)
                continue;
        }
        check(&(struct layer){up, in, o}, 1 + i % 4);
        checked++;
    }
    assert_true(checked > 100);
}

static const struct layer layers[] = {
    {false,
     {1, 12, 33},
     {.channels = 8, .kernel = 3, .stride = 1, .pad = 1, .groups = 1}},
    {false,
     {3, 10, 10},
     {.channels = 33, .kernel = 3, .stride = 1, .pad = 1, .groups = 1}},
    {false,
     {20, 9, 8},
     {.channels = 1, .kernel = 3, .stride = 1, .pad = 1, .groups = 1}},
    {false, {20, 8, 8}, {.channels = 7, .kernel = 5, .stride = 1, .groups = 1}},
    {false,
     {17, 6, 6},
     {.channels = 16, .kernel = 1, .stride = 1, .groups = 1}},
    {false,
     {12, 4, 4},
     {.channels = 48, .kernel = 3, .stride = 1, .pad = 1, .groups = 1}},
    {false,
     {32, 4, 4},
     {.channels = 32, .kernel = 3, .stride = 2, .pad = 1, .groups = 2}},
    {false,
     {6, 9, 9},
     {.channels = 6, .kernel = 3, .stride = 1, .pad = 1, .groups = 6}},
    {false,
     {64, 2, 2},
     {.channels = 32, .kernel = 2, .stride = 1, .groups = 1}},
    {false, {2, 9, 9}, {.channels = 3, .kernel = 2, .stride = 4, .groups = 1}},
    {true, {40, 1, 1}, {.channels = 32, .kernel = 4, .stride = 1, .groups = 1}},
    {true,
     {16, 4, 4},
     {.channels = 20, .kernel = 4, .stride = 2, .pad = 1, .groups = 1}},
    {true,
     {16, 8, 8},
     {.channels = 3, .kernel = 4, .stride = 2, .pad = 1, .groups = 1}},
    {true,
     {8, 5, 5},
     {.channels = 4, .kernel = 2, .stride = 3, .out_pad = 2, .groups = 4}},
    {true,
     {34, 3, 3},
     {.channels = 17, .kernel = 3, .stride = 1, .pad = 1, .groups = 1}},
};

static void layers_of_real_nets_equal_the_naive_twin(void **state)
{
    (void)state;
    for (size_t i = 0; i < IB_COUNT(layers); i++)
        for (int n = 1; n <= ROWS; n += 4)
            check(&layers[i], n);
}

/* --- rows ----------------------------------------------------------------- */

static void rows_have_the_same_bits_in_any_batch(void **state)
{
    (void)state;
    static struct bench b;
    static ib_real y[MANY], dx[MANY];
    for (size_t i = 0; i < IB_COUNT(layers); i++) {
        set_up(&b, &layers[i]);
        run(&b, ROWS, IB_WRT_INPUT);
        memcpy(y, ib_net_value(b.net, b.y), ROWS * b.k * sizeof *y);
        memcpy(dx, ib_net_gradient(b.net, b.x), ROWS * b.d * sizeof *dx);
        size_t last = ROWS - 1;
        ib_real *x = ib_net_value(b.net, b.x);
        memcpy(x, x + last * b.d, b.d * sizeof *x);
        memcpy(b.dy, b.dy + last * b.k, b.k * sizeof *b.dy);
        run(&b, 1, IB_WRT_INPUT);
        assert_memory_equal(ib_net_value(b.net, b.y), y + last * b.k,
                            b.k * sizeof *y);
        assert_memory_equal(ib_net_gradient(b.net, b.x), dx + last * b.d,
                            b.d * sizeof *dx);
        ib_net_free(b.net);
    }
}

static void row_norms_are_those_of_each_rows_gradient(void **state)
{
    (void)state;
    static struct bench b;
    for (size_t i = 0; i < IB_COUNT(layers); i++) {
        struct ib_error err;
        double norm2[ROWS];
        set_up(&b, &layers[i]);
        struct ib_forward f = run(&b, ROWS, 0);
        assert_int_equal(ib_net_row_norms(b.net, &f, norm2, &err), IB_OK);
        for (size_t r = 0; r < ROWS; r++) {
            double want = 0;
            memset(b.dw, 0, sizeof b.dw);
            twin_row(&b, r);
            for (size_t j = 0; j < b.parameters; j++)
                want += b.dw[j] * b.dw[j];
            if (!(fabs(norm2[r] - want) <= 1e-5 * want))
                fail_msg("%s: row %zu: %g, not %g", describe(&b.l), r, norm2[r],
                         want);
        }
        ib_net_free(b.net);
    }
}

/* --- kernels ---------------------------------------------------------------
 */

enum { NUMBERS = 4096, OFFSETS = 40 };

struct kernel_data {
    ib_real a[NUMBERS], b[NUMBERS], out[NUMBERS], plain[NUMBERS];
    int32_t tap[OFFSETS], from[OFFSETS], to[OFFSETS], length[OFFSETS];
};

static void fill_data(struct kernel_data *d, int step)
{
    fill(d->a, NUMBERS, "a");
    fill(d->b, NUMBERS, "b");
    fill(d->out, NUMBERS, "out");
    memcpy(d->plain, d->out, sizeof d->out);
    for (int i = 0; i < OFFSETS; i++) {
        d->tap[i] = i * 37 % 101;
        d->from[i] = i * step + i / 7 * 5;
        d->to[i] = i * step + i / 9;
        d->length[i] = i % 5 == 4 ? i % 8 + 1 : 8;
    }
}

static void wide_kernel_has_its_twins_bits(void **state)
{
    (void)state;
    static struct kernel_data d;
    for (size_t i = 0; i < 200; i++) {
        fill_data(&d, 1);
        struct ib_wide t = {.a = d.a,
                            .b = d.b,
                            .tap = d.tap,
                            .from = d.from,
                            .to = d.to,
                            .taps = i % 23,
                            .columns = i % 19,
                            .out = d.out,
                            .row = 50,
                            .lanes = 1 + i * 5 % 16,
                            .add = i % 2};
        ib_kernel_wide(&t);
        t.out = d.plain;
        ib_plain_wide(&t);
        assert_memory_equal(d.out, d.plain, sizeof d.out);
    }
}

static void thin_kernel_has_its_twins_bits(void **state)
{
    (void)state;
    static struct kernel_data d;
    for (size_t i = 0; i < 200; i++) {
        fill_data(&d, 8);
        struct ib_thin t = {.a = d.a,
                            .b = d.b,
                            .tap = d.tap,
                            .from = d.from,
                            .to = d.to,
                            .length = d.length,
                            .taps = i % 23,
                            .spots = i % 19,
                            .out = d.out,
                            .row = 900,
                            .lanes = 1 + i % 4,
                            .add = i % 3 == 0};
        ib_kernel_thin(&t);
        t.out = d.plain;
        ib_plain_thin(&t);
        assert_memory_equal(d.out, d.plain, sizeof d.out);
    }
}

static void dot_kernel_has_its_twins_bits(void **state)
{
    (void)state;
    static struct kernel_data d;
    for (size_t i = 0; i < 200; i++) {
        fill_data(&d, 8);
        struct ib_dot t = {.a = d.a,
                           .a_row = 350,
                           .b = d.b,
                           .tap = d.tap,
                           .from = d.from,
                           .to = d.to,
                           .taps = 1 + i % 23,
                           .spots = i % 37,
                           .rows = 1 + i % 9,
                           .out = d.out,
                           .row = 30,
                           .add = i % 2};
        ib_kernel_dot(&t);
        t.out = d.plain;
        ib_plain_dot(&t);
        assert_memory_equal(d.out, d.plain, sizeof d.out);
    }
}

static void lanes_and_sums_have_their_twins_bits(void **state)
{
    (void)state;
    static struct kernel_data d;
    fill_data(&d, 1);
    for (size_t i = 0; i < 200; i++) {
        size_t lanes = 1 + i % 16, n = i % 29;
        ib_kernel_lanes(d.out, d.a, 31, lanes, n);
        ib_plain_lanes(d.plain, d.a, 31, lanes, n);
        assert_memory_equal(d.out, d.plain, n * IB_LANES * sizeof *d.out);
        n = i * 20;
        assert_true(ib_kernel_sum(n, d.b) == ib_plain_sum(n, d.b));
    }
}

/* --- shapes ----------------------------------------------------------------
 */

static const char *reason(const struct layer *l)
{
    static char text[IB_ERROR_MAX];
    struct ib_graph *g = ib_graph_create();
    ib_node y = add(g, ib_graph_input(g, l->in, "x"), l);
    assert_int_equal(y, IB_NONE);
    snprintf(text, sizeof text, "%s", ib_graph_error(g)->text);
    ib_graph_free(g);
    return text;
}

static void what_does_not_fit_is_said(void **state)
{
    (void)state;
    static const struct {
        struct layer l;
        const char *text;
    } wrong[] = {
        {{false, {3, 8, 8}, {.channels = 4, .kernel = 3, .groups = 2}},
         "groups must divide"},
        {{false, {4, 8, 8}, {.channels = 3, .kernel = 3, .groups = 2}},
         "groups must divide"},
        {{false, {4, 2, 8}, {.channels = 3, .kernel = 3}},
         "the kernel is larger"},
        {{false, {4, 8, 8}, {.channels = 3, .kernel = 3, .pad = 3}},
         "pad stays below"},
        {{true,
          {4, 8, 8},
          {.channels = 3, .kernel = 3, .stride = 2, .out_pad = 2}},
         "output padding"},
        {{true, {4, 1, 1}, {.channels = 3, .kernel = 3, .pad = 2}},
         "leaves nothing"},
        {{false, {100000, 50, 50}, {.channels = 100000, .kernel = 5}},
         "too many"},
        {{true,
          {4, 90000, 90000},
          {.channels = 3, .kernel = 255, .stride = 255}},
         "too many values"},
    };
    for (size_t i = 0; i < IB_COUNT(wrong); i++)
        if (!strstr(reason(&wrong[i].l), wrong[i].text))
            fail_msg("%s: %s", describe(&wrong[i].l), reason(&wrong[i].l));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_geometry_equals_the_naive_twin),
        cmocka_unit_test(layers_of_real_nets_equal_the_naive_twin),
        cmocka_unit_test(rows_have_the_same_bits_in_any_batch),
        cmocka_unit_test(row_norms_are_those_of_each_rows_gradient),
        cmocka_unit_test(wide_kernel_has_its_twins_bits),
        cmocka_unit_test(thin_kernel_has_its_twins_bits),
        cmocka_unit_test(dot_kernel_has_its_twins_bits),
        cmocka_unit_test(lanes_and_sums_have_their_twins_bits),
        cmocka_unit_test(what_does_not_fit_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
