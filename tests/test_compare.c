#include "compare_fixture.h"

/* --- the made-up results are results ---------------------------------------
 */

static void made_up_results_are_valid(void **state)
{
    struct schema_check c = {0};
    cJSON *schema, *results = made_results(&plain);
    (void)state;
    assert_int_equal(ib_json_read("results/results.schema.json", &schema, NULL),
                     IB_OK);
    c.root = schema;
    if (!schema_valid(&c, schema, results, "$"))
        fail_msg("%s", c.why);
    cJSON_Delete(results);
    cJSON_Delete(schema);
}

/* --- outcomes --------------------------------------------------------------
 */

static void the_same_run_passes(void **state)
{
    struct held h;
    hold(*state, run_of(four_in_ten), run_of(four_in_ten), leak_rule, &h);
    assert_int_equal(h.c.outcome, IB_OUTCOME_OK);
    const struct ib_comparison *l = line_of(&h.c, "leakage", ROW);
    assert_true(l->d.value == 0 && l->d.low == 0 && l->d.high == 0);
    assert_true(l->p == 1 && l->pairs == 80 && l->identities == 20);
    assert_true(fabs(l->base - 0.375) < 1e-9 && l->base == l->fresh);
    ib_compare_free(&h.c);
}

static void more_leakage_is_a_regression(void **state)
{
    struct held h;
    hold(*state, run_of(four_in_ten), run_of(seven_in_ten), leak_rule, &h);
    assert_int_equal(h.c.outcome, IB_OUTCOME_REGRESSION);
    const struct ib_judgement *j = only(&h);
    assert_int_equal(j->verdict, IB_FAIL);
    assert_true(fabs(j->worsening - 0.375) < 1e-9);
    assert_true(j->bound > 0.1 && j->bound < 0.375);
    assert_has(j->text, "leakage rose by 0.375");
    assert_true(line_of(&h.c, "leakage", ROW)->p_holm < 0.01);
    ib_compare_free(&h.c);
}

static void less_leakage_is_none(void **state)
{
    struct held h;
    hold(*state, run_of(seven_in_ten), run_of(four_in_ten), leak_rule, &h);
    assert_int_equal(h.c.outcome, IB_OUTCOME_OK);
    assert_true(only(&h)->worsening < -0.3);
    ib_compare_free(&h.c);
}

static void a_change_without_direction_passes(void **state)
{
    struct held h;
    hold(*state, run_of(four_in_ten), run_of(others), leak_rule, &h);
    assert_int_equal(h.c.outcome, IB_OUTCOME_OK);
    assert_true(only(&h)->noise > 0.02); /* and says that it saw little */
    assert_true(says(h.c.warnings, "noise floor"));
    ib_compare_free(&h.c);
}

/* What cannot be told from a regression is no proof of none. */
static void a_claim_must_be_shown(void **state)
{
    static const char *const small[] = {"!leakage:+0.02", NULL};
    static const char *const large[] = {"!leakage:+0.5", NULL};
    struct held h;
    hold(*state, run_of(four_in_ten), run_of(others), small, &h);
    assert_int_equal(h.c.outcome, IB_OUTCOME_REGRESSION);
    assert_int_equal(only(&h)->verdict, IB_FAIL);
    ib_compare_free(&h.c);
    hold(*state, run_of(four_in_ten), run_of(others), large, &h);
    assert_int_equal(h.c.outcome, IB_OUTCOME_OK);
    assert_true(only(&h)->bound < 0.5);
    ib_compare_free(&h.c);
}

static void a_crash_is_not_privacy(void **state)
{
    static const char *const status[] = {"crashed", "failed",  "skipped",
                                         "timeout", "blocked", "pending"};
    for (size_t i = 0; i < IB_COUNT(status); i++) {
        struct held h;
        cJSON *fresh = run_of(four_in_ten);
        lose(fresh, 2, status[i]);
        hold(*state, run_of(four_in_ten), fresh, leak_rule, &h);
        assert_int_equal(h.c.outcome, IB_OUTCOME_REGRESSION);
        assert_int_equal(only(&h)->verdict, IB_UNDECIDED);
        assert_has(only(&h)->text, status[i]);
        assert_int_equal(line_of(&h.c, "leakage", ROW)->missing, 1);
        ib_compare_free(&h.c);
    }
}

static void a_regression_shows_through_missing_cells(void **state)
{
    struct held h;
    cJSON *fresh = run_of(seven_in_ten);
    lose(fresh, 0, "crashed");
    hold(*state, run_of(four_in_ten), fresh, leak_rule, &h);
    assert_int_equal(only(&h)->verdict, IB_FAIL);
    ib_compare_free(&h.c);
}

