/* Elementary functions against the C library in higher precision. */
#include "cmocka_all.h"

#include <invbench/math.h>

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static double ulps(float got, double want)
{
    float w = (float)want;
    if (got == w)
        return 0;
    return fabs((double)got - want) /
           (double)(nextafterf(fabsf(w), INFINITY) - fabsf(w));
}

static double ulps_double(double got, long double want)
{
    double w = (double)want;
    if (got == w)
        return 0;
    long double unit = nextafter(fabs(w), INFINITY) - fabs(w);
    return (double)(fabsl((long double)got - want) / unit);
}

struct sweep {
    float (*f)(float);
    double (*twin)(double);
    double first, last, worst;
};

static double sigmoid_twin(double x)
{
    return 1 / (1 + exp(-x));
}

static void float_functions_stay_below_two_ulp(void **state)
{
    (void)state;
    static const struct sweep sweeps[] = {
        {ib_expf, exp, -87, 88.7, 2},
        {ib_logf, log, 1e-38, 4, 2},
        {ib_logf, log, 4, 3e38, 2},
        {ib_tanhf, tanh, -10, 10, 2},
        {ib_sigmoidf, sigmoid_twin, -80, 80, 2.5},
    };
    for (size_t s = 0; s < IB_COUNT(sweeps); s++) {
        const struct sweep *w = &sweeps[s];
        for (int i = 0; i <= 100000; i++) {
            float x = (float)(w->first + (w->last - w->first) * i / 1e5);
            double e = ulps(w->f(x), w->twin((double)x));
            if (e > w->worst)
                fail_msg("sweep %zu at %.9g: %.2f ulp", s, (double)x, e);
        }
    }
}

static void small_arguments_keep_their_precision(void **state)
{
    (void)state;
    for (float x = 1; x > 1e-30f; x *= 0.7f) {
        assert_true(ulps(ib_tanhf(x), tanh((double)x)) < 2);
        assert_true(ulps(ib_tanhf(-x), tanh(-(double)x)) < 2);
        float y = 1 + x;
        assert_true(ulps(ib_logf(y), log((double)y)) < 2);
    }
}

static void double_exp_and_log_stay_below_four_ulp(void **state)
{
    (void)state;
    for (int i = 0; i <= 100000; i++) {
        double x = -700 + 1400 * i / 1e5,
               y = ldexp(1 + i / 1e5, i % 2000 - 999);
        assert_true(ulps_double(ib_exp(x), expl((long double)x)) < 4);
        assert_true(ulps_double(ib_log(y), logl((long double)y)) < 4);
        double z = 0.5 + i / 1e5;
        assert_true(ulps_double(ib_log(z), logl((long double)z)) < 4);
    }
}

static void double_sine_and_power_stay_below_four_ulp(void **state)
{
    (void)state;
    for (int i = 0; i <= 100000; i++) {
        double x = -1e3 + 0.0200007 * i, far = 9.9 * i;
        assert_true(ulps_double(ib_sin(x), sinl((long double)x)) < 4);
        assert_true(ulps_double(ib_cos(x), cosl((long double)x)) < 4);
        assert_true(ulps_double(ib_sin(far), sinl((long double)far)) < 4);
        double b = 1e-3 + i * 0.01, e = (i % 200 - 100) * 0.37;
        assert_true(ulps_double(ib_pow(b, e),
                                powl((long double)b, (long double)e)) < 4);
    }
}

static void limits_saturate_as_in_c(void **state)
{
    (void)state;
    assert_true(ib_expf(1000) == INFINITY && ib_expf(-1000) == 0);
    assert_true(ib_expf(-INFINITY) == 0 && ib_expf(0) == 1);
    assert_true(isnan(ib_expf(NAN)) && isnan(ib_tanhf(NAN)));
    assert_true(isnan(ib_sigmoidf(NAN)) && isnan(ib_logf(NAN)));
    assert_true(ib_logf(0) == -INFINITY && isnan(ib_logf(-1)));
    assert_true(ib_logf(INFINITY) == INFINITY && ib_logf(1) == 0);
    assert_true(ib_sigmoidf(-INFINITY) == 0 && ib_sigmoidf(INFINITY) == 1);
    assert_true(ib_tanhf(INFINITY) == 1 && ib_tanhf(-INFINITY) == -1);
    assert_true(ib_exp(710) == INFINITY && ib_exp(-800) == 0);
    assert_true(ib_log(0) == -INFINITY && isnan(ib_log(-1)));
    assert_true(ib_pow(0, 2) == 0 && ib_pow(0, -1) == INFINITY);
    assert_true(ib_pow(3, 0) == 1 && ib_pow(2, 10) == 1024);
    assert_true(isnan(ib_exp(NAN)) && isnan(ib_sin(INFINITY)));
}

static void vector_forms_equal_scalar_forms_in_place(void **state)
{
    (void)state;
    enum { N = 77 };
    float x[N], y[N];
    for (int i = 0; i < N; i++)
        x[i] = (float)(i - 38) * 0.31f;
    memcpy(y, x, sizeof y);
    ib_vexp(N, y, y);
    for (int i = 0; i < N; i++)
        assert_true(y[i] == ib_expf(x[i]));
    ib_vtanh(N, x, y);
    for (int i = 0; i < N; i++)
        assert_true(y[i] == ib_tanhf(x[i]));
    ib_vsigmoid(N, x, y);
    for (int i = 0; i < N; i++)
        assert_true(y[i] == ib_sigmoidf(x[i]));
}

