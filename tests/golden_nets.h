/* The nets of tests/golden/make_ops.py, layer by layer in the same order. */
#ifndef INVBENCH_TESTS_GOLDEN_NETS_H
#define INVBENCH_TESTS_GOLDEN_NETS_H

#include <invbench/ops.h>

static inline ib_node there_and_back(struct ib_graph *g, ib_node x)
{
    ib_node y = ib_graph_invconv(g, x, "w");
    ib_node back = ib_graph_invconv_inverse(g, ib_graph_relu(g, y), y, NULL);
    return ib_graph_plus(g, back, ib_graph_invconv_logdet(g, y, NULL));
}

static inline ib_node normed(struct ib_graph *g, ib_node x)
{
    return ib_graph_batchnorm(g, x, (struct ib_norm){0}, NULL);
}

static inline ib_node mlp(struct ib_graph *g, ib_node x)
{
    x = ib_graph_sigmoid(g, ib_graph_dense(g, x, 40, NULL));
    return ib_graph_dense(g, x, 10, NULL);
}

static inline ib_node conv_3x3(struct ib_graph *g, ib_node x, int channels)
{
    struct ib_conv c = {.channels = channels, .kernel = 3, .pad = 1};
    return ib_graph_conv2d(g, x, c, NULL);
}

static inline ib_node cnn(struct ib_graph *g, ib_node x)
{
    x = ib_graph_maxpool(g, ib_graph_relu(g, conv_3x3(g, x, 8)), 2, 2);
    x = ib_graph_maxpool(g, ib_graph_relu(g, conv_3x3(g, x, 16)), 2, 2);
    x = ib_graph_relu(g, ib_graph_dense(g, x, 32, NULL));
    return ib_graph_dense(g, x, 10, NULL);
}

static inline ib_node normed_conv(struct ib_graph *g, ib_node x,
                                  struct ib_conv conv)
{
    conv.no_bias = true;
    return normed(g, ib_graph_conv2d(g, x, conv, NULL));
}

static inline ib_node block(struct ib_graph *g, ib_node x, int channels,
                            int stride)
{
    ib_node y = ib_graph_relu(
        g, normed_conv(g, x, (struct ib_conv){channels, 3, stride, 1}));
    y = normed_conv(g, y, (struct ib_conv){channels, 3, 1, 1});
    if (stride > 1)
        x = normed_conv(g, x, (struct ib_conv){channels, 1, stride, 0});
    return ib_graph_relu(g, ib_graph_plus(g, y, x));
}

static inline ib_node resnet(struct ib_graph *g, ib_node x)
{
    x = ib_graph_relu(g, normed_conv(g, x, (struct ib_conv){6, 3, 1, 1}));
    x = block(g, block(g, x, 6, 1), 8, 2);
    x = ib_graph_dense(g, ib_graph_global_avgpool(g, x), 5, NULL);
    return ib_graph_log_softmax(g, x);
}

static inline ib_node generator(struct ib_graph *g, ib_node z)
{
    struct ib_shape s = {8, 4, 4};
    struct ib_deconv up = {.kernel = 4, .stride = 2, .pad = 1};
    ib_node x = ib_graph_reshape(g, ib_graph_dense(g, z, 128, NULL), s);
    x = ib_graph_relu(g, normed(g, x));
    up.channels = 6;
    up.no_bias = true;
    x = ib_graph_relu(g, normed(g, ib_graph_deconv2d(g, x, up, NULL)));
    up.channels = 3;
    up.no_bias = false;
    return ib_graph_tanh(g, ib_graph_deconv2d(g, x, up, NULL));
}

static inline ib_node discriminator(struct ib_graph *g, const ib_node *in)
{
    const struct ib_conv conv[] = {{6, 3, 1, 1, .spectral = true},
                                   {8, 4, 2, 1, .spectral = true},
                                   {10, 4, 2, 1, .spectral = true}};
    const struct ib_dense last = {.units = 1, .spectral = true};
    ib_node x = in[0];
    for (int i = 0; i < 3; i++)
        x = ib_graph_leaky_relu(g, ib_graph_conv2d(g, x, conv[i], NULL), 0.1);
    x = ib_graph_sum(g, x, IB_OVER_PLANE);
    ib_node y = ib_graph_dense_with(g, x, last, NULL);
    return ib_graph_plus(g, y, ib_graph_projection(g, x, in[1], true, "class"));
}

static inline ib_node autoencoder(struct ib_graph *g, const ib_node *in)
{
    struct ib_conv down = {.channels = 4, .kernel = 4, .stride = 2, .pad = 1};
    ib_node h = ib_graph_silu(g, ib_graph_conv2d(g, in[0], down, NULL));
    ib_node mean = ib_graph_dense(g, h, 6, NULL);
    ib_node spread = ib_graph_dense(g, h, 6, NULL);
    ib_node sigma = ib_graph_exp(g, ib_graph_affine(g, spread, 0.5, 0));
    ib_node z = ib_graph_plus(g, mean, ib_graph_times(g, sigma, in[1]));
    ib_node y = ib_graph_softplus(g, ib_graph_dense(g, z, 144, NULL));
    y = ib_graph_reshape(g, y, (struct ib_shape){4, 6, 6});
    y = conv_3x3(g, ib_graph_upsample(g, y, 2), 1);
    return ib_graph_sigmoid(g, y);
}

#endif
