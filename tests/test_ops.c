/*
 * Every op against a naive twin in double: the forward pass directly, the
 * backward pass against finite differences of the twin.
 */
#include "cmocka_all.h"
#include "node.h"

#include <invbench/math.h>
#include <invbench/ops.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MANY = 4096 };

/* One layer under test: a graph of one op with its twin. */
struct layer {
    const char *name;
    struct ib_shape in;
    struct ib_conv conv; /* channels: units; kernel: pool size */
    double a, b;         /* affine, dropout */
    ib_node (*add)(struct ib_graph *g, ib_node x, const struct layer *l);
    void (*twin)(const struct layer *l, struct ib_shape out, const double *x,
                 const double *w, double *y);
};

static ib_node add_dense(struct ib_graph *g, ib_node x, const struct layer *l)
{
    return ib_graph_dense(g, x, l->conv.channels, "d");
}

static void twin_dense(const struct layer *l, struct ib_shape out,
                       const double *x, const double *w, double *y)
{
    size_t d = ib_shape_size(l->in), k = ib_shape_size(out);
    for (size_t j = 0; j < k; j++) {
        y[j] = w[k * d + j];
        for (size_t i = 0; i < d; i++)
            y[j] += w[j * d + i] * x[i];
    }
}

static ib_node add_conv(struct ib_graph *g, ib_node x, const struct layer *l)
{
    return ib_graph_conv2d(g, x, l->conv, "c");
}

static double twin_tap(const struct layer *l, const double *x, int c, int iy,
                       int ix)
{
    if (iy < 0 || ix < 0 || iy >= l->in.h || ix >= l->in.w)
        return 0;
    return x[(c * l->in.h + iy) * l->in.w + ix];
}

static double twin_pixel(const struct layer *l, const double *x,
                         const double *w, int oy, int ox)
{
    int k = l->conv.kernel, s = l->conv.stride ? l->conv.stride : 1;
    double sum = 0;
    for (int c = 0; c < l->in.c; c++)
        for (int ky = 0; ky < k; ky++)
            for (int kx = 0; kx < k; kx++)
                sum += *w++ * twin_tap(l, x, c, oy * s + ky - l->conv.pad,
                                       ox * s + kx - l->conv.pad);
    return sum;
}

static void twin_conv(const struct layer *l, struct ib_shape out,
                      const double *x, const double *w, double *y)
{
    int taps = l->in.c * l->conv.kernel * l->conv.kernel;
    for (int m = 0; m < out.c; m++)
        for (int oy = 0; oy < out.h; oy++)
            for (int ox = 0; ox < out.w; ox++)
                *y++ = w[out.c * taps + m] +
                       twin_pixel(l, x, w + m * taps, oy, ox);
}

static ib_node add_maxpool(struct ib_graph *g, ib_node x, const struct layer *l)
{
    return ib_graph_maxpool(g, x, l->conv.kernel, l->conv.stride);
}

static ib_node add_avgpool(struct ib_graph *g, ib_node x, const struct layer *l)
{
    return ib_graph_avgpool(g, x, l->conv.kernel, l->conv.stride);
}

static void twin_pool(const struct layer *l, struct ib_shape out,
                      const double *x, bool mean, double *y)
{
    int k = l->conv.kernel, s = l->conv.stride;
    for (int c = 0; c < out.c; c++)
        for (int oy = 0; oy < out.h; oy++)
            for (int ox = 0; ox < out.w; ox++) {
                double top = -INFINITY, sum = 0;
                for (int t = 0; t < k * k; t++) {
                    double v =
                        twin_tap(l, x, c, oy * s + t / k, ox * s + t % k);
                    top = v > top ? v : top;
                    sum += v / (k * k);
                }
                *y++ = mean ? sum : top;
            }
}

static void twin_maxpool(const struct layer *l, struct ib_shape out,
                         const double *x, const double *w, double *y)
{
    (void)w;
    twin_pool(l, out, x, false, y);
}

static void twin_avgpool(const struct layer *l, struct ib_shape out,
                         const double *x, const double *w, double *y)
{
    (void)w;
    twin_pool(l, out, x, true, y);
}

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