static void a_row_that_is_gone_does_not_pass(void **state)
{
    struct held h;
    cJSON *fresh = run_of(four_in_ten);
    cJSON_ReplaceItemInObject(fresh, "cells", cJSON_CreateArray());
    hold(*state, run_of(four_in_ten), fresh, leak_rule, &h);
    assert_int_equal(only(&h)->verdict, IB_UNDECIDED);
    assert_has(only(&h)->text, "NEW has no such cell");
    ib_compare_free(&h.c);
}

static void rows_skipped_by_both_are_nobodys_fault(void **state)
{
    struct held h;
    struct made m = plain;
    m.attacks = 2;
    cJSON *run[2];
    for (int k = 0; k < 2; k++) {
        run[k] = made_results(&m);
        for (int i = 0; i < 8; i++)
            if (!strcmp(ib_at_text(cell_at(run[k], i), "attack"), "spsa"))
                lose(run[k], i, "skipped");
    }
    hold(*state, run[0], run[1], leak_rule, &h);
    assert_int_equal(h.c.outcome, IB_OUTCOME_OK);
    assert_int_equal(h.c.n_judgements, 1);
    ib_compare_free(&h.c);
}

static void no_common_seed_is_nothing_to_compare(void **state)
{
    struct held h;
    cJSON *fresh = run_of(four_in_ten), *seed;
    cJSON_ArrayForEach(seed, cJSON_GetObjectItem(fresh, "seeds"))
        cJSON_SetNumberValue(seed, seed->valuedouble + 100);
    hold(*state, run_of(four_in_ten), fresh, leak_rule, &h);
    assert_int_equal(h.c.outcome, IB_OUTCOME_NOTHING);
    ib_compare_free(&h.c);
}

static void too_few_people_are_nothing_to_compare(void **state)
{
    struct held h;
    struct made m = plain;
    m.people = 9;
    m.finds = others;
    cJSON *fresh = made_results(&m);
    m.finds = four_in_ten;
    hold(*state, made_results(&m), fresh, leak_rule, &h);
    /* accuracy and leakage both are too few people's */
    assert_int_equal(h.c.outcome, IB_OUTCOME_NOTHING);
    assert_has(only(&h)->text, "10 identities");
    ib_compare_free(&h.c);
}

/* --- not comparable --------------------------------------------------------
 */

static void spoil(cJSON *results, int what)
{
    cJSON *data = cJSON_GetObjectItem(results, "dataset");
    cJSON *judge = cJSON_GetObjectItem(results, "evaluators")->child;
    cJSON *control = cJSON_GetObjectItem(results, "controls")->child;
    if (what == 0)
        set_text(results, "schema", "invbench.results/2");
    if (what == 1)
        set_text(data, "name", "folder");
    if (what == 3)
        cJSON_AddNumberToObject(cJSON_GetObjectItem(judge, "options"), "epochs",
                                3);
    if (what == 4)
        set_text(judge, "id", "c");
    for (; what == 5 && control; control = control->next)
        if (!strcmp(ib_at_text(control, "name"), "holdout"))
            cJSON_SetNumberValue(
                cJSON_GetObjectItem(
                    cJSON_GetObjectItem(
                        cJSON_GetObjectItem(control, "identities")->child,
                        "scores"),
                    "confidence@a"),
                0.5);
}

static void other_conditions_are_not_comparable(void **state)
{
    static const char *const why[] = {
        "other schema",    "other data", "images of seed 2",
        "options differs", "no a",       "judges the same real images"};
    for (int i = 0; i < (int)IB_COUNT(why); i++) {
        struct held h;
        cJSON *fresh = run_of(four_in_ten);
        if (i == 2)
            cJSON_ReplaceItemInArray(
                cJSON_GetObjectItem(cJSON_GetObjectItem(fresh, "dataset"),
                                    "sha256"),
                1, cJSON_CreateString("other"));
        else
            spoil(fresh, i);
        hold(*state, run_of(four_in_ten), fresh, leak_rule, &h);
        assert_int_equal(h.c.outcome, IB_OUTCOME_INCOMPATIBLE);
        if (!says(h.c.incompatible, why[i]))
            fail_msg("%s is not said", why[i]);
        ib_compare_free(&h.c);
    }
}

/* --- refusals --------------------------------------------------------------
 */

