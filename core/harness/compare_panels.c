/* From records to panels of paired seeds and people. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compare_parts.h"

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int ib_person_column(const struct ib_compare *c, const char *name)
{
    const char **found =
        bsearch(&name, c->people, c->n_people, sizeof *c->people, by_text);
    return found ? (int)(found - c->people) : -1;
}

static size_t count_identities(const struct ib_compare_side *s)
{
    static const char *const lists[] = {"cells", "controls"};
    const cJSON *record;
    size_t n = 0;
    for (size_t i = 0; i < IB_COUNT(lists); i++)
        cJSON_ArrayForEach(record, ib_view_array(s->root, lists[i])) n +=
            (size_t)cJSON_GetArraySize(ib_view_array(record, "identities"));
    return n;
}

static size_t put_names(const struct ib_compare_side *s, const char **out)
{
    static const char *const lists[] = {"cells", "controls"};
    const cJSON *record, *who;
    size_t n = 0;
    for (size_t i = 0; i < IB_COUNT(lists); i++)
        cJSON_ArrayForEach(record, ib_view_array(s->root, lists[i]))
            cJSON_ArrayForEach(who, ib_view_array(record, "identities"))
                out[n++] = ib_view_text(who, "name");
    return n;
}

enum ib_status ib_compare_people(struct ib_compare *c, struct ib_error *err)
{
    size_t n = 0;
    for (int i = 0; i < 2; i++)
        n += count_identities(&c->side[i]);
    c->people = calloc(n + 1, sizeof *c->people);
    if (!c->people)
        return ib_error_set(err, IB_E_NOMEM, "no memory for %zu names", n);
    n = put_names(&c->side[0], c->people);
    n += put_names(&c->side[1], c->people + n);
    qsort(c->people, n, sizeof *c->people, by_text);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || strcmp(c->people[i], c->people[i - 1]))
            c->people[c->n_people++] = c->people[i];
    return IB_OK;
}

static struct ib_panel panel_make(const struct ib_compare *c)
{
    return ib_panel_make(c->seeds, (int)c->n_people);
}

void ib_panel_scores(const struct ib_compare *c, struct ib_panel *p, int seed,
                     const cJSON *record, const char *column)
{
    const cJSON *who;
    if (!ib_cell_is(record, "ok"))
        return;
    cJSON_ArrayForEach(who, ib_view_array(record, "identities"))
    {
        int k = ib_person_column(c, ib_view_text(who, "name"));
        double x = !strcmp(column, "answer")
                       ? ib_view_number(who, "answer")
                       : ib_view_number(ib_view_object(who, "scores"), column);
        if (k >= 0)
            p->v[seed * p->identities + k] = x;
    }
}

struct ib_panel ib_place_panel(const struct ib_compare *c, enum ib_side side,
                               const struct ib_place *place, const char *column)
{
    struct ib_panel p = panel_make(c);
    for (int i = 0; p.v && i < c->seeds; i++)
        ib_panel_scores(
            c, &p, i, ib_place_cell(&c->side[side], place, c->seed[i]), column);
    return p;
}

static struct ib_panel control_panel(const struct ib_compare *c,
                                     enum ib_side side, const char *model,
                                     const char *name, const char *column)
{
    struct ib_panel p = panel_make(c);
    for (int i = 0; p.v && i < c->seeds; i++)
        ib_panel_scores(
            c, &p, i, ib_place_control(&c->side[side], model, name, c->seed[i]),
            column);
    return p;
}

/* --- the task of a leakage ----------------------------------------------- */

static double mean_where(const cJSON *list, const char *member,
                         const char *value, const char *what)
{
    const cJSON *o;
    double sum = 0;
    int n = 0;
    cJSON_ArrayForEach(o, list)
    {
        double x = ib_view_number(o, what);
        if (strcmp(ib_view_text(o, member), value) || isnan(x))
            continue;
        sum += x;
        n++;
    }
    return n ? sum / n : NAN;
}

/* Mean accuracy of a model behind a defense, over all seeds of the run. */
static double accuracy_of(const struct ib_compare_side *s, const char *model,
                          const char *defense)
{
    const cJSON *o;
    double sum = 0;
    int n = 0;
    cJSON_ArrayForEach(o, ib_view_array(s->root, "utility"))
    {
        double x = ib_view_number(o, "accuracy");
        if (strcmp(ib_view_text(o, "model"), model) ||
            strcmp(ib_view_text(o, "defense"), defense) || isnan(x))
            continue;
        sum += x;
        n++;
    }
    return n ? sum / n : NAN;
}

/* As the run itself has it: undefended, else the best of its forms. */
static double target_accuracy(const struct ib_compare_side *s,
                              const char *model)
{
    const cJSON *d;
    double best = NAN;
    cJSON_ArrayForEach(d, ib_view_array(s->root, "defenses"))
    {
        double x = accuracy_of(s, model, ib_view_text(d, "id"));
        if (isnan(x))
            continue;
        if (!cJSON_GetArraySize(ib_view_array(d, "stack")))
            return x;
        if (!(x <= best))
            best = x;
    }
    return best;
}

