/* An entry made of the small run of results_fixture.h, and a forger who
 * recomputes every hash after an edit. */
#ifndef INVBENCH_TESTS_ENTRY_FIXTURE_H
#define INVBENCH_TESTS_ENTRY_FIXTURE_H

#include "results_fixture.h"

#include "report.h"
#include "tree.h"
#include "verify.h"

struct entry_run {
    struct results_run *run;
    char out[PATH_MAX], entry[PATH_MAX + 16];
    cJSON *own; /* what comes out here */
    struct ib_session session;
};

static inline void make_entry(struct entry_run *r)
{
    struct ib_error err;
    struct ib_findings f = {0};
    struct ib_entry_maker m = {.run = r->out,
                               .out = r->entry,
                               .by = "a test",
                               .program = "test",
                               .weights = "",
                               .force = true,
                               .suite = r->run->suite,
                               .plan = r->run->plan,
                               .env = &r->run->env};
    must(ib_entry_make(&m, &f, &err), &err);
    if (f.n) {
        struct ib_text t = {0};
        ib_findings_text(&f, 10, &t);
        fail_msg("%s", ib_text_string(&t));
    }
    ib_findings_free(&f);
}

static inline void keep_entry(const struct entry_run *r)
{
    char made[PATH_MAX + 32];

    snprintf(made, sizeof made, "%s.made", r->entry);
    assert_int_equal(rename(r->entry, made), 0);
}

/* Without a wait for the disk. */
static inline void entry_put(const char *path, const struct ib_text *t)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(ib_text_string(t), 1, t->size, f), t->size);
    assert_int_equal(fclose(f), 0);
}

static inline int entry_setup(void **state)
{
    void *run = NULL;
    struct entry_run *r = calloc(1, sizeof *r);
    struct ib_error err;

    results_setup(&run);
    r->run = run;
    temp_dir_make(r->out);
    snprintf(r->entry, sizeof r->entry, "%s/entry", r->out);
    r->own = make(r->run);
    must(ib_results_write(r->run->plan, &r->run->env, r->own, r->out, &err),
         &err);
    must(ib_report_sheets(r->run->plan, &r->run->env, r->out, &err), &err);
    make_entry(r);
    keep_entry(r);
    r->session = (struct ib_session){.store = r->run->store,
                                     .env = r->run->env,
                                     .suite = r->run->suite,
                                     .plan = r->run->plan};
    *state = r;
    return 0;
}

/* Before each test: as it was. Copied, since making it waits for the disk. */
static inline int entry_again(void **state)
{
    const struct entry_run *r = *state;
    char command[4 * PATH_MAX];

    snprintf(command, sizeof command, "rm -rf %s && cp -r %s.made %s", r->entry,
             r->entry, r->entry);
    assert_int_equal(system(command), 0);
    return 0;
}

static inline int entry_teardown(void **state)
{
    struct entry_run *r = *state;
    void *run = r->run;

    cJSON_Delete(r->own);
    temp_dir_remove(r->out);
    results_teardown(&run);
    free(r);
    return 0;
}

static inline void entry_file(const struct entry_run *r, const char *name,
                              char out[PATH_MAX])
{
    assert_true(snprintf(out, PATH_MAX, "%s/%s", r->entry, name) < PATH_MAX);
}

static inline cJSON *entry_read(const struct entry_run *r, const char *name)
{
    char path[PATH_MAX];
    struct ib_error err;
    cJSON *v = NULL;

    entry_file(r, name, path);
    must(ib_json_read(path, &v, &err), &err);
    return v;
}

static inline void entry_write(const struct entry_run *r, const char *name,
                               const cJSON *v)
{
    char path[PATH_MAX];
    struct ib_error err;
    struct ib_text t = {0};

    entry_file(r, name, path);
    must(ib_json_canonical(v, &t, &err), &err);
    entry_put(path, &t);
    ib_text_free(&t);
}

/* records.jsonl follows from the cells. */
static inline void forge_records(const struct entry_run *r,
                                 const cJSON *results)
{
    char path[PATH_MAX];
    struct ib_text t = {0};
    struct ib_error err;
    const cJSON *cell;

    cJSON_ArrayForEach(cell, ib_at(results, "cells"))
    {
        must(ib_json_canonical(cell, &t, &err), &err);
        ib_text_add(&t, "\n");
    }
    entry_file(r, "records.jsonl", path);
    entry_put(path, &t);
    ib_text_free(&t);
}

/* Size and hash of every file that entry.json lists, and of the results. */
static inline void forge_hashes(const struct entry_run *r, bool results)
{
    cJSON *manifest = entry_read(r, "entry.json"), *file;
    char path[PATH_MAX], hash[IB_KEY_SIZE];
    struct ib_error err;

    cJSON_ArrayForEach(file, cJSON_GetObjectItem(manifest, "files"))
    {
        struct ib_text t = {0};
        entry_file(r, file->string, path);
        must(ib_file_read(path, 1 << 30, &t, &err), &err);
        ib_sha256(t.data, t.size, hash);
        cJSON_SetValuestring(cJSON_GetObjectItem(file, "sha256"), hash);
        cJSON_SetNumberValue(cJSON_GetObjectItem(file, "bytes"),
                             (double)t.size);
        ib_text_free(&t);
    }
    if (results) {
        cJSON *v = entry_read(r, "results.json");
        must(ib_results_key(v, hash, &err), &err);
        cJSON_SetValuestring(cJSON_GetObjectItem(manifest, "results"), hash);
        cJSON_Delete(v);
    }
    entry_write(r, "entry.json", manifest);
    cJSON_Delete(manifest);
}

/* All that `verify --all` does, but for the computing: what comes out is known.
 * Returns the number of findings. */
static inline size_t verify_all(struct entry_run *r, struct ib_text *what)
{
    struct ib_entry e = {0};
    struct ib_verify v = {.entry = &e, .session = &r->session, .all = true};
    struct ib_error err;
    bool differ[64] = {false};
    size_t n;

    must(ib_entry_open(r->run->registry, r->entry, &e, &v.f, &err), &err);
    must(ib_entry_check(&e, &v.f, &err), &err);
    if (!v.f.n)
        must(ib_verify_data(&v, &err), &err);
    if (!v.f.n && e.same_numerics) {
        must(ib_verify_draw(&v, &err), &err);
        ib_verify_results(&v, r->own);
        if (!v.f.n)
            must(ib_verify_pictures(&v, differ, &err), &err);
        if (!v.f.n)
            must(ib_verify_sheets(&v, &err), &err);
    }
    if (what)
        ib_findings_text(&v.f, 5, what);
    n = v.f.n;
    assert_true(n > 0 || e.same_numerics);
    ib_verify_free(&v);
    ib_entry_close(&e);
    return n;
}

#endif
