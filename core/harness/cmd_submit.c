/* invbench submit RUN --out results/NAME: an entry out of a run. */
#include <stdio.h>
#include <string.h>

#include "entry.h"
#include "run_session.h"

enum { SHOWN = 20 };

static enum ib_status open_run(struct ib_session *s, const char *run,
                               struct ib_error *err)
{
    static const char *const none[] = {NULL};
    char path[PATH_MAX];
    enum ib_status status;

    if (snprintf(path, sizeof path, "%s/suite.json", run) >= PATH_MAX)
        return ib_error_set(err, IB_E_USAGE, "%.80s...: the path is too long",
                            run);
    status = ib_suite_read(s->env.registry, path, none, none, &s->suite, err);
    return status ? status : ib_plan_make(s->suite, &s->env, &s->plan, err);
}

/* Without a trailing slash: its last part becomes the entry's name. */
static enum ib_status read_out(const struct ib_args *args, char out[PATH_MAX],
                               struct ib_error *err)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789._-";
    const char *dir = ib_args_get(args, "out"), *name;
    size_t n = dir ? strlen(dir) : 0;

    while (n > 1 && dir[n - 1] == '/')
        n--;
    if (n == 0 || n >= PATH_MAX)
        return ib_error_set(err, IB_E_USAGE,
                            "submit: where to? give --out results/NAME");
    memcpy(out, dir, n);
    out[n] = '\0';
    name = strrchr(out, '/') ? strrchr(out, '/') + 1 : out;
    if (strspn(name, allowed) != strlen(name) || strlen(name) > 80 ||
        *name == '.' || *name == '_' || *name == '-')
        return ib_error_set(err, IB_E_USAGE,
                            "--out: \"%.90s\" is no name of an entry: a-z, "
                            "0-9, then also . _ -; at most 80 of them",
                            name);
    return IB_OK;
}

static int tell(const struct ib_command_env *env,
                const struct ib_entry_maker *m, const struct ib_findings *f,
                struct ib_error *err)
{
    struct ib_text t = {0};

    if (f->n == 0) {
        ib_console_out(env->console,
                       "%s: checked; now read docs/submitting.md, \"Before "
                       "you submit\"\n",
                       m->out);
        return IB_EXIT_OK;
    }
    ib_findings_text(f, SHOWN, &t);
    ib_console_note(env->console, "%s", ib_text_string(&t));
    ib_text_free(&t);
    ib_error_set(err, IB_E_DATA,
                 "%s: %zu thing%s wrong with this entry; it was not kept",
                 m->out, f->n, f->n == 1 ? " is" : "s are");
    return IB_EXIT_ERROR;
}

static int run(const struct ib_command_env *env, const struct ib_args *args,
               struct ib_error *err)
{
    struct ib_session s;
    struct ib_findings f = {0};
    char out[PATH_MAX];
    struct ib_entry_maker m = {.run = ib_args_at(args, 0),
                               .out = out,
                               .title = ib_args_get(args, "title"),
                               .by = ib_args_get(args, "by"),
                               .url = ib_args_get(args, "url"),
                               .notes = ib_args_get(args, "notes"),
                               .program = env->version,
                               .weights = ib_args_get(args, "weights"),
                               .force = ib_args_has(args, "force"),
                               .no_sheets = ib_args_has(args, "no-sheets"),
                               .every_seed = ib_args_has(args, "every-seed")};
    enum ib_status status = ib_session_open(&s, env, args, err);
    int code = IB_EXIT_OK;

    if (!status)
        status = read_out(args, out, err);
    if (!status)
        status = open_run(&s, m.run, err);
    if (m.weights && strcmp(m.weights, "entry") == 0)
        m.weights = "";
    m.suite = s.suite;
    m.plan = s.plan;
    m.env = &s.env;
    if (!status)
        status = ib_entry_make(&m, &f, err);
    if (!status)
        code = tell(env, &m, &f, err);
    ib_findings_free(&f);
    ib_session_close(&s);
    if (status)
        return status == IB_E_USAGE ? IB_EXIT_USAGE : IB_EXIT_ERROR;
    return code;
}

static const struct ib_flag flags[] = {
    {"out", "DIR", "the entry's directory: results/NAME", false},
    {"title", "TEXT", "a line for the leaderboard", false},
    {"by", "TEXT", "who submits it", false},
    {"url", "URL", "a paper or a repository", false},
    {"notes", "TEXT", "what a reader should know", false},
    {"weights", "DIR",
     "write the evaluators' weight files there; \"entry\": into the entry",
     false},
    {"no-sheets", NULL,
     "leave the contact sheets out: they show private images, which not all "
     "data allow",
     false},
    {"every-seed", NULL,
     "keep the reconstructions of every seed, not of the first alone", false},
    {"force", NULL, "replace an entry that is there", false},
    IB_SESSION_FLAGS,
    {0},
};

const struct ib_command ib_cmd_submit = {
    .name = "submit",
    .synopsis = "RUN --out results/NAME [--title TEXT] [--by TEXT]",
    .summary = "make an entry for the leaderboard out of a run",
    .details =
        "Copies what an entry holds out of the run's directory, writes "
        "entry.json with the\nhash of every file, of the code and of the "
        "data, and checks the entry as\n`invbench validate` does.\n\n"
        "  invbench submit runs/quick --out results/quick --by 'A. Name'\n"
        "  invbench submit runs/orl --out results/orl --data DATA --weights "
        "weights\n\n"
        "docs/submitting.md describes the layout and the way to the "
        "leaderboard.\n",
    .flags = flags,
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
