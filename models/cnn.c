/*
 * A small convolutional net in the manner of LeCun et al., "Gradient-based
 * learning applied to document recognition", Proc. IEEE 86(11), 1998, with
 * rectifiers and max pooling: [3x3 convolution, relu, 2x2 max pooling] for each
 * entry of `channels`, then dense, relu, dropout, dense.
 */
#include <invbench/model.h>

#include <stddef.h>

struct cnn_options {
    struct ib_train_options train;
    struct ib_ints channels;
    int64_t dense;
    double dropout;
};

static const struct ib_option options[] = {
    IB_TRAIN_OPTIONS(cnn_options, "3", "64", "adam", "0.002"),
    {.name = "channels",
     .type = IB_INTS,
     .value = "[32, 64]",
     .min = 1,
     .max = 1024,
     .unit = "channels",
     .offset = offsetof(struct cnn_options, channels),
     .help = "output channels of each convolution"},
    {.name = "dense",
     .type = IB_INT,
     .value = "128",
     .min = 1,
     .max = 65536,
     .unit = "units",
     .offset = offsetof(struct cnn_options, dense),
     .help = "size of the hidden dense layer"},
    {.name = "dropout",
     .type = IB_REAL,
     .value = "0.25",
     .min = 0,
     .max = 0.95,
     .offset = offsetof(struct cnn_options, dropout),
     .help = "share of the hidden units that a training step drops"},
    {0},
};

static enum ib_status build(const void *opaque,
                            const struct ib_model_task *task,
                            struct ib_graph *g, struct ib_model_nodes *nodes,
                            struct ib_error *err)
{
    const struct cnn_options *o = opaque;
    (void)err;
    ib_node input = ib_graph_input(g, task->shape, "image"), x = input;
    for (int i = 0; i < o->channels.n; i++) {
        struct ib_conv conv = {
            .channels = (int)o->channels.v[i], .kernel = 3, .pad = 1};
        x = ib_graph_relu(g, ib_graph_conv2d(g, x, conv, NULL));
        x = ib_graph_maxpool(g, x, 2, 2);
    }
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

const struct ib_model ib_model_cnn = {
    .plugin = {.kind = IB_KIND_MODEL,
               .name = "cnn",
               .summary = "small convolutional net",
               .citation = "LeCun, Bottou, Bengio, Haffner, Gradient-Based "
                           "Learning Applied to Document Recognition, Proc. "
                           "IEEE 86(11), 1998",
               .license = "MIT",
               .version = "1",
               .options = options,
               .options_size = sizeof(struct cnn_options)},
    .family = "convolutional",
    .build = build,
};
