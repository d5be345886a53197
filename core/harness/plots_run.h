/* Running gnuplot. */
#ifndef INVBENCH_HARNESS_PLOTS_RUN_H
#define INVBENCH_HARNESS_PLOTS_RUN_H

#include <invbench/base.h>

/* Runs gnuplot in dir on the script there, without a shell and without the
 * user's start-up files. *found is false, and all is well, when the machine
 * has no gnuplot. IB_E_IO with gnuplot's first words when it fails. */
IB_CHECK enum ib_status ib_gnuplot_run(const char *dir, const char *script,
                                       bool *found, struct ib_error *err);

#endif
