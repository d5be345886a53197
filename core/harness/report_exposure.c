/* Who is exposed most: identities by how often attacks on the undefended
 * model brought them back. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report_page.h"

enum { SHOWN = 12 };

struct exposure { /* one identity in one cell, or summed over cells */
    const char *model, *name;
    double hits, ssim;
    int cells, with_ssim;
};

static int by_name(const void *a, const void *b)
{
    const struct exposure *x = a, *y = b;
    int c = strcmp(x->model, y->model);

    return c ? c : strcmp(x->name, y->name);
}

static int by_share(const void *a, const void *b)
{
    const struct exposure *x = a, *y = b;
    int c = strcmp(x->model, y->model);
    double d = y->hits / y->cells - x->hits / x->cells;

    if (c == 0)
        c = d < 0 ? -1 : d > 0 ? 1 : 0;
    return c ? c : strcmp(x->name, y->name);
}

/* Recognised by every evaluator; by SSIM where there is none. */
static double is_hit(const cJSON *scores)
{
    const cJSON *s;
    double least = NAN;

    cJSON_ArrayForEach(s, scores)
    {
        if (s->string && strncmp(s->string, "acc1@", 5) == 0 &&
            cJSON_IsNumber(s) && !(s->valuedouble >= least))
            least = s->valuedouble;
    }
    return isnan(least) ? ib_view_number(scores, "id_top1") : least;
}

static bool is_bare(const struct ib_page *p, const cJSON *cell)
{
    const struct ib_names *d = &p->v->defenses;

    return d->n > 0 && strcmp(ib_view_text(cell, "defense"),
                              d->at[ib_view_undefended(p->v)]) == 0;
}

/* Fills all (NULL: only counts). */
static size_t collect(const struct ib_page *p, struct exposure *all)
{
    const cJSON *cell, *i;
    size_t n = 0;

    cJSON_ArrayForEach(cell, ib_view_array(p->v->root, "cells"))
    {
        if (!is_bare(p, cell))
            continue;
        cJSON_ArrayForEach(i, ib_view_array(cell, "identities"))
        {
            const cJSON *scores = ib_view_object(i, "scores");
            double hit = is_hit(scores), ssim = ib_view_number(scores, "ssim");
            if (isnan(hit))
                continue;
            if (all)
                all[n] = (struct exposure){ib_view_text(cell, "model"),
                                           ib_view_text(i, "name"),
                                           hit,
                                           isnan(ssim) ? 0 : ssim,
                                           1,
                                           !isnan(ssim)};
            n++;
        }
    }
    return n;
}

static size_t merge(struct exposure *all, size_t n)
{
    size_t kept = 0;

    qsort(all, n, sizeof *all, by_name);
    for (size_t i = 0; i < n; i++) {
        struct exposure *last = kept ? &all[kept - 1] : NULL;
        if (!last || by_name(last, &all[i]) != 0) {
            all[kept++] = all[i];
            continue;
        }
        last->hits += all[i].hits;
        last->ssim += all[i].ssim;
        last->cells += all[i].cells;
        last->with_ssim += all[i].with_ssim;
    }
    qsort(all, kept, sizeof *all, by_share);
    return kept;
}

static void add_identity(const struct ib_page *p, const struct exposure *e)
{
    double share = e->hits / e->cells;
    double width = share < 0 ? 0 : share > 1 ? 1 : share;

    ib_html_add(p->t, "<tr><th scope=row>%s<small>%s</small></th><td class=n>",
                e->name, e->model);
    ib_page_number(p->t, share);
    ib_text_add(p->t,
                "</td><td><span class=bar aria-hidden=true><i "
                "style=\"width:%.0f%%\"></i></span></td><td class=n>%d</td>"
                "<td class=n>",
                100 * width, e->cells);
    ib_page_number(p->t, e->with_ssim ? e->ssim / e->with_ssim : NAN);
    ib_text_add(p->t, "</td></tr>\n");
}

static void add_tables(const struct ib_page *p, const struct exposure *all,
                       size_t n)
{
    size_t shown = 0, hit = 0;

    ib_page_table(p->t, "Exposure by identity",
                  "Share of undefended cells in which every evaluator "
                  "recognises the identity.");
    ib_text_add(p->t, "<thead><tr><th scope=col>Identity</th><th scope=col "
                      "class=n>Recognised</th><th></th><th scope=col class=n>"
                      "Cells</th><th scope=col class=n>Mean SSIM</th></tr>"
                      "</thead>\n<tbody>\n");
    for (size_t i = 0; i < n; i++) {
        shown =
            i && strcmp(all[i].model, all[i - 1].model) == 0 ? shown + 1 : 0;
        hit += all[i].hits > 0;
        if (shown < SHOWN)
            add_identity(p, &all[i]);
    }
    ib_page_table_end(p->t);
    ib_html_add(p->t,
                "<p class=note>The %d most exposed of each model; %d of %d "
                "were recognised at least once. All are in results.json."
                "</p>\n",
                (int)SHOWN, (int)hit, (int)n);
}

enum ib_status ib_page_exposure(const struct ib_page *p, struct ib_error *err)
{
    size_t n = collect(p, NULL);
    struct exposure *all = calloc(n + 1, sizeof *all);

    if (!all)
        return ib_error_set(err, IB_E_NOMEM, "report: no memory");
    ib_text_add(p->t, "<h2 id=exposure>Who is exposed most</h2>\n");
    (void)collect(p, all);
    n = merge(all, n);
    if (n > 0)
        add_tables(p, all, n);
    else
        ib_text_add(p->t, "<p>No undefended cell has scores by identity."
                          "</p>\n");
    free(all);
    return IB_OK;
}
