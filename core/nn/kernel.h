/*
 * The inner products that convolutions are made of: three loops that keep a
 * tile of sums in registers and read the image where it lies, by lists of
 * offsets, so that no matrix of patches is ever written. Two more for dense
 * layers of few units or rows, which cost BLAS more to pack than to multiply.
 *
 * ib_kernel_*: AVX2 and FMA (what x86-64-v3 pins) in the float build, the plain
 * twins in the double build. ib_plain_*: the twins, in C. A kernel and its twin
 * add the same products in the same order: results are equal to the last bit,
 * and no sum depends on which others are computed beside it.
 */
#ifndef INVBENCH_NN_KERNEL_H
#define INVBENCH_NN_KERNEL_H

#include <invbench/base.h>

enum {
    IB_LANES = 16, /* sums of one column that ib_kernel_wide computes at once */
    IB_VECTOR = 8, /* neighbours that ib_kernel_thin computes at once */
    IB_THIN = 6,   /* and rows of them, at most */
};

/* For every column c and lane l:
 *   s = a[0][l] + sum over k of a[1 + k][l] * b[from[c] + tap[k]]
 *   out[l * row + to[c]] = s, or is added s.
 * Forward: lanes are output channels, columns output pixels, k taps. Gradient
 * of the weights: lanes are output channels, columns taps, k pixels. */
struct ib_wide {
    const ib_real *a; /* (1 + taps) x IB_LANES */
    const ib_real *b;
    const int32_t *tap, *from, *to;
    size_t taps, columns;
    ib_real *out;
    size_t row;
    size_t lanes; /* how many are wanted: 1..IB_LANES */
    bool add;
};

/* For every spot v, lane l and i < length[v]:
 *   s = a[0][l] + sum over k of a[1 + k][l] * b[from[v] + tap[k] + i]
 *   out[l * row + to[v] + i] = s, or is added s.
 * b is read up to IB_VECTOR numbers from a spot, whatever its length. */
struct ib_thin {
    const ib_real *a; /* (1 + taps) x lanes */
    const ib_real *b;
    const int32_t *tap, *from, *to, *length;
    size_t taps, spots;
    ib_real *out;
    size_t row;
    size_t lanes; /* 1..IB_THIN */
    bool add;
};

/* For every row m and tap j:
 *   s = sum over spots v and i < IB_VECTOR of
 *       a[m * a_row + to[v] + i] * b[tap[j] + from[v] + i]
 *   out[m * row + j] = s, or is added s. */
struct ib_dot {
    const ib_real *a;
    size_t a_row;
    const ib_real *b;
    const int32_t *tap, *from, *to;
    size_t taps, spots, rows;
    ib_real *out;
    size_t row;
    bool add;
};

enum {
    IB_ROWS_UNITS = 64, /* units of struct ib_dense_rows, at most */
    IB_ROWS_TILE = 3,   /* rows that are computed at once */
    IB_ROWS_BLOCK = 33, /* rows that share what is read of w */
};

/* For every row i and unit j: y[i][j] = bias[j] + sum over k of x[i][k] w[j][k]
 * in eight strands. bias may be NULL. */
struct ib_dense_rows {
    const ib_real *x, *w, *bias;
    size_t x_row, w_row, y_row; /* from row to row */
    size_t rows, units, inputs;
    ib_real *y;
};

/* For every row m and lane d < width:
 *   out[m][d] = keep out[m][d] + sum over k of a[k][m] x[k][d]
 * in the order of k. keep 0: out is not read. */
struct ib_dense_strips {
    const ib_real *a, *x;
    size_t a_row, a_step; /* from term to term; from row to row of out */
    size_t x_row, out_row;
    size_t rows, terms, width;
    ib_real *out;
    ib_real keep;
};

void ib_kernel_rows(const struct ib_dense_rows *t);
void ib_kernel_strips(const struct ib_dense_strips *t);
void ib_kernel_wide(const struct ib_wide *t);
void ib_kernel_thin(const struct ib_thin *t);
void ib_kernel_dot(const struct ib_dot *t);
/* a: n x IB_LANES; a[i][l] = x[l * row + i], 0 for l >= lanes. */
void ib_kernel_lanes(ib_real *a, const ib_real *x, size_t row, size_t lanes,
                     size_t n);
/* Sum in float of up to 32 strands, joined in double. */
double ib_kernel_sum(size_t n, const ib_real *x);

/* The maximum of each of n windows of 2 x 2 that stand side by side in two rows
 * of 2 n numbers, and its place (0, 1: top; 2, 3: below). The first of equal
 * maxima wins; NaN is passed on. */
void ib_kernel_max2(size_t n, const ib_real *top, const ib_real *below,
                    ib_real *y, uint8_t *place);
/* Back: dy to its place, 0 to the others, or dy is added to its place. */
struct ib_max2_back {
    const ib_real *dy;
    const uint8_t *place;
    ib_real *top, *below;
    bool add;
};
void ib_kernel_max2_back(size_t n, const struct ib_max2_back *b);

/* Rows of `width` numbers, of even and odd in turn, or they are added. Rows of
 * even and odd are (width + 1) / 2 and width / 2 numbers long. */
struct ib_weave {
    const ib_real *even, *odd;
    size_t rows, width;
    ib_real *out;
    size_t row; /* from row to row of out */
    bool add;
};
void ib_kernel_weave(const struct ib_weave *t);

void ib_plain_max2(size_t n, const ib_real *top, const ib_real *below,
                   ib_real *y, uint8_t *place);
void ib_plain_max2_back(size_t n, const struct ib_max2_back *b);
void ib_plain_weave(const struct ib_weave *t);
void ib_plain_rows(const struct ib_dense_rows *t);
void ib_plain_strips(const struct ib_dense_strips *t);
void ib_plain_wide(const struct ib_wide *t);
void ib_plain_thin(const struct ib_thin *t);
void ib_plain_dot(const struct ib_dot *t);
void ib_plain_lanes(ib_real *a, const ib_real *x, size_t row, size_t lanes,
                    size_t n);
double ib_plain_sum(size_t n, const ib_real *x);

#endif
