#include "entry_fixture.h"

/* --- an honest entry -------------------------------------------------------
 */

static void an_honest_entry_has_no_faults(void **state)
{
    struct ib_text what = {0};
    size_t n = verify_all(*state, &what);
    if (n)
        fail_msg("%s", ib_text_string(&what));
    ib_text_free(&what);
}

/* --- a forger: one leaf is changed, every hash is made to fit ---------------
 */

enum { PATTERN_MAX = 1024 };

struct edit {
    struct entry_run *run;
    const char *file; /* that is edited */
    cJSON *root;
    cJSON *results; /* where they change, too; NULL: not */
    void (*attempt)(struct edit *e, cJSON *leaf, const char *pattern);
    cJSON *seen; /* patterns that were tried already */
    int edits, whole;
};

static void forge(const struct edit *e)
{
    entry_write(e->run, e->file, e->root);
    forge_hashes(e->run, e->results);
}

/* One in 64: few enough to write whole entries for. */
static bool is_sampled(const char *pattern)
{
    char hash[IB_KEY_SIZE];
    ib_sha256(pattern, strlen(pattern), hash);
    return hash[0] == '0' && hash[1] < '4';
}

/* What was computed against the edited results, in memory; some of the edits
 * also as files, with everything that looks at files. */
static void edit_results(struct edit *e, cJSON *leaf, const char *pattern)
{
    struct ib_findings f = {0};
    struct ib_diff d = {.file = e->file, .here = "own", .f = &f};
    cJSON *was = change(leaf);
    char member[64]; /* of the root, that the leaf is in: the first name */

    snprintf(member, sizeof member, "%.*s", (int)strcspn(pattern + 1, "."),
             pattern + 1);
    ib_json_diff(&d, ib_at(e->run->own, member), ib_at(e->root, member),
                 member);
    if (f.n != 1)
        fail_msg("%s, %s: %zu findings", e->file, pattern, f.n);
    if (is_sampled(pattern)) {
        forge(e);
        if (verify_all(e->run, NULL) == 0)
            fail_msg("%s, %s: not caught", e->file, pattern);
        e->whole++;
    }
    ib_findings_free(&f);
    change_back(leaf, was);
}

static void try_leaf(struct edit *e, cJSON *leaf, const char *pattern)
{
    if (ib_at(e->seen, pattern))
        return;
    cJSON_AddTrueToObject(e->seen, pattern);
    e->attempt(e, leaf, pattern);
    e->edits++;
}

/* Every kind of leaf: its path without indices. */
static void walk(struct edit *e, cJSON *v, const char *pattern)
{
    cJSON *item;
    char below[PATTERN_MAX];

    if (!v->child) {
        if (!cJSON_IsObject(v) && !cJSON_IsArray(v))
            try_leaf(e, v, pattern);
        return;
    }
    cJSON_ArrayForEach(item, v)
    {
        snprintf(below, sizeof below, "%s.%s", pattern,
                 item->string ? item->string : "*");
        if (strcmp(below, ".provenance") != 0)
            walk(e, item, below);
    }
}

static void edited_results_are_caught(void **state)
{
    struct edit e = {.run = *state,
                     .file = "results.json",
                     .attempt = edit_results,
                     .seen = cJSON_CreateObject()};
    e.root = e.results = entry_read(e.run, e.file);
    walk(&e, e.root, "");
    print_message("%d edits, %d of them as files\n", e.edits, e.whole);
    assert_true(e.edits > 400 && e.whole > 5);
    cJSON_Delete(e.root);
    cJSON_Delete(e.seen);
}

/* As with results: each in memory, one as a file. */
static void edit_sheets(struct edit *e, cJSON *leaf, const char *pattern)
{
    struct ib_findings f = {0};
    struct ib_diff d = {.file = e->file, .here = "here", .f = &f};
    cJSON *honest = entry_read(e->run, e->file);
    cJSON *was = change(leaf);
    ib_json_diff(&d, honest, e->root, "");
    if (f.n != 1)
        fail_msg("%s, %s: %zu findings", e->file, pattern, f.n);
    ib_findings_free(&f);
    if (e->whole == 0) {
        forge(e);
        assert_true(verify_all(e->run, NULL) > 0);
        e->whole++;
    }
    change_back(leaf, was);
    entry_write(e->run, e->file, e->root);
    cJSON_Delete(honest);
}

