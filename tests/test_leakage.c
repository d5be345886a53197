#include "cmocka_all.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "leakage.h"

static struct ib_panel panel_of(int seeds, int identities, double x)
{
    struct ib_panel p = ib_panel_make(seeds, identities);
    assert_non_null(p.v);
    for (int i = 0; i < seeds * identities; i++)
        p.v[i] = x;
    return p;
}

enum { SEEDS = 2, PEOPLE = 20 };

static struct ib_panel share(double x)
{
    struct ib_panel p = panel_of(SEEDS, PEOPLE, 0);
    for (int i = 0; i < SEEDS * PEOPLE; i++)
        p.v[i] = i % PEOPLE < x * PEOPLE;
    return p;
}

static void evaluator(struct ib_leakage_task *t, const char *id, double q)
{
    struct ib_leakage_evaluator *e = &t->evaluator[t->n++];
    *e = (struct ib_leakage_evaluator){.id = id,
                                       .q = share(q),
                                       .ceiling = share(0.9),
                                       .accuracy = 0.9,
                                       .target_accuracy = 0.91};
    e->floor[0] = share(0.05);
    e->floor[1] = share(0.1);
    e->floor[2] = share(0);
    e->floor[3] = share(0.05);
}

static void task_free(struct ib_leakage_task *t)
{
    for (int i = 0; i < t->n; i++) {
        ib_panel_free(&t->evaluator[i].q);
        ib_panel_free(&t->evaluator[i].ceiling);
        for (int f = 0; f < IB_FLOORS; f++)
            ib_panel_free(&t->evaluator[i].floor[f]);
    }
}

static void leakage_is_the_minimum_over_evaluators(void **state)
{
    struct ib_leakage_task t = {0};
    struct ib_leakage l;
    (void)state;
    evaluator(&t, "a", 0.7);
    evaluator(&t, "b", 0.5);
    assert_int_equal(ib_leakage_make(&t, &l, NULL), IB_OK);
    assert_true(fabs(l.interval.value - 0.5) < 1e-12);
    assert_int_equal(l.evaluator, 1);
    assert_string_equal(ib_floor_names[l.part[1].floor_index], "public-best");
    assert_true(fabs(l.part[0].leakage - 0.75) < 1e-12);
    assert_true(l.interval.low < 0.5 && l.interval.high > 0.5);
    assert_string_equal(l.reason, "");
    task_free(&t);
}

static void leakage_is_not_clamped(void **state)
{
    struct ib_leakage_task t = {0};
    struct ib_leakage l;
    (void)state;
    evaluator(&t, "a", 0);
    evaluator(&t, "b", 0);
    assert_int_equal(ib_leakage_make(&t, &l, NULL), IB_OK);
    assert_true(fabs(l.interval.value + 0.125) < 1e-12);
    /* nobody was recognised: the interval still reaches above the value */
    assert_true(l.interval.high > -0.125 + 0.1);
    task_free(&t);
}

static void a_weak_evaluator_does_not_count(void **state)
{
    struct ib_leakage_task t = {0};
    struct ib_leakage l;
    (void)state;
    evaluator(&t, "a", 0.7);
    evaluator(&t, "b", 0.5);
    evaluator(&t, "weak", 0.1);
    t.evaluator[2].accuracy = 0.88;
    assert_int_equal(ib_leakage_make(&t, &l, NULL), IB_OK);
    assert_true(fabs(l.interval.value - 0.5) < 1e-12);
    assert_false(l.part[2].counts);
    assert_non_null(strstr(l.part[2].reason, "2 points"));
    t.evaluator[1].accuracy = 0.5;
    assert_int_equal(ib_leakage_make(&t, &l, NULL), IB_OK);
    assert_true(isnan(l.interval.value));
    assert_non_null(strstr(l.reason, "1 of 3 evaluators count"));
    task_free(&t);
}

static void a_ceiling_at_the_floor_is_null_with_a_reason(void **state)
{
    struct ib_leakage_task t = {0};
    struct ib_leakage l;
    (void)state;
    evaluator(&t, "a", 0.7);
    evaluator(&t, "b", 0.7);
    ib_panel_free(&t.evaluator[0].floor[1]);
    t.evaluator[0].floor[1] = share(0.85);
    assert_int_equal(ib_leakage_make(&t, &l, NULL), IB_OK);
    assert_true(isnan(l.interval.value) && isnan(l.interval.low));
    assert_non_null(strstr(l.reason, "ceiling 0.900"));
    task_free(&t);
}

static void without_public_data_leakage_is_null(void **state)
{
    struct ib_leakage_task t = {0};
    struct ib_leakage l;
    (void)state;
    evaluator(&t, "a", 0.7);
    evaluator(&t, "b", 0.7);
    t.no_public = "the data has no public split";
    assert_int_equal(ib_leakage_make(&t, &l, NULL), IB_OK);
    assert_true(isnan(l.interval.value));
    assert_string_equal(l.reason, t.no_public);
    task_free(&t);
}

static void one_evaluator_is_not_enough(void **state)
{
    struct ib_leakage_task t = {0};
    struct ib_leakage l;
    (void)state;
    evaluator(&t, "a", 0.7);
    assert_int_equal(ib_leakage_make(&t, &l, NULL), IB_OK);
    assert_true(isnan(l.interval.value) && *l.reason);
    task_free(&t);
}

