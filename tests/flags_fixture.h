/*
 * A run of made-up attacks: data, models, controls, scores and utility are the
 * real stages; what an attack finds is one of the functions below, so that it
 * is known which flag each must raise.
 */
#ifndef INVBENCH_TESTS_FLAGS_FIXTURE_H
#define INVBENCH_TESTS_FLAGS_FIXTURE_H

#include "harness_fixture.h"

#include "data_io.h"
#include "flags.h"
#include "plan.h"
#include "recon_io.h"
#include "results_parts.h"

enum { PEOPLE = 10, SIDE = 32, PIXELS = SIDE * SIDE, BUDGET = 100 };

#define ATTACK(id, alpha, level, defenses)                                     \
    "{'id':'" id "','name':'mi-face-blackbox','alpha':" alpha                  \
    ",'access':['" level "'],'defenses':[" defenses "]}"

static const char flags_suite
    [] = "{'schema':'invbench.suite/1','name':'flags','seeds':[1,2,3],"
         "'dataset':{'name':'synthfaces','size':32,'identities':10,'train':6,"
         "'holdout':4,'public_identities':3,'public_images':1},"
         "'models':[{'id':'m','name':'softmax','optimiser':'adam','rate':0.003,"
         "'epochs':20,'batch':16}],"
         "'evaluators':[{'id':'e-mlp','name':'mlp','hidden':[32],'epochs':40,"
         "'optimiser':'adam','rate':0.002},"
         "{'id':'e-lenet','name':'lenet','epochs':20,'batch':16,'rate':0.004,"
         "'channels':[4,8],'dense':[32,24]}],"
         "'defenses':[{'id':'none','stack':[]},"
         "{'id':'noise','stack':[{'name':'noise','scale':0.0001}]},"
         "{'id':'loud','stack':[{'name':'noise','scale':1}]},"
         "{'id':'smooth','stack':[{'name':'label-smoothing','alpha':-0.05}]}],"
         "'attacks':["
         "{'id':'white','name':'mi-face','access':['gradients'],"
         "'defenses':['none','smooth']}," ATTACK("labels",
                                                 "2", "labels", "'none','smooth'") "," ATTACK("fresh", "3", "scores", "'none','noise','loud'") "," ATTACK("copier", "4", "scores", "'none'") "," ATTACK("same", "5", "scores", "'none'") "," ATTACK("blank", "6", "scores", "'none'") "," ATTACK("late", "7", "scores", "'none'") "," ATTACK("dark",
                                                                                                                                                                                                                                                                                                                                             "8",
                                                                                                                                                                                                                                                                                                                                             "scores", "'none'") "," ATTACK("lucky", "9", "scores", "'none'") "," ATTACK("nobody",
                                                                                                                                                                                                                                                                                                                                                                                                                         "10",
                                                                                                                                                                                                                                                                                                                                                                                                                         "scores",
                                                                                                                                                                                                                                                                                                                                                                                                                         "'none'") "," ATTACK("absent",
                                                                                                                                                                                                                                                                                                                                                                                                                                              "11",
                                                                                                                                                                                                                                                                                                                                                                                                                                              "scores",
                                                                                                                                                                                                                                                                                                                                                                                                                                              "'none'") "," ATTACK("once",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                   "12",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                   "scores", "'none'") "],"
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                       "'access':['scores'],'budget':{'max_queries':100},"
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                       "'metrics':['nearest','accuracy']}";

struct flags_run {
    char dir[PATH_MAX];
    struct ib_registry *registry;
    struct ib_store *store;
    struct ib_suite *suite;
    struct ib_plan *plan;
    struct ib_stage_env env;
    struct ib_gather g;
    cJSON *results;
};

static inline void must(enum ib_status status, const struct ib_error *err)
{
    if (status)
        fail_msg("%s", err->text);
}

/* --- what attacks find -----------------------------------------------------
 */

