/*
 * The trainer: data -> batch (hooks) -> loss -> step, phase after phase.
 */
#ifndef INVBENCH_TRAIN_H
#define INVBENCH_TRAIN_H

#include <invbench/images.h>
#include <invbench/losses.h>
#include <invbench/ops.h>

enum ib_optimiser { IB_SGD, IB_ADAM };
enum ib_schedule { IB_CONSTANT, IB_COSINE };

/* First member of every model's options struct; its rows come from
 * IB_TRAIN_OPTIONS, with the model's own defaults. */
struct ib_train_options {
    int64_t epochs, batch;
    int optimiser; /* enum ib_optimiser */
    int schedule;  /* enum ib_schedule */
    double rate, momentum, weight_decay;
    int64_t shift; /* augmentation: random shift by up to this many pixels */
    bool flip;     /* augmentation: random horizontal flip */
};

extern const struct ib_choice ib_optimiser_choices[];
extern const struct ib_choice ib_schedule_choices[];

/* Rows for a table over `struct tag` whose member `train` comes first. */
#define IB_TRAIN_OPTIONS(tag, d_epochs, d_batch, d_optimiser, d_rate)          \
    {.name = "epochs",                                                         \
     .type = IB_INT,                                                           \
     .value = d_epochs,                                                        \
     .min = 1,                                                                 \
     .max = 100000,                                                            \
     .offset = offsetof(struct tag, train.epochs),                             \
     .help = "passes over the training split"},                                \
        {.name = "batch",                                                      \
         .type = IB_INT,                                                       \
         .value = d_batch,                                                     \
         .min = 1,                                                             \
         .max = 4096,                                                          \
         .offset = offsetof(struct tag, train.batch),                          \
         .unit = "images",                                                     \
         .help = "rows of one step"},                                          \
        {.name = "optimiser",                                                  \
         .type = IB_CHOICE,                                                    \
         .value = d_optimiser,                                                 \
         .choices = ib_optimiser_choices,                                      \
         .offset = offsetof(struct tag, train.optimiser),                      \
         .help = "how a gradient becomes a step"},                             \
        {.name = "schedule",                                                   \
         .type = IB_CHOICE,                                                    \
         .value = "constant",                                                  \
         .choices = ib_schedule_choices,                                       \
         .offset = offsetof(struct tag, train.schedule),                       \
         .help = "learning rate over the epochs"},                             \
        {.name = "rate",                                                       \
         .type = IB_REAL,                                                      \
         .value = d_rate,                                                      \
         .min = 1e-9,                                                          \
         .max = 100,                                                           \
         .offset = offsetof(struct tag, train.rate),                           \
         .help = "learning rate"},                                             \
        {.name = "momentum",                                                   \
         .type = IB_REAL,                                                      \
         .value = "0.9",                                                       \
         .min = 0,                                                             \
         .max = 0.9999,                                                        \
         .offset = offsetof(struct tag, train.momentum),                       \
         .help = "momentum of sgd; the first moment's decay of adam"},         \
        {.name = "weight_decay",                                               \
         .type = IB_REAL,                                                      \
         .value = "0",                                                         \
         .min = 0,                                                             \
         .max = 10,                                                            \
         .offset = offsetof(struct tag, train.weight_decay),                   \
         .help = "L2 penalty on weights (not on biases)"},                     \
        {.name = "shift",                                                      \
         .type = IB_INT,                                                       \
         .value = "0",                                                         \
         .min = 0,                                                             \
         .max = 64,                                                            \
         .unit = "pixels",                                                     \
         .offset = offsetof(struct tag, train.shift),                          \
         .help = "augmentation: random shift, edges repeated"},                \
    {                                                                          \
        .name = "flip", .type = IB_BOOL, .value = "false",                     \
        .offset = offsetof(struct tag, train.flip),                            \
        .help = "augmentation: random mirror image"                            \
    }

enum ib_loss {
    IB_CROSS_ENTROPY,
    IB_RECONSTRUCTION /* MSE to the clean input */
};

/* One stretch of training: those parameters of nodes first..last move that lie
 * between `input` and `output`; the loss is taken at `output`. A
 * reconstruction compares `output` with the clean value of `input`, from an
 * input with `mask` of its entries set to 0. */
struct ib_phase {
    const char *name;
    ib_node input, output; /* input: IB_NONE = the net's input node */
    ib_node first, last;   /* IB_NONE, IB_NONE: all parameters */
    enum ib_loss loss;
    int64_t epochs;
    double rate;
    double mask; /* 0..1 */
};

/* What a training-time defense sees and may change before each step. */
struct ib_train_batch {
    size_t n;
    int classes;
    const int32_t *label;  /* n */
    ib_real *target;       /* n x classes; one-hot when it arrives */
    ib_real *input;        /* n x D, after augmentation */
    int64_t epoch, epochs; /* of this phase, from 0 */
    struct ib_rng *rng;
};

struct ib_train_hook {
    void (*batch)(const void *options, struct ib_train_batch *b);
    const void *options;
};

struct ib_training {
    struct ib_net *net;
    ib_node input, logits;
    const struct ib_images *data; /* identity = label, 0..classes-1 */
    int classes;
    struct ib_train_options options;
    const struct ib_phase *phases; /* n_phases 0: one supervised phase */
    int n_phases;
    const struct ib_train_hook *hooks; /* in stack order */
    int n_hooks;
    uint64_t seed;
    const char *role; /* of the RNG streams: "target", "evaluator-0" */
    struct ib_reporter *reporter;
    double *loss; /* out, may be NULL: mean loss of each phase's last epoch;
                     n_phases numbers (one when n_phases is 0) */
};

/* Initialises the parameters and trains them. The net must hold min(options.
 * batch, data->n) rows. IB_E_NUMERIC, with phase, epoch, step and layer, when
 * a loss or a parameter is not finite. */
IB_CHECK enum ib_status ib_train(const struct ib_training *t,
                                 struct ib_error *err);

/* Runs 8-bit images through the net in batches. logits: n x K; features:
 * n x F or NULL (node = IB_NONE). */
void ib_predict(struct ib_net *net, ib_node input, ib_node output,
                const struct ib_images *images, ib_real *out);

#endif
