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
static void check(struct ib_site *s, struct ib_site_open *e)
{
    struct ib_entry entry = {.manifest = e->manifest, .name = e->name};
    struct ib_error why;
    cJSON *schema = NULL;
    size_t before = s->f->n;

    snprintf(entry.dir, sizeof entry.dir, "%s", e->dir);
    if (ib_schema_open("entry", &schema, &why))
        ib_finding_error(s->f, e->name, &why);
    else
        ib_schema_check(schema, e->manifest, e->name, s->f);
    cJSON_Delete(schema);
    if (s->f->n > before)
        return;
    if (strcmp(ib_at_text(e->manifest, "name"), e->name) != 0)
        ib_finding(s->f, e->name, IB_ENTRY_FILE, "bears another name: \"%s\"",
                   ib_at_text(e->manifest, "name"));
    else if (ib_entry_check_files(&entry, s->f, &why))
        ib_finding_error(s->f, e->name, &why);
}

static void open_all(struct ib_site *s, struct ib_site_open *e)
{
    const cJSON *files = ib_at(e->manifest, "files");
    struct ib_error why;

    if (ib_json_key(e->manifest, e->hash, &why) ||
        read_json(e, "results.json", &e->results, &why) ||
        read_json(e, "suite.json", &e->suite, &why) ||
        (ib_at(files, "images/index.json") &&
         read_json(e, "images/index.json", &e->index, &why)) ||
        ib_view_open(e->results, "results.json", &e->view, &why))
        ib_finding_error(s->f, e->name, &why);
    if (read_json(e, IB_ENTRY_RECORD, &e->verified, NULL))
        e->verified = NULL;
}

enum ib_status ib_site_entry_open(struct ib_site *s, const char *name,
                                  struct ib_site_open *e, bool *there,
                                  struct ib_error *err)
{
    size_t before = s->f->n;
    struct ib_error why;

    memset(e, 0, sizeof *e);
    e->name = name;
    if (snprintf(e->dir, sizeof e->dir, "%s/%s", s->results, name) >= PATH_MAX)
        return ib_error_set(err, IB_E_USAGE, "%.80s...: the path is too long",
                            s->results);
    if (read_json(e, IB_ENTRY_FILE, &e->manifest, &why))
        ib_finding_error(s->f, name, &why);
    else
        check(s, e);
    if (s->f->n == before)
        open_all(s, e);
    *there = s->f->n == before;
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
