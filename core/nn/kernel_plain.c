/*
 * The kernels of kernel.h as plain loops: what they are to compute, and what
 * the double build computes with.
 */
#include "kernel.h"

static void put(ib_real *out, ib_real s, bool add)
{
    *out = add ? *out + s : s;
}

void ib_plain_wide(const struct ib_wide *t)
{
    for (size_t c = 0; c < t->columns; c++)
        for (size_t l = 0; l < t->lanes; l++) {
            const ib_real *a = t->a + l, *b = t->b + t->from[c];
            ib_real s = a[0];
            for (size_t k = 0; k < t->taps; k++)
                s = ib_fma(a[(1 + k) * IB_LANES], b[t->tap[k]], s);
            put(&t->out[l * t->row + (size_t)t->to[c]], s, t->add);
        }
}

static ib_real thin_sum(const struct ib_thin *t, size_t l, const ib_real *b)
{
    ib_real s = t->a[l];
    for (size_t k = 0; k < t->taps; k++)
        s = ib_fma(t->a[(1 + k) * t->lanes + l], b[t->tap[k]], s);
    return s;
}

void ib_plain_thin(const struct ib_thin *t)
{
    for (size_t v = 0; v < t->spots; v++)
        for (size_t l = 0; l < t->lanes; l++)
            for (size_t i = 0; i < (size_t)t->length[v]; i++)
                put(&t->out[l * t->row + (size_t)t->to[v] + i],
                    thin_sum(t, l, t->b + t->from[v] + i), t->add);
}

/* Eight strands, as the lanes of a vector register, joined pair by pair. */
static ib_real dot_sum(const struct ib_dot *t, const ib_real *a,
                       const ib_real *b)
{
    ib_real s[IB_VECTOR] = {0};
    for (size_t v = 0; v < t->spots; v++)
        for (size_t i = 0; i < IB_VECTOR; i++)
            s[i] = ib_fma(a[(size_t)t->to[v] + i], b[(size_t)t->from[v] + i],
                          s[i]);
    return ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]));
}

void ib_plain_dot(const struct ib_dot *t)
{
    for (size_t m = 0; m < t->rows; m++)
        for (size_t j = 0; j < t->taps; j++)
            put(&t->out[m * t->row + j],
                dot_sum(t, t->a + m * t->a_row, t->b + t->tap[j]), t->add);
}

static ib_real row_sum(size_t n, const ib_real *x, const ib_real *w)
{
    ib_real s[IB_VECTOR] = {0};
    for (size_t k = 0; k < n; k++)
        s[k % IB_VECTOR] = ib_fma(x[k], w[k], s[k % IB_VECTOR]);
    return ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]));
}

void ib_plain_rows(const struct ib_dense_rows *t)
{
    for (size_t i = 0; i < t->rows; i++)
        for (size_t j = 0; j < t->units; j++) {
            ib_real s =
                row_sum(t->inputs, t->x + i * t->x_row, t->w + j * t->w_row);
            t->y[i * t->y_row + j] = t->bias ? t->bias[j] + s : s;
        }
}

void ib_plain_strips(const struct ib_dense_strips *t)
{
    for (size_t m = 0; m < t->rows; m++)
        for (size_t d = 0; d < t->width; d++) {
            ib_real *out = t->out + m * t->out_row + d;
            ib_real s = t->keep == 0 ? 0 : t->keep * *out;
            for (size_t k = 0; k < t->terms; k++)
                s = ib_fma(t->a[k * t->a_row + m * t->a_step],
                           t->x[k * t->x_row + d], s);
            *out = s;
        }
}

void ib_plain_lanes(ib_real *a, const ib_real *x, size_t row, size_t lanes,
                    size_t n)
{
    for (size_t i = 0; i < n; i++, a += IB_LANES)
        for (size_t l = 0; l < IB_LANES; l++)
            a[l] = l < lanes ? x[l * row + i] : 0;
}

enum { STRANDS = 32, RUN = 1024 };

static double sum_run(size_t n, const ib_real *x)
{
    ib_real s[STRANDS] = {0};
    double v[8];
    for (size_t i = 0; i < n; i++)
        s[i % STRANDS] += x[i];
    for (size_t i = 0; i < 8; i++)
        v[i] = (double)((s[i] + s[i + 8]) + (s[i + 16] + s[i + 24]));
    return ((v[0] + v[1]) + (v[2] + v[3])) + ((v[4] + v[5]) + (v[6] + v[7]));
}

double ib_plain_sum(size_t n, const ib_real *x)
{
    double total = 0;
    for (size_t i = 0; i < n; i += RUN)
        total += sum_run(n - i < RUN ? n - i : RUN, x + i);
    return total;
}
