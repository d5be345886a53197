/*
 * The trainer: data -> batch -> forward -> loss -> rows -> backward -> step,
 * phase after phase. Each of these is a place where a defense may stand in.
 */
#ifndef INVBENCH_TRAINER_H
#define INVBENCH_TRAINER_H

#include <invbench/checkpoint.h>
#include <invbench/images.h>
#include <invbench/losses.h>
#include <invbench/ops.h>
#include <invbench/train.h>

enum ib_loss {
    IB_CROSS_ENTROPY,
    IB_RECONSTRUCTION, /* MSE to the clean input */
    IB_HOOKS_ALONE,    /* nothing but what the hooks add */
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

/* Where training is. */
struct ib_train_place {
    const struct ib_phase *phase;
    int64_t epoch, epochs; /* of this phase, from 0 */
    int64_t step, steps;   /* of this epoch, from 0 */
};

/* A batch before it is run. A hook may change target and input, and may run
 * the net forward and backward with respect to the input (an inner loop). */
struct ib_train_batch {
    size_t n;
    int classes;
    const int32_t *label; /* n */
    ib_real *target;      /* n x classes; one-hot when it arrives */
    ib_real *input;       /* n x D, after augmentation */
    struct ib_net *net;
    ib_node input_node, logits;
    struct ib_train_place at;
    struct ib_rng *rng;
};

/* A batch after its forward run: the gradient of the phase's own loss stands at
 * the output node. */
struct ib_train_loss {
    const struct ib_train_batch *batch;
    struct ib_train_also *also; /* the trainer's */
};
/* Rows of d loss / d x, to be added to. They are 0 at first for an inner node,
 * which must have been given to ib_graph_keep (models' features have). At most
 * IB_TRAIN_ALSO nodes; NULL beyond. */
enum { IB_TRAIN_ALSO = 16 };
ib_real *ib_train_gradient(struct ib_train_loss *l, ib_node x);

/* How much each row counts, from the norm of its own gradient: per-sample
 * clipping as in DP-SGD (Abadi et al., CCS 2016) without a gradient per sample.
 * Needs a loss at the output alone and a net whose rows do not mix. */
struct ib_train_rows {
    size_t n;
    const double *norm; /* n: L2 norm of the gradient of the row's own loss */
    double *weight;     /* n: 1 when they arrive; the rows' losses are
                           multiplied by it before the mean is taken */
};

/* The gradient of the mean over n rows, before the optimiser takes its step. */
struct ib_train_step {
    struct ib_net *net;
    ib_real *gradient; /* as ib_net_parameter_gradients */
    size_t parameters, n;
    struct ib_train_place at;
    struct ib_rng *rng;
};

/* Every function is optional; hooks of a stack run in its order. */
struct ib_train_hook {
    const void *options;
    void (*batch)(const void *options, struct ib_train_batch *b);
    /* Adds to gradients; returns what it adds to the loss. */
    double (*loss)(const void *options, struct ib_train_loss *l);
    void (*rows)(const void *options, struct ib_train_rows *r);
    void (*step)(const void *options, struct ib_train_step *s);
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
    const struct ib_checkpoint *checkpoint; /* NULL: none */
    double *loss; /* out, may be NULL: mean loss of each phase's last epoch;
                     n_phases numbers (one when n_phases is 0) */
};

/* What n_phases 0 stands for: the whole net, by cross-entropy of t->logits. */
struct ib_phase ib_phase_supervised(const struct ib_training *t);

/* Initialises the parameters and trains them. The net must hold min(options.
 * batch, data->n) rows. IB_E_NUMERIC, with phase, epoch, step and layer, when
 * a loss or a parameter is not finite. */
IB_CHECK enum ib_status ib_train(const struct ib_training *t,
                                 struct ib_error *err);

/* Runs 8-bit images through the net in batches. out: n x size of `output`. */
void ib_predict(struct ib_net *net, ib_node input, ib_node output,
                const struct ib_images *images, ib_real *out);

#endif
