/* The progress bar: one line, redrawn in place, cut to the terminal. */
#include "progress.h"

#include <stdio.h>
#include <string.h>

enum { BAR_WIDTH = 20, LINE_MAX_BYTES = 512 };

void ib_duration(double seconds, char *out, size_t n)
{
    long long s = seconds < 0 || seconds > 1e9 ? 0 : (long long)(seconds + .5);

    if (s >= 3600)
        snprintf(out, n, "%lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
    else
        snprintf(out, n, "%lld:%02lld", s / 60, s % 60);
}

static bool wants_bar(const struct ib_progress *p)
{
    return p->console && p->console->note_tty;
}

void ib_progress_end(struct ib_progress *p)
{
    if (p->drawn)
        ib_console_note(p->console, "\r\033[K");
    p->drawn = false;
    p->last = 0;
}

void ib_progress_line(struct ib_progress *p, const char *text)
{
    if (!p->console)
        return;
    ib_progress_end(p);
    ib_console_note(p->console, "%s\n", text);
}

void ib_progress_draw(struct ib_progress *p, const struct ib_progress_state *s)
{
    char bar[BAR_WIDTH + 1], left[32], line[LINE_MAX_BYTES];
    int full = (int)(s->share * BAR_WIDTH + 0.5);

    if (!wants_bar(p) || s->now - p->last < 0.1)
        return;
    p->last = s->now;
    p->drawn = true;
    full = full < 0 ? 0 : full > BAR_WIDTH ? BAR_WIDTH : full;
    memset(bar, '.', BAR_WIDTH);
    memset(bar, '#', (size_t)full);
    bar[BAR_WIDTH] = '\0';
    ib_duration(s->left, left, sizeof(left));
    snprintf(line, sizeof(line), "[%s] %3.0f %%  %zu/%zu cells  ETA %s  %s",
             bar, 100 * s->share, s->cells_over, s->cells, left, s->running);
    ib_console_note(p->console, "\r%.*s\033[K",
                    p->console->width > 1 ? p->console->width - 1 : 79, line);
}
