/*
 * The headline of a defense: one attacker runs all attacks of a track (access
 * level) and, for each identity, keeps the one whose image the target itself
 * is surest of; of several that it is equally sure of, their mean, since
 * nothing tells the attacker which to take. Beside it the evaluators' own
 * choice, which no attacker can beat (against controls from which they choose
 * as well: headline_best.c), and the mean over the attacks. Only attacks that
 * ran on every stack that the track compares take part. Cells that did not come
 * about count as 0 in the lower and as 1 in the upper end.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "results_parts.h"

struct track {
    const struct ib_summary *s;
    int model, defense;
    enum ib_level access;
    const struct ib_row **row; /* n_rows of them; n are used */
    int n, missing;
    const struct ib_row **left_out; /* ran on some stacks alone; n_rows */
    int n_left_out;
    const char *bypass;
    const char *id[IB_LEAKAGE_EVALUATORS];
    int n_id;
};

/* One row of the track: counts what is missing; false when it has no part. */
static bool track_takes(struct track *t, const struct ib_row *r)
{
    int skipped = 0, planned = 0, missing = 0;
    for (int k = 0; k < t->s->g->seeds; k++) {
        if (!r->scored[k])
            continue;
        bool skip = !strcmp(r->scored[k]->status, "skipped");
        planned++;
        skipped += skip;
        missing += !r->scored[k]->scores && !skip;
    }
    if (skipped == planned)
        return false;
    t->missing += missing;
    return true;
}

static bool is_skipped(const struct ib_summary *s, const struct ib_row *r)
{
    if (r->first->plan == IB_CELL_SKIP)
        return true;
    for (int k = 0; k < s->g->seeds; k++)
        if (r->scored[k] && strcmp(r->scored[k]->status, "skipped"))
            return false;
    return true;
}

/* Has the stack any attack of the track; the one, where attack >= 0? */
static bool stack_has(const struct track *t, int defense, int attack)
{
    const struct ib_summary *s = t->s;
    for (size_t i = 0; i < s->n_rows; i++) {
        const struct ib_cell *c = s->rows[i].first;
        if (c->model == t->model && c->defense == defense &&
            c->access == t->access && (attack < 0 || c->attack == attack) &&
            !is_skipped(s, &s->rows[i]))
            return true;
    }
    return false;
}

static bool runs_everywhere(const struct track *t, int attack)
{
    for (int d = 0; d < t->s->g->plan->suite->n_defenses; d++)
        if (stack_has(t, d, -1) && !stack_has(t, d, attack))
            return false;
    return true;
}

static void track_fill(struct track *t)
{
    const struct ib_summary *s = t->s;
    const struct ib_scored *control[IB_RESULTS_SEEDS];
    for (size_t i = 0; i < s->n_rows; i++) {
        const struct ib_row *r = &s->rows[i];
        const struct ib_cell *c = r->first;
        if (c->model != t->model || c->defense != t->defense ||
            c->access != t->access)
            continue;
        if (c->plan == IB_CELL_BYPASS)
            t->bypass = c->reason;
        if (c->plan != IB_CELL_RUN || is_skipped(s, r))
            continue;
        if (!runs_everywhere(t, c->attack))
            t->left_out[t->n_left_out++] = r;
        else if (track_takes(t, r))
            t->row[t->n++] = r;
    }
    /* Who would have judged is known from the controls, also of cells that
     * did not come about. */
    ib_control_row(s->g, t->model, "holdout", control);
    t->n_id = ib_row_evaluators(s->g, control, t->id, IB_LEAKAGE_EVALUATORS);
    if (!t->n_id && t->n)
        t->n_id = ib_row_evaluators(s->g, t->row[0]->scored, t->id,
                                    IB_LEAKAGE_EVALUATORS);
}

/* scores[column][slot of class]; NaN when there is none. */
static double value_of(const struct ib_scored *x, const cJSON *column,
                       int class)
{
    const cJSON *target = cJSON_GetArrayItem(ib_at(x->scores, "targets"), 0);
    const cJSON *value = cJSON_GetArrayItem(column, 0);
    for (; target && value; target = target->next, value = value->next)
        if (target->valueint == class)
            return cJSON_IsNumber(value) ? value->valuedouble : NAN;
    return NAN;
}

