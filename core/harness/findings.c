#include "findings.h"

#include <stdarg.h>
#include <stdio.h>

static void keep(struct ib_findings *f, const char *file, const char *place,
                 const char *text)
{
    bool ok = true;

    if (f->n++ >= IB_FINDINGS_KEPT)
        return;
    if (!f->list)
        f->list = cJSON_CreateArray();
    cJSON *o = ib_put_object(&ok, f->list, NULL);
    ib_put_text(&ok, o, "file", file);
    ib_put_text(&ok, o, "place", place);
    ib_put_text(&ok, o, "text", text);
    f->failed |= !ok;
}

void ib_finding(struct ib_findings *f, const char *file, const char *place,
                const char *format, ...)
{
    char text[IB_ERROR_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    keep(f, file, place, text);
}

void ib_finding_error(struct ib_findings *f, const char *file,
                      const struct ib_error *err)
{
    keep(f, file, "", err->text);
}

void ib_findings_free(struct ib_findings *f)
{
    cJSON_Delete(f->list);
    *f = (struct ib_findings){0};
}

void ib_findings_text(const struct ib_findings *f, size_t most,
                      struct ib_text *out)
{
    const cJSON *item;
    size_t shown = 0;

    cJSON_ArrayForEach(item, f->list)
    {
        const char *place = ib_at_text(item, "place");
        if (shown == most)
            break;
        ib_text_add(out, "  %s: %s%s%s\n", ib_at_text(item, "file"), place,
                    *place ? ": " : "", ib_at_text(item, "text"));
        shown++;
    }
    if (f->n > shown)
        ib_text_add(out, "  and %zu more\n", f->n - shown);
}
