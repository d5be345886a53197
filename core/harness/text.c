#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void ib_text_free(struct ib_text *t)
{
    if (!t)
        return;
    free(t->data);
    *t = (struct ib_text){0};
}

void ib_text_clear(struct ib_text *t)
{
    t->size = 0;
    t->failed = false;
    if (t->data)
        t->data[0] = '\0';
}

/* Room for n more bytes and the NUL. */
static bool text_grow(struct ib_text *t, size_t n)
{
    size_t need, capacity = t->capacity ? t->capacity : 64;
    char *data;

    if (t->failed || !ib_size_add(t->size, n, &need) ||
        !ib_size_add(need, 1, &need)) {
        t->failed = true;
        return false;
    }
    if (need <= t->capacity)
        return true;
    while (capacity < need && ib_size_mul(capacity, 2, &capacity))
        ;
    data = capacity >= need ? realloc(t->data, capacity) : NULL;
    if (!data) {
        t->failed = true;
        return false;
    }
    t->data = data;
    t->capacity = capacity;
    return true;
}

void ib_text_put(struct ib_text *t, const char *bytes, size_t n)
{
    if (!text_grow(t, n))
        return;
    if (n)
        memcpy(t->data + t->size, bytes, n);
    t->size += n;
    t->data[t->size] = '\0';
}

void ib_text_add(struct ib_text *t, const char *format, ...)
{
    va_list args;
    int n;

    if (!text_grow(t, 64)) /* mostly enough, so that it is printed once */
        return;
    size_t room = t->capacity - t->size;
    va_start(args, format);
    n = vsnprintf(t->data + t->size, room, format, args);
    va_end(args);
    if (n < 0) {
        t->failed = true;
        t->data[t->size] = '\0';
        return;
    }
    if ((size_t)n >= room) {
        if (!text_grow(t, (size_t)n)) {
            t->data[t->size] = '\0';
            return;
        }
        va_start(args, format);
        vsnprintf(t->data + t->size, (size_t)n + 1, format, args);
        va_end(args);
    }
    t->size += (size_t)n;
}

const char *ib_text_string(const struct ib_text *t)
{
    return t->data ? t->data : "";
}

enum ib_status ib_text_status(const struct ib_text *t, struct ib_error *err)
{
    if (t->failed)
        return ib_error_set(err, IB_E_NOMEM,
                            "no memory for a text of %zu bytes", t->size);
    return IB_OK;
}

enum { WORD_MAX = 64 };

/* Edit distance with transpositions of neighbours (optimal string alignment).
 */
static size_t edit_distance(const char *a, const char *b)
{
    size_t na = strlen(a), nb = strlen(b);
    size_t row[3][WORD_MAX + 1];
    size_t *two = row[0], *one = row[1], *now = row[2];

    for (size_t j = 0; j <= nb; j++)
        one[j] = j;
    for (size_t i = 1; i <= na; i++) {
        now[0] = i;
        for (size_t j = 1; j <= nb; j++) {
            size_t best = one[j - 1] + (a[i - 1] != b[j - 1]);
            if (one[j] + 1 < best)
                best = one[j] + 1;
            if (now[j - 1] + 1 < best)
                best = now[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
                a[i - 2] == b[j - 1] && two[j - 2] + 1 < best)
                best = two[j - 2] + 1;
            now[j] = best;
        }
        size_t *spare = two;
        two = one;
        one = now;
        now = spare;
    }
    return one[nb];
}

const char *ib_text_nearest(const char *word, const char *const *list)
{
    const char *best = NULL;
    size_t n = strlen(word), least = n / 3 + 2;

    if (n > WORD_MAX)
        return NULL;
    for (; *list; list++) {
        size_t m = strlen(*list), distance;
        if (m > WORD_MAX)
            continue;
        distance = edit_distance(word, *list);
        if (distance < least && distance < m) {
            least = distance;
            best = *list;
        }
    }
    return best;
}

void ib_text_suggest(struct ib_text *t, const char *word,
                     const char *const *list)
{
    const char *near = ib_text_nearest(word, list);

    if (near)
        ib_text_add(t, " (did you mean \"%s\"?)", near);
    ib_text_add(t, "; there are: %s", *list ? "" : "none");
    for (size_t i = 0; list[i]; i++)
        ib_text_add(t, "%s%s", i ? ", " : "", list[i]);
}
