/* Tables on a terminal and as Markdown. */
#include "report_fixture.h"

#include "report.h"
#include "table.h"
#include "table_width.h"

static struct ib_text printed; /* what the console under test got */

static void print(const char *text, size_t n)
{
    ib_text_put(&printed, text, n);
}

static const char *table_at(int width, bool color, const cJSON *results)
{
    struct ib_console console = {
        .out = print, .note = print, .color = color, .width = width};
    struct ib_error err = {0};

    ib_text_clear(&printed);
    if (ib_report_table(results, &console, &err) != IB_OK)
        fail_msg("%s", err.text);
    return ib_text_string(&printed);
}

static int forget(void **state)
{
    (void)state;
    ib_text_free(&printed);
    return 0;
}

static void test_width_counts_columns_not_bytes(void **state)
{
    (void)state;
    assert_int_equal(ib_text_width("abc"), 3);
    assert_int_equal(ib_text_width("caf\xc3\xa9"), 4);
    assert_int_equal(ib_text_width("e\xcc\x81"), 1);
    assert_int_equal(ib_text_width("\xe6\xbc\xa2\xe5\xad\x97"), 4);
    assert_int_equal(ib_text_width(""), 0);
}

static void test_bytes_that_are_no_utf8_read_as_replacements(void **state)
{
    static const char *const bad[] = {
        "\xff", "\xc3",        "\xed\xa0\x80", "\xc0\xaf", "\xf8\x88\x80\x80",
        "\x1b", "\xe2\x80\xae"};

    (void)state;
    for (size_t i = 0; i < IB_COUNT(bad); i++) {
        const char *next = NULL;
        assert_int_equal(ib_utf8_read(bad[i], &next), IB_REPLACEMENT);
        assert_true(next > bad[i]);
    }
}

static void test_every_character_survives_writing_and_reading(void **state)
{
    (void)state;
    for (uint32_t c = 0x20; c < 0x110000; c += 0x1f) {
        char bytes[5] = {0};
        const char *next = NULL;
        size_t n = ib_utf8_write(c, bytes);
        uint32_t back = ib_utf8_read(bytes, &next);
        assert_true(back == c || back == IB_REPLACEMENT);
        assert_true(back != c || next == bytes + n);
    }
}

static void assert_fits(const char *s, int width, bool right, const char *want)
{
    struct ib_text t = {0};

    ib_text_fit(&t, s, width, right);
    assert_string_equal(ib_text_string(&t), want);
    ib_text_free(&t);
}

static void test_texts_are_cut_and_filled_to_the_column(void **state)
{
    (void)state;
    assert_fits("abc", 5, false, "abc  ");
    assert_fits("abc", 5, true, "  abc");
    assert_fits("abcdef", 4, false,
                "a\xe2\x80\xa6"
                "ef");
    assert_fits("\xe6\xbc\xa2\xe5\xad\x97", 3, false,
                "\xe2\x80\xa6\xe5\xad\x97");
    assert_fits("\xe6\xbc\xa2\xe5\xad\x97", 2, false, "\xe2\x80\xa6 ");
}

static void test_table_lines_up_exactly(void **state)
{
    static const struct ib_table_column columns[] = {
        {"name", false, 4}, {"n", true, 0}, {"why", false, 0}};
    struct ib_table *t = ib_table_create(columns, 3);
    struct ib_text out = {0};

    (void)state;
    ib_table_add(t, IB_PLAIN, "%s", "a");
    ib_table_add(t, IB_PLAIN, "%d", 7);
    ib_table_add(t, IB_PLAIN, "%s", "");
    ib_table_add(t, IB_PLAIN, "%s", "\xe6\xbc\xa2\xe5\xad\x97-long");
    ib_table_add(t, IB_PLAIN, "%d", 1234);
    ib_table_add(t, IB_PLAIN, "%s", "yes");
    assert_int_equal(ib_table_text(t, 40, false, &out), 0);
    assert_string_equal(ib_text_string(&out),
                        "name          n  why\n"
                        "a             7\n"
                        "\xe6\xbc\xa2\xe5\xad\x97-long  1234  yes\n");
    ib_text_free(&out);
    ib_table_free(t);
}

static void test_narrow_table_cuts_names_then_drops_columns(void **state)
{
    static const struct ib_table_column columns[] = {
        {"name", false, 4}, {"n", true, 0}, {"why", false, 0}};
    struct ib_table *t = ib_table_create(columns, 3);
    struct ib_text out = {0};

    (void)state;
    ib_table_add(t, IB_PLAIN, "%s", "long-name");
    ib_table_add(t, IB_PLAIN, "%d", 7);
    ib_table_add(t, IB_PLAIN, "%s", "because");
    assert_int_equal(ib_table_text(t, 18, false, &out), 0);
    assert_string_equal(ib_text_string(&out),
                        "name    n  why\n"
                        "l\xe2\x80\xa6name  7  because\n");
    ib_text_clear(&out);
    assert_int_equal(ib_table_text(t, 8, false, &out), 1);
    assert_string_equal(ib_text_string(&out), "name  n\n"
                                              "l\xe2\x80\xa6me  7\n");
    ib_text_free(&out);
    ib_table_free(t);
}

