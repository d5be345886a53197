/* Plots, and the page around them, from results that are good, poor and
 * hostile. */
#include "report_run.h"

#include "plots.h"

static void test_hostile_names_run_nothing_in_gnuplot(void **state)
{
    static const char bad[] =
        "`touch PWNED` '.system('touch PWNED').' \\\n!touch PWNED\n\"@x";
    struct run *r = *state;

    json_rename(r->results, "softmax", bad);
    json_rename(r->results, "round", bad);
    json_rename(r->results, "mi-face-blackbox", bad);
    struct ib_text page = make_page(r);
    assert_silent(&page, "No plots");
    assert_true(run_has(r->dir, "plots/heatmap-model.1.svg"));
    assert_false(run_has(r->dir, "plots/PWNED"));
    assert_false(run_has(r->dir, "PWNED"));
    ib_text_free(&page);
}

static void test_nulls_are_shown_as_missing_never_as_zero(void **state)
{
    struct run *r = *state;

    json_empty(summary_of(r, "rows"));
    json_empty(summary_of(r, "headline"));
    json_empty(summary_of(r, "controls"));
    json_empty(summary_of(r, "utility"));
    json_empty(cJSON_GetObjectItem(r->results, "cells"));
    struct ib_text page = make_page(r);
    assert_says(&page, "n/a");
    assert_silent(&page, "0.00");
    struct ib_text data = run_get(r->dir, "plots/heatmap-softmax.dat");
    assert_says(&data, "0 0 NaN \"n/a\"");
    assert_silent(&page, "No plots");
    ib_text_free(&data);
    ib_text_free(&page);
}

static void test_uncalibrated_run_leads_with_identification(void **state)
{
    struct run *r = *state;
    cJSON *row, *h;

    cJSON_ArrayForEach(row, summary_of(r, "rows"))
        json_empty(cJSON_GetObjectItem(row, "leakage"));
    cJSON_ArrayForEach(h, summary_of(r, "headline"))
        json_empty(cJSON_GetObjectItem(h, "leakage"));
    struct ib_text page = make_page(r);
    assert_says(&page, "Leakage is not calibrated here");
    assert_says(&page, "0.70 <small>identified by SSIM; best control 0.30");
    struct ib_text data = run_get(r->dir, "plots/heatmap-softmax.dat");
    assert_says(&data, "0 0 0.4 \"0.40\"");
    ib_text_free(&data);
    ib_text_free(&page);
}

/* Twenty attacks against ten defenses, all like the first row. */
static void widen(struct run *r)
{
    cJSON *attacks = cJSON_GetObjectItem(r->results, "attacks");
    cJSON *defenses = cJSON_GetObjectItem(r->results, "defenses");
    cJSON *rows = summary_of(r, "rows");
    char a[32], d[32];

    for (int i = 0; i < 20; i++) {
        cJSON *attack = cJSON_Duplicate(cJSON_GetArrayItem(attacks, 0), true);
        snprintf(a, sizeof a, "attack-%d", i);
        cJSON_SetValuestring(cJSON_GetObjectItem(attack, "id"), a);
        cJSON_AddItemToArray(attacks, attack);
        for (int j = 0; j < 10; j++) {
            cJSON *row = cJSON_Duplicate(cJSON_GetArrayItem(rows, 0), true);
            snprintf(d, sizeof d, "defense-%d", j);
            cJSON_ReplaceItemInObject(row, "attack", cJSON_CreateString(a));
            cJSON_ReplaceItemInObject(row, "defense", cJSON_CreateString(d));
            cJSON_AddItemToArray(rows, row);
        }
    }
    for (int j = 0; j < 10; j++) {
        cJSON *defense = cJSON_Duplicate(cJSON_GetArrayItem(defenses, 0), true);
        snprintf(d, sizeof d, "defense-%d", j);
        cJSON_ReplaceItemInObject(defense, "id", cJSON_CreateString(d));
        cJSON_AddItemToArray(defenses, defense);
    }
}

static void test_two_hundred_cells_are_all_there(void **state)
{
    struct run *r = *state;
    size_t found = 0;

    widen(r);
    struct ib_text page = make_page(r);
    for (const char *s = ib_text_string(&page);
         (s = strstr(s, "<b>0.75</b>")) != NULL; s++)
        found++;
    assert_int_equal(found, 201);
    assert_silent(&page, "No plots");
    ib_text_free(&page);
}

static void test_report_is_the_same_bytes_every_time(void **state)
{
    static const char *const files[] = {
        "report.html", "plots/heatmap-softmax.svg", "plots/queries-softmax.png",
        "plots/tradeoff.svg"};
    struct run *r = *state;
    struct ib_text first[IB_COUNT(files)];
    struct ib_text page = make_page(r);

    for (size_t i = 0; i < IB_COUNT(files); i++)
        first[i] = run_get(r->dir, files[i]);
    ib_text_free(&page);
    page = make_page(r);
    for (size_t i = 0; i < IB_COUNT(files); i++) {
        struct ib_text again = run_get(r->dir, files[i]);
        assert_int_equal(first[i].size, again.size);
        assert_memory_equal(first[i].data, again.data, again.size);
        ib_text_free(&again);
        ib_text_free(&first[i]);
    }
    ib_text_free(&page);
}

static void test_machine_without_gnuplot_gets_a_page(void **state)
{
    struct run *r = *state;

    hide_gnuplot();
    struct ib_text page = make_page(r);
    assert_says(&page, "No plots: gnuplot is not installed");
    assert_says(&page, "<b>0.75</b>");
    assert_true(run_has(r->dir, "plots/tradeoff.gp"));
    assert_false(run_has(r->dir, "plots/tradeoff.svg"));
    ib_text_free(&page);
}

static void test_every_point_lies_inside_the_tradeoff(void **state)
{
    struct run *r = *state;
    cJSON *h = cJSON_GetArrayItem(summary_of(r, "headline"), 0);
    cJSON *leakage = cJSON_GetObjectItem(h, "leakage");

    hide_gnuplot();
    cJSON_SetNumberValue(cJSON_GetObjectItem(leakage, "value"), -1.5);
    struct ib_text page = make_page(r);
    struct ib_text script = run_get(r->dir, "plots/tradeoff.gp");
    assert_says(&script, "set xrange [0.900:0.960]");
    assert_says(&script, "set yrange [-1.600:1.100]");
    ib_text_free(&script);
    ib_text_free(&page);
}

/* 9800 queries were asked; the last checkpoint is 3000. mi-face ended before.
 */
static void test_curves_end_where_the_attack_did(void **state)
{
    struct run *r = *state;

    hide_gnuplot();
    struct ib_text page = make_page(r);
    struct ib_text data = run_get(r->dir, "plots/queries-softmax.dat");
    assert_says(&data, " 3000 0.5 1\n 9800 0.6 1\n");
    assert_says(&data, " 3000 0.8 1\n\n");
    ib_text_free(&data);
    ib_text_free(&page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(test_hostile_names_run_nothing_in_gnuplot),
        RUN(test_nulls_are_shown_as_missing_never_as_zero),
        RUN(test_uncalibrated_run_leads_with_identification),
        RUN(test_two_hundred_cells_are_all_there),
        RUN(test_report_is_the_same_bytes_every_time),
        RUN(test_machine_without_gnuplot_gets_a_page),
        RUN(test_every_point_lies_inside_the_tradeoff),
        RUN(test_curves_end_where_the_attack_did),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
