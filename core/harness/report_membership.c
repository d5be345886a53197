/* Membership inference: a row a target, a column an attack. */
#include <math.h>
#include <string.h>

#include "report_page.h"

enum { ATTACKS_MAX = 8 };

struct table {
    const struct ib_page *p;
    const cJSON *rows; /* results "membership" */
    const char *attack[ATTACKS_MAX];
    int n;
};

/* The attacks of the first row that has any. */
static void find_attacks(struct table *t)
{
    const cJSON *row, *a;

    cJSON_ArrayForEach(row, t->rows)
    {
        cJSON_ArrayForEach(a, ib_view_object(row, "attacks"))
        {
            if (t->n < ATTACKS_MAX)
                t->attack[t->n++] = a->string;
        }
        if (t->n > 0)
            return;
    }
}

static bool same_target(const cJSON *a, const cJSON *b)
{
    return strcmp(ib_view_text(a, "model"), ib_view_text(b, "model")) == 0 &&
           strcmp(ib_view_text(a, "defense"), ib_view_text(b, "defense")) == 0;
}

static const cJSON *measure_of(const cJSON *row, const char *attack,
                               const char *measure)
{
    return ib_view_object(
        ib_view_object(ib_view_object(row, "attacks"), attack), measure);
}

/* Mean over the seeds of a target; from the lowest to the highest bound. */
static struct ib_estimate over_seeds(const struct table *t, const cJSON *target,
                                     const char *attack, const char *measure)
{
    struct ib_estimate e = {.value = NAN, .low = NAN, .high = NAN};
    const cJSON *row;
    double sum = 0;
    int n = 0;

    cJSON_ArrayForEach(row, t->rows)
    {
        const cJSON *x = measure_of(row, attack, measure);
        double value = ib_view_number(x, "value");

        if (!same_target(row, target) || isnan(value))
            continue;
        sum += value;
        n++;
        e.low = fmin(e.low, ib_view_number(x, "low"));
        e.high = fmax(e.high, ib_view_number(x, "high"));
    }
    e.value = n ? sum / n : NAN;
    return e;
}

static void add_measure(const struct table *t, const cJSON *target,
                        const char *attack, const char *measure,
                        const char *what)
{
    struct ib_estimate e = over_seeds(t, target, attack, measure);

    if (isnan(e.value))
        return;
    ib_text_add(t->p->t, "<small>%s %.1f %% ", what, 100 * e.value);
    if (!isnan(e.low) && !isnan(e.high))
        ib_text_add(t->p->t, "[%.1f, %.1f]", 100 * e.low, 100 * e.high);
    ib_text_add(t->p->t, "</small>");
}

static void add_target(const struct table *t, const cJSON *target)
{
    struct ib_text *out = t->p->t;

    ib_html_add(out, "<tr><th scope=row>%s<small>behind %s</small></th>",
                ib_view_text(target, "model"), ib_view_text(target, "defense"));
    for (int a = 0; a < t->n; a++) {
        struct ib_estimate e = over_seeds(t, target, t->attack[a], "auc");

        ib_text_add(out, "<td class=n>");
        ib_page_number(out, e.value);
        ib_text_add(out, " <small>");
        ib_page_interval(out, &e);
        ib_text_add(out, "</small>");
        add_measure(t, target, t->attack[a], "tpr_0.01", "at 1 %:");
        add_measure(t, target, t->attack[a], "tpr_0.001", "at 0.1 %:");
        ib_text_add(out, "</td>");
    }
    ib_text_add(out, "</tr>\n");
}

static bool is_first(const struct table *t, const cJSON *target)
{
    const cJSON *row;

    cJSON_ArrayForEach(row, t->rows)
    {
        if (same_target(row, target))
            return row == target;
    }
    return false;
}

static void add_missing(const struct table *t)
{
    const cJSON *row;

    cJSON_ArrayForEach(row, t->rows)
    {
        if (strcmp(ib_view_text(row, "status"), "ok") != 0)
            ib_html_add(
                t->p->t,
                "<p class=note>%s behind %s: %s under one seed: "
                "%s.</p>\n",
                ib_view_text(row, "model"), ib_view_text(row, "defense"),
                ib_view_text(row, "status"), ib_view_text(row, "reason"));
    }
}

static void add_lead(const struct table *t)
{
    const cJSON *row = t->rows->child;
    double members = ib_view_number(row, "members");
    double others = ib_view_number(row, "non_members");

    ib_text_add(
        t->p->t,
        "<h2 id=membership>Who was in the training data?</h2>\n"
        "<p>Membership inference asks of a single image whether the target "
        "learnt from it. Class inversion looks for what a person's images have "
        "in common and misses this leak: a target can give no face away and "
        "still tell whose photographs it has seen. Members are private "
        "training images, non-members held-out images of the same people");
    if (!isnan(members) && !isnan(others))
        ib_text_add(t->p->t, " (%.0f and %.0f)", members, others);
    ib_text_add(t->p->t, ".</p>\n");
}

void ib_page_membership(const struct ib_page *p)
{
    struct table t = {.p = p, .rows = ib_view_array(p->v->root, "membership")};
    const cJSON *row;

    if (cJSON_GetArraySize(t.rows) == 0)
        return;
    find_attacks(&t);
    add_lead(&t);
    ib_page_table(p->t, "Membership inference",
                  "Area under the ROC curve (0.5: guessing, 1: certainty), "
                  "mean over seeds; in brackets the widest 95 % bounds of any "
                  "seed, over resamples of images. Below it the share of "
                  "members found where 1 % (0.1 %) of the others are taken "
                  "for members, if there are images enough to tell.");
    ib_text_add(p->t, "<thead><tr><th scope=col>Target</th>");
    for (int a = 0; a < t.n; a++)
        ib_html_add(p->t, "<th scope=col class=n>%s</th>", t.attack[a]);
    ib_text_add(p->t, "</tr></thead>\n<tbody>\n");
    cJSON_ArrayForEach(row, t.rows)
    {
        if (is_first(&t, row))
            add_target(&t, row);
    }
    ib_page_table_end(p->t);
    add_missing(&t);
}
