/* report.html and the plots, from results that are good, poor and hostile. */
#include "flags.h"
#include "html.h"
#include "report_run.h"

#include <math.h>

#include "html.h"
#include "report_view.h"

static void test_text_is_escaped(void **state)
{
    struct ib_text t = {0};

    (void)state;
    ib_html_text(&t, "<a href=\"x\" b='y'>&\x01\xff\xc3\xa9");
    assert_string_equal(ib_text_string(&t),
                        "&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;&amp;"
                        "\xEF\xBF\xBD\xEF\xBF\xBD\xc3\xa9");
    ib_text_free(&t);
}

static void test_markup_takes_escaped_texts_and_numbers(void **state)
{
    struct ib_text t = {0};

    (void)state;
    ib_html_add(&t, "<b>%s</b> %d %%", "<i>", -3);
    assert_string_equal(ib_text_string(&t), "<b>&lt;i&gt;</b> -3 %");
    ib_text_free(&t);
}

static void test_base64_matches_the_vectors_of_rfc_4648(void **state)
{
    static const char *const pairs[][2] = {{"", ""},
                                           {"f", "Zg=="},
                                           {"fo", "Zm8="},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="},
                                           {"foobar", "Zm9vYmFy"}};

    (void)state;
    for (size_t i = 0; i < IB_COUNT(pairs); i++) {
        struct ib_text t = {0};
        ib_html_base64(&t, pairs[i][0], strlen(pairs[i][0]));
        assert_string_equal(ib_text_string(&t), pairs[i][1]);
        ib_text_free(&t);
    }
}

static void test_numbers_are_short_and_never_invented(void **state)
{
    char s[IB_NUMBER_SIZE];

    (void)state;
    assert_string_equal(ib_view_format(s, NAN), "n/a");
    assert_string_equal(ib_view_format(s, -0.001), "0.00");
    assert_string_equal(ib_view_format(s, -0.126), "-0.13");
    assert_string_equal(ib_view_count(s, NAN), "n/a");
    assert_string_equal(ib_view_count(s, 400), "400");
    assert_string_equal(ib_view_count(s, 9800), "9.8k");
    assert_string_equal(ib_view_count(s, 999999), "1M");
    assert_string_equal(ib_view_count(s, 123456), "123k");
}

static void test_page_shows_numbers_with_intervals_and_controls(void **state)
{
    struct run *r = *state;
    hide_gnuplot();
    struct ib_text page = make_page(r);

    assert_says(&page, "<b>0.75</b> [0.55, 0.95]");
    assert_says(&page, "evaluator 0.70 (0.10 to 0.90)");
    assert_says(&page, "SSIM 0.54 (control 0.30)");
    assert_says(&page, "by SSIM 0.70 (control 0.30)");
    assert_says(&page, "-0.40 [-0.60, -0.20] against undefended");
    assert_says(&page, "invbench run suite.json --out again");
    ib_text_free(&page);
}

static void test_rules_of_flags_stand_on_the_page(void **state)
{
    struct run *r = *state;
    hide_gnuplot();
    struct ib_text page = make_page(r);

    for (int i = 0; i < IB_FLAG_COUNT; i++) {
        struct ib_text row = {0};
        ib_html_add(&row, "<tr><th scope=row>%s</th><td>%s</td></tr>",
                    ib_flag_rules[i].name, ib_flag_rules[i].rule);
        assert_says(&page, ib_text_string(&row));
        ib_text_free(&row);
    }
    ib_text_free(&page);
}

static void test_cells_without_numbers_say_why(void **state)
{
    struct run *r = *state;
    hide_gnuplot();
    struct ib_text page = make_page(r);

    assert_says(&page, "timeout<small>attack: no answer within 60 s");
    assert_says(&page, "bypassed<small>same as none: 0.75");
    assert_says(&page, "title=\"round does not stand between gradients");
    assert_says(&page, "Never run: mi-face with scores (needs gradients");
    ib_text_free(&page);
}

static void test_empty_tracks_are_shown_as_empty(void **state)
{
    struct run *r = *state;

    hide_gnuplot();
    struct ib_text page = make_page(r);
    assert_says(&page, "<th scope=col class=empty>whitebox</th>");
    assert_says(&page, "<td class=\"null empty\">empty</td>");
    ib_text_free(&page);
}