enum way { BY_TARGET, BEST, MEAN, WAYS };
static const char *const way_names[WAYS] = {"leakage", "best", "mean"};

struct choice {
    const char *column; /* what is taken over */
    enum way way;   /* by the target's answer; the highest; the mean of all */
    double missing; /* what a cell that did not come about counts as */
};

static bool is_target(const struct ib_suite_attack *a, int class)
{
    for (int i = 0; i < a->identities.n; i++)
        if (a->identities.v[i] == class)
            return true;
    return a->identities.n == 0;
}

/* Did the cell not come about, that was to attack this class? */
static bool is_lost(const struct track *t, int i, int seed, int class)
{
    const struct ib_suite *suite = t->s->g->plan->suite;
    const struct ib_row *r = t->row[i];
    const struct ib_scored *x = r->scored[seed];
    return x && !x->scores && strcmp(x->status, "skipped") &&
           is_target(&suite->attacks[r->first->attack], class);
}

/* How high the attack ranks for one seed and identity; *value: its own. */
static double rank_of(const struct track *t, const struct choice *c, int i,
                      const int at[2], double *value)
{
    const struct ib_scored *x = t->row[i]->scored[at[0]];
    *value = NAN;
    if (!x || !x->scores)
        return NAN;
    *value = value_of(x, ib_at(ib_at(x->scores, "values"), c->column), at[1]);
    return c->way == BY_TARGET ? value_of(x, ib_at(x->scores, "answers"), at[1])
           : c->way == BEST    ? *value
                               : 0;
}

/* The value of the attack that is chosen for one seed and identity; the mean
 * where several are. */
static double chosen(const struct track *t, const struct choice *c, int seed,
                     int class)
{
    double best = -INFINITY, sum = 0;
    int n = 0, lost = 0;
    for (int i = 0; i < t->n; i++) {
        double v, rank = rank_of(t, c, i, (const int[2]){seed, class}, &v);
        lost += is_lost(t, i, seed, class);
        if (isnan(v) || isnan(rank) || rank < best)
            continue;
        if (rank > best)
            sum = n = 0;
        best = rank;
        sum += v;
        n++;
    }
    if (lost && c->way == MEAN)
        return (sum + lost * c->missing) / (n + lost);
    if (lost && (c->missing > 0 || !n))
        return c->missing;
    return n ? sum / n : NAN;
}

static enum ib_status task_make(const struct track *t, enum way way,
                                double missing, struct ib_leakage_task *out,
                                struct ib_error *err)
{
    const struct ib_gather *g = t->s->g;
    enum ib_status status =
        ib_calibration(t->s, t->model, t->id, t->n_id, out, err);
    for (int e = 0; !status && e < t->n_id; e++) {
        char column[2 * IB_NAME_MAX];
        struct ib_panel *q = &out->evaluator[e].q;
        struct choice c = {column, way, missing};
        snprintf(column, sizeof column, "acc1@%s", t->id[e]);
        *q = ib_panel_make(g->seeds, g->people);
        if (!q->v)
            status = ib_error_set(err, IB_E_NOMEM, "no memory for a summary");
        for (int i = 0; q->v && i < g->seeds * g->classes; i++)
            q->v[i / g->classes * g->people + g->person[i]] =
                chosen(t, &c, i / g->classes, i % g->classes);
    }
    if (!status && way == BEST)
        status = ib_maximise_controls(t->s, t->n, out, err);
    if (status)
        ib_leakage_task_free(out);
    return status;
}

static enum ib_status scenario(const struct track *t, enum way way,
                               double missing, struct ib_leakage *out,
                               const char **evaluator, struct ib_error *err)
{
    struct ib_leakage_task task;
    enum ib_status status = task_make(t, way, missing, &task, err);
    if (status)
        return status;
    status = ib_leakage_make(&task, out, err);
    if (!status && out->evaluator >= 0)
        *evaluator = task.evaluator[out->evaluator].id;
    ib_leakage_task_free(&task);
    return status;
}

/* The end of an interval, or the value where there is none. */
static double end_of(double end, double value)
{
    return isnan(end) ? value : end;
}

