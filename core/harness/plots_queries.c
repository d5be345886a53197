/* Quality against queries: what an attacker holds after 10, 30, 100, ... */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "plots_parts.h"

enum { SERIES_MAX = 14, POINTS_MAX = 64, LABEL_MAX = 44 };

struct series {
    const char *attack, *defense, *access;
    int rank; /* of the defense, then of the attack, in the suite */
    struct {
        double queries, sum;
        int seeds;
    } point[POINTS_MAX];
    int points;
    double end_queries, end_sum; /* over seeds, when all was spent */
    int ends;
};

/* Of a checkpoint a number, of a cell an object with one. */
static double number(const cJSON *v)
{
    return cJSON_IsNumber(v) ? v->valuedouble : ib_view_number(v, "value");
}

/* Lowest acc1 over evaluators; else SSIM. */
static double quality(const cJSON *scores, bool *is_ssim)
{
    double least = NAN;
    const cJSON *s;

    cJSON_ArrayForEach(s, scores)
    {
        double x = number(s);
        if (s->string && strncmp(s->string, "acc1@", 5) == 0 && !isnan(x) &&
            !(x >= least))
            least = x;
    }
    if (!isnan(least))
        return least;
    *is_ssim = true;
    return number(cJSON_GetObjectItemCaseSensitive(scores, "ssim"));
}

static int rank_of(const struct ib_names *names, const char *id)
{
    for (size_t i = 0; i < names->n; i++)
        if (strcmp(names->at[i], id) == 0)
            return (int)i;
    return (int)names->n;
}

static int by_rank(const void *a, const void *b)
{
    const struct series *x = a, *y = b;

    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    return strcmp(x->access, y->access);
}

static struct series *series_of(struct series *all, int *n, const cJSON *cell,
                                int *left_out)
{
    struct series key = {.attack = ib_view_text(cell, "attack"),
                         .defense = ib_view_text(cell, "defense"),
                         .access = ib_view_text(cell, "access")};

    for (int i = 0; i < *n; i++)
        if (strcmp(all[i].attack, key.attack) == 0 &&
            strcmp(all[i].defense, key.defense) == 0 &&
            strcmp(all[i].access, key.access) == 0)
            return &all[i];
    if (*n == SERIES_MAX) {
        ++*left_out;
        return NULL;
    }
    all[*n] = key;
    return &all[(*n)++];
}

static void add_sample(struct series *s, double queries, double value)
{
    int i = 0;

    while (i < s->points && s->point[i].queries < queries)
        i++;
    if (i == s->points || s->point[i].queries > queries) {
        if (s->points == POINTS_MAX)
            return;
        memmove(&s->point[i + 1], &s->point[i],
                (size_t)(s->points - i) * sizeof s->point[0]);
        s->point[i].queries = queries;
        s->point[i].sum = 0;
        s->point[i].seeds = 0;
        s->points++;
    }
    s->point[i].sum += value;
    s->point[i].seeds++;
}

static void add_cell(struct series *s, const cJSON *cell, bool *is_ssim)
{
    const cJSON *point;
    double asked = ib_view_asked(ib_view_object(cell, "queries"));
    double end = quality(ib_view_object(cell, "scores"), is_ssim);

    cJSON_ArrayForEach(point, ib_view_array(cell, "curve"))
    {
        double x = ib_view_number(point, "queries");
        double y = quality(ib_view_object(point, "scores"), is_ssim);
        if (x >= 1 && !isnan(y))
            add_sample(s, x, y);
    }
    if (isnan(asked + end))
        return;
    s->end_queries += asked;
    s->end_sum += end;
    s->ends++;
}

/* What was there when all was spent, where that is more than the last
 * checkpoint. */
static void add_end(struct series *s)
{
    double x = s->ends ? s->end_queries / s->ends : NAN;

    if (s->points == 0 || s->points == POINTS_MAX ||
        !(x > s->point[s->points - 1].queries))
        return;
    s->point[s->points].queries = x;
    s->point[s->points].sum = s->end_sum;
    s->point[s->points++].seeds = s->ends;
}

static int collect(const struct ib_view *v, struct ib_plot *p,
                   struct series *all, bool *is_ssim)
{
    const cJSON *cell;
    int n = 0;

