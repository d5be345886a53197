#include "cmocka_all.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <invbench/rng.h>

#include "stats.h"

#include "golden/stats.inc"

static struct ib_panel panel_of(int seeds, int identities, double x)
{
    struct ib_panel p = ib_panel_make(seeds, identities);
    assert_non_null(p.v);
    for (int i = 0; i < seeds * identities; i++)
        p.v[i] = x;
    return p;
}

static void student_matches_published_quantiles(void **state)
{
    static const double table[][2] = {
        {1, 12.706204736}, {2, 4.302652730},  {5, 2.570581836},
        {9, 2.262157163},  {29, 2.045229642}, {1000, 1.962339081},
    };
    (void)state;
    for (size_t i = 0; i < IB_COUNT(table); i++)
        assert_true(
            fabs(ib_student_quantile(0.975, table[i][0]) - table[i][1]) < 1e-8);
    assert_true(fabs(ib_student_cdf(0, 3) - 0.5) < 1e-14);
    assert_true(fabs(ib_student_cdf(-1, 1) - 0.25) < 1e-12);
}

/* One seed: the jackknife of a mean is the textbook standard error. */
static void one_seed_gives_the_textbook_t_interval(void **state)
{
    struct ib_panel p = panel_of(1, 12, 0);
    struct ib_interval i;
    double mean = 5.5, squares = 0;
    (void)state;
    for (int k = 0; k < 12; k++) {
        p.v[k] = k;
        squares += (k - mean) * (k - mean);
    }
    double se = sqrt(squares / 11 / 12);
    assert_int_equal(ib_interval_mean(&p, -INFINITY, INFINITY, &i, NULL),
                     IB_OK);
    assert_true(fabs(i.value - mean) < 1e-12 && fabs(i.se - se) < 1e-12);
    assert_true(fabs(i.df - 11) < 1e-9);
    assert_true(fabs(i.high - mean - 2.200985160 * se) < 1e-7);
    ib_panel_free(&p);
}

static void under_ten_identities_there_is_no_interval(void **state)
{
    struct ib_panel p = panel_of(3, 9, 0.5);
    struct ib_interval i;
    (void)state;
    assert_int_equal(ib_interval_mean(&p, 0, 1, &i, NULL), IB_OK);
    assert_true(i.value == 0.5 && isnan(i.low) && isnan(i.high));
    assert_non_null(strstr(i.reason, "10 identities"));
    ib_panel_free(&p);
}

static void nothing_measured_is_null_with_a_reason(void **state)
{
    struct ib_panel p = ib_panel_make(2, 20);
    struct ib_interval i;
    (void)state;
    assert_int_equal(ib_interval_mean(&p, 0, 1, &i, NULL), IB_OK);
    assert_true(isnan(i.value) && i.reason);
    ib_panel_free(&p);
}

static void seeds_that_differ_widen_the_interval(void **state)
{
    struct ib_panel p = panel_of(3, 20, 0);
    struct ib_interval narrow, wide;
    (void)state;
    for (int i = 0; i < 60; i++)
        p.v[i] = i % 2;
    assert_int_equal(ib_interval_mean(&p, -9, 9, &narrow, NULL), IB_OK);
    for (int i = 0; i < 60; i++)
        p.v[i] += i / 20 - 1; /* same mean, other seeds */
    assert_int_equal(ib_interval_mean(&p, -9, 9, &wide, NULL), IB_OK);
    assert_true(fabs(narrow.value - wide.value) < 1e-12);
    assert_true(wide.high - wide.low > 3 * (narrow.high - narrow.low));
    assert_true(wide.df < 4);
    ib_panel_free(&p);
}

/* What make_stats.py fills in. */
static struct ib_panel golden_panel(bool shares)
{
    struct ib_panel p = panel_of(3, 12, 0);
    for (int i = 0; i < 36; i++) {
        int s = i / 12, k = i % 12;
        double x = sin(1.7 * k) + 0.5 * s * s + 0.3 * cos(5.0 * k * (s + 1));
        p.v[i] = shares ? x > 0.2 : x;
    }
    return p;
}

static void matches(const struct ib_interval *i, const double *golden)
{
    assert_true(fabs(i->value - golden[0]) < 1e-9);
    assert_true(fabs(i->se - golden[1]) < 1e-9);
    assert_true(fabs(i->df - golden[2]) < 1e-7);
    assert_true(fabs(i->low - golden[3]) < 1e-7);
    assert_true(fabs(i->high - golden[4]) < 1e-7);
}

