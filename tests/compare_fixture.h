/*
 * Results of two runs, made up: one model, evaluators "a" and "b", a defense
 * slot or two, one attack or two, as many seeds and people as asked. Whom an
 * attack finds is a function of (seed, person), so that a test knows what a
 * comparison must say.
 */
#ifndef INVBENCH_TESTS_COMPARE_FIXTURE_H
#define INVBENCH_TESTS_COMPARE_FIXTURE_H

#include "harness_fixture.h"

#include <math.h>

#include "compare.h"
#include "json_put.h"
#include "schema_check.h"

struct made {
    int seeds, people, slots, attacks;
    bool (*finds)(int slot, int attack, int seed, int person);
    double (*right)(int slot, int seed, int person); /* of 10 images; NULL: 9 */
};

static const char *const slot_names[] = {"candidate", "other"};
static const char *const attack_names[] = {"mi-face", "spsa"};

static inline void put_scored_person(cJSON *list, int person, double found,
                                     double answer)
{
    char name[32];
    bool ok = true;
    cJSON *o = ib_put_object(&ok, list, NULL);
    snprintf(name, sizeof name, "face %d", person + 1);
    ib_put_number(&ok, o, "class", person);
    ib_put_text(&ok, o, "name", name);
    ib_put_number(&ok, o, "answer", answer);
    cJSON *s = ib_put_object(&ok, o, "scores");
    ib_put_number(&ok, s, "ssim", 0.2 + 0.5 * found + 0.01 * (person % 7));
    ib_put_number(&ok, s, "acc1@a", found);
    ib_put_number(&ok, s, "acc1@b", found);
    ib_put_number(&ok, s, "confidence@a", 0.1 + 0.8 * found);
    assert_true(ok);
}

static inline cJSON *record_of(const char *text, int seed)
{
    cJSON *o = json_of(text);
    cJSON_AddNumberToObject(o, "seed", seed + 1);
    cJSON_AddStringToObject(o, "status", "ok");
    cJSON_AddNullToObject(o, "reason");
    cJSON_AddArrayToObject(o, "identities");
    cJSON_AddObjectToObject(o, "scores");
    cJSON_AddItemToObject(o, "evaluators",
                          json_of("{'a':{'acc1':0,'acc5':0,'confidence':0},"
                                  "'b':{'acc1':0,'acc5':0,'confidence':0}}"));
    cJSON_AddNullToObject(o, "queries");
    cJSON_AddNullToObject(o, "output");
    return o;
}

static inline void put_cell(const struct made *m, cJSON *cells, int slot,
                            int attack, int seed)
{
    char name[128];
    cJSON *o =
        record_of("{'dataset':'synthfaces','model':'target','budget':100,"
                  "'access':'scores','gradient_path':'none','same_as':null,"
                  "'key':null,'score_key':null,'reconstructions':null,"
                  "'curve':[]}",
                  seed);
    snprintf(name, sizeof name, "target/%s/%s/scores/s%d", slot_names[slot],
             attack_names[attack], seed + 1);
    cJSON_AddStringToObject(o, "name", name);
    cJSON_AddStringToObject(o, "defense", slot_names[slot]);
    cJSON_AddStringToObject(o, "attack", attack_names[attack]);
    for (int k = 0; k < m->people; k++)
        put_scored_person(cJSON_GetObjectItem(o, "identities"), k,
                          m->finds(slot, attack, seed, k),
                          attack == 0 ? 0.5 : 0.2 + 0.6 * (k % 2));
    cJSON_AddItemToArray(cells, o);
}

static inline void put_row(cJSON *rows, int slot, int attack)
{
    cJSON *o = json_of(
        "{'model':'target','access':'scores','status':'ok','reason':null,"
        "'same_as':null,'seeds':1,'identities':1,'leakage':{'value':null,"
        "'low':null,'high':null,'reason':'made up','evaluator':null},"
        "'difference':null,'evaluators':{},'columns':{},'queries':null,"
        "'flags':[]}");
    cJSON_AddStringToObject(o, "defense", slot_names[slot]);
    cJSON_AddStringToObject(o, "attack", attack_names[attack]);
    cJSON_AddItemToArray(rows, o);
}

/* The share of people that each control is taken for. */
static inline void put_controls(const struct made *m, cJSON *controls, int seed)
{
    static const struct {
        const char *name;
        double share;
    } control[] = {{"public-mean", 0.02},
                   {"public-best", 0.1},
                   {"noise", 0},
                   {"other", 0.04},
                   {"holdout", 0.9}};
    for (size_t i = 0; i < IB_COUNT(control); i++) {
        cJSON *o = record_of("{'model':'target','key':null}", seed);
        cJSON_AddStringToObject(o, "name", control[i].name);
        for (int k = 0; k < m->people; k++)
            put_scored_person(
                cJSON_GetObjectItem(o, "identities"), k,
                (k * 7 + seed * 3) % 10 < 10 * control[i].share - 0.5, 0.5);
        cJSON_AddItemToArray(controls, o);
    }
}

