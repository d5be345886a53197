/* Shell completions for bash, zsh and fish. */
#include <string.h>

#include "cli_parts.h"

static bool is_quiet(const struct ib_command *c)
{
    return c->hidden;
}

/* Inside '...': for all three shells. */
static void quoted(struct ib_text *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '\'')
            ib_text_add(out, "'\\''");
        else
            ib_text_put(out, text, 1);
    }
}

static void plugin_names(struct ib_text *out, const struct ib_registry *r,
                         int kind)
{
    for (size_t i = 0; i < ib_registry_count(r, (enum ib_kind)kind); i++)
        ib_text_add(out, "%s%s", i ? " " : "",
                    ib_registry_at(r, (enum ib_kind)kind, i)->name);
}

static void kind_words(struct ib_text *out)
{
    for (int k = 0; k < IB_KIND_COUNT; k++)
        ib_text_add(out, "%s%s", k ? " " : "", ib_kind_names[k]);
}

/* --- bash -------------------------------------------------------------------
 */

static void bash_describe(struct ib_text *out, const struct ib_registry *r)
{
    ib_text_add(out, "    case $command:$COMP_CWORD:$previous in\n"
                     "    describe:2:* | list:2:*) words=\"");
    kind_words(out);
    ib_text_add(out, "\" ;;\n");
    for (int k = 0; k < IB_KIND_COUNT; k++) {
        ib_text_add(out, "    describe:3:%s) words=\"", ib_kind_names[k]);
        plugin_names(out, r, k);
        ib_text_add(out, "\" ;;\n");
    }
    ib_text_add(out, "    esac\n");
}

static void write_bash(struct ib_text *out, const struct ib_registry *r)
{
    const struct ib_flag *f;

    ib_text_add(out, "# bash completion of invbench\n"
                     "_invbench() {\n"
                     "    local command=${COMP_WORDS[1]} words=\n"
                     "    local current=${COMP_WORDS[COMP_CWORD]}\n"
                     "    local previous=${COMP_WORDS[COMP_CWORD - 1]}\n"
                     "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
                     "        words=\"");
    for (const struct ib_command *const *c = ib_commands; *c; c++)
        if (!is_quiet(*c))
            ib_text_add(out, "%s ", (*c)->name);
    ib_text_add(out, "help --version\"\n    fi\n");
    bash_describe(out, r);
    ib_text_add(out, "    case $current in\n    -*)\n"
                     "        case $command in\n");
    for (const struct ib_command *const *c = ib_commands; *c; c++) {
        if (is_quiet(*c))
            continue;
        ib_text_add(out, "        %s) words=\"", (*c)->name);
        for (size_t i = 0; (f = ib_flag_at(*c, i)); i++)
            ib_text_add(out, "%s--%s", i ? " " : "", f->name);
        ib_text_add(out, "\" ;;\n");
    }
    ib_text_add(out, "        esac\n        ;;\n    esac\n"
                     "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- "
                     "\"$current\")\n"
                     "}\n"
                     "complete -o default -F _invbench invbench\n");
}

/* --- zsh
 * ---------------------------------------------------------------------- */

/* Help inside [...] of _arguments: no brackets, no colons. */
static void zsh_help(struct ib_text *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '\'')
            ib_text_add(out, "'\\''");
        else if (strchr("[]:", *text))
            ib_text_add(out, "\\%c", *text);
        else
            ib_text_put(out, text, 1);
    }
}

static void zsh_flag(struct ib_text *out, const struct ib_flag *f)
{
    ib_text_add(out, " \\\n        '%s--%s%s[", f->repeats ? "*" : "", f->name,
                f->value ? "=" : "");
    zsh_help(out, f->help);
    ib_text_add(out, "]");
    if (f->value) {
        ib_text_add(out, ":");
        zsh_help(out, f->value);
        ib_text_add(out, ":_files");
    }
    ib_text_add(out, "'");
}

