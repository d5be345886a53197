/* Sets of rows compared: Frechet distance and PRDC. */
#include "cmocka_all.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <invbench/metric.h>
#include <invbench/rng.h>

#include "eigen.h"

struct frechet_row {
    size_t n, m, d;
    double scale, shift, value;
};
#define FRECHET
static const struct frechet_row frechet_rows[] = {
#include "golden/sets.inc"
};
#undef FRECHET
struct prdc_row {
    size_t n, m, d;
    double scale, shift;
    size_t k;
    int inversion;
    double precision, recall, density, coverage;
};
#define PRDC
static const struct prdc_row prdc_rows[] = {
#include "golden/sets.inc"
};
#undef PRDC

enum { FLOATS_MAX = 400 * 16 };

struct fixture {
    struct ib_scratch *scratch;
    struct ib_error err;
    float a[FLOATS_MAX], b[FLOATS_MAX];
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    f->scratch = ib_scratch_create(16 << 20);
    *state = f;
    return f->scratch ? 0 : 1;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    ib_scratch_free(f->scratch);
    free(f);
    return 0;
}

/* As rows() of make_sets.py. */
static void make_rows(float *out, size_t n, size_t d, uint32_t seed,
                      double scale, double shift)
{
    double u[19];

    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < d + 3; j++) {
            seed = seed * 1664525u + 1013904223u;
            u[j] = (double)(seed >> 8) / 16777216.0;
        }
        for (size_t j = 0; j < d; j++)
            out[i * d + j] =
                (float)((u[j] + 0.5 * u[j + 1] - u[j + 2] + 0.25 * u[j + 3]) *
                            (double)(1 + j) * scale +
                        shift * (double)(j % 3));
    }
}

/* Along all of d given directions, none left out. */
static void identity_axes(struct ib_axes *axes, double *room, size_t d)
{
    memset(room, 0, d * d * sizeof(*room));
    for (size_t i = 0; i < d; i++)
        room[i * d + i] = 1;
    *axes = (struct ib_axes){d, d, room};
}

static void frechet_equals_scipy(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < IB_COUNT(frechet_rows); i++) {
        const struct frechet_row *r = &frechet_rows[i];
        struct ib_frechet q = {.n = r->n, .m = r->m, .a = f->a, .b = f->b};
        double room[16 * 16];

        make_rows(f->a, r->n, r->d, 11, 1, 0);
        make_rows(f->b, r->m, r->d, 12, r->scale, r->shift);
        identity_axes(&q.axes, room, r->d);
        assert_int_equal(ib_frechet_find(&q, f->scratch, &f->err), IB_OK);
        assert_null(q.reason);
        if (!(fabs(q.value - r->value) <= 1e-6 * fmax(1, r->value)))
            fail_msg("row %zu: %.17g, not %.17g", i, q.value, r->value);
    }
}

static void frechet_does_not_depend_on_the_axes(void **state)
{
    struct fixture *f = *state;
    struct ib_frechet q = {.n = 300, .m = 170, .a = f->a, .b = f->b};
    double room[4 * 4], plain;

    make_rows(f->a, 300, 4, 11, 1, 0);
    make_rows(f->b, 170, 4, 12, 1.1, 0.1);
    identity_axes(&q.axes, room, 4);
    assert_int_equal(ib_frechet_find(&q, f->scratch, &f->err), IB_OK);
    plain = q.value;
    assert_int_equal(ib_axes_find(300, f->a, &q.axes, f->scratch, &f->err),
                     IB_OK);
    assert_int_equal(q.axes.k, 4);
    assert_int_equal(ib_frechet_find(&q, f->scratch, &f->err), IB_OK);
    assert_true(fabs(q.value - plain) < 1e-9 * plain);
}