static void softmax_survives_large_logits(void **state)
{
    (void)state;
    float z[6] = {1000, 1001, 999, -1e30f, 0, 1e30f}, p[6];
    ib_softmax_rows(2, 3, z, p);
    double e = exp(-1), f = exp(-2), s = 1 + e + f;
    assert_true(fabs((double)p[0] - e / s) < 1e-6);
    assert_true(fabs((double)p[1] - 1 / s) < 1e-6);
    assert_true(p[3] == 0 && p[4] == 0 && p[5] == 1);
}

static void gemm_equals_the_triple_loop(void **state)
{
    (void)state;
    enum { M = 5, N = 7, K = 11 };
    float a[M * K], b[K * N], c[M * N];
    for (int i = 0; i < M * K; i++)
        a[i] = (float)(i % 13 - 6);
    for (int i = 0; i < K * N; i++)
        b[i] = (float)(i % 7 - 3);
    for (int i = 0; i < M * N; i++)
        c[i] = 1;
    struct ib_gemm g = {.m = M,
                        .n = N,
                        .k = K,
                        .alpha = 2,
                        .beta = 3,
                        .lda = M,
                        .ldb = K,
                        .ldc = N,
                        .ta = true,
                        .tb = true};
    ib_sgemm(c, a, b, &g);
    for (int i = 0; i < M; i++)
        for (int j = 0; j < N; j++) {
            float want = 3;
            for (int k = 0; k < K; k++)
                want += 2 * a[k * M + i] * b[j * K + k];
            assert_true(c[i * N + j] == want);
        }
}

static void sums_are_kept_in_double(void **state)
{
    (void)state;
    enum { N = 100003 };
    float *x = malloc(N * sizeof *x);
    assert_non_null(x);
    for (int i = 0; i < N; i++)
        x[i] = 0.1f;
    assert_true(fabs(ib_sum(N, x) - N * (double)0.1f) < 1e-6);
    assert_true(fabs(ib_dot(N, x, x) - N * (double)0.1f * (double)0.1f) < 1e-6);
    ib_axpy(N, 2, x, x);
    assert_true(x[N - 1] == 2 * 0.1f + 0.1f || fabsf(x[N - 1] - 0.3f) < 1e-7f);
    free(x);
}

static void checked_sizes_refuse_overflow(void **state)
{
    (void)state;
    size_t r = 5;
    assert_false(ib_size_mul(SIZE_MAX, 2, &r));
    assert_false(ib_size_add(SIZE_MAX, 1, &r));
    assert_int_equal(r, 5);
    assert_true(ib_size_mul(6, 7, &r));
    assert_int_equal(r, 42);
}

static void scratch_is_aligned_zeroed_and_limited(void **state)
{
    (void)state;
    struct ib_scratch *s = ib_scratch_create(1 << 20);
    assert_non_null(s);
    size_t mark = ib_scratch_mark(s);
    char *a = ib_scratch_take(s, 100, 1);
    assert_non_null(a);
    assert_int_equal((uintptr_t)a % 64, 0);
    memset(a, 7, 100);
    ib_scratch_reset(s, mark);
    char *b = ib_scratch_take(s, 200, 1);
    assert_ptr_equal(a, b);
    for (int i = 0; i < 200; i++)
        assert_int_equal(b[i], 0);
    assert_null(ib_scratch_take(s, 1 << 20, 1));
    assert_null(ib_scratch_take(s, SIZE_MAX, 2));
    ib_scratch_free(s);
    ib_scratch_free(NULL);
}

static void errors_are_prefixed_and_cut(void **state)
{
    (void)state;
    struct ib_error e = {0};
    assert_int_equal(ib_error_set(&e, IB_E_DATA, "size %d", 3), IB_E_DATA);
    assert_int_equal(ib_error_prefix(&e, "file %s", "a.png"), IB_E_DATA);
    assert_string_equal(e.text, "file a.png: size 3");
    for (int i = 0; i < 400; i++)
        (void)ib_error_prefix(&e, "long prefix");
    assert_int_equal(strlen(e.text), IB_ERROR_MAX - 1);
    assert_int_equal(ib_error_set(NULL, IB_E_IO, "x"), IB_E_IO);
    assert_string_equal(ib_status_name(IB_E_NUMERIC), "numeric");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(float_functions_stay_below_two_ulp),
        cmocka_unit_test(small_arguments_keep_their_precision),
        cmocka_unit_test(double_exp_and_log_stay_below_four_ulp),
        cmocka_unit_test(double_sine_and_power_stay_below_four_ulp),
        cmocka_unit_test(limits_saturate_as_in_c),
        cmocka_unit_test(vector_forms_equal_scalar_forms_in_place),
        cmocka_unit_test(softmax_survives_large_logits),
        cmocka_unit_test(gemm_equals_the_triple_loop),
        cmocka_unit_test(sums_are_kept_in_double),
        cmocka_unit_test(checked_sizes_refuse_overflow),
        cmocka_unit_test(scratch_is_aligned_zeroed_and_limited),
        cmocka_unit_test(errors_are_prefixed_and_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
