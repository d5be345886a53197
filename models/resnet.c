/*
 * Residual net of basic blocks, in the form that He, Zhang, Ren, Sun, "Deep
 * residual learning for image recognition", CVPR 2016, section 4.2 use on small
 * images: 3x3 convolution, batch norm, relu; stages of basic blocks (two 3x3
 * convolutions with batch norm and a shortcut); average over the image; dense.
 * The first block of every stage but the first halves the image.
 *
 * Deviations: the shortcut of a halving block is a 1x1 convolution with batch
 * norm (the paper's option B, there used on ImageNet), as official code for
 * small images does today; widths are free.
 */
#include <invbench/model.h>

#include <stddef.h>

struct resnet_options {
    struct ib_train_options train;
    struct ib_ints channels;
    int64_t blocks;
    double dropout;
};

static const struct ib_option options[] = {
    IB_TRAIN_OPTIONS_WITH(resnet_options, "5", "64", "sgd", "0.1", "one-cycle",
                          "0.0005", "2"),
    {.name = "channels",
     .type = IB_INTS,
     .value = "[16, 32, 64]",
     .min = 1,
     .max = 1024,
     .unit = "channels",
     .offset = offsetof(struct resnet_options, channels),
     .help = "width of each stage; every stage but the first halves the image"},
    {.name = "blocks",
     .type = IB_INT,
     .value = "2",
     .min = 1,
     .max = 32,
     .unit = "blocks",
     .offset = offsetof(struct resnet_options, blocks),
     .help = "basic blocks of each stage"},
    {.name = "dropout",
     .type = IB_REAL,
     .value = "0",
     .min = 0,
     .max = 0.95,
     .offset = offsetof(struct resnet_options, dropout),
     .help = "share of the features that a training step drops"},
    {0},
};

/* Convolution without bias, then batch norm. */
static ib_node conv_norm(struct ib_graph *g, ib_node x, struct ib_conv conv)
{
    conv.no_bias = true;
    x = ib_graph_conv2d(g, x, conv, NULL);
    return ib_graph_batchnorm(g, x, (struct ib_norm){0}, NULL);
}

static ib_node basic_block(struct ib_graph *g, ib_node x, int channels,
                           int stride)
{
    struct ib_conv first = {
        .channels = channels, .kernel = 3, .stride = stride, .pad = 1};
    struct ib_conv second = {.channels = channels, .kernel = 3, .pad = 1};
    struct ib_conv cut = {.channels = channels, .kernel = 1, .stride = stride};
    ib_node shortcut = x;
    if (stride != 1 || ib_graph_shape(g, x).c != channels)
        shortcut = conv_norm(g, x, cut);
    ib_node y = ib_graph_relu(g, conv_norm(g, x, first));
    y = ib_graph_plus(g, conv_norm(g, y, second), shortcut);
    return ib_graph_relu(g, y);
}

static enum ib_status build(const void *opaque,
                            const struct ib_model_task *task,
                            struct ib_graph *g, struct ib_model_nodes *nodes,
                            struct ib_error *err)
{
    const struct resnet_options *o = opaque;
    struct ib_conv stem = {
        .channels = (int)o->channels.v[0], .kernel = 3, .pad = 1};
    (void)err;
    ib_node input = ib_graph_input(g, task->shape, "image");
    ib_node x = ib_graph_relu(g, conv_norm(g, input, stem));
    for (int stage = 0; stage < o->channels.n; stage++)
        for (int64_t block = 0; block < o->blocks; block++)
            x = basic_block(g, x, (int)o->channels.v[stage],
                            stage > 0 && block == 0 ? 2 : 1);
    ib_node features = x = ib_graph_global_avgpool(g, x);
    if (o->dropout > 0)
        x = ib_graph_dropout(g, x, o->dropout);
    ib_node z = ib_graph_dense(g, x, task->classes, "logits");
    *nodes = (struct ib_model_nodes){.input = input,
                                     .logits = z,
                                     .features = features,
                                     .code = IB_NONE,
                                     .decoded = IB_NONE};
    return IB_OK;
}

const struct ib_model ib_model_resnet = {
    .plugin = {.kind = IB_KIND_MODEL,
               .name = "resnet",
               .summary = "residual net of basic blocks with batch norm",
               .citation = "He, Zhang, Ren, Sun, Deep Residual Learning for "
                           "Image Recognition, CVPR 2016",
               .license = "MIT",
               .version = "1",
               .options = options,
               .options_size = sizeof(struct resnet_options)},
    .family = "residual",
    .build = build,
};
