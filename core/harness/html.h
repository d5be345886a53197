/* Writing HTML and SVG: whatever comes from outside is escaped here. */
#ifndef INVBENCH_HARNESS_HTML_H
#define INVBENCH_HARNESS_HTML_H

#include "text.h"

/* Adds s with & < > " ' escaped, fit for text and for quoted attributes.
 * Control characters and bytes that are not UTF-8 become U+FFFD. */
void ib_html_text(struct ib_text *t, const char *s);
/* Markup with texts in it: %s is escaped, %d an int, %% a percent sign; there
 * is nothing else. */
void ib_html_add(struct ib_text *t, const char *format, ...) IB_PRINTF(2, 3);
void ib_html_base64(struct ib_text *t, const void *data, size_t n);
/* Adds s with everything but letters and digits turned into '-': for ids. */
void ib_html_id(struct ib_text *t, const char *s);

#endif
