/* Utility against leakage: a point a model, defense and access level. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "plots_parts.h"

enum { POINTS_MAX = 40, LABEL_MAX = 44 };

struct point {
    struct ib_estimate x, y;
    int model, defense;
    const char *access;
    bool dominated; /* another is as accurate and leaks less, or the like */
};

/* The largest margin over its control that any attack reaches. */
static struct ib_estimate best_margin(const struct ib_view *v, int model,
                                      int defense, const char *access)
{
    struct ib_estimate best = {.value = NAN};

    for (size_t i = 0; i < v->n_rows; i++) {
        const struct ib_view_row *r = &v->rows[i];
        if (r->model != model || r->defense != defense ||
            strcmp(r->access, access) != 0 || !ib_view_is(r, "ok"))
            continue;
        struct ib_estimate e = ib_view_margin(r, "id_top1");
        if (!isnan(e.value) && !(e.value <= best.value))
            best = e;
    }
    return best;
}

static int index_of(const struct ib_names *names, const char *id)
{
    for (size_t i = 0; i < names->n; i++)
        if (strcmp(names->at[i], id) == 0)
            return (int)i;
    return -1;
}

static bool read_point(const struct ib_view *v, const struct ib_plot *p,
                       const cJSON *headline, struct point *out)
{
    struct point q = {
        .model = index_of(&v->models, ib_view_text(headline, "model")),
        .defense = index_of(&v->defenses, ib_view_text(headline, "defense")),
        .access = ib_view_text(headline, "access"),
        .dominated = p->leakage && cJSON_GetArraySize(ib_view_array(
                                       headline, "dominated_by")) > 0};

    if (q.model < 0 || q.defense < 0)
        return false;
    q.x = ib_view_estimate(
        ib_view_object(ib_view_utility(v, q.model, q.defense), "accuracy"));
    q.y = p->leakage ? ib_view_estimate(ib_view_object(headline, "leakage"))
                     : best_margin(v, q.model, q.defense, q.access);
    *out = q;
    return !isnan(q.x.value) && !isnan(q.y.value);
}

static void add_range(struct ib_text *t, const struct ib_estimate *e)
{
    ib_plot_number(t, e->value);
    ib_plot_number(t, isnan(e->low) ? e->value : e->low);
    ib_plot_number(t, isnan(e->high) ? e->value : e->high);
}

static void add_title(const struct ib_view *v, const struct point *q,
                      struct ib_text *script)
{
    struct ib_text title = {0};

    if (v->models.n > 1)
        ib_text_add(&title, "%s, ", v->models.at[q->model]);
    ib_text_add(&title, "%s (%s%s)", v->defenses.at[q->defense], q->access,
                q->dominated ? ", dominated" : "");
    ib_plot_quote(script, ib_text_string(&title), LABEL_MAX);
    ib_text_free(&title);
}

static void add_point(const struct ib_view *v, const struct ib_plot *p,
                      const struct point *q, int i, struct ib_text *data,
                      struct ib_text *script)
{
    static const int shapes[] = {7, 5, 9, 13, 11, 15}; /* filled ones */

    ib_text_add(data, "%s", i ? "\n\n" : "");
    add_range(data, &q->x);
    add_range(data, &q->y);
    ib_text_add(data, "\n");
    ib_text_add(script,
                "%s'%s.dat' index %d using 1:4:2:3:5:6 with xyerrorbars "
                "pt %d ps 1.1 lw 1.4 lc rgb '%s' title ",
                i ? ", \\\n  " : "plot ", p->name, i,
                shapes[(size_t)i % IB_COUNT(shapes)],
                ib_plot_colors[(size_t)i % IB_PLOT_COLORS]);
    add_title(v, q, script);
}

static int read_points(const struct ib_view *v, struct ib_plot *p,
                       struct point points[POINTS_MAX])
{
    const cJSON *h;
    int n = 0;

    cJSON_ArrayForEach(h, ib_view_array(v->summary, "headline"))
    {
        struct point q;
        if (!read_point(v, p, h, &q))
            continue;
        if (n < POINTS_MAX)
            points[n++] = q;
        else
            p->left_out++;
    }
    return n;
}

static void add_axes(const struct ib_plot *p, const struct point *points, int n,
                     struct ib_text *script)
{
    double low = 1, high = 0, bottom = 0, top = 1;

    for (int i = 0; i < n; i++) {
        bottom = fmin(bottom, points[i].y.value);
        top = fmax(top, points[i].y.value);
        double a = isnan(points[i].x.low) ? points[i].x.value : points[i].x.low;
        double b =
            isnan(points[i].x.high) ? points[i].x.value : points[i].x.high;
        low = fmin(low, a);
        high = fmax(high, b);
    }
    ib_text_add(script,
                "set xrange [%.3f:%.3f]\nset yrange [%.3f:%.3f]\n"
                "set key below Left reverse samplen 1 maxcols 1 height 1\n"
                "set xlabel 'accuracy on held-out images (better: right)' "
                "textcolor rgb '" IB_PLOT_INK "'\n"
                "set ylabel '%s (better: down)' "
                "textcolor rgb '" IB_PLOT_INK "'\n",
                low - 0.03, high + 0.03, bottom - 0.1, top + 0.1,
                p->leakage ? "leakage" : "identified minus control");
}

bool ib_plot_tradeoff(const struct ib_view *v, struct ib_plot *p,
                      struct ib_text *data, struct ib_text *script)
{
    struct point points[POINTS_MAX];
    int n = read_points(v, p, points);

    if (n == 0)
        return false;
    ib_text_add(data, "# accuracy low high leakage low high\n");
    p->width = IB_PLOT_WIDTH;
    p->height = IB_PLOT_HEIGHT + IB_PLOT_LINE * n;
    ib_plot_begin(script, p);
    add_axes(p, points, n, script);
    for (int i = 0; i < n; i++)
        add_point(v, p, &points[i], i, data, script);
    ib_plot_end(script, p);
    return true;
}
