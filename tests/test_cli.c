#include "harness_fixture.h"

#include "cli_parts.h"

static struct ib_text printed, noted;
static struct ib_registry *registry;
static char complaint[IB_ERROR_MAX];

static void to_out(const char *text, size_t n)
{
    ib_text_put(&printed, text, n);
}

static void to_note(const char *text, size_t n)
{
    ib_text_put(&noted, text, n);
}

static int make_registry(void **state)
{
    struct ib_error err = {0};

    (void)state;
    return ib_registry_create(&registry, &err) != IB_OK;
}

static int free_all(void **state)
{
    (void)state;
    ib_registry_free(registry);
    ib_text_free(&printed);
    ib_text_free(&noted);
    return 0;
}

/* Runs "invbench <words>" (split at spaces); returns its exit status. */
static int run_wide(const char *words, int width)
{
    struct ib_console console = {to_out, to_note, .width = width};
    static const int stop = 0;
    struct ib_command_env env = {
        .console = &console, .stop = &stop, .registry = registry};
    struct ib_error err = {0};
    char copy[500], *argv[20] = {"invbench"};
    int argc = 1, code;

    snprintf(copy, sizeof copy, "%s", words);
    for (char *w = strtok(copy, " "); w && argc < 19; w = strtok(NULL, " "))
        argv[argc++] = w;
    ib_text_clear(&printed);
    ib_text_clear(&noted);
    code = ib_cli_run(&env, argc, argv, &err);
    snprintf(complaint, sizeof complaint, "%s", err.text);
    return code;
}

static int run(const char *words)
{
    return run_wide(words, 80);
}

static const char *output(void)
{
    return ib_text_string(&printed);
}

static void assert_refused(const char *words, const char *part)
{
    assert_int_equal(run(words), IB_EXIT_USAGE);
    assert_has(complaint, part);
}

static const char *document(enum ib_docs_format format)
{
    ib_text_clear(&printed);
    ib_docs_write(&printed, format, registry);
    return output();
}

/* --- help
 * ---------------------------------------------------------------------- */

static void every_command_has_help_that_names_its_flags(void **state)
{
    (void)state;
    for (const struct ib_command *const *c = ib_commands; *c; c++) {
        const struct ib_flag *f;
        char words[80], flag[80];
        snprintf(words, sizeof words, "%s --help", (*c)->name);
        assert_int_equal(run(words), IB_EXIT_OK);
        snprintf(flag, sizeof flag, "Usage: invbench %s", (*c)->name);
        assert_has(output(), flag);
        for (size_t i = 0; (f = ib_flag_at(*c, i)); i++) {
            snprintf(flag, sizeof flag, "  --%s%s%s", f->name,
                     f->value ? " " : "", f->value ? f->value : "");
            assert_has(output(), flag);
        }
    }
}

static void three_ways_to_help_say_the_same(void **state)
{
    (void)state;
    struct ib_text first = {0};

    run("validate --help");
    ib_text_add(&first, "%s", output());
    run("help validate");
    assert_string_equal(ib_text_string(&first), output());
    run("validate -h");
    assert_string_equal(ib_text_string(&first), output());
    ib_text_free(&first);
}

static void the_overview_lists_what_is_not_hidden(void **state)
{
    (void)state;
    assert_int_equal(run("--help"), IB_EXIT_OK);
    for (const struct ib_command *const *c = ib_commands; *c; c++) {
        char line[80];
        snprintf(line, sizeof line, "\n  %s ", (*c)->name);
        if ((*c)->hidden)
            assert_has_not(output(), line);
        else
            assert_has(output(), line);
    }
    assert_int_equal(run(""), IB_EXIT_USAGE);
    assert_has(complaint, "a command is missing");
}

/* Long words and verbatim examples apart. */
static void help_fits_the_terminal(void **state)
{
    (void)state;
    static const int widths[] = {50, 80, 100};

    for (size_t k = 0; k < IB_COUNT(widths); k++) {
        struct ib_wrap w = {.indent = 4, .width = widths[k]};
        const char *text = "many short words that have to be put into lines of "
                           "a given width and never over it, whatever the "
                           "width may be, at any place of the text";
        ib_text_clear(&printed);
        ib_help_wrap(&printed, text, strlen(text), w);
        for (const char *line = output(); *line;) {
            size_t n = strcspn(line, "\n");
            assert_in_range(n, 1, widths[k]);
            line += n + (line[n] == '\n');
        }
    }
}

static void examples_in_details_stand_as_they_are(void **state)
{
    (void)state;
    ib_text_clear(&printed);
    ib_help_paragraphs(&printed, "one two\nthree\n\n  a   b\n  c\nlast", 60);
    assert_string_equal(output(), "one two three\n\n  a   b\n  c\nlast\n");
}

/* --- mistakes
 * --------------------------------------------------------------------- */

