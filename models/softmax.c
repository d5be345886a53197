/*
 * Multinomial logistic regression: one dense layer from pixels to logits.
 *
 * The "softmax regression" of Fredrikson, Jha, Ristenpart, CCS 2015, section 5.
 * The paper gives no optimiser; here Adam.
 */
#include <invbench/model.h>

#include <stddef.h>

struct softmax_options {
    struct ib_train_options train;
};

static const struct ib_option options[] = {
    IB_TRAIN_OPTIONS(softmax_options, "30", "32", "adam", "0.001"),
    {0},
};

static enum ib_status build(const void *opaque,
                            const struct ib_model_task *task,
                            struct ib_graph *g, struct ib_model_nodes *nodes,
                            struct ib_error *err)
{
    (void)opaque;
    (void)err;
    ib_node x = ib_graph_input(g, task->shape, "image");
    ib_node z = ib_graph_dense(g, x, task->classes, "logits");
    *nodes = (struct ib_model_nodes){.input = x,
                                     .logits = z,
                                     .features = x,
                                     .code = IB_NONE,
                                     .decoded = IB_NONE};
    return IB_OK;
}

const struct ib_model ib_model_softmax = {
    .plugin = {.kind = IB_KIND_MODEL,
               .name = "softmax",
               .summary = "softmax regression on pixels",
               .citation = "Fredrikson, Jha, Ristenpart, Model Inversion "
                           "Attacks that Exploit Confidence Information and "
                           "Basic Countermeasures, CCS 2015",
               .license = "MIT",
               .version = "1",
               .options = options,
               .options_size = sizeof(struct softmax_options)},
    .family = "linear",
    .build = build,
};
