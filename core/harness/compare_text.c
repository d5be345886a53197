/* A comparison for people: terminal and Markdown. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "compare_parts.h"
#include "table.h"
#include "table_width.h"

static const struct ib_table_column columns[] = {
    {"metric", false, 0},
    {"where", false, 33},
    {"change [low, high]", true, 0},
    {"verdict", false, 0},
    {"BASE", true, 0},
    {"NEW", true, 0},
    {"p (Holm)", true, 0},
    {"caught from", true, 0},
};

static const char *number(char out[32], double x)
{
    if (isnan(x))
        snprintf(out, 32, "n/a");
    else
        snprintf(out, 32, "%.3f", fabs(x) < 0.0005 ? 0 : x);
    return out;
}

static const char *chance(char out[32], double p)
{
    if (p < 0.0005)
        snprintf(out, 32, "<0.001");
    else
        number(out, p);
    return out;
}

static const char *signed_number(char out[32], double x)
{
    if (isnan(x))
        snprintf(out, 32, "n/a");
    else
        snprintf(out, 32, "%+.3f", fabs(x) < 0.0005 ? 0 : x);
    return out;
}

/* The worst verdict of a line's rules; -1: no rule is about it. */
static int verdict_of(const struct ib_compare *c, size_t line)
{
    int worst = -1;
    for (size_t i = 0; i < c->n_judgements; i++) {
        const struct ib_judgement *j = &c->judgements[i];
        if (j->line != line)
            continue;
        if (worst < 0 || j->verdict == IB_FAIL ||
            (j->verdict == IB_UNDECIDED && worst == IB_PASS))
            worst = (int)j->verdict;
    }
    return worst;
}

/* The same in both runs, pair by pair. */
static bool is_same(const struct ib_compare *c, size_t line)
{
    const struct ib_comparison *l = &c->lines[line];
    return l->planned && !*l->reason && l->d.se == 0 && l->d.value == 0 &&
           verdict_of(c, line) <= IB_PASS;
}

static void add_verdict(struct ib_table *t, const struct ib_compare *c,
                        size_t line)
{
    static const enum ib_tint tint[] = {IB_GREEN, IB_RED, IB_YELLOW};
    int v = verdict_of(c, line);
    if (v >= 0)
        ib_table_add(t, tint[v], "%s", ib_verdict_words[v]);
    else
        ib_table_add(t, IB_DIM, "%s",
                     isnan(c->lines[line].d.se) ? "not compared" : "-");
}

static void add_line(struct ib_table *t, const struct ib_compare *c, size_t i)
{
    const struct ib_comparison *l = &c->lines[i];
    char name[512], a[32], b[32], d[32];
    ib_line_name(l, name, sizeof name);
    ib_table_add(t, IB_PLAIN, "%s", l->metric);
    ib_table_add(t, IB_PLAIN, "%s", name);
    if (isnan(l->d.low))
        ib_table_add(t, IB_PLAIN, "%s", signed_number(d, l->d.value));
    else
        ib_table_add(t, IB_PLAIN, "%s [%s, %s]", signed_number(d, l->d.value),
                     signed_number(a, l->d.low), signed_number(b, l->d.high));
    add_verdict(t, c, i);
    ib_table_add(t, IB_PLAIN, "%s", number(a, l->base));
    ib_table_add(t, IB_PLAIN, "%s", number(a, l->fresh));
    ib_table_add(t, IB_PLAIN, "%s", chance(a, l->p_holm));
    ib_table_add(t, IB_PLAIN, "%s",
                 number(a, isnan(l->d.se) ? NAN
                                          : ib_detectable(&l->d, IB_GATE_LEVEL,
                                                          IB_GATE_POWER)));
}

static enum ib_status add_table(const struct ib_compare *c, int width,
                                bool color, struct ib_text *out,
                                struct ib_error *err)
{
    struct ib_table *t = ib_table_create(columns, (int)IB_COUNT(columns));
    int n = 0;
    if (!t)
        return ib_error_set(err, IB_E_NOMEM, "no memory for a table");
    for (size_t i = 0; i < c->n_lines; i++)
        if (c->lines[i].planned && !is_same(c, i)) {
            add_line(t, c, i);
            n++;
        }
    enum ib_status s = ib_table_status(t, err);
    if (!s && n && width) {
        int left_out = ib_table_text(t, width, color, out);
        if (left_out > 0)
            ib_text_add(out,
                        "(%d column%s not fit; --markdown FILE and --json FILE "
                        "have all)\n",
                        left_out, left_out == 1 ? " does" : "s do");
    } else if (!s && n)
        ib_table_markdown(t, out);
    ib_table_free(t);
    return s;
}

/* Text from outside, safe on a terminal and in Markdown. */
static void add_safe(struct ib_text *out, const char *text, bool markdown)
{
    char part[2 * IB_ERROR_MAX];
    size_t n = 0;
    for (const char *s = text; *s && n + 2 < sizeof part; s++) {
        if (markdown && strchr("\\`*_[]<>|#!&~", *s))
            part[n++] = '\\';
        part[n++] = *s;
    }
    part[n] = '\0';
    ib_text_fit(out, part, ib_text_width(part), false);
}

