/* The way to the terminal. main makes one; nobody else writes to it directly.
 */
#ifndef INVBENCH_HARNESS_CONSOLE_H
#define INVBENCH_HARNESS_CONSOLE_H

#include <invbench/base.h>

struct ib_console {
    void (*out)(const char *text, size_t n);  /* standard output */
    void (*note)(const char *text, size_t n); /* standard error: progress */
    bool out_tty, note_tty, color;            /* color: tty and no NO_COLOR */
    int width; /* columns of the terminal, 80 if unknown */
};

void ib_console_out(const struct ib_console *c, const char *format, ...)
    IB_PRINTF(2, 3);
void ib_console_note(const struct ib_console *c, const char *format, ...)
    IB_PRINTF(2, 3);

#endif