    cJSON_ArrayForEach(cell, ib_view_array(v->root, "cells"))
    {
        const cJSON *curve = ib_view_array(cell, "curve");
        if (strcmp(ib_view_text(cell, "model"), v->models.at[p->model]) != 0 ||
            cJSON_GetArraySize(curve) == 0)
            continue;
        struct series *s = series_of(all, &n, cell, &p->left_out);
        if (!s)
            continue;
        s->rank = rank_of(&v->defenses, s->defense) * (IB_VIEW_NAMES_MAX + 1) +
                  rank_of(&v->attacks, s->attack);
        add_cell(s, cell, is_ssim);
    }
    for (int i = 0; i < n; i++)
        add_end(&all[i]);
    qsort(all, (size_t)n, sizeof *all, by_rank);
    return n;
}

/* Floor and ceiling of the evaluators, drawn where they are the same for all.
 */
static void add_controls(const struct ib_view *v, int model,
                         struct ib_text *script)
{
    double floor = NAN, ceiling = NAN;

    for (size_t i = 0; i < v->n_rows; i++) {
        if (v->rows[i].model != model)
            continue;
        const cJSON *e = ib_view_evaluator(&v->rows[i], NULL);
        double f = ib_view_number(e, "floor");
        double c = ib_view_number(e, "ceiling");
        floor = isnan(f) || floor >= f ? floor : f;
        ceiling = isnan(c) || ceiling <= c ? ceiling : c;
    }
    if (!isnan(ceiling))
        ib_text_add(script,
                    ", \\\n  %.6g with lines lw 1 dt 2 lc rgb '#808080' "
                    "title 'real images (ceiling)'",
                    ceiling);
    if (!isnan(floor))
        ib_text_add(script,
                    ", \\\n  %.6g with lines lw 1 dt 4 lc rgb '#808080' "
                    "title 'best control (floor)'",
                    floor);
}

static int add_series(const struct ib_plot *p, const struct series *s, int i,
                      struct ib_text *data, struct ib_text *script)
{
    struct ib_text title = {0};

    if (s->points == 0)
        return 0;
    ib_text_add(data, "%s", i ? "\n\n" : "");
    for (int k = 0; k < s->points; k++) {
        ib_plot_number(data, s->point[k].queries);
        ib_plot_number(data, s->point[k].sum / s->point[k].seeds);
        ib_text_add(data, " %d\n", s->point[k].seeds);
    }
    ib_text_add(&title, "%s (%s), %s", s->attack, s->access, s->defense);
    ib_text_add(script,
                "%s'%s.dat' index %d using 1:2 with linespoints lw 2 pt %d "
                "ps 0.8 dt %d lc rgb '%s' title ",
                i ? ", \\\n  " : "plot ", p->name, i, 4 + i % 10,
                1 + i / IB_PLOT_COLORS, ib_plot_colors[i % IB_PLOT_COLORS]);
    ib_plot_quote(script, ib_text_string(&title), LABEL_MAX);
    ib_text_free(&title);
    return 1;
}

static void add_axes(bool is_ssim, double most, struct ib_text *script)
{
    ib_text_add(script,
                "set logscale x\nset xrange [8:%.6g]\n"
                "set yrange [%s:1.05]\nset ytics 0.2\n"
                "set format x '%%.0s%%c'\n"
                "set key below Left reverse samplen 2 maxcols 1 height 1\n"
                "set xlabel 'queries an identity' textcolor rgb '" IB_PLOT_INK
                "'\nset ylabel '%s' textcolor rgb '" IB_PLOT_INK "'\n",
                most * 1.3, is_ssim ? "-0.1" : "-0.02",
                is_ssim ? "SSIM to the nearest private photo"
                        : "taken for the right identity");
}

static double most_queries(const struct series *all, int n)
{
    double most = 10;

    for (int i = 0; i < n; i++)
        if (all[i].points > 0)
            most = fmax(most, all[i].point[all[i].points - 1].queries);
    return most;
}

bool ib_plot_queries(const struct ib_view *v, struct ib_plot *p,
                     struct ib_text *data, struct ib_text *script)
{
    struct series *all = calloc(SERIES_MAX, sizeof *all);
    bool is_ssim = false;
    int shown = 0;

    if (!all) {
        data->failed = true;
        return true;
    }
    int n = collect(v, p, all, &is_ssim);
    ib_text_add(data, "# queries quality seeds\n");
    p->width = IB_PLOT_WIDTH;
    p->height = IB_PLOT_HEIGHT + IB_PLOT_LINE * (n + 2);
    ib_plot_begin(script, p);
    add_axes(is_ssim, most_queries(all, n), script);
    for (int i = 0; i < n; i++)
        shown += add_series(p, &all[i], shown, data, script);
    if (!is_ssim && shown > 0)
        add_controls(v, p->model, script);
    ib_plot_end(script, p);
    free(all);
    return shown > 0;
}
