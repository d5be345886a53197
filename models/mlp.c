/*
 * Multilayer perceptron: dense layers with one activation, then a dense layer
 * to the logits.
 *
 * Fredrikson, Jha, Ristenpart, CCS 2015, section 5 use one hidden layer of
 * 3000 sigmoid units on 92 x 112 photographs (hidden [3000]). The paper gives
 * no optimiser; here SGD with momentum from Glorot-uniform weights. With
 * `centre` (not in the paper) dense layers see 2 v - 1 of values in 0..1: the
 * same family of functions, but gradients no longer share one large common
 * part. (Ten epochs on 5 photographs of each of 40 people of ORL: 80 % error
 * without it, under 10 % with it.)
 */
#include <invbench/model.h>

#include <stddef.h>

enum activation { SIGMOID, RELU, TANH };

struct mlp_options {
    struct ib_train_options train;
    struct ib_ints hidden;
    int activation;
    double dropout;
    bool centre;
};

static const struct ib_choice activations[] = {
    [SIGMOID] = {"sigmoid", "1 / (1 + exp(-x))"},
    [RELU] = {"relu", "max(0, x)"},
    [TANH] = {"tanh", "hyperbolic tangent"},
    {0},
};

static const struct ib_option options[] = {
    IB_TRAIN_OPTIONS(mlp_options, "10", "20", "sgd", "0.01"),
    {.name = "hidden",
     .type = IB_INTS,
     .value = "[256]",
     .min = 1,
     .max = 65536,
     .unit = "units",
     .offset = offsetof(struct mlp_options, hidden),
     .help = "sizes of the hidden layers"},
    {.name = "activation",
     .type = IB_CHOICE,
     .value = "sigmoid",
     .choices = activations,
     .offset = offsetof(struct mlp_options, activation),
     .help = "what follows each hidden layer"},
    {.name = "dropout",
     .type = IB_REAL,
     .value = "0",
     .min = 0,
     .max = 0.95,
     .offset = offsetof(struct mlp_options, dropout),
     .help = "share of the last hidden units that a training step drops"},
    {.name = "centre",
     .type = IB_BOOL,
     .value = "true",
     .offset = offsetof(struct mlp_options, centre),
     .help = "dense layers see 2 x - 1 of values that lie in 0..1"},
    {0},
};

static ib_node activate(struct ib_graph *g, ib_node x, int activation)
{
    switch ((enum activation)activation) {
    case RELU:
        return ib_graph_relu(g, x);
    case TANH:
        return ib_graph_tanh(g, x);
    case SIGMOID:
        break;
    }
    return ib_graph_sigmoid(g, x);
}

static enum ib_status build(const void *opaque,
                            const struct ib_model_task *task,
                            struct ib_graph *g, struct ib_model_nodes *nodes,
                            struct ib_error *err)
{
    const struct mlp_options *o = opaque;
    (void)err;
    ib_node input = ib_graph_input(g, task->shape, "image");
    ib_node x = o->centre ? ib_graph_affine(g, input, 2, -1) : input;
    ib_node features = input;
    for (int i = 0; i < o->hidden.n; i++) {
        x = ib_graph_dense(g, x, (int)o->hidden.v[i], NULL);
        features = x = activate(g, x, o->activation);
        if (o->centre && o->activation == SIGMOID)
            x = ib_graph_affine(g, x, 2, -1);
    }
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

const struct ib_model ib_model_mlp = {
    .plugin = {.kind = IB_KIND_MODEL,
               .name = "mlp",
               .summary = "multilayer perceptron",
               .citation = "Fredrikson, Jha, Ristenpart, Model Inversion "
                           "Attacks that Exploit Confidence Information and "
                           "Basic Countermeasures, CCS 2015",
               .license = "MIT",
               .version = "1",
               .options = options,
               .options_size = sizeof(struct mlp_options)},
    .family = "mlp",
    .build = build,
};
