/* One cell or control as it stands in results.json and records.jsonl. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "results_parts.h"

static void put_identity(bool *ok, const struct ib_gather *g, int seed,
                         const struct ib_scored *x, int slot, cJSON *all)
{
    const cJSON *column;
    cJSON *o = ib_put_object(ok, all, NULL);
    const cJSON *target = cJSON_GetArrayItem(ib_at(x->scores, "targets"), slot);
    const cJSON *answer = cJSON_GetArrayItem(ib_at(x->scores, "answers"), slot);
    int class = target ? target->valueint : 0;
    const cJSON *name = cJSON_GetArrayItem(g->names[seed], class);
    ib_put_number(ok, o, "class", class);
    ib_put_text(ok, o, "name", name ? name->valuestring : "");
    ib_put_copy(ok, o, "answer", answer);
    cJSON *scores = ib_put_object(ok, o, "scores");
    cJSON_ArrayForEach(column, ib_at(x->scores, "values")) ib_put_copy(
        ok, scores, column->string, cJSON_GetArrayItem(column, slot));
}

/* Mean over the identities that have a value. */
static double column_mean(const cJSON *column, int *n)
{
    const cJSON *item;
    double sum = 0;
    *n = 0;
    cJSON_ArrayForEach(item, column)
    {
        if (!cJSON_IsNumber(item))
            continue;
        sum += item->valuedouble;
        ++*n;
    }
    return *n ? sum / *n : NAN;
}

static bool is_name(const struct ib_scored *x, const char *column)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, ib_at(x->scores, "columns"))
    {
        const char *name = ib_at_text(item, "name");
        const char *unit = ib_at_text(item, "unit");
        if (name && !strcmp(name, column))
            return unit && !strcmp(unit, "class");
    }
    return false;
}

static void put_means(bool *ok, const struct ib_scored *x, cJSON *scores)
{
    const cJSON *column;
    cJSON_ArrayForEach(column, ib_at(x->scores, "values"))
    {
        int n;
        double mean = column_mean(column, &n);
        const char *reason =
            ib_at_text(ib_at(x->scores, "reasons"), column->string);
        cJSON *o = ib_put_object(ok, scores, column->string);
        if (is_name(x, column->string)) {
            ib_put_text(ok, o, "value", NULL);
            ib_put_text(ok, o, "reason", "a class number has no mean");
            continue;
        }
        ib_put_number(ok, o, "value", mean);
        ib_put_number(ok, o, "n", n);
        if (reason)
            ib_put_text(ok, o, "reason", reason);
    }
}

/* acc1@ID and its fellows once more, by evaluator. */
static void put_evaluators(bool *ok, const cJSON *scores, cJSON *evaluators)
{
    static const char *const part[] = {"acc1", "acc5", "confidence"};
    const cJSON *item;
    cJSON_ArrayForEach(item, scores)
    {
        char name[3 * IB_NAME_MAX];
        if (strncmp(item->string, "acc1@", 5))
            continue;
        cJSON *o = ib_put_object(ok, evaluators, item->string + 5);
        for (size_t i = 0; i < IB_COUNT(part); i++) {
            snprintf(name, sizeof name, "%s@%s", part[i], item->string + 5);
            ib_put_copy(ok, o, part[i], ib_at(ib_at(scores, name), "value"));
        }
    }
}

cJSON *ib_results_queries(const cJSON *recon)
{
    static const char *const kind[] = {"forward", "label", "gradient",
                                       "repeated", "denied"};
    const cJSON *q = ib_at(recon, "queries");
    bool ok = true;
    int n;
    if (!q)
        return cJSON_CreateNull();
    cJSON *o = cJSON_CreateObject();
    for (size_t i = 0; i < IB_COUNT(kind); i++) {
        double mean = column_mean(ib_at(q, kind[i]), &n);
        ib_put_number(&ok, o, kind[i], n ? mean : 0);
    }
    double shared = ib_at_number(q, "shared");
    double seconds = ib_at_number(recon, "simulated_seconds");
    ib_put_number(&ok, o, "shared", isnan(shared) ? 0 : shared);
    ib_put_number(&ok, o, "simulated_seconds", isnan(seconds) ? 0 : seconds);
    if (ok)
        return o;
    cJSON_Delete(o);
    return NULL;
}

/* What a cell and a control have in common. */
static void put_scored(bool *ok, const struct ib_gather *g, int seed,
                       const struct ib_scored *x, cJSON *o)
{
    int slots = cJSON_GetArraySize(ib_at(x->scores, "targets"));
    cJSON *identities = ib_put_array(ok, o, "identities");
    for (int i = 0; i < slots; i++)
        put_identity(ok, g, seed, x, i, identities);
    cJSON *scores = ib_put_object(ok, o, "scores");
    put_means(ok, x, scores);
    ib_results_put_set(ok, x, o);
    put_evaluators(ok, scores, ib_put_object(ok, o, "evaluators"));
    ib_put(ok, o, "queries", ib_results_queries(x->recon));
    ib_put_copy(ok, o, "output", ib_at(x->scores, "output"));
}

