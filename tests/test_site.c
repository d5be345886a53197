/* The leaderboard, from entries that are good, forged and hostile. */
#include "harness_fixture.h"
#include "report_fixture.h"

#include "entry.h"
#include "site.h"

struct board {
    char dir[PATH_MAX], results[PATH_MAX + 16], out[PATH_MAX + 16];
    struct ib_site_report report;
    struct ib_findings f;
};

static int board_setup(void **state)
{
    struct board *b = calloc(1, sizeof *b);
    temp_dir_make(b->dir);
    snprintf(b->results, sizeof b->results, "%s/results", b->dir);
    snprintf(b->out, sizeof b->out, "%s/site", b->dir);
    *state = b;
    return 0;
}

static int board_teardown(void **state)
{
    struct board *b = *state;
    temp_dir_remove(b->dir);
    ib_findings_free(&b->f);
    free(b);
    return 0;
}

static void must(enum ib_status status, const struct ib_error *err)
{
    if (status)
        fail_msg("%s", err->text);
}

static void put(const char *dir, const char *name, const void *data, size_t n,
                cJSON *files)
{
    char hash[IB_KEY_SIZE];
    cJSON *o = cJSON_AddObjectToObject(files, name);
    run_put(dir, name, data, n);
    ib_sha256(data, n, hash);
    cJSON_AddStringToObject(o, "sha256", hash);
    cJSON_AddNumberToObject(o, "bytes", (double)n);
}

static void put_json(const char *dir, const char *name, const cJSON *v,
                     cJSON *files)
{
    struct ib_text t = {0};
    struct ib_error err;
    must(ib_json_canonical(v, &t, &err), &err);
    put(dir, name, t.data, t.size, files);
    ib_text_free(&t);
}

static const char suite[] =
    "{'schema':'invbench.suite/1','name':'sample','seeds':[1],"
    "'dataset':{'name':'synthfaces'},'models':[{'id':'softmax'}],"
    "'evaluators':[],'attacks':[],'budget':{},'metrics':[]}";

static void add_entry(struct board *b, const char *name, const char *by,
                      const cJSON *results)
{
    char dir[PATH_MAX + 128], path[PATH_MAX + 160], key[IB_KEY_SIZE];
    struct ib_error err;
    struct ib_text t = {0};
    cJSON *m = json_of("{'schema':'invbench.entry/1','suite':{'name':'sample',"
                       "'sha256':'"
                       "0123456789012345678901234567890123456789012345678901234"
                       "567890123'},'numerics':'n','code':{},'data':{'files':{"
                       "}},'provenance':{'title':null,'url':null,'notes':null,"
                       "'program':'test'}}");
    cJSON *files = cJSON_CreateObject(), *s = json_of(suite);

    snprintf(dir, sizeof dir, "%s/%s", b->results, name);
    snprintf(path, sizeof path, "mkdir -p %s", dir);
    assert_int_equal(system(path), 0);
    put_json(dir, "results.json", results, files);
    put_json(dir, "suite.json", s, files);
    must(ib_results_key(results, key, &err), &err);
    cJSON_AddStringToObject(m, "name", name);
    cJSON_AddStringToObject(m, "results", key);
    cJSON_AddItemToObject(m, "files", files);
    cJSON_AddStringToObject(cJSON_GetObjectItem(m, "provenance"), "by", by);
    must(ib_json_canonical(m, &t, &err), &err);
    run_put(dir, "entry.json", t.data, t.size);
    ib_text_free(&t);
    cJSON_Delete(m);
    cJSON_Delete(s);
}

static void build(struct board *b)
{
    struct ib_error err;
    must(ib_site_make(b->results, b->out, &b->report, &b->f, &err), &err);
}

static struct ib_text page(const struct board *b, const char *name)
{
    char path[PATH_MAX + 64];
    struct ib_text t = {0};
    struct ib_error err;
    snprintf(path, sizeof path, "%s/%s", b->out, name);
    must(ib_file_read(path, 1 << 30, &t, &err), &err);
    return t;
}

static void says(const struct board *b, const char *name, const char *words)
{
    struct ib_text t = page(b, name);
    if (!strstr(ib_text_string(&t), words))
        fail_msg("%s does not say: %s", name, words);
    ib_text_free(&t);
}

static void says_not(const struct board *b, const char *name, const char *words)
{
    struct ib_text t = page(b, name);
    if (strstr(ib_text_string(&t), words))
        fail_msg("%s says: %s", name, words);
    ib_text_free(&t);
}

