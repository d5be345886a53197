/*
 * How a model is trained: the options that every model shares. The trainer
 * itself: trainer.h.
 */
#ifndef INVBENCH_TRAIN_H
#define INVBENCH_TRAIN_H

#include <invbench/augment.h>
#include <invbench/optim.h>

/* First member of every model's options struct; its rows come from
 * IB_TRAIN_OPTIONS, with the model's own defaults. */
struct ib_train_options {
    int64_t epochs, batch;
    int optimiser;              /* enum ib_optimiser */
    int schedule;               /* enum ib_schedule */
    double rate, warmup, gamma; /* as in struct ib_rate_plan */
    struct ib_ints milestones;  /* percent of a phase's steps */
    double momentum, beta2, epsilon, weight_decay;
    double validation; /* share of the images that is set aside */
    int64_t patience;  /* epochs without a better one; 0: all are run */
    double clip;       /* most L2 norm of a step's gradient; 0: any */
    struct ib_augment augment;
};

/* Rows for a table over `struct tag` whose member `train` comes first. */
#define IB_TRAIN_OPTIONS(tag, epochs, batch, optimiser, rate)                  \
    IB_TRAIN_OPTIONS_WITH(tag, epochs, batch, optimiser, rate, "constant",     \
                          "0", "0")
/* The same with defaults of schedule, weight decay and shift. */
#define IB_TRAIN_OPTIONS_WITH(tag, d_epochs, d_batch, d_optimiser, d_rate,     \
                              d_schedule, d_decay, d_shift)                    \
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
         .value = d_schedule,                                                  \
         .choices = ib_schedule_choices,                                       \
         .offset = offsetof(struct tag, train.schedule),                       \
         .help = "learning rate over the epochs"},                             \
        {.name = "warmup",                                                     \
         .type = IB_REAL,                                                      \
         .value = "0",                                                         \
         .min = 0,                                                             \
         .max = 0.9,                                                           \
         .offset = offsetof(struct tag, train.warmup),                         \
         .help = "share of the steps in which the rate rises; where a cycle "  \
                 "has its top (0: 0.3)"},                                      \
        {.name = "milestones",                                                 \
         .type = IB_INTS,                                                      \
         .value = "[50, 75]",                                                  \
         .min = 1,                                                             \
         .max = 99,                                                            \
         .unit = "percent",                                                    \
         .offset = offsetof(struct tag, train.milestones),                     \
         .help = "of the steps: there the rate is multiplied by gamma"},       \
        {.name = "gamma",                                                      \
         .type = IB_REAL,                                                      \
         .value = "0.1",                                                       \
         .min = 1e-9,                                                          \
         .max = 1,                                                             \
         .offset = offsetof(struct tag, train.gamma),                          \
         .help = "factor of the rate at a milestone"},                         \
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
        {.name = "beta2",                                                      \
         .type = IB_REAL,                                                      \
         .value = "0.999",                                                     \
         .min = 1e-9,                                                          \
         .max = 0.999999,                                                      \
         .offset = offsetof(struct tag, train.beta2),                          \
         .help = "the second moment's decay of adam"},                         \
        {.name = "epsilon",                                                    \
         .type = IB_REAL,                                                      \
         .value = "1e-8",                                                      \
         .min = 1e-16,                                                         \
         .max = 1,                                                             \
         .offset = offsetof(struct tag, train.epsilon),                        \
         .help = "added to the root of adam's second moment"},                 \
        {.name = "weight_decay",                                               \
         .type = IB_REAL,                                                      \
         .value = d_decay,                                                     \
         .min = 0,                                                             \
         .max = 10,                                                            \
         .offset = offsetof(struct tag, train.weight_decay),                   \
         .help = "on weights, not on biases: an L2 penalty, or adamw's own"},  \
        {.name = "clip",                                                       \
         .type = IB_REAL,                                                      \
         .value = "0",                                                         \
         .min = 0,                                                             \
         .max = 1e9,                                                           \
         .offset = offsetof(struct tag, train.clip),                           \
         .help = "most L2 norm of a step's gradient; 0: any"},                 \
        {.name = "validation",                                                 \
         .type = IB_REAL,                                                      \
         .value = "0",                                                         \
         .min = 0,                                                             \
         .max = 0.5,                                                           \
         .offset = offsetof(struct tag, train.validation),                     \
         .help = "share of the training images, drawn by the seed, that is "   \
                 "not trained on; the epoch that does best on them is kept"},  \
        {.name = "patience",                                                   \
         .type = IB_INT,                                                       \
         .value = "0",                                                         \
         .min = 0,                                                             \
         .max = 100000,                                                        \
         .unit = "epochs",                                                     \
         .offset = offsetof(struct tag, train.patience),                       \
         .help = "stop after so many epochs without a better one; 0: never"},  \
        IB_AUGMENT_OPTIONS(tag, train.augment, d_shift)

#endif
