/* Parsing a command line by its command's table. */
#include "cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli_parts.h"

enum { FLAGS_MAX = 64 };

struct ib_args {
    const struct ib_command *command;
    size_t n_flags;
    int width;           /* values a flag may have, and the end mark */
    const char **values; /* n_flags x width; a switch holds "" */
    int *counts;         /* n_flags */
    const char **positional;
    int n_positional;
};

const struct ib_flag ib_common_flags[] = {
    {.name = "json", .help = "write JSON, for programs"},
    {.name = "plugin",
     .value = "FILE.so",
     .help = "add the plugins of a module from outside the tree",
     .repeats = true},
    {.name = "help", .help = "explain this command"},
    {0},
};

/* Has the command a flag of its own by the name of a common one? */
static bool is_own(const struct ib_command *c, size_t own, const char *name)
{
    for (size_t i = 0; i < own; i++)
        if (strcmp(c->flags[i].name, name) == 0)
            return true;
    return false;
}

const struct ib_flag *ib_flag_at(const struct ib_command *c, size_t i)
{
    size_t own = 0;

    while (c->flags && c->flags[own].name)
        own++;
    if (i < own)
        return &c->flags[i];
    i -= own;
    for (const struct ib_flag *f = ib_common_flags; f->name; f++)
        if (!is_own(c, own, f->name) && i-- == 0)
            return f;
    return NULL;
}

const struct ib_command *ib_command_find(const char *name)
{
    for (const struct ib_command *const *c = ib_commands; *c; c++)
        if (strcmp((*c)->name, name) == 0)
            return *c;
    return NULL;
}

static int flag_index(const struct ib_args *a, const char *name, size_t n)
{
    const struct ib_flag *f;

    for (size_t i = 0; (f = ib_flag_at(a->command, i)); i++)
        if (strlen(f->name) == n && strncmp(f->name, name, n) == 0)
            return (int)i;
    return -1;
}

/* --- what commands ask -----------------------------------------------------
 */

const char *const *ib_args_all(const struct ib_args *a, const char *flag)
{
    static const char *const none[] = {NULL};
    int i = flag_index(a, flag, strlen(flag));

    return i < 0 ? none : &a->values[(size_t)i * (size_t)a->width];
}

const char *ib_args_get(const struct ib_args *a, const char *flag)
{
    return ib_args_all(a, flag)[0];
}

bool ib_args_has(const struct ib_args *a, const char *flag)
{
    return ib_args_get(a, flag) != NULL;
}

int ib_args_count(const struct ib_args *a)
{
    return a->n_positional;
}

const char *ib_args_at(const struct ib_args *a, int i)
{
    return i >= 0 && i < a->n_positional ? a->positional[i] : NULL;
}

enum ib_status ib_args_int(const struct ib_args *a, const char *flag,
                           int64_t min, int64_t max, int64_t *out,
                           struct ib_error *err)
{
    const char *text = ib_args_get(a, flag);
    long long x;
    char *end;

    if (!text)
        return IB_OK;
    errno = 0;
    x = strtoll(text, &end, 10);
    if (end == text || *end)
        return ib_error_set(err, IB_E_USAGE,
                            "--%s: \"%.60s\" is not an integer", flag, text);
    if (errno || x < min || x > max)
        return ib_error_set(err, IB_E_USAGE,
                            "--%s: %.60s is out of range; %lld..%lld is "
                            "allowed",
                            flag, text, (long long)min, (long long)max);
    *out = x;
    return IB_OK;
}

/* --- parsing ----------------------------------------------------------------
 */

static enum ib_status unknown_flag(const struct ib_args *a, const char *name,
                                   size_t n, struct ib_error *err)
{
    const char *names[FLAGS_MAX + 1] = {0}, *near;
    char *word = strndup(name, n);
    const struct ib_flag *f;

    for (size_t i = 0; i < FLAGS_MAX && (f = ib_flag_at(a->command, i)); i++)
        names[i] = f->name;
    near = word ? ib_text_nearest(word, names) : NULL;
    free(word);
    return ib_error_set(err, IB_E_USAGE,
                        "%s: there is no flag --%.*s%s%s%s; `invbench %s "
                        "--help` lists them",
                        a->command->name, (int)n, name,
                        near ? " (did you mean --" : "", near ? near : "",
                        near ? "?)" : "", a->command->name);
}

/* Takes one flag at argv[*at], and its value. */
static enum ib_status take_flag(struct ib_args *a, char **argv, int *at,
                                struct ib_error *err)
{
    const char *name = argv[*at] + 2, *value = strchr(name, '=');
    size_t n = value ? (size_t)(value - name) : strlen(name);
    int i = flag_index(a, name, n);
    const struct ib_flag *f = i < 0 ? NULL : ib_flag_at(a->command, (size_t)i);

    if (!f)
        return unknown_flag(a, name, n, err);
    if (value && !f->value)
        return ib_error_set(err, IB_E_USAGE, "%s: --%s takes no value",
                            a->command->name, f->name);
    if (f->value && !value) {
        if (!argv[*at + 1])
            return ib_error_set(err, IB_E_USAGE, "%s: --%s needs a value: %s",
                                a->command->name, f->name, f->value);
        value = argv[++*at];
    } else if (value) {
        value++;
    }
    if (a->counts[i] && !f->repeats)
        return ib_error_set(err, IB_E_USAGE, "%s: --%s is given twice",
                            a->command->name, f->name);
    a->values[(size_t)i * (size_t)a->width + (size_t)a->counts[i]++] =
        f->value ? value : "";
    return IB_OK;
}