static void one_sample(struct board *b)
{
    cJSON *results = sample_read();
    add_entry(b, "first", "A. Name", results);
    cJSON_Delete(results);
    build(b);
}

/* --- tests
 * --------------------------------------------------------------------- */

static void every_track_has_a_page_and_an_empty_one_says_so(void **state)
{
    struct board *b = *state;
    one_sample(b);
    assert_int_equal(b->report.entries, 1);
    assert_int_equal(b->report.refused, 0);
    says(b, "labels.html", "This track is empty");
    says(b, "whitebox.html", "This track is empty");
    says_not(b, "scores.html", "This track is empty");
    says(b, "index.html", "empty: no entry yet");
}

static void rows_have_intervals_accuracy_attacks_and_flags(void **state)
{
    struct board *b = *state;
    one_sample(b);
    says(b, "scores.html", "<b>0.50</b> <small>[0.30, 0.70]</small>");
    says(b, "scores.html", "93.0 %");
    says(b, "scores.html", "mi-face-blackbox<small>alone</small>");
    says(b, "scores.html", "Mean<small>of the attacks</small>");
    says(b, "scores.html", "<td class=f>few-seeds</td>");
    says(b, "scores.html", "entry/first.html");
    says(b, "scores.html", "A. Name");
}

static void what_is_missing_says_why(void **state)
{
    struct board *b = *state;
    one_sample(b);
    says(b, "scores.html", "n/a: 1 cell is missing");
}

static void tables_can_be_read_aloud_and_sorted(void **state)
{
    struct board *b = *state;
    one_sample(b);
    says(b, "scores.html", "<caption>");
    says(b, "scores.html", "aria-sort=ascending");
    says(b, "scores.html", "<th scope=row>");
    says(b, "scores.html", "role=search aria-label=\"Filter rows\"");
    says(b, "scores.html", "<output aria-live=polite>");
    says(b, "scores.html", "aria-current=page>scores");
    says(b, "scores.html", "role=img");
}

static void nothing_comes_from_elsewhere(void **state)
{
    static const char *const pages[] = {"index.html", "scores.html",
                                        "entry/first.html"};
    struct board *b = *state;
    one_sample(b);
    for (size_t i = 0; i < IB_COUNT(pages); i++) {
        says_not(b, pages[i], "src=\"http");
        says_not(b, pages[i], "url(");
        says_not(b, pages[i], "@import");
    }
}

static void an_entry_has_its_own_page_and_files(void **state)
{
    struct board *b = *state;
    one_sample(b);
    says(b, "entry/first.html", "invbench verify results/first --all");
    says(b, "entry/first.html", "Who is exposed most");
    says(b, "entry/first.html", "../data/first/results.json");
    says(b, "entry/first.html", "not recorded");
    says(b, "data/first/table.csv", "model,defense,attack,access,status");
    says(b, "data/first/results.json", "invbench.results/1");
    says(b, "leaderboard.json", "\"track\":\"scores\"");
}

static void hostile_names_stay_text(void **state)
{
    static const char bad[] = "\"><script>alert(1)</script><img src=x>";
    static const char *const names[] = {"softmax", "round", "mi-face-blackbox",
                                        "sample", "few-seeds"};
    struct board *b = *state;
    cJSON *results = sample_read();
    for (size_t i = 0; i < IB_COUNT(names); i++)
        json_rename(results, names[i], bad);
    add_entry(b, "first", bad, results);
    cJSON_Delete(results);
    build(b);
    says_not(b, "index.html", "<script>alert");
    says_not(b, "scores.html", "<script>alert");
    says_not(b, "scores.html", "<img src=x");
    says_not(b, "entry/first.html", "<script>alert");
    says(b, "scores.html", "&lt;script&gt;alert(1)");
}

static void a_spreadsheet_runs_no_formula(void **state)
{
    struct board *b = *state;
    cJSON *results = sample_read();
    add_entry(b, "first", "=1+1", results);
    cJSON_Delete(results);
    build(b);
    says(b, "leaderboard.csv", ",\"'=1+1\",");
}

static void a_changed_file_keeps_its_entry_out(void **state)
{
    struct board *b = *state;
    char path[PATH_MAX + 64];
    FILE *f;
    cJSON *results = sample_read();
    add_entry(b, "first", "A", results);
    add_entry(b, "second", "B", results);
    cJSON_Delete(results);
    snprintf(path, sizeof path, "%s/second/results.json", b->results);
    f = fopen(path, "w");
    assert_non_null(f);
    fputs("{}\n", f);
    fclose(f);
    build(b);
    assert_int_equal(b->report.entries, 1);
    assert_int_equal(b->report.refused, 1);
    says(b, "index.html", "Not shown");
    says_not(b, "scores.html", "second");
}

