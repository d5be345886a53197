/* What the boards keep of an entry. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json_put.h"
#include "site_parts.h"

const char *const ib_site_tracks[IB_SITE_TRACKS] = {"labels", "scores",
                                                    "gradients", "whitebox"};
const char *const ib_site_track_words[IB_SITE_TRACKS] = {
    "the attacker sees the label that the model answers, nothing else",
    "the attacker sees the model's scores for every class",
    "the attacker can ask for gradients of the model",
    "the attacker has the model itself",
};

const char *ib_site_text(struct ib_site *s, const char *text)
{
    size_t n = strlen(text) + 1;
    char *copy = ib_scratch_take(s->pool, n, 1);

    if (copy)
        memcpy(copy, text, n);
    return copy;
}

static enum ib_status no_memory(struct ib_error *err)
{
    return ib_error_set(err, IB_E_NOMEM, "leaderboard: no memory");
}

/* --- boards -----------------------------------------------------------------
 */

static const cJSON *item_with(const cJSON *list, const char *id)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, list)
    {
        if (strcmp(ib_view_text(item, "id"), id) == 0)
            return item;
    }
    return NULL;
}

/* What must be the same for numbers to stand in one table. */
static enum ib_status board_key(const cJSON *suite, const char *model,
                                char key[IB_KEY_SIZE], struct ib_error *err)
{
    static const char *const parts[] = {"dataset",    "seeds",   "budget",
                                        "evaluators", "attacks", "metrics"};
    bool ok = true;
    cJSON *o = cJSON_CreateObject();
    enum ib_status s;

    for (size_t i = 0; i < IB_COUNT(parts); i++)
        ib_put_copy(&ok, o, parts[i], ib_at(suite, parts[i]));
    ib_put_copy(&ok, o, "model", item_with(ib_at(suite, "models"), model));
    s = ok ? ib_json_key(o, key, err) : no_memory(err);
    cJSON_Delete(o);
    return s;
}

/* "synthfaces, 32 x 32 grey, 30 people" */
static const char *data_words(struct ib_site *s, const cJSON *results)
{
    const cJSON *data = ib_view_object(results, "dataset");
    const cJSON *shape = ib_view_array(data, "shape");
    double side[3] = {NAN, NAN, NAN};
    char words[256];

    for (int i = 0; i < 3; i++) {
        const cJSON *n = cJSON_GetArrayItem(shape, i);
        side[i] = cJSON_IsNumber(n) ? n->valuedouble : NAN;
    }
    snprintf(words, sizeof words, "%.60s, %g \xc3\x97 %g %s, %g identities",
             ib_view_text(data, "name"), side[2], side[1],
             side[0] == 1 ? "grey" : "colour", ib_view_number(data, "classes"));
    return ib_site_text(s, words);
}

static void *grow(void *list, size_t n, size_t size)
{
    size_t bytes;

    if (n & (n - 1)) /* room doubles at powers of two */
        return list;
    return ib_size_mul(n ? 2 * n : 1, size, &bytes) ? realloc(list, bytes)
                                                    : NULL;
}

static int find_board(struct ib_site *s, const struct ib_site_open *e,
                      const char *model, struct ib_error *err)
{
    char key[IB_KEY_SIZE];

    if (board_key(e->suite, model, key, err))
        return -1;
    for (size_t i = 0; i < s->n_boards; i++)
        if (strcmp(s->boards[i].key, key) == 0)
            return (int)i;
    void *list = grow(s->boards, s->n_boards, sizeof *s->boards);
    if (!list) {
        no_memory(err);
        return -1;
    }
    s->boards = list;
    struct ib_site_board *b = &s->boards[s->n_boards];
    *b = (struct ib_site_board){.model = ib_site_text(s, model),
                                .data = data_words(s, e->results)};
    memcpy(b->key, key, sizeof key);
    b->suite = ib_site_text(
        s, ib_view_text(ib_view_object(e->results, "suite"), "name"));
    const cJSON *attack;
    cJSON_ArrayForEach(attack, ib_view_array(e->results, "attacks"))
    {
        if (b->n_attacks < IB_SITE_ATTACKS)
            b->attack[b->n_attacks++] =
                ib_site_text(s, ib_view_text(attack, "id"));
    }
    if (!b->model || !b->data || !b->suite ||
        (b->n_attacks && !b->attack[b->n_attacks - 1])) {
        no_memory(err);
        return -1;
    }
    return (int)s->n_boards++;
}

