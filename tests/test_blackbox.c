/* Gradients from scores, and MI-Face with them. */
#include "toy_target.h"

#include <math.h>

#include <invbench/parts/gradest.h>

extern const struct ib_attack ib_attack_mi_face_blackbox;

static const struct toy_setup small = {
    .shape = {1, 3, 4},
    .classes = 4,
    .targets = 4,
    .level = IB_SCORES,
    .seed = 7,
    .scale = 0.5f,
};

static void attack(struct toy *t, const char *json)
{
    struct ib_error err = {0};

    assert_int_equal(toy_attack(t, &ib_attack_mi_face_blackbox, json, &err),
                     IB_OK);
}

/* d c / d x at x for the class of a slot, in double. */
static void true_gradient(const struct toy *t, int classes, const float *x,
                          int class, double *g)
{
    double p = toy_confidence(t, classes, x, class);

    for (size_t j = 0; j < t->d; j++) {
        double mean = 0;

        for (int k = 0; k < classes; k++)
            mean += toy_confidence(t, classes, x, k) *
                    (double)t->weights[(size_t)k * t->d + j];
        g[j] = -p * ((double)t->weights[(size_t) class * t->d + j] - mean);
    }
}

static struct ib_gradest *estimator(struct toy *t, enum ib_estimator how,
                                    size_t pairs, size_t rows)
{
    struct ib_gradest_setup s = {
        .env = &t->env, .estimator = how, .pairs = pairs, .rows = rows};
    struct ib_gradest *g = NULL;
    struct ib_error err = {0};

    assert_int_equal(ib_gradest_create(&g, &s, &err), IB_OK);
    return g;
}

static void estimate(struct ib_gradest *g, struct ib_gradest_row *row,
                     const float *z, float *gradient)
{
    struct ib_error err = {0};

    assert_int_equal(ib_gradest_run(g, 1, row, z, gradient, &err), IB_OK);
}

static void finite_differences_meet_the_gradient_inside_the_box(void **state)
{
    struct toy t;
    float x[12], g[12];
    double truth[12];
    struct ib_gradest_row row = {.slot = 1, .step = 0.01};

    (void)state;
    toy_open(&t, &small);
    for (int j = 0; j < 12; j++)
        x[j] = 0.3f + 0.03f * (float)j;
    estimate(estimator(&t, IB_DIFFERENCES, 0, 7), &row, x, g);
    true_gradient(&t, 4, x, 1, truth);
    for (int j = 0; j < 12; j++)
        assert_true(fabs((double)g[j] - truth[j]) < 1e-4);
    assert_int_equal(row.pairs, 12);
    assert_int_equal(row.signal, 12);
    assert_true(fabs(row.cost - (1 - toy_confidence(&t, 4, x, 1))) < 1e-6);
    toy_close(&t);
}

static void differences_at_the_edge_divide_by_what_is_left(void **state)
{
    struct toy t;
    float x[12] = {0}, g[12];
    double truth[12];
    struct ib_gradest_row row = {.slot = 2, .step = 0.01};

    (void)state;
    toy_open(&t, &small);
    x[5] = 1;
    estimate(estimator(&t, IB_DIFFERENCES, 0, 64), &row, x, g);
    true_gradient(&t, 4, x, 2, truth);
    for (int j = 0; j < 12; j++)
        assert_true(fabs((double)g[j] - truth[j]) < 2e-3);
    toy_close(&t);
}

/* A random part of the coordinates: each is exact or 0. */
static void fewer_pairs_take_random_coordinates(void **state)
{
    struct toy t;
    float x[12], g[12];
    double truth[12];
    int filled = 0;
    struct ib_gradest_row row = {.slot = 0, .step = 0.01};

    (void)state;
    toy_open(&t, &small);
    for (int j = 0; j < 12; j++)
        x[j] = 0.5f;
    estimate(estimator(&t, IB_DIFFERENCES, 5, 64), &row, x, g);
    true_gradient(&t, 4, x, 0, truth);
    for (int j = 0; j < 12; j++) {
        filled += g[j] != 0;
        assert_true(g[j] == 0 || fabs((double)g[j] - truth[j]) < 1e-4);
    }
    assert_int_equal(filled, 5);
    toy_close(&t);
}

