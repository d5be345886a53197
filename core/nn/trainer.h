/* Inside the trainer: what train.c (phases, epochs) and train_step.c share. */
#ifndef INVBENCH_NN_TRAINER_H
#define INVBENCH_NN_TRAINER_H

#include "node.h"

#include <invbench/optim.h>
#include <invbench/trainer.h>

/* Inner nodes at which hooks have put a gradient in this step. */
struct ib_train_also {
    struct ib_net *net;
    ib_node output;
    size_t n; /* rows */
    ib_node node[IB_TRAIN_ALSO];
    int count;
};

struct ib_trainer {
    const struct ib_training *t;
    struct ib_phase whole; /* what n_phases = 0 stands for */
    const struct ib_phase *phases;
    int n_phases;
    bool weighs_rows;   /* a hook has `rows` */
    size_t n, d, batch; /* images, pixels, rows of a step */
    size_t n_valid;     /* images set aside; order[n..] */
    struct ib_scratch *memory;
    uint32_t *order;       /* n + n_valid */
    int32_t *label;        /* batch */
    ib_real *target;       /* batch x classes */
    ib_real *clean;        /* batch x the largest input to be reconstructed */
    double *norm, *weight; /* batch */
    ib_real *saved;        /* batch x the largest output, when weighing rows */
    struct ib_draw *draw;  /* batch */
    uint8_t *draw_scratch; /* threads x draw_bytes */
    size_t draw_bytes;
    uint8_t *path;    /* nodes */
    ib_real *moments; /* of the optimiser */
    size_t moments_size;
    struct ib_optim optim;
    struct ib_rng order_rng, augment_rng, dropout_rng, mask_rng, *hook_rng;
    int64_t done, total; /* epochs */
    /* Where a checkpoint stands: phase, epoch, step, sum of losses. */
    struct ib_train_cursor {
        int64_t phase, epoch, step;
        double loss;    /* sum over rows of this epoch */
        double best;    /* validation loss of the epoch that is kept */
        int64_t waited; /* epochs since then */
    } at;
    ib_real *kept; /* parameters and state of that epoch; NULL: not wanted */
    size_t kept_size;
    struct ib_train_also also;
};

static inline ib_node ib_phase_input(const struct ib_trainer *r,
                                     const struct ib_phase *p)
{
    return p->input == IB_NONE ? r->t->input : p->input;
}

static inline size_t ib_trainer_size(const struct ib_trainer *r, ib_node x)
{
    return ib_shape_size(ib_graph_shape(ib_net_graph(r->t->net), x));
}

/* One step on n images of the shuffled order, from `from` on: *loss is the mean
 * over them. */
enum ib_status ib_trainer_step(struct ib_trainer *r,
                               const struct ib_train_place *at, size_t from,
                               size_t n, double *loss, struct ib_error *err);

/* Sets images aside, by the seed. Called once, before the first epoch. */
void ib_trainer_split(struct ib_trainer *r);
/* After an epoch of a supervised phase: true when training is to stop. */
bool ib_trainer_validate(struct ib_trainer *r, const struct ib_phase *p);
/* At the end of the phase: back to the epoch that was best. */
void ib_trainer_restore(struct ib_trainer *r, const struct ib_phase *p);

#endif
