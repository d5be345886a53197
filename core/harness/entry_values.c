/* Values that no run can have, and pictures that are not what is said of
 * them. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "entry.h"
#include "score.h"

enum { PLACE_MAX = 256 };
#define FILE_NAME "results.json"

static bool in_range(const cJSON *column, double x)
{
    double min = ib_at_number(column, "min"), max = ib_at_number(column, "max");

    return !(x < min) && !(x > max);
}

static const cJSON *column_of(const cJSON *results, const char *list,
                              const char *name)
{
    const cJSON *column;

    cJSON_ArrayForEach(column, ib_at(results, list))
    {
        if (strcmp(ib_at_text(column, "name"), name) == 0)
            return column;
    }
    return NULL;
}

static void check_scores(const cJSON *results, const cJSON *scores,
                         const char *place, struct ib_findings *f)
{
    const cJSON *x;

    cJSON_ArrayForEach(x, scores)
    {
        const cJSON *column = column_of(results, "columns", x->string);
        if (!column)
            ib_finding(f, FILE_NAME, place, "%s is not one of the columns",
                       x->string);
        else if (cJSON_IsNumber(x) && !in_range(column, x->valuedouble))
            ib_finding(f, FILE_NAME, place, "%s is %.17g, out of its range",
                       x->string, x->valuedouble);
    }
}

static void check_set(const cJSON *results, const cJSON *record,
                      const char *place, struct ib_findings *f)
{
    const cJSON *o;

    cJSON_ArrayForEach(o, ib_at(record, "set_scores"))
    {
        const cJSON *column = column_of(results, "set_columns", o->string);
        double x = ib_at_number(o, "value");
        if (!column)
            ib_finding(f, FILE_NAME, place, "%s is not one of the set_columns",
                       o->string);
        else if (!in_range(column, x))
            ib_finding(f, FILE_NAME, place, "%s is %.17g, out of its range",
                       o->string, x);
        if (isnan(x) != (ib_at_text(o, "reason") != NULL))
            ib_finding(f, FILE_NAME, place,
                       "%s: a null has a reason, a number "
                       "has none",
                       o->string);
    }
}

static void check_people(const cJSON *results, const cJSON *record,
                         const char *place, struct ib_findings *f)
{
    double classes = ib_at_number(ib_at(results, "dataset"), "classes");
    const cJSON *person;
    int previous = -1, i = 0;
    char below[PLACE_MAX + 32];

    cJSON_ArrayForEach(person, ib_at(record, "identities"))
    {
        double class = ib_at_number(person, "class");
        double answer = ib_at_number(person, "answer");
        snprintf(below, sizeof below, "%s.identities[%d]", place, i++);
        if (!(class > previous && class < classes))
            ib_finding(f, FILE_NAME, below,
                       "class %g: ascending numbers under %g are wanted", class,
                       classes);
        if (answer < 0 || answer > 1)
            ib_finding(f, FILE_NAME, below, "answer %g is no probability",
                       answer);
        previous = (int)class;
        check_scores(results, ib_at(person, "scores"), below, f);
    }
    if (i == 0)
        ib_finding(f, FILE_NAME, place, "is ok without any identity");
}

static void check_curve(const cJSON *results, const cJSON *record,
                        const char *place, struct ib_findings *f)
{
    const cJSON *point;
    double queries = 0, reached = 1;
    char below[PLACE_MAX + 32];
    int i = 0;

    cJSON_ArrayForEach(point, ib_at(record, "curve"))
    {
        double q = ib_at_number(point, "queries");
        double r = ib_at_number(point, "reached");
        snprintf(below, sizeof below, "%s.curve[%d]", place, i++);
        if (!(q > queries) || !(r <= reached))
            ib_finding(f, FILE_NAME, below,
                       "queries must rise and reached must not");
        queries = q;
        reached = r;
        check_scores(results, ib_at(point, "scores"), below, f);
    }
}

static void check_queries(const cJSON *record, const char *place,
                          struct ib_findings *f)
{
    const cJSON *q = ib_at(record, "queries");
    double budget = ib_at_number(record, "budget");
    double spent = ib_at_number(q, "forward") + ib_at_number(q, "label") +
                   ib_at_number(q, "gradient");

    if (budget > 0 && spent > budget * (1 + 1e-9))
        ib_finding(f, FILE_NAME, place,
                   "%g queries an identity; the budget is %g", spent, budget);
}

static void check_record(const cJSON *results, const cJSON *record,
                         const char *list, int i, struct ib_findings *f)
{
    const char *status = ib_at_text(record, "status");
    char place[PLACE_MAX];

    snprintf(place, sizeof place, "%s[%d]", list, i);
    if (strcmp(status, "pending") == 0)
        ib_finding(f, FILE_NAME, place,
                   "is pending: the run has not come to its end");
    if (strcmp(status, "ok") != 0)
        return;
    check_people(results, record, place, f);
    check_set(results, record, place, f);
    check_curve(results, record, place, f);
    check_queries(record, place, f);
}

static double sum_of(const cJSON *list)
{
    const cJSON *item;
    double sum = 0;

    cJSON_ArrayForEach(item, list) sum += item->valuedouble;
    return sum;
}

/* A share of n: k of n for a whole k, which are the classes' own. */
static void check_share(const cJSON *row, const char *place,
                        struct ib_findings *f)
{
    double n = ib_at_number(row, "n"), x = ib_at_number(row, "accuracy");
    double hits = n * x;

