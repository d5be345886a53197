/* Membership inference from the suite to the report. */
#include "data_fixture.h"
#include "report_run.h"
#include "schema_check.h"

#include "json_put.h"
#include "plan.h"
#include "stage.h"

enum { PEOPLE = 4, PHOTOS = 24 };

struct bench {
    char *dir;
    struct ib_registry *registry;
    struct ib_stage_env env;
    struct ib_error err;
};

static int bench_setup(void **state)
{
    struct bench *b = calloc(1, sizeof *b);

    b->dir = malloc(PATH_MAX);
    assert_non_null(b->dir);
    temp_dir_make(b->dir);
    b->env.data_dir = b->dir;
    assert_int_equal(ib_registry_create(&b->registry, &b->err), IB_OK);
    b->env.registry = b->registry;
    *state = b;
    return ib_store_open(&b->env.store, path_in(b->dir, "store"), &b->err);
}

static int bench_teardown(void **state)
{
    struct bench *b = *state;

    ib_store_close(b->env.store);
    ib_registry_free(b->registry);
    temp_dir_remove(b->dir);
    free(b->dir);
    free(b);
    return 0;
}

static cJSON *use_spec(struct bench *b, enum ib_kind kind, const char *text,
                       cJSON **files)
{
    const struct ib_dataset_env env = {.seed = 1, .data_dir = b->dir};
    cJSON *object = json_of(text), *spec;
    struct ib_use u = {0};

    if (ib_use_parse(b->registry, kind, object,
                     &(struct ib_place){.path = text}, &u, &b->err) ||
        (files && ib_dataset_files(&u, &env, files, &b->err)))
        fail_msg("%s", b->err.text);
    spec = ib_use_spec(b->registry, &u);
    ib_use_free(&u);
    cJSON_Delete(object);
    return spec;
}

static void compute(struct bench *b, ib_stage_run stage, cJSON *spec,
                    char key[IB_KEY_SIZE])
{
    assert_int_equal(ib_json_key(spec, key, &b->err), IB_OK);
    if (stage(&b->env, spec, key, &b->err))
        fail_msg("%s", b->err.text);
    cJSON_Delete(spec);
}

/* Noise under names: nothing can be learnt but by heart. */
static void put_noise(struct bench *b, const char *folder, uint32_t seed,
                      char key[IB_KEY_SIZE])
{
    char name[64], use[128];
    cJSON *spec = json_of("{'kind':'data','seed':1}"), *files = NULL;

    put_folder(b->dir, folder);
    for (int i = 0; i < PEOPLE * PHOTOS; i++) {
        snprintf(name, sizeof name, "%s/p%d", folder, i / PHOTOS);
        if (i % PHOTOS == 0)
            put_folder(b->dir, name);
        snprintf(name, sizeof name, "%s/p%d/%d.pgm", folder, i / PHOTOS, i);
        put_pgm(b->dir, name, 8, 8, seed + (uint32_t)i);
    }
    snprintf(use, sizeof use,
             "{'name':'folder','path':'%s','train':12,'holdout':12}", folder);
    cJSON_AddItemToObject(spec, "plugin",
                          use_spec(b, IB_KIND_DATASET, use, &files));
    cJSON_AddItemToObject(spec, "files", files);
    compute(b, ib_stage_data, spec, key);
}

static void put_model(struct bench *b, const char *role, int shadow,
                      const char *data, char key[IB_KEY_SIZE])
{
    cJSON *spec = json_of("{'kind':'model','seed':1,'defenses':[]}");

    cJSON_AddStringToObject(spec, "role", role);
    cJSON_AddStringToObject(spec, "data", data);
    if (shadow >= 0)
        cJSON_AddNumberToObject(spec, "shadow", shadow);
    cJSON_AddItemToObject(
        spec, "plugin",
        use_spec(b, IB_KIND_MODEL,
                 "{'name':'softmax','optimiser':'adam','rate':0.01,"
                 "'epochs':60,'batch':16}",
                 NULL));
    compute(b, ib_stage_model, spec, key);
}

static struct ib_artifact infer(struct bench *b, const char *model,
                                const char *data, const char *defenses)
{
    cJSON *spec = json_of("{'kind':'membership','seed':1,'attacks':['loss',"
                          "'confidence','lira','lira-offline']}");
    cJSON *shadows = cJSON_AddArrayToObject(spec, "shadows");
    struct ib_artifact a = {0};
    char key[IB_KEY_SIZE];

    for (int k = 0; k < 8; k++) {
        put_model(b, "shadow", k, data, key);
        cJSON_AddItemToArray(shadows, cJSON_CreateString(key));
    }
    cJSON_AddStringToObject(spec, "model", model);
    cJSON_AddStringToObject(spec, "data", data);
    cJSON *list = cJSON_AddArrayToObject(spec, "defenses");
    if (defenses)
        cJSON_AddItemToArray(list,
                             use_spec(b, IB_KIND_DEFENSE, defenses, NULL));
    compute(b, ib_stage_membership, spec, key);
    assert_int_equal(ib_store_get(b->env.store, key, &a, &b->err), IB_OK);
    return a;
}

