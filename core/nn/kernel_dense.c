/*
 * The dense kernels of kernel.h for AVX2 and FMA: twelve and ten sums of eight
 * lanes in registers, operands read where they lie.
 */
#include "kernel.h"

#ifdef IB_DOUBLE

void ib_kernel_rows(const struct ib_dense_rows *t)
{
    ib_plain_rows(t);
}

void ib_kernel_strips(const struct ib_dense_strips *t)
{
    ib_plain_strips(t);
}

#else

#include <immintrin.h>

#define EACH(i, n) _Pragma("GCC unroll 16") for (size_t i = 0; i < (n); i++)
#define INLINE     static inline __attribute__((always_inline))

enum { VECTOR = 8 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The first `length` of eight lanes. */
static __m256i first_lanes(size_t length)
{
    static const int32_t window[] = {-1, -1, -1, -1, -1, -1, -1, -1,
                                     0,  0,  0,  0,  0,  0,  0,  0};
    return _mm256_loadu_si256(
        (const __m256i *)(window + VECTOR - least(length, VECTOR)));
}

/* --- rows: dot products, 3 rows by 4 units -------------------------------- */

enum {
    ROWS = IB_ROWS_TILE,
    UNITS = 4,
    SPAN = 736, /* of the inputs: a block of x and w that stays in L2 */
    ROW_BLOCK = IB_ROWS_BLOCK,
    SUMS = IB_ROWS_UNITS
};

/* With room for the tiles that reach beyond the last row and unit. */
struct row_sums {
    __m256 s[ROW_BLOCK + ROWS - 1][SUMS + UNITS - 1];
};

INLINE void rows_step(__m256 s[ROWS][UNITS], const float *const x[ROWS],
                      const float *const w[UNITS], size_t k, __m256i lanes)
{
    __m256 a[ROWS];
    EACH (i, ROWS)
        a[i] = _mm256_maskload_ps(x[i] + k, lanes);
    EACH (j, UNITS) {
        __m256 b = _mm256_maskload_ps(w[j] + k, lanes);
        EACH (i, ROWS)
            s[i][j] = _mm256_fmadd_ps(a[i], b, s[i][j]);
    }
}

INLINE void rows_whole(__m256 s[ROWS][UNITS], const float *const x[ROWS],
                       const float *const w[UNITS], size_t k)
{
    __m256 a[ROWS];
    EACH (i, ROWS)
        a[i] = _mm256_loadu_ps(x[i] + k);
    EACH (j, UNITS) {
        __m256 b = _mm256_loadu_ps(w[j] + k);
        EACH (i, ROWS)
            s[i][j] = _mm256_fmadd_ps(a[i], b, s[i][j]);
    }
}

/* Inputs from..to of rows m.. and units j..; those beyond the last are computed
 * from the last, and dropped. */
static void rows_tile(const struct ib_dense_rows *t, const size_t at[2],
                      const size_t span[2], struct row_sums *sums)
{
    const float *x[ROWS], *w[UNITS];
    __m256 s[ROWS][UNITS];
    size_t k = span[0];
    EACH (i, ROWS) {
        x[i] = t->x + least(at[0] + i, t->rows - 1) * t->x_row;
        EACH (j, UNITS)
            s[i][j] = sums->s[at[0] + i][at[1] + j];
    }
    EACH (j, UNITS)
        w[j] = t->w + least(at[1] + j, t->units - 1) * t->w_row;
    for (; k + VECTOR <= span[1]; k += VECTOR)
        rows_whole(s, x, w, k);
    if (k < span[1])
        rows_step(s, x, w, k, first_lanes(span[1] - k));
    EACH (i, ROWS) {
        EACH (j, UNITS)
            sums->s[at[0] + i][at[1] + j] = s[i][j];
    }
}

/* The sums of four vectors' lanes, in kernel_plain.c's order. */
INLINE __m128 across(const __m256 v[UNITS])
{
    __m256 s =
        _mm256_hadd_ps(_mm256_hadd_ps(v[0], v[1]), _mm256_hadd_ps(v[2], v[3]));
    return _mm_add_ps(_mm256_castps256_ps128(s), _mm256_extractf128_ps(s, 1));
}

static void rows_put(const struct ib_dense_rows *t, const struct row_sums *sums)
{
    for (size_t i = 0; i < t->rows; i++)
        for (size_t j = 0; j < t->units; j += UNITS) {
            float four[UNITS], *y = t->y + i * t->y_row + j;
            _mm_storeu_ps(four, across(sums->s[i] + j));
            for (size_t l = 0; l < least(UNITS, t->units - j); l++)
                y[l] = t->bias ? t->bias[j + l] + four[l] : four[l];
        }
}

static void rows_block(const struct ib_dense_rows *t)
{
    struct row_sums sums;
    for (size_t i = 0; i < t->rows + ROWS - 1; i++)
        for (size_t j = 0; j < t->units + UNITS - 1; j++)
            sums.s[i][j] = _mm256_setzero_ps();
    for (size_t k = 0; k < t->inputs; k += SPAN) {
        const size_t span[] = {k, least(k + SPAN, t->inputs)};
        for (size_t i = 0; i < t->rows; i += ROWS)
            for (size_t j = 0; j < t->units; j += UNITS)
                rows_tile(t, (const size_t[]){i, j}, span, &sums);
    }
    rows_put(t, &sums);
}

void ib_kernel_rows(const struct ib_dense_rows *t)
{
    for (size_t at = 0; at < t->rows; at += ROW_BLOCK) {
        struct ib_dense_rows block = *t;
        block.x += at * t->x_row;
        block.y += at * t->y_row;
        block.rows = least(ROW_BLOCK, t->rows - at);
        rows_block(&block);
    }
}

/* --- strips: outer products, 5 rows by 16 lanes --------------------------- */

enum {
    DEEP = 5,      /* rows of a tile */
    WIDE = 16,     /* its lanes */
    STRIP = 64,    /* lanes of x that stay in L1 while all rows pass */
    LINE = 16,     /* numbers of a line of the cache */
    TERMS = 64,    /* of a strip */
    ROW_SET = 40,  /* rows whose factors are packed at once */
    ALIASED = 2048 /* bytes: rows of x that lie a multiple of it apart share
                      too few sets of the cache, and are copied */
};

/* Terms first..first + terms of rows at..at + rows. */
struct strip_part {
    const struct ib_dense_strips *t;
    size_t at, rows, first, terms;
    float a[ROW_SET * TERMS]; /* [row / DEEP][term][row % DEEP] */
    float copy[TERMS * STRIP];
    const float *x; /* of the strip, and from term to term */
    size_t x_row;
};

static void strip_pack(struct strip_part *p)
{
    const struct ib_dense_strips *t = p->t;
    float *to = p->a;
    for (size_t m = 0; m < p->rows; m += DEEP)
        for (size_t k = 0; k < p->terms; k++)
            for (size_t i = 0; i < DEEP; i++) {
                const float *from = t->a + (p->at + m + i) * t->a_step +
                                    (p->first + k) * t->a_row;
                *to++ = m + i < p->rows ? *from : 0;
            }
}

/* Eight of the sixteen lanes; stores under a mask are slow. */
INLINE __m256 strip_load(const float *x, __m256i lanes, bool whole)
{
    return whole ? _mm256_loadu_ps(x) : _mm256_maskload_ps(x, lanes);
}

INLINE void strip_store(float *x, __m256i lanes, __m256 v, bool whole)
{
    if (whole)
        _mm256_storeu_ps(x, v);
    else
        _mm256_maskstore_ps(x, lanes, v);
}

/* Where the tile's sums begin: 0, keep times out, or out. */
INLINE __m256 strip_begin(const struct strip_part *p, const float *out,
                          __m256i lanes, bool whole)
{
    float keep = p->t->keep;
    if (p->first > 0)
        return strip_load(out, lanes, whole);
    if (keep == 0)
        return _mm256_setzero_ps();
    return _mm256_mul_ps(_mm256_set1_ps(keep), strip_load(out, lanes, whole));
}

/* x: lane 0 of the first term; out: row m, lane 0. whole: all lanes wanted. */
INLINE void strip_tile(const struct strip_part *p, size_t m, const float *x,
                       float *out, const __m256i lanes[2], bool whole)
{
    const float *a = p->a + m * p->terms;
    size_t rows = least(DEEP, p->rows - m), row = p->t->out_row;
    size_t x_row = p->x_row, terms = p->terms;
    __m256 s[DEEP][2];
    EACH (i, DEEP) {
        EACH (h, 2)
            s[i][h] = strip_begin(p, out + least(i, rows - 1) * row + 8 * h,
                                  lanes[h], whole);
    }
    for (size_t k = 0; k < terms; k++, a += DEEP, x += x_row) {
        __m256 low = strip_load(x, lanes[0], whole);
        __m256 high = strip_load(x + 8, lanes[1], whole);
        EACH (i, DEEP) {
            __m256 f = _mm256_broadcast_ss(a + i);
            s[i][0] = _mm256_fmadd_ps(f, low, s[i][0]);
            s[i][1] = _mm256_fmadd_ps(f, high, s[i][1]);
        }
    }
    EACH (i, DEEP) {
        if (i < rows)
            EACH (h, 2)
                strip_store(out + i * row + 8 * h, lanes[h], s[i][h], whole);
    }
}

static void strip_rows(const struct strip_part *p, size_t from, size_t length)
{
    float *out = p->t->out + p->at * p->t->out_row + from;
    for (size_t m = 0; m < p->rows; m += DEEP)
        for (size_t d = 0; d < length; d += WIDE) {
            size_t rest = length - d;
            const __m256i lanes[] = {
                first_lanes(rest),
                first_lanes(rest > VECTOR ? rest - VECTOR : 0)};
            float *to = out + m * p->t->out_row + d;
            if (rest >= WIDE)
                strip_tile(p, m, p->x + d, to, lanes, true);
            else
                strip_tile(p, m, p->x + d, to, lanes, false);
        }
}

static void strip_copy(struct strip_part *p, size_t length)
{
    for (size_t k = 0; k < p->terms; k++)
        for (size_t i = 0; i < length; i++)
            p->copy[k * STRIP + i] = p->x[k * p->x_row + i];
    p->x = p->copy;
    p->x_row = STRIP;
}

/* The next strip, while this one is used. */
static void strip_fetch(const struct strip_part *p, size_t length)
{
    for (size_t k = 0; k < p->terms; k++)
        for (size_t i = 0; i < length; i += LINE)
            _mm_prefetch((const char *)(p->x + k * p->x_row + STRIP + i),
                         _MM_HINT_T0);
}

static void strip_part(struct strip_part *p)
{
    const struct ib_dense_strips *t = p->t;
    strip_pack(p);
    for (size_t d = 0; d < t->width; d += STRIP) {
        size_t length = least(STRIP, t->width - d);
        p->x = t->x + p->first * t->x_row + d;
        p->x_row = t->x_row;
        if (t->x_row * sizeof(float) % ALIASED == 0)
            strip_copy(p, length);
        else
            strip_fetch(p, length);
        strip_rows(p, d, length);
    }
}

void ib_kernel_strips(const struct ib_dense_strips *t)
{
    struct strip_part p = {.t = t};
    for (p.at = 0; p.at < t->rows; p.at += ROW_SET) {
        p.rows = least(ROW_SET, t->rows - p.at);
        for (p.first = 0; p.first < t->terms; p.first += TERMS) {
            p.terms = least(TERMS, t->terms - p.first);
            strip_part(&p);
        }
    }
}

#endif
