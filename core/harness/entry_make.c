/* An entry out of a run's directory: copies, and entry.json over them. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "entry.h"
#include "run_results.h"
#include "tree.h"

enum { FILE_LIMIT = 1 << 30 };

struct making {
    const struct ib_entry_maker *m;
    cJSON *results, *files;
};

static enum ib_status path_in(const char *dir, const char *name,
                              char out[PATH_MAX], struct ib_error *err)
{
    if (snprintf(out, PATH_MAX, "%s/%s", dir, name) < PATH_MAX)
        return IB_OK;
    return ib_error_set(err, IB_E_USAGE, "%.80s...: the path is too long", dir);
}

static enum ib_status make_dir(const char *dir, const char *name,
                               struct ib_error *err)
{
    char path[PATH_MAX];
    enum ib_status s = path_in(dir, name, path, err);

    if (!s && mkdir(path, 0777) != 0 && errno != EEXIST)
        s = ib_error_set(err, IB_E_IO, "%s: %s", path, strerror(errno));
    return s;
}

/* Writes a file of the entry and lists it. */
static enum ib_status add(struct making *k, const char *name, const void *data,
                          size_t n, struct ib_error *err)
{
    char path[PATH_MAX], hash[IB_KEY_SIZE];
    bool ok = true;
    enum ib_status s = path_in(k->m->out, name, path, err);

    if (!s)
        s = ib_file_write(path, data, n, err);
    if (s)
        return s;
    ib_sha256(data, n, hash);
    cJSON *o = ib_put_object(&ok, k->files, name);
    ib_put_text(&ok, o, "sha256", hash);
    ib_put_number(&ok, o, "bytes", (double)n);
    return ok ? IB_OK
              : ib_error_set(err, IB_E_NOMEM, "no memory for entry.json");
}

static enum ib_status copy(struct making *k, const char *name,
                           struct ib_error *err)
{
    char path[PATH_MAX];
    struct ib_text t = {0};
    enum ib_status s = path_in(k->m->run, name, path, err);

    if (!s)
        s = ib_file_read(path, FILE_LIMIT, &t, err);
    if (!s)
        s = add(k, name, ib_text_string(&t), t.size, err);
    ib_text_free(&t);
    return s;
}

static enum ib_status add_json(struct making *k, const char *name,
                               const cJSON *v, struct ib_error *err)
{
    struct ib_text t = {0};
    enum ib_status s = ib_json_canonical(v, &t, err);

    ib_text_put(&t, "\n", 1);
    if (!s)
        s = ib_text_status(&t, err);
    if (!s)
        s = add(k, name, t.data, t.size, err);
    ib_text_free(&t);
    return s;
}

static enum ib_status add_reconstructions(struct making *k,
                                          struct ib_error *err)
{
    const cJSON *cell;
    double first = (double)k->m->suite->seeds[0];
    enum ib_status s = make_dir(k->m->out, "reconstructions", err);

    cJSON_ArrayForEach(cell, ib_at(k->results, "cells"))
    {
        const char *name = ib_at_text(cell, "reconstructions");
        if (!s && name &&
            (k->m->every_seed || ib_at_number(cell, "seed") == first))
            s = copy(k, name, err);
    }
    return s;
}

/* The contact sheets that the run's index names. */
static enum ib_status add_images(struct making *k, struct ib_error *err)
{
    char path[PATH_MAX], name[PATH_MAX];
    const cJSON *sheet;
    cJSON *index = NULL;
    struct stat st;
    enum ib_status s = path_in(k->m->run, "images/index.json", path, err);

    if (s || k->m->no_sheets || stat(path, &st) != 0)
        return s;
    s = make_dir(k->m->out, "images", err);
    if (!s)
        s = copy(k, "images/index.json", err);
    if (!s)
        s = ib_json_read(path, &index, err);
    cJSON_ArrayForEach(sheet, ib_at(index, "sheets"))
    {
        const char *file = ib_at_text(sheet, "file");
        if (!s && file && !strchr(file, '/') &&
            snprintf(name, sizeof name, "images/%s", file) < (int)sizeof name)
            s = copy(k, name, err);
    }
    cJSON_Delete(index);
    return s;
}