static void two_way_intervals_match_an_independent_computation(void **state)
{
    (void)state;
    for (int shares = 0; shares < 2; shares++) {
        struct ib_panel p = golden_panel(shares);
        struct ib_interval i;
        double bound = shares ? 1 : INFINITY;
        assert_int_equal(
            ib_interval_mean(&p, shares ? 0 : -INFINITY, bound, &i, NULL),
            IB_OK);
        matches(&i, shares ? golden_share : golden_mean);
        ib_panel_free(&p);
    }
}

static double itself(const void *ctx, const double *mean)
{
    (void)ctx;
    return mean[0];
}

/* Resampling a mean must give what is known of it in closed form. */
static void resamples_agree_with_the_closed_form(void **state)
{
    struct ib_panel p = golden_panel(false);
    const struct ib_panel *panel = &p;
    struct ib_statistic s = {
        .n = 1, .panel = &panel, .value = itself, .support = &p};
    struct ib_interval i, again;
    (void)state;
    assert_int_equal(ib_interval_make(&s, &i, NULL), IB_OK);
    assert_true(i.value == golden_mean[0] ||
                fabs(i.value - golden_mean[0]) < 1e-12);
    assert_true(fabs(i.se / golden_mean[1] - 1) < 0.02);
    assert_true(fabs(i.df / golden_mean[2] - 1) < 0.05);
    assert_int_equal(ib_interval_make(&s, &again, NULL), IB_OK);
    assert_memory_equal(&i, &again, sizeof i);
    ib_panel_free(&p);
}

/* Everybody under one seed alone: seeds are the only clusters. */
static void identities_of_one_seed_each_count_as_seeds(void **state)
{
    struct ib_panel p = ib_panel_make(4, 40);
    struct ib_interval i;
    double mean[4] = {0}, all = 0, squares = 0;
    (void)state;
    for (int k = 0; k < 40; k++) {
        double x = sin(3.1 * k) + k / 10;
        p.v[k / 10 * 40 + k] = x;
        mean[k / 10] += x / 10;
        all += x / 40;
    }
    for (int s = 0; s < 4; s++)
        squares += (mean[s] - all) * (mean[s] - all);
    assert_int_equal(ib_interval_mean(&p, -99, 99, &i, NULL), IB_OK);
    assert_true(fabs(i.se - sqrt(squares / 3 / 4)) < 1e-12);
    assert_true(fabs(i.df - 3) < 1e-9);
    ib_panel_free(&p);
}

static void agreeing_seeds_leave_an_interval(void **state)
{
    struct ib_panel p = panel_of(2, 20, 0);
    struct ib_interval i;
    (void)state;
    for (int k = 0; k < 40; k++) /* each identity is found by one seed */
        p.v[k] = (k / 20 + k) % 2;
    assert_int_equal(ib_interval_mean(&p, 0, 1, &i, NULL), IB_OK);
    assert_true(i.value == 0.5 && i.se > 0 && i.high > i.low + 0.01);
    ib_panel_free(&p);
}

static void all_zero_shares_get_wilsons_bound(void **state)
{
    struct ib_panel p = panel_of(1, 40, 0);
    struct ib_interval i;
    (void)state;
    assert_int_equal(ib_interval_mean(&p, 0, 1, &i, NULL), IB_OK);
    assert_true(i.low == 0 && fabs(i.high - 0.0876) < 1e-3);
    ib_panel_free(&p);
}

/* How often the interval holds the truth: 15 identities, 3 seeds, effects of
 * both and noise. Nominal 95 %. */
static void intervals_cover_the_truth(void **state)
{
    enum { RUNS = 1000, S = 3, I = 15 };
    struct ib_panel p = panel_of(S, I, 0);
    struct ib_rng rng = ib_rng_stream(3, "test", -1, "coverage");
    int hits = 0;
    (void)state;
    for (int r = 0; r < RUNS; r++) {
        double seed[S], who[I];
        struct ib_interval i;
        for (int s = 0; s < S; s++)
            seed[s] = 0.1 * ib_rng_normal(&rng);
        for (int k = 0; k < I; k++)
            who[k] = 0.4 * ib_rng_normal(&rng);
        for (int c = 0; c < S * I; c++)
            p.v[c] = seed[c / I] + who[c % I] + 0.4 * ib_rng_normal(&rng);
        assert_int_equal(ib_interval_mean(&p, -99, 99, &i, NULL), IB_OK);
        hits += i.low <= 0 && i.high >= 0;
    }
    print_message("coverage %d of %d\n", hits, RUNS);
    assert_in_range(hits, RUNS * 93 / 100, RUNS * 97 / 100);
    ib_panel_free(&p);
}

