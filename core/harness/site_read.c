/* Reading one entry for the site. */
#include <stdio.h>
#include <string.h>

#include "entry.h"
#include "schema.h"
#include "site_parts.h"

static enum ib_status read_json(const struct ib_site_open *e, const char *name,
                                cJSON **out, struct ib_error *err)
{
    char path[PATH_MAX];

    *out = NULL;
    if (snprintf(path, sizeof path, "%s/%s", e->dir, name) >= PATH_MAX)
        return ib_error_set(err, IB_E_USAGE, "%.80s...: the path is too long",
                            e->dir);
    return ib_json_read(path, out, err);
}

/* The manifest against its schema, and every file against the manifest. */
static void check(const struct ib_site_open *e, struct ib_findings *f)
{
    struct ib_entry entry = {.manifest = e->manifest, .name = e->name};
    struct ib_error why;
    cJSON *schema = NULL;

    snprintf(entry.dir, sizeof entry.dir, "%s", e->dir);
    if (ib_schema_open("entry", &schema, &why))
        ib_finding_error(f, IB_ENTRY_FILE, &why);
    else
        ib_schema_check(schema, e->manifest, IB_ENTRY_FILE, f);
    cJSON_Delete(schema);
    if (f->n)
        return;
    if (strcmp(ib_at_text(e->manifest, "name"), e->name) != 0)
        ib_finding(f, IB_ENTRY_FILE, "name", "is another: \"%s\"",
                   ib_at_text(e->manifest, "name"));
    else if (ib_entry_check_files(&entry, f, &why))
        ib_finding_error(f, IB_ENTRY_FILE, &why);
}

void ib_site_refuse(struct ib_site *s, const char *name,
                    const struct ib_findings *f)
{
    const cJSON *first = cJSON_GetArrayItem(f->list, 0);
    const char *place = ib_view_text(first, "place");
    char more[48] = "";

    if (f->n > 1)
        snprintf(more, sizeof more, " (and %zu more)", f->n - 1);
    ib_finding(s->f, name, "", "%s: %s%s%s%s", ib_view_text(first, "file"),
               place, *place ? ": " : "", ib_view_text(first, "text"), more);
}

static void open_all(struct ib_site_open *e, struct ib_findings *f)
{
    const cJSON *files = ib_at(e->manifest, "files");
    struct ib_error why;

    if (ib_json_key(e->manifest, e->hash, &why) ||
        read_json(e, "results.json", &e->results, &why) ||
        read_json(e, "suite.json", &e->suite, &why) ||
        (ib_at(files, "images/index.json") &&
         read_json(e, "images/index.json", &e->index, &why)) ||
        ib_view_open(e->results, "results.json", &e->view, &why))
        ib_finding_error(f, "results.json", &why);
    if (read_json(e, IB_ENTRY_RECORD, &e->verified, NULL))
        e->verified = NULL;
}

enum ib_status ib_site_entry_open(struct ib_site *s, const char *name,
                                  struct ib_site_open *e, bool *there,
                                  struct ib_error *err)
{
    struct ib_findings f = {0};
    struct ib_error why;

    memset(e, 0, sizeof *e);
    e->name = name;
    if (snprintf(e->dir, sizeof e->dir, "%s/%s", s->results, name) >= PATH_MAX)
        return ib_error_set(err, IB_E_USAGE, "%.80s...: the path is too long",
                            s->results);
    if (read_json(e, IB_ENTRY_FILE, &e->manifest, &why))
        ib_finding_error(&f, IB_ENTRY_FILE, &why);
    else
        check(e, &f);
    if (!f.n)
        open_all(e, &f);
    *there = f.n == 0;
    if (f.n)
        ib_site_refuse(s, name, &f);
    ib_findings_free(&f);
    return IB_OK;
}

void ib_site_entry_close(struct ib_site_open *e)
{
    ib_view_close(&e->view);
    cJSON_Delete(e->manifest);
    cJSON_Delete(e->results);
    cJSON_Delete(e->suite);
    cJSON_Delete(e->index);
    cJSON_Delete(e->verified);
    memset(e, 0, sizeof *e);
}