/* One evaluator's weights as a file of their own. */
static enum ib_status write_weights(struct making *k, const char *key,
                                    const char *hash, struct ib_error *err)
{
    const struct ib_entry_maker *m = k->m;
    bool inside = *m->weights == '\0';
    char name[IB_KEY_SIZE + 32], path[PATH_MAX];
    struct ib_artifact a;
    enum ib_status s = ib_store_get(m->env->store, key, &a, err);

    if (s)
        return s;
    snprintf(name, sizeof name, "%s%s.f32", inside ? IB_ENTRY_WEIGHTS "/" : "",
             hash);
    if (inside) {
        s = ib_at(k->files, name) ? IB_OK : add(k, name, a.data, a.size, err);
    } else {
        s = path_in(m->weights, name, path, err);
        if (!s)
            s = ib_file_write(path, a.data, a.size, err);
    }
    ib_artifact_free(&a);
    return s;
}

static enum ib_status add_weights(struct making *k, struct ib_error *err)
{
    const char *dir = k->m->weights;
    const cJSON *row;
    enum ib_status s = IB_OK;

    if (!dir)
        return IB_OK;
    if (*dir == '\0')
        s = make_dir(k->m->out, IB_ENTRY_WEIGHTS, err);
    else if (mkdir(dir, 0777) != 0 && errno != EEXIST)
        s = ib_error_set(err, IB_E_IO, "%s: %s", dir, strerror(errno));
    cJSON_ArrayForEach(row, ib_at(k->results, "evaluators_utility"))
    {
        const char *key = ib_at_text(row, "key");
        const char *hash = ib_at_text(row, "weights");
        if (!s && key && hash)
            s = write_weights(k, key, hash, err);
    }
    return s;
}

static const char *base_of(const char *dir)
{
    const char *at = strrchr(dir, '/');

    return at ? at + 1 : dir;
}

/* entry.json but for "files". */
static enum ib_status describe(struct making *k, cJSON *o, struct ib_error *err)
{
    const struct ib_entry_maker *m = k->m;
    char key[IB_KEY_SIZE];
    bool ok = true;
    cJSON *code = NULL, *files = NULL;
    enum ib_status s = ib_results_key(k->results, key, err);

    if (!s)
        s = ib_plan_code(m->plan, &code, err);
    ib_put_text(&ok, o, "schema", "invbench.entry/1");
    ib_put_text(&ok, o, "name", base_of(m->out));
    cJSON *suite = ib_put_object(&ok, o, "suite");
    ib_put_copy(&ok, suite, "name", ib_at(ib_at(k->results, "suite"), "name"));
    ib_put_copy(&ok, suite, "sha256",
                ib_at(ib_at(k->results, "suite"), "sha256"));
    ib_put_copy(&ok, o, "numerics", ib_at(k->results, "numerics"));
    ib_put(&ok, o, "code", code);
    if (!s)
        s = ib_plan_files(m->plan, &files, err);
    ib_put(&ok, ib_put_object(&ok, o, "data"), "files", files);
    ib_put_text(&ok, o, "results", key);
    cJSON *from = ib_put_object(&ok, o, "provenance");
    ib_put_text(&ok, from, "title", m->title);
    ib_put_text(&ok, from, "by", m->by);
    ib_put_text(&ok, from, "url", m->url);
    ib_put_text(&ok, from, "notes", m->notes);
    ib_put_text(&ok, from, "program", m->program);
    return s ? s : ok ? IB_OK : ib_error_set(err, IB_E_NOMEM, "no memory");
}

static enum ib_status write_manifest(struct making *k, struct ib_error *err)
{
    struct ib_text t = {0};
    cJSON *o = cJSON_CreateObject();
    char path[PATH_MAX];
    enum ib_status s = describe(k, o, err);

    if (!s && !cJSON_AddItemToObject(o, "files", k->files))
        s = ib_error_set(err, IB_E_NOMEM, "no memory for entry.json");
    else if (!s)
        k->files = NULL;
    if (!s)
        s = ib_json_pretty(o, &t, err);
    if (!s)
        s = path_in(k->m->out, IB_ENTRY_FILE, path, err);
    if (!s)
        s = ib_file_write(path, t.data, t.size, err);
    ib_text_free(&t);
    cJSON_Delete(o);
    return s;
}

