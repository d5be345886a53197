/* invbench report DIR: plots and report.html again, from a run's results. */
#include <stdio.h>

#include "cli.h"
#include "report.h"

static enum ib_status show_table(const struct ib_command_env *env,
                                 const struct ib_args *args, const char *dir,
                                 struct ib_error *err)
{
    struct ib_text markdown = {0};
    cJSON *results = NULL;
    char path[4096];

    snprintf(path, sizeof path, "%.4000s/results.json", dir);
    enum ib_status s = ib_json_read(path, &results, err);
    if (s == IB_OK && ib_args_has(args, "markdown")) {
        s = ib_report_markdown(results, &markdown, err);
        if (s == IB_OK)
            env->console->out(ib_text_string(&markdown), markdown.size);
    } else if (s == IB_OK) {
        s = ib_report_table(results, env->console, err);
    }
    ib_text_free(&markdown);
    cJSON_Delete(results);
    return s;
}

static enum ib_status tell_json(const struct ib_command_env *env,
                                const char *dir, struct ib_error *err)
{
    cJSON *o = cJSON_CreateObject();
    struct ib_text text = {0};
    char path[4096];
    enum ib_status s;

    snprintf(path, sizeof path, "%.4000s/results.json", dir);
    cJSON_AddStringToObject(o, "results", path);
    snprintf(path, sizeof path, "%.4000s/report.html", dir);
    cJSON_AddStringToObject(o, "report", path);
    s = ib_json_pretty(o, &text, err);
    if (s == IB_OK)
        ib_console_out(env->console, "%s\n", ib_text_string(&text));
    ib_text_free(&text);
    cJSON_Delete(o);
    return s;
}

static int run(const struct ib_command_env *env, const struct ib_args *args,
               struct ib_error *err)
{
    const char *dir = ib_args_at(args, 0);
    bool only_table =
        ib_args_has(args, "table") || ib_args_has(args, "markdown");

    if (!only_table && ib_report_make(dir, err) != IB_OK)
        return IB_EXIT_ERROR;
    if (!only_table && ib_args_has(args, "json"))
        return tell_json(env, dir, err) ? IB_EXIT_ERROR : IB_EXIT_OK;
    if (show_table(env, args, dir, err) != IB_OK)
        return IB_EXIT_ERROR;
    if (!only_table)
        ib_console_note(env->console, "report: %s/report.html\n", dir);
    return IB_EXIT_OK;
}

static const struct ib_flag flags[] = {
    {"table", NULL, "only print the table; write nothing", false},
    {"markdown", NULL, "only print the table, as Markdown; write nothing",
     false},
    {0},
};

const struct ib_command ib_cmd_report = {
    .name = "report",
    .synopsis = "DIR [--table | --markdown]",
    .summary = "make a run's plots and report.html again, and print its table",
    .details =
        "Reads DIR/results.json and DIR/images, writes DIR/plots and "
        "DIR/report.html,\nand prints the table. Nothing is measured again, "
        "and nothing outside DIR is read.\n\n"
        "  invbench report runs/quick\n"
        "  invbench report runs/quick --markdown > table.md\n",
    .flags = flags,
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