static void resamples_move_floor_and_ceiling_too(void **state)
{
    struct ib_leakage_task t = {0};
    struct ib_leakage l, fixed;
    (void)state;
    evaluator(&t, "a", 0.5);
    evaluator(&t, "b", 0.5);
    assert_int_equal(ib_leakage_make(&t, &l, NULL), IB_OK);
    for (int e = 0; e < 2; e++)
        for (int i = 0; i < SEEDS * PEOPLE; i++) {
            t.evaluator[e].ceiling.v[i] = 0.9;
            t.evaluator[e].floor[1].v[i] = 0.1;
        }
    assert_int_equal(ib_leakage_make(&t, &fixed, NULL), IB_OK);
    assert_true(fabs(l.interval.value - fixed.interval.value) < 1e-12);
    assert_true(fabs(l.interval.se - fixed.interval.se) > 0.005);
    task_free(&t);
}

static void leakage_differences_share_their_controls(void **state)
{
    struct ib_leakage_task a = {0}, b = {0};
    struct ib_interval i;
    (void)state;
    evaluator(&a, "a", 0.2);
    evaluator(&a, "b", 0.2);
    evaluator(&b, "a", 0.6);
    evaluator(&b, "b", 0.6);
    assert_int_equal(ib_leakage_difference(&a, &b, &i, NULL), IB_OK);
    assert_true(fabs(i.value + 0.5) < 1e-12 && i.high < 0 && i.low > -1);
    task_free(&a);
    task_free(&b);
}

/* An attack on the last ten people alone: floor and ceiling are theirs. */
static void controls_are_of_the_people_that_were_attacked(void **state)
{
    struct ib_leakage_task t = {0};
    struct ib_leakage l;
    (void)state;
    evaluator(&t, "a", 0.7);
    evaluator(&t, "b", 0.8);
    for (int e = 0; e < 2; e++)
        for (int i = 0; i < SEEDS * PEOPLE; i++)
            if (i % PEOPLE < PEOPLE / 2)
                t.evaluator[e].q.v[i] = NAN;
    assert_int_equal(ib_leakage_make(&t, &l, NULL), IB_OK);
    assert_true(fabs(l.part[0].ceiling - 0.8) < 1e-12);
    assert_true(l.part[0].floor == 0 && fabs(l.part[0].acc1 - 0.4) < 1e-12);
    assert_true(fabs(l.part[0].leakage - 0.5) < 1e-12);
    assert_true(fabs(l.interval.value - l.part[l.evaluator].leakage) < 1e-12);
    task_free(&t);
}

static void equal_sides_have_no_interval_of_their_difference(void **state)
{
    struct ib_leakage_task a = {0}, b = {0};
    struct ib_interval i;
    (void)state;
    evaluator(&a, "a", 0.6);
    evaluator(&a, "b", 0.7);
    evaluator(&b, "a", 0.6);
    evaluator(&b, "b", 0.7);
    assert_int_equal(ib_leakage_difference(&a, &b, &i, NULL), IB_OK);
    assert_true(i.value == 0 && isnan(i.low) && isnan(i.high));
    assert_string_equal(i.reason, ib_no_spread);
    task_free(&a);
    task_free(&b);
}

static void differences_are_of_the_seeds_that_both_have(void **state)
{
    struct ib_leakage_task a = {0}, b = {0};
    struct ib_interval i;
    (void)state;
    evaluator(&a, "a", 0.2);
    evaluator(&a, "b", 0.2);
    evaluator(&b, "a", 0.2);
    evaluator(&b, "b", 0.2);
    for (int e = 0; e < 2; e++)
        for (int k = 0; k < PEOPLE; k++) { /* the second seed */
            a.evaluator[e].q.v[PEOPLE + k] = 1;
            b.evaluator[e].q.v[PEOPLE + k] = NAN;
        }
    assert_int_equal(ib_leakage_difference(&a, &b, &i, NULL), IB_OK);
    assert_true(i.value == 0);
    assert_int_equal(ib_leakage_difference(&b, &a, &i, NULL), IB_OK);
    assert_true(i.value == 0);
    task_free(&a);
    task_free(&b);
}

static void limits_are_met_whatever_the_rounding(void **state)
{
    struct ib_leakage_task t = {0};
    struct ib_leakage l;
    (void)state;
    evaluator(&t, "a", 0.3);
    evaluator(&t, "b", 0.3);
    for (int e = 0; e < 2; e++) { /* 0.6 - 0.5 is less than 0.1 in binary */
        ib_panel_free(&t.evaluator[e].ceiling);
        ib_panel_free(&t.evaluator[e].floor[1]);
        t.evaluator[e].ceiling = share(0.6);
        t.evaluator[e].floor[1] = share(0.5);
        t.evaluator[e].accuracy = 0.53;
        t.evaluator[e].target_accuracy = 0.55;
    }
    assert_int_equal(ib_leakage_make(&t, &l, NULL), IB_OK);
    assert_true(l.part[0].counts && l.part[1].counts);
    task_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leakage_is_the_minimum_over_evaluators),
        cmocka_unit_test(controls_are_of_the_people_that_were_attacked),
        cmocka_unit_test(equal_sides_have_no_interval_of_their_difference),
        cmocka_unit_test(differences_are_of_the_seeds_that_both_have),
        cmocka_unit_test(limits_are_met_whatever_the_rounding),
        cmocka_unit_test(leakage_is_not_clamped),
        cmocka_unit_test(a_weak_evaluator_does_not_count),
        cmocka_unit_test(a_ceiling_at_the_floor_is_null_with_a_reason),
        cmocka_unit_test(without_public_data_leakage_is_null),
        cmocka_unit_test(one_evaluator_is_not_enough),
        cmocka_unit_test(resamples_move_floor_and_ceiling_too),
        cmocka_unit_test(leakage_differences_share_their_controls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
