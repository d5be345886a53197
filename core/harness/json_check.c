/*
 * A strict scan of JSON (RFC 8259) before cJSON sees the text: cJSON takes
 * numbers like 01, control characters in strings and bytes that are no UTF-8.
 */
#include "json_check.h"

#include <stdbool.h>
#include <string.h>

struct scan {
    const char *text, *at, *end;
    int depth;
    const char *wrong; /* what was found; NULL while all is well */
};

static bool fail(struct scan *s, const char *wrong)
{
    if (!s->wrong)
        s->wrong = wrong;
    return false;
}

static int peek(const struct scan *s)
{
    return s->at < s->end ? (unsigned char)*s->at : -1;
}

static void skip_space(struct scan *s)
{
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\t' ||
                              *s->at == '\n' || *s->at == '\r'))
        s->at++;
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static bool scan_digits(struct scan *s)
{
    if (!is_digit(peek(s)))
        return fail(s, "a digit is missing in a number");
    while (is_digit(peek(s)))
        s->at++;
    return true;
}

static bool scan_fraction(struct scan *s)
{
    if (peek(s) == '.') {
        s->at++;
        if (!scan_digits(s))
            return false;
    }
    if (peek(s) != 'e' && peek(s) != 'E')
        return true;
    s->at++;
    if (peek(s) == '+' || peek(s) == '-')
        s->at++;
    return scan_digits(s);
}

/* cJSON reads up to 63 characters of a number. */
static bool scan_number(struct scan *s)
{
    const char *start = s->at;

    if (peek(s) == '-')
        s->at++;
    if (peek(s) == '0') {
        s->at++;
        if (is_digit(peek(s)))
            return fail(s, "a number may not begin with 0");
    } else if (!scan_digits(s)) {
        return false;
    }
    if (!scan_fraction(s))
        return false;
    return s->at - start <= 60 ? true
                               : fail(s, "a number of over 60 characters");
}

/* Length of the UTF-8 sequence at p (shortest form, no surrogates), or 0. */
static size_t utf8_length(const unsigned char *p, size_t left)
{
    static const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n = p[0] < 0x80             ? 1
               : (p[0] & 0xe0) == 0xc0 ? 2
               : (p[0] & 0xf0) == 0xe0 ? 3
               : (p[0] & 0xf8) == 0xf0 ? 4
                                       : 0;
    unsigned code;

    if (n < 2)
        return n;
    if (n > left)
        return 0;
    code = p[0] & (0xffu >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (p[i] & 0x3f);
    }
    if (code < least[n] || code > 0x10ffff || (code & ~0x7ffu) == 0xd800)
        return 0;
    return n;
}

static bool scan_hex4(struct scan *s, unsigned *code)
{
    *code = 0;
    for (int i = 0; i < 4; i++, s->at++) {
        int c = peek(s);
        unsigned digit = is_digit(c)            ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10)
                         : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A' + 10)
                                                : 16;
        if (digit == 16)
            return fail(s, "\\u needs four hexadecimal digits");
        *code = *code << 4 | digit;
    }
    return true;
}

static bool scan_unicode_escape(struct scan *s)
{
    unsigned code, low;

    if (!scan_hex4(s, &code))
        return false;
    if (code == 0)
        return fail(s, "\\u0000 is not allowed");
    if (code < 0xd800 || code > 0xdfff)
        return true;
    if (code > 0xdbff || s->end - s->at < 2 || memcmp(s->at, "\\u", 2) != 0)
        return fail(s, "half of a surrogate pair");
    s->at += 2;
    if (!scan_hex4(s, &low))
        return false;
    if (low < 0xdc00 || low > 0xdfff)
        return fail(s, "half of a surrogate pair");
    return true;
}

static bool scan_escape(struct scan *s)
{
    int c = peek(s);

    if (c < 0 || !strchr("\"\\/bfnrtu", c) || c == '\0')
        return fail(s, "unknown escape in a string");
    s->at++;
    return c == 'u' ? scan_unicode_escape(s) : true;
}

static bool scan_string(struct scan *s)
{
    s->at++;
    for (;;) {
        int c = peek(s);
        size_t n;
        if (c < 0)
            return fail(s, "a string does not end");
        if (c < 0x20)
            return fail(s, "a control character in a string");
        if (c == '"')
            break;
        if (c == '\\') {
            s->at++;
            if (!scan_escape(s))
                return false;
            continue;
        }
        n = utf8_length((const unsigned char *)s->at, (size_t)(s->end - s->at));
        if (n == 0)
            return fail(s, "bytes that are not UTF-8");
        s->at += n;
    }
    s->at++;
    return true;
}

static bool scan_word(struct scan *s, const char *word)
{
    size_t n = strlen(word);

    if ((size_t)(s->end - s->at) < n || memcmp(s->at, word, n) != 0)
        return fail(s, "a value is missing (a number, \"text\", true, false, "
                       "null, [ or {)");
    s->at += n;
    return true;
}

static bool scan_value(struct scan *s);

static bool scan_member(struct scan *s)
{
    if (peek(s) != '"')
        return fail(s, "a key in double quotes is missing");
    if (!scan_string(s))
        return false;
    skip_space(s);
    if (peek(s) != ':')
        return fail(s, "':' is missing after a key");
    s->at++;
    return scan_value(s);
}

static bool scan_list(struct scan *s, char close)
{
    bool object = close == '}';

    if (++s->depth > IB_JSON_DEPTH)
        return fail(s, "nested too deep (64 levels are allowed)");
    s->at++;
    skip_space(s);
    if (peek(s) == close)
        goto end;
    for (;;) {
        skip_space(s);
        if (!(object ? scan_member(s) : scan_value(s)))
            return false;
        skip_space(s);
        if (peek(s) == close)
            break;
        if (peek(s) != ',')
            return fail(s, object ? "',' or '}' is missing"
                                  : "',' or ']' is missing");
        s->at++;
    }
end:
    s->at++;
    s->depth--;
    return true;
}

static bool scan_value(struct scan *s)
{
    skip_space(s);
    switch (peek(s)) {
    case '{':
        return scan_list(s, '}');
    case '[':
        return scan_list(s, ']');
    case '"':
        return scan_string(s);
    case 't':
        return scan_word(s, "true");
    case 'f':
        return scan_word(s, "false");
    case 'n':
        return scan_word(s, "null");
    default:
        return is_digit(peek(s)) || peek(s) == '-' ? scan_number(s)
                                                   : scan_word(s, "null");
    }
}

const char *ib_json_check(const char *text, size_t n, size_t *line,
                          size_t *column)
{
    struct scan s = {.text = text, .at = text, .end = text + n};

    if (scan_value(&s)) {
        skip_space(&s);
        if (s.at < s.end)
            fail(&s, "something follows the end of the document");
    }
    if (!s.wrong)
        return NULL;
    *line = *column = 1;
    for (const char *p = text; p < s.at; p++) {
        *column = *p == '\n' ? 1 : *column + 1;
        *line += *p == '\n';
    }
    return s.wrong;
}
