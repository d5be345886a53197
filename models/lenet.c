/*
 * LeNet-5: LeCun, Bottou, Bengio, Haffner, "Gradient-based learning applied to
 * document recognition", Proc. IEEE 86(11), 1998, section II.B: 5x5
 * convolutions with 6 and 16 channels, each followed by tanh and 2x2
 * subsampling, then dense layers of 120 and 84 units with tanh.
 *
 * Deviations, those of common practice: plain average pooling without
 * coefficients of its own, every map of the second convolution sees all of the
 * first, a dense layer in the place of the RBF units, plain tanh. The first
 * convolution pads by 2 (28x28 images stand for the paper's 32x32).
 */
#include <invbench/model.h>

#include <stddef.h>

struct lenet_options {
    struct ib_train_options train;
    struct ib_ints channels, dense;
};

static const struct ib_option options[] = {
    IB_TRAIN_OPTIONS(lenet_options, "8", "64", "adam", "0.002"),
    {.name = "channels",
     .type = IB_INTS,
     .value = "[6, 16]",
     .min = 1,
     .max = 1024,
     .unit = "channels",
     .offset = offsetof(struct lenet_options, channels),
     .help = "output channels of each convolution"},
    {.name = "dense",
     .type = IB_INTS,
     .value = "[120, 84]",
     .min = 1,
     .max = 65536,
     .unit = "units",
     .offset = offsetof(struct lenet_options, dense),
     .help = "sizes of the hidden dense layers"},
    {0},
};

static enum ib_status build(const void *opaque,
                            const struct ib_model_task *task,
                            struct ib_graph *g, struct ib_model_nodes *nodes,
                            struct ib_error *err)
{
    const struct lenet_options *o = opaque;
    (void)err;
    ib_node input = ib_graph_input(g, task->shape, "image"), x = input;
    for (int i = 0; i < o->channels.n; i++) {
        struct ib_conv conv = {.channels = (int)o->channels.v[i],
                               .kernel = 5,
                               .pad = i == 0 ? 2 : 0};
        x = ib_graph_tanh(g, ib_graph_conv2d(g, x, conv, NULL));
        x = ib_graph_avgpool(g, x, 2, 2);
    }
    for (int i = 0; i < o->dense.n; i++)
        x = ib_graph_tanh(g, ib_graph_dense(g, x, (int)o->dense.v[i], NULL));
    ib_node z = ib_graph_dense(g, x, task->classes, "logits");
    *nodes = (struct ib_model_nodes){.input = input,
                                     .logits = z,
                                     .features = x,
                                     .code = IB_NONE,
                                     .decoded = IB_NONE};
    return IB_OK;
}

const struct ib_model ib_model_lenet = {
    .plugin = {.kind = IB_KIND_MODEL,
               .name = "lenet",
               .summary = "LeNet-5: two convolutions, average pooling, tanh",
               .citation = "LeCun, Bottou, Bengio, Haffner, Gradient-Based "
                           "Learning Applied to Document Recognition, Proc. "
                           "IEEE 86(11), 1998",
               .license = "MIT",
               .version = "1",
               .options = options,
               .options_size = sizeof(struct lenet_options)},
    .family = "convolutional",
    .build = build,
};