    if (strcmp(ib_at_text(row, "status"), "ok") != 0)
        return;
    if (!(n > 0) || !(fabs(hits - nearbyint(hits)) < 1e-6))
        ib_finding(f, FILE_NAME, place,
                   "accuracy %.17g is not a share of %g images", x, n);
    if (cJSON_IsArray(ib_at(row, "correct")) &&
        (fabs(sum_of(ib_at(row, "correct")) - hits) > 1e-6 ||
         sum_of(ib_at(row, "total")) != n))
        ib_finding(f, FILE_NAME, place,
                   "%g right of %g by class; %g of %g on the whole",
                   sum_of(ib_at(row, "correct")), sum_of(ib_at(row, "total")),
                   hits, n);
}

static bool utility_is(const cJSON *row, const char *model, const char *defense,
                       double seed)
{
    return strcmp(ib_at_text(row, "model"), model) == 0 &&
           strcmp(ib_at_text(row, "defense"), defense) == 0 &&
           ib_at_number(row, "seed") == seed;
}

/* Every model behind every defense that has a cell, once for each seed. */
static void check_utility(const struct ib_entry *e, struct ib_findings *f)
{
    const struct ib_suite *s = e->suite;
    const struct ib_plan *p = e->plan;
    const cJSON *row;
    char place[PLACE_MAX];
    int i = 0;

    for (size_t k = 0; k < p->n_cells; k++) {
        const struct ib_cell *c = &p->cells[k];
        int found = 0;
        cJSON_ArrayForEach(row, ib_at(e->results, "utility")) found +=
            utility_is(row, s->models[c->model].id, s->defenses[c->defense].id,
                       (double)s->seeds[c->seed]);
        if (found != 1 && c->utility_node >= 0 &&
            (k == 0 || p->cells[k - 1].utility_node != c->utility_node))
            ib_finding(f, FILE_NAME, "utility",
                       "%s behind %s, seed %g, stands there %d times",
                       s->models[c->model].id, s->defenses[c->defense].id,
                       (double)s->seeds[c->seed], found);
    }
    cJSON_ArrayForEach(row, ib_at(e->results, "utility"))
    {
        snprintf(place, sizeof place, "utility[%d]", i++);
        check_share(row, place, f);
    }
}

static void check_evaluators(const struct ib_entry *e, struct ib_findings *f)
{
    const cJSON *rows = ib_at(e->results, "evaluators_utility"), *row;
    const struct ib_suite *s = e->suite;
    char place[PLACE_MAX];
    int i = 0;

    if (cJSON_GetArraySize(rows) != (int)e->plan->n_evaluators)
        ib_finding(f, FILE_NAME, "evaluators_utility",
                   "has %d rows; the suite asks for %zu",
                   cJSON_GetArraySize(rows), e->plan->n_evaluators);
    cJSON_ArrayForEach(row, rows)
    {
        const struct ib_evaluator_cell *c =
            i < (int)e->plan->n_evaluators ? &e->plan->evaluators[i] : NULL;
        snprintf(place, sizeof place, "evaluators_utility[%d]", i++);
        if (c && (strcmp(ib_at_text(row, "evaluator"),
                         s->evaluators[c->evaluator].id) != 0 ||
                  ib_at_number(row, "seed") != (double)s->seeds[c->seed]))
            ib_finding(f, FILE_NAME, place, "is not %s with seed %g",
                       s->evaluators[c->evaluator].id,
                       (double)s->seeds[c->seed]);
        if (strcmp(ib_at_text(row, "status"), "ok") == 0 &&
            (!ib_at_text(row, "key") || !ib_at_text(row, "weights")))
            ib_finding(f, FILE_NAME, place, "is ok without key and weights");
        check_share(row, place, f);
    }
}

/* A row for each target that the plan asks after, in its order. */
static void check_membership(const struct ib_entry *e, struct ib_findings *f)
{
    const cJSON *rows = ib_at(e->results, "membership");
    const cJSON *row = cJSON_GetArrayItem(rows, 0);
    const struct ib_suite *s = e->suite;
    char place[PLACE_MAX];

    if (cJSON_GetArraySize(rows) != (int)e->plan->n_memberships)
        ib_finding(f, FILE_NAME, "membership",
                   "has %d rows; the suite asks for %zu",
                   cJSON_GetArraySize(rows), e->plan->n_memberships);
    for (size_t i = 0; row && i < e->plan->n_memberships; i++) {
        const struct ib_membership_cell *c = &e->plan->memberships[i];
        snprintf(place, sizeof place, "membership[%zu]", i);
        if (!utility_is(row, s->models[c->model].id, s->defenses[c->defense].id,
                        (double)s->seeds[c->seed]))
            ib_finding(f, FILE_NAME, place, "is not %s behind %s with seed %g",
                       s->models[c->model].id, s->defenses[c->defense].id,
                       (double)s->seeds[c->seed]);
        row = row->next;
    }
}

