/* The kernels of dense layers against their plain twins. */
#include "cmocka_all.h"
#include "kernel.h"

#include <invbench/rng.h>
#include <string.h>

enum { NUMBERS = 300 * 2200, WIDTH = 2100 };

static ib_real a[NUMBERS], x[NUMBERS], out[NUMBERS], plain[NUMBERS];

static void fill(ib_real *to, uint64_t seed)
{
    struct ib_rng rng = ib_rng_stream(seed, "test", -1, "dense");
    ib_rng_fill_normal(&rng, to, NUMBERS, 1);
}

static int set_up(void **state)
{
    (void)state;
    fill(a, 1);
    fill(x, 2);
    return 0;
}

static void reset(void)
{
    fill(out, 3);
    memcpy(plain, out, sizeof out);
}

static void same_rows(size_t rows, size_t units, size_t inputs, bool bias)
{
    struct ib_dense_rows t = {.x = x,
                              .w = a,
                              .bias = bias ? x + 7 : NULL,
                              .x_row = WIDTH,
                              .w_row = WIDTH + 1,
                              .y_row = units + 3,
                              .rows = rows,
                              .units = units,
                              .inputs = inputs,
                              .y = out};
    reset();
    ib_kernel_rows(&t);
    t.y = plain;
    ib_plain_rows(&t);
    assert_memory_equal(out, plain, sizeof out);
}

static void rows_have_their_twins_bits(void **state)
{
    (void)state;
    same_rows(1, 1, 1, false);
    same_rows(1, 10, 784, true);
    same_rows(64, 40, 1031, true);
    same_rows(33, 64, 736, false);
    same_rows(34, 63, 1473, true);
    same_rows(2, 5, 2099, true);
}

static void same_strips(size_t rows, size_t terms, size_t width, size_t row)
{
    for (int i = 0; i < 3; i++) {
        struct ib_dense_strips t = {.a = a,
                                    .x = x,
                                    .a_row = i ? 1 : rows,
                                    .a_step = i ? terms : 1,
                                    .x_row = row,
                                    .out_row = row,
                                    .rows = rows,
                                    .terms = terms,
                                    .width = width,
                                    .out = out,
                                    .keep = (ib_real)(i * 0.5)};
        reset();
        ib_kernel_strips(&t);
        t.out = plain;
        ib_plain_strips(&t);
        assert_memory_equal(out, plain, sizeof out);
    }
}

static void strips_have_their_twins_bits(void **state)
{
    (void)state;
    same_strips(1, 1, 1, 1);
    same_strips(40, 64, 1031, 1031);
    same_strips(41, 65, 129, 512);
    same_strips(4, 130, 79, 1024);
    same_strips(5, 3, 16, 16);
    same_strips(83, 128, 71, 73);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_have_their_twins_bits),
        cmocka_unit_test(strips_have_their_twins_bits),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