static void unknown_words_get_the_nearest(void **state)
{
    (void)state;
    assert_refused("lst", "no command \"lst\" (did you mean \"list\"?)");
    assert_refused("help descirbe", "did you mean \"describe\"?");
    assert_refused("list --jsno", "no flag --jsno (did you mean --json?)");
    assert_refused("list atack",
                   "no kind \"atack\" (did you mean \"attack\"?)");
    assert_refused("describe mi-fce", "did you mean \"mi-face\"?");
    assert_refused("describe defense rund", "did you mean \"round\"?");
    assert_refused("frobnicate", "no command \"frobnicate\"; `invbench");
}

static void flags_are_checked(void **state)
{
    (void)state;
    assert_refused("list --json --json", "--json is given twice");
    assert_refused("list --json=yes", "--json takes no value");
    assert_refused("list --plugin", "--plugin needs a value: FILE.so");
    assert_refused("list -x", "flags begin with two dashes");
    assert_refused("list attack more", "one argument too many: \"more\"");
    assert_refused("validate", "an argument is missing; usage: invbench "
                               "validate");
    assert_refused("list --plugin ./none.so", "--plugin ./none.so: no such");
}

static void a_hidden_command_is_never_suggested(void **state)
{
    (void)state;
    assert_refused("prob", "there is no command \"prob\"");
    assert_has_not(complaint, "probe");
}

/* --- a command of the test's own
 * ------------------------------------------------ */

static int look(const struct ib_command_env *env, const struct ib_args *args,
                struct ib_error *err)
{
    int64_t jobs = 7;

    (void)env;
    if (ib_args_int(args, "jobs", 1, 64, &jobs, err) != IB_OK)
        return IB_EXIT_USAGE;
    ib_text_clear(&printed);
    ib_text_add(&printed, "jobs %d;", (int)jobs);
    for (const char *const *s = ib_args_all(args, "set"); *s; s++)
        ib_text_add(&printed, " set %s;", *s);
    for (int i = 0; i < ib_args_count(args); i++)
        ib_text_add(&printed, " %s", ib_args_at(args, i));
    ib_text_add(&printed, "%s", ib_args_has(args, "force") ? " force" : "");
    assert_null(ib_args_at(args, ib_args_count(args)));
    assert_null(ib_args_get(args, "unheard-of"));
    return IB_EXIT_OK;
}

static const struct ib_command own = {
    .name = "own",
    .synopsis = "",
    .summary = "",
    .flags =
        (const struct ib_flag[]){
            {.name = "jobs", .value = "N", .help = "h"},
            {.name = "set", .value = "X", .help = "h", .repeats = true},
            {.name = "force", .help = "h"},
            {0},
        },
    .max_args = -1,
    .run = look,
};

static void values_and_positions_are_told_apart(void **state)
{
    (void)state;
    char *argv[] = {"a",         "--jobs=3", "--set",  "x=1",
                    "--set=y=2", "--",       "--force"};
    struct ib_console console = {to_out, to_note, .width = 80};
    struct ib_command_env env = {.console = &console, .registry = registry};
    struct ib_error err = {0};

    assert_int_equal(ib_cli_command(&env, &own, 7, argv, &err), IB_EXIT_OK);
    assert_string_equal(output(), "jobs 3; set x=1; set y=2; a --force");
    argv[1] = "--force";
    assert_int_equal(ib_cli_command(&env, &own, 2, argv, &err), IB_EXIT_OK);
    assert_string_equal(output(), "jobs 7; a force");
}

static void numbers_of_flags_are_checked(void **state)
{
    (void)state;
    static const char *const wrong[][2] = {
        {"--jobs=two", "--jobs: \"two\" is not an integer"},
        {"--jobs=", "not an integer"},
        {"--jobs=0", "0 is out of range; 1..64 is allowed"},
        {"--jobs=3.5", "not an integer"},
        {"--jobs=99999999999999999999", "out of range"}};
    struct ib_console console = {to_out, to_note, .width = 80};
    struct ib_command_env env = {.console = &console, .registry = registry};

    for (size_t i = 0; i < IB_COUNT(wrong); i++) {
        struct ib_error err = {0};
        char *argv[] = {(char *)wrong[i][0]};
        assert_int_equal(ib_cli_command(&env, &own, 1, argv, &err),
                         IB_EXIT_USAGE);
        assert_has(err.text, wrong[i][1]);
    }
}

/* --- list, describe, validate
 * ------------------------------------------------------ */

static void list_names_every_plugin(void **state)
{
    (void)state;
    assert_int_equal(run("list"), IB_EXIT_OK);
    for (int k = 0; k < IB_KIND_COUNT; k++)
        for (size_t i = 0; i < ib_registry_count(registry, (enum ib_kind)k);
             i++)
            assert_has(output(),
                       ib_registry_at(registry, (enum ib_kind)k, i)->name);
    assert_int_equal(run("list defenses"), IB_EXIT_OK);
    assert_has(output(), "round");
    assert_has_not(output(), "mi-face");
}

static void json_of_list_reads_back(void **state)
{
    (void)state;
    struct ib_error err = {0};
    cJSON *v = NULL;

    assert_int_equal(run("list --json"), IB_EXIT_OK);
    assert_int_equal(
        ib_json_parse(printed.data, printed.size, "list", &v, &err), IB_OK);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(v, "defense")),
                     ib_registry_count(registry, IB_KIND_DEFENSE));
    cJSON_Delete(v);
}

