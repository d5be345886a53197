/* Hidden: the man page, shell completions and docs pages from the tables. See
 * tools/docs.sh. */
#include <string.h>

#include "cli.h"
#include "cli_parts.h"

static int docs_run(const struct ib_command_env *env,
                    const struct ib_args *args, struct ib_error *err)
{
    const char *word = ib_args_get(args, "format");
    struct ib_text text = {0};
    enum ib_status s;
    int format = 0;

    while (word && format < IB_DOCS_FORMATS &&
           strcmp(word, ib_docs_names[format]) != 0)
        format++;
    if (!word || format == IB_DOCS_FORMATS) {
        ib_text_suggest(&text, word ? word : "", ib_docs_names);
        ib_error_set(err, IB_E_USAGE, "docs: --format: unknown or missing%s",
                     ib_text_string(&text));
        ib_text_free(&text);
        return IB_EXIT_USAGE;
    }
    ib_docs_write(&text, (enum ib_docs_format)format, env->registry);
    s = ib_text_status(&text, err);
    if (s == IB_OK)
        env->console->out(ib_text_string(&text), text.size);
    ib_text_free(&text);
    return s == IB_OK ? IB_EXIT_OK : IB_EXIT_ERROR;
}

const struct ib_command ib_cmd_docs = {
    .name = "docs",
    .synopsis = "--format FORMAT",
    .summary = "write a page of documentation from the program's own tables",
    .details = "FORMAT is man, bash, zsh, fish, commands or plugins.",
    .flags =
        (const struct ib_flag[]){
            {.name = "format",
             .value = "FORMAT",
             .help = "man, bash, zsh, fish (completions), commands or plugins "
                     "(Markdown)"},
            {0},
        },
    .hidden = true,
    .run = docs_run,
};
