/* The facts behind each row's flags. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "flags.h"
#include "results_parts.h"

static void facts_output(const struct ib_gather *g, const struct ib_row *row,
                         struct ib_flag_facts *f)
{
    for (int s = 0; s < g->seeds; s++) {
        if (!row->scored[s] || !row->scored[s]->scores)
            continue;
        const cJSON *scores = row->scored[s]->scores;
        const cJSON *output = ib_at(scores, "output");
        double spread = ib_at_number(output, "spread");
        if (f->images && !(spread < f->spread))
            continue;
        f->images = (int)(cJSON_GetArraySize(ib_at(scores, "targets")) *
                          ib_at_number(scores, "images"));
        f->distinct = (int)ib_at_number(output, "distinct");
        f->spread = spread;
        f->contrast = ib_at_number(output, "contrast");
    }
}

static double mean_of(const struct ib_scored *x, const char *column)
{
    const cJSON *v, *values = ib_at(ib_at(x->scores, "values"), column);
    double sum = 0;
    int n = 0;
    cJSON_ArrayForEach(v, values)
    {
        if (!cJSON_IsNumber(v))
            continue;
        sum += v->valuedouble;
        n++;
    }
    return n ? sum / n : NAN;
}

/* The seed in which copies exceed those among held-out images most. */
static void facts_copied(const struct ib_gather *g, const struct ib_row *row,
                         struct ib_flag_facts *f)
{
    const struct ib_scored *real[IB_RESULTS_SEEDS];
    ib_control_row(g, row->first->model, "holdout", real);
    for (int s = 0; s < g->seeds; s++) {
        if (!row->scored[s] || !row->scored[s]->scores)
            continue;
        double copied = mean_of(row->scored[s], "copied");
        double chance = real[s] ? mean_of(real[s], "copied") : 0;
        chance = isnan(chance) ? 0 : chance;
        if (!(copied - chance > f->copied - f->copied_real))
            continue;
        f->copied = copied;
        f->copied_real = chance;
    }
}

static const char *stochastic_defense(const struct ib_suite *s,
                                      const struct ib_cell *c)
{
    const struct ib_stack *stack = &s->defenses[c->defense].stack;
    if (c->access >= IB_GRADIENTS)
        return NULL; /* the response does not stand in the way */
    for (int i = 0; i < stack->n; i++) {
        const struct ib_defense *d = ib_stack_at(stack, i);
        if (d->stochastic && d->stage == IB_STAGE_RESPOND)
            return d->plugin.name;
    }
    return NULL;
}

static void facts_cells(const struct ib_gather *g, const struct ib_row *row,
                        struct ib_flag_facts *f)
{
    for (int s = 0; s < g->seeds; s++) {
        const struct ib_scored *x = row->scored[s];
        if (!x || row->first->plan != IB_CELL_RUN ||
            !strcmp(x->status, "skipped"))
            continue;
        f->planned++;
        f->seeds += x->scores != NULL;
        f->missing += x->scores == NULL;
    }
}

static double number_at(const cJSON *list, int slot)
{
    const cJSON *x = cJSON_GetArrayItem(list, slot);
    return cJSON_IsNumber(x) ? x->valuedouble : NAN;
}

/* Did the attack on a slot use up its budget, or did it end by itself? Steps
 * take several queries: what is left of the budget may be too little. */
static bool spent(const cJSON *recon, int slot, double budget)
{
    const cJSON *q = ib_at(recon, "queries");
    double slots = cJSON_GetArraySize(ib_at(recon, "targets"));
    double all = number_at(ib_at(q, "forward"), slot) +
                 number_at(ib_at(q, "label"), slot) +
                 number_at(ib_at(q, "gradient"), slot) +
                 ceil(ib_at_number(q, "shared") / slots);
    return number_at(ib_at(q, "denied"), slot) > 0 || all >= 0.95 * budget;
}

/* What the mean of a column gains from half of the budget on, by identities
 * whose attack spent all of it. */
static double gain_of(const struct ib_scored *x, const char *column,
                      double budget)
{
    const cJSON *then = ib_at(ib_at(x->scores, "half"), column);
    const cJSON *now = ib_at(ib_at(x->scores, "values"), column);
    int slots = cJSON_GetArraySize(now);
    double sum = 0;
    for (int i = 0; i < slots; i++) {
        double gain = number_at(now, i) - number_at(then, i);
        if (!isnan(gain) && spent(x->recon, i, budget))
            sum += gain;
    }
    return slots ? sum / slots : 0;
}

/* Mean over seeds of what Acc@1 gains after half way; the evaluator that
 * gains most. */
static void facts_gain(const struct ib_gather *g, const struct ib_row *row,
                       const char *column, struct ib_flag_facts *f)
{
    const struct ib_suite *suite = g->plan->suite;
    double gain = 0;
    int n = 0;
    f->full = (double)suite->attacks[row->first->attack].max_queries;
    f->half = floor(f->full / 2);
    for (int s = 0; s < g->seeds; s++) {
        const struct ib_scored *x = row->scored[s];
        if (!x || !x->scores)
            continue;
        gain += gain_of(x, column, f->full);
        n++;
    }
    if (n && f->full > 0 && gain / n > f->gain)
        f->gain = gain / n;
}

