/* What a comparison prints and writes, and how it exits. */
#include "compare_fixture.h"

#include "cli_parts.h"

static struct ib_text printed;

static bool few(int slot, int attack, int seed, int person)
{
    (void)slot, (void)attack;
    return (person * 3 + seed) % 10 < 3;
}

static bool many(int slot, int attack, int seed, int person)
{
    (void)slot, (void)attack;
    return (person * 3 + seed) % 10 < 7;
}

static cJSON *small_run(bool (*finds)(int, int, int, int))
{
    struct made m = {
        .seeds = 3, .people = 20, .slots = 1, .attacks = 1, .finds = finds};
    return made_results(&m);
}

/* Names that want to be markup. */
static cJSON *hostile_run(bool (*finds)(int, int, int, int))
{
    static const char name[] = "a|<b>&\"::,%0A\n\x1b[31m`x`";
    cJSON *o = small_run(finds), *cell;
    cJSON *attack = cJSON_GetObjectItem(o, "attacks")->child;
    cJSON *rows =
        cJSON_GetObjectItem(cJSON_GetObjectItem(o, "summary"), "rows");
    cJSON_ReplaceItemInObject(attack, "id", cJSON_CreateString(name));
    cJSON_ReplaceItemInObject(rows->child, "attack", cJSON_CreateString(name));
    cJSON_ArrayForEach(cell, cJSON_GetObjectItem(o, "cells"))
        cJSON_ReplaceItemInObject(cell, "attack", cJSON_CreateString(name));
    return o;
}

static const char *const gates[] = {"leakage:+0.02", "accuracy:-1pp", NULL};

static void json_is_valid_whatever_the_outcome(void **state)
{
    cJSON *schema;
    assert_int_equal(
        ib_json_read("results/comparison.schema.json", &schema, NULL), IB_OK);
    for (int i = 0; i < 4; i++) {
        struct schema_check c = {.root = schema};
        struct held h;
        cJSON *fresh = small_run(i == 1 ? many : few);
        if (i == 2)
            cJSON_ReplaceItemInObject(fresh, "seeds", cJSON_CreateArray());
        if (i == 3)
            cJSON_ReplaceItemInObject(fresh, "evaluators", cJSON_CreateArray());
        hold(*state, small_run(few), fresh, gates, &h);
        cJSON *o = ib_compare_json(&h.c);
        assert_non_null(o);
        if (!schema_valid(&c, schema, o, "$"))
            fail_msg("%s", c.why);
        assert_string_equal(ib_at_text(o, "outcome"),
                            ib_outcome_words[h.c.outcome]);
        assert_int_equal((int)h.c.outcome, i);
        cJSON_Delete(o);
        ib_compare_free(&h.c);
    }
    cJSON_Delete(schema);
}

static void the_table_names_what_failed(void **state)
{
    struct held h;
    struct ib_text t = {0};
    hold(*state, small_run(few), small_run(many), gates, &h);
    assert_int_equal(ib_compare_text(&h.c, 120, false, &t, NULL), IB_OK);
    assert_has(t.data, "invbench compare: regression");
    assert_has(t.data, "target/candidate/mi-face/scores");
    assert_has(t.data, "caught from");
    assert_has(t.data, "leakage rose by 0.500");
    assert_has(t.data, "1 passed, 1 failed, 0 undecided");
    ib_text_free(&t);
    ib_compare_free(&h.c);
}

/* What is the same pair by pair is named once, below the table. */
static void what_is_the_same_is_not_a_row(void **state)
{
    struct held h;
    struct ib_text t = {0};
    hold(*state, small_run(few), small_run(many), gates, &h);
    assert_int_equal(ib_compare_text(&h.c, 120, false, &t, NULL), IB_OK);
    assert_has(t.data, "the same in both runs, pair by pair:\n"
                       "  accuracy target/candidate (0.900)\n");
    assert_has_not(t.data, "+0.000");
    ib_compare_free(&h.c);
    ib_text_clear(&t);
    hold(*state, small_run(few), small_run(few), gates, &h);
    assert_int_equal(ib_compare_text(&h.c, 120, false, &t, NULL), IB_OK);
    assert_has(t.data, "invbench compare: ok\n");
    assert_has(t.data, "  leakage target/candidate/mi-face/scores (");
    assert_has_not(t.data, "change [low, high]");
    ib_text_free(&t);
    ib_compare_free(&h.c);
}