static const cJSON *auc_of(const struct ib_artifact *a, const char *attack)
{
    const cJSON *attacks = ib_at(ib_at(a->meta, "membership"), "attacks");

    return ib_at(ib_at(attacks, attack), "auc");
}

static const char *const attacks[] = {"loss", "confidence", "lira",
                                      "lira-offline"};

static void a_target_that_learnt_by_heart_tells_its_members(void **state)
{
    struct bench *b = *state;
    char data[IB_KEY_SIZE], model[IB_KEY_SIZE];

    put_noise(b, "a", 1, data);
    put_model(b, "target", -1, data, model);
    struct ib_artifact a = infer(b, model, data, NULL);
    for (size_t i = 0; i < IB_COUNT(attacks); i++) {
        assert_true(ib_at_number(auc_of(&a, attacks[i]), "low") > 0.5);
    }
    assert_true(ib_at_number(auc_of(&a, "loss"), "value") > 0.9);
    assert_true(ib_at_number(auc_of(&a, "lira"), "value") > 0.95);
    ib_artifact_free(&a);
}

static void a_target_that_never_saw_them_tells_nothing(void **state)
{
    struct bench *b = *state;
    char data[IB_KEY_SIZE], others[IB_KEY_SIZE], model[IB_KEY_SIZE];

    put_noise(b, "a", 1, data);
    put_noise(b, "b", 1000, others);
    put_model(b, "target", -1, others, model);
    struct ib_artifact a = infer(b, model, data, NULL);
    for (size_t i = 0; i < IB_COUNT(attacks); i++) {
        assert_true(ib_at_number(auc_of(&a, attacks[i]), "low") < 0.5);
        assert_true(ib_at_number(auc_of(&a, attacks[i]), "high") > 0.5);
    }
    ib_artifact_free(&a);
}

static void labels_alone_tell_less(void **state)
{
    struct bench *b = *state;
    char data[IB_KEY_SIZE], model[IB_KEY_SIZE];

    put_noise(b, "a", 1, data);
    put_model(b, "target", -1, data, model);
    struct ib_artifact a = infer(b, model, data, NULL);
    struct ib_artifact c = infer(b, model, data, "{'name':'label-only'}");
    assert_float_equal(ib_at_number(auc_of(&c, "confidence"), "value"), 0.5, 0);
    assert_true(ib_at_number(auc_of(&c, "lira"), "value") <
                ib_at_number(auc_of(&a, "lira"), "value"));
    ib_artifact_free(&a);
    ib_artifact_free(&c);
}

/* --- suite and plan ----------------------------------------------------------
 */

static struct ib_suite *suite_of(struct bench *b, const char *membership)
{
    cJSON *object =
        json_of("{'schema':'invbench.suite/1','name':'t','seeds':[1],"
                "'dataset':{'name':'synthfaces'},'models':[{'name':'softmax'}],"
                "'defenses':[{'id':'none','stack':[]},{'stack':['round']},"
                "{'stack':['label-smoothing']}],"
                "'attacks':[{'name':'mi-face'}],'access':['gradients']}");
    struct ib_suite *s = NULL;

    if (membership)
        cJSON_AddItemToObject(object, "membership", json_of(membership));
    (void)!ib_suite_parse(b->registry, object, "test", &s, &b->err);
    return s;
}

static void a_suite_asks_for_it_with_defaults(void **state)
{
    struct bench *b = *state;
    struct ib_suite *s = suite_of(b, "{}");

    assert_non_null(s);
    assert_json(ib_at(s->resolved, "membership"),
                "{\"attacks\":[\"loss\",\"confidence\",\"lira\"],"
                "\"shadows\":16}");
    ib_suite_free(s);
    s = suite_of(b, "{'attacks':['loss']}");
    assert_non_null(s);
    assert_json(ib_at(s->resolved, "membership"), "{\"attacks\":[\"loss\"]}");
    ib_suite_free(s);
    s = suite_of(b, NULL);
    assert_non_null(s);
    assert_null(ib_at(s->resolved, "membership"));
    ib_suite_free(s);
}

