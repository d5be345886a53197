/*
 * Under other numerics a training takes another path: what comes out is not
 * the same, but must be as good. For each column the difference (here -
 * submitted) is averaged over the drawn cells of an identity; identities are
 * the sample. Equivalent: both one-sided t tests against the margin reject at
 * 0.05 (Schuirmann, J. Pharmacokinet. Biopharm. 15, 1987). Refuted: the
 * interval lies beyond the margin.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stats.h"
#include "verify.h"

enum { IDENTITIES_MIN = 10, COLUMNS_MAX = 64 };

struct sums { /* by class */
    double *sum;
    int *n, classes;
};

static bool is_judged(const char *column)
{
    return strncmp(column, "acc1@", 5) == 0 || strcmp(column, "ssim") == 0 ||
           strcmp(column, "id_top1") == 0;
}

/* Adds one cell's differences; true when there were any. */
static bool add_cell(struct sums *x, const cJSON *own, const cJSON *theirs,
                     const char *column)
{
    const cJSON *a = ib_at(own, "identities")->child;
    const cJSON *b = ib_at(theirs, "identities")->child;
    bool any = false;

    for (; a && b; a = a->next, b = b->next) {
        double d = ib_at_number(ib_at(a, "scores"), column) -
                   ib_at_number(ib_at(b, "scores"), column);
        int class = (int)ib_at_number(a, "class");
        if (isnan(d) || class < 0 || class >= x->classes)
            continue;
        x->sum[class] += d;
        x->n[class]++;
        any = true;
    }
    return any;
}

static void judge(const struct sums *x, struct ib_equivalence *e)
{
    double sum = 0, squares = 0, mean, se, df, t;
    int n = 0;

    for (int i = 0; i < x->classes; i++) {
        double d = x->n[i] ? x->sum[i] / x->n[i] : 0;
        n += x->n[i] > 0;
        sum += d;
        squares += d * d;
    }
    mean = n ? sum / n : NAN;
    se = n > 1 ? sqrt(fmax(squares - sum * sum / n, 0) / (n - 1) / n) : NAN;
    df = n - 1;
    e->identities = n;
    e->difference = mean;
    e->low = e->high = e->p = NAN;
    e->verdict = IB_INCONCLUSIVE;
    if (n < IDENTITIES_MIN)
        return;
    t = ib_student_quantile(1 - IB_EQUIVALENCE_ALPHA, df);
    e->low = mean - t * se;
    e->high = mean + t * se;
    e->p = se > 0
               ? ib_student_cdf((fabs(mean) - IB_EQUIVALENCE_MARGIN) / se, df)
           : fabs(mean) < IB_EQUIVALENCE_MARGIN ? 0
                                                : 1;
    if (e->p < IB_EQUIVALENCE_ALPHA)
        e->verdict = IB_VERIFIED;
    else if (e->low > IB_EQUIVALENCE_MARGIN || e->high < -IB_EQUIVALENCE_MARGIN)
        e->verdict = IB_REFUTED;
}

static void one_column(struct ib_verify *v, const cJSON *own, struct sums *x,
                       struct ib_equivalence *e)
{
    memset(x->sum, 0, (size_t)x->classes * sizeof *x->sum);
    memset(x->n, 0, (size_t)x->classes * sizeof *x->n);
    for (size_t i = 0; i < v->session->plan->n_cells; i++)
        if (v->drawn[i])
            e->cells +=
                add_cell(x, ib_verify_record(v, own, i),
                         ib_verify_record(v, v->entry->results, i), e->column);
    judge(x, e);
}

/* A cell that came about on one side only is no equivalence. */
static void compare_status(struct ib_verify *v, const cJSON *own)
{
    for (size_t i = 0; i < v->session->plan->n_cells; i++) {
        const cJSON *a = ib_verify_record(v, own, i);
        const cJSON *b = ib_verify_record(v, v->entry->results, i);
        if (v->drawn[i] &&
            strcmp(ib_at_text(a, "status"), ib_at_text(b, "status")) != 0)
            ib_finding(&v->f, "results.json", ib_at_text(a, "name"),
                       "is %s; computed here: %s", ib_at_text(b, "status"),
                       ib_at_text(a, "status"));
    }
}

/* Accuracies are shares of n images: a difference is refuted where it lies
 * more than three standard errors beyond the margin. */
static void compare_accuracy(struct ib_verify *v, const cJSON *own,
                             const char *list)
{
    const cJSON *a = cJSON_GetArrayItem(ib_at(own, list), 0);
    const cJSON *b = cJSON_GetArrayItem(ib_at(v->entry->results, list), 0);

    for (int i = 0; a && b; i++) {
        double n = ib_at_number(a, "n"), x = ib_at_number(a, "accuracy");
        double y = ib_at_number(b, "accuracy"), limit;
        char place[64];
        limit = IB_EQUIVALENCE_MARGIN + 3 * sqrt(0.5 / n);
        snprintf(place, sizeof place, "%s[%d].accuracy", list, i);
        if (fabs(x - y) > limit)
            ib_finding(&v->f, "results.json", place,
                       "%.4f; recomputed here: %.4f, further off than %.4f", y,
                       x, limit);
        v->numbers += isnan(x - y) ? 0 : 1;
        a = a->next;
        b = b->next;
    }
}

static void report(struct ib_verify *v)
{
    for (size_t i = 0; i < v->n_equivalence; i++) {
        const struct ib_equivalence *e = &v->equivalence[i];
        if (e->verdict == IB_REFUTED)
            ib_finding(&v->f, "results.json", e->column,
                       "differs by %.4f [%.4f, %.4f] from what was recomputed "
                       "here; within %g is equivalent",
                       -e->difference, -e->high, -e->low,
                       IB_EQUIVALENCE_MARGIN);
    }
}

enum ib_status ib_verify_equivalence(struct ib_verify *v, const cJSON *own,
                                     struct ib_error *err)
{
    const cJSON *column;
    int classes = (int)ib_at_number(ib_at(own, "dataset"), "classes");
    struct sums x = {.classes = classes > 0 ? classes : 0};

    x.sum = calloc((size_t)x.classes + 1, sizeof *x.sum);
    x.n = calloc((size_t)x.classes + 1, sizeof *x.n);
    v->equivalence = calloc(COLUMNS_MAX, sizeof *v->equivalence);
    if (!x.sum || !x.n || !v->equivalence) {
        free(x.sum);
        free(x.n);
        return ib_error_set(err, IB_E_NOMEM, "no memory for a test");
    }
    compare_status(v, own);
    compare_accuracy(v, own, "utility");
    compare_accuracy(v, own, "evaluators_utility");
    cJSON_ArrayForEach(column, ib_at(own, "columns"))
    {
        const char *name = ib_at_text(column, "name");
        if (!is_judged(name) || v->n_equivalence == COLUMNS_MAX)
            continue;
        struct ib_equivalence *e = &v->equivalence[v->n_equivalence++];
        snprintf(e->column, sizeof e->column, "%s", name);
        one_column(v, own, &x, e);
    }
    report(v);
    free(x.sum);
    free(x.n);
    return IB_OK;
}