static void an_edited_list_of_sheets_is_caught(void **state)
{
    struct edit e = {.run = *state,
                     .file = "images/index.json",
                     .attempt = edit_sheets,
                     .seen = cJSON_CreateObject()};
    e.root = entry_read(e.run, e.file);
    walk(&e, e.root, "");
    assert_true(e.edits >= 6 && e.whole == 1);
    cJSON_Delete(e.root);
    cJSON_Delete(e.seen);
}

static void set_suite_hash(const struct edit *e, cJSON *v, const char *file)
{
    char hash[IB_KEY_SIZE];
    struct ib_error err;
    cJSON *suite = cJSON_GetObjectItem(v, "suite");
    must(ib_json_key(e->root, hash, &err), &err);
    cJSON_SetValuestring(cJSON_GetObjectItem(suite, "sha256"), hash);
    entry_write(e->run, file, v);
}

/* Is it a suite at all? */
static bool is_suite(const struct edit *e)
{
    struct ib_suite *s = NULL;
    bool ok = !ib_suite_parse(e->run->run->registry,
                              cJSON_Duplicate(e->root, true), "", &s, NULL);
    ib_suite_free(s);
    return ok;
}

/* The forger makes the suite's hash fit, too. What no reader takes for a suite
 * needs no more. */
static void edit_suite(struct edit *e, cJSON *leaf, const char *pattern)
{
    cJSON *was = change(leaf);
    if (!is_suite(e)) {
        change_back(leaf, was);
        return;
    }
    cJSON *manifest = entry_read(e->run, "entry.json");
    set_suite_hash(e, e->results, "results.json");
    set_suite_hash(e, manifest, "entry.json");
    cJSON_Delete(manifest);
    forge(e);
    if (verify_all(e->run, NULL) == 0)
        fail_msg("not caught: suite.json, %s", pattern);
    change_back(leaf, was);
}

static void edited_suites_are_caught(void **state)
{
    struct edit e = {.run = *state,
                     .file = "suite.json",
                     .attempt = edit_suite,
                     .seen = cJSON_CreateObject()};
    e.root = entry_read(e.run, e.file);
    e.results = entry_read(e.run, "results.json");
    walk(&e, e.root, "");
    assert_true(e.edits > 40);
    cJSON_Delete(e.root);
    cJSON_Delete(e.results);
    cJSON_Delete(e.seen);
}

/* No key of the results depends on the code that measures utility: such code
 * is told by name. */
static bool names_other_code(const struct entry_run *r, const cJSON *leaf)
{
    struct ib_entry e;
    struct ib_findings f = {0};
    struct ib_error err;
    bool named = false;
    const cJSON *item;
    must(ib_entry_open(r->run->registry, r->entry, &e, &f, &err), &err);
    cJSON_ArrayForEach(item, e.other_code) named |=
        strcmp(item->valuestring, leaf->string) == 0;
    ib_entry_close(&e);
    ib_findings_free(&f);
    return named;
}

static void edit_manifest(struct edit *e, cJSON *leaf, const char *pattern)
{
    cJSON *was = change(leaf);
    entry_write(e->run, e->file, e->root);
    if (verify_all(e->run, NULL) == 0 && !names_other_code(e->run, leaf))
        fail_msg("not caught: entry.json, %s", pattern);
    change_back(leaf, was);
}

static void an_edited_manifest_is_caught(void **state)
{
    struct edit e = {.run = *state,
                     .file = "entry.json",
                     .attempt = edit_manifest,
                     .seen = cJSON_CreateObject()};
    e.root = entry_read(e.run, e.file);
    walk(&e, e.root, "");
    assert_true(e.edits > 40); /* of each file its hash and its size */
    cJSON *files =
        cJSON_GetObjectItem(cJSON_GetObjectItem(e.root, "data"), "files");
    cJSON_AddStringToObject(
        files, "faces.idx",
        "0123456789012345678901234567890123456789012345678901234567890123");
    entry_write(e.run, e.file, e.root);
    assert_true(verify_all(e.run, NULL) > 0);
    cJSON_Delete(e.root);
    cJSON_Delete(e.seen);
}

/* --- pictures ----------------------------------------------------------------
 */

