/*
 * Stacked denoising autoencoder with a softmax head: Vincent et al., "Stacked
 * denoising autoencoders", JMLR 11, 2010, as the target of Fredrikson, Jha,
 * Ristenpart, CCS 2015, section 5 (hidden layers of 1000 and 300 sigmoid
 * units). The last hidden layer is the code; `decoded` brings a code back to
 * an image, which is how the paper's attack searches in code space.
 *
 * Dense layers see 2 v - 1 of their inputs, which are all in 0..1: the same
 * family of functions, but gradients no longer share one large common part.
 *
 * Phases: each layer is trained to restore its own input from a copy with
 * `mask` of the entries set to 0 (squared error; weights are not tied), then
 * encoder and head on the labels, then the decoder alone, so that it inverts
 * the encoder that the labels have moved. The paper gives neither rates nor
 * epochs; the last phase is ours.
 */
#include <invbench/model.h>

#include <stddef.h>

struct dae_options {
    struct ib_train_options train;
    struct ib_ints hidden;
    double mask;
    int64_t pretrain_epochs, decoder_epochs;
    double pretrain_rate;
};

static const struct ib_option options[] = {
    IB_TRAIN_OPTIONS(dae_options, "15", "20", "adam", "0.001"),
    {.name = "hidden",
     .type = IB_INTS,
     .value = "[1000, 300]",
     .min = 1,
     .max = 65536,
     .unit = "units",
     .offset = offsetof(struct dae_options, hidden),
     .help = "sizes of the encoder's layers; the last is the code"},
    {.name = "mask",
     .type = IB_REAL,
     .value = "0.25",
     .min = 0,
     .max = 0.95,
     .offset = offsetof(struct dae_options, mask),
     .help = "share of a layer's input set to 0 in its pretraining"},
    {.name = "pretrain_epochs",
     .type = IB_INT,
     .value = "10",
     .min = 0,
     .max = 100000,
     .offset = offsetof(struct dae_options, pretrain_epochs),
     .help = "passes over the training split for each layer"},
    {.name = "decoder_epochs",
     .type = IB_INT,
     .value = "5",
     .min = 0,
     .max = 100000,
     .offset = offsetof(struct dae_options, decoder_epochs),
     .help = "passes that fit the decoder to the final encoder"},
    {.name = "pretrain_rate",
     .type = IB_REAL,
     .value = "0.001",
     .min = 1e-9,
     .max = 100,
     .offset = offsetof(struct dae_options, pretrain_rate),
     .help = "learning rate of pretraining and of the decoder"},
    {0},
};

/* As many as leave room for two more phases. */
enum { LAYERS_MAX = IB_PHASES_MAX - 2 };

struct stack {
    ib_node layer[IB_INTS_MAX + 1]; /* 0: image, l: hidden layer l */
    ib_node restored[IB_INTS_MAX];  /* layer l + 1 decoded to layer l */
    ib_node logits, decoded;
};

static size_t size_of(const struct ib_graph *g, ib_node x)
{
    return ib_shape_size(ib_graph_shape(g, x));
}

static ib_node centred(struct ib_graph *g, ib_node x)
{
    return ib_graph_affine(g, x, 2, -1);
}

static ib_node layer(struct ib_graph *g, ib_node x, size_t units)
{
    ib_node z = ib_graph_dense(g, centred(g, x), (int)units, NULL);
    return ib_graph_sigmoid(g, z);
}

static struct stack build_stack(const struct dae_options *o,
                                const struct ib_model_task *task,
                                struct ib_graph *g)
{
    struct stack s = {0};
    int n = o->hidden.n;
    s.layer[0] = ib_graph_input(g, task->shape, "image");
    for (int l = 0; l < n; l++)
        s.layer[l + 1] = layer(g, s.layer[l], (size_t)o->hidden.v[l]);
    s.logits =
        ib_graph_dense(g, centred(g, s.layer[n]), task->classes, "logits");
    for (int l = 0; l < n; l++)
        s.restored[l] = layer(g, s.layer[l + 1], size_of(g, s.layer[l]));
    ib_node x = s.restored[n - 1];
    for (int l = n - 2; l >= 0; l--)
        x = ib_graph_sigmoid(g, ib_graph_dense_shared(g, centred(g, x),
                                                      s.restored[l] - 1, NULL));
    s.decoded = ib_graph_reshape(g, x, task->shape);
    return s;
}

