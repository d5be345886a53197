/* Who is paired with whom, and what is measured of pairs. */
#include "compare_fixture.h"

/* --- pairing ---------------------------------------------------------------
 */

static void a_slot_keeps_its_place_under_another_id(void **state)
{
    struct held h;
    cJSON *fresh = run_of(seven_in_ten), *cell;
    cJSON *rows =
        cJSON_GetObjectItem(cJSON_GetObjectItem(fresh, "summary"), "rows");
    set_text(cJSON_GetObjectItem(fresh, "defenses")->child, "id", "fresh");
    set_text(rows->child, "defense", "fresh");
    cJSON_ArrayForEach(cell, cJSON_GetObjectItem(fresh, "cells"))
        set_text(cell, "defense", "fresh");
    cJSON_ArrayForEach(cell, cJSON_GetObjectItem(fresh, "utility"))
        set_text(cell, "defense", "fresh");
    hold(*state, run_of(four_in_ten), fresh, leak_rule, &h);
    assert_int_equal(only(&h)->verdict, IB_FAIL);
    assert_string_equal(line_of(&h.c, "leakage", ROW)->defense_new, "fresh");
    ib_compare_free(&h.c);
}

static void slots_are_judged_one_by_one(void **state)
{
    struct held h;
    struct made m = plain;
    m.slots = 2;
    cJSON *base = made_results(&m);
    m.finds = seven_in_ten;
    hold(*state, base, made_results(&m), leak_rule, &h);
    assert_int_equal(h.c.n_judgements, 2);
    assert_int_equal(h.c.judgements[0].verdict, IB_FAIL);
    assert_int_equal(h.c.judgements[1].verdict, IB_PASS);
    ib_compare_free(&h.c);
}

/* Under the second seed BASE numbers people the other way round. */
static void scores_are_paired_by_person(void **state)
{
    struct held h;
    cJSON *base = run_of(four_in_ten), *fresh = run_of(four_in_ten);
    cJSON *who = cJSON_GetObjectItem(cell_at(fresh, 1), "identities"),
          *turned = cJSON_CreateArray();
    while (cJSON_GetArraySize(who))
        cJSON_AddItemToArray(turned, cJSON_DetachItemFromArray(
                                         who, cJSON_GetArraySize(who) - 1));
    cJSON_ReplaceItemInObject(cell_at(fresh, 1), "identities", turned);
    hold(*state, base, fresh, leak_rule, &h);
    assert_true(line_of(&h.c, "leakage", ROW)->d.value == 0);
    assert_true(line_of(&h.c, "leakage", ROW)->d.se == 0);
    ib_compare_free(&h.c);
}

static void seeds_of_one_run_are_left_out_and_said(void **state)
{
    struct held h;
    struct made m = plain;
    m.seeds = 3;
    hold(*state, run_of(four_in_ten), made_results(&m), leak_rule, &h);
    assert_int_equal(h.c.outcome, IB_OUTCOME_OK);
    assert_int_equal(h.c.seeds, 3);
    assert_true(says(h.c.warnings, "1 seed is in only one run"));
    ib_compare_free(&h.c);
}

static void other_budgets_do_not_pass(void **state)
{
    struct held h;
    cJSON *fresh = run_of(four_in_ten), *cell;
    cJSON_ArrayForEach(cell, cJSON_GetObjectItem(fresh, "cells"))
        cJSON_SetNumberValue(cJSON_GetObjectItem(cell, "budget"), 50);
    hold(*state, run_of(four_in_ten), fresh, leak_rule, &h);
    assert_int_equal(only(&h)->verdict, IB_UNDECIDED);
    assert_has(only(&h)->text, "other budget");
    ib_compare_free(&h.c);
}

/* What bypasses the defense is measured where nothing stands in the way. */
static void a_bypass_is_compared_where_its_number_stands(void **state)
{
    struct held h;
    struct made m = plain;
    m.slots = 2;
    cJSON *base = made_results(&m);
    m.finds = nobody;
    cJSON *fresh = made_results(&m), *cell;
    int seed = 0;
    cJSON_ArrayForEach(cell, cJSON_GetObjectItem(fresh, "cells"))
    {
        char twin[64];
        if (strcmp(ib_at_text(cell, "defense"), "other"))
            continue;
        snprintf(twin, sizeof twin, "target/candidate/mi-face/scores/s%d",
                 ++seed);
        set_text(cell, "status", "bypass");
        set_text(cell, "same_as", twin);
        cJSON_ReplaceItemInObject(cell, "identities", cJSON_CreateArray());
    }
    hold(*state, base, fresh, leak_rule, &h);
    const struct ib_comparison *l =
        line_of(&h.c, "leakage", "target/other/mi-face/scores");
    assert_true(l->missing == 0 && fabs(l->fresh + 0.125) < 1e-9);
    ib_compare_free(&h.c);
}