static void test_scores_of_sets_stand_beside_controls(void **state)
{
    struct run *r = *state;

    hide_gnuplot();
    struct ib_text page = make_page(r);
    assert_says(&page, "All pictures of a cell together");
    assert_says(&page, "0.25<small> other 0.50</small>");
    assert_says(&page, "title=\"too few\">n/a");
    assert_says(&page, "recall@eval-mlp: too few.");
    assert_says(&page, "share of private images near a picture");
    ib_text_free(&page);
}

static void test_hostile_names_stay_text(void **state)
{
    static const char bad[] = "\"><script>alert(1)</script><img src=x>";
    static const char *const names[] = {
        "softmax", "round",    "mi-face", "scores", "sample",     "person-1",
        "MIT",     "eval-cnn", "timeout", "ssim",   "public-best"};
    struct run *r = *state;

    for (size_t i = 0; i < IB_COUNT(names); i++)
        json_rename(r->results, names[i], bad);
    struct ib_text page = make_page(r);
    assert_silent(&page, "<script");
    assert_silent(&page, "<img src=x");
    assert_says(&page, "&lt;script&gt;alert(1)");
    assert_silent(&page, "No plots");
    ib_text_free(&page);
}

static void test_everything_null_is_still_a_page(void **state)
{
    struct run *r = *state;

    hide_gnuplot();
    json_empty(r->results);
    struct ib_text page = make_page(r);
    assert_says(&page, "</html>");
    ib_text_free(&page);
}

static void test_missing_controls_are_named(void **state)
{
    struct run *r = *state;
    cJSON *controls = cJSON_GetObjectItem(r->results, "controls");

    hide_gnuplot();
    cJSON_ReplaceItemInObject(cJSON_GetObjectItem(r->results, "summary"),
                              "controls", cJSON_CreateArray());
    while (cJSON_GetArraySize(controls) > 1)
        cJSON_DeleteItemFromArray(controls, 0);
    json_rename(controls, "ok", "skipped");
    struct ib_text page = make_page(r);
    assert_says(&page, "This run has no controls");
    assert_says(&page, "public-mean of softmax: skipped");
    ib_text_free(&page);
}

static void test_one_cell_is_enough(void **state)
{
    struct run *r = *state;
    cJSON *rows = summary_of(r, "rows");

    while (cJSON_GetArraySize(rows) > 1)
        cJSON_DeleteItemFromArray(rows, 1);
    struct ib_text page = make_page(r);
    assert_says(&page, "<b>0.75</b> [0.55, 0.95]");
    assert_says(&page, "not in this run");
    assert_silent(&page, "No plots");
    ib_text_free(&page);
}

static void test_no_cell_at_all_is_said(void **state)
{
    static const char *const lists[] = {"rows", "headline", "utility"};
    struct run *r = *state;

    for (size_t i = 0; i < IB_COUNT(lists); i++)
        cJSON_ReplaceItemInObject(cJSON_GetObjectItem(r->results, "summary"),
                                  lists[i], cJSON_CreateArray());
    cJSON_ReplaceItemInObject(r->results, "cells", cJSON_CreateArray());
    struct ib_text page = make_page(r);
    assert_says(&page, "This run has no cells");
    assert_says(&page, "No plots: no cell has a number");
    ib_text_free(&page);
}

/* --- pictures ---------------------------------------------------------- */

static void put_index(struct run *r, const char *file)
{
    char json[512];

    snprintf(json, sizeof json,
             "{\"sheets\":[{\"file\":\"%s\",\"kind\":\"attack\",\"model\":"
             "\"softmax\",\"attack\":\"mi-face\",\"access\":\"gradients\","
             "\"seed\":1,\"columns\":[\"none\"]}]}",
             file);
    run_put(r->dir, "images/index.json", json, strlen(json));
}

static void test_sheet_is_inside_the_page(void **state)
{
    static const unsigned char png[33] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
                                         "\0\0\0\x07\0\0\0\x05";
    struct run *r = *state;

    hide_gnuplot();
    run_folder(r->dir, "images");
    put_index(r, "a.png");
    run_put(r->dir, "images/a.png", png, sizeof png);
    struct ib_text page = make_page(r);
    assert_says(&page, "<img width=7 height=5 alt=\"softmax attacked by");
    assert_says(&page, "src=\"data:image/png;base64,iVBORw0KGgoAAAANSUhEUg");
    ib_text_free(&page);
}

