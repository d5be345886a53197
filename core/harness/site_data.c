/* The numbers as files: CSV (RFC 4180) and JSON. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "entry.h"
#include "site_parts.h"

/* In quotes; a leading = + - @ would be a formula to a spreadsheet. */
static void field(struct ib_text *t, const char *text, bool first)
{
    ib_text_add(t, "%s\"%s", first ? "" : ",",
                *text && strchr("=+-@\t", *text) ? "'" : "");
    for (const char *c = text; *c; c++)
        ib_text_put(t, *c == '"' ? "\"\"" : c, *c == '"' ? 2 : 1);
    ib_text_add(t, "\"");
}

static void number(struct ib_text *t, double x)
{
    if (isnan(x))
        ib_text_add(t, ",");
    else
        ib_text_add(t, ",%.17g", x);
}

static void estimate(struct ib_text *t, const struct ib_estimate *e)
{
    number(t, e->value);
    number(t, e->low);
    number(t, e->high);
}

static enum ib_status write_csv(const struct ib_site *s, struct ib_error *err)
{
    struct ib_text t = {0};
    enum ib_status status;

    ib_text_add(&t, "track,board,suite,data,model,defense,leakage,leakage_low,"
                    "leakage_high,leakage_reason,challenge,challenge_low,"
                    "challenge_high,at_most,at_most_low,"
                    "at_most_high,mean,mean_low,mean_high,accuracy,accuracy_"
                    "low,accuracy_high,queries,"
                    "seeds,missing,not_dominated,flags,entry,by,entry_sha256,"
                    "numerics\r\n");
    for (size_t i = 0; i < s->n_rows; i++) {
        const struct ib_site_row *r = &s->rows[i];
        const struct ib_site_board *b = &s->boards[r->board];
        const struct ib_site_entry *e = &s->entries[r->entry];
        field(&t, ib_site_tracks[r->track], true);
        field(&t, b->key, false);
        field(&t, b->suite, false);
        field(&t, b->data, false);
        field(&t, b->model, false);
        field(&t, r->defense, false);
        estimate(&t, &r->leakage);
        field(&t, r->leakage.reason, false);
        estimate(&t, &r->challenge);
        estimate(&t, &r->best);
        estimate(&t, &r->mean);
        estimate(&t, &r->accuracy);
        number(&t, r->queries);
        ib_text_add(&t, ",%d,%d,%d", r->seeds, r->missing, r->frontier);
        field(&t, r->flags, false);
        field(&t, e->name, false);
        field(&t, e->by, false);
        field(&t, e->hash, false);
        field(&t, e->numerics, false);
        ib_text_add(&t, "\r\n");
    }
    status = ib_site_write(s, "leaderboard.csv", &t, err);
    ib_text_free(&t);
    return status;
}

static void put_estimate(bool *ok, cJSON *o, const char *name,
                         const struct ib_estimate *e)
{
    cJSON *x = ib_put_object(ok, o, name);

    ib_put_number(ok, x, "value", e->value);
    ib_put_number(ok, x, "low", e->low);
    ib_put_number(ok, x, "high", e->high);
    if (isnan(e->value))
        ib_put_text(ok, x, "reason", e->reason);
}

static void put_row(bool *ok, const struct ib_site *s,
                    const struct ib_site_row *r, cJSON *rows)
{
    const struct ib_site_board *b = &s->boards[r->board];
    cJSON *o = ib_put_object(ok, rows, NULL);

    ib_put_text(ok, o, "track", ib_site_tracks[r->track]);
    ib_put_text(ok, o, "board", b->key);
    ib_put_text(ok, o, "model", b->model);
    ib_put_text(ok, o, "data", b->data);
    ib_put_text(ok, o, "suite", b->suite);
    ib_put_text(ok, o, "defense", r->defense);
    ib_put_text(ok, o, "entry", s->entries[r->entry].name);
    put_estimate(ok, o, "leakage", &r->leakage);
    if (isnan(r->challenge.value))
        ib_put(ok, o, "challenge", cJSON_CreateNull());
    else
        put_estimate(ok, o, "challenge", &r->challenge);
    put_estimate(ok, o, "at_most", &r->best);
    put_estimate(ok, o, "mean", &r->mean);
    put_estimate(ok, o, "accuracy", &r->accuracy);
    cJSON *attacks = ib_put_object(ok, o, "attacks");
    for (int k = 0; k < r->n_attacks; k++)
        put_estimate(ok, attacks, r->attack[k].id, &r->attack[k].leakage);
    ib_put_number(ok, o, "queries", r->queries);
    ib_put_number(ok, o, "seeds", r->seeds);
    ib_put_number(ok, o, "missing", r->missing);
    ib_put(ok, o, "not_dominated", cJSON_CreateBool(r->frontier));
    ib_put_text(ok, o, "flags", r->flags);
}