static void verdicts_are_said_in_words(void **state)
{
    static const char *const claims[] = {"leakage:+0.02", "!leakage:+0.02",
                                         NULL};
    struct held h;
    hold(*state, small_run(few), small_run(many), claims, &h);
    assert_has(h.c.judgements[0].text, "; at 99 % confidence it rose by more");
    assert_has(h.c.judgements[0].text, "; 0.020 is allowed");
    assert_has(h.c.judgements[1].text, "less than 0.020 is not shown");
    ib_compare_free(&h.c);
    hold(*state, small_run(many), small_run(few), claims, &h);
    assert_has(h.c.judgements[0].text, "more than 0.020 is not shown");
    assert_has(h.c.judgements[1].text, "it rose by less than 0.000; 0.020");
    ib_compare_free(&h.c);
}

static void an_outcome_without_a_failure_is_undecided(void **state)
{
    struct held h;
    struct ib_text t = {0};
    cJSON *fresh = small_run(few);
    lose(fresh, 0, "crashed");
    hold(*state, small_run(few), fresh, gates, &h);
    assert_int_equal(h.c.outcome, IB_OUTCOME_REGRESSION);
    assert_int_equal(ib_compare_text(&h.c, 120, false, &t, NULL), IB_OK);
    assert_has(t.data, "invbench compare: undecided, which does not pass\n");
    ib_text_free(&t);
    ib_compare_free(&h.c);
}

static void options_of_a_changed_stack_are_shown(void **state)
{
    struct held h;
    cJSON *fresh = small_run(few);
    cJSON *d = cJSON_GetObjectItem(fresh, "defenses")->child;
    cJSON_ReplaceItemInObject(
        d, "stack",
        json_of("[{'name':'round','version':'1','options':{'step':0.05}},"
                "{'name':'label-only','version':'1','options':{}}]"));
    hold(*state, small_run(few), fresh, NULL, &h);
    assert_true(says(h.c.changed, "none -> round(step=0.05) + label-only"));
    ib_compare_free(&h.c);
}

static void markdown_keeps_names_from_being_markup(void **state)
{
    struct held h;
    struct ib_text t = {0};
    hold(*state, hostile_run(few), hostile_run(many), gates, &h);
    assert_int_equal(ib_compare_text(&h.c, 0, false, &t, NULL), IB_OK);
    assert_has(t.data, "### invbench compare: regression");
    assert_has_not(t.data, "<b>");
    assert_has_not(t.data, "\x1b");
    assert_has_not(t.data, "a|<");
    ib_text_free(&t);
    ib_compare_free(&h.c);
}

static void junit_escapes_and_counts(void **state)
{
    struct held h;
    struct ib_text t = {0};
    hold(*state, hostile_run(few), hostile_run(many), gates, &h);
    ib_compare_junit(&h.c, &t);
    assert_has(t.data, "tests=\"2\" failures=\"1\" errors=\"0\"");
    assert_has(t.data, "<failure message=\"leakage rose by 0.500");
    assert_has(t.data, "&lt;b&gt;&amp;&quot;");
    assert_has_not(t.data, "<b>");
    assert_has_not(t.data, "\x1b");
    ib_text_free(&t);
    ib_compare_free(&h.c);
}

static void annotations_stay_on_their_line(void **state)
{
    struct held h;
    struct ib_text t = {0};
    hold(*state, hostile_run(few), hostile_run(many), gates, &h);
    ib_compare_annotations(&h.c, &t);
    assert_int_equal(strncmp(t.data,
                             "::error title=invbench fail%3A leakage%3A+0.02::"
                             "target/candidate/a|<b>&\"::,%250A%0A%1B[31m",
                             80),
                     0);
    for (const char *line = t.data; *line; line = strchr(line, '\n') + 1)
        assert_int_equal(strncmp(line, "::", 2), 0);
    ib_text_free(&t);
    ib_compare_free(&h.c);
}

/* --- the command -----------------------------------------------------------
 */

static void to_out(const char *text, size_t n)
{
    ib_text_put(&printed, text, n);
}

