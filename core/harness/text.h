/* A growing text. Zero-initialise; running out of memory sticks. */
#ifndef INVBENCH_HARNESS_TEXT_H
#define INVBENCH_HARNESS_TEXT_H

#include <invbench/base.h>

struct ib_text {
    char *data; /* NUL-terminated once anything was added; owned */
    size_t size, capacity;
    bool failed;
};

void ib_text_free(struct ib_text *t);
void ib_text_clear(struct ib_text *t); /* keeps the memory */
void ib_text_add(struct ib_text *t, const char *format, ...) IB_PRINTF(2, 3);
void ib_text_put(struct ib_text *t, const char *bytes, size_t n);
const char *ib_text_string(const struct ib_text *t); /* never NULL */
/* IB_E_NOMEM when anything that was added got lost. */
IB_CHECK enum ib_status ib_text_status(const struct ib_text *t,
                                       struct ib_error *err);
/* The item of list (NULL-terminated) nearest to word by edit distance, or
 * NULL when none is near enough to suggest. */
const char *ib_text_nearest(const char *word, const char *const *list);
/* Adds ` (did you mean "x"?); there are: a, b, c` for an unknown word. */
void ib_text_suggest(struct ib_text *t, const char *word,
                     const char *const *list);

#endif
