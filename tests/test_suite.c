#include "suite_fixture.h"

#include <invbench/rng.h>

static struct ib_suite *suite_of(cJSON *root)
{
    struct ib_suite *s = NULL;
    struct ib_error err = {0};

    if (ib_suite_parse(registry, root, "t.json", &s, &err) != IB_OK)
        fail_msg("%s", err.text);
    return s;
}

/* The base with one --set (single quotes for double ones; NULL: none). */
static cJSON *changed(const char *set)
{
    struct ib_error err = {0};
    cJSON *root = json_of(base);
    char text[2000];

    if (!set)
        return root;
    snprintf(text, sizeof text, "%s", set);
    for (char *p = text; *p; p++)
        *p = *p == '\'' ? '"' : *p;
    if (ib_suite_set(root, text, &err) != IB_OK)
        fail_msg("%s", err.text);
    return root;
}

static const char *refused(const char *set)
{
    struct ib_suite *s = (struct ib_suite *)1;
    struct ib_error err = {0};

    if (ib_suite_parse(registry, changed(set), "t.json", &s, &err) !=
        IB_E_USAGE)
        fail_msg("accepted: %s", set);
    assert_null(s);
    snprintf(reason, sizeof reason, "%s", err.text);
    return reason;
}

/* --- what a suite says
 * --------------------------------------------------------- */

static void lists_are_expanded_in_order(void **state)
{
    (void)state;
    struct ib_suite *s = suite_of(changed(NULL));

    assert_int_equal(s->n_models, 3);
    assert_string_equal(s->models[0].id, "softmax");
    assert_string_equal(s->models[1].id, "m/epochs=5");
    assert_string_equal(s->models[2].id, "m/epochs=10");
    assert_int_equal(s->n_defenses, 4);
    assert_string_equal(s->defenses[1].id, "r/step=0.01");
    assert_string_equal(s->defenses[2].id, "r/step=0.1");
    assert_string_equal(s->defenses[3].id, "round+label-only");
    assert_int_equal(s->defenses[3].stack.n, 2);
    assert_int_equal(s->seeds[1], 2);
    ib_suite_free(s);
}

static void attacks_take_filters_access_and_budget(void **state)
{
    (void)state;
    struct ib_suite *s = suite_of(changed(NULL));
    const struct ib_suite_attack *a = s->attacks;

    assert_string_equal(a[0].models[0], "m/epochs=5");
    assert_string_equal(a[0].models[1], "m/epochs=10");
    assert_null(a[0].models[2]);
    assert_null(a[0].defenses);
    assert_int_equal(a[0].access,
                     IB_GRANTS(IB_GRADIENTS) | IB_GRANTS(IB_WHITEBOX));
    assert_int_equal(a[0].max_queries, 5000);
    assert_string_equal(a[0].prior.plugin->name, "pixels");
    assert_int_equal(a[1].access, IB_GRANTS(IB_SCORES));
    assert_int_equal(a[1].max_queries, 100);
    assert_int_equal(a[1].identities.n, 2);
    assert_int_equal(a[1].identities.v[1], 3);
    assert_true(s->latency == 0.25 && s->rate_limit == 0);
    assert_int_equal(ib_suite_cells(s), 2 * (2 * 4 * 2 + 3 * 4));
    ib_suite_free(s);
}

static void what_is_absent_has_a_default(void **state)
{
    (void)state;
    struct ib_suite *s = suite_of(
        json_of("{'schema':'invbench.suite/1','name':'t','seeds':[1],'dataset':"
                "{'name':'synthfaces'},'models':[{'name':'softmax'}],"
                "'attacks':[{'name':'mi-face'}],'access':['whitebox']}"));

    assert_int_equal(s->n_defenses, 1);
    assert_string_equal(s->defenses[0].id, "none");
    assert_int_equal(s->defenses[0].stack.n, 0);
    assert_int_equal(s->n_evaluators, 0);
    /* all but the costly one */
    assert_int_equal(s->n_metrics,
                     ib_registry_count(registry, IB_KIND_METRIC) - 1);
    for (int i = 0; i < s->n_metrics; i++)
        assert_string_not_equal(s->metrics[i].plugin->name,
                                "knowledge-extraction");
    assert_int_equal(s->max_queries, 0);
    ib_suite_free(s);
}

