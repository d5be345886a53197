/*
 * A small run without processes: the data, models, controls, scores and
 * utility are the real stages; the attack is one that hands over private
 * images, so that what it must score is known.
 */
#ifndef INVBENCH_TESTS_RESULTS_FIXTURE_H
#define INVBENCH_TESTS_RESULTS_FIXTURE_H

#include "harness_fixture.h"

#include "data_io.h"
#include "plan.h"
#include "recon_io.h"
#include "results.h"

enum { PEOPLE = 12 };

/* The target is left untrained: evaluators that learn anything count. */
static const char results_suite[] =
    "{'schema':'invbench.suite/1','name':'test','summary':'a test','seeds':[1],"
    "'dataset':{'name':'synthfaces','size':32,'identities':12,'train':6,"
    "'holdout':22,'public_identities':4,'public_images':2},"
    "'models':[{'id':'target','name':'softmax','epochs':1,'rate':1e-9}],"
    "'evaluators':[{'id':'e-mlp','name':'mlp','hidden':[32],'epochs':30},"
    "{'id':'e-cnn','name':'cnn','channels':[4,8],'dense':32,'epochs':12}],"
    "'defenses':[{'id':'none','stack':[]},"
    "{'id':'round','stack':[{'name':'round','step':0.05}]}],"
    "'attacks':[{'id':'white','name':'mi-face','access':['gradients']},"
    "{'id':'black','name':'mi-face-blackbox','access':['scores']}],"
    "'access':['gradients','scores'],'budget':{'max_queries':100},"
    "'metrics':['ssim','mse','nearest','identification','accuracy',"
    "'prdc','frechet'],"
    "'membership':{'attacks':['loss','lira'],'shadows':4}}";

struct results_run {
    char dir[PATH_MAX], out[PATH_MAX + 8];
    struct ib_registry *registry;
    struct ib_store *store;
    struct ib_suite *suite;
    struct ib_plan *plan;
    struct ib_stage_env env;
};

static inline void must(enum ib_status status, const struct ib_error *err)
{
    if (status)
        fail_msg("%s", err->text);
}

static inline cJSON *slots(double x)
{
    double v[PEOPLE];
    for (int i = 0; i < PEOPLE; i++)
        v[i] = x;
    return cJSON_CreateDoubleArray(v, PEOPLE);
}

static inline cJSON *fake_meta(void)
{
    cJSON *meta = json_of(
        "{'images':1,'shape':[1,32,32],'checkpoints':[10,50],"
        "'targets':[0,1,2,3,4,5,6,7,8,9,10,11],"
        "'reached':[[true,true,true,true,true,true,false,false,false,false,"
        "false,false],[true,true,true,true,true,true,false,false,false,false,"
        "false,false]],'simulated_seconds':0.5}");
    cJSON *q = cJSON_AddObjectToObject(meta, "queries");
    cJSON_AddItemToObject(q, "forward", slots(30));
    for (int i = 0; i < PEOPLE / 2; i++) /* with 10 and 1: all of the budget */
        cJSON_SetNumberValue(
            cJSON_GetArrayItem(cJSON_GetObjectItem(q, "forward"), i), 89);
    cJSON_AddItemToObject(q, "label", slots(0));
    cJSON_AddItemToObject(q, "gradient", slots(10));
    cJSON_AddItemToObject(q, "repeated", slots(1));
    cJSON_AddItemToObject(q, "denied", slots(0));
    cJSON_AddNumberToObject(q, "shared", 5);
    return meta;
}

/* Final images: each person's first private one; at the checkpoints: black. */
static inline void fake_attack(struct results_run *r,
                               const struct ib_plan_node *n)
{
    static uint8_t pixels[3 * PEOPLE * 32 * 32];
    struct ib_open_data data;
    struct ib_error err;
    const cJSON *key = cJSON_GetObjectItemCaseSensitive(n->spec, "data");
    must(ib_data_open(&r->env, key->valuestring, &data, &err), &err);
    const struct ib_images *x = &data.set.split[IB_TRAIN];
    memset(pixels, 0, sizeof pixels);
    for (size_t i = x->n; i-- > 0;)
        memcpy(pixels + (size_t)x->identity[i] * 1024, x->pixels + i * 1024,
               1024);
    must(ib_recon_put(
             r->store, n->key, n->spec,
             &(struct ib_recon_parts){fake_meta(), pixels, sizeof pixels},
             &err),
         &err);
    ib_data_close(&data);
}

static inline void run_node(struct results_run *r, struct ib_plan_node *n)
{
    static const ib_stage_run stage[IB_NODE_KINDS] = {
        [IB_NODE_DATA] = ib_stage_data,
        [IB_NODE_MODEL] = ib_stage_model,
        [IB_NODE_CONTROL] = ib_stage_control,
        [IB_NODE_SCORE] = ib_stage_score,
        [IB_NODE_UTILITY] = ib_stage_utility,
        [IB_NODE_MEMBERSHIP] = ib_stage_membership,
    };
    struct ib_error err;
    if (n->kind == IB_NODE_ATTACK)
        fake_attack(r, n);
    else
        must(stage[n->kind](&r->env, n->spec, n->key, &err), &err);
    n->outcome = IB_DONE;
    n->seconds = 1;
}

/* suite: of PEOPLE identities of 32x32 */
static inline int results_setup_of(void **state, const char *suite)
{
    struct results_run *r = calloc(1, sizeof *r);
    struct ib_error err;
    temp_dir_make(r->dir);
    snprintf(r->out, sizeof r->out, "%s/out", r->dir);
    must(ib_registry_create(&r->registry, &err), &err);
    must(ib_store_open(&r->store, r->dir, &err), &err);
    must(ib_suite_parse(r->registry, json_of(suite), "test", &r->suite, &err),
         &err);
    r->env = (struct ib_stage_env){.store = r->store, .registry = r->registry};
    must(ib_plan_make(r->suite, &r->env, &r->plan, &err), &err);
    for (size_t i = 0; i < r->plan->n_nodes; i++)
        run_node(r, &r->plan->nodes[i]);
    *state = r;
    return 0;
}

static inline int results_setup(void **state)
{
    return results_setup_of(state, results_suite);
}

static inline int results_teardown(void **state)
{
    struct results_run *r = *state;
    ib_plan_free(r->plan);
    ib_suite_free(r->suite);
    ib_store_close(r->store);
    ib_registry_free(r->registry);
    temp_dir_remove(r->dir);
    free(r);
    return 0;
}

static inline cJSON *make(struct results_run *r)
{
    cJSON *results = NULL;
    struct ib_error err;
    must(ib_results_make(r->plan, &r->env, &results, &err), &err);
    return results;
}

#endif