static inline void put_utility(const struct made *m, cJSON *utility, int slot,
                               int seed)
{
    cJSON *o = json_of("{'model':'target','status':'ok','reason':null,"
                       "'ece':0.05,'distortion':0}");
    cJSON *correct = cJSON_AddArrayToObject(o, "correct");
    cJSON *total = cJSON_AddArrayToObject(o, "total");
    double sum = 0;
    for (int k = 0; k < m->people; k++) {
        double x = m->right ? m->right(slot, seed, k) : 9;
        cJSON_AddItemToArray(correct, cJSON_CreateNumber(x));
        cJSON_AddItemToArray(total, cJSON_CreateNumber(10));
        sum += x;
    }
    cJSON_AddStringToObject(o, "defense", slot_names[slot]);
    cJSON_AddNumberToObject(o, "seed", seed + 1);
    cJSON_AddNumberToObject(o, "n", 10.0 * m->people);
    cJSON_AddNumberToObject(o, "accuracy", sum / (10.0 * m->people));
    cJSON_AddItemToArray(utility, o);
}

static inline cJSON *frame_of(const struct made *m)
{
    static const char columns[] =
        "[{'name':'ssim','metric':'ssim','evaluator':null,'unit':null,"
        "'direction':'higher-leaks','min':-1,'max':1,'definition':'d'},"
        "{'name':'acc1@a','metric':'accuracy','evaluator':'a','unit':null,"
        "'direction':'higher-leaks','min':0,'max':1,'definition':'d'},"
        "{'name':'mse','metric':'mse','evaluator':null,'unit':null,"
        "'direction':'lower-leaks','min':0,'max':1,'definition':'d'}]";
    cJSON *o = json_of(
        "{'schema':'invbench.results/1','numerics':'here','suite':{'name':"
        "'made','sha256':"
        "'000000000000000000000000000000000000000000000000000000000000000a',"
        "'summary':''},'dataset':{'name':'synthfaces','options':{},'shape':"
        "[1,8,8],'counts':null,'license':null},'models':[{'id':'target',"
        "'name':'softmax','version':'1','family':'linear','options':{}}],"
        "'evaluators':[{'id':'a','name':'cnn','version':'1','family':'c',"
        "'options':{}},{'id':'b','name':'mlp','version':'1','family':'m',"
        "'options':{}}],'access':['scores'],'budget':{'max_queries':100,"
        "'latency':0,'rate_limit':0},'cells':[],'controls':[],'utility':[],"
        "'evaluators_utility':[],'defenses':[],'attacks':[],'seeds':[],"
        "'summary':{'rows':[],'headline':[],'controls':[],'utility':[],'"
        "matched':[],"
        "'cells':{},'method':''},'provenance':{}}");
    cJSON *data = cJSON_GetObjectItem(o, "dataset");
    cJSON_AddNumberToObject(data, "classes", m->people);
    cJSON_AddNumberToObject(data, "identities", m->people);
    cJSON_AddArrayToObject(data, "sha256");
    cJSON_AddItemToObject(o, "columns", json_of(columns));
    return o;
}

static inline void put_seed(cJSON *o, int seed)
{
    char hash[65];
    cJSON *data = cJSON_GetObjectItem(o, "dataset");
    snprintf(hash, sizeof hash, "%064d", seed);
    cJSON_AddItemToArray(cJSON_GetObjectItem(o, "seeds"),
                         cJSON_CreateNumber(seed + 1));
    cJSON_AddItemToArray(cJSON_GetObjectItem(data, "sha256"),
                         cJSON_CreateString(hash));
    for (int e = 0; e < 2; e++) {
        cJSON *u = json_of("{'status':'ok','reason':null,'n':10,"
                           "'accuracy':0.95,'ece':0.05,'key':null,"
                           "'weights':null}");
        cJSON_AddStringToObject(u, "evaluator", e ? "b" : "a");
        cJSON_AddNumberToObject(u, "seed", seed + 1);
        cJSON_AddItemToArray(cJSON_GetObjectItem(o, "evaluators_utility"), u);
    }
}

static inline cJSON *made_results(const struct made *m)
{
    cJSON *o = frame_of(m);
    cJSON *rows =
        cJSON_GetObjectItem(cJSON_GetObjectItem(o, "summary"), "rows");
    for (int s = 0; s < m->seeds; s++) {
        put_seed(o, s);
        put_controls(m, cJSON_GetObjectItem(o, "controls"), s);
    }
    for (int d = 0; d < m->slots; d++) {
        cJSON *defense = json_of("{'stack':[]}");
        cJSON_AddStringToObject(defense, "id", slot_names[d]);
        cJSON_AddItemToArray(cJSON_GetObjectItem(o, "defenses"), defense);
        for (int a = 0; a < m->attacks; a++)
            put_row(rows, d, a);
        for (int s = 0; s < m->seeds; s++) {
            put_utility(m, cJSON_GetObjectItem(o, "utility"), d, s);
            for (int a = 0; a < m->attacks; a++)
                put_cell(m, cJSON_GetObjectItem(o, "cells"), d, a, s);
        }
    }
    for (int a = 0; a < m->attacks; a++) {
        cJSON *attack =
            json_of("{'name':'x','version':'1','options':{},'prior':{'name':"
                    "'pixels','version':'1','options':{}},'max_queries':100}");
        cJSON_AddStringToObject(attack, "id", attack_names[a]);
        cJSON_AddItemToArray(cJSON_GetObjectItem(o, "attacks"), attack);
    }
    return o;
}

