#include "oracle_hash.h"

#include <string.h>

enum { LANES = 4, STEP = LANES * 2 }; /* words, floats of a turn */

static const uint64_t odd = 0x9e3779b97f4a7c15u;

static uint64_t turn(uint64_t x, int by)
{
    return (x << by) | (x >> (64 - by));
}

static uint64_t mix(uint64_t h, uint64_t word)
{
    return turn((h ^ word) * odd, 29);
}

uint64_t ib_row_hash(const float *row, size_t d)
{
    uint64_t lane[LANES] = {1, 2, 3, 4}, word[LANES], h = (uint64_t)d;
    size_t i = 0;

    for (; i + STEP <= d; i += STEP) {
        memcpy(word, row + i, sizeof(word));
        for (int j = 0; j < LANES; j++)
            lane[j] = mix(lane[j], word[j]);
    }
    memset(word, 0, sizeof(word));
    memcpy(word, row + i, (d - i) * sizeof(*row));
    for (int j = 0; j < LANES; j++)
        h = mix(mix(h, lane[j]), word[j]);
    return mix(h ^ (h >> 32), odd);
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