static void test_results_table_is_as_expected(void **state)
{
    cJSON *results = sample_read();
    const char *text = table_at(140, false, results);

    (void)state;
    assert_non_null(strstr(
        text,
        "softmax  mi-face           gradients  none          0.75 [0.55, 0.95]"
        "     0.70 (0.30)           0.70 (0.10-0.90)      400      0.93\n"));
    assert_non_null(strstr(text, "softmax  mi-face-blackbox  scores     "
                                 "label-only              timeout\n"));
    assert_non_null(strstr(
        text, "  skipped (3): needs gradients; the oracle grants scores\n"));
    assert_non_null(strstr(text, "  flag few-seeds (3 rows): 1 seed: intervals "
                                 "do not know how training varies\n"
                                 "  flag missing-cells (1 row): 1 of 1 cells"));
    cJSON_Delete(results);
}

static void test_no_line_is_wider_than_the_terminal(void **state)
{
    cJSON *results = sample_read();

    (void)state;
    for (int width = 40; width <= 140; width += 5) {
        struct ib_text copy = {0};
        const char *text = table_at(width, false, results);
        ib_text_put(&copy, text, (size_t)(strstr(text, "\n  ") - text));
        for (char *l = strtok(copy.data, "\n"); l; l = strtok(NULL, "\n"))
            assert_true(l[0] == '(' || ib_text_width(l) <= width);
        ib_text_free(&copy);
    }
    cJSON_Delete(results);
}

static void test_narrow_terminal_is_told_what_it_misses(void **state)
{
    cJSON *results = sample_read();

    (void)state;
    assert_non_null(strstr(table_at(60, false, results), "columns do not fit"));
    assert_null(strstr(table_at(140, false, results), "do not fit"));
    cJSON_Delete(results);
}

static void test_color_only_where_it_is_wanted(void **state)
{
    cJSON *results = sample_read();

    (void)state;
    assert_null(strchr(table_at(140, false, results), '\033'));
    assert_non_null(strstr(table_at(140, true, results), "\033[31m"));
    cJSON_Delete(results);
}

static void test_names_cannot_steer_the_terminal(void **state)
{
    cJSON *results = sample_read();

    (void)state;
    json_rename(results, "softmax", "\033[2J\033]0;x\007evil\r\n");
    json_rename(results, "attack: no answer within 60 s of CPU time",
                "a\033[31m\nb");
    const char *text = table_at(160, false, results);
    assert_null(strchr(text, '\033'));
    assert_null(strchr(text, '\007'));
    assert_non_null(strstr(text, "evil"));
    assert_non_null(strstr(text, "timeout (1): a\xEF\xBF\xBD[31m b\n"));
    cJSON_Delete(results);
}

static void test_nulls_are_not_zeros(void **state)
{
    cJSON *results = sample_read();

    (void)state;
    json_empty(cJSON_GetObjectItem(results, "summary"));
    const char *text = table_at(140, false, results);
    assert_non_null(strstr(text, "n/a"));
    assert_null(strstr(text, "0.00"));
    cJSON_Delete(results);
}

static void test_markdown_has_a_rule_and_escapes(void **state)
{
    cJSON *results = sample_read();
    struct ib_text out = {0};

    (void)state;
    json_rename(results, "softmax", "a|b<c>");
    assert_int_equal(ib_report_markdown(results, &out, NULL), IB_OK);
    assert_non_null(strstr(out.data, "| model | attack | access | defense |"));
    assert_non_null(strstr(out.data, "\n|---|---|---|---|---:|---:|"));
    assert_non_null(
        strstr(out.data, "\n| a\\|b\\<c\\> | mi-face | gradients | none | 0.75"
                         " \\[0.55, 0.95\\] |"));
    ib_text_free(&out);
    cJSON_Delete(results);
}

static void test_results_of_another_kind_are_refused(void **state)
{
    cJSON *results = cJSON_Parse("{\"schema\": 3}");
    struct ib_console console = {.out = print, .note = print, .width = 80};
    struct ib_error err = {0};

    (void)state;
    assert_int_equal(ib_report_table(results, &console, &err), IB_E_DATA);
    assert_non_null(strstr(err.text, "schema"));
    cJSON_Delete(results);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_width_counts_columns_not_bytes),
        cmocka_unit_test(test_bytes_that_are_no_utf8_read_as_replacements),
        cmocka_unit_test(test_every_character_survives_writing_and_reading),
        cmocka_unit_test(test_texts_are_cut_and_filled_to_the_column),
        cmocka_unit_test(test_table_lines_up_exactly),
        cmocka_unit_test(test_narrow_table_cuts_names_then_drops_columns),
        cmocka_unit_test(test_results_table_is_as_expected),
        cmocka_unit_test(test_no_line_is_wider_than_the_terminal),
        cmocka_unit_test(test_narrow_terminal_is_told_what_it_misses),
        cmocka_unit_test(test_color_only_where_it_is_wanted),
        cmocka_unit_test(test_names_cannot_steer_the_terminal),
        cmocka_unit_test(test_nulls_are_not_zeros),
        cmocka_unit_test(test_markdown_has_a_rule_and_escapes),
        cmocka_unit_test(test_results_of_another_kind_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, forget);
}