void ib_entry_check_values(const struct ib_entry *e, struct ib_findings *f)
{
    static const char *const lists[] = {"cells", "controls"};
    const cJSON *record;

    for (size_t k = 0; k < IB_COUNT(lists); k++) {
        int i = 0;
        cJSON_ArrayForEach(record, ib_at(e->results, lists[k]))
            check_record(e->results, record, lists[k], i++, f);
    }
    check_utility(e, f);
    check_evaluators(e, f);
    check_membership(e, f);
}

/* --- pictures ---------------------------------------------------------------
 */

static bool shape_fits(const struct ib_entry *e, const cJSON *record,
                       const struct ib_npy *a, struct ib_images *x)
{
    const cJSON *shape = ib_at(ib_at(e->results, "dataset"), "shape");
    int people = cJSON_GetArraySize(ib_at(record, "identities"));

    if (a->dims != 5 || (int)a->size[0] != people || a->size[1] < 1)
        return false;
    for (int i = 0; i < 3; i++)
        if (cJSON_GetArrayItem(shape, i)->valuedouble != (double)a->size[2 + i])
            return false;
    *x = (struct ib_images){
        .shape = {(int)a->size[2], (int)a->size[3], (int)a->size[4]},
        .n = a->size[0] * a->size[1],
        .pixels = a->data};
    return true;
}

/* "output" of the images that are scored. */
static void check_output(const cJSON *record, const struct ib_npy *a,
                         struct ib_images *x, const char *name,
                         struct ib_findings *f)
{
    struct ib_diff d = {.file = FILE_NAME, .here = name, .f = f};
    size_t all = a->size[1],
           n = all < IB_SCORED_IMAGES ? all : IB_SCORED_IMAGES;
    size_t size = ib_shape_size(x->shape);
    uint8_t *picked = calloc(a->size[0] * n + 1, size);
    char place[PLACE_MAX];
    cJSON *output;

    if (!picked) {
        f->failed = true;
        return;
    }
    for (size_t i = 0; i < a->size[0] * n; i++)
        memcpy(picked + i * size,
               a->data + (i / n * all + i % n * all / n) * size, size);
    *x = (struct ib_images){
        .shape = x->shape, .n = a->size[0] * n, .pixels = picked};
    output = ib_score_output(x);
    snprintf(place, sizeof place, "%.200s.output", ib_at_text(record, "name"));
    ib_json_diff(&d, output, ib_at(record, "output"), place);
    cJSON_Delete(output);
    free(picked);
}

static void check_npy(const struct ib_entry *e, const cJSON *record,
                      const char *name, struct ib_findings *f)
{
    char path[PATH_MAX];
    struct ib_npy a;
    struct ib_images x;
    struct ib_error why;

    if (!ib_entry_lists(e, name)) {
        if (ib_at_number(record, "seed") == (double)e->suite->seeds[0])
            ib_finding(f, IB_ENTRY_FILE, "files", "lists no %s", name);
        return;
    }
    if (ib_entry_path(e, name, path, &why) || ib_npy_read(path, &a, &why)) {
        ib_finding_error(f, name, &why);
        return;
    }
    if (shape_fits(e, record, &a, &x))
        check_output(record, &a, &x, name, f);
    else
        ib_finding(f, name, "",
                   "is not identities x images x channels x rows x columns "
                   "of this record");
    ib_npy_free(&a);
}

static bool is_named(const cJSON *cells, const char *file)
{
    const cJSON *record;

    cJSON_ArrayForEach(record, cells)
    {
        const char *name = ib_at_text(record, "reconstructions");
        if (name && strcmp(name, file) == 0)
            return true;
    }
    return false;
}

static void check_sheets(const struct ib_entry *e, struct ib_findings *f)
{
    const cJSON *sheet;
    char name[PLACE_MAX];

    cJSON_ArrayForEach(sheet, ib_at(e->index, "sheets"))
    {
        const char *file = ib_at_text(sheet, "file");
        snprintf(name, sizeof name, "images/%.200s", file ? file : "");
        if (strchr(name + strlen("images/"), '/') || !ib_entry_lists(e, name))
            ib_finding(f, "images/index.json", "sheets", "names no file %s",
                       name);
    }
}

enum ib_status ib_entry_check_pictures(const struct ib_entry *e,
                                       struct ib_findings *f,
                                       struct ib_error *err)
{
    const cJSON *cells = ib_at(e->results, "cells"), *item;

    (void)err;
    cJSON_ArrayForEach(item, cells)
    {
        const char *name = ib_at_text(item, "reconstructions");
        if (name)
            check_npy(e, item, name, f);
    }
    cJSON_ArrayForEach(item, ib_at(e->manifest, "files"))
    {
        if (strncmp(item->string, "reconstructions/", 16) == 0 &&
            !is_named(cells, item->string))
            ib_finding(f, item->string, "", "belongs to no cell");
    }
    check_sheets(e, f);
    return IB_OK;
}