static void describe_tells_every_option(void **state)
{
    (void)state;
    for (int k = 0; k < IB_KIND_COUNT; k++)
        for (size_t i = 0; i < ib_registry_count(registry, (enum ib_kind)k);
             i++) {
            const struct ib_plugin *p =
                ib_registry_at(registry, (enum ib_kind)k, i);
            char words[120];
            snprintf(words, sizeof words, "describe %s %s", ib_kind_names[k],
                     p->name);
            assert_int_equal(run(words), IB_EXIT_OK);
            for (const struct ib_option *o = p->options; o && o->name; o++) {
                snprintf(words, sizeof words, "  %s = ", o->name);
                assert_has(output(), words);
            }
        }
}

static void describe_finds_a_name_without_its_kind(void **state)
{
    (void)state;
    assert_int_equal(run("describe mi-face"), IB_EXIT_OK);
    assert_has(output(), "attack mi-face:");
    assert_int_equal(run("describe attack mi-face --json"), IB_EXIT_OK);
    assert_has(output(), "\"kind\": \"attack\"");
}

static void validate_reports_each_suite(void **state)
{
    (void)state;
    assert_refused("validate /no/such.json /no/other.json",
                   "2 of 2 are not valid");
    assert_has(output(), "/no/such.json: No such file");
    assert_has(output(), "/no/other.json: No such file");
    assert_int_equal(run("validate --json /no/such.json"), IB_EXIT_USAGE);
    assert_has(output(), "\"valid\": false");
    assert_int_equal(run("validate suites/suite.schema.json"), IB_EXIT_OK);
    assert_has(ib_text_string(&noted), "a schema, not a suite");
}

/* --- generated documents
 * ------------------------------------------------------------ */

static void documents_name_every_command_and_flag(void **state)
{
    (void)state;
    static const enum ib_docs_format formats[] = {
        IB_DOCS_MAN, IB_DOCS_BASH, IB_DOCS_ZSH, IB_DOCS_FISH, IB_DOCS_COMMANDS};

    for (size_t k = 0; k < IB_COUNT(formats); k++) {
        const char *text = document(formats[k]);
        for (const struct ib_command *const *c = ib_commands; *c; c++) {
            const struct ib_flag *f;
            for (size_t i = 0; !(*c)->hidden && (f = ib_flag_at(*c, i)); i++) {
                char word[80];
                snprintf(word, sizeof word, "%s%s",
                         formats[k] == IB_DOCS_MAN    ? "\\-\\-"
                         : formats[k] == IB_DOCS_FISH ? "-l "
                                                      : "--",
                         f->name);
                for (char *p = word + 4; formats[k] == IB_DOCS_MAN && *p; p++)
                    if (*p == '-')
                        *p = '\0';
                assert_has(text, word);
            }
            if (!(*c)->hidden)
                assert_has(text, (*c)->name);
        }
    }
}

static void the_plugins_page_names_every_option(void **state)
{
    (void)state;
    const char *text = document(IB_DOCS_PLUGINS);

    for (int k = 0; k < IB_KIND_COUNT; k++)
        for (size_t i = 0; i < ib_registry_count(registry, (enum ib_kind)k);
             i++) {
            const struct ib_plugin *p =
                ib_registry_at(registry, (enum ib_kind)k, i);
            char word[100];
            snprintf(word, sizeof word, "### %s\n", p->name);
            assert_has(text, word);
            for (const struct ib_option *o = p->options; o && o->name; o++) {
                snprintf(word, sizeof word, "| `%s` |", o->name);
                assert_has(text, word);
            }
        }
}

static void docs_wants_a_known_format(void **state)
{
    (void)state;
    assert_refused("docs", "--format: unknown or missing");
    assert_refused("docs --format bsah", "did you mean \"bash\"?");
    assert_int_equal(run("docs --format fish"), IB_EXIT_OK);
    assert_has(output(), "complete -c invbench");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_command_has_help_that_names_its_flags),
        cmocka_unit_test(three_ways_to_help_say_the_same),
        cmocka_unit_test(the_overview_lists_what_is_not_hidden),
        cmocka_unit_test(help_fits_the_terminal),
        cmocka_unit_test(examples_in_details_stand_as_they_are),
        cmocka_unit_test(unknown_words_get_the_nearest),
        cmocka_unit_test(flags_are_checked),
        cmocka_unit_test(a_hidden_command_is_never_suggested),
        cmocka_unit_test(values_and_positions_are_told_apart),
        cmocka_unit_test(numbers_of_flags_are_checked),
        cmocka_unit_test(list_names_every_plugin),
        cmocka_unit_test(json_of_list_reads_back),
        cmocka_unit_test(describe_tells_every_option),
        cmocka_unit_test(describe_finds_a_name_without_its_kind),
        cmocka_unit_test(validate_reports_each_suite),
        cmocka_unit_test(documents_name_every_command_and_flag),
        cmocka_unit_test(the_plugins_page_names_every_option),
        cmocka_unit_test(docs_wants_a_known_format),
    };
    return cmocka_run_group_tests(tests, make_registry, free_all);
}
