#include <string.h>

#include "cli.h"
#include "suite_parts.h"

static cJSON *verdict_json(const char *path, const struct ib_suite *s,
                           const struct ib_error *why)
{
    cJSON *v = cJSON_CreateObject();

    cJSON_AddStringToObject(v, "suite", path);
    cJSON_AddBoolToObject(v, "valid", s != NULL);
    if (!s) {
        cJSON_AddStringToObject(v, "error", why->text);
        return v;
    }
    cJSON_AddStringToObject(v, "name", s->name);
    cJSON_AddNumberToObject(v, "seeds", s->n_seeds);
    cJSON_AddNumberToObject(v, "models", s->n_models);
    cJSON_AddNumberToObject(v, "evaluators", s->n_evaluators);
    cJSON_AddNumberToObject(v, "defenses", s->n_defenses);
    cJSON_AddNumberToObject(v, "attacks", s->n_attacks);
    cJSON_AddNumberToObject(v, "cells", (double)ib_suite_cells(s));
    return v;
}

static const char *plural(int n)
{
    return n == 1 ? "" : "s";
}

static void say(const struct ib_console *c, const char *path,
                const struct ib_suite *s, const struct ib_error *why)
{
    if (!s) {
        ib_console_out(c, "%s\n", why->text);
        return;
    }
    ib_console_out(
        c,
        "%s: valid, %zu cell%s (%d seed%s, %d model%s, %d defense%s, "
        "%d attack%s)\n",
        path, ib_suite_cells(s), ib_suite_cells(s) == 1 ? "" : "s", s->n_seeds,
        plural(s->n_seeds), s->n_models, plural(s->n_models), s->n_defenses,
        plural(s->n_defenses), s->n_attacks, plural(s->n_attacks));
}

static int print_json(const struct ib_console *c, const cJSON *list,
                      struct ib_error *err)
{
    struct ib_text text = {0};
    enum ib_status s = ib_json_pretty(list, &text, err);

    if (s == IB_OK)
        c->out(ib_text_string(&text), text.size);
    ib_text_free(&text);
    return s == IB_OK ? IB_EXIT_OK : IB_EXIT_ERROR;
}

/* The schema of the format lies among the suites. */
static bool is_schema(const struct ib_command_env *env, const char *path)
{
    static const char end[] = ".schema.json";
    size_t n = strlen(path);

    if (n < sizeof end || strcmp(path + n - (sizeof end - 1), end) != 0)
        return false;
    ib_console_note(env->console, "%s: a schema, not a suite; left out\n",
                    path);
    return true;
}

static int validate_run(const struct ib_command_env *env,
                        const struct ib_args *args, struct ib_error *err)
{
    bool json = ib_args_has(args, "json");
    cJSON *list = cJSON_CreateArray();
    int wrong = 0, code = IB_EXIT_OK;

    for (int i = 0; i < ib_args_count(args); i++) {
        const char *path = ib_args_at(args, i);
        struct ib_suite *suite = NULL;
        struct ib_error why = {0};
        if (is_schema(env, path))
            continue;
        if (ib_suite_read(env->registry, path, ib_args_all(args, "set"),
                          ib_args_all(args, "only"), &suite, &why) != IB_OK)
            wrong++;
        if (json)
            cJSON_AddItemToArray(list, verdict_json(path, suite, &why));
        else if (suite || ib_args_count(args) > 1)
            say(env->console, path, suite, &why);
        else
            *err = why;
        ib_suite_free(suite);
    }
    if (json)
        code = print_json(env->console, list, err);
    cJSON_Delete(list);
    if (code != IB_EXIT_OK || !wrong)
        return code;
    if (err->text[0])
        return IB_EXIT_USAGE;
    ib_error_set(err, IB_E_USAGE, "%d of %d suites cannot be run", wrong,
                 ib_args_count(args));
    return IB_EXIT_USAGE;
}

const struct ib_command ib_cmd_validate = {
    .name = "validate",
    .synopsis = "SUITE.json... [--set PATH=JSON]... [--only COORDINATE=ID]...",
    .summary = "check suites without running anything",
    .details =
        "Reads each suite as `run` would: names, types, ranges, filters and "
        "sweeps are checked, and the number of cells is printed. Exit status 1 "
        "when a suite cannot be run; the message names the file, the place, "
        "the value, and what is allowed.\n"
        "\n"
        "The format of a suite is described in docs/suite.md.\n"
        "\n"
        "Examples:\n"
        "  invbench validate suites/*.json\n"
        "  invbench validate mine.json --set seeds=[1,2,3]\n"
        "  invbench validate mine.json --set attacks.mi-face.steps=500\n",
    .flags =
        (const struct ib_flag[]){
            {.name = "set",
             .value = "PATH=JSON",
             .help = "change a value of the suite before it is checked: "
                     "seeds=[1], defenses.0.stack=[], "
                     "attacks.mi-face.start='\"mean\"'",
             .repeats = true},
            {.name = "only",
             .value = "COORDINATE=ID",
             .help = "keep these cells only; COORDINATE is model, defense, "
                     "attack, access or seed",
             .repeats = true},
            {0},
        },
    .min_args = 1,
    .max_args = -1,
    .run = validate_run,
};
