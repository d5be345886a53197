/*
 * The model kind: one architecture per file. See models/softmax.c.
 */
#ifndef INVBENCH_MODEL_H
#define INVBENCH_MODEL_H

#include <invbench/trainer.h>

struct ib_model_task {
    struct ib_shape shape;
    int classes;
};

/* Nodes by which others address a model; IB_NONE where it has none. */
struct ib_model_nodes {
    ib_node input;
    ib_node logits;
    ib_node features; /* penultimate; the input of the last dense layer */
    ib_node code;     /* a latent space that the model itself decodes, ... */
    ib_node decoded;  /* ... computed from `code`; shape of the input */
};

enum { IB_PHASES_MAX = 16 };

struct ib_model {
    struct ib_plugin plugin; /* options struct starts with ib_train_options */
    const char *family;      /* "linear", "mlp", "convolutional": a target is
                                judged by evaluators of other families */
    /* Required. Adds the nodes; shape errors stick to the graph. */
    enum ib_status (*build)(const void *options,
                            const struct ib_model_task *task,
                            struct ib_graph *g, struct ib_model_nodes *nodes,
                            struct ib_error *err);
    /* Optional: fills phases, returns how many (0: one supervised phase). */
    int (*phases)(const void *options, const struct ib_model_nodes *nodes,
                  const struct ib_graph *g, struct ib_phase *phases);
};

#endif