static void a_resolved_suite_reads_as_itself(void **state)
{
    (void)state;
    struct ib_suite *s = suite_of(changed(NULL)), *again;

    again = suite_of(cJSON_Duplicate(s->resolved, true));
    assert_true(cJSON_Compare(s->resolved, again->resolved, true));
    assert_int_equal(ib_suite_cells(s), ib_suite_cells(again));
    assert_non_null(cJSON_GetObjectItem(
        cJSON_GetArrayItem(cJSON_GetObjectItem(s->resolved, "models"), 0),
        "epochs"));
    ib_suite_free(s);
    ib_suite_free(again);
}

static void two_sweeps_make_their_product(void **state)
{
    (void)state;
    struct ib_suite *s = suite_of(
        changed("defenses=[{'id':'d','stack':[{'name':'round','step':{'sweep':"
                "[0.1,0.2]}},{'name':'top-k','k':{'sweep':[1,2,3]}}]}]"));

    assert_int_equal(s->n_defenses, 6);
    assert_string_equal(s->defenses[0].id, "d/round.step=0.1/top-k.k=1");
    assert_string_equal(s->defenses[1].id, "d/round.step=0.1/top-k.k=2");
    assert_string_equal(s->defenses[5].id, "d/round.step=0.2/top-k.k=3");
    ib_suite_free(s);
}

static void members_of_an_attack_can_be_swept_too(void **state)
{
    (void)state;
    struct ib_suite *s =
        suite_of(changed("attacks.nes.max_queries={'sweep':[10,1000]}"));

    assert_int_equal(s->n_attacks, 3);
    assert_string_equal(s->attacks[2].id, "nes/max_queries=1000");
    assert_int_equal(s->attacks[2].max_queries, 1000);
    ib_suite_free(s);
}

/* --- what is refused
 * ------------------------------------------------------------ */

static void unknown_keys_get_the_nearest(void **state)
{
    (void)state;
    assert_has(refused("atacks=[]"),
               "t.json: atacks: unknown key (did you mean \"attacks\"?)");
    assert_has(refused("budget.max_querys=1"),
               "budget.max_querys: unknown key");
    assert_has(refused("defenses.0.stak=[]"), "defenses[0].stak: unknown key");
    assert_has(refused("attacks.0.statr=1"), "attacks[0].statr: there is no "
                                             "such option (did you mean");
    assert_has(refused("models.1.epoch=1"), "did you mean \"epochs\"?");
}

static void wrong_types_are_named(void **state)
{
    (void)state;
    assert_has(refused("name=7"), "name: not a text");
    assert_has(refused("seeds=3"), "seeds: missing, empty, or not a list");
    assert_has(refused("seeds=[1.5]"), "seeds[0]: not an integer");
    assert_has(refused("models={}"), "models: not a list with at least one");
    assert_has(refused("models.0=7"), "models[0]: not an object");
    assert_has(refused("dataset=7"), "dataset: a plugin is");
    assert_has(refused("dataset={}"), "dataset.name: missing");
    assert_has(refused("access='scores'"), "access: not a list");
    assert_has(refused("defenses.0.stack={}"), "defenses[0].stack");
    assert_has(refused("metrics=7"), "metrics: not a list");
    assert_has(refused("budget.latency='fast'"),
               "budget.latency: not a number");
    assert_has(refused("attacks.0.identities=['x']"),
               "attacks[0].identities: \"x\" is not a list of integers, or an "
               "integer");
}