static const char *node_key(const struct ib_plan *p, int node,
                            const struct ib_scored *x)
{
    return node >= 0 && !strcmp(x->status, "ok") ? p->nodes[node].key : NULL;
}

/* The cell that carries the number of a bypassed one. */
static bool same_as(const struct ib_plan *p, const struct ib_cell *c,
                    char *name, size_t n)
{
    for (size_t i = 0; i < p->n_cells; i++)
        if (p->cells[i].plan == IB_CELL_RUN && c->attack_node >= 0 &&
            p->cells[i].attack_node == c->attack_node) {
            ib_cell_name(p, &p->cells[i], name, n);
            return true;
        }
    return false;
}

void ib_results_npy_name(const struct ib_plan *p, const struct ib_cell *c,
                         char *out, size_t n)
{
    char name[512];
    size_t at;
    ib_cell_name(p, c, name, sizeof name);
    if (strlen(name) > 200)
        snprintf(name + 160, sizeof name - 160, "~%.16s",
                 p->nodes[c->attack_node].key);
    at = (size_t)snprintf(out, n, "reconstructions/");
    for (const char *s = name; *s && at + 8 < n; s++)
        at += (size_t)snprintf(out + at, n - at, *s == '/' ? "__" : "%c", *s);
    snprintf(out + at, n - at, ".npy");
}

static void put_coordinates(bool *ok, const struct ib_plan *p,
                            const struct ib_cell *c, cJSON *o)
{
    const struct ib_suite *s = p->suite;
    char name[512];
    ib_cell_name(p, c, name, sizeof name);
    ib_put_text(ok, o, "name", name);
    ib_put_text(ok, o, "dataset", s->dataset.plugin->name);
    ib_put_text(ok, o, "model", s->models[c->model].id);
    ib_put_text(ok, o, "defense", s->defenses[c->defense].id);
    ib_put_text(ok, o, "attack", s->attacks[c->attack].id);
    ib_put_text(ok, o, "access", ib_level_names[c->access]);
    ib_put_number(ok, o, "budget", (double)s->attacks[c->attack].max_queries);
    ib_put_number(ok, o, "seed", (double)s->seeds[c->seed]);
}

cJSON *ib_results_cell(const struct ib_gather *g, size_t cell)
{
    const struct ib_plan *p = g->plan;
    const struct ib_cell *c = &p->cells[cell];
    const struct ib_scored *x = &g->cell[cell];
    bool ok = true, bypass = c->plan == IB_CELL_BYPASS;
    char name[512];
    cJSON *o = cJSON_CreateObject();
    put_coordinates(&ok, p, c, o);
    ib_put_text(&ok, o, "status", x->status);
    ib_put_text(&ok, o, "reason", x->reason);
    ib_put_text(&ok, o, "gradient_path",
                bypass                     ? "bypass"
                : c->access < IB_GRADIENTS ? "none"
                                           : "direct");
    ib_put_text(&ok, o, "same_as",
                bypass && same_as(p, c, name, sizeof name) ? name : NULL);
    ib_put_text(&ok, o, "key", node_key(p, c->attack_node, x));
    ib_put_text(&ok, o, "score_key", node_key(p, c->score_node, x));
    if (x->scores)
        ib_results_npy_name(p, c, name, sizeof name);
    ib_put_text(&ok, o, "reconstructions", x->scores ? name : NULL);
    put_scored(&ok, g, c->seed, x, o);
    ib_put(&ok, o, "curve",
           x->scores ? cJSON_Duplicate(ib_at(x->scores, "curve"), true)
                     : cJSON_CreateArray());
    if (ok)
        return o;
    cJSON_Delete(o);
    return NULL;
}

cJSON *ib_results_control(const struct ib_gather *g, size_t control)
{
    const struct ib_plan *p = g->plan;
    const struct ib_control_cell *c = &p->controls[control];
    const struct ib_scored *x = &g->control[control];
    bool ok = true;
    cJSON *o = cJSON_CreateObject();
    ib_put_text(&ok, o, "name", c->name);
    ib_put_text(&ok, o, "model", p->suite->models[c->model].id);
    ib_put_number(&ok, o, "seed", (double)p->suite->seeds[c->seed]);
    ib_put_text(&ok, o, "status", x->status);
    ib_put_text(&ok, o, "reason", x->reason);
    ib_put_text(&ok, o, "key", node_key(p, c->recon_node, x));
    put_scored(&ok, g, c->seed, x, o);
    if (ok)
        return o;
    cJSON_Delete(o);
    return NULL;
}