static void frechet_of_a_set_with_itself_is_zero(void **state)
{
    struct fixture *f = *state;
    struct ib_frechet q = {.n = 200, .m = 200, .a = f->a, .b = f->a};
    double room[16 * 16];

    make_rows(f->a, 200, 16, 11, 1, 0);
    identity_axes(&q.axes, room, 16);
    assert_int_equal(ib_frechet_find(&q, f->scratch, &f->err), IB_OK);
    assert_true(q.value >= 0 && q.value < 1e-9);
}

static void frechet_of_few_rows_is_null_with_the_reason(void **state)
{
    struct fixture *f = *state;
    struct ib_frechet q = {.n = 200, .m = 159, .a = f->a, .b = f->b};
    double room[1];

    identity_axes(&q.axes, room, 1);
    assert_int_equal(ib_frechet_find(&q, f->scratch, &f->err), IB_OK);
    assert_true(isnan(q.value));
    assert_non_null(strstr(q.reason, "160"));
}

static void axes_are_those_of_the_largest_variance(void **state)
{
    enum { N = 300, D = 6 };
    struct fixture *f = *state;
    struct ib_axes axes = {.d = D, .k = 2};
    struct ib_rng rng = ib_rng_stream(1, "test", 0, "axes");

    for (int i = 0; i < N; i++)
        for (int j = 0; j < D; j++)
            f->a[i * D + j] = (float)(ib_rng_normal(&rng) * (j == 4   ? 10
                                                             : j == 1 ? 3
                                                                      : 0.1));
    assert_int_equal(ib_axes_find(N, f->a, &axes, f->scratch, &f->err), IB_OK);
    assert_int_equal(axes.k, 2);
    assert_true(fabs(axes.axis[4]) > 0.999);
    assert_true(fabs(axes.axis[D + 1]) > 0.999);
}

static void axes_of_long_rows_are_orthonormal_and_span_them(void **state)
{
    enum { N = 12, D = 500 };
    struct fixture *f = *state;
    struct ib_axes axes = {.d = D, .k = 16};
    struct ib_rng rng = ib_rng_stream(2, "test", 0, "axes");

    ib_rng_fill_normal(&rng, f->a, (size_t)N * D, 1);
    assert_int_equal(ib_axes_find(N, f->a, &axes, f->scratch, &f->err), IB_OK);
    assert_int_equal(axes.k, N - 1);
    for (size_t i = 0; i < axes.k; i++)
        for (size_t j = 0; j <= i; j++) {
            double sum = 0;
            for (int l = 0; l < D; l++)
                sum +=
                    axes.axis[i * D + (size_t)l] * axes.axis[j * D + (size_t)l];
            assert_true(fabs(sum - (i == j)) < 1e-9);
        }
}

static void eigenvectors_rebuild_the_matrix(void **state)
{
    enum { N = 40 };
    double a[N * N], old[N * N], q[N * N];
    struct ib_rng rng = ib_rng_stream(3, "test", 0, "eigen");

    (void)state;
    for (int i = 0; i < N; i++)
        for (int j = 0; j <= i; j++)
            a[i * N + j] = a[j * N + i] = ib_rng_normal(&rng);
    memcpy(old, a, sizeof(a));
    ib_eigen_symmetric(N, a, q);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            double sum = 0;
            for (int l = 0; l < N; l++)
                sum += q[l * N + i] * a[l * N + l] * q[l * N + j];
            assert_true(fabs(sum - old[i * N + j]) < 1e-12);
        }
}

static void prdc_equals_the_definition(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < IB_COUNT(prdc_rows); i++) {
        const struct prdc_row *r = &prdc_rows[i];
        struct ib_prdc q = {.d = r->d,
                            .k = r->k,
                            .real = {.n = r->n, .floats = f->a},
                            .fake = {.n = r->m, .floats = f->b},
                            .inversion = r->inversion};

        make_rows(f->a, r->n, r->d, 21, 1, 0);
        make_rows(f->b, r->m, r->d, 22, r->scale, r->shift);
        assert_int_equal(ib_prdc_find(&q, f->scratch, &f->err), IB_OK);
        if (fabs(q.precision - r->precision) > 1e-12 ||
            fabs(q.recall - r->recall) > 1e-12 ||
            fabs(q.density - r->density) > 1e-12 ||
            fabs(q.coverage - r->coverage) > 1e-12)
            fail_msg("row %zu: %g %g %g %g, not %g %g %g %g", i, q.precision,
                     q.recall, q.density, q.coverage, r->precision, r->recall,
                     r->density, r->coverage);
    }
}

