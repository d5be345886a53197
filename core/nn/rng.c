/*
 * Philox4x32-10: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy
 * as 1, 2, 3", SC 2011.
 *
 * A stream's key is 64 bits mixed of seed, role and name; its identity is the
 * upper half of the 128-bit counter; the lower half counts blocks. Two streams
 * of one key with different identities therefore never overlap.
 */
#include <invbench/math.h>
#include <invbench/rng.h>

#include <math.h>
#include <string.h>

enum { ROUNDS = 10, WORDS = 4, LANES = 32 };

static const uint32_t M0 = 0xD2511F53u, M1 = 0xCD9E8D57u;
static const uint32_t W0 = 0x9E3779B9u, W1 = 0xBB67AE85u;

void ib_philox(const uint32_t counter[4], const uint32_t key[2],
               uint32_t out[4])
{
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t p0 = (uint64_t)M0 * c0, p1 = (uint64_t)M1 * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)p1;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)p0;
        k0 += W0;
        k1 += W1;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

/* The finaliser of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014). */
static uint64_t mix(uint64_t x)
{
    x ^= x >> 30;
    x *= 0xBF58476D1CE4E5B9u;
    x ^= x >> 27;
    x *= 0x94D049BB133111EBu;
    return x ^ x >> 31;
}

/* Every byte passes through the mix, the closing zero too, so that
 * ("ab", "c") and ("a", "bc") differ. */
static uint64_t mix_text(uint64_t h, const char *text)
{
    const unsigned char *p = (const unsigned char *)text;
    do
        h = mix((h ^ *p) + 0x9E3779B97F4A7C15u);
    while (*p++);
    return h;
}

struct ib_rng ib_rng_stream(uint64_t seed, const char *role, int64_t identity,
                            const char *name)
{
    uint64_t h = mix(seed + 0x9E3779B97F4A7C15u);
    h = mix_text(mix_text(h, role), name);
    uint64_t lane = (uint64_t)identity;
    return (struct ib_rng){
        .key = {(uint32_t)h, (uint32_t)(h >> 32)},
        .lane = {(uint32_t)lane, (uint32_t)(lane >> 32)},
        .used = WORDS,
    };
}

uint32_t ib_rng_u32(struct ib_rng *r)
{
    if (r->used >= WORDS) {
        uint32_t c[WORDS] = {(uint32_t)r->counter, (uint32_t)(r->counter >> 32),
                             r->lane[0], r->lane[1]};
        ib_philox(c, r->key, r->block);
        r->counter++;
        r->used = 0;
    }
    return r->block[r->used++];
}

uint64_t ib_rng_u64(struct ib_rng *r)
{
    uint64_t low = ib_rng_u32(r);
    return low | (uint64_t)ib_rng_u32(r) << 32;
}

double ib_rng_uniform(struct ib_rng *r)
{
    return (double)(ib_rng_u64(r) >> 11) * 0x1p-53;
}

/* Lemire, "Fast random integer generation in an interval", 2019. */
uint32_t ib_rng_below(struct ib_rng *r, uint32_t n)
{
    uint64_t m = (uint64_t)ib_rng_u32(r) * n;
    if ((uint32_t)m < n) {
        uint32_t least = (0u - n) % n;
        while ((uint32_t)m < least)
            m = (uint64_t)ib_rng_u32(r) * n;
    }
    return (uint32_t)(m >> 32);
}

double ib_rng_normal(struct ib_rng *r)
{
    double u = ib_rng_uniform(r), v = ib_rng_uniform(r);
    return sqrt(-2 * ib_log(1 - u)) * ib_cos(6.283185307179586 * v);
}

void ib_rng_shuffle(struct ib_rng *r, uint32_t *items, size_t n)
{
    for (size_t i = n; i > 1; i--) {
        uint32_t j = ib_rng_below(r, (uint32_t)i);
        uint32_t t = items[i - 1];
        items[i - 1] = items[j];
        items[j] = t;
    }
}

/* LANES blocks at once, word w of block i at [w][i]. The loops are of fixed
 * length so that compilers use vector instructions. */
struct words {
    uint32_t w[WORDS][LANES];
};