/* The name of some file that the manifest lists below a directory. */
static void some_file(const struct entry_run *r, const char *below,
                      char out[PATH_MAX])
{
    cJSON *manifest = entry_read(r, "entry.json"), *file;
    cJSON_ArrayForEach(file, cJSON_GetObjectItem(manifest, "files"))
    {
        if (strncmp(file->string, below, strlen(below)) == 0 &&
            !strstr(file->string, ".json"))
            snprintf(out, PATH_MAX, "%s", file->string);
    }
    cJSON_Delete(manifest);
}

static void flip_byte(const struct entry_run *r, const char *name, long at)
{
    char path[PATH_MAX];
    FILE *f;
    int c;
    entry_file(r, name, path);
    f = fopen(path, "r+b");
    assert_non_null(f);
    fseek(f, at, at < 0 ? SEEK_END : SEEK_SET);
    c = fgetc(f);
    fseek(f, at, at < 0 ? SEEK_END : SEEK_SET);
    fputc(c ^ 1, f);
    fclose(f);
}

static void one_grey_level_in_one_pixel_is_caught(void **state)
{
    struct entry_run *r = *state;
    char name[PATH_MAX];
    struct ib_text what = {0};
    some_file(r, "reconstructions/", name);
    flip_byte(r, name, -100);
    forge_hashes(r, NULL);
    assert_true(verify_all(r, &what) > 0);
    ib_text_free(&what);
}

static void a_retouched_sheet_is_caught(void **state)
{
    struct entry_run *r = *state;
    char name[PATH_MAX], path[PATH_MAX];
    struct ib_picture p;
    struct ib_error err;
    struct ib_text what = {0};
    some_file(r, "images/", name);
    entry_file(r, name, path);
    must(ib_picture_read(path, &p, &err), &err);
    p.pixels[ib_shape_size(p.shape) / 2] ^= 1;
    must(ib_png_write(path, p.shape, p.pixels, &err), &err);
    ib_picture_free(&p);
    forge_hashes(r, NULL);
    assert_int_equal(verify_all(r, &what), 1);
    assert_has(ib_text_string(&what), "is not the sheet");
    ib_text_free(&what);
}

/* --- what validate says
 * ------------------------------------------------------- */

static void assert_found(struct entry_run *r, const char *words)
{
    struct ib_text what = {0};
    if (verify_all(r, &what) == 0)
        fail_msg("nothing was found, wanted: %s", words);
    assert_has(ib_text_string(&what), words);
    ib_text_free(&what);
}

static void missing_and_surplus_files_are_named(void **state)
{
    struct entry_run *r = *state;
    char path[PATH_MAX];
    FILE *f;
    entry_file(r, "extra.txt", path);
    f = fopen(path, "w");
    assert_non_null(f);
    fclose(f);
    assert_found(r, "extra.txt: is not listed");
    assert_int_equal(unlink(path), 0);
    entry_file(r, "suite.json", path);
    assert_int_equal(unlink(path), 0);
    assert_found(r, "suite.json: is missing");
}

static void a_file_that_changed_is_named_with_its_hash(void **state)
{
    struct entry_run *r = *state;
    flip_byte(r, "suite.json", 40);
    assert_found(r, "suite.json: has the hash");
}

static void a_missing_cell_is_named(void **state)
{
    struct entry_run *r = *state;
    cJSON *results = entry_read(r, "results.json");
    cJSON *cells = cJSON_GetObjectItem(results, "cells");
    struct ib_text what = {0};
    char name[512];
    snprintf(name, sizeof name, "%s",
             ib_at_text(cJSON_GetArrayItem(cells, 1), "name"));
    cJSON_DeleteItemFromArray(cells, 1);
    entry_write(r, "results.json", results);
    forge_hashes(r, results);
    assert_true(verify_all(r, &what) > 0);
    assert_has(ib_text_string(&what), name);
    ib_text_free(&what);
    cJSON_Delete(results);
}

/* A mean moved together with every summary of it would take a rerun: one
 * moved alone does not follow from the people. */
static void numbers_that_do_not_follow_are_named(void **state)
{
    struct entry_run *r = *state;
    cJSON *results = entry_read(r, "results.json");
    cJSON *row =
        cJSON_GetObjectItem(cJSON_GetObjectItem(results, "summary"), "headline")
            ->child;
    cJSON_SetNumberValue(
        cJSON_GetObjectItem(cJSON_GetObjectItem(row, "leakage"), "value"), 0);
    entry_write(r, "results.json", results);
    forge_hashes(r, results);
    assert_found(r, "summary.headline[0].leakage.value: 0; follows from the "
                    "rest:");
    cJSON_Delete(results);
}