static void values_out_of_range_are_named(void **state)
{
    (void)state;
    assert_has(refused("schema='invbench.suite/9'"), "\"invbench.suite/9\" is "
                                                     "not known");
    assert_has(refused("seeds=[9007199254740992]"),
               "seeds[0]: 9007199254740992 is out of range; "
               "0..9007199254740991 is allowed");
    assert_has(refused("seeds=[-1]"), "out of range");
    assert_has(refused("defenses.1.stack.0.step=7"),
               "t.json: defenses[1].stack[0].step: 7 is out of range");
    assert_has(refused("models.m.epochs={'sweep':[5,0]}"),
               "t.json: models[1].epochs: 0 is out of range; 1..100000");
    assert_has(refused("budget.latency=-1"), "budget.latency: -1 is out of");
    assert_has(refused("access=['score']"), "access[0]: \"score\" is no access "
                                            "level (did you mean \"scores\"?)");
}

static void unknown_plugins_are_named(void **state)
{
    (void)state;
    assert_has(refused("attacks.0.name='mi-fce'"),
               "attacks[0].name: there is no attack \"mi-fce\" (did you mean "
               "\"mi-face\"?)");
    assert_has(refused("metrics=['sim']"), "metrics[0].name: there is no "
                                           "metric \"sim\"");
    assert_has(refused("attacks.0.prior={'name':'pixel'}"),
               "attacks[0].prior.name: there is no prior \"pixel\"");
}

static void twins_are_refused(void **state)
{
    (void)state;
    assert_has(refused("seeds=[4,4]"), "seeds[1]: 4 stands twice");
    assert_has(refused("models=[{'name':'softmax'},{'name':'softmax'}]"),
               "models[1].id: \"softmax\" is the id of another model");
    assert_has(refused("evaluators=[{'id':'a','name':'cnn'},"
                       "{'id':'b','name':'cnn','epochs':5},"
                       "{'id':'c','name':'cnn'}]"),
               "evaluators[2]: the same model as evaluator \"a\"");
    assert_has(refused("evaluators.0.id='softmax'"),
               "evaluators[0].id: \"softmax\" is the id of another model");
    assert_has(refused("defenses.2.id='none'"),
               "defenses[2].id: \"none\" is the id of another defense");
    assert_has(refused("metrics=['ssim','ssim']"), "\"ssim\" stands twice");
    assert_has(refused("attacks.nes.id='mi-face'"), "another attack");
    assert_has(refused("models.m.epochs={'sweep':[5,5]}"),
               "\"m/epochs=5\" is the id of another model");
    assert_has(refused("attacks.1.identities=[2,2]"), "2 stands twice");
}

static void an_empty_matrix_is_refused(void **state)
{
    (void)state;
    assert_has(refused("attacks=[]"), "attacks: not a list with at least one");
    assert_has(refused("models=[]"), "models: not a list with at least one");
    assert_has(refused("seeds=[]"), "seeds: ");
    assert_has(refused("models.m.epochs={'sweep':[]}"), "models[1].epochs: a "
                                                        "sweep is");
}

static void a_huge_product_is_counted_not_expanded(void **state)
{
    (void)state;
    struct ib_error err = {0};
    struct ib_suite *s;
    cJSON *root = changed("seeds=[1]"), *attack, *list;

    cJSON_ReplaceItemInObject(root, "models", json_of("[{'name':'softmax'}]"));
    cJSON_DeleteItemFromObject(root, "defenses");
    cJSON_ReplaceItemInObject(root, "attacks", json_of("[{'name':'mi-face'}]"));
    attack = cJSON_GetArrayItem(cJSON_GetObjectItem(root, "attacks"), 0);
    for (int k = 0; k < 3; k++) {
        cJSON *sweep = cJSON_AddObjectToObject(
            attack, (const char *[]){"alpha", "beta", "lambda"}[k]);
        list = cJSON_AddArrayToObject(sweep, "sweep");
        for (int i = 0; i < 1000; i++)
            cJSON_AddItemToArray(list, cJSON_CreateNumber(i + 1));
    }
    assert_int_equal(ib_suite_parse(registry, root, "t.json", &s, &err),
                     IB_E_USAGE);
    assert_has(err.text, "asks for 1000000000 cells");
    assert_has(err.text, "up to 200000 are allowed");
}

