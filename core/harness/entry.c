/* Reading an entry: its JSON files, its suite, and the plan that they imply. */
#include "entry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "schema.h"

enum ib_status ib_entry_path(const struct ib_entry *e, const char *name,
                             char out[PATH_MAX], struct ib_error *err)
{
    if (snprintf(out, PATH_MAX, "%s/%s", e->dir, name) < PATH_MAX)
        return IB_OK;
    return ib_error_set(err, IB_E_USAGE, "%.80s...: the path is too long",
                        e->dir);
}

bool ib_is_entry(const char *path)
{
    char file[PATH_MAX];
    struct stat st;

    return snprintf(file, sizeof file, "%s/%s", path, IB_ENTRY_FILE) <
               (int)sizeof file &&
           stat(file, &st) == 0 && S_ISREG(st.st_mode);
}

bool ib_entry_lists(const struct ib_entry *e, const char *name)
{
    return ib_at(ib_at(e->manifest, "files"), name) != NULL;
}

/* The directory's own name, without slashes around it. */
static void name_of(struct ib_entry *e)
{
    size_t n = strlen(e->dir);
    const char *at;

    while (n > 1 && e->dir[n - 1] == '/')
        e->dir[--n] = '\0';
    at = strrchr(e->dir, '/');
    e->name = at ? at + 1 : e->dir;
}

/* NULL with a finding where the file is not there, no JSON, or does not fit
 * the schema (NULL: none). */
static cJSON *read_json(const struct ib_entry *e, const char *name,
                        const char *schema, struct ib_findings *f)
{
    char path[PATH_MAX];
    struct ib_error why;
    cJSON *v = NULL, *s = NULL;
    size_t before = f->n;

    if (ib_entry_path(e, name, path, &why) || ib_json_read(path, &v, &why) ||
        (schema && ib_schema_open(schema, &s, &why))) {
        ib_finding_error(f, name, &why);
        cJSON_Delete(v);
        return NULL;
    }
    if (s)
        ib_schema_check(s, v, name, f);
    cJSON_Delete(s);
    if (f->n == before)
        return v;
    cJSON_Delete(v);
    return NULL;
}

/* The first plugin that a resolved suite names and that is of no kind here. */
static const char *missing_plugin(const struct ib_registry *r, const cJSON *v)
{
    const cJSON *name = ib_at(v, "name"), *item;
    const struct ib_plugin *plugin;
    bool here = !cJSON_IsString(name);

    for (int kind = 0; kind < IB_KIND_COUNT && !here; kind++)
        here = ib_registry_find(r, (enum ib_kind)kind, name->valuestring, "",
                                &plugin, NULL) == IB_OK;
    if (!here)
        return name->valuestring;
    cJSON_ArrayForEach(item, v)
    {
        const char *missing = missing_plugin(r, item);
        if (missing)
            return missing;
    }
    return NULL;
}

static void read_suite(const struct ib_registry *registry, struct ib_entry *e,
                       struct ib_findings *f)
{
    static const char *const none[] = {NULL};
    char path[PATH_MAX], wanted[IB_KEY_SIZE], there[IB_KEY_SIZE];
    struct ib_error why;
    cJSON *raw = NULL;

    if (ib_entry_path(e, "suite.json", path, &why) ||
        ib_suite_read(registry, path, none, none, &e->suite, &why) ||
        ib_json_read(path, &raw, &why) || ib_json_key(raw, there, &why) ||
        ib_json_key(e->suite->resolved, wanted, &why))
        ib_finding_error(f, "suite.json", &why);
    else if (strcmp(wanted, there) != 0)
        ib_finding(f, "suite.json", "",
                   "is not in resolved form, as `run` writes it");
    else if (strcmp(ib_at_text(ib_at(e->manifest, "suite"), "sha256"), there))
        ib_finding(f, IB_ENTRY_FILE, "suite.sha256",
                   "is not the hash of suite.json, which is %s", there);
    else if (strcmp(ib_at_text(ib_at(e->manifest, "suite"), "name"),
                    e->suite->name))
        ib_finding(f, IB_ENTRY_FILE, "suite.name",
                   "is not the suite's, which is \"%.80s\"", e->suite->name);
    cJSON_Delete(raw);
}

/* Which hashes of a are not in b. */
static void put_others(bool *ok, const cJSON *a, const cJSON *b, cJSON *out)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, a)
    {
        if (!cJSON_Compare(item, ib_at(b, item->string), true))
            ib_put_text(ok, out, NULL, item->string);
    }
}

