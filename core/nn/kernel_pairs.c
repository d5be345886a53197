/*
 * Rows whose numbers come in pairs: pooling of 2 x 2 windows, weaving. See
 * kernel.h.
 */
#include "kernel.h"

/* --- plain ---------------------------------------------------------------- */

/* b over a, NaN over all: as pairs, then the winners. */
static bool over(ib_real b, ib_real a)
{
    return b > a || b != b;
}

void ib_plain_max2(size_t n, const ib_real *top, const ib_real *below,
                   ib_real *y, uint8_t *place)
{
    for (size_t i = 0; i < n; i++) {
        const ib_real *a = top + 2 * i, *b = below + 2 * i;
        int upper = over(a[1], a[0]), lower = over(b[1], b[0]);
        bool second = over(b[lower], a[upper]);
        y[i] = second ? b[lower] : a[upper];
        place[i] = (uint8_t)(second ? 2 + lower : upper);
    }
}

static void put(ib_real *x, ib_real v, bool add)
{
    *x = add ? *x + v : v;
}

void ib_plain_max2_back(size_t n, const struct ib_max2_back *b)
{
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < 2; k++) {
            put(&b->top[2 * i + k], b->place[i] == k ? b->dy[i] : 0, b->add);
            put(&b->below[2 * i + k], b->place[i] == 2 + k ? b->dy[i] : 0,
                b->add);
        }
}

/* Numbers from..width of row r. */
static void weave_row(const struct ib_weave *t, size_t r, size_t from)
{
    const ib_real *even = t->even + r * ((t->width + 1) / 2);
    const ib_real *odd = t->odd + r * (t->width / 2);
    for (size_t i = from; i < t->width; i++)
        put(&t->out[r * t->row + i], i % 2 ? odd[i / 2] : even[i / 2], t->add);
}

void ib_plain_weave(const struct ib_weave *t)
{
    for (size_t r = 0; r < t->rows; r++)
        weave_row(t, r, 0);
}

#ifdef IB_DOUBLE

void ib_kernel_max2(size_t n, const ib_real *top, const ib_real *below,
                    ib_real *y, uint8_t *place)
{
    ib_plain_max2(n, top, below, y, place);
}

void ib_kernel_max2_back(size_t n, const struct ib_max2_back *b)
{
    ib_plain_max2_back(n, b);
}

void ib_kernel_weave(const struct ib_weave *t)
{
    ib_plain_weave(t);
}

#else

#include <immintrin.h>

/* --- eight windows at a time -----------------------------------------------
 */

static inline __m256 over8(__m256 b, __m256 a)
{
    return _mm256_or_ps(_mm256_cmp_ps(b, a, _CMP_GT_OQ),
                        _mm256_cmp_ps(b, b, _CMP_UNORD_Q));
}

/* 16 numbers to the 8 at even and the 8 at odd places, both in the order 0 1 4
 * 5 2 3 6 7. */
static inline void split(const float *x, __m256 *even, __m256 *odd)
{
    __m256 a = _mm256_loadu_ps(x), b = _mm256_loadu_ps(x + 8);
    *even = _mm256_shuffle_ps(a, b, 0x88);
    *odd = _mm256_shuffle_ps(a, b, 0xdd);
}

static inline __m256i bits(__m256 mask, int value)
{
    return _mm256_and_si256(_mm256_castps_si256(mask),
                            _mm256_set1_epi32(value));
}

static inline __m256i in_order(__m256i x)
{
    return _mm256_permute4x64_epi64(x, 0xd8);
}

void ib_kernel_max2(size_t n, const float *top, const float *below, float *y,
                    uint8_t *place)
{
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        __m256 a, b, c, d;
        split(top + 2 * i, &a, &b);
        split(below + 2 * i, &c, &d);
        __m256 upper = over8(b, a), lower = over8(d, c);
        a = _mm256_blendv_ps(a, b, upper);
        c = _mm256_blendv_ps(c, d, lower);
        __m256 second = over8(c, a);
        __m256i first = bits(upper, 1);
        __m256i other = _mm256_or_si256(bits(lower, 1), _mm256_set1_epi32(2));
        __m256i p = in_order(
            _mm256_blendv_epi8(first, other, _mm256_castps_si256(second)));
        __m256i max =
            in_order(_mm256_castps_si256(_mm256_blendv_ps(a, c, second)));
        _mm256_storeu_ps(y + i, _mm256_castsi256_ps(max));
        __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(p),
                                        _mm256_extracti128_si256(p, 1));
        _mm_storel_epi64((__m128i *)(place + i),
                         _mm_packus_epi16(words, words));
    }
    ib_plain_max2(n - i, top + 2 * i, below + 2 * i, y + i, place + i);
}

/* Even and odd places, in order, to 16 numbers. */
static inline void join(float *x, __m256 even, __m256 odd, bool add)
{
    __m256 low = _mm256_unpacklo_ps(even, odd);
    __m256 high = _mm256_unpackhi_ps(even, odd);
    __m256 a = _mm256_permute2f128_ps(low, high, 0x20);
    __m256 b = _mm256_permute2f128_ps(low, high, 0x31);
    if (add) {
        a = _mm256_add_ps(_mm256_loadu_ps(x), a);
        b = _mm256_add_ps(_mm256_loadu_ps(x + 8), b);
    }
    _mm256_storeu_ps(x, a);
    _mm256_storeu_ps(x + 8, b);
}

void ib_kernel_weave(const struct ib_weave *t)
{
    size_t evens = (t->width + 1) / 2, odds = t->width / 2;
    for (size_t r = 0; r < t->rows; r++) {
        const float *even = t->even + r * evens, *odd = t->odd + r * odds;
        float *out = t->out + r * t->row;
        size_t i = 0;
        for (; i + 8 <= odds; i += 8)
            join(out + 2 * i, _mm256_loadu_ps(even + i),
                 _mm256_loadu_ps(odd + i), t->add);
        if (2 * i < t->width)
            weave_row(t, r, 2 * i);
    }
}

static inline __m256 where(__m256i place, int value, __m256 dy)
{
    __m256i is = _mm256_cmpeq_epi32(place, _mm256_set1_epi32(value));
    return _mm256_and_ps(_mm256_castsi256_ps(is), dy);
}

void ib_kernel_max2_back(size_t n, const struct ib_max2_back *b)
{
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        __m256 dy = _mm256_loadu_ps(b->dy + i);
        __m256i place = _mm256_cvtepu8_epi32(
            _mm_loadl_epi64((const __m128i *)(b->place + i)));
        join(b->top + 2 * i, where(place, 0, dy), where(place, 1, dy), b->add);
        join(b->below + 2 * i, where(place, 2, dy), where(place, 3, dy),
             b->add);
    }
    ib_plain_max2_back(n - i, &(struct ib_max2_back){b->dy + i, b->place + i,
                                                     b->top + 2 * i,
                                                     b->below + 2 * i, b->add});
}

#endif
