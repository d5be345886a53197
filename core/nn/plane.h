/*
 * Planes (the pixels of one channel of one row) as normalisations see them:
 * sums in double, in a fixed order, and affine maps. A product of two floats
 * is exact in double, so that a variance taken as E[x^2] - E[x]^2 is off by
 * about 1e-16 E[x]^2, far below what rounding x to float has cost already.
 */
#ifndef INVBENCH_NN_PLANE_H
#define INVBENCH_NN_PLANE_H

#include <invbench/base.h>

/* `count` planes of n values each, one every `stride` values. */
struct ib_planes {
    size_t count, stride, n;
};
/* As many of `rows` planes as are best summed at once: large ones in the order
 * of memory, small ones together. */
static inline size_t ib_planes_at_once(size_t rows, size_t n)
{
    return n < 128 ? rows : 1;
}
/* s[0] += sum x, s[1] += sum x^2 */
void ib_plane_sums(struct ib_planes p, const ib_real *x, double s[2]);
/* s[0] += sum dy, s[1] += sum dy (x - centre) */
void ib_plane_dots(struct ib_planes p, const ib_real *dy, const ib_real *x,
                   ib_real centre, double s[2]);

/* y = scale (x - centre) + shift */
struct ib_line {
    ib_real centre, scale, shift;
};
void ib_plane_line(size_t n, const ib_real *x, struct ib_line l, ib_real *y);

/* dx = (add ? dx : 0) + k dy + p (x - centre) + q; dx and dy may be one array.
 * x is not read where p is 0. */
struct ib_slope {
    ib_real k, p, centre, q;
};
void ib_plane_slope(size_t n, const ib_real *dy, const ib_real *x,
                    const struct ib_slope *s, bool add, ib_real *dx);

#endif