/* For linear c an entry of one pair's estimate is u_j sum_k g_k u_k: its mean
 * is g_j, its variance at most g_j^2 + |g|^2. Each within 5 standard errors. */
static void is_unbiased(enum ib_estimator how)
{
    enum { PAIRS = 20000 };
    struct toy_setup s = small;
    struct toy t;
    float x[12], g[12];
    double truth[12], norm = 0;
    struct ib_gradest_row row = {.slot = 3, .step = 0.01};

    s.scale = 0.1f;
    toy_open(&t, &s);
    for (int j = 0; j < 12; j++)
        x[j] = 0.5f;
    estimate(estimator(&t, how, PAIRS, 64), &row, x, g);
    true_gradient(&t, 4, x, 3, truth);
    for (int j = 0; j < 12; j++)
        norm += truth[j] * truth[j];
    for (int j = 0; j < 12; j++) {
        double error = sqrt((truth[j] * truth[j] + norm) / PAIRS);

        assert_true(fabs((double)g[j] - truth[j]) < 5 * error + 1e-5);
    }
    assert_true(norm > 1e-4);
    toy_close(&t);
}

static void nes_is_unbiased(void **state)
{
    (void)state;
    is_unbiased(IB_NES);
}

static void spsa_is_unbiased(void **state)
{
    (void)state;
    is_unbiased(IB_SPSA);
}

/* Points of a black image are cut at 0: entries shrink to a half, no more. */
static void nes_keeps_its_direction_at_the_edge(void **state)
{
    struct toy t;
    float x[12] = {0}, g[12];
    double truth[12], dot = 0, a = 0, b = 0;
    struct ib_gradest_row row = {.slot = 3, .step = 0.05};

    (void)state;
    toy_open(&t, &small);
    estimate(estimator(&t, IB_NES, 5000, 64), &row, x, g);
    true_gradient(&t, 4, x, 3, truth);
    for (int j = 0; j < 12; j++) {
        dot += (double)g[j] * truth[j];
        a += (double)g[j] * (double)g[j];
        b += truth[j] * truth[j];
    }
    assert_true(dot / sqrt(a * b) > 0.98);
    assert_true(fabs(sqrt(a / b) - 0.5) < 0.05);
    toy_close(&t);
}

static void estimates_do_not_depend_on_the_size_of_asks(void **state)
{
    struct toy a, b;
    float x[12], one[12], other[12];
    struct ib_gradest_row row = {.slot = 1, .step = 0.1};

    (void)state;
    toy_open(&a, &small);
    toy_open(&b, &small);
    for (int j = 0; j < 12; j++)
        x[j] = 0.5f;
    estimate(estimator(&a, IB_NES, 50, 64), &row, x, one);
    estimate(estimator(&b, IB_NES, 50, 3), &row, x, other);
    for (int j = 0; j < 12; j++)
        assert_true(fabsf(one[j] - other[j]) < 1e-5f);
    assert_true(fabsf(one[0]) > 1e-4f);
    toy_close(&a);
    toy_close(&b);
}

/* Two rows of one slot are planned before the first is paid: the second loses
 * 6 of its 10 pairs. In turn, it plans the 4 that are left. */
static void denied_pairs_do_not_shrink_an_estimate(enum ib_estimator how)
{
    struct toy_setup s = small;
    struct toy at_once, in_turn;
    float x[24], g[24], first[12], second[12];
    struct ib_gradest_row row[2] = {{.slot = 1, .step = 0.1},
                                    {.slot = 1, .step = 0.1}};
    struct ib_gradest_row one = row[0];
    struct ib_gradest *e;
    struct ib_error err = {0};

    s.max_queries = 21 + 1 + 2 * 4;
    toy_open(&at_once, &s);
    toy_open(&in_turn, &s);
    for (int j = 0; j < 24; j++)
        x[j] = 0.5f;
    e = estimator(&at_once, how, 10, 64);
    assert_int_equal(ib_gradest_run(e, 2, row, x, g, &err), IB_OK);
    e = estimator(&in_turn, how, 10, 64);
    estimate(e, &one, x, first);
    estimate(e, &one, x, second);
    assert_int_equal(row[0].answered, 10);
    assert_int_equal(row[1].pairs, 10);
    assert_int_equal(row[1].answered, 4);
    assert_int_equal(one.answered, 4);
    for (int j = 0; j < 12; j++) {
        assert_true(fabsf(g[j] - first[j]) < 1e-5f);
        assert_true(fabsf(g[12 + j] - second[j]) < 1e-5f);
    }
    assert_true(fabsf(second[0]) > 1e-4f);
    toy_close(&at_once);
    toy_close(&in_turn);
}

