/* The result table on the terminal and as Markdown. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "flags.h"
#include "report.h"
#include "report_view.h"
#include "table.h"
#include "table_width.h"

static const struct ib_table_column columns[] = {
    {"model", false, 8},
    {"attack", false, 10},
    {"access", false, 0},
    {"defense", false, 10},
    {"leakage [low, high]", true, 0},
    {"id@1 (control)", true, 0},
    {"evaluator (floor-ceiling)", true, 0},
    {"queries", true, 0},
    {"accuracy", true, 0},
};

static enum ib_tint tint_of(const struct ib_estimate *e)
{
    if (isnan(e->low) || isnan(e->high))
        return IB_PLAIN;
    if (e->low > 0.5)
        return IB_RED;
    if (e->low > 0)
        return IB_YELLOW;
    return e->high < 0.2 ? IB_GREEN : IB_PLAIN;
}

static void add_leakage(struct ib_table *t, const struct ib_estimate *e)
{
    char a[IB_NUMBER_SIZE], b[IB_NUMBER_SIZE], c[IB_NUMBER_SIZE];

    ib_view_format(a, e->value);
    if (isnan(e->low) || isnan(e->high))
        ib_table_add(t, IB_PLAIN, "%s", a);
    else
        ib_table_add(t, tint_of(e), "%s [%s, %s]", a, ib_view_format(b, e->low),
                     ib_view_format(c, e->high));
}

/* Never a number without what it is to be compared with. */
static void add_compared(struct ib_table *t, const struct ib_view_row *r)
{
    char a[IB_NUMBER_SIZE], b[IB_NUMBER_SIZE], c[IB_NUMBER_SIZE];
    struct ib_estimate id = ib_view_column(r, "id_top1");
    const cJSON *e = ib_view_evaluator(r, NULL);

    ib_table_add(t, IB_PLAIN, "%s (%s)", ib_view_format(a, id.value),
                 ib_view_format(b, id.control_value));
    ib_table_add(t, IB_PLAIN, "%s (%s-%s)",
                 ib_view_format(a, ib_view_number(e, "acc1")),
                 ib_view_format(b, ib_view_number(e, "floor")),
                 ib_view_format(c, ib_view_number(e, "ceiling")));
}

static void add_scores(struct ib_table *t, const struct ib_view *v,
                       const struct ib_view_row *r)
{
    char s[IB_NUMBER_SIZE];
    const cJSON *u = ib_view_utility(v, r->model, r->defense);
    double accuracy = ib_view_estimate(ib_view_object(u, "accuracy")).value;

    add_leakage(t, &r->leakage);
    add_compared(t, r);
    ib_table_add(t, IB_PLAIN, "%s", ib_view_count(s, ib_view_queries(r)));
    ib_table_add(t, IB_PLAIN, "%s", ib_view_format(s, accuracy));
}

static bool is_planned_gap(const struct ib_view_row *r)
{
    return ib_view_is(r, "skipped") || ib_view_is(r, "bypass");
}

static void add_row(struct ib_table *t, const struct ib_view *v,
                    const struct ib_view_row *r)
{
    bool ok = ib_view_is(r, "ok");

    ib_table_add(t, IB_PLAIN, "%s", v->models.at[r->model]);
    ib_table_add(t, IB_PLAIN, "%s", v->attacks.at[r->attack]);
    ib_table_add(t, IB_PLAIN, "%s", r->access);
    ib_table_add(t, IB_PLAIN, "%s", v->defenses.at[r->defense]);
    if (ok) {
        add_scores(t, v, r);
        return;
    }
    ib_table_add(t, IB_RED, "%s", r->status);
    for (size_t c = 5; c < IB_COUNT(columns); c++)
        ib_table_add(t, IB_PLAIN, "%s", "");
}

static void add_rows(struct ib_table *t, const struct ib_view *v)
{
    for (size_t m = 0; m < v->models.n; m++)
        for (size_t l = 0; l < v->n_lines; l++) {
            if (!v->lines[l].runs)
                continue;
            for (size_t d = 0; d < v->defenses.n; d++) {
                const struct ib_view_row *r =
                    ib_view_find(v, (int)m, (int)d, &v->lines[l]);
                if (r && !is_planned_gap(r))
                    add_row(t, v, r);
            }
        }
}

static int count_alike(const struct ib_view *v, const struct ib_view_row *r)
{
    int n = 0;

    for (size_t i = 0; i < v->n_rows; i++)
        n += strcmp(v->rows[i].status, r->status) == 0 &&
             strcmp(v->rows[i].reason, r->reason) == 0;
    return n;
}

static bool said_before(const struct ib_view *v, size_t i)
{
    const struct ib_view_row *r = &v->rows[i];

    for (size_t j = 0; j < i; j++)
        if (strcmp(v->rows[j].status, r->status) == 0 &&
            strcmp(v->rows[j].reason, r->reason) == 0)
            return true;
    return false;
}