static void differences_are_paired(void **state)
{
    struct ib_panel a = panel_of(1, 20, 0), b = panel_of(1, 20, 0);
    struct ib_interval i;
    int pairs;
    (void)state;
    for (int k = 0; k < 20; k++) {
        a.v[k] = k + 0.5 + 0.01 * (k % 2); /* varies much, differs evenly */
        b.v[k] = k;
    }
    a.v[3] = b.v[4] = NAN;
    assert_int_equal(ib_interval_difference(&a, &b, &i, &pairs, NULL), IB_OK);
    assert_int_equal(pairs, 18);
    assert_true(fabs(i.value - 0.505) < 0.001 && i.high - i.low < 0.01);
    ib_panel_free(&a);
    ib_panel_free(&b);
}

static void differences_without_spread_have_no_interval(void **state)
{
    struct ib_panel a = panel_of(1, 20, 1), b = panel_of(1, 20, 1);
    struct ib_interval i;
    int pairs;
    (void)state;
    assert_int_equal(ib_interval_difference(&a, &b, &i, &pairs, NULL), IB_OK);
    assert_true(i.value == 0 && isnan(i.low) && i.reason);
    ib_panel_free(&a);
    ib_panel_free(&b);
}

static void equal_differences_may_miss_their_mean_by_rounding(void **state)
{
    struct ib_panel a = panel_of(1, 10, 0.1), b = panel_of(1, 10, 0);
    struct ib_interval i;
    int pairs;
    (void)state;
    assert_int_equal(ib_interval_difference(&a, &b, &i, &pairs, NULL), IB_OK);
    assert_true(i.value != 0.1 && fabs(i.value - 0.1) < 1e-15);
    assert_true(isnan(i.low) && i.reason);
    ib_panel_free(&a);
    ib_panel_free(&b);
}

/* SciPy 1.10.1: t.interval(0.95, 2, mean, sem) of 0.8, 0.85, 0.9. */
static void three_seeds_give_a_t_interval(void **state)
{
    static const double x[] = {0.8, 0.85, 0.9};
    struct ib_interval i;
    (void)state;
    ib_interval_seeds(x, 3, 0, 1, &i);
    assert_true(fabs(i.value - 0.85) < 1e-12);
    assert_true(fabs(i.low - 0.7257931144078124) < 1e-9);
    assert_true(fabs(i.high - 0.9742068855921876) < 1e-9);
    ib_interval_seeds(x, 2, 0, 1, &i);
    assert_true(fabs(i.value - 0.825) < 1e-12 && isnan(i.low) && i.reason);
    ib_interval_seeds(x, 0, 0, 1, &i);
    assert_true(isnan(i.value) && isnan(i.low));
}

static void an_interval_over_seeds_ends_where_values_do(void **state)
{
    static const double x[] = {0.85, 0.95, 1}, y[] = {0, 0.01, 0.1};
    struct ib_interval i;
    (void)state;
    ib_interval_seeds(x, 3, 0, 1, &i);
    assert_true(i.high == 1 && i.low < 0.85);
    ib_interval_seeds(y, 3, 0, INFINITY, &i);
    assert_true(i.low == 0 && i.high > 0.1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(student_matches_published_quantiles),
        cmocka_unit_test(one_seed_gives_the_textbook_t_interval),
        cmocka_unit_test(under_ten_identities_there_is_no_interval),
        cmocka_unit_test(nothing_measured_is_null_with_a_reason),
        cmocka_unit_test(seeds_that_differ_widen_the_interval),
        cmocka_unit_test(two_way_intervals_match_an_independent_computation),
        cmocka_unit_test(resamples_agree_with_the_closed_form),
        cmocka_unit_test(identities_of_one_seed_each_count_as_seeds),
        cmocka_unit_test(agreeing_seeds_leave_an_interval),
        cmocka_unit_test(all_zero_shares_get_wilsons_bound),
        cmocka_unit_test(intervals_cover_the_truth),
        cmocka_unit_test(differences_are_paired),
        cmocka_unit_test(differences_without_spread_have_no_interval),
        cmocka_unit_test(equal_differences_may_miss_their_mean_by_rounding),
        cmocka_unit_test(three_seeds_give_a_t_interval),
        cmocka_unit_test(an_interval_over_seeds_ends_where_values_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
