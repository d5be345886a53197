/*
 * Status codes, error texts, shapes: what every other header leans on.
 *
 * House rules that hold for the whole API unless a comment says otherwise:
 *  - A function that can fail returns enum ib_status and takes, last, a
 *    struct ib_error that it fills on failure only.
 *  - Who creates, frees; every free function accepts NULL.
 *  - Images are planar (channel, row, column), float in [0, 1] or uint8.
 *  - Letters in kernels: N rows of a batch, C channels, H rows, W columns,
 *    K classes, D = C*H*W.
 */
#ifndef INVBENCH_BASE_H
#define INVBENCH_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IB_CHECK              __attribute__((warn_unused_result))
#define IB_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))
#define IB_COUNT(array)       (sizeof(array) / sizeof((array)[0]))

/* What the engine computes in. Double only in the build that checks gradients
 * by finite differences (-DIB_DOUBLE): results are always float's. */
#ifdef IB_DOUBLE
typedef double ib_real;
#define ib_fma  __builtin_fma
#define ib_sqrt __builtin_sqrt
#else
typedef float ib_real;
#define ib_fma  __builtin_fmaf
#define ib_sqrt __builtin_sqrtf
#endif

enum { IB_NAME_MAX = 64, IB_TEXT_MAX = 256, IB_ERROR_MAX = 1024 };

enum ib_status {
    IB_OK = 0,
    IB_E_USAGE,    /* what was asked for cannot be: suite, option, name */
    IB_E_DATA,     /* the content of a file is not what its format allows */
    IB_E_IO,       /* the system refused: open, read, write, rename, fork */
    IB_E_NOMEM,    /* no memory */
    IB_E_NUMERIC,  /* NaN or infinity where a number is needed */
    IB_E_DENIED,   /* the oracle does not grant this */
    IB_E_BUDGET,   /* the oracle's budget is spent */
    IB_E_INTERNAL, /* a defect of invbench or of a plugin */
};

/* Text is one or more full clauses for a human: file, place, value, what is
 * allowed. No trailing full stop, no newline. */
struct ib_error {
    enum ib_status status;
    char text[IB_ERROR_MAX];
};

/* Fills e (which may be NULL) and returns s, so that callers can write
 * `return ib_error_set(err, IB_E_DATA, ...)`. */
enum ib_status ib_error_set(struct ib_error *e, enum ib_status s,
                            const char *format, ...) IB_PRINTF(3, 4);
/* Puts "<formatted>: " before the text that is there; returns e's status. */
enum ib_status ib_error_prefix(struct ib_error *e, const char *format, ...)
    IB_PRINTF(2, 3);
/* "usage", "data", "io", ... for machines. */
const char *ib_status_name(enum ib_status s);

/* Overflow-checked size arithmetic: false, and *out untouched, on overflow. */
IB_CHECK bool ib_size_mul(size_t a, size_t b, size_t *out);
IB_CHECK bool ib_size_add(size_t a, size_t b, size_t *out);

/* One image or one row of features: channels, rows, columns (flat: d,1,1). */
struct ib_shape {
    int c, h, w;
};

static inline size_t ib_shape_size(struct ib_shape s)
{
    return (size_t)s.c * (size_t)s.h * (size_t)s.w;
}

static inline bool ib_shape_equal(struct ib_shape a, struct ib_shape b)
{
    return a.c == b.c && a.h == b.h && a.w == b.w;
}

/* A bump allocator that lives as long as one attack, metric or training.
 * Memory is 64-byte aligned and zeroed; nothing is given back before the
 * owner frees the whole. NULL when the limit is reached. */
struct ib_scratch;
IB_CHECK struct ib_scratch *ib_scratch_create(size_t limit);
void ib_scratch_free(struct ib_scratch *s);
IB_CHECK void *ib_scratch_take(struct ib_scratch *s, size_t count, size_t size);
/* A mark to return to: all that was taken after it is released. */
size_t ib_scratch_mark(const struct ib_scratch *s);
void ib_scratch_reset(struct ib_scratch *s, size_t mark);

#endif
