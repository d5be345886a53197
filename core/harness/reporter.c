/* The two calls by which stages and plugins say how far they are. */
#include "reporter.h"

#include <stdarg.h>
#include <stdio.h>

void ib_report(struct ib_reporter *r, const char *format, ...)
{
    char text[IB_ERROR_MAX];
    va_list args;

    if (!r || !r->note)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    r->note(r->ctx, text);
}

void ib_report_progress(struct ib_reporter *r, double share)
{
    if (r && r->progress)
        r->progress(r->ctx, share);
}