static void what_cannot_be_asked_is_refused(void **state)
{
    static const char *const wrong[][2] = {
        {"{'attacks':['lyra']}", "did you mean \"lira\""},
        {"{'attacks':[]}", "membership.attacks"},
        {"{'attacks':['lira','lira']}", "stands twice"},
        {"{'shadows':7}", "an even number"},
        {"{'shadows':1000}", "membership.shadows"},
        {"{'attacks':['loss'],'shadows':8}", "none of the attacks"},
        {"{'shadow':8}", "did you mean \"shadows\""},
        {"[]", "membership"},
    };
    struct bench *b = *state;

    for (size_t i = 0; i < IB_COUNT(wrong); i++) {
        assert_null(suite_of(b, wrong[i][0]));
        assert_has(b->err.text, wrong[i][1]);
    }
}

static size_t shadows_of(const struct ib_plan *p)
{
    size_t n = 0;

    for (size_t i = 0; i < p->n_nodes; i++)
        n += strncmp(p->nodes[i].label, "shadow ", 7) == 0;
    return n;
}

static void stacks_share_shadows_of_one_training_half(void **state)
{
    struct bench *b = *state;
    struct ib_suite *s = suite_of(b, "{'attacks':['lira'],'shadows':20}");
    struct ib_plan *p = NULL;

    assert_non_null(s);
    if (ib_plan_make(s, &b->env, &p, &b->err))
        fail_msg("%s", b->err.text);
    assert_int_equal(p->n_memberships, 3);
    assert_int_equal(shadows_of(p), 40);
    assert_int_equal(p->nodes[p->memberships[0].node].n_inputs, 22);
    ib_plan_free(p);
    ib_suite_free(s);
}

/* --- report
 * -------------------------------------------------------------------
 */

static const char two_seeds[] =
    "[{'model':'softmax','defense':'none','seed':1,'status':'ok',"
    "'reason':null,'shadows':4,'members':100,'non_members':50,'attacks':"
    "{'lira':{'auc':{'value':0.7,'low':0.6,'high':0.8},"
    "'tpr_0.001':{'value':null,'low':null,'high':null,'reason':'few'},"
    "'tpr_0.01':{'value':0.125,'low':0.1,'high':0.2}}}},"
    "{'model':'softmax','defense':'none','seed':2,'status':'ok',"
    "'reason':null,'shadows':4,'members':100,'non_members':50,'attacks':"
    "{'lira':{'auc':{'value':0.8,'low':0.75,'high':0.85},"
    "'tpr_0.001':{'value':null,'low':null,'high':null,'reason':'few'},"
    "'tpr_0.01':{'value':0.125,'low':0.1,'high':0.3}}}},"
    "{'model':'softmax','defense':'round','seed':1,'status':'failed',"
    "'reason':'no <memory>','shadows':4,'members':null,'non_members':null,"
    "'attacks':null}]";

static void assert_valid(const cJSON *results)
{
    struct schema_check c = {0};
    cJSON *schema = NULL;
    struct ib_error err = {0};

    if (ib_json_read("results/results.schema.json", &schema, &err))
        fail_msg("%s", err.text);
    c.root = schema;
    if (!schema_valid(&c, schema, results, "$"))
        fail_msg("the results do not fit their schema");
    cJSON_Delete(schema);
}

static void a_report_shows_what_inversion_misses(void **state)
{
    struct run *r = *state;

    hide_gnuplot();
    cJSON_ReplaceItemInObject(r->results, "membership", json_of(two_seeds));
    assert_valid(r->results);
    struct ib_text page = make_page(r);
    assert_says(&page, "id=membership");
    assert_says(&page, "Class inversion");
    assert_says(&page, "0.75 <small>[0.60, 0.85]");
    assert_says(&page, "at 1 %: 12.5 % [10.0, 30.0]");
    assert_null(strstr(ib_text_string(&page), "at 0.1 %:"));
    assert_says(&page, "failed under one seed: no &lt;memory&gt;");
    ib_text_free(&page);
}

int main(void)
{
#define BENCH(f) cmocka_unit_test_setup_teardown(f, bench_setup, bench_teardown)
    const struct CMUnitTest tests[] = {
        BENCH(a_target_that_learnt_by_heart_tells_its_members),
        BENCH(a_target_that_never_saw_them_tells_nothing),
        BENCH(labels_alone_tell_less),
        BENCH(a_suite_asks_for_it_with_defaults),
        BENCH(what_cannot_be_asked_is_refused),
        BENCH(stacks_share_shadows_of_one_training_half),
        cmocka_unit_test_setup_teardown(a_report_shows_what_inversion_misses,
                                        open_run, close_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
