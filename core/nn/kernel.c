/*
 * The kernels of kernel.h for AVX2 and FMA. Twelve sums of eight lanes each
 * stay in registers: enough to hide the latency of two fused multiply-adds a
 * cycle; each product needs less than one load.
 */
#include "kernel.h"

#ifdef IB_DOUBLE

void ib_kernel_wide(const struct ib_wide *t)
{
    ib_plain_wide(t);
}

void ib_kernel_thin(const struct ib_thin *t)
{
    ib_plain_thin(t);
}

void ib_kernel_dot(const struct ib_dot *t)
{
    ib_plain_dot(t);
}

void ib_kernel_lanes(ib_real *a, const ib_real *x, size_t row, size_t lanes,
                     size_t n)
{
    ib_plain_lanes(a, x, row, lanes, n);
}

double ib_kernel_sum(size_t n, const ib_real *x)
{
    return ib_plain_sum(n, x);
}

#else

#include <immintrin.h>
#include <string.h>

/* A loop of few, known steps: unrolled, so that both compilers keep what it
 * indexes in registers. */
#define EACH(i, n) _Pragma("GCC unroll 16") for (size_t i = 0; i < (n); i++)
#define INLINE     static inline __attribute__((always_inline))

enum { COLUMNS = 6, SUM_RUN = 1024 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* --- wide: 6 columns of 16 lanes ----------------------------------------- */

INLINE void put8(float *out, __m256 s, bool add)
{
    _mm256_storeu_ps(out, add ? _mm256_add_ps(_mm256_loadu_ps(out), s) : s);
}

INLINE void put4(float *out, __m128 v, bool add)
{
    _mm_storeu_ps(out, add ? _mm_add_ps(_mm_loadu_ps(out), v) : v);
}

/* The lower or the upper half of v. */
INLINE void put2(float *out, __m128 v, bool upper, bool add)
{
    __m64 *p = (__m64 *)out;
    if (upper)
        v = _mm_movehl_ps(v, v);
    if (add)
        v = _mm_add_ps(_mm_loadl_pi(v, p), v);
    _mm_storel_pi(p, v);
}

INLINE void put_pair(float *out, size_t row, __m256 four, __m256 two,
                     bool upper, bool add)
{
    put4(out, _mm256_castps256_ps128(four), add);
    put2(out + 4, _mm256_castps256_ps128(two), upper, add);
    put4(out + 4 * row, _mm256_extractf128_ps(four, 1), add);
    put2(out + 4 * row + 4, _mm256_extractf128_ps(two, 1), upper, add);
}

/* Eight lanes of six columns to eight rows of six numbers. */
INLINE void put_eight(float *out, size_t row, __m256 s[COLUMNS][2], int half,
                      bool add)
{
    __m256 a = _mm256_unpacklo_ps(s[0][half], s[1][half]);
    __m256 b = _mm256_unpackhi_ps(s[0][half], s[1][half]);
    __m256 c = _mm256_unpacklo_ps(s[2][half], s[3][half]);
    __m256 d = _mm256_unpackhi_ps(s[2][half], s[3][half]);
    __m256 e = _mm256_unpacklo_ps(s[4][half], s[5][half]);
    __m256 f = _mm256_unpackhi_ps(s[4][half], s[5][half]);
    put_pair(out, row, _mm256_shuffle_ps(a, c, 0x44), e, false, add);
    put_pair(out + row, row, _mm256_shuffle_ps(a, c, 0xee), e, true, add);
    put_pair(out + 2 * row, row, _mm256_shuffle_ps(b, d, 0x44), f, false, add);
    put_pair(out + 3 * row, row, _mm256_shuffle_ps(b, d, 0xee), f, true, add);
}

static void put_any(const struct ib_wide *t, const int32_t *to, size_t columns,
                    const float *s)
{
    for (size_t l = 0; l < t->lanes; l++)
        for (size_t c = 0; c < columns; c++) {
            float *out = t->out + l * t->row + to[c];
            *out = t->add ? *out + s[c * IB_LANES + l] : s[c * IB_LANES + l];
        }
}

INLINE void wide_tile(const struct ib_wide *t, const float *const p[COLUMNS],
                      __m256 s[COLUMNS][2])
{
    const float *a = t->a;
    EACH (c, COLUMNS) {
        s[c][0] = _mm256_loadu_ps(a);
        s[c][1] = _mm256_loadu_ps(a + 8);
    }
    a += IB_LANES;
    for (size_t k = 0; k < t->taps; k++, a += IB_LANES) {
        ptrdiff_t at = t->tap[k];
        __m256 low = _mm256_loadu_ps(a), high = _mm256_loadu_ps(a + 8);
        EACH (c, COLUMNS) {
            __m256 b = _mm256_broadcast_ss(p[c] + at);
            s[c][0] = _mm256_fmadd_ps(low, b, s[c][0]);
            s[c][1] = _mm256_fmadd_ps(high, b, s[c][1]);
        }
    }
}

void ib_kernel_wide(const struct ib_wide *t)
{
    for (size_t at = 0; at < t->columns; at += COLUMNS) {
        size_t columns = least(COLUMNS, t->columns - at);
        const int32_t *from = t->from + at, *to = t->to + at;
        const float *p[COLUMNS];
        __m256 s[COLUMNS][2];
        EACH (c, COLUMNS)
            p[c] = t->b + from[c < columns ? c : 0];
        wide_tile(t, p, s);
        if (columns == COLUMNS && t->lanes == IB_LANES &&
            to[COLUMNS - 1] == to[0] + COLUMNS - 1) {
            float *out = t->out + to[0];
            put_eight(out, t->row, s, 0, t->add);
            put_eight(out + 8 * t->row, t->row, s, 1, t->add);
            continue;
        }
        if (columns == COLUMNS && t->lanes == IB_LANES && t->row == 1) {
            EACH (c, COLUMNS) {
                put8(t->out + to[c], s[c][0], t->add);
                put8(t->out + to[c] + 8, s[c][1], t->add);
            }
            continue;
        }
        float spilled[COLUMNS * IB_LANES];
        EACH (c, COLUMNS) {
            _mm256_storeu_ps(spilled + IB_LANES * c, s[c][0]);
            _mm256_storeu_ps(spilled + IB_LANES * c + 8, s[c][1]);
        }
        put_any(t, to, columns, spilled);
    }
}

/* --- thin: few lanes, eight neighbours at a time -------------------------- */

/* The first `length` lanes, fewer than all. */
INLINE void put_part(float *out, __m256 s, size_t length, bool add)
{
    float rest[4];
    __m128 v = _mm256_castps256_ps128(s);
    if (length >= 4) {
        put4(out, v, add);
        v = _mm256_extractf128_ps(s, 1);
        out += 4;
    }
    _mm_storeu_ps(rest, v);
    for (size_t i = 0; i < length % 4; i++)
        out[i] = add ? out[i] + rest[i] : rest[i];
}

INLINE void put_spot(const struct ib_thin *t, size_t spot,
                     const __m256 s[IB_THIN], size_t lanes)
{
    float *out = t->out + t->to[spot];
    size_t length = (size_t)t->length[spot];
    if (length == IB_VECTOR) {
        EACH (l, lanes)
            put8(out + l * t->row, s[l], t->add);
        return;
    }
    EACH (l, lanes)
        put_part(out + l * t->row, s[l], length, t->add);
}

/* s[v][l] += w[l] * b[v], whichever order needs fewer registers. */
INLINE void outer_product(__m256 s[8][IB_THIN], const float *const b[8],
                          ptrdiff_t at, const float *w, size_t n, size_t lanes)
{
    __m256 kept[IB_THIN];
    _mm_prefetch((const char *)(b[0] + at + 64), _MM_HINT_T1);
    if (n < lanes) {
        EACH (v, n)
            kept[v] = _mm256_loadu_ps(b[v] + at);
        EACH (l, lanes) {
            __m256 x = _mm256_broadcast_ss(w + l);
            EACH (v, n)
                s[v][l] = _mm256_fmadd_ps(x, kept[v], s[v][l]);
        }
        return;
    }
    EACH (l, lanes)
        kept[l] = _mm256_broadcast_ss(w + l);
    EACH (v, n) {
        __m256 x = _mm256_loadu_ps(b[v] + at);
        EACH (l, lanes)
            s[v][l] = _mm256_fmadd_ps(kept[l], x, s[v][l]);
    }
}

/* All spots, n at a time, with `lanes` lanes: constants where it is inlined. */
INLINE void thin_tiles(const struct ib_thin *t, size_t n, size_t lanes)
{
    for (size_t at = 0; at < t->spots; at += n) {
        const float *b[8], *a = t->a;
        __m256 s[8][IB_THIN];
        EACH (v, n) {
            b[v] = t->b + t->from[least(at + v, t->spots - 1)];
            EACH (l, lanes)
                s[v][l] = _mm256_broadcast_ss(a + l);
        }
        a += lanes;
        for (size_t k = 0; k < t->taps; k++, a += lanes)
            outer_product(s, b, t->tap[k], a, n, lanes);
        EACH (v, n) {
            if (at + v < t->spots)
                put_spot(t, at + v, s[v], lanes);
        }
    }
}

void ib_kernel_thin(const struct ib_thin *t)
{
    if (t->lanes == 1)
        thin_tiles(t, 8, 1);
    else if (t->lanes == 2)
        thin_tiles(t, 6, 2);
    else if (t->lanes == 3)
        thin_tiles(t, 4, 3);
    else if (t->lanes == 4)
        thin_tiles(t, 3, 4);
    else if (t->lanes == 5)
        thin_tiles(t, 2, 5);
    else
        thin_tiles(t, 2, 6);
}

/* --- dot: products of rows with taps -------------------------------------- */

INLINE __m256 load_part(const float *x, int32_t length)
{
    static const int32_t window[] = {-1, -1, -1, -1, -1, -1, -1, -1,
                                     0,  0,  0,  0,  0,  0,  0,  0};
    if (length == IB_VECTOR)
        return _mm256_loadu_ps(x);
    const int32_t *mask = window + IB_VECTOR - length;
    return _mm256_maskload_ps(x, _mm256_loadu_si256((const __m256i *)mask));
}

/* s[i][k] += a[i][to..] * b[k][from..], whichever order needs fewer registers;
 * size: rows, taps. */
INLINE void dot_spot(__m256 s[4][8], const float *const a[4], ptrdiff_t to,
                     const float *const b[8], ptrdiff_t from,
                     const size_t size[2])
{
    __m256 kept[4];
    if (size[1] < size[0]) {
        EACH (k, size[1])
            kept[k] = _mm256_loadu_ps(b[k] + from);
        EACH (i, size[0]) {
            __m256 x = _mm256_loadu_ps(a[i] + to);
            EACH (k, size[1])
                s[i][k] = _mm256_fmadd_ps(x, kept[k], s[i][k]);
        }
        return;
    }
    EACH (i, size[0])
        kept[i] = _mm256_loadu_ps(a[i] + to);
    EACH (k, size[1]) {
        __m256 x = _mm256_loadu_ps(b[k] + from);
        EACH (i, size[0])
            s[i][k] = _mm256_fmadd_ps(kept[i], x, s[i][k]);
    }
}

/* The sums of four vectors' lanes, in kernel_plain.c's order. */
INLINE __m128 across(__m256 a, __m256 b, __m256 c, __m256 d)
{
    __m256 s = _mm256_hadd_ps(_mm256_hadd_ps(a, b), _mm256_hadd_ps(c, d));
    return _mm_add_ps(_mm256_castps256_ps128(s), _mm256_extractf128_ps(s, 1));
}

/* Rows m.. and taps j.., `rows` x `taps` of them; those beyond the last are
 * computed from the last, and dropped. */
INLINE void dot_tile(const struct ib_dot *t, size_t m, size_t j, size_t rows,
                     size_t taps)
{
    const float *a[4], *b[8];
    __m256 s[4][8];
    EACH (i, rows) {
        a[i] = t->a + least(m + i, t->rows - 1) * t->a_row;
        EACH (k, taps)
            s[i][k] = _mm256_setzero_ps();
    }
    EACH (k, taps)
        b[k] = t->b + t->tap[least(j + k, t->taps - 1)];
    for (size_t v = 0; v < t->spots; v++) {
        if (j == 0)
            EACH (i, rows)
                _mm_prefetch((const char *)(a[i] + rows * t->a_row + t->to[v]),
                             _MM_HINT_T1);
        dot_spot(s, a, t->to[v], b, t->from[v], (const size_t[2]){rows, taps});
    }
    float sum[8 * 4];
    EACH (k, taps)
        _mm_storeu_ps(sum + 4 * k,
                      across(s[0][k], s[rows > 1 ? 1 : 0][k],
                             s[rows > 2 ? 2 : 0][k], s[rows > 3 ? 3 : 0][k]));
    for (size_t i = 0; i < rows && m + i < t->rows; i++)
        for (size_t k = 0; k < taps && j + k < t->taps; k++) {
            float *out = t->out + (m + i) * t->row + j + k;
            *out = t->add ? *out + sum[4 * k + i] : sum[4 * k + i];
        }
}

INLINE void dot_tiles(const struct ib_dot *t, size_t m, size_t rows,
                      size_t taps)
{
    for (size_t j = 0; j < t->taps; j += taps)
        dot_tile(t, m, j, rows, taps);
}

void ib_kernel_dot(const struct ib_dot *t)
{
    size_t m = 0;
    for (; m + 4 <= t->rows; m += 4)
        dot_tiles(t, m, 4, 3);
    if (t->rows - m == 3)
        dot_tiles(t, m, 3, 4);
    else if (t->rows - m == 2)
        dot_tiles(t, m, 2, 6);
    else if (t->rows - m == 1)
        dot_tiles(t, m, 1, 8);
}

/* --- what prepares and what follows --------------------------------------- */

INLINE void transpose8(float *a, const float *x, size_t row)
{
    __m256 r[8], p[8];
    EACH (i, 8)
        r[i] = _mm256_loadu_ps(x + i * row);
    EACH (i, 4) {
        p[2 * i] = _mm256_unpacklo_ps(r[2 * i], r[2 * i + 1]);
        p[2 * i + 1] = _mm256_unpackhi_ps(r[2 * i], r[2 * i + 1]);
    }
    EACH (i, 2) {
        r[2 * i] = _mm256_shuffle_ps(p[i], p[i + 2], 0x44);
        r[2 * i + 1] = _mm256_shuffle_ps(p[i], p[i + 2], 0xee);
        r[2 * i + 4] = _mm256_shuffle_ps(p[i + 4], p[i + 6], 0x44);
        r[2 * i + 5] = _mm256_shuffle_ps(p[i + 4], p[i + 6], 0xee);
    }
    EACH (i, 4) {
        _mm256_storeu_ps(a + i * IB_LANES,
                         _mm256_permute2f128_ps(r[i], r[i + 4], 0x20));
        _mm256_storeu_ps(a + (i + 4) * IB_LANES,
                         _mm256_permute2f128_ps(r[i], r[i + 4], 0x31));
    }
}

void ib_kernel_lanes(float *a, const float *x, size_t row, size_t lanes,
                     size_t n)
{
    size_t i = 0;
    for (; lanes == IB_LANES && i + 8 <= n; i += 8) {
        transpose8(a + i * IB_LANES, x + i, row);
        transpose8(a + i * IB_LANES + 8, x + 8 * row + i, row);
    }
    ib_plain_lanes(a + i * IB_LANES, x + i, row, lanes, n - i);
}

/* Lanes i, i + 8, i + 16, i + 24 are joined first, as in kernel_plain.c. */
static double sum_run(size_t n, const float *x)
{
    __m256 s[4];
    float v[IB_VECTOR];
    size_t i = 0;
    EACH (j, 4)
        s[j] = _mm256_setzero_ps();
    for (; i + 32 <= n; i += 32)
        EACH (j, 4)
            s[j] = _mm256_add_ps(s[j], _mm256_loadu_ps(x + i + 8 * j));
    for (size_t j = 0; i < n; i += 8, j++)
        s[j] = _mm256_add_ps(s[j], load_part(x + i, (int32_t)least(8, n - i)));
    _mm256_storeu_ps(
        v, _mm256_add_ps(_mm256_add_ps(s[0], s[1]), _mm256_add_ps(s[2], s[3])));
    return (((double)v[0] + (double)v[1]) + ((double)v[2] + (double)v[3])) +
           (((double)v[4] + (double)v[5]) + ((double)v[6] + (double)v[7]));
}

double ib_kernel_sum(size_t n, const float *x)
{
    double total = 0;
    for (size_t i = 0; i < n; i += SUM_RUN)
        total += sum_run(least(SUM_RUN, n - i), x + i);
    return total;
}

#endif