static enum ib_status take_all(struct ib_args *a, int argc, char **argv,
                               struct ib_error *err)
{
    bool flags = true;

    for (int i = 0; i < argc; i++) {
        enum ib_status s = IB_OK;
        if (flags && strcmp(argv[i], "--") == 0)
            flags = false;
        else if (flags && strcmp(argv[i], "-h") == 0)
            a->values[(size_t)flag_index(a, "help", 4) * (size_t)a->width] = "";
        else if (flags && strncmp(argv[i], "--", 2) == 0)
            s = take_flag(a, argv, &i, err);
        else if (flags && argv[i][0] == '-' && argv[i][1])
            s = ib_error_set(err, IB_E_USAGE,
                             "%s: %s: flags begin with two dashes",
                             a->command->name, argv[i]);
        else
            a->positional[a->n_positional++] = argv[i];
        if (s != IB_OK)
            return s;
    }
    return IB_OK;
}

static enum ib_status check_count(const struct ib_args *a, struct ib_error *err)
{
    const struct ib_command *c = a->command;

    if (a->n_positional < c->min_args)
        return ib_error_set(err, IB_E_USAGE,
                            "%s: an argument is missing; usage: invbench %s %s",
                            c->name, c->name, c->synopsis);
    if (c->max_args >= 0 && a->n_positional > c->max_args)
        return ib_error_set(err, IB_E_USAGE,
                            "%s: one argument too many: \"%.80s\"; usage: "
                            "invbench %s %s",
                            c->name, a->positional[c->max_args], c->name,
                            c->synopsis);
    return IB_OK;
}

static void args_free(struct ib_args *a)
{
    free(a->values);
    free(a->counts);
    free(a->positional);
}

static enum ib_status args_parse(struct ib_args *a, int argc, char **argv,
                                 struct ib_error *err)
{
    while (ib_flag_at(a->command, a->n_flags))
        a->n_flags++;
    a->width = argc + 2;
    a->values = calloc(a->n_flags * (size_t)a->width, sizeof *a->values);
    a->counts = calloc(a->n_flags, sizeof *a->counts);
    a->positional = calloc((size_t)argc + 1, sizeof *a->positional);
    if (!a->values || !a->counts || !a->positional)
        return ib_error_set(err, IB_E_NOMEM, "no memory for arguments");
    return take_all(a, argc, argv, err);
}

/* --- running ----------------------------------------------------------------
 */

static void print_help(const struct ib_console *console,
                       const struct ib_command *c)
{
    struct ib_text text = {0};

    if (c)
        ib_help_command(&text, c, console->width);
    else
        ib_help_overview(&text, console->width);
    console->out(ib_text_string(&text), text.size);
    ib_text_free(&text);
}

static enum ib_status load_plugins(const struct ib_command_env *env,
                                   const struct ib_args *a,
                                   struct ib_error *err)
{
    enum ib_load how =
        a->command->hidden ? IB_LOAD_TRUSTED : IB_LOAD_DESCRIPTOR;
    enum ib_status s = IB_OK;

    if (env->program)
        s = ib_registry_set_program(env->registry, env->program, err);
    for (const char *const *p = ib_args_all(a, "plugin"); *p && s == IB_OK; p++)
        s = ib_registry_load(env->registry, *p, how, err);
    return s;
}

static int exit_of(enum ib_status s)
{
    return s == IB_OK        ? IB_EXIT_OK
           : s == IB_E_USAGE ? IB_EXIT_USAGE
                             : IB_EXIT_ERROR;
}

int ib_cli_command(const struct ib_command_env *env, const struct ib_command *c,
                   int argc, char **argv, struct ib_error *err)
{
    struct ib_args a = {.command = c};
    enum ib_status s = args_parse(&a, argc, argv, err);
    int code;

    if (s == IB_OK && ib_args_has(&a, "help")) {
        print_help(env->console, c);
        args_free(&a);
        return IB_EXIT_OK;
    }
    if (s == IB_OK)
        s = check_count(&a, err);
    if (s == IB_OK)
        s = load_plugins(env, &a, err);
    code = s == IB_OK ? c->run(env, &a, err) : exit_of(s);
    args_free(&a);
    return code;
}

static int unknown_command(const char *name, struct ib_error *err)
{
    const char *names[FLAGS_MAX + 1] = {0}, *near;
    int n = 0;

    for (const struct ib_command *const *c = ib_commands; *c; c++)
        if (!(*c)->hidden && n < FLAGS_MAX)
            names[n++] = (*c)->name;
    near = ib_text_nearest(name, names);
    ib_error_set(err, IB_E_USAGE,
                 "there is no command \"%.60s\"%s%s%s; `invbench --help` lists "
                 "them",
                 name, near ? " (did you mean \"" : "", near ? near : "",
                 near ? "\"?)" : "");
    return IB_EXIT_USAGE;
}

int ib_cli_run(const struct ib_command_env *env, int argc, char **argv,
               struct ib_error *err)
{
    const char *name = argc > 1 ? argv[1] : NULL;
    const struct ib_command *c;
    bool help;

    if (!name) {
        print_help(env->console, NULL);
        ib_error_set(err, IB_E_USAGE, "a command is missing");
        return IB_EXIT_USAGE;
    }
    help = strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 ||
           strcmp(name, "-h") == 0;
    if (help && argc < 3) {
        print_help(env->console, NULL);
        return IB_EXIT_OK;
    }
    c = ib_command_find(help ? argv[2] : name);
    if (!c)
        return unknown_command(help ? argv[2] : name, err);
    if (help) {
        print_help(env->console, c);
        return IB_EXIT_OK;
    }
    return ib_cli_command(env, c, argc - 2, argv + 2, err);
}
