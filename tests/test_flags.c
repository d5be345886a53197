/* Each flag: limits of its rule, and a made-up attack or defense that raises
 * it beside one that does not. */
#include "flags_fixture.h"

#include <math.h>

/* --- rules -----------------------------------------------------------------
 */

static bool raised(const struct ib_flag_facts *f, enum ib_flag which)
{
    cJSON *all = ib_flags_make(f), *item;
    bool found = false;
    assert_non_null(all);
    cJSON_ArrayForEach(item, all)
    {
        found |= !strcmp(ib_at_text(item, "name"), ib_flag_rules[which].name);
        assert_true(strlen(ib_at_text(item, "text")) > 10);
    }
    assert_int_equal(cJSON_GetArraySize(all), found);
    cJSON_Delete(all);
    return found;
}

static const struct ib_flag_facts sound = {
    .images = 20,
    .distinct = 20,
    .spread = 0.1,
    .contrast = 0.2,
    .acc1_low = 0.5,
    .acc1_high = 0.6,
    .accuracy_undefended = 0.9,
    .accuracy = 0.89,
    .seeds = 3,
    .planned = 3,
    .here = 0.5,
    .labels = 0.4,
    .leakage_low = 0.3,
    .leakage_high = 0.6,
};

/* On either side of a limit, as the rule says it. */
#define LIMIT(flag, member, within, beyond)                                    \
    do {                                                                       \
        struct ib_flag_facts f = sound;                                        \
        f.member = within;                                                     \
        assert_false(raised(&f, flag));                                        \
        f.member = beyond;                                                     \
        assert_true(raised(&f, flag));                                         \
    } while (0)

static void rules_hold_at_their_limits(void **state)
{
    (void)state;
    LIMIT(IB_FLAG_COPIED, copied, 0.009, 0.011);
    LIMIT(IB_FLAG_DEGENERATE, distinct, 10, 9);
    LIMIT(IB_FLAG_DEGENERATE, spread, 0.01, 0.0099);
    LIMIT(IB_FLAG_DEGENERATE, contrast, 0.01, 0.0099);
    LIMIT(IB_FLAG_STOCHASTIC, stochastic, NULL, "noise");
    LIMIT(IB_FLAG_EVALUATORS, acc1_high, 0.699, 0.701);
    LIMIT(IB_FLAG_CONTROL, control, NULL, "a control is out of range");
    LIMIT(IB_FLAG_UTILITY, accuracy, 0.881, 0.879);
    LIMIT(IB_FLAG_SEEDS, seeds, 3, 2);
    LIMIT(IB_FLAG_MISSING, missing, 0, 1);
    LIMIT(IB_FLAG_CONVERGED, gain, 0.02, 0.021);
    LIMIT(IB_FLAG_MASKING, labels, 0.519, 0.521);
    LIMIT(IB_FLAG_POWER, leakage_low, 0.001, 0);
}

static void what_is_copied_among_real_images_is_no_copy(void **state)
{
    struct ib_flag_facts f = sound;
    (void)state;
    f.copied = f.copied_real = 0.3; /* data that repeats itself */
    assert_false(raised(&f, IB_FLAG_COPIED));
}

static void no_leak_is_believed_where_one_would_be_seen(void **state)
{
    struct ib_flag_facts f = sound;
    (void)state;
    f.leakage_low = -0.1;
    f.leakage_high = 0.2;
    assert_false(raised(&f, IB_FLAG_POWER));
    f.leakage_high = 0.21;
    assert_true(raised(&f, IB_FLAG_POWER));
}

static void floors_may_be_as_high_as_the_rule_says(void **state)
{
    (void)state;
    assert_true(ib_flag_floor_limit(true, 10) == 0.5);
    assert_true(ib_flag_floor_limit(false, 10) == 3.0 / 10);
    assert_true(ib_flag_floor_limit(false, 100) == 0.1);
    assert_true(ib_flag_ceiling_least == 0.5);
}

static void the_documentation_has_every_rule(void **state)
{
    struct ib_text t = {0};
    (void)state;
    assert_int_equal(ib_file_read("docs/results.md", 1 << 20, &t, NULL), IB_OK);
    for (int i = 0; i < IB_FLAG_COUNT; i++) {
        char row[700];
        snprintf(row, sizeof row, "\n| `%s` | %s |\n", ib_flag_rules[i].name,
                 ib_flag_rules[i].rule);
        assert_has(ib_text_string(&t), row);
    }
    ib_text_free(&t);
}

static void the_schema_knows_every_flag(void **state)
{
    cJSON *schema, *all;
    (void)state;
    assert_int_equal(ib_json_read("results/results.schema.json", &schema, NULL),
                     IB_OK);
    const cJSON *row = ib_at(ib_at(schema, "$defs"), "row");
    row = ib_at(ib_at(ib_at(row, "properties"), "flags"), "items");
    all = cJSON_GetObjectItem(ib_at(ib_at(row, "properties"), "name"), "enum");
    assert_int_equal(cJSON_GetArraySize(all), IB_FLAG_COUNT);
    for (int i = 0; i < IB_FLAG_COUNT; i++)
        assert_string_equal(cJSON_GetArrayItem(all, i)->valuestring,
                            ib_flag_rules[i].name);
    cJSON_Delete(schema);
}

/* --- attacks and defenses --------------------------------------------------
 */