ELEMENTWISE(relu, ib_graph_relu(g, x), x[i] > 0 ? x[i] : 0)
ELEMENTWISE(sigmoid, ib_graph_sigmoid(g, x), 1 / (1 + exp(-x[i])))
ELEMENTWISE(tanh, ib_graph_tanh(g, x), tanh(x[i]))
ELEMENTWISE(affine, ib_graph_affine(g, x, l->a, l->b), l->a *x[i] + l->b)
ELEMENTWISE(dropout, ib_graph_dropout(g, x, l->a), x[i])
ELEMENTWISE(reshape,
            ib_graph_reshape(g, x,
                             (struct ib_shape){l->in.h, l->in.c, l->in.w}),
            x[i])

static ib_node add_softmax(struct ib_graph *g, ib_node x, const struct layer *l)
{
    (void)l;
    return ib_graph_softmax(g, x);
}

static void twin_softmax(const struct layer *l, struct ib_shape out,
                         const double *x, const double *w, double *y)
{
    (void)w;
    (void)l;
    double s = 0;
    for (size_t i = 0; i < ib_shape_size(out); i++)
        s += y[i] = exp(x[i]);
    for (size_t i = 0; i < ib_shape_size(out); i++)
        y[i] /= s;
}

static const struct layer layers[] = {
    {"dense", {2, 3, 4}, {.channels = 5}, 0, 0, add_dense, twin_dense},
    {"dense, one unit",
     {1, 1, 1},
     {.channels = 1},
     0,
     0,
     add_dense,
     twin_dense},
    {"conv 3x3", {2, 6, 7}, {3, 3, 1, 1}, 0, 0, add_conv, twin_conv},
    {"conv 3x3, thin", {1, 8, 8}, {4, 3, 0, 1}, 0, 0, add_conv, twin_conv},
    {"conv 5x5, stride 2", {3, 9, 8}, {2, 5, 2, 2}, 0, 0, add_conv, twin_conv},
    {"conv 4x4, stride 3", {2, 7, 7}, {2, 4, 3, 3}, 0, 0, add_conv, twin_conv},
    {"conv 3x3, no pad", {2, 3, 5}, {2, 3, 1, 0}, 0, 0, add_conv, twin_conv},
    {"conv 1x1", {3, 4, 4}, {2, 1, 1, 0}, 0, 0, add_conv, twin_conv},
    {"conv, wide kernel", {1, 2, 2}, {2, 5, 2, 4}, 0, 0, add_conv, twin_conv},
    {"maxpool 2", {2, 6, 7}, {0, 2, 2, 0}, 0, 0, add_maxpool, twin_maxpool},
    {"maxpool 3 on 2",
     {2, 7, 8},
     {0, 3, 2, 0},
     0,
     0,
     add_maxpool,
     twin_maxpool},
    {"avgpool 2", {2, 6, 7}, {0, 2, 2, 0}, 0, 0, add_avgpool, twin_avgpool},
    {"avgpool 3 on 1",
     {2, 5, 5},
     {0, 3, 1, 0},
     0,
     0,
     add_avgpool,
     twin_avgpool},
    {"relu", {3, 5, 5}, {0}, 0, 0, add_relu, twin_relu},
    {"sigmoid", {3, 5, 5}, {0}, 0, 0, add_sigmoid, twin_sigmoid},
    {"tanh", {3, 5, 5}, {0}, 0, 0, add_tanh, twin_tanh},
    {"softmax", {7, 1, 1}, {0}, 0, 0, add_softmax, twin_softmax},
    {"affine", {2, 3, 3}, {0}, -2.5, 0.75, add_affine, twin_affine},
    {"dropout", {2, 3, 3}, {0}, 0.5, 0, add_dropout, twin_dropout},
    {"reshape", {2, 3, 4}, {0}, 0, 0, add_reshape, twin_reshape},
};

enum { ROWS = 3 };

struct bench {
    const struct layer *l;
    struct ib_net *net;
    ib_node x, y;
    struct ib_shape out;
    size_t d, k, p; /* sizes of in and out, parameters */
    double px[MANY], pw[MANY], py[MANY];
    float dy[MANY];
};