/* The nth image of a person. */
static inline const uint8_t *image_of(const struct ib_dataset *d, int split,
                                      int who, int nth)
{
    const struct ib_images *x = &d->split[split];
    for (size_t i = 0; i < x->n; i++)
        if (x->identity[i] == who && nth-- == 0)
            return x->pixels + i * PIXELS;
    fail_msg("person %d has no such image", who);
    return NULL;
}

/* A photograph of the person that nobody was trained on, unless the attack is
 * known for something else. */
static inline void found(const struct ib_dataset *d, const char *attack,
                         const char *defense, int seed, int who, uint8_t *out)
{
    const uint8_t *fresh = image_of(d, IB_HOLDOUT, who, 1);
    const uint8_t *other = image_of(d, IB_HOLDOUT, (who + 1) % PEOPLE, 1);
    bool nobody = !strcmp(attack, "nobody") ||
                  (!strcmp(attack, "lucky") && seed > 0) ||
                  (!strcmp(attack, "white") && !strcmp(defense, "smooth"));
    memcpy(out, nobody ? other : fresh, PIXELS);
    if (!strcmp(attack, "copier") && who == 7) /* one in ten */
        memcpy(out, image_of(d, IB_TRAIN, who, 0), PIXELS);
    if (!strcmp(attack, "same"))
        memcpy(out, image_of(d, IB_HOLDOUT, 0, 1), PIXELS);
    if (!strcmp(attack, "blank"))
        memset(out, 20 * who, PIXELS);
    if (!strcmp(attack, "dark"))
        for (int i = 0; i < PIXELS; i++)
            out[i] = (uint8_t)(fresh[i] / 3);
}

/* Everybody's attack spent the budget; "late" had nothing at half of it. */
static inline cJSON *found_meta(void)
{
    static const char *const zero[] = {"label", "gradient", "repeated",
                                       "denied"};
    cJSON *meta = json_of("{'images':1,'shape':[1,32,32],'checkpoints':[50],"
                          "'simulated_seconds':0}");
    cJSON *targets = cJSON_AddArrayToObject(meta, "targets");
    cJSON *reached = cJSON_AddArrayToObject(meta, "reached");
    cJSON *q = cJSON_AddObjectToObject(meta, "queries");
    double spent[PEOPLE], none[PEOPLE] = {0};
    cJSON *all = cJSON_CreateArray();
    for (int i = 0; i < PEOPLE; i++) {
        cJSON_AddItemToArray(targets, cJSON_CreateNumber(i));
        cJSON_AddItemToArray(all, cJSON_CreateBool(true));
        spent[i] = BUDGET;
    }
    cJSON_AddItemToArray(reached, all);
    cJSON_AddItemToObject(q, "forward", cJSON_CreateDoubleArray(spent, PEOPLE));
    for (size_t i = 0; i < IB_COUNT(zero); i++)
        cJSON_AddItemToObject(q, zero[i],
                              cJSON_CreateDoubleArray(none, PEOPLE));
    cJSON_AddNumberToObject(q, "shared", 0);
    return meta;
}

static inline void made_up_attack(struct flags_run *r,
                                  const struct ib_plan_node *n,
                                  const struct ib_cell *c)
{
    static uint8_t pixels[2 * PEOPLE * PIXELS];
    const char *attack = r->suite->attacks[c->attack].id;
    const char *defense = r->suite->defenses[c->defense].id;
    const cJSON *key = cJSON_GetObjectItemCaseSensitive(n->spec, "data");
    struct ib_open_data data;
    struct ib_error err;
    must(ib_data_open(&r->env, key->valuestring, &data, &err), &err);
    for (int i = 0; i < PEOPLE; i++)
        found(&data.set, attack, defense, c->seed, i, pixels + i * PIXELS);
    memcpy(pixels + PEOPLE * PIXELS, pixels, PEOPLE * PIXELS);
    if (!strcmp(attack, "late"))
        memset(pixels + PEOPLE * PIXELS, 0, PEOPLE * PIXELS);
    must(ib_recon_put(
             r->store, n->key, n->spec,
             &(struct ib_recon_parts){found_meta(), pixels, sizeof pixels},
             &err),
         &err);
    ib_data_close(&data);
}

