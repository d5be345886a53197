/*
 * Optimisers: how a gradient becomes a step, for weights and for the variables
 * of an attack alike. Nothing is allocated.
 *
 *   struct ib_optim o = {.optimiser = IB_ADAM, .rate = 0.1, .momentum = 0.9};
 *   ib_optim_use(&o, moments, n);      n x ib_optim_arrays(IB_ADAM) zeros
 *   for (...) {
 *       o.step++;
 *       ib_optim_apply(&o, w, g, 0, n, 0);
 *   }
 */
#ifndef INVBENCH_OPTIM_H
#define INVBENCH_OPTIM_H

#include <invbench/options.h>

enum ib_optimiser {
    IB_SGD,
    IB_NESTEROV,
    IB_ADAM,
    IB_AMSGRAD,
    IB_ADAMW,
};
extern const struct ib_choice ib_optimiser_choices[];

struct ib_optim {
    int optimiser; /* enum ib_optimiser */
    double rate;
    double momentum; /* of the Adam family: beta1 */
    double beta2;    /* of the Adam family; 0 stands for 0.999 */
    double epsilon;  /* of the Adam family; 0 stands for 1e-8 */
    double scale;    /* gradients are taken times this; 0 stands for 1 */
    int64_t step;    /* from 1, for bias correction: count before you apply */
    ib_real *m;      /* first moments, or velocities; of no use to sgd without
                        momentum: may be NULL there */
    ib_real *v;      /* second moments of the Adam family */
    ib_real *most;   /* AMSGrad: the largest second moments so far */
};

/* How many arrays of one number a parameter an optimiser keeps: 1 to 3. */
size_t ib_optim_arrays(int optimiser);
/* Points m, v, most into n x ib_optim_arrays() numbers, zeroed by the caller.
 * n: all parameters. */
void ib_optim_use(struct ib_optim *o, ib_real *moments, size_t n);
/* Moves parameters first..first + n - 1 of w by the gradients at the same
 * places of g. Slices may be applied in any order and on several threads:
 * the result is that of the whole. decay: weight decay, as an L2 penalty that
 * is added to the gradient, or, of AdamW, on the weights themselves. */
void ib_optim_apply(const struct ib_optim *o, ib_real *w, const ib_real *g,
                    size_t first, size_t n, double decay);
/* For `scale`: what shortens gradients of this L2 norm to `limit` (Pascanu,
 * Mikolov, Bengio, ICML 2013), limit / (norm + 1e-6) as in PyTorch; 1 where
 * they are shorter or limit is 0. The norm: sqrt of ib_dot(n, g, g), summed
 * over slices in a fixed order. */
double ib_clip_scale(double norm, double limit);

/* --- the rate over the steps --------------------------------------------- */

enum ib_schedule {
    IB_CONSTANT,
    IB_COSINE,
    IB_LINEAR,
    IB_MILESTONES,
    IB_ONE_CYCLE,
};
extern const struct ib_choice ib_schedule_choices[];

struct ib_rate_plan {
    int schedule; /* enum ib_schedule */
    double rate;  /* the highest */
    int64_t steps;
    /* Share of the steps, 0..1, in which the rate rises in equal steps to the
     * highest before its schedule begins. Of a cycle: where its top stands; 0
     * stands for 0.3. */
    double warmup;
    struct ib_ints milestones; /* percent of the steps: gamma is applied */
    double gamma;
};
/* The rate of a step in 0..steps-1. */
double ib_rate_at(const struct ib_rate_plan *p, int64_t step);

#endif