static void fill(float *x, size_t n, const char *name)
{
    struct ib_rng r = ib_rng_stream(5, "test", 0, name);
    ib_rng_fill_normal(&r, x, n, 1);
}

static void set_up(struct bench *b, const struct layer *l)
{
    struct ib_error err;
    struct ib_graph *g = ib_graph_create();
    assert_non_null(g);
    b->l = l;
    b->x = ib_graph_input(g, l->in, "x");
    b->y = l->add(g, b->x, l);
    if (ib_graph_error(g))
        fail_msg("%s: %s", l->name, ib_graph_error(g)->text);
    b->out = ib_graph_shape(g, b->y);
    assert_int_equal(ib_net_create(&b->net, g, ROWS, &err), IB_OK);
    b->d = ib_shape_size(l->in);
    b->k = ib_shape_size(b->out);
    b->p = ib_net_parameter_count(b->net);
    fill(ib_net_value(b->net, b->x), ROWS * b->d, "x");
    fill(ib_net_parameters(b->net), b->p, "w");
    fill(b->dy, ROWS * b->k, "dy");
    for (size_t i = 0; i < ROWS * b->d; i++)
        b->px[i] = (double)ib_net_value(b->net, b->x)[i];
    for (size_t i = 0; i < b->p; i++)
        b->pw[i] = (double)ib_net_parameters(b->net)[i];
}

/* sum dy * twin(x), which is what the engine's gradients belong to. */
static double twin_loss(struct bench *b)
{
    double s = 0;
    for (size_t r = 0; r < ROWS; r++) {
        b->l->twin(b->l, b->out, b->px + r * b->d, b->pw, b->py);
        for (size_t j = 0; j < b->k; j++)
            s += (double)b->dy[r * b->k + j] * b->py[j];
    }
    return s;
}

static struct ib_forward forward(struct bench *b)
{
    struct ib_forward f = {.n = ROWS, .from = b->x, .to = b->y};
    ib_net_forward(b->net, &f);
    return f;
}

static void backward(struct bench *b, int wrt)
{
    struct ib_forward f = forward(b);
    float *dy = ib_net_gradient(b->net, b->y);
    memcpy(dy, b->dy, ROWS * b->k * sizeof *dy);
    ib_net_backward(b->net, &f, wrt);
}

static void forward_equals_the_naive_twin(void **state)
{
    (void)state;
    static struct bench b;
    for (size_t i = 0; i < IB_COUNT(layers); i++) {
        set_up(&b, &layers[i]);
        (void)forward(&b);
        for (size_t r = 0; r < ROWS; r++) {
            layers[i].twin(b.l, b.out, b.px + r * b.d, b.pw, b.py);
            const float *y = ib_net_value(b.net, b.y) + r * b.k;
            for (size_t j = 0; j < b.k; j++)
                if (!(fabs((double)y[j] - b.py[j]) <
                      1e-5 * (1 + fabs(b.py[j]))))
                    fail_msg("%s: row %zu value %zu: %g, not %g",
                             layers[i].name, r, j, (double)y[j], b.py[j]);
        }
        ib_net_free(b.net);
    }
}

static double slope(struct bench *b, double *at)
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
static double distance(struct bench *b, const float *g, double *at, size_t n)
{
    double wrong = 0, norm = 0;
    for (size_t i = 0; i < n; i++) {
        double want = slope(b, &at[i]), e = (double)g[i] - want;
        wrong += e * e;
        norm += want * want;
    }
    assert_true(norm > 1e-6);
    return sqrt(wrong / norm);
}

static void input_gradients_equal_finite_differences(void **state)
{
    (void)state;
    static struct bench b;
    for (size_t i = 0; i < IB_COUNT(layers); i++) {
        set_up(&b, &layers[i]);
        backward(&b, IB_WRT_INPUT);
        double e = distance(&b, ib_net_gradient(b.net, b.x), b.px, ROWS * b.d);
        if (!(e < 1e-5))
            fail_msg("%s: gradient off by %g", layers[i].name, e);
        ib_net_free(b.net);
    }
}