static void rules_that_make_no_sense_are_refused(void **state)
{
    static const char *const bad[] = {
        "leakage",     "leakage:0.02",     ":+0.02",
        "leakage:+",   "leakage:+1%",      "leakage:+nan",
        "leakage:+-1", "leakage:+0.02pp ", "leakage:+1e999"};
    struct ib_rule r;
    struct ib_error err;
    (void)state;
    for (size_t i = 0; i < IB_COUNT(bad); i++) {
        assert_int_equal(ib_rule_parse(bad[i], false, &r, &err), IB_E_USAGE);
        assert_has(err.text, bad[i]);
    }
    assert_int_equal(ib_rule_parse("leakage:+0", true, &r, &err), IB_E_USAGE);
    assert_int_equal(ib_rule_parse("accuracy:-1pp", false, &r, &err), IB_OK);
    assert_true(fabs(r.threshold - 0.01) < 1e-15 && r.worse == -1);
}

static void refused(void **state, const char *text, const char *part)
{
    struct ib_rule rule;
    struct ib_compare c;
    struct ib_error err = {0};
    char a[PATH_MAX + 64];
    cJSON *results = run_of(four_in_ten);
    write_results(*state, "base.json", results);
    cJSON_Delete(results);
    snprintf(a, sizeof a, "%s/base.json", (char *)*state);
    assert_int_equal(ib_rule_parse(text, false, &rule, &err), IB_OK);
    assert_int_equal(ib_compare_make(a, a, &rule, 1, &c, &err), IB_E_USAGE);
    assert_has(err.text, part);
}

static void rules_are_held_against_what_was_measured(void **state)
{
    refused(state, "leakge:+0.02", "did you mean \"leakage\"");
    refused(state, "accuracy:+0.02", "write accuracy:-0.02");
    refused(state, "mse:+0.02", "write mse:-0.02");
    refused(state, "ssim:-0.02", "write ssim:+0.02");
}

/* Every member of a results file taken away or made something else: an error
 * or an outcome, never a crash. */
static void break_one(cJSON *o, int *left, bool take)
{
    cJSON *item = o->child, *next;
    for (; item && *left >= 0; item = next) {
        next = item->next;
        if ((*left)-- == 0) {
            if (take)
                cJSON_Delete(cJSON_DetachItemViaPointer(o, item));
            else if (item->string)
                cJSON_ReplaceItemInObjectCaseSensitive(
                    o, item->string, cJSON_CreateNumber(1e300));
            else
                cJSON_ReplaceItemViaPointer(o, item, cJSON_CreateNumber(1e300));
            return;
        }
        break_one(item, left, take);
    }
}

static void damaged_results_do_no_harm(void **state)
{
    struct made m = {.seeds = 2,
                     .people = 9, /* too few for an interval: fast */
                     .slots = 1,
                     .attacks = 1,
                     .finds = four_in_ten};
    cJSON *good = made_results(&m);
    char a[PATH_MAX + 64], b[PATH_MAX + 64];
    struct ib_rule rule;
    snprintf(a, sizeof a, "%s/base.json", (char *)*state);
    snprintf(b, sizeof b, "%s/new.json", (char *)*state);
    write_results(*state, "base.json", good);
    assert_int_equal(ib_rule_parse("leakage:+0.02", false, &rule, NULL), IB_OK);
    for (int i = 0;; i += i < 200 ? 1 : 37) {
        struct ib_compare c;
        struct ib_error err = {0};
        int left = i;
        cJSON *bad = cJSON_Duplicate(good, true);
        break_one(bad, &left, i % 2);
        write_results(*state, "new.json", bad);
        cJSON_Delete(bad);
        if (left >= 0)
            break;
        enum ib_status s = ib_compare_make(a, b, &rule, 1, &c, &err);
        if (!s)
            ib_compare_free(&c);
        else
            assert_true(*err.text);
    }
    cJSON_Delete(good);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(made_up_results_are_valid),
        cmocka_unit_test(the_same_run_passes),
        cmocka_unit_test(more_leakage_is_a_regression),
        cmocka_unit_test(less_leakage_is_none),
        cmocka_unit_test(a_change_without_direction_passes),
        cmocka_unit_test(a_claim_must_be_shown),
        cmocka_unit_test(a_crash_is_not_privacy),
        cmocka_unit_test(a_regression_shows_through_missing_cells),
        cmocka_unit_test(a_row_that_is_gone_does_not_pass),
        cmocka_unit_test(rows_skipped_by_both_are_nobodys_fault),
        cmocka_unit_test(no_common_seed_is_nothing_to_compare),
        cmocka_unit_test(too_few_people_are_nothing_to_compare),
        cmocka_unit_test(other_conditions_are_not_comparable),
        cmocka_unit_test(rules_that_make_no_sense_are_refused),
        cmocka_unit_test(rules_are_held_against_what_was_measured),
        cmocka_unit_test(damaged_results_do_no_harm),
    };
    return cmocka_run_group_tests(tests, dir_setup, dir_teardown);
}
