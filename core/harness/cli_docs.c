/* The man page, docs/commands.md and docs/plugins.md. */
#include <ctype.h>
#include <string.h>

#include "cli_parts.h"
#include "options_io.h"
#include "plugin_json.h"

const char *const ib_docs_names[IB_DOCS_FORMATS + 1] = {
    [IB_DOCS_MAN] = "man",           [IB_DOCS_BASH] = "bash",
    [IB_DOCS_ZSH] = "zsh",           [IB_DOCS_FISH] = "fish",
    [IB_DOCS_COMMANDS] = "commands", [IB_DOCS_PLUGINS] = "plugins",
};

/* --- man --------------------------------------------------------------------
 */

/* '-' as a real dash, no accidental requests, no escapes. */
static void man_text(struct ib_text *out, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bool line = i == 0 || text[i - 1] == '\n';
        if (line && (text[i] == '.' || text[i] == '\''))
            ib_text_add(out, "\\&");
        if (text[i] == '-')
            ib_text_add(out, "\\-");
        else if (text[i] == '\\')
            ib_text_add(out, "\\e");
        else
            ib_text_put(out, &text[i], 1);
    }
}

static void man_line(struct ib_text *out, const char *text)
{
    man_text(out, text, strlen(text));
    ib_text_add(out, "\n");
}

static void man_details(struct ib_text *out, const char *text)
{
    bool verbatim = false;

    while (*text) {
        size_t n = strcspn(text, "\n");
        bool indented = text[0] == ' ';
        if (indented != verbatim)
            ib_text_add(out, indented ? ".PP\n.nf\n" : ".fi\n");
        verbatim = indented;
        if (n == 0)
            ib_text_add(out, ".PP\n");
        else {
            man_text(out, text, n);
            ib_text_add(out, "\n");
        }
        text += n + (text[n] == '\n');
    }
    if (verbatim)
        ib_text_add(out, ".fi\n");
}

static void man_command(struct ib_text *out, const struct ib_command *c)
{
    const struct ib_flag *f;

    ib_text_add(out, ".SS \"invbench %s ", c->name);
    for (const char *p = c->synopsis; *p; p++)
        ib_text_add(out, *p == '"' ? "\\(dq" : *p == '-' ? "\\-" : "%c", *p);
    ib_text_add(out, "\"\n");
    man_line(out, c->summary);
    ib_text_add(out, ".PP\n");
    man_details(out, c->details ? c->details : "");
    for (size_t i = 0; (f = ib_flag_at(c, i)); i++) {
        ib_text_add(out, ".TP\n\\fB\\-\\-");
        man_text(out, f->name, strlen(f->name));
        ib_text_add(out, "\\fR");
        if (f->value) {
            ib_text_add(out, " \\fI");
            man_text(out, f->value, strlen(f->value));
            ib_text_add(out, "\\fR");
        }
        ib_text_add(out, "%s\n", f->repeats ? " ..." : "");
        man_line(out, f->help);
    }
}

static void write_man(struct ib_text *out)
{
    ib_text_add(out,
                ".TH INVBENCH 1 \"\" \"invbench\" \"User commands\"\n"
                ".SH NAME\ninvbench \\- measure how much of its training data "
                "a model gives back\n"
                ".SH SYNOPSIS\n.B invbench\n\\fICOMMAND\\fR [\\fIARGUMENTS\\fR]"
                " [\\fIFLAGS\\fR]\n"
                ".SH COMMANDS\n");
    for (const struct ib_command *const *c = ib_commands; *c; c++)
        if (!(*c)->hidden)
            man_command(out, *c);
    ib_text_add(
        out,
        ".SH ENVIRONMENT\n"
        ".TP\n\\fBINVBENCH_DATA\\fR\nThe folder of real data, where "
        "\\-\\-data is not given.\n"
        ".TP\n\\fBNO_COLOR\\fR\nNo colours on a terminal.\n"
        ".TP\n\\fBXDG_CACHE_HOME\\fR\nWhere the default store lies.\n"
        ".SH EXIT STATUS\n"
        ".TP\n0\nDone.\n.TP\n1\nWrong usage, or a suite that cannot be run.\n"
        ".TP\n2\nA run\\-time error.\n.TP\n3\nSome cells failed.\n");
}

/* --- Markdown
 * ----------------------------------------------------------------- */

/* A cell of a table: no bars, no line breaks. */
static void cell(struct ib_text *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '|')
            ib_text_add(out, "\\");
        ib_text_put(out, *text == '\n' ? " " : text, 1);
    }
}

static void markdown_details(struct ib_text *out, const char *text)
{
    bool verbatim = false;

    while (*text) {
        size_t n = strcspn(text, "\n");
        bool indented = text[0] == ' ';
        if (indented != verbatim)
            ib_text_add(out, "```\n");
        verbatim = indented;
        ib_text_put(out, text + (indented ? 2 : 0), n - (indented ? 2 : 0));
        ib_text_add(out, "\n");
        text += n + (text[n] == '\n');
    }
    if (verbatim)
        ib_text_add(out, "```\n");
}