static void parameter_gradients_equal_finite_differences(void **state)
{
    (void)state;
    static struct bench b;
    for (size_t i = 0; i < IB_COUNT(layers); i++) {
        set_up(&b, &layers[i]);
        backward(&b, IB_WRT_PARAMETERS);
        double e = b.p == 0 ? 0
                            : distance(&b, ib_net_parameter_gradients(b.net),
                                       b.pw, b.p);
        if (!(e < 1e-5))
            fail_msg("%s: gradient off by %g", layers[i].name, e);
        ib_net_free(b.net);
    }
}

static void parameter_gradients_add_up_or_overwrite(void **state)
{
    (void)state;
    static struct bench b;
    for (size_t i = 0; i < 9; i++) {
        set_up(&b, &layers[i]);
        float *g = ib_net_parameter_gradients(b.net), once[MANY];
        backward(&b, IB_WRT_PARAMETERS);
        memcpy(once, g, b.p * sizeof *g);
        backward(&b, IB_WRT_PARAMETERS);
        for (size_t j = 0; j < b.p; j++)
            assert_true(fabsf(g[j] - 2 * once[j]) <=
                        1e-5f * (1 + fabsf(once[j])));
        backward(&b, IB_WRT_PARAMETERS | IB_WRT_OVERWRITE);
        assert_memory_equal(g, once, b.p * sizeof *g);
        ib_net_zero_gradients(b.net);
        assert_true(g[0] == 0 && g[b.p - 1] == 0);
        ib_net_free(b.net);
    }
}

/* Ops that feed a node with several readers add to what is there. */
static void input_gradients_are_added_where_told(void **state)
{
    (void)state;
    static struct bench b;
    static float saved[MANY], scratch[MANY], dx[MANY];
    for (size_t i = 0; i < IB_COUNT(layers); i++) {
        set_up(&b, &layers[i]);
        const struct ib_graph_node *node = &ib_net_graph(b.net)->node[b.y];
        struct ib_op_run r = {.node = node,
                              .n = ROWS,
                              .in = {layers[i].in},
                              .x = {ib_net_value(b.net, b.x)},
                              .y = ib_net_value(b.net, b.y),
                              .dy = b.dy,
                              .dx = {dx},
                              .add = {true},
                              .w = ib_net_parameters(b.net),
                              .b = ib_net_parameters(b.net) + node->weights,
                              .saved = saved,
                              .scratch = scratch};
        if (!ib_ops[node->op]->alias) {
            backward(&b, IB_WRT_INPUT);
            for (size_t j = 0; j < ROWS * b.d; j++)
                dx[j] = 2;
            ib_ops[node->op]->forward(&r);
            ib_ops[node->op]->backward(&r);
            for (size_t j = 0; j < ROWS * b.d; j++)
                assert_true(fabsf(dx[j] - 2 - ib_net_gradient(b.net, b.x)[j]) <
                            2e-5f);
        }
        ib_net_free(b.net);
    }
}

static void dropout_drops_scales_and_passes_its_mask_back(void **state)
{
    (void)state;
    static struct bench b;
    static const struct layer l = {"dropout", {1, 20, 50}, {0},         0.25,
                                   0,         add_dropout, twin_dropout};
    set_up(&b, &l);
    struct ib_rng rng = ib_rng_stream(1, "test", 0, "dropout");
    struct ib_forward f = {.n = ROWS, .from = b.x, .to = b.y, .rng = &rng};
    ib_net_forward(b.net, &f);
    memcpy(ib_net_gradient(b.net, b.y), b.dy, ROWS * b.k * sizeof(float));
    ib_net_backward(b.net, &f, IB_WRT_INPUT);
    const float *x = ib_net_value(b.net, b.x), *y = ib_net_value(b.net, b.y);
    const float *dx = ib_net_gradient(b.net, b.x);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forward_equals_the_naive_twin),
        cmocka_unit_test(input_gradients_equal_finite_differences),
        cmocka_unit_test(parameter_gradients_equal_finite_differences),
        cmocka_unit_test(parameter_gradients_add_up_or_overwrite),
        cmocka_unit_test(input_gradients_are_added_where_told),
        cmocka_unit_test(dropout_drops_scales_and_passes_its_mask_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
