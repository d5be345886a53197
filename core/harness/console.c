#include "console.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void print(void (*to)(const char *, size_t), const char *format,
                  va_list args) __attribute__((format(printf, 2, 0)));

static void print(void (*to)(const char *, size_t), const char *format,
                  va_list args)
{
    char *text = NULL;
    int n = vasprintf(&text, format, args);

    if (n < 0)
        return;
    to(text, (size_t)n);
    free(text);
}

void ib_console_out(const struct ib_console *c, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    print(c->out, format, args);
    va_end(args);
}

void ib_console_note(const struct ib_console *c, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    print(c->note, format, args);
    va_end(args);
}
