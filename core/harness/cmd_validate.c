#include <string.h>
#include <sys/stat.h>

#include "cli.h"
#include "entry.h"
#include "suite_parts.h"

enum { SHOWN = 20 };

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

/* What is being validated, and what came of it so far. */
struct validation {
    const struct ib_command_env *env;
    const struct ib_args *args;
    cJSON *list; /* verdicts, with --json */
    int wrong;
    struct ib_error *err;
};

static enum ib_status read_suite(struct validation *v, const char *path,
                                 struct ib_suite **out, struct ib_error *why)
{
    struct stat st;

    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return ib_error_set(why, IB_E_USAGE,
                            "%s is a directory without an entry.json; the file "
                            "of a suite is wanted, or an entry as `invbench "
                            "submit` makes it",
                            path);
    return ib_suite_read(v->env->registry, path, ib_args_all(v->args, "set"),
                         ib_args_all(v->args, "only"), out, why);
}

static void one_suite(struct validation *v, const char *path)
{
    struct ib_suite *suite = NULL;
    struct ib_error why = {0};

    if (read_suite(v, path, &suite, &why) != IB_OK)
        v->wrong++;
    if (v->list)
        cJSON_AddItemToArray(v->list, verdict_json(path, suite, &why));
    else if (suite || ib_args_count(v->args) > 1)
        say(v->env->console, path, suite, &why);
    else
        *v->err = why;
    ib_suite_free(suite);
}

static cJSON *entry_json(const char *path, const struct ib_findings *f)
{
    cJSON *v = cJSON_CreateObject();

    cJSON_AddStringToObject(v, "entry", path);
    cJSON_AddBoolToObject(v, "valid", f->n == 0);
    cJSON_AddNumberToObject(v, "faults", (double)f->n);
    cJSON_AddItemToObject(v, "findings",
                          f->list ? cJSON_Duplicate(f->list, true)
                                  : cJSON_CreateArray());
    return v;
}

static void say_entry(const struct ib_console *c, const struct ib_entry *e,
                      const char *path, const struct ib_findings *f)
{
    struct ib_text t = {0};

    if (f->n == 0) {
        ib_console_out(c, "%s: valid, %d cells%s\n", path,
                       cJSON_GetArraySize(ib_at(e->results, "cells")),
                       e->same_numerics
                           ? ""
                           : "; made with other numerics than this program's");
        return;
    }
    ib_console_out(c, "%s: %zu thing%s wrong\n", path, f->n,
                   f->n == 1 ? " is" : "s are");
    ib_findings_text(f, SHOWN, &t);
    c->out(ib_text_string(&t), t.size);
    ib_text_free(&t);
}

static enum ib_status one_entry(struct validation *v, const char *path)
{
    struct ib_entry e;
    struct ib_findings f = {0};
    enum ib_status s = ib_entry_open(v->env->registry, path, &e, &f, v->err);

    if (!s)
        s = ib_entry_check(&e, &f, v->err);
    if (!s && f.failed)
        s = ib_error_set(v->err, IB_E_NOMEM, "%s: no memory", path);
    if (!s && v->list)
        cJSON_AddItemToArray(v->list, entry_json(path, &f));
    else if (!s)
        say_entry(v->env->console, &e, path, &f);
    v->wrong += f.n > 0;
    ib_entry_close(&e);
    ib_findings_free(&f);
    return s;
}

static int validate_run(const struct ib_command_env *env,
                        const struct ib_args *args, struct ib_error *err)
{
    struct validation v = {.env = env, .args = args, .err = err};
    int code = IB_EXIT_OK, n = ib_args_count(args);
    enum ib_status s = IB_OK;

    v.list = ib_args_has(args, "json") ? cJSON_CreateArray() : NULL;
    for (int i = 0; i < n && !s; i++) {
        const char *path = ib_args_at(args, i);
        if (is_schema(env, path))
            continue;
        if (ib_is_entry(path))
            s = one_entry(&v, path);
        else
            one_suite(&v, path);
    }
    if (!s && v.list)
        code = print_json(env->console, v.list, err);
    cJSON_Delete(v.list);
    if (s)
        return IB_EXIT_ERROR;
    if (code != IB_EXIT_OK || !v.wrong)
        return code;
    if (!err->text[0])
        ib_error_set(err, IB_E_USAGE, "%d of %d are not valid", v.wrong, n);
    return IB_EXIT_USAGE;
}

const struct ib_command ib_cmd_validate = {
    .name = "validate",
    .synopsis = "SUITE.json|ENTRY... [--set PATH=JSON]... "
                "[--only COORDINATE=ID]...",
    .summary = "check suites and entries without running anything",
    .details =
        "Reads each suite as `run` would: names, types, ranges, filters and "
        "sweeps are checked, and the number of cells is printed. Exit status 1 "
        "when a suite cannot be run; the message names the file, the place, "
        "the value, and what is allowed.\n"
        "\n"
        "The format of a suite is described in docs/suite.md.\n"
        "\n"
        "An entry (a directory with entry.json, docs/submitting.md) is checked "
        "for missing and surplus files and cells, hashes, keys, values out of "
        "range, and numbers that do not follow from each other. `invbench "
        "verify` computes it anew.\n"
        "\n"
        "Examples:\n"
        "  invbench validate suites/*.json\n"
        "  invbench validate results/*/\n"
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
