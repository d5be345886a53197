/* Losses against PyTorch in float64, finite differences, and hand-made values:
 * see tests/golden/make_losses.py. */
#include "cmocka_all.h"
#include "loss_fixture.h"

#include "golden/losses.inc"

enum { N = 2, K = 66 };

static const int32_t label[N] = {0, 65};

/* --- classification ------------------------------------------------------ */

static double cross_entropy(ib_real *const g[4])
{
    return ib_loss_cross_entropy(N, K, in.x[0], in.t, g[0]);
}

static double max_margin(ib_real *const g[4])
{
    return ib_loss_max_margin(N, K, in.x[0], label, g[0]);
}

static double logit(ib_real *const g[4])
{
    return ib_loss_logit(N, K, in.x[0], label, g[0]);
}

static double poincare(ib_real *const g[4])
{
    return ib_loss_poincare(N, K, in.x[0], label, g[0]);
}

static void losses_of_logits_equal_pytorch(void **state)
{
    (void)state;
    numbers(N * K, 1, -8, 16, in.x[0]);
    numbers(N * K, 2, -0.5, 1.5, in.t);
    CHECK(cross_entropy, cross_entropy, 0, 0x1p-4);
    ib_target_one_hot(N, K, label, in.t);
    ib_target_smooth(N, K, -0.05, in.t);
    CHECK(cross_entropy, smoothed, 0, 0x1p-5);
    CHECK(max_margin, max_margin, 0, 0x1p-11);
    CHECK(logit, logit, 0, 0x1p-11);
    CHECK(poincare, poincare, 0, 0x1p-12);
}

static void negative_smoothing_follows_its_schedule(void **state)
{
    (void)state;
    const int32_t y[1] = {2};
    ib_real t[4];
    ib_target_one_hot(1, 4, y, t);
    ib_target_smooth(1, 4, -0.4, t);
    assert_true(fabs((double)t[2] - 1.3) < 1e-6);
    assert_true(fabs((double)t[0] + 0.1) < 1e-6 && t[0] == t[1] &&
                t[1] == t[3]);
    for (int64_t e = 0; e < 100; e++) {
        double want = e < 50   ? 0
                      : e < 75 ? -0.05 * (1.0 / 50) * (double)(e + 1 - 50)
                               : -0.05;
        assert_true(fabs(ib_smoothing_at(-0.05, e, 100) - want) < 1e-15);
    }
    assert_true(ib_smoothing_at(-0.05, 0, 1) == -0.05);
}

static void the_margin_is_to_the_best_other_class(void **state)
{
    (void)state;
    const ib_real z[6] = {1, 4, 4, 2, 0, 2};
    const int32_t y[2] = {1, 0};
    ib_real g[6];
    assert_true(ib_loss_max_margin(2, 3, z, y, g) == 0);
    const ib_real want[6] = {0, -0.5f, 0.5f, -0.5f, 0, 0.5f};
    assert_memory_equal(g, want, sizeof g);
    assert_true(ib_loss_logit(2, 3, z, y, g) == -3);
    assert_true(g[1] == -0.5f && g[3] == -0.5f && g[0] == 0 && g[5] == 0);
}

/* u = (1/2, -1/2): |u - v|^2 = 0.4999^2 + 1/4, 1 - |u|^2 = 1/2. */
static void poincare_distance_by_hand(void **state)
{
    (void)state;
    const ib_real z[2] = {3, -3};
    const int32_t y[1] = {0};
    ib_real g[2];
    double x = 1 + 2 * (0.4999 * 0.4999 + 0.25) / (0.5 * (1 - 0.9999 * 0.9999));
    double loss = ib_loss_poincare(1, 2, z, y, g);
    assert_true(fabs(loss - acosh(x)) < 1e-9);
    assert_true(g[0] < 0 && fabs((double)(g[0] - g[1])) < 1e-6);
}

static void extreme_logits_stay_finite(void **state)
{
    (void)state;
    const ib_real z[8] = {1e4f, -1e4f, 0, 3, 0, 0, 0, 0};
    const ib_real t[8] = {0, 1, 0, 0, 0.25f, 0.25f, 0.25f, 0.25f};
    const int32_t y[2] = {0, 3};
    ib_real g[8];
    double ce = ib_loss_cross_entropy(2, 4, z, t, g);
    assert_true(fabs(ce - (2e4 + log(4)) / 2) < 1e-9);
    assert_true(g[0] == 0.5f && g[1] == -0.5f && g[4] == 0);
    double p = ib_loss_poincare(2, 4, z, y, g);
    assert_true(isfinite(p));
    for (int i = 0; i < 8; i++)
        assert_true(isfinite(g[i]) && (i < 4 || g[i] == 0));
    const ib_real one[2] = {5, 0};
    p = ib_loss_poincare(1, 2, one, y, g);
    assert_true(isfinite(p) && isfinite(g[0]) && isfinite(g[1]));
}