static void nes_divides_by_the_answered_pairs(void **state)
{
    (void)state;
    denied_pairs_do_not_shrink_an_estimate(IB_NES);
}

static void spsa_divides_by_the_answered_pairs(void **state)
{
    (void)state;
    denied_pairs_do_not_shrink_an_estimate(IB_SPSA);
}

static void batch_of_slots_equals_slots_alone(void **state)
{
    struct toy_setup s = small, single;
    struct toy together, alone;
    const char *json = "{\"rate\":0.2,\"samples\":10,\"gamma\":0.3}";

    (void)state;
    s.shape = (struct ib_shape){1, 6, 6};
    s.classes = s.targets = 10;
    single = s;
    single.targets = 1;
    toy_open(&together, &s);
    attack(&together, json);
    for (int class = 0; class < 10; class += 3) {
        toy_open(&alone, &single);
        alone.target[0] = class;
        attack(&alone, json);
        for (int j = 0; j < 36; j++)
            assert_true(fabsf(ib_oracle_guess(alone.oracle, 0)[j] -
                              ib_oracle_guess(together.oracle, class)[j]) <
                        1e-3f);
        toy_close(&alone);
    }
    toy_close(&together);
}

static void attack_finds_its_class(const char *json)
{
    struct toy_setup s = small;
    struct toy t;

    s.shape = (struct ib_shape){1, 6, 6};
    s.max_queries = 20000;
    toy_open(&t, &s);
    attack(&t, json);
    for (int slot = 0; slot < 4; slot++) {
        const float *guess = ib_oracle_guess(t.oracle, slot);

        assert_true(toy_confidence(&t, 4, guess, slot) > 0.85);
        for (int j = 0; j < 36; j++)
            assert_true(guess[j] >= 0 && guess[j] <= 1);
    }
    toy_close(&t);
}

static void nes_finds_every_class(void **state)
{
    (void)state;
    attack_finds_its_class("{\"rate\":0.2,\"samples\":20,\"gamma\":0.1}");
}

static void spsa_finds_every_class(void **state)
{
    (void)state;
    attack_finds_its_class("{\"estimator\":\"spsa\",\"rate\":0.2,"
                           "\"samples\":20,\"gamma\":0.1}");
}

static void finite_differences_find_every_class(void **state)
{
    (void)state;
    attack_finds_its_class("{\"estimator\":\"finite-differences\","
                           "\"samples\":0,\"rate\":0.2,\"gamma\":0.1}");
}

static void signs_find_every_class(void **state)
{
    (void)state;
    attack_finds_its_class(
        "{\"normalise\":\"sign\",\"rate\":0.05,\"gamma\":0.1}");
}

static void raw_estimates_find_every_class(void **state)
{
    (void)state;
    attack_finds_its_class("{\"normalise\":\"none\",\"rate\":2,\"gamma\":0.1,"
                           "\"start\":\"random\"}");
}

static void budget_is_never_exceeded(void **state)
{
    struct toy_setup s = small;
    struct toy t;

    (void)state;
    for (uint64_t budget = 3; budget < 70; budget += 7) {
        s.max_queries = budget;
        toy_open(&t, &s);
        attack(&t, "{\"samples\":10,\"gamma\":0,\"rate\":0.01}");
        for (int slot = 0; slot < 4; slot++) {
            assert_in_range(toy_queries(&t, "forward", slot), budget - 2,
                            budget);
            assert_int_equal(toy_queries(&t, "denied", slot), 0);
        }
        toy_close(&t);
    }
}