static enum ib_status fill(struct making *k, struct ib_error *err)
{
    enum ib_status s = add_json(k, "results.json", k->results, err);

    if (!s)
        s = copy(k, "suite.json", err);
    if (!s)
        s = add_reconstructions(k, err);
    if (!s)
        s = add_images(k, err);
    if (!s)
        s = add_weights(k, err);
    return s ? s : write_manifest(k, err);
}

/* The run must be of this program and come to its end. */
static enum ib_status check_run(const struct making *k, struct ib_error *err)
{
    const char *numerics = ib_at_text(k->results, "numerics");
    const char *suite = ib_at_text(ib_at(k->results, "suite"), "sha256");
    char key[IB_KEY_SIZE];
    enum ib_status s = ib_json_key(k->m->suite->resolved, key, err);

    if (s)
        return s;
    if (!suite || strcmp(key, suite) != 0)
        return ib_error_set(err, IB_E_USAGE,
                            "%s: results.json is not of suite.json: the run "
                            "has not come to its end",
                            k->m->run);
    if (!numerics || strcmp(numerics, ib_numerics(k->m->env->registry)) != 0)
        return ib_error_set(err, IB_E_USAGE,
                            "%s was made by another build of invbench (%s); "
                            "run it again with this one, or submit it with "
                            "that one",
                            k->m->run, numerics ? numerics : "unknown");
    return IB_OK;
}

/* old: where an entry that --force replaces stands until the new one is
 * checked; empty: there was none. */
static enum ib_status check_out(const struct ib_entry_maker *m,
                                char old[PATH_MAX], struct ib_error *err)
{
    struct stat st;

    *old = '\0';
    if (stat(m->out, &st) != 0)
        return IB_OK;
    if (!m->force)
        return ib_error_set(err, IB_E_USAGE,
                            "%s is there already; --force replaces it", m->out);
    if (S_ISDIR(st.st_mode) && !ib_is_entry(m->out) && rmdir(m->out) == 0)
        return IB_OK;
    if (S_ISDIR(st.st_mode) && ib_is_entry(m->out)) {
        if (snprintf(old, PATH_MAX, "%s.replaced", m->out) < PATH_MAX &&
            rename(m->out, old) == 0)
            return IB_OK;
        return ib_error_set(err, IB_E_IO, "%s cannot be moved to %s", m->out,
                            old);
    }
    return ib_error_set(err, IB_E_USAGE,
                        "%s is no entry, so it is not replaced", m->out);
}

/* The replaced entry comes back where the new one did not come about. */
static enum ib_status settle_old(const char *out, const char *old, bool back,
                                 enum ib_status s, struct ib_error *err)
{
    if (!*old)
        return s;
    if (!back)
        return ib_tree_remove(old, err);
    if (rename(old, out) != 0 && !s)
        return ib_error_set(err, IB_E_IO, "%s is now %s", out, old);
    return s;
}

static enum ib_status make_and_check(struct making *k, struct ib_findings *f,
                                     struct ib_error *err)
{
    struct ib_entry e = {0};
    enum ib_status s = ib_tree_make(k->m->out, err);

    if (!s)
        s = fill(k, err);
    if (!s)
        s = ib_entry_open(k->m->env->registry, k->m->out, &e, f, err);
    if (!s)
        s = ib_entry_check(&e, f, err);
    ib_entry_close(&e);
    return s;
}

enum ib_status ib_entry_make(const struct ib_entry_maker *m,
                             struct ib_findings *f, struct ib_error *err)
{
    struct making k = {.m = m, .files = cJSON_CreateObject()};
    char old[PATH_MAX] = "";
    enum ib_status s = ib_run_results(m->run, &k.results, err);

    if (!s)
        s = check_run(&k, err);
    if (!s)
        s = check_out(m, old, err);
    if (!s) {
        s = make_and_check(&k, f, err);
        /* a leaderboard would show what is left here */
        if ((s || f->n) && ib_tree_remove(m->out, s ? NULL : err) && !s)
            s = IB_E_IO;
        s = settle_old(m->out, old, s || f->n, s, err);
    }
    cJSON_Delete(k.results);
    cJSON_Delete(k.files);
    return s;
}