/* Why cells have no number, each reason once. */
static void add_reasons(const struct ib_view *v, struct ib_text *out)
{
    enum { MOST = 8 };
    int said = 0;

    for (size_t i = 0; i < v->n_rows; i++) {
        const struct ib_view_row *r = &v->rows[i];
        if (ib_view_is(r, "ok") || said_before(v, i))
            continue;
        if (said++ == MOST) {
            ib_text_add(out, "  ... more in report.html\n");
            return;
        }
        ib_text_add(out, "  ");
        ib_text_fit(out, r->status, ib_text_width(r->status), false);
        ib_text_add(out, " (%d): ", count_alike(v, r));
        ib_text_fit(out, r->reason, ib_text_width(r->reason), false);
        ib_text_add(out, "\n");
    }
}

/* A row that came about, but without leakage. */
static const char *why_none(const struct ib_view_row *r)
{
    return ib_view_is(r, "ok") && isnan(r->leakage.value) ? r->leakage.reason
                                                          : NULL;
}

/* Why leakage is n/a, each reason once. */
static void add_no_leakage(const struct ib_view *v, struct ib_text *out)
{
    for (size_t i = 0; i < v->n_rows; i++) {
        const char *why = why_none(&v->rows[i]), *other;
        int before = 0, n = 0;
        for (size_t j = 0; why && j < v->n_rows; j++) {
            other = why_none(&v->rows[j]);
            if (other && strcmp(other, why) == 0) {
                n++;
                before += j < i;
            }
        }
        if (n == 0 || before || !*why)
            continue;
        ib_text_add(out, "  leakage n/a (%d row%s): ", n, n == 1 ? "" : "s");
        ib_text_fit(out, why, ib_text_width(why), false);
        ib_text_add(out, "\n");
    }
}

static const char *text_of(const struct ib_view_row *r, const char *flag)
{
    const cJSON *f;

    cJSON_ArrayForEach(f, ib_view_array(r->json, "flags"))
    {
        if (strcmp(ib_view_text(f, "name"), flag) == 0)
            return ib_view_text(f, "text");
    }
    return NULL;
}

/* Each flag once: how many rows have it, and what the first one says. */
static void add_flags(const struct ib_view *v, struct ib_text *out)
{
    for (int i = 0; i < IB_FLAG_COUNT; i++) {
        const char *name = ib_flag_rules[i].name, *first = NULL;
        bool differ = false;
        int n = 0;
        for (size_t r = 0; r < v->n_rows; r++) {
            const char *text = text_of(&v->rows[r], name);
            if (text && n++ == 0)
                first = text;
            differ |= text && strcmp(text, first) != 0;
        }
        if (!first)
            continue;
        ib_text_add(out, "  flag %s (%d row%s)%s: ", name, n, n == 1 ? "" : "s",
                    differ ? ", the first" : "");
        ib_text_fit(out, first, ib_text_width(first), false);
        ib_text_add(out, "\n");
    }
}

static enum ib_status fill(const cJSON *results, struct ib_view *v,
                           struct ib_table **t, struct ib_error *err)
{
    enum ib_status s = ib_view_open(results, "results", v, err);

    if (s != IB_OK)
        return s;
    *t = ib_table_create(columns, (int)IB_COUNT(columns));
    if (!*t)
        return ib_error_set(err, IB_E_NOMEM, "table: no memory");
    add_rows(*t, v);
    return ib_table_status(*t, err);
}

enum ib_status ib_report_table(const cJSON *results,
                               const struct ib_console *console,
                               struct ib_error *err)
{
    struct ib_view v = {0};
    struct ib_table *t = NULL;
    struct ib_text text = {0};
    enum ib_status s = fill(results, &v, &t, err);

    if (s != IB_OK)
        goto done;
    int left_out = ib_table_text(t, console->width, console->color, &text);
    if (left_out > 0)
        ib_text_add(&text, "(%d columns do not fit; report.html has them)\n",
                    left_out);
    add_reasons(&v, &text);
    add_no_leakage(&v, &text);
    add_flags(&v, &text);
    s = ib_text_status(&text, err);
    if (s == IB_OK)
        console->out(ib_text_string(&text), text.size);
done:
    ib_text_free(&text);
    ib_table_free(t);
    ib_view_close(&v);
    return s;
}

enum ib_status ib_report_markdown(const cJSON *results, struct ib_text *out,
                                  struct ib_error *err)
{
    struct ib_view v = {0};
    struct ib_table *t = NULL;
    enum ib_status s = fill(results, &v, &t, err);

    if (s == IB_OK) {
        ib_table_markdown(t, out);
        s = ib_text_status(out, err);
    }
    ib_table_free(t);
    ib_view_close(&v);
    return s;
}
