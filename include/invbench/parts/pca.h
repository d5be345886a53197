/* Principal components of a few rows, by the Gram matrix. */
#ifndef INVBENCH_PARTS_PCA_H
#define INVBENCH_PARTS_PCA_H

#include <invbench/base.h>

struct ib_pca {
    size_t n, d;  /* rows, numbers of a row */
    size_t k;     /* in: components wanted, below n; out: that there are, the
                     large ones first; at least 1 */
    float *x;     /* n x d: the rows; centred when it is done */
    float *mean;  /* out: d */
    float *basis; /* out: k x d, zeroed before: each component times the rows'
                     standard deviation along it; its largest entry positive */
};

/* Cyclic Jacobi rotations on the n x n Gram matrix: meant for n up to a few
 * hundred. Work memory comes from scratch and is given back. */
IB_CHECK enum ib_status ib_pca_fit(struct ib_pca *p, struct ib_scratch *scratch,
                                   struct ib_error *err);

#endif
