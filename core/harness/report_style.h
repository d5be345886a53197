/* The stylesheet of report.html. */
#ifndef INVBENCH_HARNESS_REPORT_STYLE_H
#define INVBENCH_HARNESS_REPORT_STYLE_H

extern const char ib_report_style[];

#endif
