/* Defense stacks: parsing, order, composition, random streams. */
#include "stack_fixture.h"

static const char *name_at(const struct stacked *s, int i)
{
    return s->stack.use[i].plugin->name;
}

static void an_empty_stack_changes_nothing(void **state)
{
    struct stacked s;
    float p[3] = {0.2f, 0.5f, 0.3f};
    (void)state;

    stacked_open(&s, "[]");
    assert_int_equal(stacked_answer(&s, 3, p, 0), 1);
    assert_float_equal(p[2], 0.3f, 0);
    assert_false(ib_stack_has(&s.stack, IB_STAGE_RESPOND));
    stacked_close(&s);
}

static void a_tie_goes_to_the_lowest_index(void **state)
{
    struct stacked s;
    float p[4] = {0.1f, 0.4f, 0.4f, 0.1f};
    (void)state;

    stacked_open(&s, "[]");
    assert_int_equal(stacked_answer(&s, 4, p, 0), 1);
    stacked_close(&s);
}

static void stages_are_sorted_and_order_within_a_stage_stands(void **state)
{
    struct stacked s;
    (void)state;

    stacked_open(&s, "[{\"name\":\"top-k\"},{\"name\":\"label-smoothing\"},"
                     "{\"name\":\"round\"}]");
    assert_string_equal(name_at(&s, 0), "label-smoothing");
    assert_string_equal(name_at(&s, 1), "top-k");
    assert_string_equal(name_at(&s, 2), "round");
    stacked_close(&s);
}

/* 0.24 rounds to 0.2 at a step of 0.2; sharpened first it becomes 0. */
static void defenses_act_in_the_order_given(void **state)
{
    struct stacked first, second;
    float p[2] = {0.24f, 0.76f}, q[2] = {0.24f, 0.76f};
    (void)state;

    stacked_open(&first, "[{\"name\":\"round\",\"step\":0.2},"
                         "{\"name\":\"temperature\",\"t\":0.5}]");
    stacked_open(&second, "[{\"name\":\"temperature\",\"t\":0.5},"
                          "{\"name\":\"round\",\"step\":0.2}]");
    stacked_answer(&first, 2, p, 0);
    stacked_answer(&second, 2, q, 0);
    assert_true(fabs(p[0] - 0.04 / (0.04 + 0.64)) < 1e-6);
    assert_float_equal(q[0], 0, 0);
    assert_true(fabs(q[1] - 1) < 1e-6);
    stacked_close(&first);
    stacked_close(&second);
}

static void a_spec_and_back_is_the_same_stack(void **state)
{
    struct stacked s;
    struct ib_stack again;
    cJSON *spec, *train;
    (void)state;

    stacked_open(&s, "[{\"name\":\"round\",\"step\":0.05},"
                     "{\"name\":\"label-smoothing\",\"alpha\":0.1}]");
    spec = ib_stack_spec(s.registry, &s.stack, IB_STAGE_RESPOND);
    train = ib_stack_spec(s.registry, &s.stack, IB_STAGE_TRAIN);
    assert_int_equal(cJSON_GetArraySize(spec), 1);
    assert_int_equal(cJSON_GetArraySize(train), 1);
    assert_int_equal(ib_stack_from_spec(s.registry, spec, &again, &s.err),
                     IB_OK);
    assert_int_equal(again.n, 1);
    assert_ptr_equal(again.use[0].plugin, s.stack.use[1].plugin);
    assert_float_equal(*(double *)again.use[0].options, 0.05, 0);
    ib_stack_free(&again);
    cJSON_Delete(spec);
    cJSON_Delete(train);
    stacked_close(&s);
}

static void training_hooks_come_with_their_options(void **state)
{
    struct stacked s;
    struct ib_train_hook hooks[IB_STACK_MAX];
    (void)state;

    stacked_open(&s, "[{\"name\":\"round\"},{\"name\":\"label-smoothing\"}]");
    assert_int_equal(ib_stack_hooks(&s.stack, hooks), 1);
    assert_ptr_equal(hooks[0].options, s.stack.use[0].options);
    assert_non_null(hooks[0].batch);
    stacked_close(&s);
}

static void what_is_wrong_is_named_with_its_place(void **state)
{
    struct stacked s;
    (void)state;

    assert_int_equal(
        stacked_parse(&s, "[{\"name\":\"round\"},{\"name\":\"rond\"}]"),
        IB_E_USAGE);
    assert_non_null(strstr(s.err.text, "stack[1]"));
    assert_non_null(strstr(s.err.text, "round"));
    stacked_close(&s);
    assert_int_equal(stacked_parse(&s, "[{\"name\":\"round\",\"step\":7}]"),
                     IB_E_USAGE);
    assert_non_null(strstr(s.err.text, "step"));
    stacked_close(&s);
    assert_int_equal(stacked_parse(&s, "{}"), IB_E_USAGE);
    stacked_close(&s);
}