/* A sure model's gradient has its digits: softmax((0, 16))[0] = e^-16. */
static void a_sure_model_keeps_the_digits_of_its_gradient(void **state)
{
    (void)state;
    const ib_real z[2] = {0, 16}, t[2] = {0, 1};
    ib_real g[2];
    double loss = ib_loss_cross_entropy(1, 2, z, t, g), want = exp(-16);
    assert_true(fabs(loss / want - 1) < 1e-5);
    assert_true(fabs((double)g[0] / want - 1) < 1e-5);
    assert_true(fabs((double)g[1] / -want - 1) < 1e-5);
    const ib_real one[1] = {1};
    loss = ib_loss_bce_logits(1, 1, z + 1, one, g);
    assert_true(fabs(loss / want - 1) < 1e-5);
}

/* --- values -------------------------------------------------------------- */

static double mse(ib_real *const g[4])
{
    return ib_loss_mse(N, K, in.x[0], in.t, g[0]);
}

static double l1(ib_real *const g[4])
{
    return ib_loss_l1(N, K, in.x[0], in.t, g[0]);
}

static double bce(ib_real *const g[4])
{
    return ib_loss_bce(N, K, in.x[0], in.t, g[0]);
}

static double bce_logits(ib_real *const g[4])
{
    return ib_loss_bce_logits(N, K, in.x[0], in.t, g[0]);
}

static double hinge_real(ib_real *const g[4])
{
    return ib_loss_hinge(K, 1, in.x[0], g[0]);
}

static double hinge_fake(ib_real *const g[4])
{
    return ib_loss_hinge(K, -1, in.x[0], g[0]);
}

static double hinge_generator(ib_real *const g[4])
{
    return ib_loss_hinge_generator(K, in.x[0], g[0]);
}

static double feature_rows(ib_real *const g[4])
{
    return ib_loss_feature_rows(N, K, in.x[0], in.t, g[0]);
}

static double feature_mean(ib_real *const g[4])
{
    return ib_loss_feature_mean(N, K, in.x[0], in.t, g[0]);
}

static double feature_mean_l1(ib_real *const g[4])
{
    return ib_loss_feature_mean_l1(N, K, in.x[0], in.t, g[0]);
}

static void losses_of_values_equal_pytorch(void **state)
{
    (void)state;
    numbers(N * K, 3, -2, 4, in.x[0]);
    numbers(N * K, 4, -2, 4, in.t);
    CHECK(mse, mse, 0, 0x1p-6);
    CHECK(l1, l1, 0, 0x1p-11);
    numbers(K, 9, -2, 4, in.t);
    CHECK(feature_rows, feature_rows, 0, 0x1p-6);
    CHECK(feature_mean, feature_mean, 0, 0x1p-6);
    CHECK(feature_mean_l1, feature_mean_l1, 0, 0x1p-12);
    numbers(K, 8, -2, 4, in.x[0]);
    CHECK(hinge_real, hinge_real, 0, 0x1p-11);
    CHECK(hinge_fake, hinge_fake, 0, 0x1p-11);
    CHECK(hinge_generator, hinge_generator, 0, 0x1p-6);
    numbers(N * K, 7, 0, 1, in.t);
    numbers(N * K, 6, -20, 40, in.x[0]);
    CHECK(bce_logits, bce_logits, 0, 0x1p-5);
    numbers(N * K, 5, 0.001, 0.998, in.x[0]);
    CHECK(bce, bce, 0, 0);
}

static void probabilities_of_zero_and_one_are_bounded(void **state)
{
    (void)state;
    const ib_real p[4] = {0, 1, 0, 1}, t[4] = {0, 1, 1, 0};
    ib_real g[4];
    assert_true(ib_loss_bce(1, 2, p, t, g) == 0 && g[0] == 0 && g[1] == 0);
    assert_true(ib_loss_bce(1, 4, p, t, g) == 50);
    assert_true(g[2] == -1 / (ib_real)1e-12f / 4 && g[3] == -g[2]);
    const ib_real z[2] = {200, -200};
    assert_true(ib_loss_bce_logits(1, 2, z, t, g) == 200);
    assert_true(g[0] == 0.5f && g[1] == -0.5f);
}

