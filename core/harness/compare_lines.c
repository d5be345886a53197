/* Which lines a comparison has, and which of their cells are missing. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compare_parts.h"

struct lines {
    struct ib_compare *c;
    size_t room;
    struct ib_place *track[2]; /* of the rows of one track */
};

static struct ib_comparison *line_add(struct lines *x, const char *metric,
                                      enum ib_scope scope,
                                      const struct ib_place place[2])
{
    struct ib_compare *c = x->c;
    struct ib_comparison *l;
    if (c->n_lines == x->room) {
        size_t room = x->room ? 2 * x->room : 32;
        l = realloc(c->lines, room * sizeof *l);
        if (!l)
            return NULL;
        c->lines = l;
        x->room = room;
    }
    l = &c->lines[c->n_lines++];
    *l = (struct ib_comparison){.scope = scope,
                                .model = place[0].model,
                                .defense = place[0].defense,
                                .defense_new = place[1].defense,
                                .attack = place[0].attack,
                                .access = place[0].access,
                                .base = NAN,
                                .fresh = NAN,
                                .d = {NAN, NAN, NAN, NAN, NAN, NULL},
                                .p = NAN,
                                .p_holm = NAN,
                                .p_permuted = NAN,
                                .planned = true};
    snprintf(l->metric, sizeof l->metric, "%s", metric);
    return l;
}

static enum ib_status no_memory(struct ib_error *err)
{
    return ib_error_set(err, IB_E_NOMEM, "no memory for a comparison");
}

/* --- what is missing ------------------------------------------------------ */

struct presence {
    int paired, missing, planned;
    char why[IB_TEXT_MAX];
};

static bool by_design(const cJSON *cell)
{
    return !cell || ib_cell_is(cell, "skipped") || ib_cell_is(cell, "bypass");
}

static void say_missing(struct presence *p, enum ib_side side,
                        const cJSON *cell, double seed)
{
    if (*p->why)
        return;
    if (!cell)
        snprintf(p->why, sizeof p->why, "%s has no such cell (seed %.0f)",
                 ib_side_names[side], seed);
    else
        snprintf(p->why, sizeof p->why, "%s: %.20s (seed %.0f)%s%.150s",
                 ib_side_names[side], ib_view_text(cell, "status"), seed,
                 *ib_view_text(cell, "reason") ? ": " : "",
                 ib_view_text(cell, "reason"));
}

/* Over the paired seeds: how many cells both have, and how many one should
 * have had. */
static struct presence presence_of(const struct ib_compare *c,
                                   const struct ib_place place[2])
{
    struct presence p = {0};
    for (int i = 0; i < c->seeds; i++) {
        const cJSON *cell[2];
        bool ok[2];
        for (int k = 0; k < 2; k++) {
            cell[k] = ib_place_cell(&c->side[k], &place[k], c->seed[i]);
            ok[k] = cell[k] && ib_cell_is(cell[k], "ok");
        }
        if (by_design(cell[0]) && by_design(cell[1]))
            continue;
        p.planned++;
        p.paired += ok[0] && ok[1];
        p.missing += !ok[0] || !ok[1];
        for (int k = 0; k < 2; k++)
            if (!ok[k])
                say_missing(&p, (enum ib_side)k, cell[k], c->seed[i]);
        double budget[] = {ib_view_number(cell[0], "budget"),
                           ib_view_number(cell[1], "budget")};
        if (ok[0] && ok[1] && budget[0] != budget[1] && !*p.why)
            snprintf(p.why, sizeof p.why,
                     "other budget: %.0f queries in BASE, %.0f in NEW",
                     budget[0], budget[1]);
    }
    return p;
}

static void take_presence(struct ib_comparison *l, const struct presence *p)
{
    l->missing = p->missing;
    l->planned = p->planned > 0;
    snprintf(l->reason, sizeof l->reason, "%s", p->why);
}

/* --- rows ------------------------------------------------------------------
 */

/* The defense of NEW that stands in the slot; "" where there is none. */
static const char *defense_of(const struct ib_compare *c, int slot)
{
    int at = c->defense_new[slot];
    return at < 0 ? "" : c->side[IB_NEW].view.defenses.at[at];
}

static void places_of(const struct ib_compare *c, const struct ib_view_row *r,
                      struct ib_place place[2])
{
    const struct ib_view *v = &c->side[IB_BASE].view;
    place[0] =
        (struct ib_place){v->models.at[r->model], v->defenses.at[r->defense],
                          v->attacks.at[r->attack], r->access};
    place[1] = place[0];
    place[1].defense = defense_of(c, r->defense);
}