static void impossible_values_are_named(void **state)
{
    struct entry_run *r = *state;
    cJSON *results = entry_read(r, "results.json");
    cJSON *cell;
    cJSON_ArrayForEach(cell, cJSON_GetObjectItem(results, "cells"))
    {
        if (strcmp(ib_at_text(cell, "status"), "ok") == 0)
            break;
    }
    cJSON *scores = cJSON_GetObjectItem(
        cJSON_GetObjectItem(cell, "identities")->child, "scores");
    cJSON_SetNumberValue(cJSON_GetObjectItem(scores, "ssim"), 1.5);
    entry_write(r, "results.json", results);
    forge_hashes(r, results);
    assert_found(r, "ssim is 1.5, out of its range");
    cJSON_Delete(results);
}

static void a_path_out_of_the_entry_is_refused(void **state)
{
    struct entry_run *r = *state;
    cJSON *manifest = entry_read(r, "entry.json");
    cJSON *file =
        cJSON_Duplicate(cJSON_GetObjectItem(manifest, "files")->child, true);
    cJSON_AddItemToObject(cJSON_GetObjectItem(manifest, "files"),
                          "../results.json", file);
    entry_write(r, "entry.json", manifest);
    assert_found(r, "is no path below the entry");
    cJSON_Delete(manifest);
}

static void what_is_no_json_is_a_finding(void **state)
{
    struct entry_run *r = *state;
    char path[PATH_MAX];
    struct ib_error err;
    entry_file(r, "results.json", path);
    must(ib_file_write(path, "{", 1, &err), &err);
    forge_hashes(r, NULL);
    assert_found(r, "results.json:1:");
}

/* --- other code, other numerics
 * ------------------------------------------------ */

/* An honest entry of a program with another engine: same values, other keys. */
static void an_entry_of_other_numerics_is_consistent(void **state)
{
    struct entry_run *r = *state;
    cJSON *manifest = entry_read(r, "entry.json");
    cJSON *results = entry_read(r, "results.json"), *rebuilt = NULL;
    struct ib_entry e;
    struct ib_findings f = {0};
    struct ib_error err;
    cJSON_SetValuestring(cJSON_GetObjectItem(manifest, "numerics"), "another");
    entry_write(r, "entry.json", manifest);
    must(ib_entry_open(r->run->registry, r->entry, &e, &f, &err), &err);
    assert_false(e.same_numerics);
    assert_true(e.same_code);
    must(ib_entry_rebuild(&e, &rebuilt, &err), &err);
    ib_entry_close(&e);
    cJSON_AddItemToObject(rebuilt, "provenance",
                          cJSON_Duplicate(ib_at(results, "provenance"), true));
    entry_write(r, "results.json", rebuilt);
    forge_hashes(r, rebuilt);
    must(ib_entry_open(r->run->registry, r->entry, &e, &f, &err), &err);
    must(ib_entry_check(&e, &f, &err), &err);
    if (f.n)
        fail_msg("%s", ib_at_text(f.list->child, "text"));
    assert_string_not_equal(
        ib_at_text(ib_at(rebuilt, "cells")->child->next, "key"),
        ib_at_text(ib_at(results, "cells")->child->next, "key"));
    ib_entry_close(&e);
    ib_findings_free(&f);
    cJSON_Delete(manifest);
    cJSON_Delete(results);
    cJSON_Delete(rebuilt);
}

#define TEST(name) cmocka_unit_test_setup(name, entry_again)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_honest_entry_has_no_faults),
        TEST(edited_results_are_caught),
        TEST(an_edited_list_of_sheets_is_caught),
        TEST(edited_suites_are_caught),
        TEST(one_grey_level_in_one_pixel_is_caught),
        TEST(a_retouched_sheet_is_caught),
        TEST(missing_and_surplus_files_are_named),
        TEST(a_file_that_changed_is_named_with_its_hash),
        TEST(a_missing_cell_is_named),
        TEST(numbers_that_do_not_follow_are_named),
        TEST(impossible_values_are_named),
        TEST(a_path_out_of_the_entry_is_refused),
        TEST(what_is_no_json_is_a_finding),
        TEST(an_entry_of_other_numerics_is_consistent),
        TEST(an_edited_manifest_is_caught),
    };
    return cmocka_run_group_tests(tests, entry_setup, entry_teardown);
}
