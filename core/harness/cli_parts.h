/* What the files behind cli.h share. */
#ifndef INVBENCH_HARNESS_CLI_PARTS_H
#define INVBENCH_HARNESS_CLI_PARTS_H

#include "cli.h"

/* --help, --json, --plugin: every command has them. */
extern const struct ib_flag ib_common_flags[];

/* The own flags, then the common ones; NULL after the last. */
const struct ib_flag *ib_flag_at(const struct ib_command *c, size_t i);
const struct ib_command *ib_command_find(const char *name);
/* Parses what follows the command's name, and runs it. */
int ib_cli_command(const struct ib_command_env *env, const struct ib_command *c,
                   int argc, char **argv, struct ib_error *err);

void ib_help_command(struct ib_text *out, const struct ib_command *c,
                     int width);
void ib_help_overview(struct ib_text *out, int width);
/* Text re-wrapped to width with a hanging indent; at is the column where the
 * first line goes on. */
struct ib_wrap {
    int indent, width, at;
};
void ib_help_wrap(struct ib_text *out, const char *text, size_t n,
                  struct ib_wrap w);
/* Paragraphs of a command's details: lines that begin with a space stand as
 * they are, all others are wrapped. */
void ib_help_paragraphs(struct ib_text *out, const char *text, int width);

enum ib_docs_format {
    IB_DOCS_MAN,
    IB_DOCS_BASH,
    IB_DOCS_ZSH,
    IB_DOCS_FISH,
    IB_DOCS_COMMANDS,
    IB_DOCS_PLUGINS,
    IB_DOCS_FORMATS,
};
extern const char *const ib_docs_names[IB_DOCS_FORMATS + 1];
void ib_docs_write(struct ib_text *out, enum ib_docs_format format,
                   const struct ib_registry *r);
/* cli_complete.c */
void ib_docs_complete(struct ib_text *out, enum ib_docs_format format,
                      const struct ib_registry *r);

/* describe_file.c: `describe model-file FILE`; an enum ib_exit. */
int ib_describe_model_file(const struct ib_command_env *env, const char *path,
                           bool json, struct ib_error *err);

/* cmd_describe.c: one plugin for a reader; markdown for docs/plugins.md. */
void ib_describe_text(struct ib_text *out, const struct ib_plugin *p,
                      int width);

#endif
