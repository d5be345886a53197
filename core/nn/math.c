/*
 * Elementary functions from arithmetic that IEEE 754 rounds exactly (add,
 * multiply, divide, fma), so that every compiler and library gives the same
 * bits. Polynomials are truncated series, long enough on the reduced range
 * that truncation stays below a tenth of an ulp. The float functions have no
 * branches: loops over them vectorise.
 */
#include <invbench/math.h>

#include <math.h>
#include <string.h>

enum { BLOCK = 32 };

static inline double double_of(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static inline uint64_t bits_of_double(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* --- float ------------------------------------------------------------- */

#ifndef IB_DOUBLE
static inline float float_of(uint32_t bits)
{
    union {
        uint32_t u;
        float f;
    } v = {.u = bits};
    return v.f;
}

static inline uint32_t bits_of(float x)
{
    union {
        float f;
        uint32_t u;
    } v = {.f = x};
    return v.u;
}

/* Adding 1.5 * 2^23 rounds to an integer and leaves it in the low bits. */
static const float ROUND = 0x1.8p23f;

/* exp(x) = 2^k exp(r), |r| <= log(2) / 2. 2^k is applied in two steps so that
 * results below the normal range and infinity come out by themselves. */
static inline float exp_core(float x)
{
    x = x > 90.0f ? 90.0f : x;
    x = x < -110.0f ? -110.0f : x;
    float shifted = __builtin_fmaf(x, 0x1.715476p+0f, ROUND);
    float k = shifted - ROUND;
    float r = __builtin_fmaf(-k, 0x1.62e43p-1f, x);
    r = __builtin_fmaf(-k, -0x1.05c61p-29f, r);
    float p = __builtin_fmaf(r, 1.0f / 5040, 1.0f / 720);
    p = __builtin_fmaf(r, p, 1.0f / 120);
    p = __builtin_fmaf(r, p, 1.0f / 24);
    p = __builtin_fmaf(r, p, 1.0f / 6);
    p = __builtin_fmaf(r, p, 0.5f);
    p = __builtin_fmaf(r * r, p, r) + 1.0f;
    int32_t i = (int32_t)(bits_of(shifted) - bits_of(ROUND));
    int32_t half = i >> 1;
    float a = float_of((uint32_t)(half + 127) << 23);
    float b = float_of((uint32_t)(i - half + 127) << 23);
    return p * a * b;
}

/* log(2^k m) with m in [sqrt(1/2), sqrt(2)): with f = m - 1, s = f / (2 + f),
 * log m = 2 atanh s = f - (f^2/2 - s (f^2/2 + R)), R = 2/3 s^2 + 2/5 s^4 ... */
static inline float log_core(float x)
{
    float tiny = x < 0x1p-126f ? 0x1p24f : 1.0f;
    float offset = x < 0x1p-126f ? -24.0f : 0.0f;
    uint32_t bits = bits_of(x * tiny);
    uint32_t up = bits - 0x3f3504f3u; /* sqrt(1/2) */
    float k = (float)((int32_t)up >> 23) + offset;
    float f = float_of((up & 0x7fffffu) + 0x3f3504f3u) - 1.0f;
    float s = f / (2.0f + f), z = s * s;
    float r = __builtin_fmaf(z, 2.0f / 11, 2.0f / 9);
    r = __builtin_fmaf(z, r, 2.0f / 7);
    r = __builtin_fmaf(z, r, 2.0f / 5);
    r = __builtin_fmaf(z, r, 2.0f / 3) * z;
    float h = 0.5f * f * f;
    float low = __builtin_fmaf(s, h + r, k * 0x1.7f7d1cp-20f);
    float y = __builtin_fmaf(k, 0x1.62e4p-1f, f - (h - low));
    y = x == 0.0f ? -INFINITY : y;
    y = x == INFINITY ? INFINITY : y;
    return x >= 0.0f ? y : NAN;
}

static inline float sigmoid_core(float x)
{
    float e = exp_core(-fabsf(x));
    float s = 1.0f / (1.0f + e);
    return x < 0.0f ? e * s : s;
}

/* 1 - 2 / (exp(2 |x|) + 1), and the odd series of tanh where that cancels:
 * tanh x = expm1(2x) / (expm1(2x) + 2) with a series for expm1. */
static inline float tanh_core(float x)
{
    float a = fabsf(x);
    float big = 1.0f - 2.0f / (exp_core(2.0f * a) + 1.0f);
    float t = a < 0.5f ? 2.0f * a : 1.0f;
    float p = __builtin_fmaf(t, 1.0f / 39916800, 1.0f / 3628800);
    p = __builtin_fmaf(t, p, 1.0f / 362880);
    p = __builtin_fmaf(t, p, 1.0f / 40320);
    p = __builtin_fmaf(t, p, 1.0f / 5040);
    p = __builtin_fmaf(t, p, 1.0f / 720);
    p = __builtin_fmaf(t, p, 1.0f / 120);
    p = __builtin_fmaf(t, p, 1.0f / 24);
    p = __builtin_fmaf(t, p, 1.0f / 6);
    p = __builtin_fmaf(t, p, 0.5f);
    float m = __builtin_fmaf(t * t, p, t);
    float small = m / (m + 2.0f);
    float y = a < 0.5f ? small : big;
    return copysignf(y, x);
}
#endif

/* --- double ------------------------------------------------------------ */

static const double LN2_HI = 0x1.62e42fefa39efp-1;
static const double LN2_LO = 0x1.abc9e3b39803fp-56;

/* exp(x + low): low is what x was rounded by. */
static double exp_pair(double x, double low)
{
    if (!(x < 710))
        return x >= 710 ? INFINITY : x;
    if (x < -746)
        return 0;
    double k = rint(x * 0x1.71547652b82fep+0);
    double r = __builtin_fma(-k, LN2_HI, x);
    r = __builtin_fma(-k, LN2_LO, r) + low;
    double p = 1.0 / 6227020800.0; /* 1 / 13! */
    static const double inverse[] = {1.0 / 479001600,
                                     1.0 / 39916800,
                                     1.0 / 3628800,
                                     1.0 / 362880,
                                     1.0 / 40320,
                                     1.0 / 5040,
                                     1.0 / 720,
                                     1.0 / 120,
                                     1.0 / 24,
                                     1.0 / 6,
                                     0.5};
    for (size_t i = 0; i < IB_COUNT(inverse); i++)
        p = __builtin_fma(r, p, inverse[i]);
    p = __builtin_fma(r * r, p, r) + 1.0;
    int64_t e = (int64_t)k, half = e >> 1;
    double a = double_of((uint64_t)(half + 1023) << 52);
    double b = double_of((uint64_t)(e - half + 1023) << 52);
    return p * a * b;
}

double ib_exp(double x)
{
    return exp_pair(x, 0);
}

/* x = 2^*k (1 + f), 1 + f in [sqrt(1/2), sqrt(2)); x > 0 and finite. */
static double split(double x, double *k)
{
    double offset = 0;
    if (x < 0x1p-1022) {
        x *= 0x1p54;
        offset = -54;
    }
    uint64_t up = bits_of_double(x) - 0x3fe6a09e667f3bcdu;
    *k = (double)((int64_t)up >> 52) + offset;
    return double_of((up & 0xfffffffffffffu) + 0x3fe6a09e667f3bcdu) - 1.0;
}

/* 2/3 z + 2/5 z^2 + ...: see log_core. */
static double atanh_rest(double z)
{
    double r = 2.0 / 25;
    for (int i = 23; i >= 3; i -= 2)
        r = __builtin_fma(z, r, 2.0 / i);
    return r * z;
}

double ib_log(double x)
{
    if (!(x > 0))
        return x == 0 ? -INFINITY : NAN;
    if (x == INFINITY)
        return x;
    double k, f = split(x, &k);
    double s = f / (2 + f), h = 0.5 * f * f;
    double low =
        __builtin_fma(s, h + atanh_rest(s * s), k * 0x1.fdf473de6af28p-22);
    return __builtin_fma(k, 0x1.62e42p-1, f - (h - low));
}

/* log x as the unevaluated sum of the result and *low. */
static double log_pair(double x, double *low)
{
    double k, f = split(x, &k);
    double d = 2 + f, d_low = (2 - d) + f;
    double s = f / d;
    double s_low = (__builtin_fma(-s, d, f) - s * d_low) / d;
    double tail = __builtin_fma(s, atanh_rest(s * s), 2 * s_low);
    double a = k * LN2_HI, a_low = __builtin_fma(k, LN2_HI, -a);
    double b = 2 * s, sum = a + b;
    double back = sum - a;
    double lost = (a - (sum - back)) + (b - back);
    tail += lost + a_low + k * LN2_LO;
    double hi = sum + tail;
    *low = (sum - hi) + tail;
    return hi;
}

double ib_pow(double x, double y)
{
    if (y == 0 || x == 1)
        return 1;
    if (!(x >= 0) || y != y)
        return NAN;
    if (x == 0 || x == INFINITY)
        return (x == 0) == (y > 0) ? 0 : INFINITY;
    double low, hi = log_pair(x, &low);
    double p = y * hi;
    if (!(fabs(p) < 1000))
        return p > 0 ? INFINITY : 0;
    return exp_pair(p, __builtin_fma(y, hi, -p) + y * low);
}

/* x = q pi/2 + the result, |result| <= pi/4; pi/2 in three parts. */
static double quarter_turns(double x, int64_t *q)
{
    double k = rint(x * 0x1.45f306dc9c883p-1);
    *q = (int64_t)k;
    double r = __builtin_fma(-k, 0x1.921fb54442d18p+0, x);
    r = __builtin_fma(-k, 0x1.1a62633145c07p-54, r);
    return __builtin_fma(-k, -0x1.f1976b7ed8fbcp-110, r);
}

static double sin_series(double r)
{
    double z = r * r, p = 1.0;
    for (int i = 19; i >= 5; i -= 2)
        p = 1.0 - z * p / (i * (i - 1));
    return r - r * (z * p / 6);
}

static double cos_series(double r)
{
    double z = r * r, p = 1.0;
    for (int i = 20; i >= 4; i -= 2)
        p = 1.0 - z * p / (i * (i - 1));
    return 1.0 - 0.5 * z * p;
}

/* sin(r + q pi/2). */
static double sin_quarter(double r, int64_t q)
{
    double y = q & 1 ? cos_series(r) : sin_series(r);
    return q & 2 ? -y : y;
}

double ib_sin(double x)
{
    if (!(fabs(x) < 1e6))
        return NAN;
    int64_t q;
    double r = quarter_turns(x, &q);
    return sin_quarter(r, q);
}

double ib_cos(double x)
{
    if (!(fabs(x) < 1e6))
        return NAN;
    int64_t q;
    double r = quarter_turns(x, &q);
    return sin_quarter(r, q + 1);
}

/* --- what the engine computes in ------------------------------------- */

#ifdef IB_DOUBLE
static double sigmoid_double(double x)
{
    double e = ib_exp(-fabs(x)), s = 1 / (1 + e);
    return x < 0 ? e * s : s;
}

static double tanh_double(double x)
{
    double a = fabs(x), m = a < 1e-3 ? a * (1 - a * a / 3) : 1;
    if (a >= 1e-3)
        m = 1 - 2 / (ib_exp(2 * a) + 1);
    return copysign(m, x);
}
#define EXP     ib_exp
#define LOG     ib_log
#define TANH    tanh_double
#define SIGMOID sigmoid_double
#else
#define EXP     exp_core
#define LOG     log_core
#define TANH    tanh_core
#define SIGMOID sigmoid_core
#endif

ib_real ib_expf(ib_real x)
{
    return EXP(x);
}

ib_real ib_logf(ib_real x)
{
    return LOG(x);
}

ib_real ib_tanhf(ib_real x)
{
    return TANH(x);
}

ib_real ib_sigmoidf(ib_real x)
{
    return SIGMOID(x);
}

/* Whole blocks go through a buffer of fixed length, which is what lets the
 * compilers use vector instructions though x and y may be one array. */
#define VECTOR_LOOP(name, core)                                                \
    void name(size_t n, const ib_real *x, ib_real *y)                          \
    {                                                                          \
        size_t i = 0;                                                          \
        for (; i + BLOCK <= n; i += BLOCK) {                                   \
            ib_real t[BLOCK];                                                  \
            for (int j = 0; j < BLOCK; j++)                                    \
                t[j] = core(x[i + (size_t)j]);                                 \
            memcpy(y + i, t, sizeof t);                                        \
        }                                                                      \
        for (; i < n; i++)                                                     \
            y[i] = core(x[i]);                                                 \
    }

VECTOR_LOOP(ib_vexp, EXP)
VECTOR_LOOP(ib_vlog, LOG)
VECTOR_LOOP(ib_vtanh, TANH)
VECTOR_LOOP(ib_vsigmoid, SIGMOID)

/* In lanes, so that it is vectorised; NaN wins. */
ib_real ib_max(size_t n, const ib_real *x)
{
    enum { LANES = 16 };
    ib_real top[LANES];
    size_t i = 0;
    for (size_t j = 0; j < LANES; j++)
        top[j] = x[0];
    for (; i + LANES <= n; i += LANES)
        for (size_t j = 0; j < LANES; j++) {
            ib_real v = x[i + j];
            top[j] = v > top[j] || v != v ? v : top[j];
        }
    for (; i < n; i++)
        top[0] = x[i] > top[0] || x[i] != x[i] ? x[i] : top[0];
    for (size_t j = 1; j < LANES; j++)
        top[0] = top[j] > top[0] || top[j] != top[j] ? top[j] : top[0];
    return top[0];
}

void ib_softmax_rows(size_t n, size_t k, const ib_real *z, ib_real *p)
{
    for (size_t i = 0; i < n; i++, z += k, p += k) {
        ib_real top = ib_max(k, z);
        for (size_t j = 0; j < k; j++)
            p[j] = z[j] - top;
        ib_vexp(k, p, p);
        ib_real scale = (ib_real)(1.0 / ib_sum(k, p));
        for (size_t j = 0; j < k; j++)
            p[j] *= scale;
    }
}
