/* Checks a loss against PyTorch's value and gradients (losses.inc) and against
 * difference quotients. */
#ifndef INVBENCH_TESTS_LOSS_FIXTURE_H
#define INVBENCH_TESTS_LOSS_FIXTURE_H

#include <invbench/losses.h>

#include <math.h>
#include <string.h>

enum { MAX = 512 };

/* The generator of make_losses.py. */
static inline void numbers(size_t count, uint32_t seed, double low,
                           double width, ib_real *out)
{
    for (size_t i = 0; i < count; i++) {
        seed = seed * 1664525u + 1013904223u;
        out[i] = (ib_real)(low + width * (double)(seed >> 20) / 4096);
    }
}

/* The inputs of the loss that is looked at; x[0], x[1], ... are varied. */
static struct {
    ib_real x[4][MAX], t[MAX];
} in;

/* Gradients go to g[0], g[1], ...; any may be NULL. */
typedef double (*loss_function)(ib_real *const g[4]);

struct golden {
    double value;
    const double *gradient;
    size_t count;
    double step;  /* of finite differences in float; 0: none */
    double error; /* of the gradient, relative to its norm; 0: 2e-6 */
};

static inline double distance(size_t n, const ib_real *a, const double *b,
                              double *norm)
{
    double d = 0;
    *norm = 0;
    for (size_t i = 0; i < n; i++) {
        d += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
        *norm += b[i] * b[i];
    }
    *norm = sqrt(*norm);
    return sqrt(d);
}

static inline void check_differences(loss_function f, int which,
                                     const ib_real *g,
                                     const struct golden *gold)
{
    static double slope[MAX];
    bool fine = sizeof(ib_real) == sizeof(double);
    double h = fine ? 0x1p-16 : gold->step, norm;
    ib_real *const none[4] = {0};
    for (size_t i = 0; i < gold->count; i++) {
        ib_real keep = in.x[which][i];
        in.x[which][i] = keep + (ib_real)h;
        double up = f(none);
        in.x[which][i] = keep - (ib_real)h;
        slope[i] = (up - f(none)) / (2 * h);
        in.x[which][i] = keep;
    }
    double d = distance(gold->count, g, slope, &norm);
    if (d > (fine ? 1e-7 : 2e-3) * norm)
        fail_msg("difference quotients of input %d: %g of %g", which, d, norm);
}

/* Value and gradient by input `which`, with the gradient alone and among
 * others. */
static inline void check(loss_function f, int which, struct golden gold)
{
    static ib_real buffer[4][MAX], again[MAX];
    ib_real *const all[4] = {buffer[0], buffer[1], buffer[2], buffer[3]};
    ib_real *one[4] = {0};
    one[which] = again;
    double value = f(all), norm, d;
    if (fabs(value - gold.value) > 2e-6 * fabs(gold.value))
        fail_msg("value %.9g, not %.9g", value, gold.value);
    assert_true(f(one) == value);
    assert_memory_equal(again, buffer[which], gold.count * sizeof *again);
    d = distance(gold.count, again, gold.gradient, &norm);
    if (d > (gold.error > 0 ? gold.error : 2e-6) * norm)
        fail_msg("gradient of input %d: off by %g of %g", which, d, norm);
    if (gold.step > 0)
        check_differences(f, which, again, &gold);
}

#define CHECK(f, name, which, ...)                                             \
    check(f, which,                                                            \
          (struct golden){gold_##name, gold_##name##_##which,                  \
                          IB_COUNT(gold_##name##_##which), __VA_ARGS__})

#endif
