/* --help: from the tables, fitted to the terminal. */
#include <string.h>

#include "cli_parts.h"

enum { WIDTH_MAX = 100, WIDTH_MIN = 40, NAMES_MAX = 26 };

static int fit(int width)
{
    return width > WIDTH_MAX   ? WIDTH_MAX
           : width < WIDTH_MIN ? WIDTH_MIN
                               : width;
}

static void spaces(struct ib_text *out, int n)
{
    for (int i = 0; i < n; i++)
        ib_text_put(out, " ", 1);
}

void ib_help_wrap(struct ib_text *out, const char *text, size_t n,
                  struct ib_wrap w)
{
    const char *end = text + n;
    bool first = true;

    while (text < end) {
        size_t length = 0;
        while (text < end && (*text == ' ' || *text == '\n'))
            text++;
        while (text + length < end && text[length] != ' ' &&
               text[length] != '\n')
            length++;
        if (length == 0)
            break;
        if (!first && w.at + 1 + (int)length > w.width) {
            ib_text_put(out, "\n", 1);
            spaces(out, w.indent);
            w.at = w.indent;
        } else if (!first) {
            ib_text_put(out, " ", 1);
            w.at++;
        }
        ib_text_put(out, text, length);
        w.at += (int)length;
        text += length;
        first = false;
    }
    ib_text_put(out, "\n", 1);
}

void ib_help_paragraphs(struct ib_text *out, const char *text, int width)
{
    struct ib_wrap w = {.width = width};

    while (*text) {
        size_t n = strcspn(text, "\n");
        /* a paragraph goes on until an empty or an indented line */
        while (text[0] != ' ' && n && text[n] && text[n + 1] &&
               text[n + 1] != ' ' && text[n + 1] != '\n')
            n += 1 + strcspn(text + n + 1, "\n");
        if (text[0] == ' ' || n == 0) {
            ib_text_put(out, text, n);
            ib_text_put(out, "\n", 1);
        } else {
            ib_help_wrap(out, text, n, w);
        }
        text += n + (text[n] == '\n');
    }
}

static int name_width(const struct ib_flag *f)
{
    return 4 + (int)strlen(f->name) +
           (f->value ? 1 + (int)strlen(f->value) : 0);
}

static void help_flags(struct ib_text *out, const struct ib_command *c,
                       int width)
{
    const struct ib_flag *f;
    int column = 0;

    for (size_t i = 0; (f = ib_flag_at(c, i)); i++)
        if (name_width(f) > column)
            column = name_width(f);
    column = (column > NAMES_MAX ? NAMES_MAX : column) + 2;
    ib_text_add(out, "\nFlags:\n");
    for (size_t i = 0; (f = ib_flag_at(c, i)); i++) {
        struct ib_wrap w = {.indent = column, .width = width, .at = column};
        ib_text_add(out, "  --%s%s%s", f->name, f->value ? " " : "",
                    f->value ? f->value : "");
        if (name_width(f) + 2 > column) {
            ib_text_put(out, "\n", 1);
            spaces(out, column);
        } else {
            spaces(out, column - name_width(f));
        }
        ib_help_wrap(out, f->help, strlen(f->help), w);
        if (f->repeats) {
            spaces(out, column);
            ib_text_add(out, "(may be given several times)\n");
        }
    }
}

void ib_help_command(struct ib_text *out, const struct ib_command *c, int width)
{
    struct ib_text usage = {0};

    width = fit(width);
    ib_text_add(&usage, "invbench %s %s", c->name, c->synopsis);
    ib_text_add(out, "Usage: ");
    ib_help_wrap(out, ib_text_string(&usage), usage.size,
                 (struct ib_wrap){.indent = 11, .width = width, .at = 7});
    ib_text_free(&usage);
    ib_text_put(out, "\n", 1);
    ib_help_wrap(out, c->summary, strlen(c->summary),
                 (struct ib_wrap){.width = width});
    if (c->details && *c->details) {
        ib_text_put(out, "\n", 1);
        ib_help_paragraphs(out, c->details, width);
    }
    help_flags(out, c, width);
}

void ib_help_overview(struct ib_text *out, int width)
{
    static const char head[] =
        "invbench measures how much of its training data a model gives back: "
        "it trains a model, puts defenses in front of it, lets attacks "
        "reconstruct the training images, and scores what they bring home "
        "beside controls that say what the scores mean.";

    width = fit(width);
    ib_text_add(out, "Usage: invbench COMMAND [ARGUMENTS] [--FLAGS]\n\n");
    ib_help_wrap(out, head, strlen(head), (struct ib_wrap){.width = width});
    ib_text_add(out, "\nCommands:\n");
    for (const struct ib_command *const *c = ib_commands; *c; c++) {
        if ((*c)->hidden)
            continue;
        ib_text_add(out, "  %-11s  ", (*c)->name);
        ib_help_wrap(out, (*c)->summary, strlen((*c)->summary),
                     (struct ib_wrap){.indent = 15, .width = width, .at = 15});
    }
    ib_text_add(out,
                "\nStart here:\n"
                "  invbench run suites/quick.json --out runs/quick\n"
                "  invbench list\n"
                "  invbench describe attack mi-face\n"
                "  invbench COMMAND --help\n"
                "\nExit status: 0 done, 1 wrong usage or suite, 2 run-time "
                "error, 3 some cells failed.\n");
}