/* --- comparing ------------------------------------------------------------ */

static inline void write_results(const char *dir, const char *name,
                                 const cJSON *o)
{
    char path[PATH_MAX + 64];
    struct ib_text t = {0};
    snprintf(path, sizeof path, "%s/%s", dir, name);
    assert_int_equal(ib_json_canonical(o, &t, NULL), IB_OK);
    assert_int_equal(ib_file_write(path, t.data, t.size, NULL), IB_OK);
    ib_text_free(&t);
}

/* Both are consumed. rules: up to 4, NULL after the last; a leading '!' makes
 * one a claim of non-inferiority. */
struct held {
    struct ib_rule rules[4];
    struct ib_compare c;
};

static inline void hold(const char *dir, cJSON *base, cJSON *fresh,
                        const char *const *rules, struct held *out)
{
    char a[PATH_MAX + 64], b[PATH_MAX + 64];
    struct ib_error err = {0};
    size_t n = 0;
    write_results(dir, "base.json", base);
    write_results(dir, "new.json", fresh);
    cJSON_Delete(base);
    cJSON_Delete(fresh);
    snprintf(a, sizeof a, "%s/base.json", dir);
    snprintf(b, sizeof b, "%s/new.json", dir);
    for (; rules && rules[n]; n++) {
        bool claim = *rules[n] == '!';
        if (ib_rule_parse(rules[n] + claim, claim, &out->rules[n], &err))
            fail_msg("%s", err.text);
    }
    if (ib_compare_make(a, b, out->rules, n, &out->c, &err))
        fail_msg("%s", err.text);
}

static inline const struct ib_comparison *
line_of(const struct ib_compare *c, const char *metric, const char *where)
{
    for (size_t i = 0; i < c->n_lines; i++) {
        char name[512];
        ib_line_name(&c->lines[i], name, sizeof name);
        if (!strcmp(c->lines[i].metric, metric) && !strcmp(name, where))
            return &c->lines[i];
    }
    fail_msg("no line %s %s", metric, where);
    return NULL;
}

/* --- who is found --------------------------------------------------------- */

static inline bool four_in_ten(int slot, int attack, int seed, int person)
{
    (void)slot;
    (void)attack;
    return (person * 3 + seed) % 10 < 4;
}

/* The same, and three people in ten more: 0.3 / 0.8 of leakage. */
static inline bool seven_in_ten(int slot, int attack, int seed, int person)
{
    return four_in_ten(slot, attack, seed, person) ||
           (slot == 0 && (person * 3 + seed) % 10 < 7);
}

/* As many as before, but others: a change without a direction. */
static inline bool others(int slot, int attack, int seed, int person)
{
    return four_in_ten(slot, attack, seed, person * 7 + 5);
}

static inline bool nobody(int slot, int attack, int seed, int person)
{
    (void)slot, (void)attack, (void)seed, (void)person;
    return false;
}

static const struct made plain = {
    .seeds = 4, .people = 20, .slots = 1, .attacks = 1, .finds = four_in_ten};

static inline cJSON *run_of(bool (*finds)(int, int, int, int))
{
    struct made m = plain;
    m.finds = finds;
    return made_results(&m);
}

#define ROW "target/candidate/mi-face/scores"
static const char *const leak_rule[] = {"leakage:+0.02", NULL};

static inline cJSON *cell_at(cJSON *results, int i)
{
    return cJSON_GetArrayItem(cJSON_GetObjectItem(results, "cells"), i);
}

static inline void set_text(cJSON *o, const char *member, const char *value)
{
    cJSON_ReplaceItemInObject(o, member, cJSON_CreateString(value));
}

/* A cell that did not come about. */
static inline void lose(cJSON *results, int i, const char *status)
{
    cJSON *cell = cell_at(results, i);
    set_text(cell, "status", status);
    set_text(cell, "reason", "it was made to");
    cJSON_ReplaceItemInObject(cell, "identities", cJSON_CreateArray());
}

static inline const struct ib_judgement *only(const struct held *h)
{
    assert_int_equal(h->c.n_judgements, 1);
    return &h->c.judgements[0];
}

static inline bool says(const cJSON *list, const char *part)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, list)
    {
        if (strstr(item->valuestring, part))
            return true;
    }
    return false;
}

#endif