/* Real: 0, 1, 2, 10 on a line; k = 1: radii 1, 1, 1, 8. Fake: 1.5, 1.6; radii
 * 0.1 each. By hand. */
static void prdc_on_a_line(void **state)
{
    struct fixture *f = *state;
    static const float real[] = {0, 1, 2, 10}, fake[] = {1.5f, 1.6f};
    struct ib_prdc q = {.d = 1,
                        .k = 1,
                        .real = {.n = 4, .floats = real},
                        .fake = {.n = 2, .floats = fake}};

    assert_int_equal(ib_prdc_find(&q, f->scratch, &f->err), IB_OK);
    assert_float_equal(q.precision, 1, 0);
    assert_float_equal(q.recall, 0, 0);
    /* 1.5 and 1.6 lie in the balls of 1 and 2, none in that of 10 (8.4) */
    assert_float_equal(q.density, 2, 0);
    assert_float_equal(q.coverage, 0.5, 0);
    q.inversion = true;
    assert_int_equal(ib_prdc_find(&q, f->scratch, &f->err), IB_OK);
    assert_float_equal(q.density, 1, 0); /* over 4 reals, not 2 fakes */
}

static void prdc_without_enough_neighbours_is_null(void **state)
{
    struct fixture *f = *state;
    struct ib_prdc q = {.d = 1,
                        .k = 5,
                        .real = {.n = 10, .floats = f->a},
                        .fake = {.n = 5, .floats = f->b}};

    assert_int_equal(ib_prdc_find(&q, f->scratch, &f->err), IB_OK);
    assert_true(isnan(q.precision) && isnan(q.recall));
    assert_non_null(q.reason);
}

static void prdc_of_bytes_equals_that_of_floats(void **state)
{
    struct fixture *f = *state;
    uint8_t a[60], b[30];
    struct ib_prdc q = {.d = 3,
                        .k = 2,
                        .real = {.n = 20, .bytes = a},
                        .fake = {.n = 10, .bytes = b}},
                   p = q;
    struct ib_rng rng = ib_rng_stream(5, "test", 0, "bytes");

    for (int i = 0; i < 60; i++) {
        a[i] = (uint8_t)ib_rng_below(&rng, 256);
        f->a[i] = a[i];
    }
    for (int i = 0; i < 30; i++) {
        b[i] = (uint8_t)ib_rng_below(&rng, 256);
        f->b[i] = b[i];
    }
    p.real = (struct ib_rows){.n = 20, .floats = f->a};
    p.fake = (struct ib_rows){.n = 10, .floats = f->b};
    assert_int_equal(ib_prdc_find(&q, f->scratch, &f->err), IB_OK);
    assert_int_equal(ib_prdc_find(&p, f->scratch, &f->err), IB_OK);
    assert_float_equal(q.precision, p.precision, 0);
    assert_float_equal(q.recall, p.recall, 0);
    assert_float_equal(q.density, p.density, 0);
    assert_float_equal(q.coverage, p.coverage, 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(frechet_equals_scipy),
        T(frechet_does_not_depend_on_the_axes),
        T(frechet_of_a_set_with_itself_is_zero),
        T(frechet_of_few_rows_is_null_with_the_reason),
        T(axes_are_those_of_the_largest_variance),
        T(axes_of_long_rows_are_orthonormal_and_span_them),
        T(eigenvectors_rebuild_the_matrix),
        T(prdc_equals_the_definition),
        T(prdc_on_a_line),
        T(prdc_without_enough_neighbours_is_null),
        T(prdc_of_bytes_equals_that_of_floats),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
