/* Defenses at equal accuracy, and who is dominated. */
#include "harness_fixture.h"

#include <math.h>

#include "results_parts.h"

struct world {
    struct ib_registry *registry;
    struct ib_suite *suite;
    struct ib_plan plan;
    struct ib_gather g;
    cJSON *summary;
    struct ib_error err;
};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    cJSON *suite = json_of(
        "{'schema':'invbench.suite/1','name':'t','seeds':[1],"
        "'dataset':{'name':'synthfaces'},'models':[{'name':'softmax'}],"
        "'defenses':[{'id':'none','stack':[]},{'id':'r','stack':[{'name':"
        "'round','step':{'sweep':[0.1,0.2]}}]},{'id':'rough','stack':["
        "'label-only']}],'attacks':[{'name':'mi-face'}],'access':['scores']}");

    if (ib_registry_create(&w->registry, &w->err) ||
        ib_suite_parse(w->registry, suite, "test", &w->suite, &w->err))
        fail_msg("%s", w->err.text);
    w->plan.suite = w->suite;
    w->g.plan = &w->plan;
    w->summary = json_of("{'headline':[],'utility':[]}");
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    cJSON_Delete(w->summary);
    ib_suite_free(w->suite);
    ib_registry_free(w->registry);
    free(w);
    return 0;
}

/* leakage NaN: null; its interval reaches 0.1 to both sides. */
static void add(struct world *w, const char *defense, double accuracy,
                double leakage)
{
    bool ok = true;
    cJSON *h =
        ib_put_object(&ok, cJSON_GetObjectItem(w->summary, "headline"), NULL);
    cJSON *u = ib_put_object(&ok, cJSON_GetObjectItem(w->summary, "utility"),
                             NULL),
          *x;

    ib_put_text(&ok, h, "model", "softmax");
    ib_put_text(&ok, h, "defense", defense);
    ib_put_text(&ok, h, "access", "scores");
    x = ib_put_object(&ok, h, "leakage");
    ib_put_number(&ok, x, "value", leakage);
    ib_put_number(&ok, x, "low", leakage - 0.1);
    ib_put_number(&ok, x, "high", leakage + 0.1);
    ib_put_text(&ok, u, "model", "softmax");
    ib_put_text(&ok, u, "defense", defense);
    ib_put_number(&ok, ib_put_object(&ok, u, "accuracy"), "value", accuracy);
    assert_true(ok);
}

static void make(struct world *w)
{
    const struct ib_summary s = {.g = &w->g};

    if (ib_summary_matched(&s, w->summary, &w->err))
        fail_msg("%s", w->err.text);
}

static const cJSON *matched(const struct world *w, const char *family,
                            double drop)
{
    const cJSON *o;

    cJSON_ArrayForEach(o, ib_at(w->summary, "matched"))
    {
        if (!strcmp(ib_at_text(o, "family"), family) &&
            ib_at_number(o, "drop") == drop)
            return o;
    }
    fail_msg("nothing is matched for %s", family);
    return NULL;
}

static double leakage(const struct world *w, const char *family, double drop,
                      const char *member)
{
    return ib_at_number(ib_at(matched(w, family, drop), "leakage"), member);
}

static bool near(double a, double b)
{
    return fabs(a - b) < 1e-9;
}

static void leakage_lies_on_the_line_between_two_strengths(void **state)
{
    struct world *w = *state;

    add(w, "none", 0.9, 0.8);
    add(w, "r/step=0.1", 0.88, 0.5);
    add(w, "r/step=0.2", 0.84, 0.1);
    make(w);
    assert_true(near(leakage(w, "r", 0, "value"), 0.8));
    assert_true(near(leakage(w, "r", 0.01, "value"), 0.65));
    assert_true(near(leakage(w, "r", 0.01, "low"), 0.55));
    assert_true(near(leakage(w, "r", 0.02, "value"), 0.5));
    assert_true(near(leakage(w, "r", 0.05, "value"), 0.2));
    assert_json(ib_at(matched(w, "r", 0.05), "between"),
                "[\"r/step=0.1\",\"r/step=0.2\"]");
}

/* "rough" begins with the letter of "r": another family all the same. */
static void a_family_that_costs_nothing_is_null_beyond(void **state)
{
    struct world *w = *state;

    add(w, "none", 0.9, 0.8);
    add(w, "r/step=0.1", 0.88, 0.5);
    add(w, "rough", 0.9, 0.3);
    make(w);
    assert_true(near(leakage(w, "rough", 0, "value"), 0.3));
    assert_true(isnan(leakage(w, "rough", 0.01, "value")));
    assert_has(
        ib_at_text(ib_at(matched(w, "rough", 0.01), "leakage"), "reason"),
        "as much accuracy");
    assert_true(near(leakage(w, "r", 0.01, "value"), 0.65));
    assert_true(isnan(leakage(w, "r", 0.05, "value")));
}

static void dominated_points_name_who_is_better(void **state)
{
    struct world *w = *state;
    const cJSON *h;

    add(w, "none", 0.9, 0.8);
    add(w, "r/step=0.1", 0.88, 0.5);
    add(w, "r/step=0.2", 0.87, NAN);
    add(w, "rough", 0.88, 0.5);
    make(w);
    h = ib_at(w->summary, "headline")->child;
    assert_json(ib_at(h, "dominated_by"), "[]");
    assert_json(ib_at(h->next, "dominated_by"), "[]");
    assert_json(ib_at(h->next->next, "dominated_by"), "null");
    cJSON_SetNumberValue(
        cJSON_GetObjectItem(
            cJSON_GetObjectItem(
                cJSON_GetArrayItem(cJSON_GetObjectItem(w->summary, "utility"),
                                   1),
                "accuracy"),
            "value"),
        0.91);
    cJSON_ArrayForEach(h, ib_at(w->summary, "headline"))
        cJSON_DeleteItemFromObject((cJSON *)(uintptr_t)h, "dominated_by");
    cJSON_DeleteItemFromObject(w->summary, "matched");
    make(w);
    h = ib_at(w->summary, "headline")->child;
    assert_json(ib_at(h, "dominated_by"), "[\"r/step=0.1\"]");
}

/* Without an undefended target there is no accuracy to start from. */
static void without_the_undefended_target_nothing_is_matched(void **state)
{
    struct world *w = *state;

    add(w, "r/step=0.1", 0.88, 0.5);
    make(w);
    assert_int_equal(cJSON_GetArraySize(ib_at(w->summary, "matched")), 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(leakage_lies_on_the_line_between_two_strengths),
        TEST(a_family_that_costs_nothing_is_null_beyond),
        TEST(dominated_points_name_who_is_better),
        TEST(without_the_undefended_target_nothing_is_matched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