static void test_missing_and_damaged_sheets_are_named(void **state)
{
    static const char *const cases[][2] = {
        {"gone.png", "This sheet is missing"},
        {"bad.png", "images/bad.png is no PNG"},
        {"../results.png", "is no name of a sheet"},
        {"/etc/passwd", "is no name of a sheet"}};
    struct run *r = *state;

    hide_gnuplot();
    run_folder(r->dir, "images");
    run_put(r->dir, "images/bad.png", "no picture", 10);
    for (size_t i = 0; i < IB_COUNT(cases); i++) {
        put_index(r, cases[i][0]);
        struct ib_text page = make_page(r);
        assert_says(&page, cases[i][1]);
        assert_silent(&page, "<img");
        ib_text_free(&page);
    }
}

/* mi-face leaks more than mi-face-blackbox here. */
static void test_only_the_strongest_sheet_of_a_model_stands_open(void **state)
{
    static const char sheet[] =
        "{'file':'%s','kind':'%s','model':'softmax','attack':'%s','access':"
        "'%s','seed':1,'columns':['none']}";
    char json[1024], all[1100];
    struct run *r = *state;
    int n = 0;

    hide_gnuplot();
    run_folder(r->dir, "images");
    n += snprintf(json + n, sizeof json - (size_t)n, sheet, "weak.png",
                  "attack", "mi-face-blackbox", "scores");
    json[n++] = ',';
    n += snprintf(json + n, sizeof json - (size_t)n, sheet, "controls.png",
                  "control", "", "");
    json[n++] = ',';
    snprintf(json + n, sizeof json - (size_t)n, sheet, "strong.png", "attack",
             "mi-face", "gradients");
    snprintf(all, sizeof all, "{'sheets':[%s]}", json);
    for (char *c = all; *c; c++)
        *c = *c == '\'' ? '"' : *c;
    run_put(r->dir, "images/index.json", all, strlen(all));
    struct ib_text page = make_page(r);
    const char *text = ib_text_string(&page);
    const char *open = strstr(text, "images/strong.png");
    const char *fold = strstr(text, "<summary>2 more sheets");
    assert_true(open && fold && open < fold);
    assert_true(strstr(text, "images/weak.png") > fold);
    assert_true(strstr(text, "images/controls.png") > fold);
    ib_text_free(&page);
}

static void test_flags_say_once_what_they_mean(void **state)
{
    static const char words[] =
        "intervals do not know how training varies</td>";
    struct run *r = *state;

    hide_gnuplot();
    struct ib_text page = make_page(r);
    const char *first = strstr(ib_text_string(&page), words);
    assert_non_null(first);
    assert_null(strstr(first + 1, words));
    assert_says(&page, "<li>1 seed: intervals do not know how training varies"
                       "<small>softmax / none / mi-face (gradients); softmax "
                       "/ none / mi-face-blackbox (scores); softmax / round / "
                       "mi-face-blackbox (scores)</small>");
    ib_text_free(&page);
}

static void test_run_without_pictures_says_so(void **state)
{
    struct run *r = *state;

    hide_gnuplot();
    struct ib_text page = make_page(r);
    assert_says(&page, "No contact sheets");
    ib_text_free(&page);
}

/* --- results that are none --------------------------------------------- */

static void assert_refused(struct run *r, const char *words)
{
    struct ib_error err = {0};

    run_put_json(r->dir, "results.json", r->results);
    assert_int_equal(ib_report_make(r->dir, &err), IB_E_DATA);
    if (!strstr(err.text, words))
        fail_msg("\"%s\" is not in: %s", words, err.text);
    assert_false(run_has(r->dir, "report.html"));
}

static void test_other_schema_is_refused(void **state)
{
    struct run *r = *state;

    json_rename(r->results, "invbench.results/1", "invbench.results/2");
    assert_refused(r, "\"invbench.results/2\" is not read by this version");
}

