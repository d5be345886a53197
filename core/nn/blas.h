/* What the engine alone needs of the BLAS library. */
#ifndef INVBENCH_NN_BLAS_H
#define INVBENCH_NN_BLAS_H

/* Makes OpenBLAS compute on the calling thread alone. Called by
 * ib_net_create; others who use ib_sgemm without a net call it first. */
void ib_blas_single_threaded(void);
/* The library's version, build options and chosen core type: part of what
 * names the arithmetic of a result. Owned by the library. */
const char *ib_blas_numerics(void);

#endif
