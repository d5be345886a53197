/*
 * A bitmap font for captions: 5 x 9 pixels a glyph, ASCII 32 to 126, drawn for
 * invbench. Each glyph is nine rows from the top, a row is one digit in base
 * 32 (0-9, a-v) whose highest bit is the leftmost pixel; the seventh row is
 * the base line.
 */
#ifndef INVBENCH_HARNESS_SHEET_FONT_H
#define INVBENCH_HARNESS_SHEET_FONT_H

enum {
    IB_GLYPH_W = 5,
    IB_GLYPH_H = 9,
    IB_GLYPH_STEP = 6,  /* from one glyph to the next */
    IB_GLYPH_LINE = 11, /* from one line to the next */
};

/* Row y of a character (anything outside of the font is a '?'): 5 bits. */
unsigned ib_glyph_row(char c, int y);

#endif
