#include "oracle_hash.h"

#include <immintrin.h>
#include <string.h>

enum { VECTORS = 4, STEP = VECTORS * 8 }; /* of 32 bytes; floats of a turn */

static const uint64_t odd = 0x9e3779b97f4a7c15u;

static uint64_t mix(uint64_t h, uint64_t word)
{
    h = (h ^ word) * odd;
    return h ^ (h >> 29);
}

/* Per 64-bit lane: the two halves of a word, under a key that differs for
 * every place, times each other; and the word itself with its halves swapped,
 * so that a zero half hides nothing. */
static __m256i absorb(__m256i lane, __m256i key, const float *at)
{
    __m256i word = _mm256_loadu_si256((const __m256i *)(const void *)at);
    __m256i x = _mm256_xor_si256(word, key);
    __m256i product = _mm256_mul_epu32(x, _mm256_srli_epi64(x, 32));

    lane = _mm256_add_epi64(lane, product);
    return _mm256_add_epi64(lane, _mm256_shuffle_epi32(word, 0xb1));
}

static uint64_t lanes_mix(const __m256i lane[VECTORS], uint64_t h)
{
    uint64_t word[VECTORS * 4];

    memcpy(word, lane, sizeof(word));
    for (int i = 0; i < VECTORS * 4; i++)
        h = mix(h, word[i]);
    return mix(h ^ (h >> 32), odd);
}

uint64_t ib_row_hash(const float *row, size_t d)
{
    __m256i lane[VECTORS], key[VECTORS],
        next = _mm256_set1_epi64x((long long)odd);
    float rest[STEP] = {0};
    size_t i = 0;

    for (int j = 0; j < VECTORS; j++) {
        uint64_t k = mix((uint64_t)j + 1, odd);
        lane[j] = _mm256_setzero_si256();
        key[j] = _mm256_set_epi64x((long long)mix(k, 3), (long long)mix(k, 2),
                                   (long long)mix(k, 1), (long long)k);
    }
    for (; i + STEP <= d; i += STEP)
        for (int j = 0; j < VECTORS; j++) {
            lane[j] = absorb(lane[j], key[j], row + i + 8 * j);
            key[j] = _mm256_add_epi64(key[j], next);
        }
    memcpy(rest, row + i, (d - i) * sizeof(*row));
    for (int j = 0; j < VECTORS; j++)
        lane[j] = absorb(lane[j], key[j], rest + 8 * j);
    return lanes_mix(lane, (uint64_t)d);
}

size_t ib_row_bad(const float *row, size_t d)
{
    const uint32_t exponent = 0x7f800000u;
    uint32_t bits, any = 0;

    for (size_t i = 0; i < d; i++) {
        memcpy(&bits, row + i, sizeof(bits));
        any |= (uint32_t)((bits & exponent) == exponent);
    }
    for (size_t i = 0; any && i < d; i++) {
        memcpy(&bits, row + i, sizeof(bits));
        if ((bits & exponent) == exponent)
            return i;
    }
    return d;
}