static void filters_that_name_nothing_are_refused(void **state)
{
    (void)state;
    assert_has(refused("attacks.0.models=['mlp']"),
               "attacks[0].models[0]: \"mlp\" names nothing; there are: "
               "softmax, m/epochs=5, m/epochs=10");
    assert_has(refused("attacks.0.defenses=['none','nome']"),
               "attacks[0].defenses[1]: \"nome\" names nothing (did you mean "
               "\"none\"?)");
    assert_has(refused("attacks.0.models=[]"), "not a list of ids");
}

static void ids_stay_inside_a_folder(void **state)
{
    (void)state;
    assert_has(refused("models.0.id='../x'"), "cannot be an id");
    assert_has(refused("models.0.id='a/../b'"), "cannot be an id");
    assert_has(refused("models.0.id=''"), "cannot be an id");
    assert_has(refused("models.0.id='a\\nb'"), "cannot be an id");
    assert_has(refused("models.0.id='<b>'"), "cannot be an id");
    assert_has(refused("models.0.id=5"), "models[0].id: not a text");
}

static void access_must_come_from_somewhere(void **state)
{
    (void)state;
    struct ib_error err = {0};
    struct ib_suite *s;
    cJSON *root = changed(NULL);

    cJSON_DeleteItemFromObject(root, "access");
    assert_int_equal(ib_suite_parse(registry, root, "t.json", &s, &err),
                     IB_E_USAGE);
    assert_has(err.text, "access: missing");
    assert_has(err.text, "attacks[1]");
}

static void damaged_suites_never_crash_the_reader(void **state)
{
    (void)state;
    struct ib_rng rng = ib_rng_stream(3, "test", -1, "damage");
    size_t n = sizeof base - 1;
    char text[sizeof base];
    int refusals = 0;

    for (int i = 0; i < 4000; i++) {
        struct ib_error err = {0};
        struct ib_suite *s = NULL;
        cJSON *root = NULL;
        memcpy(text, base, sizeof base);
        for (char *p = text; *p; p++)
            *p = *p == '\'' ? '"' : *p;
        for (int k = 0; k <= i % 3; k++) /* what keeps it JSON, mostly */
            text[ib_rng_below(&rng, (uint32_t)n)] =
                "0123456789abe\",:[]{}-."[ib_rng_below(&rng, 22)];
        if (ib_json_parse(text, n, "t", &root, &err) != IB_OK)
            continue;
        refusals += ib_suite_parse(registry, root, "t", &s, &err) != IB_OK;
        ib_suite_free(s);
    }
    assert_true(refusals > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_are_expanded_in_order),
        cmocka_unit_test(attacks_take_filters_access_and_budget),
        cmocka_unit_test(what_is_absent_has_a_default),
        cmocka_unit_test(a_resolved_suite_reads_as_itself),
        cmocka_unit_test(two_sweeps_make_their_product),
        cmocka_unit_test(members_of_an_attack_can_be_swept_too),
        cmocka_unit_test(unknown_keys_get_the_nearest),
        cmocka_unit_test(wrong_types_are_named),
        cmocka_unit_test(values_out_of_range_are_named),
        cmocka_unit_test(unknown_plugins_are_named),
        cmocka_unit_test(twins_are_refused),
        cmocka_unit_test(an_empty_matrix_is_refused),
        cmocka_unit_test(a_huge_product_is_counted_not_expanded),
        cmocka_unit_test(filters_that_name_nothing_are_refused),
        cmocka_unit_test(ids_stay_inside_a_folder),
        cmocka_unit_test(access_must_come_from_somewhere),
        cmocka_unit_test(damaged_suites_never_crash_the_reader),
    };
    return cmocka_run_group_tests(tests, make_registry, free_registry);
}
