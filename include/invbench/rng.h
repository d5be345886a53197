/*
 * Counter-based random numbers: Philox4x32-10 (Salmon et al., SC 2011).
 *
 * A stream is named by (seed, role, identity, name) and by nothing else: no
 * artifact key, no version, no clock. A changed defense therefore meets the
 * same random numbers, and pairs of cells stay pairs. Streams are values:
 * copy one to fork it at its position.
 */
#ifndef INVBENCH_RNG_H
#define INVBENCH_RNG_H

#include <invbench/base.h>

struct ib_rng {
    uint32_t key[2];
    uint32_t block[4];
    uint64_t counter; /* blocks drawn */
    uint32_t lane[2]; /* upper counter words: the identity */
    unsigned used;    /* words used of block; 4 = none left */
};

/* role: who draws ("train", "attack", "synthfaces"); name: what for
 * ("init", "batch-order"). identity: class or image index, -1 for none. */
struct ib_rng ib_rng_stream(uint64_t seed, const char *role, int64_t identity,
                            const char *name);
uint32_t ib_rng_u32(struct ib_rng *r);
uint64_t ib_rng_u64(struct ib_rng *r);
double ib_rng_uniform(struct ib_rng *r);             /* [0, 1), 53 bits */
uint32_t ib_rng_below(struct ib_rng *r, uint32_t n); /* unbiased, n > 0 */
double ib_rng_normal(struct ib_rng *r);              /* N(0, 1), Box-Muller */
void ib_rng_shuffle(struct ib_rng *r, uint32_t *items, size_t n);
/* Bulk draws; the stream moves by a whole number of blocks. */
void ib_rng_fill_uniform(struct ib_rng *r, ib_real *out, size_t n);
void ib_rng_fill_normal(struct ib_rng *r, ib_real *out, size_t n,
                        ib_real sigma);
/* The raw block function, for tests against published vectors. */
void ib_philox(const uint32_t counter[4], const uint32_t key[2],
               uint32_t out[4]);

#endif