static enum ib_status put_choice(const struct track *t, enum way way, cJSON *o,
                                 struct ib_error *err)
{
    struct ib_leakage low, high;
    const char *evaluator = NULL;
    char why[IB_TEXT_MAX];
    bool ok = true;
    enum ib_status status = scenario(t, way, 0, &low, &evaluator, err);
    if (!status && t->missing)
        status = scenario(t, way, 1, &high, &evaluator, err);
    if (status)
        return status;
    snprintf(why, sizeof why, "%s", low.reason);
    if (!t->n)
        snprintf(why, sizeof why, "%s",
                 t->bypass       ? t->bypass
                 : t->n_left_out ? "no attack ran on every stack"
                                 : "no attack of this track can run");
    else if (!t->n_id)
        snprintf(why, sizeof why, "no cell of this track came about");
    else if (t->missing && !isnan(low.interval.value)) {
        snprintf(why, sizeof why,
                 "%d cell%s missing: counted as 0 in the lower end, as 1 in "
                 "the upper",
                 t->missing, t->missing == 1 ? " is" : "s are");
        low.interval.low = end_of(low.interval.low, low.interval.value);
        low.interval.high = end_of(high.interval.high, high.interval.value);
        low.interval.value = NAN;
        evaluator = NULL;
    }
    ib_put_leakage(&ok, o, way_names[way], &low.interval, why, evaluator);
    return ok ? IB_OK
              : ib_error_set(err, IB_E_NOMEM, "no memory for a summary");
}

static void put_extent(bool *ok, const struct track *t, cJSON *o)
{
    int seeds = 0, identities = 0;
    for (int k = 0; k < t->s->g->seeds; k++) {
        bool any = false;
        for (int i = 0; i < t->n; i++) {
            const struct ib_scored *x = t->row[i]->scored[k];
            int n = x ? cJSON_GetArraySize(ib_at(x->scores, "targets")) : 0;
            any |= x && x->scores;
            identities = n > identities ? n : identities;
        }
        seeds += any;
    }
    ib_put_number(ok, o, "missing", t->missing);
    ib_put_number(ok, o, "seeds", seeds);
    ib_put_number(ok, o, "identities", identities);
}

static enum ib_status put_track(const struct track *t, cJSON *out,
                                struct ib_error *err)
{
    const struct ib_suite *suite = t->s->g->plan->suite;
    bool ok = true;
    cJSON *o = ib_put_object(&ok, out, NULL);
    ib_put_text(&ok, o, "model", suite->models[t->model].id);
    ib_put_text(&ok, o, "defense", suite->defenses[t->defense].id);
    ib_put_text(&ok, o, "access", ib_level_names[t->access]);
    cJSON *attacks = ib_put_array(&ok, o, "attacks");
    for (int i = 0; i < t->n; i++)
        ib_put_text(&ok, attacks, NULL,
                    suite->attacks[t->row[i]->first->attack].id);
    attacks = ib_put_array(&ok, o, "left_out");
    for (int i = 0; i < t->n_left_out; i++)
        ib_put_text(&ok, attacks, NULL,
                    suite->attacks[t->left_out[i]->first->attack].id);
    put_extent(&ok, t, o);
    if (!ok)
        return ib_error_set(err, IB_E_NOMEM, "no memory for a summary");
    enum ib_status status = IB_OK;
    for (enum way w = 0; w < WAYS && !status; w++)
        status = put_choice(t, w, o, err);
    return status;
}

enum ib_status ib_summary_headline(const struct ib_summary *s, cJSON *out,
                                   struct ib_error *err)
{
    const struct ib_suite *suite = s->g->plan->suite;
    enum ib_status status = IB_OK;
    int levels = suite->n_defenses * IB_LEVELS;
    const struct ib_row **rows = calloc(2 * s->n_rows + 1, sizeof *rows);
    if (!rows)
        return ib_error_set(err, IB_E_NOMEM, "no memory for a summary");
    for (int i = 0; !status && i < suite->n_models * levels; i++) {
        struct track t = {.s = s,
                          .row = rows,
                          .left_out = rows + s->n_rows,
                          .model = i / levels,
                          .defense = i / IB_LEVELS % suite->n_defenses,
                          .access = (enum ib_level)(i % IB_LEVELS)};
        track_fill(&t);
        if (t.n || t.bypass || t.n_left_out)
            status = put_track(&t, out, err);
    }
    free(rows);
    return status;
}