static void philox_round(struct words *s, uint32_t k0, uint32_t k1)
{
    for (int i = 0; i < LANES; i++) {
        uint64_t p0 = (uint64_t)M0 * s->w[0][i];
        uint64_t p1 = (uint64_t)M1 * s->w[2][i];
        s->w[0][i] = (uint32_t)(p1 >> 32) ^ s->w[1][i] ^ k0;
        s->w[1][i] = (uint32_t)p1;
        s->w[2][i] = (uint32_t)(p0 >> 32) ^ s->w[3][i] ^ k1;
        s->w[3][i] = (uint32_t)p0;
    }
}

static void philox_lanes(const struct ib_rng *r, uint64_t first,
                         struct words *s)
{
    for (unsigned i = 0; i < LANES; i++) {
        s->w[0][i] = (uint32_t)(first + i);
        s->w[1][i] = (uint32_t)((first + i) >> 32);
        s->w[2][i] = r->lane[0];
        s->w[3][i] = r->lane[1];
    }
    uint32_t k0 = r->key[0], k1 = r->key[1];
    for (int i = 0; i < ROUNDS; i++, k0 += W0, k1 += W1)
        philox_round(s, k0, k1);
}

typedef void (*lane_map)(const struct words *s, ib_real scale, ib_real *out);

static void fill(struct ib_rng *r, ib_real *out, size_t n, ib_real scale,
                 lane_map map)
{
    struct words s;
    ib_real chunk[WORDS * LANES];
    r->used = WORDS;
    while (n > 0) {
        philox_lanes(r, r->counter, &s);
        map(&s, scale, chunk);
        size_t take = n < WORDS * LANES ? n : WORDS * LANES;
        memcpy(out, chunk, take * sizeof *out);
        r->counter += (take + WORDS - 1) / WORDS;
        out += take;
        n -= take;
    }
}

/* Number 4 i + w of a fill comes from word w of block i. */
static void map_uniform(const struct words *s, ib_real scale, ib_real *out)
{
    for (int i = 0; i < LANES; i++)
        for (int w = 0; w < WORDS; w++)
            out[WORDS * i + w] = (ib_real)(int32_t)(s->w[w][i] >> 8) * scale;
}

void ib_rng_fill_uniform(struct ib_rng *r, ib_real *out, size_t n)
{
    fill(r, out, n, 0x1p-24f, map_uniform);
}

/* Box-Muller: radius from word a (31 bits, never 0), angle from word b: two
 * bits choose the quarter, the rest an angle in [-pi/4, pi/4). */
static void box_muller(const uint32_t *a, const uint32_t *b, ib_real sigma,
                       ib_real *x, ib_real *y)
{
    ib_real radius[LANES];
    for (int i = 0; i < LANES; i++) {
        ib_real u = (ib_real)(int32_t)(a[i] >> 1) * 0x1p-31f + 0x1p-32f;
        radius[i] = u;
    }
    ib_vlog(LANES, radius, radius);
    for (int i = 0; i < LANES; i++) {
        ib_real rho = sigma * ib_sqrt(-2 * radius[i]);
        int32_t part = (int32_t)(b[i] & 0x3FFFFFFFu) - 0x20000000;
        ib_real t = (ib_real)part * 1.46291807926716e-9f; /* pi / 2^31 */
        ib_real z = t * t;
        ib_real s = ib_fma(z, 2.7557319e-6f, -1.9841270e-4f);
        s = ib_fma(z, s, 8.3333333e-3f);
        s = ib_fma(z, s, -1.6666667e-1f);
        s = ib_fma(z * t, s, t);
        ib_real c = ib_fma(z, 2.4801587e-5f, -1.3888889e-3f);
        c = ib_fma(z, c, 4.1666667e-2f);
        c = ib_fma(z, c, -0.5f);
        c = ib_fma(z, c, 1.0f);
        uint32_t quarter = b[i] >> 30;
        ib_real p = quarter & 1 ? s : c, q = quarter & 1 ? c : s;
        x[i] = quarter & 2 ? -rho * p : rho * p;
        y[i] = quarter & 2 ? -rho * q : rho * q;
    }
}

static void map_normal(const struct words *s, ib_real sigma, ib_real *out)
{
    ib_real z[WORDS][LANES];
    box_muller(s->w[0], s->w[1], sigma, z[0], z[1]);
    box_muller(s->w[2], s->w[3], sigma, z[2], z[3]);
    for (int i = 0; i < LANES; i++)
        for (int w = 0; w < WORDS; w++)
            out[WORDS * i + w] = z[w][i];
}

void ib_rng_fill_normal(struct ib_rng *r, ib_real *out, size_t n, ib_real sigma)
{
    fill(r, out, n, sigma, map_normal);
}
