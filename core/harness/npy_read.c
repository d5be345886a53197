/* Reading NumPy array files of unsigned bytes, in C order. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "recon_io.h"

enum { PREFIX = 10 };
#define NPY_MAX ((size_t)1 << 31)

static enum ib_status bad(struct ib_error *err, const char *path,
                          const char *what)
{
    return ib_error_set(err, IB_E_DATA,
                        "%s: %s (an NPY file, version 1.0, of uint8 in C "
                        "order is wanted)",
                        path, what);
}

/* What follows 'key': in the header. */
static const char *member(const char *header, const char *key)
{
    char quoted[32];
    const char *at;

    snprintf(quoted, sizeof quoted, "'%s':", key);
    at = strstr(header, quoted);
    if (!at)
        return "";
    at += strlen(quoted);
    return at + strspn(at, " ");
}

/* "(2, 3)" or "(5,)". */
static bool read_shape(const char *at, struct ib_npy *out)
{
    size_t n = 1;

    if (*at++ != '(')
        return false;
    while (out->dims < IB_NPY_DIMS) {
        char *end;
        unsigned long long x = strtoull(at, &end, 10);
        if (end == at || x > NPY_MAX)
            break;
        out->size[out->dims++] = (size_t)x;
        if (!ib_size_mul(n, (size_t)x, &n) || n > NPY_MAX)
            return false;
        at = end + strspn(end, ", ");
    }
    out->bytes = n;
    return out->dims > 0 && *at == ')';
}

static enum ib_status read_header(const char *path, const struct ib_text *t,
                                  struct ib_npy *out, struct ib_error *err)
{
    char header[1024];
    size_t n;

    if (t->size < PREFIX || memcmp(t->data, "\x93NUMPY\x01\x00", 8) != 0)
        return bad(err, path, "no such header");
    n = (size_t)(uint8_t)t->data[8] | (size_t)(uint8_t)t->data[9] << 8;
    if (n >= sizeof header || t->size < PREFIX + n)
        return bad(err, path, "the header's length is wrong");
    memcpy(header, t->data + PREFIX, n);
    header[n] = '\0';
    if (strncmp(member(header, "descr"), "'|u1'", 5) != 0)
        return bad(err, path, "the values are not unsigned bytes");
    if (strncmp(member(header, "fortran_order"), "False", 5) != 0)
        return bad(err, path, "the order is Fortran's");
    if (!read_shape(member(header, "shape"), out))
        return bad(err, path, "the shape cannot be read");
    if (out->bytes != t->size - PREFIX - n)
        return bad(err, path, "shape and length do not fit together");
    out->data = (const uint8_t *)t->data + PREFIX + n;
    return IB_OK;
}

enum ib_status ib_npy_read(const char *path, struct ib_npy *out,
                           struct ib_error *err)
{
    enum ib_status s;

    *out = (struct ib_npy){0};
    s = ib_file_read(path, NPY_MAX, &out->file, err);
    if (!s)
        s = read_header(path, &out->file, out, err);
    if (s)
        ib_npy_free(out);
    return s;
}

void ib_npy_free(struct ib_npy *a)
{
    ib_text_free(&a->file);
    *a = (struct ib_npy){0};
}
