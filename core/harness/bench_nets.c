/* The nets that are measured, and what their products cost. */
#include "bench_parts.h"

#include <stdlib.h>
#include <string.h>

#include "text.h"

const char *const ib_bench_op_names[] = {
    [IB_BENCH_CONV] = "conv",
    [IB_BENCH_DECONV] = "deconv",
    [IB_BENCH_DENSE] = "dense",
};

static double weights(const struct ib_bench_layer *l)
{
    double k = l->conv.kernel, in = (double)ib_shape_size(l->in);

    return l->op == IB_BENCH_DENSE ? in * l->out.c : k * k * l->in.c * l->out.c;
}

double ib_bench_layer_flops(const struct ib_bench_layer *l)
{
    struct ib_shape s = l->op == IB_BENCH_DECONV ? l->in : l->out;

    return l->op == IB_BENCH_DENSE ? 2 * weights(l)
                                   : 2 * weights(l) * s.h * s.w;
}

double ib_bench_layer_bytes(const struct ib_bench_layer *l, int n)
{
    double rows = (double)(ib_shape_size(l->in) + ib_shape_size(l->out));

    return 4 * (n * rows + weights(l));
}

/* --- building, with a note of every product --------------------------------
 */

static bool alike(const struct ib_bench_layer *a,
                  const struct ib_bench_layer *b)
{
    return a->op == b->op && ib_shape_equal(a->in, b->in) &&
           ib_shape_equal(a->out, b->out) && a->first == b->first &&
           memcmp(&a->conv, &b->conv, sizeof(a->conv)) == 0;
}

static void note(struct ib_bench_building *x, struct ib_bench_layer l)
{
    struct ib_bench_net *b = x->b;
    double flops = ib_bench_layer_flops(&l);

    x->forward += flops;
    x->first += l.first ? flops : 0;
    for (int i = 0; i < b->n_layers; i++)
        if (alike(&b->layer[i], &l)) {
            b->layer[i].count++;
            return;
        }
    l.count = 1;
    if (b->n_layers < IB_BENCH_LAYERS)
        b->layer[b->n_layers++] = l;
}

ib_node ib_bench_conv(struct ib_bench_building *x, ib_node from,
                      struct ib_conv c)
{
    ib_node y = ib_graph_conv2d(x->g, from, c, NULL);

    note(x, (struct ib_bench_layer){.op = IB_BENCH_CONV,
                                    .in = ib_graph_shape(x->g, from),
                                    .out = ib_graph_shape(x->g, y),
                                    .conv = c,
                                    .first = from == x->input});
    return y;
}

ib_node ib_bench_deconv(struct ib_bench_building *x, ib_node from,
                        struct ib_conv c)
{
    struct ib_deconv d = {.channels = c.channels,
                          .kernel = c.kernel,
                          .stride = c.stride,
                          .pad = c.pad,
                          .no_bias = c.no_bias};
    ib_node y = ib_graph_deconv2d(x->g, from, d, NULL);

    note(x, (struct ib_bench_layer){.op = IB_BENCH_DECONV,
                                    .in = ib_graph_shape(x->g, from),
                                    .out = ib_graph_shape(x->g, y),
                                    .conv = c,
                                    .first = from == x->input});
    return y;
}

ib_node ib_bench_dense(struct ib_bench_building *x, ib_node from, int units)
{
    struct ib_shape in = ib_graph_shape(x->g, from);
    ib_node y = ib_graph_dense(x->g, from, units, NULL);

    note(x, (struct ib_bench_layer){.op = IB_BENCH_DENSE,
                                    .in = {(int)ib_shape_size(in), 1, 1},
                                    .out = ib_graph_shape(x->g, y),
                                    .conv = {.channels = units},
                                    .first = from == x->input});
    return y;
}

/* --- the nets ---------------------------------------------------------------
 */

static ib_node build_cnn(struct ib_bench_building *x, ib_node y)
{
    for (int c = 32; c <= 64; c *= 2) {
        y = ib_bench_conv(
            x, y, (struct ib_conv){.channels = c, .kernel = 3, .pad = 1});
        y = ib_graph_maxpool(x->g, ib_graph_relu(x->g, y), 2, 2);
    }
    y = ib_graph_relu(x->g, ib_bench_dense(x, y, 128));
    return ib_bench_dense(x, y, IB_BENCH_CLASSES);
}

static ib_node build_mlp(struct ib_bench_building *x, ib_node y)
{
    y = ib_graph_sigmoid(x->g, ib_bench_dense(x, y, 3000));
    return ib_bench_dense(x, y, IB_BENCH_CLASSES);
}

static ib_node build_softmax(struct ib_bench_building *x, ib_node y)
{
    return ib_bench_dense(x, y, IB_BENCH_CLASSES);
}

static ib_node conv_norm(struct ib_bench_building *x, ib_node y, int channels,
                         int kernel, int stride)
{
    struct ib_conv c = {.channels = channels,
                        .kernel = kernel,
                        .stride = stride,
                        .pad = kernel / 2,
                        .no_bias = true};

    return ib_graph_batchnorm(x->g, ib_bench_conv(x, y, c), (struct ib_norm){0},
                              NULL);
}

/* As models/resnet.c does by default: eight basic blocks. */
static ib_node build_resnet(struct ib_bench_building *x, ib_node y)
{
    y = ib_graph_relu(x->g, conv_norm(x, y, 16, 3, 1));
    for (int block = 0; block < 8; block++) {
        int channels = 16 << block / 2;
        int stride = block > 0 && block % 2 == 0 ? 2 : 1;
        ib_node cut = stride == 1 ? y : conv_norm(x, y, channels, 1, stride);

        y = ib_graph_relu(x->g, conv_norm(x, y, channels, 3, stride));
        y = ib_graph_plus(x->g, conv_norm(x, y, channels, 3, 1), cut);
        y = ib_graph_relu(x->g, y);
    }
    return ib_bench_dense(x, ib_graph_global_avgpool(x->g, y),
                          IB_BENCH_CLASSES);
}

