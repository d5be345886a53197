/* An entry made of the small run of results_fixture.h, and a forger who
 * recomputes every hash after an edit. */
#ifndef INVBENCH_TESTS_ENTRY_FIXTURE_H
#define INVBENCH_TESTS_ENTRY_FIXTURE_H

#include "results_fixture.h"

#include "report.h"
#include "tree.h"
#include "verify.h"

/* The least that has a leakage, a bypass, a curve and all flags of a row. */
static const char entry_suite[] =
    "{'schema':'invbench.suite/1','name':'test','summary':'a test','seeds':[1],"
    "'dataset':{'name':'synthfaces','size':32,'identities':12,'train':4,"
    "'holdout':4,'public_identities':3,'public_images':1},"
    "'models':[{'id':'target','name':'softmax','epochs':1,'rate':1e-9}],"
    "'evaluators':[{'id':'e-mlp','name':'mlp','hidden':[32],'epochs':20},"
    "{'id':'e-dae','name':'dae','hidden':[16],'epochs':20}],"
    "'defenses':[{'id':'none','stack':[]},"
    "{'id':'round','stack':[{'name':'round','step':0.05}]}],"
    "'attacks':[{'id':'white','name':'mi-face','access':['gradients']},"
    "{'id':'black','name':'mi-face-blackbox','access':['scores']}],"
    "'access':['gradients','scores'],'budget':{'max_queries':100},"
    "'metrics':['ssim','nearest','identification','accuracy']}";

struct entry_run {
    struct results_run *run;
    char out[PATH_MAX], entry[PATH_MAX + 16];
    cJSON *own;                 /* what comes out here */
    char in_order[IB_KEY_SIZE]; /* of what was last rebuilt without a fault */
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

    results_setup_of(&run, entry_suite);
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

static inline void set_number(cJSON *v, double x)
{
    v->valuedouble = x;
    v->valueint = (int)x;
}

/* Changes a leaf into another of its type where that is possible. */
static inline cJSON *change(cJSON *leaf)
{
    cJSON *was = cJSON_Duplicate(leaf, true);
    if (cJSON_IsNumber(leaf)) {
        set_number(leaf, leaf->valuedouble == 1 ? 0 : leaf->valuedouble + 1);
    } else if (cJSON_IsBool(leaf)) {
        leaf->type ^= cJSON_True | cJSON_False;
    } else if (cJSON_IsString(leaf) && *leaf->valuestring) {
        leaf->valuestring[0] = leaf->valuestring[0] == 'a' ? 'b' : 'a';
    } else {
        leaf->type = cJSON_Number;
        set_number(leaf, 0);
    }
    return was;
}

static inline void change_back(cJSON *leaf, cJSON *was)
{
    leaf->type = was->type;
    set_number(leaf, was->valuedouble);
    if (cJSON_IsString(was) && *was->valuestring)
        leaf->valuestring[0] = was->valuestring[0];
    cJSON_Delete(was);
}

/* Size and hash of every file that entry.json lists, and of the results (NULL:
 * these were not touched). */
static inline void forge_hashes(const struct entry_run *r, const cJSON *results)
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
        must(ib_results_key(results, hash, &err), &err);
        cJSON_SetValuestring(cJSON_GetObjectItem(manifest, "results"), hash);
    }
    entry_write(r, "entry.json", manifest);
    cJSON_Delete(manifest);
}

/* What the rebuilt results are a function of, where files are as listed. */
static inline void rebuilt_key(const struct ib_entry *e, char key[IB_KEY_SIZE])
{
    static const char *const parts[] = {"numerics", "code", "data"};
    struct ib_error err;
    const cJSON *files = ib_at(e->manifest, "files");
    bool ok = true;
    cJSON *o = cJSON_CreateObject();

    for (size_t i = 0; i < IB_COUNT(parts); i++)
        ib_put_copy(&ok, o, parts[i], ib_at(e->manifest, parts[i]));
    ib_put_copy(&ok, o, "results", ib_at(files, "results.json"));
    ib_put_copy(&ok, o, "suite", ib_at(files, "suite.json"));
    assert_true(ok);
    must(ib_json_key(o, key, &err), &err);
    cJSON_Delete(o);
}

/* ib_entry_check; what is dear, rebuilding, only of what was not found to be
 * in order before. */
static inline void check_entry(struct entry_run *r, const struct ib_entry *e,
                               struct ib_findings *f)
{
    struct ib_error err;
    char key[IB_KEY_SIZE] = "";
    size_t before;

    if (e->results && e->suite)
        rebuilt_key(e, key);
    if (*key == '\0' || strcmp(key, r->in_order) != 0) {
        before = f->n;
        must(ib_entry_check(e, f, &err), &err);
        if (f->n == before)
            memcpy(r->in_order, key, sizeof key);
        return;
    }
    must(ib_entry_check_files(e, f, &err), &err);
    ib_entry_check_values(e, f);
    must(ib_entry_check_pictures(e, f, &err), &err);
}

/* All that `verify --all` does, but for the computing: what comes out is known.
 * Returns the number of findings; what: NULL where one is enough. */
static inline size_t verify_all(struct entry_run *r, struct ib_text *what)
{
    struct ib_entry e = {0};
    struct ib_verify v = {.entry = &e, .session = &r->session, .all = true};
    struct ib_error err;
    bool differ[64] = {false};
    size_t n;

    must(ib_entry_open(r->run->registry, r->entry, &e, &v.f, &err), &err);
    if (!v.f.n || what)
        check_entry(r, &e, &v.f);
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
