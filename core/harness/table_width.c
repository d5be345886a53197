/* UTF-8 decoding and display width; the tables hold the ranges that matter for
 * names, after Unicode 15 (East_Asian_Width W and F; general category Mn). */
#include "table_width.h"

struct range {
    uint32_t first, last;
};

static const struct range zero[] = {
    {0x0300, 0x036F}, {0x0483, 0x0489}, {0x0591, 0x05BD}, {0x0610, 0x061A},
    {0x064B, 0x065F}, {0x0900, 0x0902}, {0x093C, 0x093C}, {0x0941, 0x0948},
    {0x0E31, 0x0E31}, {0x0E34, 0x0E3A}, {0x0E47, 0x0E4E}, {0x1AB0, 0x1AFF},
    {0x1DC0, 0x1DFF}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F},
};
static const struct range wide[] = {
    {0x1100, 0x115F},   {0x231A, 0x231B},   {0x2E80, 0x303E},
    {0x3041, 0x33FF},   {0x3400, 0x4DBF},   {0x4E00, 0x9FFF},
    {0xA000, 0xA4CF},   {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},
    {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},   {0xFFE0, 0xFFE6},
    {0x1F300, 0x1F64F}, {0x1F900, 0x1F9FF}, {0x20000, 0x3FFFD},
};
/* Controls, and marks that reorder or hide what stands around them. */
static const struct range unsafe[] = {
    {0x0001, 0x001F}, {0x007F, 0x009F}, {0x200B, 0x200F}, {0x2028, 0x202E},
    {0x2060, 0x206F}, {0xD800, 0xDFFF}, {0xFEFF, 0xFEFF}, {0xFFF9, 0xFFFB},
};

static bool within(const struct range *r, size_t n, uint32_t c)
{
    for (size_t i = 0; i < n; i++)
        if (c >= r[i].first && c <= r[i].last)
            return true;
    return false;
}

/* Length of the sequence that the byte starts; 0: none. */
static int sequence_length(unsigned char b)
{
    if (b < 0x80)
        return 1;
    if (b >= 0xC2 && b < 0xE0)
        return 2;
    if (b >= 0xE0 && b < 0xF0)
        return 3;
    return b >= 0xF0 && b < 0xF5 ? 4 : 0;
}

uint32_t ib_utf8_read(const char *s, const char **next)
{
    static const unsigned char lead[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *u = (const unsigned char *)s;
    int n = sequence_length(u[0]);

    *next = s + (u[0] != 0);
    if (n == 0)
        return IB_REPLACEMENT;
    uint32_t c = u[0] & lead[n];
    for (int i = 1; i < n; i++) {
        if ((u[i] & 0xC0) != 0x80)
            return IB_REPLACEMENT;
        c = c << 6 | (u[i] & 0x3F);
    }
    if (c < least[n] || c > 0x10FFFF)
        return IB_REPLACEMENT;
    *next = s + (u[0] ? n : 0);
    if (c == '\t' || c == '\n' || c == '\r')
        return ' ';
    return within(unsafe, IB_COUNT(unsafe), c) ? IB_REPLACEMENT : c;
}

size_t ib_utf8_write(uint32_t c, char out[4])
{
    static const unsigned char mark[] = {0, 0, 0xC0, 0xE0, 0xF0};
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

    for (size_t i = n; i-- > 1; c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3F));
    out[0] = (char)(mark[n] | c);
    return n;
}

int ib_char_width(uint32_t c)
{
    if (within(zero, IB_COUNT(zero), c))
        return 0;
    return within(wide, IB_COUNT(wide), c) ? 2 : 1;
}

int ib_text_width(const char *s)
{
    int width = 0;

    for (uint32_t c; (c = ib_utf8_read(s, &s)) != 0;)
        width += ib_char_width(c);
    return width;
}

static void blanks(struct ib_text *t, int n)
{
    for (int i = 0; i < n; i++)
        ib_text_put(t, " ", 1);
}

/* Adds characters of s while they fit into room columns; returns the columns
 * used. */
static int add_head(struct ib_text *t, const char *s, int room)
{
    int used = 0;

    for (uint32_t c; (c = ib_utf8_read(s, &s)) != 0;) {
        char bytes[4];
        int w = ib_char_width(c);

        if (used + w > room)
            break;
        ib_text_put(t, bytes, ib_utf8_write(c, bytes));
        used += w;
    }
    return used;
}

/* The end of s that is at most room columns wide. */
static const char *tail_of(const char *s, int full, int room)
{
    while (full > room)
        full -= ib_char_width(ib_utf8_read(s, &s));
    return s;
}

void ib_text_fit(struct ib_text *t, const char *s, int width, bool right)
{
    int full = ib_text_width(s), used;

    if (right && full < width)
        blanks(t, width - full);
    if (full <= width) {
        used = add_head(t, s, width);
    } else if (width > 0) {
        used = add_head(t, s, (width - 1) / 3);
        ib_text_put(t, "\xE2\x80\xA6", 3);
        used++;
        used += add_head(t, tail_of(s, full, width - used), width - used);
    } else {
        used = 0;
    }
    if (!right || full > width)
        blanks(t, width - used);
}