static bool is_column(const char *metric)
{
    static const char *const others[] = {"leakage", "headline", "accuracy",
                                         "ece", "distortion"};
    for (size_t i = 0; i < IB_COUNT(others); i++)
        if (!strcmp(others[i], metric))
            return false;
    return true;
}

/* Rules on one metric make one line of it. */
static bool is_first(const struct ib_compare *c, size_t rule)
{
    for (size_t i = 0; i < rule; i++)
        if (!strcmp(c->rules[i].metric, c->rules[rule].metric))
            return false;
    return true;
}

static bool is_asked(const struct ib_compare *c, const char *metric)
{
    for (size_t i = 0; i < c->n_rules; i++)
        if (!strcmp(c->rules[i].metric, metric))
            return true;
    return false;
}

static enum ib_status row_lines(struct lines *x, const struct ib_view_row *r,
                                struct ib_error *err)
{
    struct ib_compare *c = x->c;
    struct ib_place place[2];
    places_of(c, r, place);
    const struct ib_place *const places[] = {&place[0], &place[1]};
    struct presence p = presence_of(c, place);
    struct ib_comparison *l = line_add(x, "leakage", IB_SCOPE_ROW, place);
    if (!l)
        return no_memory(err);
    take_presence(l, &p);
    enum ib_status s = p.paired ? ib_line_leakage(c, l, places, 1, err) : IB_OK;
    for (size_t i = 0; !s && i < c->n_rules; i++) {
        if (!is_column(c->rules[i].metric) || !is_first(c, i))
            continue;
        l = line_add(x, c->rules[i].metric, IB_SCOPE_ROW, place);
        if (!l)
            return no_memory(err);
        take_presence(l, &p);
        if (p.paired)
            s = ib_line_row(c, l, place, err);
    }
    return s;
}

/* Both bypassed: the row that carries the number speaks for them. */
static bool is_bypass(const struct ib_compare *c, const struct ib_view_row *r)
{
    struct ib_place place[2];
    if (!ib_view_is(r, "bypass"))
        return false;
    places_of(c, r, place);
    const struct ib_view *v = &c->side[IB_NEW].view;
    for (size_t i = 0; i < v->n_rows; i++) {
        const struct ib_view_row *o = &v->rows[i];
        if (!strcmp(v->models.at[o->model], place[1].model) &&
            !strcmp(v->defenses.at[o->defense], place[1].defense) &&
            !strcmp(v->attacks.at[o->attack], place[1].attack) &&
            !strcmp(o->access, place[1].access))
            return ib_view_is(o, "bypass");
    }
    return false;
}

/* --- headline --------------------------------------------------------------
 */

/* Rows of one track that both runs planned, into x->track; how many. */
static size_t track_rows(struct lines *x, const struct ib_view_row *first,
                         struct presence *all)
{
    const struct ib_view *v = &x->c->side[IB_BASE].view;
    size_t n = 0;
    *all = (struct presence){0};
    for (size_t i = 0; i < v->n_rows; i++) {
        const struct ib_view_row *r = &v->rows[i];
        struct ib_place place[2];
        if (r->model != first->model || r->defense != first->defense ||
            strcmp(r->access, first->access))
            continue;
        places_of(x->c, r, place);
        struct presence p = presence_of(x->c, place);
        if (!p.planned)
            continue;
        all->planned += p.planned;
        all->paired += p.paired;
        all->missing += p.missing;
        if (*p.why && !*all->why)
            snprintf(all->why, sizeof all->why, "%.100s: %.150s",
                     place[0].attack, p.why);
        x->track[0][n] = place[0];
        x->track[1][n++] = place[1];
    }
    return n;
}

static bool is_new_track(const struct ib_view *v, size_t row)
{
    for (size_t i = 0; i < row; i++)
        if (v->rows[i].model == v->rows[row].model &&
            v->rows[i].defense == v->rows[row].defense &&
            !strcmp(v->rows[i].access, v->rows[row].access))
            return false;
    return true;
}

static enum ib_status track_line(struct lines *x, const struct ib_view_row *r,
                                 struct ib_error *err)
{
    struct presence p;
    size_t n = track_rows(x, r, &p);
    if (!n || (n < 2 && !is_asked(x->c, "headline")))
        return IB_OK;
    const struct ib_place *const places[] = {x->track[0], x->track[1]};
    struct ib_place place[] = {x->track[0][0], x->track[1][0]};
    place[0].attack = place[1].attack = NULL;
    struct ib_comparison *l = line_add(x, "headline", IB_SCOPE_TRACK, place);
    if (!l)
        return no_memory(err);
    take_presence(l, &p);
    /* With an attack missing nobody knows what the attacker would keep. */
    return p.missing ? IB_OK : ib_line_leakage(x->c, l, places, n, err);
}

