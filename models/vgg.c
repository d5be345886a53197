/*
 * A small net in the manner of Simonyan, Zisserman, "Very deep convolutional
 * networks for large-scale image recognition", ICLR 2015: stages of 3x3
 * convolutions with relu, 2x2 max pooling after each stage, dense, relu,
 * dropout, dense.
 *
 * Deviations: batch norm after each convolution unless `norm` is false (the
 * usual form since Ioffe, Szegedy, ICML 2015); one hidden dense layer, not two.
 */
#include <invbench/model.h>

#include <stddef.h>

struct vgg_options {
    struct ib_train_options train;
    struct ib_ints channels;
    int64_t convolutions, dense;
    bool norm;
    double dropout;
};

static const struct ib_option options[] = {
    IB_TRAIN_OPTIONS_WITH(vgg_options, "8", "64", "sgd", "0.05", "one-cycle",
                          "0.0005", "2"),
    {.name = "channels",
     .type = IB_INTS,
     .value = "[32, 64, 128]",
     .min = 1,
     .max = 1024,
     .unit = "channels",
     .offset = offsetof(struct vgg_options, channels),
     .help = "width of each stage; pooling halves the image after each"},
    {.name = "convolutions",
     .type = IB_INT,
     .value = "2",
     .min = 1,
     .max = 8,
     .offset = offsetof(struct vgg_options, convolutions),
     .help = "convolutions of each stage"},
    {.name = "dense",
     .type = IB_INT,
     .value = "256",
     .min = 1,
     .max = 65536,
     .unit = "units",
     .offset = offsetof(struct vgg_options, dense),
     .help = "size of the hidden dense layer"},
    {.name = "norm",
     .type = IB_BOOL,
     .value = "true",
     .offset = offsetof(struct vgg_options, norm),
     .help = "batch norm after each convolution"},
    {.name = "dropout",
     .type = IB_REAL,
     .value = "0.5",
     .min = 0,
     .max = 0.95,
     .offset = offsetof(struct vgg_options, dropout),
     .help = "share of the hidden units that a training step drops"},
    {0},
};

static ib_node stage(struct ib_graph *g, ib_node x, const struct vgg_options *o,
                     int channels)
{
    struct ib_conv conv = {
        .channels = channels, .kernel = 3, .pad = 1, .no_bias = o->norm};
    for (int64_t i = 0; i < o->convolutions; i++) {
        x = ib_graph_conv2d(g, x, conv, NULL);
        if (o->norm)
            x = ib_graph_batchnorm(g, x, (struct ib_norm){0}, NULL);
        x = ib_graph_relu(g, x);
    }
    return ib_graph_maxpool(g, x, 2, 2);
}

static enum ib_status build(const void *opaque,
                            const struct ib_model_task *task,
                            struct ib_graph *g, struct ib_model_nodes *nodes,
                            struct ib_error *err)
{
    const struct vgg_options *o = opaque;
    (void)err;
    ib_node input = ib_graph_input(g, task->shape, "image"), x = input;
    for (int i = 0; i < o->channels.n; i++)
        x = stage(g, x, o, (int)o->channels.v[i]);
    x = ib_graph_relu(g, ib_graph_dense(g, x, (int)o->dense, NULL));
    ib_node features = x;
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

const struct ib_model ib_model_vgg = {
    .plugin = {.kind = IB_KIND_MODEL,
               .name = "vgg",
               .summary = "stages of 3x3 convolutions and a hidden dense layer",
               .citation = "Simonyan, Zisserman, Very Deep Convolutional "
                           "Networks for Large-Scale Image Recognition, ICLR "
                           "2015",
               .license = "MIT",
               .version = "1",
               .options = options,
               .options_size = sizeof(struct vgg_options)},
    .family = "convolutional",
    .build = build,
};
