/* Plans: which artifacts a suite needs, what is shared, skipped, bypassed. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "plan_show.h"
#include "temp_dir.h"

struct fixture {
    char dir[PATH_MAX];
    struct ib_registry *registry;
    struct ib_stage_env env;
    struct ib_suite *suite;
    struct ib_plan *plan;
    struct ib_error err;
};

#define BASE                                                                   \
    "\"schema\":\"invbench.suite/1\",\"name\":\"t\","                          \
    "\"dataset\":{\"name\":\"synthfaces\"},"                                   \
    "\"evaluators\":[{\"id\":\"e1\",\"name\":\"cnn\"},"                        \
    "{\"id\":\"e2\",\"name\":\"mlp\"}],\"metrics\":[\"ssim\"],"
#define ONE_MODEL "\"models\":[{\"id\":\"m\",\"name\":\"softmax\"}],"
#define NONE_ROUND                                                             \
    "\"defenses\":[{\"id\":\"none\",\"stack\":[]},"                            \
    "{\"id\":\"round\",\"stack\":[{\"name\":\"round\",\"step\":0.1}]}],"
#define WHITE                                                                  \
    "\"attacks\":[{\"id\":\"a\",\"name\":\"mi-face\"}],"                       \
    "\"access\":[\"gradients\"],"
#define BLACK                                                                  \
    "\"attacks\":[{\"id\":\"b\",\"name\":\"mi-face-blackbox\"}],"              \
    "\"access\":[\"scores\"],"

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    temp_dir_make(f->dir);
    *state = f;
    if (ib_registry_create(&f->registry, &f->err))
        return 1;
    f->env.registry = f->registry;
    return ib_store_open(&f->env.store, f->dir, &f->err);
}

static void drop_plan(struct fixture *f)
{
    ib_plan_free(f->plan);
    ib_suite_free(f->suite);
    f->plan = NULL;
    f->suite = NULL;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    drop_plan(f);
    ib_registry_free(f->registry);
    ib_store_close(f->env.store);
    temp_dir_remove(f->dir);
    free(f);
    return 0;
}

static void make(struct fixture *f, const char *text)
{
    cJSON *object = NULL;
    enum ib_status s =
        ib_json_parse(text, strlen(text), "test", &object, &f->err);

    if (!s)
        s = ib_suite_parse(f->registry, object, "test", &f->suite, &f->err);
    if (!s)
        s = ib_plan_make(f->suite, &f->env, &f->plan, &f->err);
    if (s)
        print_error("%s\n", f->err.text);
    assert_int_equal(s, IB_OK);
}

static size_t count(const struct fixture *f, enum ib_node_kind kind)
{
    size_t n = 0;

    for (size_t i = 0; i < f->plan->n_nodes; i++)
        n += f->plan->nodes[i].kind == kind;
    return n;
}

static const cJSON *spec_of(const struct fixture *f, int node, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(f->plan->nodes[node].spec, name);
}

static void a_cell_needs_data_model_evaluators_controls(void **state)
{
    struct fixture *f = *state;

    make(f, "{" BASE ONE_MODEL
            "\"defenses\":[{\"id\":\"none\",\"stack\":[]}]," WHITE
            "\"seeds\":[1]}");
    assert_int_equal(f->plan->n_cells, 1);
    assert_int_equal(count(f, IB_NODE_DATA), 1);
    assert_int_equal(count(f, IB_NODE_MODEL), 3);
    assert_int_equal(count(f, IB_NODE_ATTACK), 1);
    assert_int_equal(count(f, IB_NODE_CONTROL), 6);
    assert_int_equal(count(f, IB_NODE_SCORE), 7);
    assert_int_equal(count(f, IB_NODE_UTILITY), 3);
}

static void inputs_come_before_what_needs_them(void **state)
{
    struct fixture *f = *state;

    make(f, "{" BASE ONE_MODEL NONE_ROUND WHITE "\"seeds\":[1,2]}");
    for (size_t n = 0; n < f->plan->n_nodes; n++)
        for (int i = 0; i < f->plan->nodes[n].n_inputs; i++)
            assert_true(f->plan->nodes[n].input[i] < (int)n);
}

static void respond_defenses_share_the_model_and_not_the_attack(void **state)
{
    struct fixture *f = *state;
    const struct ib_cell *c;

    make(f, "{" BASE ONE_MODEL NONE_ROUND BLACK "\"seeds\":[1]}");
    c = f->plan->cells;
    assert_int_equal(f->plan->n_cells, 2);
    assert_int_equal(count(f, IB_NODE_MODEL), 3);
    assert_int_not_equal(c[0].attack_node, c[1].attack_node);
    assert_int_not_equal(c[0].utility_node, c[1].utility_node);
    assert_int_equal(c[1].plan, IB_CELL_RUN);
    assert_int_equal(
        cJSON_GetArraySize(spec_of(f, c[1].attack_node, "defenses")), 1);
}

static void gradients_bypass_respond_defenses(void **state)
{
    struct fixture *f = *state;
    const struct ib_cell *c;

    make(f, "{" BASE ONE_MODEL NONE_ROUND WHITE "\"seeds\":[1]}");
    c = f->plan->cells;
    assert_int_equal(c[0].plan, IB_CELL_RUN);
    assert_int_equal(c[1].plan, IB_CELL_BYPASS);
    assert_string_equal(c[1].reason, "gradients access bypasses round");
    assert_int_equal(c[0].attack_node, c[1].attack_node);
    assert_int_equal(c[0].score_node, c[1].score_node);
    assert_int_not_equal(c[0].utility_node, c[1].utility_node);
}

static void train_defenses_change_the_model_and_are_not_bypassed(void **state)
{
    struct fixture *f = *state;
    const struct ib_cell *c;

    make(f, "{" BASE ONE_MODEL
            "\"defenses\":[{\"id\":\"none\",\"stack\":[]},{\"id\":\"ls\","
            "\"stack\":[{\"name\":\"label-smoothing\"}]}]," WHITE
            "\"seeds\":[1]}");
    c = f->plan->cells;
    assert_int_equal(c[1].plan, IB_CELL_RUN);
    assert_int_equal(count(f, IB_NODE_MODEL), 4);
    assert_int_not_equal(c[0].attack_node, c[1].attack_node);
    assert_int_equal(count(f, IB_NODE_CONTROL), 6);
}

static void an_attack_is_skipped_below_its_level_with_the_reason(void **state)
{
    struct fixture *f = *state;
    const struct ib_cell *c;

    make(f, "{" BASE ONE_MODEL "\"defenses\":[{\"id\":\"none\",\"stack\":[]}],"
            "\"attacks\":[{\"id\":\"a\",\"name\":\"mi-face\"}],"
            "\"access\":[\"scores\",\"gradients\"],\"seeds\":[1]}");
    c = f->plan->cells;
    assert_int_equal(f->plan->n_cells, 2);
    assert_int_equal(c[0].plan, IB_CELL_SKIP);
    assert_string_equal(
        c[0].reason, "needs gradients or whitebox; the oracle grants scores");
    assert_int_equal(c[0].attack_node, -1);
    assert_int_equal(c[0].score_node, -1);
    assert_int_equal(c[1].plan, IB_CELL_RUN);
}

static void evaluators_are_of_other_families(void **state)
{
    struct fixture *f = *state;
    const cJSON *judges;

    make(f, "{" BASE "\"models\":[{\"id\":\"m\",\"name\":\"cnn\"}],"
            "\"defenses\":[{\"id\":\"none\",\"stack\":[]}]," WHITE
            "\"seeds\":[1]}");
    judges = spec_of(f, f->plan->cells[0].score_node, "evaluators");
    assert_int_equal(cJSON_GetArraySize(judges), 1);
    assert_string_equal(
        cJSON_GetObjectItem(cJSON_GetArrayItem(judges, 0), "id")->valuestring,
        "e2");
    assert_int_equal(f->plan->n_evaluators, 2);
}

static void seeds_multiply_and_change_every_key(void **state)
{
    struct fixture *f = *state;

    make(f, "{" BASE ONE_MODEL NONE_ROUND BLACK "\"seeds\":[1,2,3]}");
    assert_int_equal(f->plan->n_cells, 6);
    assert_int_equal(count(f, IB_NODE_DATA), 3);
    assert_int_equal(count(f, IB_NODE_MODEL), 9);
}

static void options_are_part_of_the_key(void **state)
{
    struct fixture *f = *state;
    char key[IB_KEY_SIZE], other[IB_KEY_SIZE];
    int node;

    make(f, "{" BASE ONE_MODEL NONE_ROUND BLACK "\"seeds\":[1]}");
    node = f->plan->cells[1].attack_node;
    memcpy(key, f->plan->nodes[node].key, sizeof(key));
    drop_plan(f);
    make(f, "{" BASE ONE_MODEL NONE_ROUND BLACK "\"seeds\":[1]}");
    memcpy(other, f->plan->nodes[node].key, sizeof(other));
    assert_string_equal(key, other);
    drop_plan(f);
    make(f, "{" BASE ONE_MODEL
            "\"defenses\":[{\"id\":\"none\",\"stack\":[]},{\"id\":\"round\","
            "\"stack\":[{\"name\":\"round\",\"step\":0.2}]}]," BLACK
            "\"seeds\":[1]}");
    assert_string_not_equal(key, f->plan->nodes[node].key);
}

static void ids_are_not_part_of_the_key(void **state)
{
    struct fixture *f = *state;

    make(f, "{" BASE "\"models\":[{\"id\":\"m\",\"name\":\"softmax\"},"
            "{\"id\":\"n\",\"name\":\"softmax\"}]," NONE_ROUND BLACK
            "\"seeds\":[1]}");
    assert_int_equal(f->plan->n_cells, 4);
    assert_int_equal(count(f, IB_NODE_MODEL), 3);
    assert_int_equal(f->plan->cells[0].attack_node,
                     f->plan->cells[2].attack_node);
}

static void what_is_in_the_store_is_cached(void **state)
{
    struct fixture *f = *state;
    cJSON *meta = cJSON_CreateObject();
    struct ib_text text = {0};

    make(f, "{" BASE ONE_MODEL NONE_ROUND BLACK "\"seeds\":[1]}");
    assert_int_equal(f->plan->nodes[0].outcome, IB_PENDING);
    assert_int_equal(ib_store_put(f->env.store, f->plan->nodes[0].key, meta,
                                  NULL, 0, &f->err),
                     IB_OK);
    cJSON_Delete(meta);
    drop_plan(f);
    make(f, "{" BASE ONE_MODEL NONE_ROUND BLACK "\"seeds\":[1]}");
    assert_int_equal(f->plan->nodes[0].outcome, IB_CACHED);
    assert_int_equal(ib_plan_show(f->plan, f->dir, 1, &text, &f->err), IB_OK);
    assert_non_null(strstr(text.data, "data              1        1        0"));
    ib_text_free(&text);
}

static void the_matrix_names_every_reason_once(void **state)
{
    struct fixture *f = *state;
    struct ib_text text = {0};

    make(f, "{" BASE ONE_MODEL NONE_ROUND
            "\"attacks\":[{\"id\":\"a\",\"name\":\"mi-face\"}],"
            "\"access\":[\"scores\",\"gradients\"],\"seeds\":[1,2]}");
    ib_plan_show_matrix(f->plan, &text);
    assert_non_null(strstr(text.data, "skip (1)"));
    assert_non_null(strstr(text.data, "bypass (2)"));
    assert_non_null(strstr(text.data, "(2) gradients access bypasses round"));
    assert_null(strstr(text.data, "(3)"));
    ib_text_free(&text);
}

#define PRIORS                                                                 \
    "\"attacks\":[{\"id\":\"a\",\"name\":\"mi-face\"},"                        \
    "{\"id\":\"b\",\"name\":\"mi-face\",\"prior\":\"pca\"},"                   \
    "{\"id\":\"c\",\"name\":\"mi-face\",\"alpha\":9,"                          \
    "\"prior\":\"pca\"},"                                                      \
    "{\"id\":\"d\",\"name\":\"mi-face\","                                      \
    "\"prior\":{\"name\":\"pca\",\"components\":3}}],"                         \
    "\"access\":[\"gradients\"],"

static void cells_share_what_a_prior_learns(void **state)
{
    struct fixture *f = *state;
    const cJSON *key[4];

    make(f, "{" BASE ONE_MODEL
            "\"defenses\":[{\"id\":\"none\",\"stack\":[]},{\"id\":\"s\","
            "\"stack\":[{\"name\":\"label-smoothing\"}]}]," PRIORS
            "\"seeds\":[1]}");
    assert_int_equal(f->plan->n_cells, 8);
    assert_int_equal(count(f, IB_NODE_PRIOR), 2);
    for (int i = 0; i < 4; i++) {
        key[i] = spec_of(f, f->plan->cells[i].attack_node, "fitted");
        assert_true(cJSON_Compare(
                        key[i],
                        spec_of(f, f->plan->cells[i + 4].attack_node, "fitted"),
                        true) ||
                    i == 0);
    }
    assert_null(key[0]);
    assert_non_null(key[1]);
    assert_string_equal(key[1]->valuestring, key[2]->valuestring);
    assert_string_not_equal(key[1]->valuestring, key[3]->valuestring);
}

static void an_attack_waits_for_its_prior(void **state)
{
    struct fixture *f = *state;
    const struct ib_plan_node *attack, *prior;

    make(f, "{" BASE ONE_MODEL
            "\"defenses\":[{\"id\":\"none\",\"stack\":[]}]," PRIORS
            "\"seeds\":[1,2]}");
    assert_int_equal(count(f, IB_NODE_PRIOR), 4);
    attack = &f->plan->nodes[f->plan->cells[1].attack_node];
    assert_int_equal(attack->n_inputs, 3);
    prior = &f->plan->nodes[attack->input[2]];
    assert_int_equal(prior->kind, IB_NODE_PRIOR);
    assert_string_equal(prior->label, "prior pca/b/s1");
    assert_int_equal(prior->n_inputs, 1);
    assert_int_equal(f->plan->nodes[prior->input[0]].kind, IB_NODE_DATA);
}

static void ten_thousand_cells_are_planned(void **state)
{
    struct fixture *f = *state;
    struct ib_text t = {0};

    ib_text_add(&t, "{" BASE ONE_MODEL "\"defenses\":[");
    for (int i = 0; i < 100; i++)
        ib_text_add(&t,
                    "%s{\"id\":\"d%d\",\"stack\":[{\"name\":\"round\","
                    "\"step\":%g}]}",
                    i ? "," : "", i, 0.001 * (i + 1));
    ib_text_add(&t, "],\"attacks\":[");
    for (int i = 0; i < 10; i++)
        ib_text_add(&t,
                    "%s{\"id\":\"b%d\",\"name\":\"mi-face-blackbox\","
                    "\"max_queries\":%d}",
                    i ? "," : "", i, 100 + i);
    ib_text_add(&t, "],\"access\":[\"scores\"],"
                    "\"seeds\":[1,2,3,4,5,6,7,8,9,10]}");
    make(f, t.data);
    ib_text_free(&t);
    assert_int_equal(f->plan->n_cells, 10000);
    assert_int_equal(count(f, IB_NODE_ATTACK), 10000);
    assert_int_equal(count(f, IB_NODE_SCORE), 10060);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_cell_needs_data_model_evaluators_controls),
        T(inputs_come_before_what_needs_them),
        T(respond_defenses_share_the_model_and_not_the_attack),
        T(gradients_bypass_respond_defenses),
        T(train_defenses_change_the_model_and_are_not_bypassed),
        T(an_attack_is_skipped_below_its_level_with_the_reason),
        T(evaluators_are_of_other_families),
        T(seeds_multiply_and_change_every_key),
        T(options_are_part_of_the_key),
        T(ids_are_not_part_of_the_key),
        T(what_is_in_the_store_is_cached),
        T(the_matrix_names_every_reason_once),
        T(cells_share_what_a_prior_learns),
        T(an_attack_waits_for_its_prior),
        T(ten_thousand_cells_are_planned),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
