/* The nets that are measured, and what their products cost. */
#include "bench.h"

#include <stdlib.h>
#include <string.h>

#include "text.h"

const char *const ib_bench_op_names[] = {
    [IB_BENCH_CONV] = "conv",
    [IB_BENCH_DENSE] = "dense",
};

double ib_bench_layer_flops(const struct ib_bench_layer *l)
{
    double k = l->conv.kernel, in = (double)ib_shape_size(l->in);
    double out = (double)ib_shape_size(l->out);

    return l->op == IB_BENCH_CONV ? 2 * k * k * l->in.c * out : 2 * in * out;
}

double ib_bench_layer_bytes(const struct ib_bench_layer *l, int n)
{
    double rows = (double)(ib_shape_size(l->in) + ib_shape_size(l->out));
    double weights =
        l->op == IB_BENCH_CONV
            ? (double)l->conv.kernel * l->conv.kernel * l->in.c * l->out.c
            : (double)ib_shape_size(l->in) * (double)ib_shape_size(l->out);

    return 4 * (n * rows + weights);
}

/* --- building, with a note of every product --------------------------------
 */

struct building {
    struct ib_graph *g;
    struct ib_bench_net *b;
};

static bool alike(const struct ib_bench_layer *a,
                  const struct ib_bench_layer *b)
{
    return a->op == b->op && ib_shape_equal(a->in, b->in) &&
           ib_shape_equal(a->out, b->out) && a->first == b->first &&
           memcmp(&a->conv, &b->conv, sizeof(a->conv)) == 0;
}

static void note(struct building *x, struct ib_bench_layer l)
{
    struct ib_bench_net *b = x->b;
    double flops = ib_bench_layer_flops(&l);

    b->forward += flops;
    b->first += l.first ? flops : 0;
    for (int i = 0; i < b->n_layers; i++)
        if (alike(&b->layer[i], &l)) {
            b->layer[i].count++;
            return;
        }
    l.count = 1;
    if (b->n_layers < IB_BENCH_LAYERS)
        b->layer[b->n_layers++] = l;
}

static ib_node conv(struct building *x, ib_node from, struct ib_conv c)
{
    ib_node y = ib_graph_conv2d(x->g, from, c, NULL);

    note(x, (struct ib_bench_layer){.op = IB_BENCH_CONV,
                                    .in = ib_graph_shape(x->g, from),
                                    .out = ib_graph_shape(x->g, y),
                                    .conv = c,
                                    .first = from == x->b->input});
    return y;
}

static ib_node dense(struct building *x, ib_node from, int units)
{
    struct ib_shape in = ib_graph_shape(x->g, from);
    ib_node y = ib_graph_dense(x->g, from, units, NULL);

    note(x, (struct ib_bench_layer){.op = IB_BENCH_DENSE,
                                    .in = {(int)ib_shape_size(in), 1, 1},
                                    .out = ib_graph_shape(x->g, y),
                                    .conv = {.channels = units},
                                    .first = from == x->b->input});
    return y;
}

/* --- the nets ---------------------------------------------------------------
 */

static ib_node build_cnn(struct building *x, ib_node y)
{
    for (int c = 32; c <= 64; c *= 2) {
        y = conv(x, y, (struct ib_conv){.channels = c, .kernel = 3, .pad = 1});
        y = ib_graph_maxpool(x->g, ib_graph_relu(x->g, y), 2, 2);
    }
    y = ib_graph_relu(x->g, dense(x, y, 128));
    return dense(x, y, IB_BENCH_CLASSES);
}

static ib_node build_mlp(struct building *x, ib_node y)
{
    y = ib_graph_sigmoid(x->g, dense(x, y, 3000));
    return dense(x, y, IB_BENCH_CLASSES);
}

static ib_node build_softmax(struct building *x, ib_node y)
{
    return dense(x, y, IB_BENCH_CLASSES);
}

static const struct kind {
    const char *name, *summary;
    struct ib_shape shape;
    ib_node (*build)(struct building *x, ib_node input);
} kinds[] = {
    {"cnn32",
     "conv3x3 32, relu, maxpool, conv3x3 64, relu, maxpool, dense 128, relu, "
     "dense 40",
     {1, 32, 32},
     build_cnn},
    {"cnn64", "the same", {1, 64, 64}, build_cnn},
    {"mlp", "dense 3000, sigmoid, dense 40", {1, 112, 92}, build_mlp},
    {"softmax", "dense 40", {1, 112, 92}, build_softmax},
};

const char *const ib_bench_nets[] = {"cnn32", "cnn64", "mlp", "softmax", NULL};

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
    struct building x = {.g = ib_graph_create(), .b = b};

    if (!x.g || !take_images(b)) {
        ib_graph_free(x.g);
        return ib_error_set(err, IB_E_NOMEM, "bench: no memory for %s",
                            k->name);
    }
    b->input = ib_graph_input(x.g, k->shape, "image");
    b->logits = k->build(&x, b->input);
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
    free(b->pixels);
    free(b->label);
    free(b);
}

double ib_bench_train_flops(const struct ib_bench_net *b)
{
    return IB_BENCH_BATCH * (3 * b->forward - b->first);
}

double ib_bench_gradient_flops(const struct ib_bench_net *b)
{
    return IB_BENCH_ATTACK * 2 * b->forward;
}
