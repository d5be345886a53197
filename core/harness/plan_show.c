/* What `invbench plan` prints. */
#include "plan_show.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "progress.h"
#include "timings.h"

enum { REASONS_MAX = 64, CELL_WIDTH = 12 };

static const char *const plan_names[] = {[IB_CELL_RUN] = "run",
                                         [IB_CELL_SKIP] = "skip",
                                         [IB_CELL_BYPASS] = "bypass"};

struct kind_sum {
    size_t all, cached, guessed;
    double seconds, mib; /* mib: the largest worker seen; 0: none */
};

static void sum_kinds(const struct ib_plan *p, struct ib_timings *t,
                      struct kind_sum sums[IB_NODE_KINDS])
{
    memset(sums, 0, IB_NODE_KINDS * sizeof(*sums));
    for (size_t i = 0; i < p->n_nodes; i++) {
        struct kind_sum *k = &sums[p->nodes[i].kind];
        int class = ib_timings_class(t, &p->nodes[i]);

        k->all++;
        k->mib = fmax(k->mib, ib_timings_mib(t, class));
        if (p->nodes[i].outcome == IB_CACHED) {
            k->cached++;
            continue;
        }
        k->seconds += ib_timings_estimate(t, class);
        k->guessed += !ib_timings_known(t, class);
    }
}

static void count_cells(const struct ib_plan *p, size_t counts[3])
{
    memset(counts, 0, 3 * sizeof(*counts));
    for (size_t i = 0; i < p->n_cells; i++)
        counts[p->cells[i].plan]++;
}

static void note_judges(const struct ib_plan *p, struct ib_text *out)
{
    for (int m = 0; m < p->suite->n_models; m++) {
        const struct ib_model *target =
            (const struct ib_model *)p->suite->models[m].use.plugin;
        int others = 0;

        for (int e = 0; e < p->suite->n_evaluators; e++) {
            const struct ib_model *judge =
                (const struct ib_model *)p->suite->evaluators[e].use.plugin;

            others += strcmp(judge->family, target->family) != 0;
        }
        if (others < 2)
            ib_text_add(out,
                        "model %s is judged by %d evaluator%s of another "
                        "family than its own (%s); leakage needs two\n",
                        p->suite->models[m].id, others, others == 1 ? "" : "s",
                        target->family);
    }
}

enum ib_status ib_plan_show(const struct ib_plan *p, const char *store_dir,
                            int jobs, struct ib_text *out, struct ib_error *err)
{
    struct ib_timings *t = ib_timings_open(store_dir);
    struct kind_sum sums[IB_NODE_KINDS], total = {0};
    size_t cells[3];
    char text[32];

    if (!t)
        return ib_error_set(err, IB_E_NOMEM, "plan: no memory");
    sum_kinds(p, t, sums);
    count_cells(p, cells);
    ib_text_add(out, "%s: %zu cell%s (%zu run, %zu bypass, %zu skip)\n\n",
                p->suite->name, p->n_cells, p->n_cells == 1 ? "" : "s",
                cells[IB_CELL_RUN], cells[IB_CELL_BYPASS], cells[IB_CELL_SKIP]);
    ib_text_add(out, "%-10s %8s %8s %8s %10s  %10s\n", "artifacts", "all",
                "cached", "to do", "estimate", "memory");
    for (int k = 0; k < IB_NODE_KINDS; k++) {
        ib_duration(sums[k].seconds, text, sizeof(text));
        ib_text_add(out, "%-10s %8zu %8zu %8zu %10s%s", ib_node_kind_names[k],
                    sums[k].all, sums[k].cached, sums[k].all - sums[k].cached,
                    text, sums[k].guessed ? " ?" : "  ");
        if (sums[k].mib > 0)
            ib_text_add(out, "%6.0f MiB\n", sums[k].mib);
        else
            ib_text_add(out, "%10s\n", sums[k].all ? "?" : "-");
        total.seconds += sums[k].seconds;
        total.guessed += sums[k].guessed;
    }
    ib_duration(total.seconds / jobs, text, sizeof(text));
    ib_text_add(out, "\nestimate %s with %d job%s%s\n", text, jobs,
                jobs == 1 ? "" : "s",
                total.guessed ? " (? = never measured on this store: a guess)"
                              : "");
    ib_text_add(out, "memory: the largest worker of its kind so far\n");
    note_judges(p, out);
    ib_timings_free(t);
    return ib_text_status(out, err);
}

struct matrix {
    const char *reasons[REASONS_MAX];
    int n;          /* reasons */
    int name_width; /* of the longest row name */
};

/* The number of a reason in the legend; 0: none, or no room. */
static int reason_number(const char **reasons, int *n, const char *reason)
{
    if (!reason)
        return 0;
    for (int i = 0; i < *n; i++)
        if (strcmp(reasons[i], reason) == 0)
            return i + 1;
    if (*n == REASONS_MAX)
        return 0;
    reasons[(*n)++] = reason;
    return *n;
}

static const struct ib_cell *find_cell(const struct ib_plan *p,
                                       const struct ib_cell *like)
{
    for (size_t i = 0; i < p->n_cells; i++) {
        const struct ib_cell *c = &p->cells[i];

        if (c->seed == 0 && c->model == like->model &&
            c->defense == like->defense && c->attack == like->attack &&
            c->access == like->access)
            return c;
    }
    return NULL;
}

static void row_name(const struct ib_plan *p, const struct ib_cell *at,
                     char *out, size_t n)
{
    snprintf(out, n, "%.100s/%s", p->suite->attacks[at->attack].id,
             ib_level_names[at->access]);
}