static enum ib_status build(const void *opaque,
                            const struct ib_model_task *task,
                            struct ib_graph *g, struct ib_model_nodes *nodes,
                            struct ib_error *err)
{
    const struct dae_options *o = opaque;
    if (o->hidden.n < 1 || o->hidden.n > LAYERS_MAX)
        return ib_error_set(err, IB_E_USAGE,
                            "dae: hidden names %d layers (allowed: 1 to %d)",
                            o->hidden.n, LAYERS_MAX);
    struct stack s = build_stack(o, task, g);
    ib_node code = s.layer[o->hidden.n];
    *nodes = (struct ib_model_nodes){.input = s.layer[0],
                                     .logits = s.logits,
                                     .features = code,
                                     .code = code,
                                     .decoded = s.decoded};
    return IB_OK;
}

/* With SGD the rate is that of the sum of squared errors of a row, so that it
 * does not depend on the row's length; Adam's never does. */
static double rate_for(const struct dae_options *o, const struct ib_graph *g,
                       ib_node restored)
{
    double scale =
        o->train.optimiser == IB_SGD ? (double)size_of(g, restored) : 1;
    return o->pretrain_rate * scale;
}

/* Nodes come in threes (centred, dense, sigmoid): layer l is node 3 l, and
 * layer l restored is node logits + 3 (l + 1). */
static struct ib_phase denoising(const struct dae_options *o,
                                 const struct ib_model_nodes *nodes,
                                 const struct ib_graph *g, int l)
{
    static const char *const names[LAYERS_MAX] = {
        "layer 1",  "layer 2",  "layer 3",  "layer 4", "layer 5",
        "layer 6",  "layer 7",  "layer 8",  "layer 9", "layer 10",
        "layer 11", "layer 12", "layer 13", "layer 14"};
    return (struct ib_phase){.name = names[l],
                             .input = 3 * l,
                             .output = nodes->logits + 3 * (l + 1),
                             .first = IB_NONE,
                             .last = IB_NONE,
                             .loss = IB_RECONSTRUCTION,
                             .epochs = o->pretrain_epochs,
                             .rate = rate_for(o, g, 3 * l),
                             .mask = o->mask};
}

static int phases(const void *opaque, const struct ib_model_nodes *nodes,
                  const struct ib_graph *g, struct ib_phase *phase)
{
    const struct dae_options *o = opaque;
    int count = 0;
    for (int l = 0; l < o->hidden.n && o->pretrain_epochs > 0; l++)
        phase[count++] = denoising(o, nodes, g, l);
    phase[count++] = (struct ib_phase){.name = "labels",
                                       .input = IB_NONE,
                                       .output = nodes->logits,
                                       .first = IB_NONE,
                                       .last = IB_NONE,
                                       .loss = IB_CROSS_ENTROPY,
                                       .epochs = o->train.epochs,
                                       .rate = o->train.rate};
    if (o->decoder_epochs == 0)
        return count;
    phase[count++] = (struct ib_phase){.name = "decoder",
                                       .input = IB_NONE,
                                       .output = nodes->decoded,
                                       .first = nodes->logits + 1,
                                       .last = nodes->decoded,
                                       .loss = IB_RECONSTRUCTION,
                                       .epochs = o->decoder_epochs,
                                       .rate = rate_for(o, g, nodes->input)};
    return count;
}

const struct ib_model ib_model_dae = {
    .plugin = {.kind = IB_KIND_MODEL,
               .name = "dae",
               .summary = "stacked denoising autoencoder with a softmax head",
               .citation = "Vincent, Larochelle, Lajoie, Bengio, Manzagol, "
                           "Stacked Denoising Autoencoders, JMLR 11, 2010",
               .license = "MIT",
               .version = "1",
               .options = options,
               .options_size = sizeof(struct dae_options)},
    .family = "mlp",
    .build = build,
    .phases = phases,
};
