#include "cmocka_all.h"

#include <math.h>

#include <invbench/rng.h>

#include "golden/stats.inc"
#include "inference.h"

static struct ib_interval golden(void)
{
    return (struct ib_interval){golden_mean[0], golden_mean[3], golden_mean[4],
                                golden_mean[1], golden_mean[2], NULL};
}

static bool near(double a, double b)
{
    return fabs(a - b) < 1e-7;
}

static void tests_match_an_independent_computation(void **state)
{
    struct ib_interval d = golden();
    const double *g = golden_tests;
    (void)state;
    assert_true(golden_share[0] > 0);
    assert_true(near(ib_bound_low(&d, 0.99), g[0]));
    assert_true(near(ib_bound_high(&d, 0.99), g[1]));
    assert_true(near(ib_p_different(&d), g[2]));
    assert_true(near(ib_p_equivalent(&d, 1.5), g[3]));
    assert_true(near(ib_p_noninferior(&d, 1), g[4]));
    assert_true(near(ib_power(&d, 2, 0.99), g[5]));
    assert_true(near(ib_detectable(&d, 0.99, 0.8), g[6]));
}

static void no_spread_leaves_no_doubt(void **state)
{
    struct ib_interval d = {.value = 0.5, .se = 0, .df = 9};
    struct ib_interval none = {.value = 0, .se = 0, .df = 9};
    struct ib_interval unknown = {.value = 0.5, .se = NAN, .df = NAN};
    (void)state;
    assert_true(ib_p_different(&d) == 0 && ib_p_different(&none) == 1);
    assert_true(ib_p_noninferior(&d, 0.1) == 1);
    assert_true(ib_p_noninferior(&none, 0.1) == 0);
    assert_true(isnan(ib_p_different(&unknown)));
    assert_true(isnan(ib_bound_low(&unknown, 0.99)));
}

/* Holm's own scheme on five p-values, by hand. */
static void holm_multiplies_by_what_is_left(void **state)
{
    double p[] = {0.01, 0.04, NAN, 0.03, 0.005, 0.6};
    const double wanted[] = {0.04, 0.09, NAN, 0.09, 0.025, 0.6};
    (void)state;
    assert_int_equal(ib_holm(p, IB_COUNT(p), NULL), IB_OK);
    for (size_t i = 0; i < IB_COUNT(p); i++)
        assert_true(isnan(wanted[i]) ? isnan(p[i]) : near(p[i], wanted[i]));
    double large[] = {0.7, 0.9};
    assert_int_equal(ib_holm(large, 2, NULL), IB_OK);
    assert_true(large[0] == 1 && large[1] == 1);
}

static struct ib_panel panel(int seeds, int identities)
{
    struct ib_panel p = ib_panel_make(seeds, identities);
    assert_non_null(p.v);
    for (int i = 0; i < seeds * identities; i++)
        p.v[i] = 0;
    return p;
}

/* Ten identities that all rise by different amounts: of the 1024 patterns two
 * reach as far. */
static void permutations_count_patterns(void **state)
{
    struct ib_panel a = panel(2, 10), b = panel(2, 10);
    double p;
    (void)state;
    for (int i = 0; i < 20; i++)
        a.v[i] = 1 + 0.1 * i;
    assert_int_equal(ib_permutation_mean(&a, &b, &p, NULL), IB_OK);
    assert_true(p > 0.0008 && p < 0.0035); /* 2/1024 is 0.00195 */
    ib_panel_free(&a);
    ib_panel_free(&b);
}

/* What the other seed does to the same person is no second witness. */
static void permutations_keep_an_identitys_seeds_together(void **state)
{
    struct ib_panel a = panel(50, 10), b = panel(50, 10);
    double p;
    (void)state;
    for (int i = 0; i < 500; i++)
        a.v[i] = i % 10 < 5 ? 1 + 0.01 * (i % 10) : -1;
    assert_int_equal(ib_permutation_mean(&a, &b, &p, NULL), IB_OK);
    assert_true(p > 0.5);
    ib_panel_free(&a);
    ib_panel_free(&b);
}

static void equal_sides_are_no_difference(void **state)
{
    struct ib_panel a = panel(3, 20), b = panel(3, 20);
    double p;
    (void)state;
    assert_int_equal(ib_permutation_mean(&a, &b, &p, NULL), IB_OK);
    assert_true(p == 1);
    ib_panel_free(&a);
    ib_panel_free(&b);
}

/* Shares that are alike, 20 identities x 3 seeds: found different at 5 % in
 * about 5 % of cases. */
static void permutations_hold_their_level(void **state)
{
    enum { RUNS = 300, S = 3, K = 20 };
    struct ib_panel a = panel(S, K), b = panel(S, K);
    struct ib_rng rng = ib_rng_stream(5, "test", -1, "permutation");
    int found = 0;
    (void)state;
    for (int r = 0; r < RUNS; r++) {
        double p;
        for (int i = 0; i < S * K; i++) {
            a.v[i] = ib_rng_uniform(&rng) < 0.5;
            b.v[i] = ib_rng_uniform(&rng) < 0.5;
        }
        assert_int_equal(ib_permutation_mean(&a, &b, &p, NULL), IB_OK);
        found += p <= 0.05;
    }
    print_message("%d of %d at 5 %%\n", found, RUNS);
    assert_in_range(found, RUNS * 2 / 100, RUNS * 9 / 100);
    ib_panel_free(&a);
    ib_panel_free(&b);
}

static void too_few_identities_are_not_tested(void **state)
{
    struct ib_panel a = panel(3, 9), b = panel(3, 9);
    double p;
    (void)state;
    a.v[0] = 1;
    assert_int_equal(ib_permutation_mean(&a, &b, &p, NULL), IB_OK);
    assert_true(isnan(p));
    ib_panel_free(&a);
    ib_panel_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tests_match_an_independent_computation),
        cmocka_unit_test(no_spread_leaves_no_doubt),
        cmocka_unit_test(holm_multiplies_by_what_is_left),
        cmocka_unit_test(permutations_count_patterns),
        cmocka_unit_test(permutations_keep_an_identitys_seeds_together),
        cmocka_unit_test(equal_sides_are_no_difference),
        cmocka_unit_test(permutations_hold_their_level),
        cmocka_unit_test(too_few_identities_are_not_tested),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