static void write_commands(struct ib_text *out)
{
    const struct ib_flag *f;

    ib_text_add(out, "# Commands\n\nMade by `invbench docs --format commands`."
                     "\n");
    for (const struct ib_command *const *p = ib_commands; *p; p++) {
        const struct ib_command *c = *p;
        if (c->hidden)
            continue;
        ib_text_add(out, "\n## %s\n\n```\ninvbench %s %s\n```\n\n", c->name,
                    c->name, c->synopsis);
        ib_text_add(out, "%c%s.\n\n", toupper((unsigned char)c->summary[0]),
                    c->summary + 1);
        markdown_details(out, c->details ? c->details : "");
        ib_text_add(out, "\n| Flag | What it does |\n| --- | --- |\n");
        for (size_t i = 0; (f = ib_flag_at(c, i)); i++) {
            ib_text_add(out, "| `--%s%s%s` | ", f->name, f->value ? " " : "",
                        f->value ? f->value : "");
            cell(out, f->help);
            ib_text_add(out, "%s |\n",
                        f->repeats ? " (may be given several times)" : "");
        }
    }
}

static void options_table(struct ib_text *out, const struct ib_option *o)
{
    struct ib_text range = {0};

    if (!o || !o->name)
        return;
    ib_text_add(out, "\n| Option | Default | Allowed | Unit | Meaning |\n"
                     "| --- | --- | --- | --- | --- |\n");
    for (; o->name; o++) {
        ib_text_clear(&range);
        ib_options_range(o, &range);
        ib_text_add(out, "| `%s` | `%s` | ", o->name,
                    o->value && *o->value ? o->value : " ");
        cell(out, ib_text_string(&range));
        ib_text_add(out, " | %s | ", o->unit ? o->unit : "");
        cell(out, o->help);
        ib_text_add(out, " |\n");
    }
    ib_text_free(&range);
}

static void kind_lines(struct ib_text *out, const struct ib_plugin *p)
{
    const struct ib_attack *attack = (const void *)p;
    const struct ib_defense *defense = (const void *)p;
    const struct ib_model *model = (const void *)p;
    const struct ib_metric *metric = (const void *)p;
    const struct ib_prior *prior = (const void *)p;

    if (p->kind == IB_KIND_ATTACK) {
        ib_text_add(out, "- Access levels:");
        for (int i = 0; i < IB_LEVELS; i++)
            if (attack->levels & IB_GRANTS(i))
                ib_text_add(out, " `%s`", ib_level_names[i]);
        ib_text_add(out, "\n");
    }
    if (p->kind == IB_KIND_DEFENSE)
        ib_text_add(out, "- Stage: %s%s\n", ib_stage_names[defense->stage],
                    defense->stochastic ? "; stochastic" : "");
    if (p->kind == IB_KIND_DEFENSE && defense->adaptive)
        ib_text_add(out, "- Adaptive attack: %s\n", defense->adaptive);
    if (p->kind == IB_KIND_MODEL)
        ib_text_add(out, "- Family: %s\n", model->family);
    if (p->kind == IB_KIND_PRIOR)
        ib_text_add(out, "- Learns: %s\n",
                    prior->fitted ? "once, from the public images" : "nothing");
    if (p->kind != IB_KIND_METRIC)
        return;
    ib_text_add(out, "\n| Column | Unit | Direction | Definition |\n"
                     "| --- | --- | --- | --- |\n");
    for (const struct ib_column *c = metric->columns; c->name; c++) {
        ib_text_add(out, "| `%s` | %s | %s | ", c->name, c->unit ? c->unit : "",
                    ib_direction_names[c->direction]);
        cell(out, c->definition ? c->definition : "");
        ib_text_add(out, " |\n");
    }
}

static void write_plugins(struct ib_text *out, const struct ib_registry *r)
{
    ib_text_add(out,
                "# Plugins\n\nMade by `invbench docs --format plugins`.\n");
    for (int k = 0; k < IB_KIND_COUNT; k++) {
        const char *kind = ib_kind_names[k];
        ib_text_add(out, "\n## %c%ss\n", toupper((unsigned char)kind[0]),
                    kind + 1);
        for (size_t i = 0; i < ib_registry_count(r, (enum ib_kind)k); i++) {
            const struct ib_plugin *p = ib_registry_at(r, (enum ib_kind)k, i);
            ib_text_add(out, "\n### %s\n\n%c%s.\n\n", p->name,
                        toupper((unsigned char)p->summary[0]), p->summary + 1);
            ib_text_add(out, "- Source: %s\n- Version %s, %s\n", p->citation,
                        p->version, p->license);
            kind_lines(out, p);
            options_table(out, p->options);
        }
    }
}

void ib_docs_write(struct ib_text *out, enum ib_docs_format format,
                   const struct ib_registry *r)
{
    switch (format) {
    case IB_DOCS_MAN:
        write_man(out);
        break;
    case IB_DOCS_COMMANDS:
        write_commands(out);
        break;
    case IB_DOCS_PLUGINS:
        write_plugins(out, r);
        break;
    default:
        ib_docs_complete(out, format, r);
    }
}