static enum ib_status claim(struct ib_entry *e, struct ib_error *err)
{
    const char *own = ib_numerics(e->env.registry);
    struct ib_claim c = {ib_at_text(e->manifest, "numerics"),
                         ib_at(e->manifest, "code")};
    cJSON *code = NULL;
    enum ib_status s = ib_plan_code(e->plan, &code, err);

    if (s)
        return s;
    e->same_numerics = strcmp(c.numerics, own) == 0;
    bool ok = true;
    e->other_code = cJSON_CreateArray();
    put_others(&ok, code, c.code, e->other_code);
    if (cJSON_GetArraySize(e->other_code) == 0)
        put_others(&ok, c.code, code, e->other_code);
    cJSON_Delete(code);
    if (!ok || !e->other_code)
        return ib_error_set(err, IB_E_NOMEM, "no memory for hashes of code");
    e->same_code = cJSON_GetArraySize(e->other_code) == 0;
    return e->same_numerics && e->same_code
               ? IB_OK
               : ib_plan_claim(e->plan, own, &c, err);
}

static void make_plan(struct ib_entry *e, struct ib_findings *f)
{
    struct ib_error why;

    e->env.files = ib_at(ib_at(e->manifest, "data"), "files");
    if (ib_plan_make(e->suite, &e->env, &e->plan, &why) || claim(e, &why))
        ib_finding_error(f, "suite.json", &why);
}

enum ib_status ib_entry_open(const struct ib_registry *registry,
                             const char *dir, struct ib_entry *e,
                             struct ib_findings *f, struct ib_error *err)
{
    enum ib_status s;

    *e = (struct ib_entry){.env.registry = registry};
    if (snprintf(e->dir, sizeof e->dir, "%s", dir) >= (int)sizeof e->dir)
        return ib_error_set(err, IB_E_USAGE, "%.80s...: the path is too long",
                            dir);
    if (!ib_is_entry(e->dir))
        return ib_error_set(err, IB_E_USAGE,
                            "%s is not an entry: it holds no %s", dir,
                            IB_ENTRY_FILE);
    name_of(e);
    e->manifest = read_json(e, IB_ENTRY_FILE, "entry", f);
    if (!e->manifest)
        return IB_OK;
    s = ib_json_key(e->manifest, e->hash, err);
    if (s)
        return s;
    if (strcmp(ib_at_text(e->manifest, "name"), e->name) != 0)
        ib_finding(f, IB_ENTRY_FILE, "name",
                   "is \"%s\"; the directory is called \"%s\"",
                   ib_at_text(e->manifest, "name"), e->name);
    e->results = read_json(e, "results.json", "results", f);
    if (ib_at(ib_at(e->manifest, "files"), "images/index.json"))
        e->index = read_json(e, "images/index.json", NULL, f);
    read_suite(registry, e, f);
    if (e->suite)
        make_plan(e, f);
    return IB_OK;
}

enum ib_status ib_entry_plugins(const struct ib_registry *r, const char *dir,
                                struct ib_error *err)
{
    static const char *const members[] = {"dataset",  "models",  "evaluators",
                                          "defenses", "attacks", "metrics"};
    struct ib_entry e = {0};
    char path[PATH_MAX];
    cJSON *suite = NULL;
    const char *missing = NULL;

    snprintf(e.dir, sizeof e.dir, "%s", dir);
    if (ib_entry_path(&e, "suite.json", path, NULL) ||
        ib_json_read(path, &suite, NULL))
        return IB_OK; /* ib_entry_open() says it */
    for (size_t i = 0; i < IB_COUNT(members) && !missing; i++)
        missing = missing_plugin(r, ib_at(suite, members[i]));
    enum ib_status s =
        missing ? ib_error_set(err, IB_E_USAGE,
                               "%s: its suite names the plugin \"%.60s\", "
                               "which is not in this program: give its module "
                               "with --plugin",
                               dir, missing)
                : IB_OK;
    cJSON_Delete(suite);
    return s;
}

void ib_entry_close(struct ib_entry *e)
{
    ib_plan_free(e->plan);
    ib_suite_free(e->suite);
    cJSON_Delete(e->manifest);
    cJSON_Delete(e->results);
    cJSON_Delete(e->index);
    cJSON_Delete(e->other_code);
    memset(e, 0, sizeof *e);
}