static void add_list(struct ib_text *out, const char *title, const cJSON *list,
                     bool markdown)
{
    const cJSON *item;
    if (!cJSON_GetArraySize(list))
        return;
    ib_text_add(out, markdown ? "\n**%s**\n\n" : "%s:\n", title);
    cJSON_ArrayForEach(item, list)
    {
        ib_text_add(out, markdown ? "- " : "  ");
        add_safe(out, item->valuestring, markdown);
        ib_text_add(out, "\n");
    }
}

static void add_same(const struct ib_compare *c, struct ib_text *out,
                     bool markdown)
{
    int n = 0;
    for (size_t i = 0; i < c->n_lines; i++) {
        const struct ib_comparison *l = &c->lines[i];
        char name[512];
        if (!is_same(c, i))
            continue;
        if (n++ == 0)
            ib_text_add(out, markdown
                                 ? "\n**The same in both runs, pair by pair**"
                                   "\n\n"
                                 : "the same in both runs, pair by pair:\n");
        ib_line_name(l, name, sizeof name);
        ib_text_add(out, markdown ? "- " : "  ");
        add_safe(out, l->metric, markdown);
        ib_text_add(out, " ");
        add_safe(out, name, markdown);
        ib_text_add(out, " (%.3f)\n", l->base);
    }
}

/* What a rule found, failures first; passes are in the table. */
static void add_judgements(const struct ib_compare *c, struct ib_text *out,
                           bool markdown)
{
    static const enum ib_verdict order[] = {IB_FAIL, IB_UNDECIDED};
    bool titled = false;
    for (size_t v = 0; v < IB_COUNT(order); v++)
        for (size_t i = 0; i < c->n_judgements; i++) {
            const struct ib_judgement *j = &c->judgements[i];
            char name[512];
            if (j->verdict != order[v])
                continue;
            if (!titled)
                ib_text_add(out, markdown ? "\n**Not passed**\n\n"
                                          : "not passed:\n");
            titled = true;
            ib_line_name(&c->lines[j->line], name, sizeof name);
            ib_text_add(out, markdown ? "- " : "  ");
            add_safe(out, c->rules[j->rule].text, markdown);
            ib_text_add(out, " ");
            add_safe(out, name, markdown);
            ib_text_add(out, ": ");
            add_safe(out, j->text, markdown);
            ib_text_add(out, "\n");
        }
}

static void add_reasons(const struct ib_compare *c, struct ib_text *out,
                        bool markdown)
{
    bool titled = false;
    for (size_t i = 0; i < c->n_lines; i++) {
        const struct ib_comparison *l = &c->lines[i];
        char name[512];
        if (!l->planned || !*l->reason || verdict_of(c, i) >= 0)
            continue;
        if (!titled)
            ib_text_add(out, markdown ? "\n**Not compared**\n\n"
                                      : "not compared:\n");
        titled = true;
        ib_line_name(l, name, sizeof name);
        ib_text_add(out, markdown ? "- " : "  ");
        add_safe(out, l->metric, markdown);
        ib_text_add(out, " ");
        add_safe(out, name, markdown);
        ib_text_add(out, ": ");
        add_safe(out, l->reason, markdown);
        ib_text_add(out, "\n");
    }
}

static void add_headline(const struct ib_compare *c, struct ib_text *out,
                         bool markdown)
{
    size_t n[3] = {0};
    for (size_t i = 0; i < c->n_judgements; i++)
        n[c->judgements[i].verdict]++;
    const char *outcome = ib_outcome_words[c->outcome];
    if (c->outcome == IB_OUTCOME_REGRESSION && !n[IB_FAIL])
        outcome = "undecided, which does not pass";
    ib_text_add(out, "%sinvbench compare: %s%s", markdown ? "### " : "",
                outcome, markdown ? "\n\n" : "\n");
    if (c->outcome == IB_OUTCOME_INCOMPATIBLE)
        return;
    ib_text_add(out, "%zu people under %d seed%s in both runs", c->n_people,
                c->seeds, c->seeds == 1 ? "" : "s");
    if (c->n_rules)
        ib_text_add(out, "; checks: %zu passed, %zu failed, %zu undecided",
                    n[IB_PASS], n[IB_FAIL], n[IB_UNDECIDED]);
    ib_text_add(out, ".\n%s", markdown ? "\n" : "");
}

static void add_legend(struct ib_text *out, bool markdown)
{
    ib_text_add(out,
                "%sChange: NEW - BASE, paired by seed and person, with its "
                "95 %% interval. p: of no change, adjusted for all lines. "
                "Caught from: the change that a rule of limit 0 catches 4 "
                "times in 5.%s\n",
                markdown ? "\n<sub>" : "", markdown ? "</sub>" : "");
}

enum ib_status ib_compare_text(const struct ib_compare *c, int width,
                               bool color, struct ib_text *out,
                               struct ib_error *err)
{
    bool markdown = width == 0;
    enum ib_status s = IB_OK;
    add_headline(c, out, markdown);
    add_list(out, "not comparable", c->incompatible, markdown);
    if (c->n_lines)
        s = add_table(c, width, color, out, err);
    if (s)
        return s;
    add_judgements(c, out, markdown);
    add_reasons(c, out, markdown);
    add_same(c, out, markdown);
    add_list(out, "changed", c->changed, markdown);
    add_list(out, "warnings", c->warnings, markdown);
    add_list(out, "not paired", c->unpaired, markdown);
    if (c->n_lines)
        add_legend(out, markdown);
    return ib_text_status(out, err);
}