static void a_stack_that_is_too_long_is_refused(void **state)
{
    struct stacked s;
    char text[64 * (IB_STACK_MAX + 2)] = "[{\"name\":\"round\"}";
    (void)state;

    for (int i = 0; i < IB_STACK_MAX; i++)
        strcat(text, ",{\"name\":\"round\"}");
    strcat(text, "]");
    assert_int_equal(stacked_parse(&s, text), IB_E_USAGE);
    assert_non_null(strstr(s.err.text, "17 defenses"));
    stacked_close(&s);
}

static void randomness_follows_the_query_and_nothing_else(void **state)
{
    struct stacked s;
    float p[3] = {0.2f, 0.5f, 0.3f}, q[3], r[3];
    (void)state;

    memcpy(q, p, sizeof(p));
    memcpy(r, p, sizeof(p));
    stacked_open(&s, "[{\"name\":\"noise\"}]");
    stacked_answer(&s, 3, p, 7);
    stacked_answer(&s, 3, q, 8);
    stacked_answer(&s, 3, r, 7);
    assert_memory_equal(p, r, sizeof(p));
    assert_memory_not_equal(p, q, sizeof(p));
    stacked_close(&s);
}

static void two_noises_of_a_stack_draw_apart(void **state)
{
    struct stacked s;
    float once[2] = {0, 0}, twice[2] = {0, 0};
    const char *one = "[{\"name\":\"noise\",\"clip\":false,"
                      "\"renormalise\":false}]";
    const char *two = "[{\"name\":\"noise\",\"clip\":false,"
                      "\"renormalise\":false},{\"name\":\"noise\","
                      "\"clip\":false,\"renormalise\":false}]";
    (void)state;

    stacked_open(&s, one);
    stacked_answer(&s, 2, once, 0);
    stacked_close(&s);
    stacked_open(&s, two);
    stacked_answer(&s, 2, twice, 0);
    stacked_close(&s);
    assert_true(fabs(twice[0] - 2 * once[0]) > 1e-6);
}

static void answer_nan(const void *options, struct ib_response *r)
{
    (void)options;
    r->scores[1] = NAN;
}

static void answer_out_of_range(const void *options, struct ib_response *r)
{
    (void)options;
    r->label = r->classes;
}

static void a_defense_whose_answer_is_none_is_named(void **state)
{
    static const struct ib_defense nan = {.plugin = {.name = "vague"},
                                          .stage = IB_STAGE_RESPOND,
                                          .respond = answer_nan},
                                   range = {.plugin = {.name = "far"},
                                            .stage = IB_STAGE_RESPOND,
                                            .respond = answer_out_of_range};
    const struct ib_asker who = {.seed = 1};
    struct ib_stack s = {.use = {{.plugin = &nan.plugin}}, .n = 1};
    float p[2] = {0.5f, 0.5f};
    struct ib_error err;
    int label;
    (void)state;

    assert_int_equal(ib_stack_respond(&s, 2, p, &who, &label, &err),
                     IB_E_NUMERIC);
    assert_non_null(strstr(err.text, "defense vague answers with a score that "
                                     "is not a number, for class 1"));
    p[1] = 0.5f;
    s.use[0].plugin = &range.plugin;
    assert_int_equal(ib_stack_respond(&s, 2, p, &who, &label, &err),
                     IB_E_INTERNAL);
    assert_non_null(strstr(err.text, "far answers with the label 2, which is "
                                     "not within 0..1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_stack_changes_nothing),
        cmocka_unit_test(a_tie_goes_to_the_lowest_index),
        cmocka_unit_test(stages_are_sorted_and_order_within_a_stage_stands),
        cmocka_unit_test(defenses_act_in_the_order_given),
        cmocka_unit_test(a_spec_and_back_is_the_same_stack),
        cmocka_unit_test(training_hooks_come_with_their_options),
        cmocka_unit_test(what_is_wrong_is_named_with_its_place),
        cmocka_unit_test(a_stack_that_is_too_long_is_refused),
        cmocka_unit_test(randomness_follows_the_query_and_nothing_else),
        cmocka_unit_test(two_noises_of_a_stack_draw_apart),
        cmocka_unit_test(a_defense_whose_answer_is_none_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
