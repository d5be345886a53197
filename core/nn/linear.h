/* Small dense linear algebra in double: a few dozen rows, no BLAS. */
#ifndef INVBENCH_NN_LINEAR_H
#define INVBENCH_NN_LINEAR_H

#include <invbench/base.h>

/* Numbers of double that ib_lu_factor needs behind the n x n of a: the row
 * that was taken in each step. */
size_t ib_lu_size(size_t n); /* n x n and that */
/* P A = L U in place, with partial pivoting (Golub, Van Loan, Matrix
 * Computations, algorithm 3.4.1). Returns log |det A|; NaN where A is singular
 * or not finite. a: ib_lu_size(n) numbers. */
double ib_lu_factor(size_t n, double *a);
/* Column `column` of A^-1 into x (n). */
void ib_lu_inverse_column(size_t n, const double *a, size_t column, double *x);
/* Makes the rows of a (n x n, of full rank) orthonormal, in order: twice
 * modified Gram-Schmidt. */
void ib_orthonormalise(size_t n, ib_real *a);

#endif
