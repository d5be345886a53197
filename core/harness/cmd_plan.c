/* invbench plan SUITE: what a run would do, and what is there already. */
#include "plan_check.h"
#include "plan_memory.h"
#include "plan_show.h"
#include "run_session.h"

static enum ib_status show(const struct ib_session *s,
                           const struct ib_args *args, struct ib_text *text,
                           struct ib_error *err)
{
    const char *dir = ib_store_dir(s->store);
    enum ib_status status = IB_OK;

    if (ib_args_has(args, "json")) {
        cJSON *o = ib_plan_json(s->plan, dir);

        cJSON_AddItemToObject(o, "memory",
                              ib_plan_memory_json(s->plan, &s->env));
        status = ib_json_pretty(o, text, err);
        ib_text_add(text, "\n");
        cJSON_Delete(o);
    } else if (ib_args_has(args, "matrix")) {
        ib_plan_show_matrix(s->plan, text);
    } else {
        status = ib_plan_show(s->plan, dir, s->options.jobs, text, err);
        if (!status)
            status = ib_plan_show_memory(s->plan, &s->env,
                                         s->options.memory_limit, text, err);
    }
    return status ? status : ib_text_status(text, err);
}

static int run(const struct ib_command_env *env, const struct ib_args *args,
               struct ib_error *err)
{
    struct ib_session s;
    struct ib_text text = {0};
    enum ib_status status = ib_session_open(&s, env, args, err);

    if (!status)
        status = ib_suite_read(env->registry, ib_args_at(args, 0),
                               ib_args_all(args, "set"),
                               ib_args_all(args, "only"), &s.suite, err);
    if (!status)
        status = ib_plan_make(s.suite, &s.env, &s.plan, err);
    if (!status)
        status = ib_plan_check(s.plan, &s.env, err);
    if (!status)
        status = show(&s, args, &text, err);
    if (!status)
        env->console->out(ib_text_string(&text), text.size);
    ib_text_free(&text);
    ib_session_close(&s);
    if (status)
        return status == IB_E_USAGE ? IB_EXIT_USAGE : IB_EXIT_ERROR;
    return IB_EXIT_OK;
}

static const struct ib_flag flags[] = {
    {"matrix", NULL, "which cells run, skip or bypass, and why", false},
    IB_SESSION_FLAGS,
    {"jobs", "N", "workers at once, for the estimate", false},
    {"memory-limit", "MIB", "memory a worker may use (default 4096)", false},
    {"only", "COORDINATE=ID",
     "a part of the cells: model, defense, attack, access, seed", true},
    {"set", "PATH=JSON", "change the suite: budget.max_queries=1000", true},
    {0},
};

const struct ib_command ib_cmd_plan = {
    .name = "plan",
    .synopsis = "SUITE.json [--matrix] [--data DIR]",
    .summary = "show what a run would compute, and what is cached",
    .details =
        "Prints how many artifacts of each kind the suite needs, how many of "
        "them the store\nhas, and an estimate for the rest from earlier runs "
        "on the same store.\n\n"
        "With --matrix: for each model, attack x defense: run, skip or "
        "bypass, with reasons.\nNothing is computed.\n\n"
        "  invbench plan suites/quick.json\n"
        "  invbench plan suites/quick.json --matrix\n"
        "  invbench plan suites/quick.json --json | jq .cells[].plan\n",
    .flags = flags,
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
