/* invbench compare BASE NEW: a gate for changes. */
#include <stdlib.h>

#include "cli.h"
#include "compare.h"

static const int exits[] = {
    [IB_OUTCOME_OK] = IB_EXIT_OK,
    [IB_OUTCOME_REGRESSION] = IB_EXIT_REGRESSION,
    [IB_OUTCOME_NOTHING] = IB_EXIT_NOTHING,
    [IB_OUTCOME_INCOMPATIBLE] = IB_EXIT_INCOMPATIBLE,
};

static size_t count(const char *const *list)
{
    size_t n = 0;
    while (list[n])
        n++;
    return n;
}

static enum ib_status parse_rules(const struct ib_args *args,
                                  struct ib_rule **rules, size_t *n,
                                  struct ib_error *err)
{
    const char *const *fail = ib_args_all(args, "fail");
    const char *const *claim = ib_args_all(args, "noninferior");
    size_t fails = count(fail), claims = count(claim);
    enum ib_status s = IB_OK;
    *n = fails + claims;
    *rules = calloc(*n + 1, sizeof **rules);
    if (!*rules)
        return ib_error_set(err, IB_E_NOMEM, "no memory for rules");
    for (size_t i = 0; !s && i < fails; i++)
        s = ib_rule_parse(fail[i], false, &(*rules)[i], err);
    for (size_t i = 0; !s && i < claims; i++)
        s = ib_rule_parse(claim[i], true, &(*rules)[fails + i], err);
    return s;
}

static enum ib_status write_json(const struct ib_compare *c, const char *path,
                                 struct ib_error *err)
{
    struct ib_text text = {0};
    cJSON *o = ib_compare_json(c);
    enum ib_status s = o ? ib_json_pretty(o, &text, err)
                         : ib_error_set(err, IB_E_NOMEM, "no memory for JSON");
    if (!s)
        s = ib_file_write(path, ib_text_string(&text), text.size, err);
    ib_text_free(&text);
    cJSON_Delete(o);
    return s;
}

static enum ib_status write_text(const struct ib_compare *c, const char *path,
                                 bool junit, struct ib_error *err)
{
    struct ib_text text = {0};
    enum ib_status s = IB_OK;
    if (junit) {
        ib_compare_junit(c, &text);
        s = ib_text_status(&text, err);
    } else {
        s = ib_compare_text(c, 0, false, &text, err);
    }
    if (!s)
        s = ib_file_write(path, ib_text_string(&text), text.size, err);
    ib_text_free(&text);
    return s;
}

static enum ib_status write_files(const struct ib_compare *c,
                                  const struct ib_args *args,
                                  struct ib_error *err)
{
    const char *json = ib_args_get(args, "json");
    const char *markdown = ib_args_get(args, "markdown");
    const char *junit = ib_args_get(args, "junit");
    enum ib_status s = json ? write_json(c, json, err) : IB_OK;
    if (!s && markdown)
        s = write_text(c, markdown, false, err);
    if (!s && junit)
        s = write_text(c, junit, true, err);
    return s;
}

static enum ib_status show(const struct ib_compare *c,
                           const struct ib_command_env *env,
                           const struct ib_args *args, struct ib_error *err)
{
    const struct ib_console *console = env->console;
    struct ib_text text = {0};
    enum ib_status s =
        ib_compare_text(c, console->width, console->color, &text, err);
    if (!s && ib_args_has(args, "annotations"))
        ib_compare_annotations(c, &text);
    if (!s)
        s = ib_text_status(&text, err);
    if (!s)
        console->out(ib_text_string(&text), text.size);
    ib_text_free(&text);
    return s;
}

static int exit_of(enum ib_status s)
{
    return s == IB_E_USAGE ? IB_EXIT_USAGE : IB_EXIT_ERROR;
}

static int run(const struct ib_command_env *env, const struct ib_args *args,
               struct ib_error *err)
{
    struct ib_rule *rules = NULL;
    struct ib_compare c = {0};
    size_t n;
    int code = IB_EXIT_OK;
    enum ib_status s = parse_rules(args, &rules, &n, err);
    if (!s)
        s = ib_compare_make(ib_args_at(args, 0), ib_args_at(args, 1), rules, n,
                            &c, err);
    if (!s) {
        code = exits[c.outcome];
        s = write_files(&c, args, err);
        if (!s)
            s = show(&c, env, args, err);
    }
    ib_compare_free(&c);
    free(rules);
    return s ? exit_of(s) : code;
}

static const struct ib_flag flags[] = {
    {"fail", "RULE",
     "fail when NEW is worse than the rule allows, at 99 % confidence: "
     "leakage:+0.02, accuracy:-1pp",
     true},
    {"noninferior", "RULE",
     "fail unless NEW is shown, at 95 % confidence, to be worse by less", true},
    {"json", "FILE", "write the comparison as JSON", false},
    {"markdown", "FILE", "write it as Markdown, for a pull request", false},
    {"junit", "FILE", "write the verdicts as JUnit XML", false},
    {"annotations", NULL, "print GitHub's annotations", false},
    {0},
};

const struct ib_command ib_cmd_compare = {
    .name = "compare",
    .synopsis = "BASE NEW [--fail RULE]... [--noninferior RULE]...",
    .summary = "hold one run against another; a gate for CI",
    .details =
        "BASE and NEW are directories of runs, or results.json files. Cells "
        "are paired by model, defense slot, attack, access level, budget and "
        "seed, and their scores by person. A defense slot is the defense's id, "
        "else its place in the suite, whatever stands in it.\n"
        "\n"
        "A rule is METRIC:+LIMIT where a rise is worse, METRIC:-LIMIT where a "
        "fall is. METRIC is leakage (each attack), headline (the strongest "
        "attack of a track for each person), accuracy, ece, distortion, or any "
        "column of the results. pp after the limit means points: 1pp is "
        "0.01.\n"
        "\n"
        "--fail RULE fails when the one-sided 99 % bound of the worsening lies "
        "above the limit. --noninferior RULE fails unless the one-sided 95 % "
        "bound lies below it: with too few people or seeds to tell, it fails. "
        "Cells that one run lacks, or that failed, never pass.\n"
        "\n"
        "Exit status: 0 all rules pass, 10 a rule failed or could not be "
        "judged, 11 nothing to compare, 12 not comparable (other data, "
        "evaluators, metric or schema), 2 an error, 1 wrong usage. Files are "
        "written before it exits, whatever the outcome.\n"
        "\n"
        "  invbench compare runs/main runs/pr --fail leakage:+0.02 --fail "
        "accuracy:-1pp\n"
        "  invbench compare runs/main runs/pr --noninferior leakage:+0.1 "
        "--markdown pr.md\n",
    .flags = flags,
    .min_args = 2,
    .max_args = 2,
    .run = run,
};
