#include "cmocka_all.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <invbench/metric.h>

struct golden {
    int c, h, w;
    uint32_t seed;
    int mix;
    double ssim;
};
static const struct golden goldens[] = {
#include "golden/ssim.inc"
};

static void noise(uint8_t *out, size_t n, uint32_t seed)
{
    uint32_t x = seed, base = 0;
    for (size_t i = 0; i < n; i++) {
        x = x * 1664525u + 1013904223u;
        if (i % 4 == 0)
            base = x >> 24;
        out[i] = (uint8_t)((base * 3 + (x >> 24)) / 4);
    }
}

static void pair(const struct golden *g, uint8_t *a, uint8_t *b)
{
    size_t n = (size_t)g->c * (size_t)g->h * (size_t)g->w;
    noise(a, n, g->seed);
    noise(b, n, g->seed + 1000);
    for (size_t i = 0; i < n; i++)
        b[i] = (uint8_t)((a[i] * g->mix + b[i] * (256 - g->mix)) / 256);
}

static void pairs_equal_scikit_image(void **state)
{
    static uint8_t a[3 * 128 * 128], b[3 * 128 * 128];
    (void)state;
    for (size_t i = 0; i < IB_COUNT(goldens); i++) {
        const struct golden *g = &goldens[i];
        struct ib_shape s = {g->c, g->h, g->w};
        pair(g, a, b);
        if (fabs(ib_ssim(s, a, b) - g->ssim) > 1e-12)
            fail_msg("%dx%dx%d: %.15g, not %.15g", g->c, g->h, g->w,
                     ib_ssim(s, a, b), g->ssim);
    }
}

static void matrix_equals_pairs(void **state)
{
    enum { N = 5, M = 7, D = 3 * 20 * 33 };
    static uint8_t a[N * D], b[M * D];
    const struct ib_shape s = {3, 20, 33};
    double out[N * M];
    struct ib_scratch *scratch = ib_scratch_create((size_t)64 << 20);
    (void)state;
    noise(a, sizeof a, 5);
    noise(b, sizeof b, 6);
    struct ib_ssim_pairs q = {s, N, M, a, b, out};
    assert_int_equal(ib_ssim_matrix(&q, scratch, NULL), IB_OK);
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < M; j++)
            assert_true(fabs(out[i * M + j] -
                             ib_ssim(s, a + i * D, b + j * D)) < 1e-12);
    ib_scratch_free(scratch);
}

static void matrix_is_the_same_in_blocks(void **state)
{
    enum { N = 40, D = 128 * 128 }; /* more than one block of 32 MiB */
    static uint8_t a[N * D], b[D];
    const struct ib_shape s = {1, 128, 128};
    double out[N];
    struct ib_scratch *scratch = ib_scratch_create((size_t)256 << 20);
    (void)state;
    noise(a, sizeof a, 9);
    noise(b, sizeof b, 10);
    for (size_t n = 0; n < 10; n++)
        memcpy(a + n * D, b, D / 2 + n);
    struct ib_ssim_pairs q = {s, N, 1, a, b, out};
    assert_int_equal(ib_ssim_matrix(&q, scratch, NULL), IB_OK);
    for (size_t i = 0; i < N; i += 13)
        assert_true(fabs(out[i] - ib_ssim(s, a + i * D, b)) < 1e-12);
    ib_scratch_free(scratch);
}

static void equal_images_score_exactly_one(void **state)
{
    static uint8_t a[64 * 64];
    const struct ib_shape s = {1, 64, 64};
    (void)state;
    noise(a, sizeof a, 3);
    assert_true(ib_ssim(s, a, a) == 1);
    memset(a, 0, sizeof a);
    assert_true(ib_ssim(s, a, a) == 1);
}

static void small_images_use_the_largest_window_that_fits(void **state)
{
    const struct ib_shape s = {1, 4, 9};
    uint8_t a[36], b[36];
    (void)state;
    noise(a, sizeof a, 1);
    noise(b, sizeof b, 2);
    double x = ib_ssim(s, a, b);
    assert_true(x < 1 && x > -1);
    assert_true(ib_ssim(s, a, a) == 1);
}

/* By hand: one pixel, window 1: means are the pixels, no variance. */
static void one_pixel_compares_brightness(void **state)
{
    const struct ib_shape s = {1, 1, 1};
    const uint8_t a = 51, b = 102;
    (void)state;
    double m = 0.2 * 0.4;
    double want = (2 * m + 1e-4) / (0.04 + 0.16 + 1e-4);
    assert_true(fabs(ib_ssim(s, &a, &b) - want) < 1e-12);
}

static void no_memory_is_an_error(void **state)
{
    static uint8_t a[64 * 64];
    double out;
    struct ib_error err = {0};
    struct ib_scratch *scratch = ib_scratch_create(4096);
    (void)state;
    struct ib_ssim_pairs q = {{1, 64, 64}, 1, 1, a, a, &out};
    assert_int_equal(ib_ssim_matrix(&q, scratch, &err), IB_E_NOMEM);
    assert_non_null(strstr(err.text, "1 x 1"));
    ib_scratch_free(scratch);
}

static void mse_is_exact(void **state)
{
    const uint8_t a[] = {0, 255, 10, 20}, b[] = {255, 255, 13, 16};
    (void)state;
    assert_true(ib_pixel_mse(4, a, b) ==
                (65025.0 + 9 + 16) / (255.0 * 255.0 * 4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_equal_scikit_image),
        cmocka_unit_test(matrix_equals_pairs),
        cmocka_unit_test(matrix_is_the_same_in_blocks),
        cmocka_unit_test(equal_images_score_exactly_one),
        cmocka_unit_test(small_images_use_the_largest_window_that_fits),
        cmocka_unit_test(one_pixel_compares_brightness),
        cmocka_unit_test(no_memory_is_an_error),
        cmocka_unit_test(mse_is_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