static void test_row_of_unknown_model_is_refused(void **state)
{
    struct run *r = *state;
    cJSON *row = cJSON_GetArrayItem(summary_of(r, "rows"), 2);

    cJSON_ReplaceItemInObject(row, "model", cJSON_CreateString("other"));
    assert_refused(r, "summary.rows[2]");
}

static void test_wrong_type_is_refused_by_path(void **state)
{
    struct run *r = *state;
    cJSON *row = cJSON_GetArrayItem(summary_of(r, "rows"), 1);

    cJSON_ReplaceItemInObject(row, "flags", cJSON_CreateString("many"));
    assert_refused(r, "summary.rows[1].flags: a list is needed");
}

static void test_missing_results_are_an_io_error(void **state)
{
    struct run *r = *state;
    struct ib_error err = {0};

    assert_int_equal(ib_report_make(r->dir, &err), IB_E_IO);
    assert_non_null(strstr(err.text, "results.json"));
}

static void test_truncated_results_are_an_error(void **state)
{
    struct run *r = *state;
    struct ib_text t = {0};

    assert_int_equal(ib_json_canonical(r->results, &t, NULL), IB_OK);
    for (size_t n = 0; n < t.size; n += 3989) {
        struct ib_error err = {0};
        run_put(r->dir, "results.json", t.data, n);
        assert_int_equal(ib_report_make(r->dir, &err), IB_E_DATA);
        assert_true(err.text[0] != '\0');
    }
    ib_text_free(&t);
}

/* Each member of the results, or of one member of them, turned into v (NULL:
 * left out), one at a time: a page or an error. */
static void damage_each(struct run *r, const char *parent, const cJSON *v)
{
    const cJSON *whole =
        parent ? cJSON_GetObjectItem(r->results, parent) : r->results;
    const cJSON *m;
    int refused = 0;

    cJSON_ArrayForEach(m, whole)
    {
        cJSON *copy = cJSON_Duplicate(r->results, true);
        cJSON *object = parent ? cJSON_GetObjectItem(copy, parent) : copy;
        struct ib_error err = {0};
        cJSON_DeleteItemFromObjectCaseSensitive(object, m->string);
        if (v)
            cJSON_AddItemToObject(object, m->string, cJSON_Duplicate(v, true));
        run_put_json(r->dir, "results.json", copy);
        refused += ib_report_make(r->dir, &err) != IB_OK;
        cJSON_Delete(copy);
    }
    assert_true(refused >= 3);
}

static void test_damaged_members_never_crash(void **state)
{
    struct run *r = *state;
    cJSON *number = cJSON_CreateNumber(1e300);
    cJSON *list = cJSON_Parse("[1, null, {}, [], \"x\", {\"id\": 3}]");

    hide_gnuplot();
    damage_each(r, NULL, NULL);
    damage_each(r, NULL, list);
    damage_each(r, "summary", number);
    damage_each(r, "summary", list);
    cJSON_Delete(number);
    cJSON_Delete(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_is_escaped),
        cmocka_unit_test(test_markup_takes_escaped_texts_and_numbers),
        cmocka_unit_test(test_base64_matches_the_vectors_of_rfc_4648),
        cmocka_unit_test(test_numbers_are_short_and_never_invented),
        RUN(test_page_shows_numbers_with_intervals_and_controls),
        RUN(test_rules_of_flags_stand_on_the_page),
        RUN(test_cells_without_numbers_say_why),
        RUN(test_empty_tracks_are_shown_as_empty),
        RUN(test_scores_of_sets_stand_beside_controls),
        RUN(test_hostile_names_stay_text),
        RUN(test_everything_null_is_still_a_page),
        RUN(test_missing_controls_are_named),
        RUN(test_one_cell_is_enough),
        RUN(test_no_cell_at_all_is_said),
        RUN(test_sheet_is_inside_the_page),
        RUN(test_missing_and_damaged_sheets_are_named),
        RUN(test_only_the_strongest_sheet_of_a_model_stands_open),
        RUN(test_flags_say_once_what_they_mean),
        RUN(test_run_without_pictures_says_so),
        RUN(test_other_schema_is_refused),
        RUN(test_row_of_unknown_model_is_refused),
        RUN(test_wrong_type_is_refused_by_path),
        RUN(test_missing_results_are_an_io_error),
        RUN(test_truncated_results_are_an_error),
        RUN(test_damaged_members_never_crash),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