/* Who raises a flag, and who does not. */
struct example {
    enum ib_flag flag;
    const char *raises[2], *does_not[2]; /* attack, defense */
    const char *text;                    /* a part of it */
};
static const struct example examples[] = {
    {IB_FLAG_COPIED,
     {"copier", "none"},
     {"fresh", "none"},
     "10.0 % of the reconstructions are copies of private images (of real "
     "held-out images 0.0 %)"},
    {IB_FLAG_DEGENERATE,
     {"same", "none"},
     {"fresh", "none"},
     "only 1 of 10 reconstructions differ"},
    {IB_FLAG_DEGENERATE, {"blank", "none"}, {"fresh", "none"}, "nearly blank"},
    {IB_FLAG_STOCHASTIC,
     {"fresh", "noise"},
     {"fresh", "none"},
     "noise answers"},
    {IB_FLAG_EVALUATORS,
     {"dark", "none"},
     {"fresh", "none"},
     "evaluators disagree"},
    {IB_FLAG_UTILITY,
     {"fresh", "loud"},
     {"fresh", "noise"},
     "points of accuracy"},
    {IB_FLAG_SEEDS, {"once", "none"}, {"fresh", "none"}, "1 seed:"},
    {IB_FLAG_SEEDS, {"absent", "none"}, {"fresh", "none"}, "2 seeds:"},
    {IB_FLAG_MISSING, {"absent", "none"}, {"fresh", "none"}, "1 of 3 cells"},
    {IB_FLAG_CONVERGED,
     {"late", "none"},
     {"fresh", "none"},
     "between 50 and 100 queries"},
    {IB_FLAG_MASKING,
     {"white", "smooth"},
     {"white", "none"},
     "gradients are masked"},
    {IB_FLAG_POWER, {"lucky", "none"}, {"nobody", "none"}, "no leak is seen"},
};

static void each_flag_has_who_raises_it_and_who_does_not(void **state)
{
    const struct flags_run *r = *state;
    const cJSON *summary = ib_at(r->results, "summary");
    for (size_t i = 0; i < IB_COUNT(examples); i++) {
        const struct example *e = &examples[i];
        const char *text =
            flag_of(row_of(summary, e->raises[0], e->raises[1]), e->flag);
        if (!text)
            fail_msg("%s/%s does not raise %s", e->raises[1], e->raises[0],
                     ib_flag_rules[e->flag].name);
        assert_has(text, e->text);
        text =
            flag_of(row_of(summary, e->does_not[0], e->does_not[1]), e->flag);
        if (text)
            fail_msg("%s/%s: %s", e->does_not[1], e->does_not[0], text);
    }
}

static void a_sound_attack_raises_none(void **state)
{
    const struct flags_run *r = *state;
    const cJSON *row = row_of(ib_at(r->results, "summary"), "fresh", "none");
    assert_int_equal(cJSON_GetArraySize(ib_at(row, "flags")), 0);
    assert_true(ib_at_number(ib_at(row, "leakage"), "value") > 0.7);
}

/* A control that shows no leak, by an evaluator that sees one: the ceiling. */
static void a_control_that_finds_people_is_out_of_range(void **state)
{
    struct flags_run *r = *state;
    const struct ib_scored *noise[IB_RESULTS_SEEDS];
    struct ib_error err;
    cJSON *summary, *item;
    ib_control_row(&r->g, 0, "noise", noise);
    for (int s = 0; s < 3; s++)
        cJSON_ArrayForEach(
            item, ib_at(ib_at(noise[s]->scores, "values"), "acc1@e-mlp"))
            cJSON_SetNumberValue(item, 0.4);
    must(ib_results_summary(&r->g, r->results, &summary, &err), &err);
    const char *text =
        flag_of(row_of(summary, "fresh", "none"), IB_FLAG_CONTROL);
    assert_non_null(text);
    assert_has(text, "takes the control noise for the person in 40.0 %");
    cJSON_Delete(summary);
}

static void an_evaluator_that_knows_nobody_is_out_of_range(void **state)
{
    struct flags_run *r = *state;
    const struct ib_scored *real[IB_RESULTS_SEEDS];
    struct ib_error err;
    cJSON *summary, *item;
    ib_control_row(&r->g, 0, "holdout", real);
    for (int s = 0; s < 3; s++)
        cJSON_ArrayForEach(
            item, ib_at(ib_at(real[s]->scores, "values"), "acc1@e-mlp"))
            cJSON_SetNumberValue(item, 0.49);
    must(ib_results_summary(&r->g, r->results, &summary, &err), &err);
    const char *text =
        flag_of(row_of(summary, "fresh", "none"), IB_FLAG_CONTROL);
    assert_non_null(text);
    assert_has(text, "e-mlp knows only 49.0 % of real held-out images");
    cJSON_Delete(summary);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_hold_at_their_limits),
        cmocka_unit_test(what_is_copied_among_real_images_is_no_copy),
        cmocka_unit_test(no_leak_is_believed_where_one_would_be_seen),
        cmocka_unit_test(floors_may_be_as_high_as_the_rule_says),
        cmocka_unit_test(the_documentation_has_every_rule),
        cmocka_unit_test(the_schema_knows_every_flag),
        cmocka_unit_test(each_flag_has_who_raises_it_and_who_does_not),
        cmocka_unit_test(a_sound_attack_raises_none),
        cmocka_unit_test(a_control_that_finds_people_is_out_of_range),
        cmocka_unit_test(an_evaluator_that_knows_nobody_is_out_of_range),
    };
    return cmocka_run_group_tests(tests, flags_setup, flags_teardown);
}