static void hinge_and_distances_by_hand(void **state)
{
    (void)state;
    const ib_real s[4] = {2, 0.5f, -1, 1}, t[4] = {0, 0.5f, 1, 3};
    ib_real g[4];
    assert_true(ib_loss_hinge(4, 1, s, g) == 2.5 / 4);
    assert_true(g[0] == 0 && g[1] == -0.25f && g[2] == -0.25f && g[3] == 0);
    assert_true(ib_loss_hinge(4, -1, s, g) == 6.5 / 4);
    assert_true(g[0] == 0.25f && g[2] == 0);
    assert_true(ib_loss_hinge_generator(4, s, g) == -2.5 / 4 && g[3] == -0.25f);
    assert_true(ib_loss_l1(2, 2, s, t, g) == 6.0 / 4);
    assert_true(g[0] == 0.25f && g[1] == 0 && g[3] == -0.25f);
    assert_true(ib_loss_mse(2, 2, s, t, g) == 12.0 / 4 && g[0] == 1);
    ib_real mean[2];
    ib_mean_row(2, 2, s, mean);
    assert_true(mean[0] == 0.5f && mean[1] == 0.75f);
    assert_true(ib_loss_feature_mean(2, 2, s, t, g) == 0.25 + 0.0625);
    assert_true(g[0] == 0.5f && g[1] == 0.25f && g[2] == g[0]);
}

static void not_a_number_is_not_hidden(void **state)
{
    (void)state;
    const ib_real bad[2] = {NAN, 1}, t[2] = {0, 1};
    const struct ib_normals q = {.mean = t, .spread = bad};
    const struct ib_shape s = {1, 1, 2};
    assert_true(isnan(ib_loss_cross_entropy(1, 2, bad, t, NULL)));
    assert_true(isnan(ib_loss_poincare(1, 2, bad, label, NULL)));
    assert_true(isnan(ib_loss_mse(1, 2, bad, t, NULL)));
    assert_true(isnan(ib_loss_l1(1, 2, bad, t, NULL)));
    assert_true(isnan(ib_loss_bce(1, 2, bad, t, NULL)));
    assert_true(isnan(ib_loss_bce_logits(1, 2, bad, t, NULL)));
    assert_true(isnan(ib_loss_hinge(2, 1, bad, NULL)));
    assert_true(isnan(ib_loss_hinge_generator(2, bad, NULL)));
    assert_true(isnan(ib_loss_feature_mean(1, 2, bad, t, NULL)));
    assert_true(isnan(ib_loss_kl_standard(1, 2, &q)));
    for (int form = IB_VARIATION_L1; form <= IB_VARIATION_SMOOTH; form++)
        assert_true(isnan(ib_loss_total_variation(1, s, (enum ib_variation)form,
                                                  0.1, bad, NULL)));
}

/* --- a row by itself ----------------------------------------------------- */

static double by_row(size_t n, size_t from, int which, ib_real *g)
{
    const ib_real *x = in.x[0] + from * K, *t = in.t + from * K;
    const int32_t *y = label + from;
    switch (which) {
    case 0:
        return ib_loss_cross_entropy(n, K, x, t, g);
    case 1:
        return ib_loss_max_margin(n, K, x, y, g);
    case 2:
        return ib_loss_poincare(n, K, x, y, g);
    case 3:
        return ib_loss_mse(n, K, x, t, g);
    case 4:
        return ib_loss_bce_logits(n, K, x, t, g);
    default:
        return ib_loss_total_variation(n, (struct ib_shape){1, 6, 11},
                                       IB_VARIATION_SMOOTH, 0.01, x, g);
    }
}

static void a_row_has_the_loss_it_has_alone(void **state)
{
    (void)state;
    ib_real both[N * K], one[K];
    numbers(N * K, 21, -2, 4, in.x[0]);
    numbers(N * K, 22, 0, 1, in.t);
    for (int which = 0; which < 6; which++) {
        double mean = by_row(N, 0, which, both), sum = 0;
        for (size_t i = 0; i < N; i++) {
            sum += by_row(1, i, which, one);
            for (size_t j = 0; j < K; j++)
                assert_true(both[i * K + j] * N == one[j]);
        }
        assert_true(fabs(mean - sum / N) < 1e-12 * fabs(mean));
    }
}

/* --- normal distributions ------------------------------------------------ */

static double kl_standard(ib_real *const g[4])
{
    struct ib_normals q = {in.x[0], in.x[1], IB_LOG_VARIANCE, g[0], g[1]};
    return ib_loss_kl_standard(N, K, &q);
}

static double kl_standard_deviation(ib_real *const g[4])
{
    struct ib_normals q = {in.x[0], in.x[1], IB_DEVIATION, g[0], g[1]};
    return ib_loss_kl_standard(N, K, &q);
}

static double kl(ib_real *const g[4])
{
    struct ib_normals q = {in.x[0], in.x[1], IB_LOG_VARIANCE, g[0], g[1]};
    struct ib_normals p = {in.x[2], in.x[3], IB_DEVIATION, g[2], g[3]};
    return ib_loss_kl(N, K, &q, &p);
}