static void put_entry(bool *ok, const struct ib_site_entry *e, cJSON *entries)
{
    cJSON *o = ib_put_object(ok, entries, NULL);

    ib_put_text(ok, o, "name", e->name);
    ib_put_text(ok, o, "title", e->title);
    ib_put_text(ok, o, "by", e->by);
    ib_put_text(ok, o, "suite", e->suite);
    ib_put_text(ok, o, "sha256", e->hash);
    ib_put_text(ok, o, "numerics", e->numerics);
    ib_put_text(ok, o, "verified", *e->verified ? e->verified : NULL);
}

static enum ib_status write_json(const struct ib_site *s, struct ib_error *err)
{
    struct ib_text t = {0};
    bool ok = true;
    cJSON *o = cJSON_CreateObject();
    enum ib_status status;

    ib_put_text(&ok, o, "schema", "invbench.leaderboard/1");
    cJSON *entries = ib_put_array(&ok, o, "entries");
    for (size_t i = 0; i < s->n_entries; i++)
        put_entry(&ok, &s->entries[i], entries);
    cJSON *rows = ib_put_array(&ok, o, "rows");
    for (size_t i = 0; i < s->n_rows; i++)
        put_row(&ok, s, &s->rows[i], rows);
    status = ok ? ib_json_canonical(o, &t, err)
                : ib_error_set(err, IB_E_NOMEM, "leaderboard: no memory");
    if (!status)
        status = ib_site_write(s, "leaderboard.json", &t, err);
    cJSON_Delete(o);
    ib_text_free(&t);
    return status;
}

enum ib_status ib_site_data(const struct ib_site *s, struct ib_error *err)
{
    enum ib_status status = write_csv(s, err);

    return status ? status : write_json(s, err);
}

/* --- one entry
 * ----------------------------------------------------------------- */

static enum ib_status write_table(const struct ib_site *s,
                                  const struct ib_site_open *e,
                                  struct ib_error *err)
{
    static const char *const words[] = {"model", "defense", "attack", "access",
                                        "status"};
    const cJSON *columns = ib_view_array(e->results, "columns"), *c;
    struct ib_text t = {0};
    char name[PATH_MAX];

    ib_text_add(&t, "model,defense,attack,access,status,leakage,leakage_low,"
                    "leakage_high");
    cJSON_ArrayForEach(c, columns)
    {
        ib_text_add(&t, ",");
        field(&t, ib_view_text(c, "name"), true);
    }
    ib_text_add(&t, "\r\n");
    for (size_t i = 0; i < e->view.n_rows; i++) {
        const struct ib_view_row *r = &e->view.rows[i];
        for (size_t k = 0; k < IB_COUNT(words); k++)
            field(&t, ib_view_text(r->json, words[k]), k == 0);
        estimate(&t, &r->leakage);
        cJSON_ArrayForEach(c, columns)
            number(&t, ib_view_column(r, ib_view_text(c, "name")).value);
        ib_text_add(&t, "\r\n");
    }
    snprintf(name, sizeof name, "data/%s/table.csv", e->name);
    enum ib_status status = ib_site_write(s, name, &t, err);
    ib_text_free(&t);
    return status;
}

static enum ib_status copy(const struct ib_site *s,
                           const struct ib_site_open *e, const char *file,
                           struct ib_error *err)
{
    char from[PATH_MAX + 256], to[PATH_MAX];
    const char *base = strrchr(file, '/');

    snprintf(from, sizeof from, "%s/%s", e->dir, file);
    snprintf(to, sizeof to, "data/%s/%s", e->name, base ? base + 1 : file);
    return ib_site_copy(s, from, to, err);
}

enum ib_status ib_site_entry_data(const struct ib_site *s,
                                  const struct ib_site_open *e,
                                  struct ib_error *err)
{
    static const char *const files[] = {"results.json", "suite.json",
                                        IB_ENTRY_FILE};
    char name[PATH_MAX];
    const cJSON *sheet;
    enum ib_status status;

    snprintf(name, sizeof name, "data/%s", e->name);
    status = ib_site_dir(s, name, err);
    for (size_t i = 0; i < IB_COUNT(files) && !status; i++)
        status = copy(s, e, files[i], err);
    if (!status && e->verified)
        status = copy(s, e, IB_ENTRY_RECORD, err);
    cJSON_ArrayForEach(sheet, ib_view_array(e->index, "sheets"))
    {
        const char *file = ib_view_text(sheet, "file");
        snprintf(name, sizeof name, "images/%.200s", file);
        if (!status && *file && !strchr(file, '/') &&
            ib_at(ib_at(e->manifest, "files"), name))
            status = copy(s, e, name, err);
    }
    return status ? status : write_table(s, e, err);
}