/* --- utility ---------------------------------------------------------------
 */

static struct presence utility_presence(const struct ib_compare *c,
                                        const struct ib_place place[2])
{
    struct presence p = {0};
    for (int i = 0; i < c->seeds; i++) {
        bool ok[2];
        for (int k = 0; k < 2; k++) {
            const cJSON *u = ib_place_utility(&c->side[k], place[k].model,
                                              place[k].defense, c->seed[i]);
            ok[k] = u && ib_cell_is(u, "ok");
            if (!ok[k])
                say_missing(&p, (enum ib_side)k, u, c->seed[i]);
        }
        p.planned++;
        p.paired += ok[0] && ok[1];
        p.missing += !ok[0] || !ok[1];
    }
    return p;
}

static enum ib_status utility_lines(struct lines *x, int model, int slot,
                                    struct ib_error *err)
{
    static const char *const metric[] = {"accuracy", "ece", "distortion"};
    struct ib_compare *c = x->c;
    const struct ib_view *v = &c->side[IB_BASE].view;
    struct ib_place place[2] = {
        {v->models.at[model], v->defenses.at[slot], NULL, NULL},
        {v->models.at[model], defense_of(c, slot), NULL, NULL}};
    struct presence p = utility_presence(c, place);
    enum ib_status s = IB_OK;
    for (size_t i = 0; !s && i < IB_COUNT(metric); i++) {
        if (i && !is_asked(c, metric[i]))
            continue;
        struct ib_comparison *l =
            line_add(x, metric[i], IB_SCOPE_UTILITY, place);
        if (!l)
            return no_memory(err);
        take_presence(l, &p);
        if (p.paired)
            s = ib_line_utility(c, l, place, err);
    }
    return s;
}

static bool has_utility(const struct ib_compare *c, int model, int slot)
{
    const struct ib_view *v = &c->side[IB_BASE].view;
    for (int i = 0; i < c->seeds; i++)
        if (ib_place_utility(&c->side[IB_BASE], v->models.at[model],
                             v->defenses.at[slot], c->seed[i]))
            return true;
    return false;
}

/* --- rows of NEW alone -----------------------------------------------------
 */

static bool base_has(const struct ib_compare *c, const struct ib_view_row *r)
{
    const struct ib_view *b = &c->side[IB_BASE].view;
    const struct ib_view *v = &c->side[IB_NEW].view;
    for (size_t i = 0; i < b->n_rows; i++) {
        const struct ib_view_row *o = &b->rows[i];
        if (c->defense_new[o->defense] == r->defense &&
            !strcmp(b->models.at[o->model], v->models.at[r->model]) &&
            !strcmp(b->attacks.at[o->attack], v->attacks.at[r->attack]) &&
            !strcmp(o->access, r->access))
            return true;
    }
    return false;
}

static enum ib_status rows_alone(struct ib_compare *c, struct ib_error *err)
{
    const struct ib_view *v = &c->side[IB_NEW].view;
    enum ib_status s = IB_OK;
    for (size_t i = 0; !s && i < v->n_rows; i++) {
        const struct ib_view_row *r = &v->rows[i];
        if (!base_has(c, r) && !ib_view_is(r, "skipped"))
            s = ib_compare_say(
                c->unpaired, err, "%.100s/%.100s/%.100s/%.20s: only NEW has it",
                v->models.at[r->model], v->defenses.at[r->defense],
                v->attacks.at[r->attack], r->access);
    }
    return s;
}

enum ib_status ib_compare_lines(struct ib_compare *c, struct ib_error *err)
{
    const struct ib_view *v = &c->side[IB_BASE].view;
    struct lines x = {.c = c};
    enum ib_status s = IB_OK;
    x.track[0] = calloc(2 * v->n_rows + 1, sizeof *x.track[0]);
    if (!x.track[0])
        return no_memory(err);
    x.track[1] = x.track[0] + v->n_rows;
    for (size_t i = 0; !s && i < v->n_rows; i++)
        if (!is_bypass(c, &v->rows[i]))
            s = row_lines(&x, &v->rows[i], err);
    for (size_t i = 0; !s && i < v->n_rows; i++)
        if (is_new_track(v, i))
            s = track_line(&x, &v->rows[i], err);
    for (size_t i = 0; !s && i < v->models.n * v->defenses.n; i++) {
        int model = (int)(i / v->defenses.n), slot = (int)(i % v->defenses.n);
        if (has_utility(c, model, slot))
            s = utility_lines(&x, model, slot, err);
    }
    free(x.track[0]);
    return s ? s : rows_alone(c, err);
}