static void facts_judges(const struct ib_summary *s, size_t index,
                         struct ib_flag_facts *f)
{
    const struct ib_row *row = &s->rows[index];
    const char *id[IB_LEAKAGE_EVALUATORS];
    int n = ib_row_evaluators(s->g, row->scored, id, IB_LEAKAGE_EVALUATORS);
    for (int i = 0; i < n; i++) {
        char column[2 * IB_NAME_MAX];
        double x = s->leakage[index].part[i].acc1;
        snprintf(column, sizeof column, "acc1@%s", id[i]);
        facts_gain(s->g, row, column, f);
        f->acc1_low = i ? fmin(f->acc1_low, x) : x;
        f->acc1_high = i ? fmax(f->acc1_high, x) : x;
    }
}

static bool facts_control(const struct ib_summary *s, const struct ib_row *row,
                          char *text, size_t size, struct ib_error *err)
{
    struct ib_leakage_task t;
    bool found = false;
    if (ib_row_task(s, row, &t, err))
        return false;
    for (int i = 0; i < t.n && !found; i++) {
        const struct ib_leakage_evaluator *e = &t.evaluator[i];
        double ceiling = ib_panel_mean(&e->ceiling, NULL);
        if (ceiling < ib_flag_ceiling_least) {
            snprintf(text, size,
                     "evaluator %s knows only %.1f %% of real held-out images",
                     e->id, 100 * ceiling);
            found = true;
        }
        for (int c = 0; c < IB_FLOORS && !found; c++) {
            double x = ib_panel_mean(&e->floor[c], NULL);
            double limit = ib_flag_floor_limit(
                !strcmp(ib_floor_names[c], "public-best"), s->g->classes);
            found = x > limit;
            if (found)
                snprintf(text, size,
                         "evaluator %s takes the control %s for the person in "
                         "%.1f %% of cases; at most %.1f %% is in range",
                         e->id, ib_floor_names[c], 100 * x, 100 * limit);
        }
    }
    ib_leakage_task_free(&t);
    return found;
}

/* What a row shows: leakage, or the weakest evaluator's Acc@1 without it. */
static double strength(const struct ib_summary *s, size_t row, bool leakage)
{
    const struct ib_leakage *l = &s->leakage[row];
    double least = NAN;
    if (leakage)
        return l->interval.value;
    for (int i = 0; i < IB_LEAKAGE_EVALUATORS; i++)
        if (l->part[i].counts || *l->part[i].reason)
            least =
                isnan(least) ? l->part[i].acc1 : fmin(least, l->part[i].acc1);
    return least;
}

/* Highest strength over the attacks on the same stack at some levels. */
static double strongest(const struct ib_summary *s, size_t row, unsigned levels,
                        bool leakage)
{
    const struct ib_cell *c = s->rows[row].first;
    double best = NAN;
    for (size_t i = 0; i < s->n_rows; i++) {
        const struct ib_cell *r = s->rows[i].first;
        double x = strength(s, i, leakage);
        if (r->model == c->model && r->defense == c->defense &&
            r->plan == IB_CELL_RUN && (levels & IB_GRANTS(r->access)) &&
            !isnan(x))
            best = isnan(best) ? x : fmax(best, x);
    }
    return best;
}

static void facts_masking(const struct ib_summary *s, size_t row,
                          struct ib_flag_facts *f)
{
    const struct ib_cell *c = s->rows[row].first;
    bool leakage = !isnan(s->leakage[row].interval.value);
    f->here = f->labels = NAN;
    if (c->access < IB_GRADIENTS || c->plan != IB_CELL_RUN)
        return;
    f->here = strongest(
        s, row, IB_GRANTS(IB_GRADIENTS) | IB_GRANTS(IB_WHITEBOX), leakage);
    f->labels = strongest(s, row, IB_GRANTS(IB_LABELS), leakage);
}

cJSON *ib_summary_flags(const struct ib_summary *s, size_t index)
{
    const struct ib_row *row = &s->rows[index];
    const struct ib_suite *suite = s->g->plan->suite;
    const struct ib_cell *c = row->first;
    struct ib_flag_facts f = {.accuracy_undefended = NAN,
                              .accuracy = NAN,
                              .here = NAN,
                              .labels = NAN,
                              .leakage_low = NAN,
                              .leakage_high = NAN};
    char control[512];
    if (c->plan != IB_CELL_RUN)
        return cJSON_CreateArray();
    facts_output(s->g, row, &f);
    facts_copied(s->g, row, &f);
    facts_cells(s->g, row, &f);
    facts_judges(s, index, &f);
    facts_masking(s, index, &f);
    f.leakage_low = s->leakage[index].interval.low;
    f.leakage_high = s->leakage[index].interval.high;
    f.stochastic = stochastic_defense(suite, c);
    if (facts_control(s, row, control, sizeof control, NULL))
        f.control = control;
    if (!ib_undefended(suite, c->defense)) {
        f.accuracy = ib_mean_utility(s, c->model, c->defense, "accuracy");
        for (int d = 0; d < suite->n_defenses; d++)
            if (ib_undefended(suite, d))
                f.accuracy_undefended =
                    ib_mean_utility(s, c->model, d, "accuracy");
    }
    return ib_flags_make(&f);
}