/* --- curves ------------------------------------------------------------------
 */

/* Lowest acc1 over evaluators; NaN where none judged. */
static double quality(const cJSON *scores)
{
    double least = NAN;
    const cJSON *x;

    cJSON_ArrayForEach(x, scores)
    {
        double v =
            cJSON_IsNumber(x) ? x->valuedouble : ib_view_number(x, "value");
        if (x->string && strncmp(x->string, "acc1@", 5) == 0 && !(v >= least) &&
            !isnan(v))
            least = v;
    }
    return least;
}

struct sums {
    double queries[IB_SITE_POINTS], quality[IB_SITE_POINTS];
    int seeds[IB_SITE_POINTS], n;
};

static void add_point(struct sums *x, double queries, double value)
{
    int i = 0;

    if (isnan(value) || !(queries > 0))
        return;
    while (i < x->n && x->queries[i] != queries)
        i++;
    if (i == IB_SITE_POINTS)
        return;
    if (i == x->n) {
        x->queries[x->n++] = queries;
        x->quality[i] = 0;
        x->seeds[i] = 0;
    }
    x->quality[i] += value;
    x->seeds[i]++;
}

static bool is_cell_of(const cJSON *cell, const cJSON *row)
{
    static const char *const parts[] = {"model", "defense", "attack", "access"};

    for (size_t i = 0; i < IB_COUNT(parts); i++)
        if (strcmp(ib_view_text(cell, parts[i]), ib_view_text(row, parts[i])))
            return false;
    return strcmp(ib_view_text(cell, "status"), "ok") == 0;
}

/* Checkpoints that every seed has, in rising order, and where it ended. */
bool ib_site_curve_of(const struct ib_site *s, const struct ib_site_open *e,
                      const struct ib_view_row *row, struct ib_site_attack *a)
{
    struct sums x = {.n = 0};
    const cJSON *cell, *point;
    double end = 0;
    int cells = 0;

    cJSON_ArrayForEach(cell, ib_view_array(e->results, "cells"))
    {
        if (!is_cell_of(cell, row->json))
            continue;
        cells++;
        end += quality(ib_view_object(cell, "scores"));
        cJSON_ArrayForEach(point, ib_view_array(cell, "curve"))
            add_point(&x, ib_view_number(point, "queries"),
                      quality(ib_view_object(point, "scores")));
    }
    a->queries = ib_scratch_take(s->pool, (size_t)x.n + 1, sizeof(double));
    a->quality = ib_scratch_take(s->pool, (size_t)x.n + 1, sizeof(double));
    if (!a->queries || !a->quality)
        return false;
    for (int i = 0; i < x.n; i++) {
        int at = a->points;
        if (x.seeds[i] < cells)
            continue;
        for (; at > 0 && a->queries[at - 1] > x.queries[i]; at--) {
            a->queries[at] = a->queries[at - 1];
            a->quality[at] = a->quality[at - 1];
        }
        a->queries[at] = x.queries[i];
        a->quality[at] = x.quality[i] / cells;
        a->points++;
    }
    double asked = ib_view_queries(row);
    if (cells && !isnan(end) &&
        (!a->points || asked > a->queries[a->points - 1])) {
        a->queries[a->points] = asked;
        a->quality[a->points++] = end / cells;
    }
    return true;
}

/* --- rows --------------------------------------------------------------------
 */

static bool keep_estimate(struct ib_site *s, struct ib_estimate *e)
{
    e->reason = ib_site_text(s, e->reason ? e->reason : "");
    e->control = "";
    return e->reason != NULL;
}

static void add_flags(const cJSON *row, struct ib_text *flags)
{
    const cJSON *f;

    cJSON_ArrayForEach(f, ib_view_array(row, "flags"))
    {
        const char *name = ib_view_text(f, "name");
        if (!strstr(ib_text_string(flags), name))
            ib_text_add(flags, "%s%s", flags->size ? ", " : "", name);
    }
}