static void zsh_command(struct ib_text *out, const struct ib_command *c,
                        const struct ib_registry *r)
{
    const struct ib_flag *f;

    ib_text_add(out, "    %s) _arguments", c->name);
    for (size_t i = 0; (f = ib_flag_at(c, i)); i++)
        zsh_flag(out, f);
    if (strcmp(c->name, "describe") == 0 || strcmp(c->name, "list") == 0) {
        ib_text_add(out, " \\\n        '1:kind:(");
        kind_words(out);
        ib_text_add(out, ")'");
    }
    if (strcmp(c->name, "describe") == 0) {
        ib_text_add(out, " \\\n        '2:name:(");
        for (int k = 0; k < IB_KIND_COUNT; k++) {
            plugin_names(out, r, k);
            ib_text_add(out, " ");
        }
        ib_text_add(out, ")'");
    } else if (strcmp(c->name, "list") != 0) {
        ib_text_add(out, " \\\n        '*:file:_files'");
    }
    ib_text_add(out, " ;;\n");
}

static void write_zsh(struct ib_text *out, const struct ib_registry *r)
{
    ib_text_add(out, "#compdef invbench\n"
                     "local -a commands\n"
                     "commands=(\n");
    for (const struct ib_command *const *c = ib_commands; *c; c++) {
        if (is_quiet(*c))
            continue;
        ib_text_add(out, "    '%s:", (*c)->name);
        quoted(out, (*c)->summary);
        ib_text_add(out, "'\n");
    }
    ib_text_add(out, ")\n"
                     "if (( CURRENT == 2 )); then\n"
                     "    _describe command commands\n"
                     "    return\n"
                     "fi\n"
                     "shift words; (( CURRENT-- ))\n"
                     "case $words[1] in\n");
    for (const struct ib_command *const *c = ib_commands; *c; c++)
        if (!is_quiet(*c))
            zsh_command(out, *c, r);
    ib_text_add(out, "esac\n");
}

/* --- fish
 * --------------------------------------------------------------------- */

static void fish_flag(struct ib_text *out, const struct ib_command *c,
                      const struct ib_flag *f)
{
    ib_text_add(out,
                "complete -c invbench -n '__fish_seen_subcommand_from %s' "
                "-l %s%s -d '",
                c->name, f->name, f->value ? " -r -F" : "");
    quoted(out, f->help);
    ib_text_add(out, "'\n");
}

static void write_fish(struct ib_text *out, const struct ib_registry *r)
{
    const struct ib_flag *f;

    ib_text_add(out, "# fish completion of invbench\n");
    for (const struct ib_command *const *c = ib_commands; *c; c++) {
        if (is_quiet(*c))
            continue;
        ib_text_add(out,
                    "complete -c invbench -n __fish_use_subcommand -f -a "
                    "%s -d '",
                    (*c)->name);
        quoted(out, (*c)->summary);
        ib_text_add(out, "'\n");
        for (size_t i = 0; (f = ib_flag_at(*c, i)); i++)
            fish_flag(out, *c, f);
    }
    ib_text_add(out, "complete -c invbench -n '__fish_seen_subcommand_from "
                     "describe list' -f -a '");
    kind_words(out);
    ib_text_add(out, "'\n");
    for (int k = 0; k < IB_KIND_COUNT; k++) {
        ib_text_add(out,
                    "complete -c invbench -n "
                    "'__fish_seen_subcommand_from describe; and "
                    "__fish_seen_subcommand_from %s' -f -a '",
                    ib_kind_names[k]);
        plugin_names(out, r, k);
        ib_text_add(out, "'\n");
    }
}

void ib_docs_complete(struct ib_text *out, enum ib_docs_format format,
                      const struct ib_registry *r)
{
    if (format == IB_DOCS_BASH)
        write_bash(out, r);
    else if (format == IB_DOCS_ZSH)
        write_zsh(out, r);
    else
        write_fish(out, r);
}
