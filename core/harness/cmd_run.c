/* invbench run SUITE --out DIR: the whole way, from a suite to a report. */
#include <stdio.h>
#include <unistd.h>

#include "report.h"
#include "results.h"
#include "run_dir.h"
#include "run_session.h"

struct run {
    struct ib_session session;
    const char *dir;
    cJSON *results;
};

/* A record as soon as a cell is over. What cannot be written now is written
 * when the run closes, which then says why it cannot. */
static void append_record(void *ctx, size_t cell)
{
    const struct run *r = ctx;
    struct ib_error ignored;

    if (ib_record_append(r->session.plan, cell, &r->session.env, r->dir,
                         &ignored))
        ignored.status = IB_OK;
}

static enum ib_status make_results(void *ctx, struct ib_error *err)
{
    struct run *r = ctx;
    struct ib_session *s = &r->session;
    enum ib_status status;

    cJSON_Delete(r->results);
    r->results = NULL;
    status = ib_results_make(s->plan, &s->env, &r->results, err);
    if (!status)
        status = ib_results_write(s->plan, &s->env, r->results, r->dir, err);
    if (!status)
        status = ib_failures_save(s->plan, r->dir, err);
    if (!status)
        status = ib_report_sheets(s->plan, &s->env, r->dir, err);
    return status;
}

static enum ib_status open_run(struct run *r, const struct ib_command_env *env,
                               const struct ib_args *args, int *lock,
                               struct ib_error *err)
{
    struct ib_session *s = &r->session;
    enum ib_status status;
    size_t kept;

    r->dir = ib_args_get(args, "out");
    if (!r->dir)
        return ib_error_set(err, IB_E_USAGE,
                            "run: where to? give --out DIR, for example --out "
                            "runs/first");
    status = ib_session_open(s, env, args, err);
    if (!status)
        status = ib_suite_read(env->registry, ib_args_at(args, 0),
                               ib_args_all(args, "set"),
                               ib_args_all(args, "only"), &s->suite, err);
    if (!status)
        status = ib_plan_make(s->suite, &s->env, &s->plan, err);
    if (!status)
        status = ib_run_dir_open(s->suite, r->dir, ib_args_has(args, "force"),
                                 lock, err);
    if (status || ib_args_has(args, "retry-failed"))
        return status;
    kept = ib_failures_load(s->plan, r->dir);
    if (kept)
        ib_console_note(env->console,
                        "%zu artifacts failed in the last run and are not "
                        "tried again; --retry-failed tries them\n",
                        kept);
    return IB_OK;
}

static enum ib_status tell_json(const struct run *r, size_t failures)
{
    struct ib_text text = {0};
    cJSON *o = cJSON_CreateObject();
    char path[PATH_MAX + 16];
    struct ib_error err;
    enum ib_status s;

    snprintf(path, sizeof(path), "%s/results.json", r->dir);
    cJSON_AddStringToObject(o, "results", path);
    snprintf(path, sizeof(path), "%s/report.html", r->dir);
    cJSON_AddStringToObject(o, "report", path);
    cJSON_AddNumberToObject(o, "cells", (double)r->session.plan->n_cells);
    cJSON_AddNumberToObject(o, "failures", (double)failures);
    s = ib_json_pretty(o, &text, &err);
    ib_console_out(r->session.command->console, "%s\n", ib_text_string(&text));
    ib_text_free(&text);
    cJSON_Delete(o);
    return s;
}

static enum ib_status tell(const struct run *r, const struct ib_args *args,
                           struct ib_error *err)
{
    const struct ib_console *console = r->session.command->console;
    size_t failures = ib_session_failures(&r->session);
    enum ib_status s = ib_report_make(r->dir, err);

    if (s)
        return s;
    if (ib_args_has(args, "json"))
        return tell_json(r, failures);
    s = ib_report_table(r->results, console, err);
    if (failures)
        ib_console_note(console,
                        "%zu artifacts failed or were blocked; see "
                        "the report\n",
                        failures);
    ib_console_out(console, "report: %s/report.html\n", r->dir);
    return s;
}

static int run(const struct ib_command_env *env, const struct ib_args *args,
               struct ib_error *err)
{
    struct run r = {0};
    int lock = -1, code = IB_EXIT_ERROR;
    bool stopped = false;
    enum ib_status s = open_run(&r, env, args, &lock, err);

    if (!s) {
        r.session.options.cell_over = append_record;
        r.session.options.ctx = &r;
        s = ib_session_run(&r.session, &stopped, make_results, &r, err);
    }
    if (!s && stopped)
        code = ib_session_interrupted(&r.session);
    else if (!s && !(s = tell(&r, args, err)))
        code = ib_session_exit(&r.session);
    if (s)
        code = s == IB_E_USAGE ? IB_EXIT_USAGE : IB_EXIT_ERROR;
    cJSON_Delete(r.results);
    ib_session_close(&r.session);
    if (lock >= 0)
        close(lock);
    return code;
}

static const struct ib_flag flags[] = {
    {"out", "DIR", "where results and report go", false},
    IB_SESSION_FLAGS,
    IB_RUN_FLAGS,
    {"only", "COORDINATE=ID",
     "a part of the cells: model, defense, attack, access, seed", true},
    {"set", "PATH=JSON", "change the suite: budget.max_queries=1000", true},
    {"retry-failed", NULL, "try again what failed in the last run of DIR",
     false},
    {"force", NULL, "replace the run of another suite in DIR", false},
    {0},
};

const struct ib_command ib_cmd_run = {
    .name = "run",
    .synopsis = "SUITE.json --out DIR [--data DIR] [--jobs N]",
    .summary = "run a suite: train, attack, score, report",
    .details =
        "Computes every cell of the suite and writes DIR/results.json, "
        "DIR/records.jsonl,\nDIR/report.html and the pictures beside it.\n\n"
        "What is computed is kept in the store. A run that was interrupted, by "
        "whatever\nmeans, goes on when the same command is given again; a "
        "suite that shares models\nwith an earlier one does not train them "
        "again.\n\n"
        "  invbench run suites/quick.json --out runs/quick\n"
        "  invbench run suites/orl.json --data DATA --out runs/orl --jobs 2\n"
        "  invbench run suites/quick.json --out runs/part --only "
        "attack=mi-face\n\n"
        "Exit status: 0 all cells are there, 3 some failed, 130 interrupted.\n",
    .flags = flags,
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
