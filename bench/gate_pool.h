/* What runs have measured, seeds of all of them in one row: for bench/gate.c.
 */
#ifndef INVBENCH_BENCH_GATE_POOL_H
#define INVBENCH_BENCH_GATE_POOL_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "leakage.h"

enum { MODELS = 4, STACKS = 12, JUDGES = 4, CONTROLS = 1 + IB_FLOORS };
enum { SEEDS = 1024 };

struct pool {
    const char *model[MODELS], *stack[STACKS], *judge[JUDGES];
    int models, stacks, judges, people, seeds;
    struct ib_panel score[MODELS][STACKS][JUDGES];
    struct ib_panel control[MODELS][JUDGES][CONTROLS]; /* 0: holdout */
    double judge_accuracy[JUDGES], model_accuracy[MODELS];
};

static inline void fail(const char *text)
{
    fprintf(stderr, "gate: %s\n", text);
    exit(2);
}

static inline void must(enum ib_status status, const struct ib_error *err)
{
    if (status)
        fail(err->text);
}

static inline int list_ids(const cJSON *list, const char **out, int most)
{
    const cJSON *o;
    int n = 0;
    cJSON_ArrayForEach(o, list)
    {
        if (n == most)
            fail("too many models, stacks or evaluators");
        out[n++] = ib_at_text(o, "id");
    }
    return n;
}

static inline int index_in(const char *const *names, int n, const char *name)
{
    for (int i = 0; i < n; i++)
        if (name && !strcmp(names[i], name))
            return i;
    return -1;
}

static inline int seed_at(const cJSON *results, const cJSON *record)
{
    const cJSON *s;
    int i = 0;
    cJSON_ArrayForEach(s, ib_at(results, "seeds"))
    {
        if (s->valuedouble == ib_at_number(record, "seed"))
            return i;
        i++;
    }
    fail("a record of an unknown seed");
    return -1;
}

/* acc1 of a record's people, by evaluator, into row `seed` of panels that lie
 * `stride` apart. */
static inline void take(const struct pool *p, const cJSON *record, int seed,
                        struct ib_panel *first, size_t stride)
{
    const cJSON *who;
    if (strcmp(ib_at_text(record, "status"), "ok"))
        fail("a cell is missing");
    for (int j = 0; j < p->judges; j++) {
        struct ib_panel *panel = first + (size_t)j * stride;
        char column[2 * IB_NAME_MAX];
        snprintf(column, sizeof column, "acc1@%s", p->judge[j]);
        cJSON_ArrayForEach(who, ib_at(record, "identities"))
            panel->v[seed * p->people + (int)ib_at_number(who, "class")] =
            ib_at_number(ib_at(who, "scores"), column);
    }
}

/* -1: a control that leakage does not look at. */
static inline int control_index(const char *name)
{
    int floor = index_in(ib_floor_names, IB_FLOORS, name);
    return !strcmp(name, "holdout") ? 0 : floor < 0 ? -1 : 1 + floor;
}

static inline void take_cells(struct pool *p, const cJSON *results, int offset,
                              const char *attack)
{
    const cJSON *o;
    cJSON_ArrayForEach(o, ib_at(results, "cells"))
    {
        int m = index_in(p->model, p->models, ib_at_text(o, "model"));
        int d = index_in(p->stack, p->stacks, ib_at_text(o, "defense"));
        if (!strcmp(ib_at_text(o, "attack"), attack) && m >= 0 && d >= 0)
            take(p, o, offset + seed_at(results, o), p->score[m][d], 1);
    }
    cJSON_ArrayForEach(o, ib_at(results, "controls"))
    {
        int m = index_in(p->model, p->models, ib_at_text(o, "model"));
        int c = control_index(ib_at_text(o, "name"));
        if (m >= 0 && c >= 0)
            take(p, o, offset + seed_at(results, o), p->control[m][0] + c,
                 CONTROLS);
    }
}

/* Mean accuracy by the member's id; undefended only, where that is asked. */
static inline void take_accuracy(const cJSON *list, const char *member,
                                 const char *defense, const char *const *names,
                                 double *sum)
{
    const cJSON *o;
    cJSON_ArrayForEach(o, list)
    {
        int i = index_in(names, MODELS, ib_at_text(o, member));
        if (i >= 0 && (!defense || !strcmp(ib_at_text(o, "defense"), defense)))
            sum[i] += ib_at_number(o, "accuracy");
    }
}

static inline void panels_make(struct pool *p)
{
    struct ib_panel *all[] = {&p->score[0][0][0], &p->control[0][0][0]};
    int n[] = {MODELS * STACKS * JUDGES, MODELS * JUDGES * CONTROLS};
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < n[k]; i++) {
            all[k][i] = ib_panel_make(p->seeds, p->people);
            if (!all[k][i].v)
                fail("no memory");
        }
}

static inline cJSON **read_all(int n, char **path, struct pool *p)
{
    cJSON **root = calloc((size_t)n, sizeof *root);
    struct ib_error err;
    if (!root)
        fail("no memory");
    for (int i = 0; i < n; i++) {
        must(ib_json_read(path[i], &root[i], &err), &err);
        p->seeds += cJSON_GetArraySize(ib_at(root[i], "seeds"));
    }
    p->models = list_ids(ib_at(root[0], "models"), p->model, MODELS);
    p->stacks = list_ids(ib_at(root[0], "defenses"), p->stack, STACKS);
    p->judges = list_ids(ib_at(root[0], "evaluators"), p->judge, JUDGES);
    p->people = (int)ib_at_number(ib_at(root[0], "dataset"), "classes");
    if (p->seeds > SEEDS)
        fail("too many seeds");
    panels_make(p);
    return root;
}

static inline void pool_read(struct pool *p, const char *attack, int n,
                             char **path)
{
    cJSON **root = read_all(n, path, p);
    for (int i = 0, offset = 0; i < n; i++) {
        take_cells(p, root[i], offset, attack);
        take_accuracy(ib_at(root[i], "evaluators_utility"), "evaluator", NULL,
                      p->judge, p->judge_accuracy);
        take_accuracy(ib_at(root[i], "utility"), "model", p->stack[0], p->model,
                      p->model_accuracy);
        offset += cJSON_GetArraySize(ib_at(root[i], "seeds"));
    }
    for (int i = 0; i < p->judges; i++)
        p->judge_accuracy[i] /= p->seeds;
    for (int i = 0; i < p->models; i++)
        p->model_accuracy[i] /= p->seeds;
}

#endif