/* Labels give equal answers far from a border: no loop, and a word about it. */
static void target_without_signal_is_given_up_and_reported(void **state)
{
    struct toy_setup s = small;
    struct toy t;

    (void)state;
    s.level = IB_LABELS;
    s.scale = 0;
    toy_open(&t, &s);
    attack(&t, "{\"samples\":10,\"patience\":4}");
    assert_non_null(strstr(t.note, "no signal: 3 identities"));
    for (int slot = 1; slot < 4; slot++)
        assert_int_equal(toy_queries(&t, "label", slot), 4 * 11);
    toy_close(&t);
}

/* Every other pixel says nothing: steps of 0.1 along one random coordinate
 * until a mute one is drawn. All of them show in the guess. */
static void last_point_before_giving_up_is_published(void **state)
{
    struct toy_setup s = small;
    struct toy t;
    uint64_t steps, all = 0;

    (void)state;
    s.targets = 1;
    s.scale = 0;
    for (s.seed = 1; s.seed <= 8; s.seed++) {
        double sum = 0;

        toy_open(&t, &s);
        for (int j = 0; j < 12; j += 2)
            ib_net_parameters(t.net)[j] = 1;
        attack(&t, "{\"estimator\":\"finite-differences\",\"samples\":2,"
                   "\"patience\":1,\"rate\":0.1,\"gamma\":0}");
        assert_int_equal(toy_queries(&t, "forward", 0) % 3, 0);
        steps = toy_queries(&t, "forward", 0) / 3 - 1;
        for (int j = 0; j < 12; j++)
            sum += (double)ib_oracle_guess(t.oracle, 0)[j];
        assert_true(fabs(sum - 0.1 * (double)steps) < 1e-6);
        all += steps;
        toy_close(&t);
    }
    assert_true(all > 0);
}

static void labels_near_a_border_are_a_signal(void **state)
{
    struct toy_setup s = small;
    struct toy t;
    int found = 0;

    (void)state;
    s.level = IB_LABELS;
    s.max_queries = 5000;
    toy_open(&t, &s);
    attack(&t, "{\"sigma\":0.5,\"start\":\"random\",\"rate\":0.1}");
    for (int slot = 0; slot < 4; slot++)
        found +=
            toy_confidence(&t, 4, ib_oracle_guess(t.oracle, slot), slot) > 0.25;
    assert_in_range(found, 3, 4);
    toy_close(&t);
}

static void cells_that_cannot_run_have_a_reason(void **state)
{
    struct ib_attack_task task = {.level = IB_SCORES};
    const struct ib_attack *a = &ib_attack_mi_face_blackbox;

    (void)state;
    assert_null(toy_applicable(a, "{}", &task));
    assert_non_null(
        strstr(toy_applicable(a, "{\"start\":\"mean\"}", &task), "public"));
    assert_non_null(
        strstr(toy_applicable(a, "{\"samples\":0}", &task), "samples"));
    assert_null(toy_applicable(
        a, "{\"samples\":0,\"estimator\":\"finite-differences\"}", &task));
    task.max_queries = 2;
    assert_non_null(strstr(toy_applicable(a, "{}", &task), "3 queries"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finite_differences_meet_the_gradient_inside_the_box),
        cmocka_unit_test(differences_at_the_edge_divide_by_what_is_left),
        cmocka_unit_test(fewer_pairs_take_random_coordinates),
        cmocka_unit_test(nes_is_unbiased),
        cmocka_unit_test(spsa_is_unbiased),
        cmocka_unit_test(nes_keeps_its_direction_at_the_edge),
        cmocka_unit_test(estimates_do_not_depend_on_the_size_of_asks),
        cmocka_unit_test(nes_divides_by_the_answered_pairs),
        cmocka_unit_test(spsa_divides_by_the_answered_pairs),
        cmocka_unit_test(batch_of_slots_equals_slots_alone),
        cmocka_unit_test(nes_finds_every_class),
        cmocka_unit_test(spsa_finds_every_class),
        cmocka_unit_test(finite_differences_find_every_class),
        cmocka_unit_test(signs_find_every_class),
        cmocka_unit_test(raw_estimates_find_every_class),
        cmocka_unit_test(budget_is_never_exceeded),
        cmocka_unit_test(target_without_signal_is_given_up_and_reported),
        cmocka_unit_test(last_point_before_giving_up_is_published),
        cmocka_unit_test(labels_near_a_border_are_a_signal),
        cmocka_unit_test(cells_that_cannot_run_have_a_reason),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