static const struct kind {
    const char *name, *summary;
    struct ib_shape shape;
    ib_node (*build)(struct ib_bench_building *x,
                     ib_node input); /* NULL: GAN */
} kinds[] = {
    {"cnn32", "two 3x3 convolutions, two dense", {1, 32, 32}, build_cnn},
    {"cnn64", "the same", {1, 64, 64}, build_cnn},
    {"mlp", "dense 3000, sigmoid, dense 40", {1, 112, 92}, build_mlp},
    {"softmax", "dense 40", {1, 112, 92}, build_softmax},
    {"resnet", "8 basic blocks, batch norm", {3, 32, 32}, build_resnet},
    {"dcgan", "step of both nets", {3, 64, 64}, NULL},
};

const char *const ib_bench_nets[] = {"cnn32",  "cnn64", "mlp", "softmax",
                                     "resnet", "dcgan", NULL};

static const struct kind *find(const char *name, struct ib_error *err)
{
    struct ib_text hint = {0};

    for (size_t i = 0; i < IB_COUNT(kinds); i++)
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    ib_text_suggest(&hint, name, ib_bench_nets);
    ib_error_set(err, IB_E_USAGE, "--net: there is no net \"%.40s\"%s", name,
                 ib_text_string(&hint));
    ib_text_free(&hint);
    return NULL;
}

static bool take_images(struct ib_bench_net *b)
{
    size_t d = ib_shape_size(b->shape);
    size_t n = (IB_BENCH_STEPS + 2) * IB_BENCH_BATCH;
    struct ib_rng rng = ib_rng_stream(1, "bench", -1, "images");

    b->pixels = malloc(n * d);
    b->label = malloc(n * sizeof(*b->label));
    if (!b->pixels || !b->label)
        return false;
    for (size_t i = 0; i < n * d; i++)
        b->pixels[i] = (uint8_t)(ib_rng_u32(&rng) >> 24);
    for (size_t i = 0; i < n; i++)
        b->label[i] = (int32_t)ib_rng_below(&rng, IB_BENCH_CLASSES);
    return true;
}

static enum ib_status build(struct ib_bench_net *b, const struct kind *k,
                            struct ib_error *err)
{
    struct ib_bench_building x = {.b = b};

    if (!take_images(b))
        return ib_error_set(err, IB_E_NOMEM, "bench: no memory for %s",
                            k->name);
    if (!k->build)
        return ib_bench_gan_create(b, err);
    x.g = ib_graph_create();
    if (!x.g)
        return ib_error_set(err, IB_E_NOMEM, "bench: no memory for %s",
                            k->name);
    x.input = b->input = ib_graph_input(x.g, k->shape, "image");
    b->logits = k->build(&x, b->input);
    b->forward = x.forward;
    b->first = x.first;
    b->train_flops = IB_BENCH_BATCH * (3 * x.forward - x.first);
    b->gradient_flops = IB_BENCH_ATTACK * 2 * x.forward;
    return ib_net_create(&b->net, x.g, IB_BENCH_BATCH, err);
}

enum ib_status ib_bench_net_create(struct ib_bench_net **out, const char *name,
                                   struct ib_pool *pool, struct ib_error *err)
{
    const struct kind *k = find(name, err);
    struct ib_bench_net *b;
    enum ib_status s;

    *out = NULL;
    if (!k)
        return IB_E_USAGE;
    b = calloc(1, sizeof(*b));
    if (!b)
        return ib_error_set(err, IB_E_NOMEM, "bench: no memory");
    b->name = k->name;
    b->summary = k->summary;
    b->shape = k->shape;
    b->pool = pool;
    s = build(b, k, err);
    if (!s)
        s = ib_net_use_pool(b->net, pool, err);
    if (!s && b->gan)
        s = ib_net_use_pool(ib_bench_gan_critic(b->gan), pool, err);
    if (s) {
        ib_bench_net_free(b);
        return s;
    }
    *out = b;
    return IB_OK;
}

void ib_bench_net_free(struct ib_bench_net *b)
{
    if (!b)
        return;
    ib_net_free(b->net);
    ib_bench_gan_free(b->gan);
    free(b->pixels);
    free(b->label);
    free(b);
}

size_t ib_bench_parameters(const struct ib_bench_net *b)
{
    size_t n = ib_net_parameter_count(b->net);

    return b->gan ? n + ib_net_parameter_count(ib_bench_gan_critic(b->gan)) : n;
}

void ib_bench_init(struct ib_bench_net *b, float *out)
{
    struct ib_rng rng = ib_rng_stream(1, "bench", -1, "init");
    size_t n = ib_net_parameter_count(b->net);

    ib_net_init(b->net, &rng);
    if (out)
        memcpy(out, ib_net_parameters(b->net), n * sizeof(*out));
    if (!b->gan)
        return;
    struct ib_net *critic = ib_bench_gan_critic(b->gan);
    ib_net_init(critic, &rng);
    if (out)
        memcpy(out + n, ib_net_parameters(critic),
               ib_net_parameter_count(critic) * sizeof(*out));
    ib_bench_gan_reset(b);
}

void ib_bench_input(struct ib_bench_net *b, float *out, int rows)
{
    size_t d = ib_shape_size(ib_graph_shape(ib_net_graph(b->net), b->input));

    if (b->gan)
        memcpy(out, ib_bench_gan_noise(b->gan),
               (size_t)rows * d * sizeof(*out));
    else
        ib_image_to_float(b->pixels, (size_t)rows * d, out);
}
