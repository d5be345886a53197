/* HSIC and COCO: as tests/test_losses.c. */
#include "cmocka_all.h"
#include "loss_fixture.h"

#include <stdlib.h>

#include "golden/dependence.inc"

enum { M = 8 };

/* --- dependence ---------------------------------------------------------- */

static struct {
    enum ib_kernel kernel;
    double sx, sy;
    double *work;
} dependence;

typedef double (*measure)(const struct ib_features *,
                          const struct ib_features *);

static double measured(measure m, ib_real *const g[4])
{
    struct ib_features x = {5, in.x[0], g[0], IB_GAUSSIAN_KERNEL,
                            dependence.sx};
    struct ib_features y = {3, in.x[1], g[1], dependence.kernel, dependence.sy};
    return m(&x, &y);
}

static double m_hsic(const struct ib_features *x, const struct ib_features *y)
{
    return ib_loss_hsic(M, x, y, dependence.work);
}

static double m_normalised(const struct ib_features *x,
                           const struct ib_features *y)
{
    return ib_loss_hsic_normalised(M, x, y, dependence.work);
}

static double m_spectral(const struct ib_features *x,
                         const struct ib_features *y)
{
    return ib_loss_coco(M, x, y, IB_SPECTRAL_NORM, dependence.work);
}

static double m_frobenius(const struct ib_features *x,
                          const struct ib_features *y)
{
    return ib_loss_coco(M, x, y, IB_FROBENIUS_NORM, dependence.work);
}

static double hsic(ib_real *const g[4])
{
    return measured(m_hsic, g);
}

static double normalised(ib_real *const g[4])
{
    return measured(m_normalised, g);
}

static double spectral(ib_real *const g[4])
{
    return measured(m_spectral, g);
}

static double frobenius(ib_real *const g[4])
{
    return measured(m_frobenius, g);
}

static int take_work(void **state)
{
    (void)state;
    dependence.work = malloc(ib_dependence_bytes(M));
    return dependence.work ? 0 : -1;
}

static int free_work(void **state)
{
    (void)state;
    free(dependence.work);
    return 0;
}

static void dependence_equals_pytorch(void **state)
{
    (void)state;
    numbers(M * 5, 14, -2, 4, in.x[0]);
    numbers(M * 3, 15, -2, 4, in.x[1]);
    dependence.kernel = IB_GAUSSIAN_KERNEL;
    dependence.sx = 1.5;
    dependence.sy = 2;
    CHECK(hsic, hsic_fixed, 0, 0x1p-5);
    CHECK(hsic, hsic_fixed, 1, 0x1p-5);
    CHECK(frobenius, frobenius_fixed, 0, 0x1p-5);
    CHECK(frobenius, frobenius_fixed, 1, 0x1p-5);
    CHECK(spectral, spectral_fixed, 0, 0x1p-5);
    CHECK(spectral, spectral_fixed, 1, 0x1p-5);
}

/* The median is a constant of the gradient: no difference quotients of x. */
static void
dependence_with_median_and_linear_kernel_equals_pytorch(void **state)
{
    (void)state;
    numbers(M * 5, 14, -2, 4, in.x[0]);
    numbers(M * 3, 15, -2, 4, in.x[1]);
    dependence.kernel = IB_LINEAR_KERNEL;
    dependence.sx = 0;
    CHECK(hsic, hsic_median, 0, 0);
    CHECK(hsic, hsic_median, 1, 0x1p-5);
    CHECK(frobenius, frobenius_median, 0, 0);
    CHECK(frobenius, frobenius_median, 1, 0x1p-5);
    CHECK(spectral, spectral_median, 0, 0);
    CHECK(spectral, spectral_median, 1, 0x1p-5);
}

/* Badly conditioned: rounding its inputs to float moves PyTorch's own gradients
 * by 9e-6 and 2e-7 of their norm here, by 2e-7 and 3e-4 with BiDO's kernels. */
static void normalised_dependence_equals_pytorch(void **state)
{
    (void)state;
    numbers(M * 5, 14, -2, 4, in.x[0]);
    numbers(M * 3, 15, -2, 4, in.x[1]);
    dependence.kernel = IB_GAUSSIAN_KERNEL;
    dependence.sx = 1.5;
    dependence.sy = 2;
    CHECK(normalised, normalised_fixed, 0, 0);
    CHECK(normalised, normalised_fixed, 1, 0);
    dependence.kernel = IB_LINEAR_KERNEL;
    dependence.sx = 5 * sqrt(5);
    CHECK(normalised, normalised_bido, 0, 0x1p-4);
    CHECK(normalised, normalised_bido, 1, 0, 1e-5);
}

/* Linear kernels of one column each: K~ = a a^T, L~ = b b^T with the centred
 * columns, <a, b> = 4, |a|^2 = |b|^2 = 5. */
static void dependence_of_single_columns_by_hand(void **state)
{
    (void)state;
    const ib_real a[4] = {1, 2, 3, 4}, b[4] = {7, 8, 10, 9};
    ib_real ga[4];
    struct ib_features x = {1, a, ga, IB_LINEAR_KERNEL, 0},
                       y = {1, b, NULL, IB_LINEAR_KERNEL, 0};
    double ab = 4, aa = 5, bb = 5;
    double value = ib_loss_hsic(4, &x, &y, dependence.work);
    assert_true(fabs(value - ab * ab / 9) < 1e-12);
    assert_true(fabs((double)ga[0] + 2 * ab * 1.5 / 9) < 1e-6);
    value = ib_loss_coco(4, &x, &y, IB_SPECTRAL_NORM, dependence.work);
    assert_true(fabs(value - sqrt(ab * sqrt(aa * bb)) / 4) < 1e-12);
    value = ib_loss_coco(4, &x, &y, IB_FROBENIUS_NORM, dependence.work);
    assert_true(fabs(value - sqrt(ab * sqrt(aa * bb)) / 4) < 1e-12);
}

static void nothing_depends_on_a_constant(void **state)
{
    (void)state;
    const measure all[] = {m_hsic, m_normalised, m_spectral, m_frobenius};
    ib_real flat[M] = {0}, gx[M * 5], gy[M];
    for (size_t i = 0; i < M; i++)
        flat[i] = 3;
    numbers(M * 5, 14, -2, 4, in.x[0]);
    struct ib_features x = {5, in.x[0], gx, IB_GAUSSIAN_KERNEL, 0};
    struct ib_features y = {1, flat, gy, IB_GAUSSIAN_KERNEL, 0};
    for (size_t i = 0; i < IB_COUNT(all); i++) {
        double value = all[i](&x, &y);
        assert_true(fabs(value) < 1e-7);
        for (size_t j = 0; j < M * 5; j++)
            assert_true(fabs((double)gx[j]) < 1e-7 && gy[j / 5] == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dependence_equals_pytorch),
        cmocka_unit_test(
            dependence_with_median_and_linear_kernel_equals_pytorch),
        cmocka_unit_test(normalised_dependence_equals_pytorch),
        cmocka_unit_test(dependence_of_single_columns_by_hand),
        cmocka_unit_test(nothing_depends_on_a_constant),
    };
    return cmocka_run_group_tests(tests, take_work, free_work);
}
