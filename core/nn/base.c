/*
 * Status codes, error texts, checked sizes and the scratch arena.
 */
#include <invbench/base.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { ALIGNMENT = 64, HUGE_PAGE = 2 << 20 };

const char *ib_status_name(enum ib_status s)
{
    static const char *const names[] = {
        [IB_OK] = "ok",
        [IB_E_USAGE] = "usage",
        [IB_E_DATA] = "data",
        [IB_E_IO] = "io",
        [IB_E_NOMEM] = "memory",
        [IB_E_NUMERIC] = "numeric",
        [IB_E_DENIED] = "denied",
        [IB_E_BUDGET] = "budget",
        [IB_E_INTERNAL] = "internal",
    };
    if ((unsigned)s >= IB_COUNT(names))
        return "unknown";
    return names[s];
}

enum ib_status ib_error_set(struct ib_error *e, enum ib_status s,
                            const char *format, ...)
{
    if (!e)
        return s;
    e->status = s;
    va_list args;
    va_start(args, format);
    vsnprintf(e->text, sizeof e->text, format, args);
    va_end(args);
    return s;
}

enum ib_status ib_error_prefix(struct ib_error *e, const char *format, ...)
{
    if (!e)
        return IB_E_INTERNAL;
    char old[IB_ERROR_MAX];
    memcpy(old, e->text, sizeof old);
    old[sizeof old - 1] = '\0';
    va_list args;
    va_start(args, format);
    int n = vsnprintf(e->text, sizeof e->text, format, args);
    va_end(args);
    size_t at = n < 0 ? 0 : (size_t)n;
    for (const char *p = ": "; *p && at + 1 < sizeof e->text; p++)
        e->text[at++] = *p;
    for (const char *p = old; *p && at + 1 < sizeof e->text; p++)
        e->text[at++] = *p;
    if (at < sizeof e->text)
        e->text[at] = '\0';
    return e->status;
}

bool ib_size_mul(size_t a, size_t b, size_t *out)
{
    size_t r;
    if (__builtin_mul_overflow(a, b, &r))
        return false;
    *out = r;
    return true;
}

bool ib_size_add(size_t a, size_t b, size_t *out)
{
    size_t r;
    if (__builtin_add_overflow(a, b, &r))
        return false;
    *out = r;
    return true;
}

/* The address range is reserved whole and the system fills pages as they are
 * touched. Fresh pages are zero; `dirty` bounds what was handed out before. */
struct ib_scratch {
    uint8_t *base;
    size_t limit, used, dirty;
};

struct ib_scratch *ib_scratch_create(size_t limit)
{
    struct ib_scratch *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t size;
    if (!ib_size_add(limit ? limit : 1, page - 1, &size))
        goto fail;
    size -= size % page;
    s->base = mmap(NULL, size, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (s->base == MAP_FAILED)
        goto fail;
    if (size >= 2 * HUGE_PAGE)
        (void)madvise(s->base, size, MADV_HUGEPAGE);
    s->limit = size;
    return s;
fail:
    free(s);
    return NULL;
}

void ib_scratch_free(struct ib_scratch *s)
{
    if (!s)
        return;
    munmap(s->base, s->limit);
    free(s);
}

void *ib_scratch_take(struct ib_scratch *s, size_t count, size_t size)
{
    size_t bytes, end;
    if (!ib_size_mul(count, size, &bytes) ||
        !ib_size_add(bytes ? bytes : 1, ALIGNMENT - 1, &bytes))
        return NULL;
    bytes -= bytes % ALIGNMENT;
    if (!ib_size_add(s->used, bytes, &end) || end > s->limit)
        return NULL;
    uint8_t *p = s->base + s->used;
    if (s->used < s->dirty)
        memset(p, 0, (end < s->dirty ? end : s->dirty) - s->used);
    s->used = end;
    if (s->dirty < end)
        s->dirty = end;
    return p;
}

size_t ib_scratch_mark(const struct ib_scratch *s)
{
    return s->used;
}

void ib_scratch_reset(struct ib_scratch *s, size_t mark)
{
    if (mark < s->used)
        s->used = mark;
}