static bool fill_attacks(struct ib_site *s, const struct ib_site_open *e,
                         const cJSON *headline, struct ib_site_row *r)
{
    const cJSON *id;
    struct ib_text flags = {0};
    int n = cJSON_GetArraySize(ib_view_array(headline, "attacks"));
    bool ok = true;

    n = n < IB_SITE_ATTACKS ? n : IB_SITE_ATTACKS;
    r->attack = ib_scratch_take(s->pool, (size_t)n + 1, sizeof *r->attack);
    r->queries = NAN;
    cJSON_ArrayForEach(id, ib_view_array(headline, "attacks"))
    {
        for (size_t i = 0; ok && i < e->view.n_rows && r->n_attacks < n; i++) {
            const struct ib_view_row *row = &e->view.rows[i];
            struct ib_site_attack *a = &r->attack[r->n_attacks];
            if (!cJSON_IsString(id) ||
                strcmp(ib_view_text(row->json, "attack"), id->valuestring) ||
                strcmp(ib_view_text(row->json, "model"),
                       ib_view_text(headline, "model")) ||
                strcmp(ib_view_text(row->json, "defense"), r->defense) ||
                strcmp(row->access, ib_site_tracks[r->track]))
                continue;
            *a = (struct ib_site_attack){.id = ib_site_text(s, id->valuestring),
                                         .leakage = row->leakage};
            ok = r->attack && a->id && keep_estimate(s, &a->leakage) &&
                 ib_site_curve_of(s, e, row, a);
            add_flags(row->json, &flags);
            if (!(ib_view_queries(row) <= r->queries))
                r->queries = ib_view_queries(row);
            r->n_attacks++;
        }
    }
    r->challenge = ib_site_challenged(s, e, headline);
    if (!isnan(r->challenge.value))
        ib_text_add(&flags, "%schallenged", flags.size ? ", " : "");
    r->flags = ib_site_text(s, ib_text_string(&flags));
    ok = ok && r->attack && r->flags && !flags.failed &&
         keep_estimate(s, &r->challenge);
    ib_text_free(&flags);
    return ok;
}

static struct ib_estimate accuracy_of(const struct ib_site_open *e,
                                      const char *model, const char *defense)
{
    const struct ib_view *v = &e->view;
    const cJSON *u = NULL;

    for (size_t m = 0; m < v->models.n; m++)
        for (size_t d = 0; d < v->defenses.n; d++)
            if (strcmp(v->models.at[m], model) == 0 &&
                strcmp(v->defenses.at[d], defense) == 0)
                u = ib_view_utility(v, (int)m, (int)d);
    return ib_view_estimate(ib_view_object(u, "accuracy"));
}

static enum ib_status add_row(struct ib_site *s, const struct ib_site_open *e,
                              const cJSON *headline, int track,
                              struct ib_error *err)
{
    const char *model = ib_view_text(headline, "model");
    const char *defense = ib_view_text(headline, "defense");
    int board = find_board(s, e, model, err);
    double missing = ib_view_number(headline, "missing");
    double seeds = ib_view_number(headline, "seeds");
    const cJSON *stack = ib_view_array(
        item_with(ib_view_array(e->results, "defenses"), defense), "stack");
    void *list = grow(s->rows, s->n_rows, sizeof *s->rows);

    if (board < 0)
        return IB_E_NOMEM;
    if (!list)
        return no_memory(err);
    s->rows = list;
    struct ib_site_row *r = &s->rows[s->n_rows];
    *r = (struct ib_site_row){
        .entry = (int)s->n_entries,
        .board = board,
        .track = track,
        .defense = ib_site_text(s, defense),
        .leakage = ib_view_estimate(ib_view_object(headline, "leakage")),
        .best = ib_view_estimate(ib_view_object(headline, "best")),
        .mean = ib_view_estimate(ib_view_object(headline, "mean")),
        .accuracy = accuracy_of(e, model, defense),
        .missing = missing >= 0 ? (int)missing : 0,
        .seeds = seeds >= 0 ? (int)seeds : 0,
        .bare = cJSON_GetArraySize(stack) == 0,
    };
    if (!r->defense || !keep_estimate(s, &r->leakage) ||
        !keep_estimate(s, &r->best) || !keep_estimate(s, &r->mean) ||
        !keep_estimate(s, &r->accuracy) || !fill_attacks(s, e, headline, r))
        return no_memory(err);
    s->n_rows++;
    return IB_OK;
}

/* What the keeper of the leaderboard recorded, where it is of this very
 * entry. */