/* An attack that its own filters keep from this model has no row. */
static bool row_is_there(const struct ib_plan *p, struct ib_cell at)
{
    if (!(p->suite->attacks[at.attack].access & IB_GRANTS(at.access)))
        return false;
    for (at.defense = 0; at.defense < p->suite->n_defenses; at.defense++)
        if (find_cell(p, &at))
            return true;
    return false;
}

static void matrix_row(const struct ib_plan *p, struct ib_cell at,
                       struct matrix *m, struct ib_text *out)
{
    char name[160];

    row_name(p, &at, name, sizeof(name));
    ib_text_add(out, "  %-*s", m->name_width, name);
    for (at.defense = 0; at.defense < p->suite->n_defenses; at.defense++) {
        const struct ib_cell *c = find_cell(p, &at);
        int width = (int)strlen(p->suite->defenses[at.defense].id);
        char cell[32] = "-";

        if (c) {
            int number = reason_number(m->reasons, &m->n, c->reason);

            snprintf(cell, sizeof(cell), number ? "%s (%d)" : "%s",
                     plan_names[c->plan], number);
        }
        ib_text_add(out, "  %-*s", width > CELL_WIDTH ? width : CELL_WIDTH,
                    cell);
    }
    ib_text_add(out, "\n");
}

typedef void (*row_visit)(const struct ib_plan *p, struct ib_cell at,
                          struct matrix *m, struct ib_text *out);

static void measure_row(const struct ib_plan *p, struct ib_cell at,
                        struct matrix *m, struct ib_text *out)
{
    char name[160];

    (void)out;
    row_name(p, &at, name, sizeof(name));
    if ((int)strlen(name) > m->name_width)
        m->name_width = (int)strlen(name);
}

static void each_row(const struct ib_plan *p, int model, struct matrix *m,
                     row_visit visit, struct ib_text *out)
{
    for (int a = 0; a < p->suite->n_attacks; a++)
        for (int level = 0; level < IB_LEVELS; level++) {
            struct ib_cell at = {
                .model = model, .attack = a, .access = (enum ib_level)level};

            if (row_is_there(p, at))
                visit(p, at, m, out);
        }
}

static void matrix_model(const struct ib_plan *p, int model, struct matrix *m,
                         struct ib_text *out)
{
    ib_text_add(out, "model %s\n  %-*s", p->suite->models[model].id,
                m->name_width, "");
    for (int d = 0; d < p->suite->n_defenses; d++)
        ib_text_add(out, "  %-*s", CELL_WIDTH, p->suite->defenses[d].id);
    ib_text_add(out, "\n");
    each_row(p, model, m, matrix_row, out);
    ib_text_add(out, "\n");
}

void ib_plan_show_matrix(const struct ib_plan *p, struct ib_text *out)
{
    struct matrix m = {.n = 0};

    for (int i = 0; i < p->suite->n_models; i++)
        each_row(p, i, &m, measure_row, out);
    for (int i = 0; i < p->suite->n_models; i++)
        matrix_model(p, i, &m, out);
    for (int i = 0; i < m.n; i++)
        ib_text_add(out, "(%d) %s\n", i + 1, m.reasons[i]);
}

static cJSON *cell_json(const struct ib_plan *p, const struct ib_cell *c)
{
    cJSON *o = cJSON_CreateObject();
    char name[160];

    ib_cell_name(p, c, name, sizeof(name));
    cJSON_AddStringToObject(o, "name", name);
    cJSON_AddStringToObject(o, "plan", plan_names[c->plan]);
    if (c->reason)
        cJSON_AddStringToObject(o, "reason", c->reason);
    if (c->attack_node >= 0)
        cJSON_AddStringToObject(o, "reconstructions",
                                p->nodes[c->attack_node].key);
    return o;
}

static cJSON *node_json(const struct ib_plan_node *n)
{
    cJSON *o = cJSON_CreateObject();

    cJSON_AddStringToObject(o, "kind", ib_node_kind_names[n->kind]);
    cJSON_AddStringToObject(o, "label", n->label);
    cJSON_AddStringToObject(o, "key", n->key);
    cJSON_AddBoolToObject(o, "cached", n->outcome == IB_CACHED);
    cJSON_AddItemToObject(o, "inputs",
                          cJSON_CreateIntArray(n->input, n->n_inputs));
    return o;
}

cJSON *ib_plan_json(const struct ib_plan *p, const char *store_dir)
{
    struct ib_timings *t = ib_timings_open(store_dir);
    struct kind_sum sums[IB_NODE_KINDS];
    cJSON *o = cJSON_CreateObject(), *list;
    double seconds = 0;

    cJSON_AddStringToObject(o, "suite", p->suite->name);
    list = cJSON_AddArrayToObject(o, "cells");
    for (size_t i = 0; i < p->n_cells; i++)
        cJSON_AddItemToArray(list, cell_json(p, &p->cells[i]));
    list = cJSON_AddArrayToObject(o, "artifacts");
    for (size_t i = 0; i < p->n_nodes; i++)
        cJSON_AddItemToArray(list, node_json(&p->nodes[i]));
    if (t)
        sum_kinds(p, t, sums);
    for (int k = 0; t && k < IB_NODE_KINDS; k++)
        seconds += sums[k].seconds;
    cJSON_AddNumberToObject(o, "estimated_cpu_seconds", seconds);
    ib_timings_free(t);
    return o;
}