/* "compare BASE NEW words", in the test's directory. */
static int command(const char *dir, const char *words)
{
    struct ib_console console = {to_out, to_out, .width = 100};
    static const int stop = 0;
    struct ib_command_env env = {.console = &console, .stop = &stop};
    struct ib_error err = {0};
    char copy[500], path[3][PATH_MAX + 64], *argv[20];
    int argc = 2;
    snprintf(path[0], sizeof path[0], "%s/base.json", dir);
    snprintf(path[1], sizeof path[1], "%s/new.json", dir);
    argv[0] = path[0];
    argv[1] = path[1];
    snprintf(copy, sizeof copy, "%s", words);
    for (char *w = strtok(copy, " "); w && argc < 19; w = strtok(NULL, " ")) {
        argv[argc++] = w;
        if (strcmp(w, "OUT"))
            continue;
        snprintf(path[2], sizeof path[2], "%s/out", dir);
        argv[argc - 1] = path[2];
    }
    argv[argc] = NULL;
    ib_text_clear(&printed);
    int code =
        ib_cli_command(&env, ib_command_find("compare"), argc, argv, &err);
    if (*err.text)
        ib_text_add(&printed, "%s", err.text);
    return code;
}

static void put_pair(const char *dir, cJSON *base, cJSON *fresh)
{
    write_results(dir, "base.json", base);
    write_results(dir, "new.json", fresh);
    cJSON_Delete(base);
    cJSON_Delete(fresh);
}

static void written(const char *dir, const char *part)
{
    char path[PATH_MAX + 64];
    struct ib_text t = {0};
    snprintf(path, sizeof path, "%s/out", dir);
    assert_int_equal(ib_file_read(path, 1 << 20, &t, NULL), IB_OK);
    assert_has(ib_text_string(&t), part);
    ib_text_free(&t);
    assert_int_equal(remove(path), 0);
}

static void exits_say_what_came_of_it(void **state)
{
    cJSON *other = small_run(few);
    put_pair(*state, small_run(few), small_run(many));
    assert_int_equal(command(*state, ""), IB_EXIT_OK);
    assert_int_equal(command(*state, "--fail leakage:+0.9"), IB_EXIT_OK);
    assert_int_equal(command(*state, "--fail leakage:+0.02"), 10);
    assert_int_equal(command(*state, "--noninferior leakage:+0.02"), 10);
    assert_int_equal(command(*state, "--fail leakage"), IB_EXIT_USAGE);
    assert_int_equal(command(*state, "--fail nothing:+1"), IB_EXIT_USAGE);
    cJSON_ReplaceItemInObject(other, "seeds", cJSON_CreateArray());
    put_pair(*state, small_run(few), other);
    assert_int_equal(command(*state, "--fail leakage:+0.02"), 11);
    other = small_run(few);
    cJSON_ReplaceItemInObject(other, "evaluators", cJSON_CreateArray());
    put_pair(*state, small_run(few), other);
    assert_int_equal(command(*state, "--fail leakage:+0.02"), 12);
    put_pair(*state, small_run(few), cJSON_CreateArray());
    assert_int_equal(command(*state, ""), IB_EXIT_ERROR);
    ib_text_free(&printed);
}

static void files_are_written_whatever_comes_of_it(void **state)
{
    cJSON *other = small_run(few);
    put_pair(*state, small_run(few), small_run(many));
    assert_int_equal(command(*state, "--fail leakage:+0.02 --json OUT"), 10);
    written(*state, "\"outcome\": \"regression\"");
    assert_int_equal(command(*state, "--fail leakage:+0.02 --junit OUT"), 10);
    written(*state, "<failure ");
    assert_int_equal(command(*state, "--fail leakage:+0.02 --markdown OUT"),
                     10);
    written(*state, "### invbench compare");
    cJSON_ReplaceItemInObject(other, "evaluators", cJSON_CreateArray());
    put_pair(*state, small_run(few), other);
    assert_int_equal(command(*state, "--annotations --junit OUT"), 12);
    written(*state, "<error message=\"other evaluators");
    assert_has(ib_text_string(&printed), "::error title=invbench");
    ib_text_free(&printed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_is_valid_whatever_the_outcome),
        cmocka_unit_test(the_table_names_what_failed),
        cmocka_unit_test(what_is_the_same_is_not_a_row),
        cmocka_unit_test(verdicts_are_said_in_words),
        cmocka_unit_test(an_outcome_without_a_failure_is_undecided),
        cmocka_unit_test(options_of_a_changed_stack_are_shown),
        cmocka_unit_test(markdown_keeps_names_from_being_markup),
        cmocka_unit_test(junit_escapes_and_counts),
        cmocka_unit_test(annotations_stay_on_their_line),
        cmocka_unit_test(exits_say_what_came_of_it),
        cmocka_unit_test(files_are_written_whatever_comes_of_it),
    };
    return cmocka_run_group_tests(tests, dir_setup, dir_teardown);
}