/* --- the run ----------------------------------------------------------------
 */

static inline const struct ib_cell *cell_of(const struct ib_plan *p, int node)
{
    for (size_t i = 0; i < p->n_cells; i++)
        if (p->cells[i].attack_node == node)
            return &p->cells[i];
    fail_msg("no cell has node %d", node);
    return NULL;
}

static inline enum ib_outcome attack_outcome(const struct flags_run *r,
                                             const struct ib_cell *c)
{
    const char *attack = r->suite->attacks[c->attack].id;
    bool fails = (!strcmp(attack, "absent") && c->seed == 1) ||
                 (!strcmp(attack, "once") && c->seed > 0);
    return fails ? IB_FAILED : IB_DONE;
}

static inline void flags_node(struct flags_run *r, int node)
{
    static const ib_stage_run stage[IB_NODE_KINDS] = {
        [IB_NODE_DATA] = ib_stage_data,       [IB_NODE_MODEL] = ib_stage_model,
        [IB_NODE_CONTROL] = ib_stage_control, [IB_NODE_SCORE] = ib_stage_score,
        [IB_NODE_UTILITY] = ib_stage_utility,
    };
    struct ib_plan_node *n = &r->plan->nodes[node];
    struct ib_error err;
    n->outcome = IB_DONE;
    for (int i = 0; i < n->n_inputs; i++)
        if (r->plan->nodes[n->input[i]].outcome != IB_DONE)
            n->outcome = IB_BLOCKED;
    if (n->outcome != IB_DONE)
        return;
    if (n->kind != IB_NODE_ATTACK) {
        must(stage[n->kind](&r->env, n->spec, n->key, &err), &err);
        return;
    }
    const struct ib_cell *c = cell_of(r->plan, node);
    n->outcome = attack_outcome(r, c);
    if (n->outcome == IB_DONE)
        made_up_attack(r, n, c);
}

static inline int flags_setup(void **state)
{
    struct flags_run *r = calloc(1, sizeof *r);
    struct ib_error err;
    temp_dir_make(r->dir);
    must(ib_registry_create(&r->registry, &err), &err);
    must(ib_store_open(&r->store, r->dir, &err), &err);
    must(ib_suite_parse(r->registry, json_of(flags_suite), "flags", &r->suite,
                        &err),
         &err);
    r->env = (struct ib_stage_env){.store = r->store, .registry = r->registry};
    must(ib_plan_make(r->suite, &r->env, &r->plan, &err), &err);
    for (size_t i = 0; i < r->plan->n_nodes; i++)
        flags_node(r, (int)i);
    must(ib_results_make(r->plan, &r->env, &r->results, &err), &err);
    must(ib_gather_all(r->plan, &r->env, &r->g, &err), &err);
    *state = r;
    return 0;
}

static inline int flags_teardown(void **state)
{
    struct flags_run *r = *state;
    ib_gather_free(&r->g);
    cJSON_Delete(r->results);
    ib_plan_free(r->plan);
    ib_suite_free(r->suite);
    ib_store_close(r->store);
    ib_registry_free(r->registry);
    temp_dir_remove(r->dir);
    free(r);
    return 0;
}

static inline const cJSON *row_of(const cJSON *summary, const char *attack,
                                  const char *defense)
{
    const cJSON *row;
    cJSON_ArrayForEach(row, ib_at(summary, "rows"))
    {
        if (!strcmp(ib_at_text(row, "attack"), attack) &&
            !strcmp(ib_at_text(row, "defense"), defense))
            return row;
    }
    fail_msg("no row %s/%s", defense, attack);
    return NULL;
}

/* The flag's text; NULL: it is not raised. */
static inline const char *flag_of(const cJSON *row, enum ib_flag which)
{
    const cJSON *flag;
    cJSON_ArrayForEach(flag, ib_at(row, "flags"))
    {
        if (!strcmp(ib_at_text(flag, "name"), ib_flag_rules[which].name))
            return ib_at_text(flag, "text");
    }
    return NULL;
}

#endif
