/* UTF-8 as it is read and as wide as it is shown. */
#ifndef INVBENCH_HARNESS_TABLE_WIDTH_H
#define INVBENCH_HARNESS_TABLE_WIDTH_H

#include "text.h"

enum { IB_REPLACEMENT = 0xFFFD };

/* The character at s and, in *next, where the following one starts. Bytes
 * that are not UTF-8, surrogates and control characters (also those that turn
 * the direction of writing) read as IB_REPLACEMENT; tabs and line ends
 * as a blank. 0 at the end. */
uint32_t ib_utf8_read(const char *s, const char **next);
/* Bytes written to out (at most 4). */
size_t ib_utf8_write(uint32_t c, char out[4]);
/* Columns of a terminal: 0 for combining marks, 2 for wide characters. */
int ib_char_width(uint32_t c);
int ib_text_width(const char *s);
/* Adds s cleaned as ib_utf8_read does, cut to width columns or filled with
 * blanks up to it: on the left when right is set. What is cut is the middle,
 * where an ellipsis stands: names of a sweep differ at their ends. */
void ib_text_fit(struct ib_text *t, const char *s, int width, bool right);

#endif