/* round leaks less than none at the same accuracy, so none is dominated. */
static void dominated_rows_are_told_apart(void **state)
{
    struct board *b = *state;
    one_sample(b);
    says(b, "leaderboard.csv", "\"none\",0.5,");
    struct ib_text t = page(b, "leaderboard.csv");
    const char *none = strstr(ib_text_string(&t), "\"scores\"");
    int seen = 0;
    for (const char *line = none; line && *line;
         line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        char copy[2048];
        snprintf(copy, sizeof copy, "%.*s", (int)strcspn(line, "\n"), line);
        if (!strstr(copy, "\"scores\""))
            continue;
        if (strstr(copy, "\"none\"")) {
            assert_has(copy, ",1,0,0,");
            seen++;
        } else if (strstr(copy, "\"round\"")) {
            assert_has(copy, ",1,0,1,");
            seen++;
        }
    }
    assert_int_equal(seen, 2);
    ib_text_free(&t);
}

static void other_attacks_make_another_board(void **state)
{
    struct board *b = *state;
    char path[PATH_MAX + 64];
    struct ib_text t;
    one_sample(b);
    assert_int_equal(b->report.boards, 1);
    ib_findings_free(&b->f);
    cJSON *results = sample_read();
    add_entry(b, "second", "B", results);
    cJSON_Delete(results);
    snprintf(path, sizeof path, "%s/second", b->results);
    struct ib_error err;
    cJSON *s = json_of(suite), *m = NULL;
    cJSON_AddStringToObject(s, "note", "of no account");
    cJSON_ReplaceItemInObject(s, "attacks", json_of("[{'id':'new'}]"));
    cJSON *files = cJSON_CreateObject();
    put_json(path, "suite.json", s, files);
    snprintf(path, sizeof path, "%s/second/entry.json", b->results);
    must(ib_json_read(path, &m, &err), &err);
    cJSON_ReplaceItemInObject(
        cJSON_GetObjectItem(m, "files"), "suite.json",
        cJSON_Duplicate(cJSON_GetObjectItem(files, "suite.json"), true));
    t = (struct ib_text){0};
    must(ib_json_canonical(m, &t, &err), &err);
    must(ib_file_write(path, t.data, t.size, &err), &err);
    ib_text_free(&t);
    cJSON_Delete(m);
    cJSON_Delete(s);
    cJSON_Delete(files);
    build(b);
    assert_int_equal(b->report.boards, 2);
}

static void two_hundred_entries_stay_under_two_megabytes(void **state)
{
    struct board *b = *state;
    cJSON *results = sample_read();
    for (int i = 0; i < 200; i++) {
        char name[32];
        snprintf(name, sizeof name, "entry-%03d", i);
        add_entry(b, name, "somebody with a name", results);
    }
    cJSON_Delete(results);
    build(b);
    assert_int_equal(b->report.entries, 200);
    static const char *const pages[] = {"index.html", "scores.html",
                                        "gradients.html"};
    for (size_t i = 0; i < IB_COUNT(pages); i++) {
        struct ib_text t = page(b, pages[i]);
        assert_true(t.size < 2000000);
        ib_text_free(&t);
    }
}

static void no_entries_make_a_site_that_says_so(void **state)
{
    struct board *b = *state;
    char command[PATH_MAX + 64];
    snprintf(command, sizeof command, "mkdir -p %s", b->results);
    assert_int_equal(system(command), 0);
    build(b);
    says(b, "index.html", "There is no entry yet");
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, board_setup, board_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_track_has_a_page_and_an_empty_one_says_so),
        TEST(rows_have_intervals_accuracy_attacks_and_flags),
        TEST(what_is_missing_says_why),
        TEST(tables_can_be_read_aloud_and_sorted),
        TEST(nothing_comes_from_elsewhere),
        TEST(an_entry_has_its_own_page_and_files),
        TEST(hostile_names_stay_text),
        TEST(a_spreadsheet_runs_no_formula),
        TEST(a_changed_file_keeps_its_entry_out),
        TEST(dominated_rows_are_told_apart),
        TEST(other_attacks_make_another_board),
        TEST(two_hundred_entries_stay_under_two_megabytes),
        TEST(no_entries_make_a_site_that_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