/* --- metrics ---------------------------------------------------------------
 */

static double worse_answers(int slot, int seed, int person)
{
    (void)slot;
    return 8 - (person + seed) % 2;
}

static void accuracy_is_paired_by_class(void **state)
{
    static const char *const rules[] = {"accuracy:-1pp", NULL};
    struct held h;
    struct made m = plain;
    m.right = worse_answers;
    hold(*state, run_of(four_in_ten), made_results(&m), rules, &h);
    assert_int_equal(only(&h)->verdict, IB_FAIL);
    const struct ib_comparison *l =
        line_of(&h.c, "accuracy", "target/candidate");
    assert_true(fabs(l->d.value + 0.15) < 1e-9 && l->identities == 20);
    assert_true(l->d.low < -0.15 && l->d.high > -0.15 && l->d.high < -0.13);
    ib_compare_free(&h.c);
}

static void columns_can_be_ruled_on(void **state)
{
    static const char *const rules[] = {"ssim:+0.01", "acc1@a:+5pp", NULL};
    struct held h;
    hold(*state, run_of(four_in_ten), run_of(seven_in_ten), rules, &h);
    assert_int_equal(h.c.n_judgements, 2);
    assert_int_equal(h.c.judgements[0].verdict, IB_FAIL);
    assert_true(fabs(h.c.judgements[0].worsening - 0.15) < 1e-9);
    assert_true(fabs(h.c.judgements[1].worsening - 0.3) < 1e-9);
    assert_true(line_of(&h.c, "ssim", ROW)->p_permuted < 0.001);
    ib_compare_free(&h.c);
}

/* Two attacks: the target is surer of the second for every other person, whom
 * only the first finds there. */
static bool by_attack(int slot, int attack, int seed, int person)
{
    (void)slot, (void)seed;
    return attack == 0 ? person % 4 == 0 : person % 4 == 1;
}

static void the_headline_is_what_the_target_prefers(void **state)
{
    static const char *const rules[] = {"headline:+0.02", NULL};
    struct held h;
    struct made m = plain;
    m.attacks = 2;
    m.finds = by_attack;
    hold(*state, made_results(&m), made_results(&m), rules, &h);
    assert_int_equal(h.c.outcome, IB_OUTCOME_OK);
    /* of even people the first attack's image is kept, of odd ones the
     * second's: one in four and one in four are found */
    const struct ib_comparison *l =
        line_of(&h.c, "headline", "target/candidate/scores");
    assert_true(fabs(l->base - (0.5 - 0.1) / 0.8) < 1e-9);
    ib_compare_free(&h.c);
}

static void a_lost_attack_leaves_no_headline(void **state)
{
    static const char *const rules[] = {"headline:+0.02", NULL};
    struct held h;
    struct made m = plain;
    m.attacks = 2;
    cJSON *fresh = made_results(&m);
    lose(fresh, 1, "oom");
    hold(*state, made_results(&m), fresh, rules, &h);
    assert_int_equal(only(&h)->verdict, IB_UNDECIDED);
    assert_has(only(&h)->text, "oom");
    ib_compare_free(&h.c);
}

static void p_values_are_adjusted_over_all_lines(void **state)
{
    struct held h;
    hold(*state, run_of(four_in_ten), run_of(others), leak_rule, &h);
    const struct ib_comparison *l = line_of(&h.c, "leakage", ROW);
    assert_true(l->p_holm >= l->p && l->p_holm <= 1);
    assert_true(l->p_permuted > 0.1);
    ib_compare_free(&h.c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slot_keeps_its_place_under_another_id),
        cmocka_unit_test(slots_are_judged_one_by_one),
        cmocka_unit_test(scores_are_paired_by_person),
        cmocka_unit_test(seeds_of_one_run_are_left_out_and_said),
        cmocka_unit_test(other_budgets_do_not_pass),
        cmocka_unit_test(a_bypass_is_compared_where_its_number_stands),
        cmocka_unit_test(accuracy_is_paired_by_class),
        cmocka_unit_test(columns_can_be_ruled_on),
        cmocka_unit_test(the_headline_is_what_the_target_prefers),
        cmocka_unit_test(a_lost_attack_leaves_no_headline),
        cmocka_unit_test(p_values_are_adjusted_over_all_lines),
    };
    return cmocka_run_group_tests(tests, dir_setup, dir_teardown);
}
