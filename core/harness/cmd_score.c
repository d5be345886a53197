/* invbench score: one cell all the way to its numbers. */
#include "report.h"
#include "results.h"
#include "run_cell.h"

struct scoring {
    struct ib_session session;
    cJSON *results;
};

static enum ib_status make(void *ctx, struct ib_error *err)
{
    struct scoring *c = ctx;

    cJSON_Delete(c->results);
    c->results = NULL;
    return ib_results_make(c->session.plan, &c->session.env, &c->results, err);
}

static enum ib_status tell(const struct scoring *c, bool json,
                           struct ib_error *err)
{
    const struct ib_console *console = c->session.command->console;
    struct ib_text text = {0};
    enum ib_status s;

    if (!json)
        return ib_report_table(c->results, console, err);
    s = ib_json_pretty(c->results, &text, err);
    if (!s)
        console->out(ib_text_string(&text), text.size);
    ib_text_free(&text);
    return s;
}

static int run(const struct ib_command_env *env, const struct ib_args *args,
               struct ib_error *err)
{
    struct scoring c = {0};
    int code = IB_EXIT_OK;
    enum ib_status s = ib_cell_open(&c.session, env, args, err);

    if (!s)
        s = ib_cell_runs(&c.session, err);
    if (!s)
        s = ib_cell_run(&c.session, -1, &code, make, &c, err);
    if (!s && !code) {
        s = tell(&c, ib_args_has(args, "json"), err);
        code = ib_session_exit(&c.session);
    }
    cJSON_Delete(c.results);
    ib_session_close(&c.session);
    return ib_cell_exit(s, code);
}

static const struct ib_flag flags[] = {
    IB_CELL_FLAGS, IB_CELL_FLAGS_ATTACK, IB_SESSION_FLAGS, IB_RUN_FLAGS, {0},
};

const struct ib_command ib_cmd_score = {
    .name = "score",
    .synopsis = "[--attack A] [--model M] | --suite S --cell C",
    .summary = "run and score one cell, with its controls",
    .details =
        "Computes one cell with all that its numbers stand beside: evaluators, "
        "controls,\nutility. Prints the result table, or with --json the whole "
        "result.\n\n"
        "  invbench score --attack mi-face-blackbox --defense round\n"
        "  invbench score --suite suites/quick.json --cell "
        "cnn/none/mi-face/gradients/s1\n",
    .flags = flags,
    .run = run,
};