static const char *verified_words(struct ib_site *s,
                                  const struct ib_site_open *e)
{
    const cJSON *v = e->verified, *draw = ib_view_object(v, "draw");
    const char *mode = ib_view_text(v, "mode");
    char words[256];
    bool other = cJSON_GetArraySize(ib_view_array(v, "other_code")) > 0;

    if (strcmp(ib_view_text(ib_view_object(v, "entry"), "sha256"), e->hash) ||
        strcmp(ib_view_text(v, "verdict"), "verified") != 0)
        return "";
    snprintf(words, sizeof words, "%d of %.0f cells %s%s",
             cJSON_GetArraySize(ib_view_array(draw, "cells")),
             ib_view_number(draw, "of"),
             strcmp(mode, "bits") == 0 ? "recomputed bit for bit"
                                       : "rescored, and recomputed to "
                                         "equivalence",
             other ? ", under other code" : "");
    return ib_site_text(s, words);
}

static enum ib_status add_entry(struct ib_site *s, const struct ib_site_open *e,
                                int rows, struct ib_error *err)
{
    const cJSON *from = ib_view_object(e->manifest, "provenance");
    void *list = grow(s->entries, s->n_entries, sizeof *s->entries);

    if (!list)
        return no_memory(err);
    s->entries = list;
    struct ib_site_entry *x = &s->entries[s->n_entries];
    *x = (struct ib_site_entry){
        .name = ib_site_text(s, e->name),
        .title = ib_site_text(s, ib_view_text(from, "title")),
        .by = ib_site_text(s, ib_view_text(from, "by")),
        .suite = ib_site_text(
            s, ib_view_text(ib_view_object(e->results, "suite"), "name")),
        .data = data_words(s, e->results),
        .numerics = ib_site_text(s, ib_view_text(e->results, "numerics")),
        .hash = ib_site_text(s, e->hash),
        .verified = verified_words(s, e),
        .rows = rows};
    if (!x->name || !x->title || !x->by || !x->suite || !x->data ||
        !x->numerics || !x->hash || !x->verified)
        return no_memory(err);
    s->n_entries++;
    return IB_OK;
}

enum ib_status ib_site_collect(struct ib_site *s, const struct ib_site_open *e,
                               struct ib_error *err)
{
    size_t before = s->n_rows;
    enum ib_status status = IB_OK;
    const cJSON *h;

    cJSON_ArrayForEach(
        h, ib_view_array(ib_view_object(e->results, "summary"), "headline"))
    {
        for (int t = 0; t < IB_SITE_TRACKS && !status; t++)
            if (strcmp(ib_view_text(h, "access"), ib_site_tracks[t]) == 0)
                status = add_row(s, e, h, t, err);
    }
    return status ? status : add_entry(s, e, (int)(s->n_rows - before), err);
}

const struct ib_estimate *ib_site_most(const struct ib_site_row *r)
{
    return r->challenge.value > r->leakage.value ? &r->challenge : &r->leakage;
}

/* By board and track, then the least leakage first, none last. */
static int by_leakage(const void *a, const void *b)
{
    const struct ib_site_row *x = a, *y = b;
    double p = ib_site_most(x)->value, q = ib_site_most(y)->value;

    if (x->board != y->board)
        return x->board < y->board ? -1 : 1;
    if (x->track != y->track)
        return x->track < y->track ? -1 : 1;
    if (isnan(p) || isnan(q) || p == q) {
        int order = (int)isnan(p) - (int)isnan(q);
        return order                  ? order
               : x->entry != y->entry ? (x->entry < y->entry ? -1 : 1)
                                      : strcmp(x->defense, y->defense);
    }
    return p < q ? -1 : 1;
}

void ib_site_rank(struct ib_site *s)
{
    if (s->n_rows)
        qsort(s->rows, s->n_rows, sizeof *s->rows, by_leakage);
    for (size_t i = 0; i < s->n_rows; i++) {
        struct ib_site_row *r = &s->rows[i];
        double x = r->accuracy.value, y = ib_site_most(r)->value;
        r->frontier = !isnan(x) && !isnan(y);
        for (size_t k = 0; k < s->n_rows && r->frontier; k++) {
            const struct ib_site_row *o = &s->rows[k];
            double ox = o->accuracy.value, oy = ib_site_most(o)->value;
            if (o->board == r->board && o->track == r->track && ox >= x &&
                oy <= y && (ox > x || oy < y))
                r->frontier = false;
        }
    }
}
