/* What a run shows while it runs: a bar on a terminal, lines elsewhere. */
#ifndef INVBENCH_HARNESS_PROGRESS_H
#define INVBENCH_HARNESS_PROGRESS_H

#include "console.h"
#include "text.h"

struct ib_progress {
    const struct ib_console *console; /* NULL: silent */
    bool drawn;                       /* a bar stands in the last line */
    double last;                      /* when it was drawn */
};
struct ib_progress_state {
    double now;   /* monotonic seconds */
    double share; /* 0..1 of all work, by estimated time */
    double left;  /* estimated seconds to go */
    size_t cells_over, cells;
    const char *running; /* labels, with their shares */
};

/* A line of its own; the bar is put below it at the next draw. */
void ib_progress_line(struct ib_progress *p, const char *text);
/* Redraws the bar, at most ten times a second; nothing without a terminal. */
void ib_progress_draw(struct ib_progress *p, const struct ib_progress_state *s);
void ib_progress_end(struct ib_progress *p); /* removes the bar */
/* "0:07", "12:30", "3:05:00" */
void ib_duration(double seconds, char *out, size_t n);

#endif
