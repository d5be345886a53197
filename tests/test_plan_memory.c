/* What a plan says about memory before anything runs. */
#include "harness_fixture.h"

#include "data_io.h"
#include "json_put.h"
#include "plan_memory.h"

static struct ib_registry *registry;

static int make_registry(void **state)
{
    struct ib_error err;

    (void)state;
    return ib_registry_create(&registry, &err) != IB_OK;
}

static int free_registry(void **state)
{
    (void)state;
    ib_registry_free(registry);
    return 0;
}

struct planned {
    struct ib_stage_env env;
    struct ib_suite *suite;
    struct ib_plan *plan;
    struct ib_error err;
};

static void make(struct planned *p, const char *dir, const char *dataset)
{
    struct ib_text text = {0};

    *p = (struct planned){.env.registry = registry};
    ib_text_add(
        &text,
        "{'schema':'invbench.suite/1','name':'t','seeds':[1],'dataset':%s,"
        "'models':[{'id':'m','name':'softmax','optimiser':'sgd',"
        "'batch':4},{'id':'large','name':'mlp','hidden':[1000]}],"
        "'evaluators':[{'id':'judge','name':'cnn'}],"
        "'defenses':[{'id':'none','stack':[]}],"
        "'attacks':[{'name':'mi-face'},{'id':'components','name':'mi-face',"
        "'prior':'pca'},{'id':'trained','name':'mi-face','prior':"
        "{'name':'gan','channels':4}}],'access':['gradients'],"
        "'metrics':['ssim']}",
        dataset);
    if (ib_store_open(&p->env.store, dir, &p->err) ||
        ib_suite_parse(registry, json_of(ib_text_string(&text)), "t.json",
                       &p->suite, &p->err) ||
        ib_plan_make(p->suite, &p->env, &p->plan, &p->err))
        fail_msg("%s", p->err.text);
    ib_text_free(&text);
}

static void drop(struct planned *p)
{
    ib_plan_free(p->plan);
    ib_suite_free(p->suite);
    ib_store_close(p->env.store);
}

static void priors_that_train_a_net_have_theirs_too(void **state)
{
    struct planned p;
    struct ib_text text = {0};

    make(&p, *state, "{'name':'synthfaces','size':64,'identities':10}");
    assert_int_equal(
        ib_plan_show_memory(p.plan, &p.env, (size_t)4 << 30, &text, &p.err),
        IB_OK);
    assert_has(ib_text_string(&text), "prior     trained ");
    assert_has_not(ib_text_string(&text), "components");
    ib_text_free(&text);
    cJSON *o = ib_plan_memory_json(p.plan, &p.env);
    const cJSON *m = cJSON_GetArrayItem(o, 3);
    assert_int_equal(cJSON_GetArraySize(o), 4);
    assert_string_equal(ib_at_text(m, "prior"), "trained");
    assert_true(ib_at_number(m, "parameters") > 10000);
    assert_true(ib_at_number(m, "training_bytes") >
                ib_at_number(m, "answering_bytes"));
    cJSON_Delete(o);
    drop(&p);
}

static void every_net_has_its_memory_before_there_are_data(void **state)
{
    struct planned p;
    struct ib_text text = {0};

    make(&p, *state, "{'name':'synthfaces','size':32,'identities':10}");
    assert_int_equal(
        ib_plan_show_memory(p.plan, &p.env, (size_t)4 << 30, &text, &p.err),
        IB_OK);
    assert_has(ib_text_string(&text), "model     m ");
    assert_has(ib_text_string(&text), " 10250 "); /* 1025 x 10 */
    assert_has(ib_text_string(&text), "evaluator judge ");
    assert_has_not(ib_text_string(&text), "more than");
    assert_has_not(ib_text_string(&text), "?");
    ib_text_free(&text);
    cJSON *o = ib_plan_memory_json(p.plan, &p.env);
    const cJSON *m = cJSON_GetArrayItem(o, 0);
    assert_string_equal(ib_at_text(m, "model"), "m");
    assert_true(ib_at_number(m, "parameters") == 10250);
    /* parameters, gradients, momentum; 4 rows of image and logits, twice */
    double least = 4 * (3 * 10250.0 + 2 * 4 * (1024 + 10));
    assert_true(ib_at_number(m, "training_bytes") >= least);
    assert_true(ib_at_number(m, "training_bytes") < least + 10000);
    assert_true(ib_at_number(m, "answering_bytes") >
                4 * 2 * 256 * (1024.0 + 10));
    cJSON_Delete(o);
    drop(&p);
}

static void what_a_worker_may_not_use_is_marked(void **state)
{
    struct planned p;
    struct ib_text text = {0};

    make(&p, *state, "{'name':'synthfaces','size':32,'identities':10}");
    assert_int_equal(
        ib_plan_show_memory(p.plan, &p.env, (size_t)10 << 20, &text, &p.err),
        IB_OK);
    const char *large = strstr(ib_text_string(&text), "model     large");
    assert_non_null(large);
    assert_has(large, "more than --memory-limit");
    ib_text_free(&text);
    drop(&p);
}

static void data_that_cannot_be_read_are_said(void **state)
{
    struct ib_use use = {0};
    struct ib_model_task task;
    struct ib_error err;
    cJSON *o = json_of("{'name':'folder','path':'nowhere'}");

    assert_int_equal(ib_use_parse(registry, IB_KIND_DATASET, o,
                                  &(struct ib_place){.path = "t"}, &use, &err),
                     IB_OK);
    assert_int_not_equal(
        ib_dataset_task(&use, &(struct ib_dataset_env){.data_dir = *state},
                        &task, &err),
        IB_OK);
    assert_has(err.text, "nowhere");
    ib_use_free(&use);
    cJSON_Delete(o);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, dir_setup, dir_teardown)
    const struct CMUnitTest tests[] = {
        T(every_net_has_its_memory_before_there_are_data),
        T(priors_that_train_a_net_have_theirs_too),
        T(what_a_worker_may_not_use_is_marked),
        T(data_that_cannot_be_read_are_said),
    };
    return cmocka_run_group_tests(tests, make_registry, free_registry);
}
