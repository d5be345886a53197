/*
 * Sums and maps of planes: see plane.h. Eight partial sums, joined in a fixed
 * order: the same on every compiler.
 */
#include "plane.h"

#include "node.h"

enum { LANES = 8 };

static double total(const double s[LANES])
{
    return ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]));
}

/* All planes' first LANES values, then the next ones: partial sums stay in
 * registers, and are joined once, also where planes are small. */
void ib_plane_sums(struct ib_planes p, const ib_real *restrict x, double s[2])
{
    double sum[LANES] = {0}, square[LANES] = {0};
    size_t whole = p.n / LANES * LANES;
    for (size_t i = 0; i < whole; i += LANES) {
        const ib_real *restrict at = x + i;
        for (size_t k = 0; k < p.count; k++, at += p.stride)
            for (size_t j = 0; j < LANES; j++) {
                double v = (double)at[j];
                sum[j] += v;
                square[j] = __builtin_fma(v, v, square[j]);
            }
    }
    for (size_t k = 0; k < p.count; k++, x += p.stride)
        for (size_t i = whole; i < p.n; i++) {
            double v = (double)x[i];
            sum[0] += v;
            square[0] = __builtin_fma(v, v, square[0]);
        }
    s[0] += total(sum);
    s[1] += total(square);
}

void ib_plane_dots(struct ib_planes p, const ib_real *restrict dy,
                   const ib_real *restrict x, ib_real centre, double s[2])
{
    double sum[LANES] = {0}, dot[LANES] = {0}, m = (double)centre;
    size_t whole = p.n / LANES * LANES;
    for (size_t i = 0; i < whole; i += LANES) {
        const ib_real *restrict a = dy + i, *restrict b = x + i;
        for (size_t k = 0; k < p.count; k++, a += p.stride, b += p.stride)
            for (size_t j = 0; j < LANES; j++) {
                double v = (double)a[j];
                sum[j] += v;
                dot[j] = __builtin_fma(v, (double)b[j] - m, dot[j]);
            }
    }
    for (size_t k = 0; k < p.count; k++, dy += p.stride, x += p.stride)
        for (size_t i = whole; i < p.n; i++) {
            double v = (double)dy[i];
            sum[0] += v;
            dot[0] = __builtin_fma(v, (double)x[i] - m, dot[0]);
        }
    s[0] += total(sum);
    s[1] += total(dot);
}

void ib_plane_line(size_t n, const ib_real *restrict x, struct ib_line l,
                   ib_real *restrict y)
{
    for (size_t i = 0; i < n; i++)
        y[i] = ib_fma(l.scale, x[i] - l.centre, l.shift);
}

static void scale(size_t n, const ib_real *dy, const struct ib_slope *s,
                  bool add, ib_real *dx)
{
    const ib_real k = s->k, q = s->q;
    if (add) {
        IB_SAME_INDEX
        for (size_t i = 0; i < n; i++)
            dx[i] += ib_fma(k, dy[i], q);
    } else {
        IB_SAME_INDEX
        for (size_t i = 0; i < n; i++)
            dx[i] = ib_fma(k, dy[i], q);
    }
}

void ib_plane_slope(size_t n, const ib_real *dy, const ib_real *x,
                    const struct ib_slope *s, bool add, ib_real *dx)
{
    const ib_real k = s->k, p = s->p, m = s->centre, q = s->q;
    if (p == 0) {
        scale(n, dy, s, add, dx);
    } else if (add) {
        IB_SAME_INDEX
        for (size_t i = 0; i < n; i++)
            dx[i] += ib_fma(k, dy[i], ib_fma(p, x[i] - m, q));
    } else {
        IB_SAME_INDEX
        for (size_t i = 0; i < n; i++)
            dx[i] = ib_fma(k, dy[i], ib_fma(p, x[i] - m, q));
    }
}
