/*
 * Layers with weights, and pooling, against naive twins.
 */
#include "op_fixture.h"

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

/* a: output padding */
static ib_node add_deconv(struct ib_graph *g, ib_node x, const struct layer *l)
{
    struct ib_deconv d = {.channels = l->conv.channels,
                          .kernel = l->conv.kernel,
                          .stride = l->conv.stride,
                          .pad = l->conv.pad,
                          .groups = l->conv.groups,
                          .out_pad = (int)l->a};
    return ib_graph_deconv2d(g, x, d, "d");
}

/* Output pixel (m, oy, ox): inputs i with i * stride + tap - pad = o. */
static double twin_deconv_pixel(const struct layer *l, struct ib_shape out,
                                const double *x, const double *w, int at)
{
    int k = l->conv.kernel, s = l->conv.stride, g = l->conv.groups;
    int m = at / (out.h * out.w), oy = at / out.w % out.h, ox = at % out.w;
    int per = out.c / g, c0 = m / per * (l->in.c / g);
    double sum = 0;
    for (int c = c0; c < c0 + l->in.c / g; c++)
        for (int t = 0; t < k * k; t++) {
            int y = oy + l->conv.pad - t / k, z = ox + l->conv.pad - t % k;
            if (y >= 0 && z >= 0 && y % s == 0 && z % s == 0)
                sum += w[(c * per + m % per) * k * k + t] *
                       twin_tap(l, x, c, y / s, z / s);
        }
    return sum;
}

static void twin_deconv(const struct layer *l, struct ib_shape out,
                        const double *x, const double *w, double *y)
{
    int k = l->conv.kernel, area = out.h * out.w;
    int weights = l->in.c * (out.c / l->conv.groups) * k * k;
    for (int i = 0; i < out.c * area; i++)
        y[i] = w[weights + i / area] + twin_deconv_pixel(l, out, x, w, i);
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
    {"deconv 4x4 on 2",
     {3, 3, 4},
     {2, 4, 2, 1, 1},
     0,
     0,
     add_deconv,
     twin_deconv},
    {"deconv, groups, output padding",
     {4, 2, 3},
     {6, 3, 3, 0, 2},
     2,
     0,
     add_deconv,
     twin_deconv},
    {"deconv 3x3", {2, 5, 4}, {3, 3, 1, 1, 1}, 0, 0, add_deconv, twin_deconv},
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
};

LAYER_TESTS(layers)

static void parameter_gradients_equal_finite_differences(void **state)
{
    (void)state;
    for (size_t i = 0; i < IB_COUNT(layers); i++)
        check_gradients(&layers[i], IB_WRT_PARAMETERS);
}

static void parameter_gradients_add_up_or_overwrite(void **state)
{
    (void)state;
    static struct bench b;
    for (size_t i = 0; i < 12; i++) {
        set_up(&b, &layers[i]);
        assert_true(b.p > 0);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        LAYER_UNIT_TESTS,
        cmocka_unit_test(parameter_gradients_equal_finite_differences),
        cmocka_unit_test(parameter_gradients_add_up_or_overwrite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
