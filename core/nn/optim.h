/* Optimisers: how a gradient becomes a step. */
#ifndef INVBENCH_NN_OPTIM_H
#define INVBENCH_NN_OPTIM_H

#include <invbench/train.h>

struct ib_optim {
    int optimiser; /* enum ib_optimiser */
    double rate, momentum;
    int64_t step;   /* of this phase, from 1 (Adam's bias correction) */
    ib_real *m, *v; /* first and second moments, one number a parameter; v is
                     NULL for SGD */
};

/* w, m, v: n parameters from index `first` on; g: their gradients. decay: L2
 * penalty, added to the gradient. */
void ib_optim_apply(const struct ib_optim *o, ib_real *w, const ib_real *g,
                    size_t first, size_t n, double decay);
/* The learning rate of a step in 0..steps-1. */
double ib_schedule_rate(int schedule, double rate, int64_t step, int64_t steps);

#endif