static void divergences_of_normals_equal_pytorch(void **state)
{
    (void)state;
    numbers(N * K, 10, -2, 4, in.x[0]);
    numbers(N * K, 11, -2, 4, in.x[1]);
    numbers(N * K, 12, -2, 4, in.x[2]);
    numbers(N * K, 13, 0.25, 2, in.x[3]);
    CHECK(kl_standard, kl_standard, 0, 0x1p-5);
    CHECK(kl_standard, kl_standard, 1, 0x1p-5);
    CHECK(kl, kl, 0, 0x1p-5);
    CHECK(kl, kl, 1, 0x1p-5);
    CHECK(kl, kl, 2, 0x1p-5);
    CHECK(kl, kl, 3, 0x1p-8);
    memcpy(in.x[1], in.x[3], sizeof in.x[1]);
    CHECK(kl_standard_deviation, kl_standard_deviation, 0, 0x1p-5);
    CHECK(kl_standard_deviation, kl_standard_deviation, 1, 0x1p-7);
}

static void a_distribution_is_at_no_distance_from_itself(void **state)
{
    (void)state;
    const ib_real mean[2] = {1, -2}, deviation[2] = {0.5f, 2}, zero[2] = {0};
    ib_real dm[2], ds[2], em[2], es[2];
    struct ib_normals q = {mean, deviation, IB_DEVIATION, dm, ds};
    struct ib_normals p = {mean, deviation, IB_DEVIATION, em, es};
    assert_true(ib_loss_kl(1, 2, &q, &p) == 0);
    assert_memory_equal(dm, zero, sizeof zero);
    assert_memory_equal(ds, zero, sizeof zero);
    assert_true(es[0] == 0 && es[1] == 0);
    q = (struct ib_normals){zero, zero, IB_LOG_VARIANCE, dm, ds};
    assert_true(ib_loss_kl_standard(2, 1, &q) == 0 && ds[1] == 0);
}

/* --- total variation ----------------------------------------------------- */

static enum ib_variation form;

static double variation(ib_real *const g[4])
{
    struct ib_shape s = {1, 3, 67};
    return ib_loss_total_variation(2, s, form, 0.1, in.x[0], g[0]);
}

static void total_variation_equals_pytorch(void **state)
{
    (void)state;
    numbers((size_t)2 * 3 * 67, 16, -2, 4, in.x[0]);
    form = IB_VARIATION_L1;
    CHECK(variation, variation_l1, 0, 0x1p-11);
    form = IB_VARIATION_L2;
    CHECK(variation, variation_l2, 0, 0x1p-6);
    form = IB_VARIATION_SMOOTH;
    CHECK(variation, variation_smooth, 0, 0x1p-10);
}

static void total_variation_by_hand(void **state)
{
    (void)state;
    const struct ib_shape s = {1, 2, 2};
    const ib_real x[4] = {0, 3, 4, 4}, flat[4] = {2, 2, 2, 2};
    ib_real g[4];
    double v = ib_loss_total_variation(1, s, IB_VARIATION_L1, 0, x, g);
    assert_true(v == 8 && g[0] == -2 && g[1] == 0 && g[2] == 1 && g[3] == 1);
    v = ib_loss_total_variation(1, s, IB_VARIATION_L2, 0, x, g);
    assert_true(v == 26 && g[0] == -14 && g[1] == 4 && g[2] == 8 && g[3] == 2);
    v = ib_loss_total_variation(1, s, IB_VARIATION_SMOOTH, 1e-3, x, g);
    assert_true(fabs(v - 6) < 3e-3 && fabs((double)g[0] + 1.4) < 1e-3);
    v = ib_loss_total_variation(1, s, IB_VARIATION_SMOOTH, 1e-3, flat, g);
    assert_true(v == 0 && g[0] == 0 && g[3] == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(losses_of_logits_equal_pytorch),
        cmocka_unit_test(negative_smoothing_follows_its_schedule),
        cmocka_unit_test(the_margin_is_to_the_best_other_class),
        cmocka_unit_test(poincare_distance_by_hand),
        cmocka_unit_test(extreme_logits_stay_finite),
        cmocka_unit_test(a_sure_model_keeps_the_digits_of_its_gradient),
        cmocka_unit_test(losses_of_values_equal_pytorch),
        cmocka_unit_test(probabilities_of_zero_and_one_are_bounded),
        cmocka_unit_test(hinge_and_distances_by_hand),
        cmocka_unit_test(not_a_number_is_not_hidden),
        cmocka_unit_test(a_row_has_the_loss_it_has_alone),
        cmocka_unit_test(divergences_of_normals_equal_pytorch),
        cmocka_unit_test(a_distribution_is_at_no_distance_from_itself),
        cmocka_unit_test(total_variation_equals_pytorch),
        cmocka_unit_test(total_variation_by_hand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
