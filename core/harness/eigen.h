/* Eigenvectors of symmetric matrices, in double. */
#ifndef INVBENCH_HARNESS_EIGEN_H
#define INVBENCH_HARNESS_EIGEN_H

#include <invbench/base.h>

/* a: n x n, used up; its diagonal holds the eigenvalues when it is done. q:
 * n x n, out: row i is the eigenvector of a[i][i]. Cyclic Jacobi rotations:
 * accurate, meant for n up to a few hundred. No order. */
void ib_eigen_symmetric(size_t n, double *a, double *q);
/* order: n, out: places of the eigenvalues on the diagonal of a, large ones
 * first, the lower place first on ties. */
void ib_eigen_order(size_t n, const double *a, size_t *order);

#endif
