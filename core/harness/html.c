/* Escaping, base64, and a format that escapes by default. */
#include "html.h"

#include <stdarg.h>
#include <string.h>

#include "table_width.h"

static const char *entity(uint32_t c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

void ib_html_text(struct ib_text *t, const char *s)
{
    for (uint32_t c; (c = ib_utf8_read(s, &s)) != 0;) {
        const char *name = entity(c);
        char bytes[4];
        if (name)
            ib_text_put(t, name, strlen(name));
        else
            ib_text_put(t, bytes, ib_utf8_write(c, bytes));
    }
}

void ib_html_add(struct ib_text *t, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    for (const char *f = format; *f;) {
        size_t plain = strcspn(f, "%");
        ib_text_put(t, f, plain);
        f += plain;
        if (*f == '\0')
            break;
        if (f[1] == 's')
            ib_html_text(t, va_arg(args, const char *));
        else if (f[1] == 'd')
            ib_text_add(t, "%d", va_arg(args, int));
        else
            ib_text_put(t, "%", 1);
        f += f[1] ? 2 : 1;
    }
    va_end(args);
}

void ib_html_base64(struct ib_text *t, const void *data, size_t n)
{
    static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "abcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *b = data;

    for (size_t i = 0; i < n; i += 3) {
        size_t left = n - i;
        uint32_t v = (uint32_t)b[i] << 16;
        v |= left > 1 ? (uint32_t)b[i + 1] << 8 : 0;
        v |= left > 2 ? b[i + 2] : 0;
        char four[4] = {digit[v >> 18], digit[v >> 12 & 63],
                        left > 1 ? digit[v >> 6 & 63] : '=',
                        left > 2 ? digit[v & 63] : '='};
        ib_text_put(t, four, 4);
    }
}

void ib_html_id(struct ib_text *t, const char *s)
{
    for (; *s; s++) {
        char c = *s;
        bool kept = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                    (c >= '0' && c <= '9');
        ib_text_put(t, kept ? s : "-", 1);
    }
}
