/* The generator against published vectors, and its streams. */
#include "cmocka_all.h"

#include <invbench/math.h>
#include <invbench/rng.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Random123 1.14, tests/kat_vectors: philox4x32 10. */
static const struct {
    uint32_t counter[4], key[2], out[4];
} vectors[] = {
    {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
    {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
     {0xffffffff, 0xffffffff},
     {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
    {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
     {0xa4093822, 0x299f31d0},
     {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
};

static void block_function_meets_random123_vectors(void **state)
{
    (void)state;
    for (size_t i = 0; i < IB_COUNT(vectors); i++) {
        uint32_t out[4];
        ib_philox(vectors[i].counter, vectors[i].key, out);
        assert_memory_equal(out, vectors[i].out, sizeof out);
    }
}

static uint64_t first(uint64_t seed, const char *role, int64_t identity,
                      const char *name)
{
    struct ib_rng r = ib_rng_stream(seed, role, identity, name);
    return ib_rng_u64(&r);
}

static void every_part_of_the_name_changes_the_stream(void **state)
{
    (void)state;
    uint64_t base = first(1, "train", 3, "init");
    assert_true(base == first(1, "train", 3, "init"));
    assert_true(base != first(2, "train", 3, "init"));
    assert_true(base != first(1, "attack", 3, "init"));
    assert_true(base != first(1, "train", -1, "init"));
    assert_true(base != first(1, "train", 3, "order"));
    assert_true(first(1, "ab", 0, "c") != first(1, "a", 0, "bc"));
}

static void a_stream_never_changes(void **state)
{
    (void)state;
    struct ib_rng r = ib_rng_stream(7, "train", 2, "init");
    uint32_t a = ib_rng_u32(&r), b = ib_rng_u32(&r);
    assert_int_equal(a, 0x1a4b54ce);
    assert_int_equal(b, 0xc5039eaf);
}

static void bounded_draws_cover_their_range_evenly(void **state)
{
    (void)state;
    struct ib_rng r = ib_rng_stream(1, "test", 0, "below");
    int count[7] = {0};
    for (int i = 0; i < 70000; i++)
        count[ib_rng_below(&r, 7)]++;
    for (int i = 0; i < 7; i++)
        assert_in_range(count[i], 9600, 10400);
}

static void uniform_stays_below_one_with_the_right_moments(void **state)
{
    (void)state;
    enum { N = 100001 };
    struct ib_rng r = ib_rng_stream(1, "test", 0, "uniform");
    float *x = malloc(N * sizeof *x);
    assert_non_null(x);
    ib_rng_fill_uniform(&r, x, N);
    for (int i = 0; i < N; i++)
        assert_true(x[i] >= 0 && x[i] < 1);
    assert_true(fabs(ib_sum(N, x) / N - 0.5) < 0.005);
    assert_true(fabs(ib_dot(N, x, x) / N - 1.0 / 3) < 0.005);
    double u = ib_rng_uniform(&r);
    assert_true(u >= 0 && u < 1);
    free(x);
}

static void moments(const float *x, int n, double m[5])
{
    memset(m, 0, 5 * sizeof *m);
    for (int i = 0; i < n; i++) {
        double p = 1;
        for (int k = 1; k <= 4; k++)
            m[k] += (p *= (double)x[i]) / n;
    }
}

static void normal_numbers_have_normal_moments_and_tails(void **state)
{
    (void)state;
    enum { N = 400000 };
    struct ib_rng r = ib_rng_stream(1, "test", 0, "normal");
    float *x = malloc(N * sizeof *x);
    assert_non_null(x);
    ib_rng_fill_normal(&r, x, N, 1);
    double m[5];
    moments(x, N, m);
    assert_true(fabs(m[1]) < 0.008 && fabs(m[2] - 1) < 0.01);
    assert_true(fabs(m[3]) < 0.02 && fabs(m[4] - 3) < 0.06);
    int beyond = 0;
    for (int i = 0; i < N; i++)
        beyond += fabsf(x[i]) > 3;
    assert_in_range(beyond, 950, 1210); /* 0.27 % */
    double pair = 0;
    for (int i = 0; i + 1 < N; i++)
        pair += (double)(x[i] * x[i + 1]) / N;
    assert_true(fabs(pair) < 0.008);
    free(x);
}

static void scalar_normal_has_normal_moments(void **state)
{
    (void)state;
    enum { N = 50000 };
    struct ib_rng r = ib_rng_stream(1, "test", 0, "scalar");
    double s = 0, q = 0;
    for (int i = 0; i < N; i++) {
        double z = ib_rng_normal(&r);
        s += z / N;
        q += z * z / N;
    }
    assert_true(fabs(s) < 0.02 && fabs(q - 1) < 0.03);
}

static void bulk_draws_do_not_depend_on_how_they_are_cut(void **state)
{
    (void)state;
    struct ib_rng a = ib_rng_stream(3, "test", 1, "bulk"), b = a;
    float x[600], y[600];
    ib_rng_fill_normal(&a, x, 600, 2);
    ib_rng_fill_normal(&b, y, 4, 2);
    ib_rng_fill_normal(&b, y + 4, 200, 2);
    ib_rng_fill_normal(&b, y + 204, 396, 2);
    assert_memory_equal(x, y, sizeof x);
    assert_int_equal(ib_rng_u32(&a), ib_rng_u32(&b));
}

static void bulk_uniform_equals_the_block_function(void **state)
{
    (void)state;
    struct ib_rng a = ib_rng_stream(3, "test", 5, "bulk"), b = a;
    float x[8];
    ib_rng_fill_uniform(&a, x, 8);
    for (int i = 0; i < 8; i++) {
        float want = (float)(ib_rng_u32(&b) >> 8) * 0x1p-24f;
        assert_true(x[i] == want);
    }
}

static void shuffle_permutes(void **state)
{
    (void)state;
    struct ib_rng r = ib_rng_stream(1, "test", 0, "shuffle");
    uint32_t items[100];
    int seen[100] = {0}, moved = 0;
    for (uint32_t i = 0; i < 100; i++)
        items[i] = i;
    ib_rng_shuffle(&r, items, 100);
    for (uint32_t i = 0; i < 100; i++) {
        seen[items[i]]++;
        moved += items[i] != i;
    }
    for (int i = 0; i < 100; i++)
        assert_int_equal(seen[i], 1);
    assert_true(moved > 90);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(block_function_meets_random123_vectors),
        cmocka_unit_test(every_part_of_the_name_changes_the_stream),
        cmocka_unit_test(a_stream_never_changes),
        cmocka_unit_test(bounded_draws_cover_their_range_evenly),
        cmocka_unit_test(uniform_stays_below_one_with_the_right_moments),
        cmocka_unit_test(normal_numbers_have_normal_moments_and_tails),
        cmocka_unit_test(scalar_normal_has_normal_moments),
        cmocka_unit_test(bulk_draws_do_not_depend_on_how_they_are_cut),
        cmocka_unit_test(bulk_uniform_equals_the_block_function),
        cmocka_unit_test(shuffle_permutes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