/* Why the public controls are missing; NULL: they are there. */
static const char *no_public(const struct ib_compare *c, enum ib_side side,
                             const char *model)
{
    const char *why = "the public controls were not planned";
    for (int f = 0; f < 2; f++)
        for (int i = 0; i < c->seeds; i++) {
            const cJSON *o = ib_place_control(&c->side[side], model,
                                              ib_floor_names[f], c->seed[i]);
            if (o && ib_cell_is(o, "ok"))
                return NULL;
            if (o && *ib_view_text(o, "reason"))
                why = ib_view_text(o, "reason");
        }
    return why;
}

static bool judge_fill(const struct ib_compare *c, enum ib_side side,
                       const char *model, struct ib_leakage_evaluator *e)
{
    const struct ib_compare_side *s = &c->side[side];
    char column[IB_METRIC_MAX];
    snprintf(column, sizeof column, "acc1@%s", e->id);
    e->accuracy = mean_where(ib_view_array(s->root, "evaluators_utility"),
                             "evaluator", e->id, "accuracy");
    e->target_accuracy = target_accuracy(s, model);
    e->ceiling = control_panel(c, side, model, "holdout", column);
    bool ok = e->ceiling.v != NULL;
    for (int f = 0; f < IB_FLOORS; f++) {
        e->floor[f] = control_panel(c, side, model, ib_floor_names[f], column);
        ok = ok && e->floor[f].v;
    }
    return ok;
}

/* Who judged: the evaluators of the first cell that is there. */
static void judges_of(const struct ib_compare *c, enum ib_side side,
                      const struct ib_place *p, struct ib_leakage_task *out)
{
    const cJSON *judge;
    for (int i = 0; i < c->seeds && !out->n; i++) {
        const cJSON *cell = ib_place_cell(&c->side[side], p, c->seed[i]);
        cJSON_ArrayForEach(judge, ib_view_object(cell, "evaluators"))
        {
            if (out->n < IB_LEAKAGE_EVALUATORS)
                out->evaluator[out->n++].id = judge->string;
        }
    }
}

/* What an attacker has of one person who keeps the image that the target is
 * surest of; the mean where it is equally sure of several. */
static double kept(const struct ib_panel *score, const struct ib_panel *answer,
                   size_t n, int at)
{
    double best = -INFINITY, sum = 0;
    int equal = 0;
    for (size_t i = 0; i < n; i++) {
        double x = score[i].v[at], sure = answer[i].v[at];
        if (isnan(x) || isnan(sure) || sure < best)
            continue;
        if (sure > best) {
            sum = 0;
            equal = 0;
        }
        best = sure;
        sum += x;
        equal++;
    }
    return equal ? sum / equal : NAN;
}

struct choice {
    struct ib_panel *score, *answer;
    size_t n;
};

static void choice_free(struct choice *x)
{
    for (size_t i = 0; x->score && i < x->n; i++) {
        ib_panel_free(&x->score[i]);
        ib_panel_free(&x->answer[i]);
    }
    free(x->score);
}

static struct ib_panel headline_panel(const struct ib_compare *c,
                                      enum ib_side side,
                                      const struct ib_place *places, size_t n,
                                      const char *column)
{
    struct choice x = {calloc(2 * n + 1, sizeof *x.score), NULL, n};
    struct ib_panel out = panel_make(c);
    bool ok = x.score && out.v;
    x.answer = x.score ? x.score + n : NULL;
    for (size_t i = 0; ok && i < n; i++) {
        x.score[i] = ib_place_panel(c, side, &places[i], column);
        x.answer[i] = ib_place_panel(c, side, &places[i], "answer");
        ok = x.score[i].v && x.answer[i].v;
    }
    for (int i = 0; ok && i < out.seeds * out.identities; i++)
        out.v[i] = kept(x.score, x.answer, n, i);
    choice_free(&x);
    if (!ok)
        ib_panel_free(&out);
    return out;
}

enum ib_status ib_place_task(const struct ib_compare *c, enum ib_side side,
                             const struct ib_place *places, size_t n,
                             struct ib_leakage_task *out, struct ib_error *err)
{
    bool ok = true;
    *out = (struct ib_leakage_task){.no_public =
                                        no_public(c, side, places[0].model)};
    for (size_t i = 0; i < n; i++)
        judges_of(c, side, &places[i], out);
    for (int i = 0; i < out->n; i++) {
        struct ib_leakage_evaluator *e = &out->evaluator[i];
        char column[IB_METRIC_MAX];
        snprintf(column, sizeof column, "acc1@%s", e->id);
        e->q = n == 1 ? ib_place_panel(c, side, &places[0], column)
                      : headline_panel(c, side, places, n, column);
        ok = judge_fill(c, side, places[0].model, e) && e->q.v && ok;
    }
    if (ok)
        return IB_OK;
    ib_place_task_free(out);
    return ib_error_set(err, IB_E_NOMEM, "no memory for leakage");
}

void ib_place_task_free(struct ib_leakage_task *t)
{
    for (int i = 0; i < t->n; i++) {
        ib_panel_free(&t->evaluator[i].q);
        ib_panel_free(&t->evaluator[i].ceiling);
        for (int f = 0; f < IB_FLOORS; f++)
            ib_panel_free(&t->evaluator[i].floor[f]);
    }
    *t = (struct ib_leakage_task){0};
}
