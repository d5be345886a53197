/* What a training must be before it starts, and stay while it runs. */
#ifndef INVBENCH_NN_CHECK_H
#define INVBENCH_NN_CHECK_H

#include <invbench/trainer.h>

/* The images fit the net's input, the labels the classes. */
IB_CHECK enum ib_status ib_training_check_data(const struct ib_training *t,
                                               struct ib_error *err);
/* The phase's output is as long as its loss needs. */
IB_CHECK enum ib_status ib_training_check_phase(const struct ib_training *t,
                                                const struct ib_phase *p,
                                                struct ib_error *err);
bool ib_all_finite(const ib_real *x, size_t n);

#endif
