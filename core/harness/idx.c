#include <invbench/images.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static const size_t total_max = (size_t)1 << 32;
static const size_t first_capacity = (size_t)1 << 20;

static enum ib_status short_file(gzFile file, const char *path, size_t have,
                                 size_t want, struct ib_error *err)
{
    int code = Z_OK;
    const char *why = gzerror(file, &code);
    if (code == Z_ERRNO)
        return ib_error_set(err, IB_E_IO, "%s: %s", path, strerror(errno));
    if (code != Z_OK && code != Z_BUF_ERROR && code != Z_STREAM_END)
        return ib_error_set(err, IB_E_DATA, "%s: damaged gzip data: %s", path,
                            why);
    return ib_error_set(err, IB_E_DATA,
                        "%s: cut short: %zu bytes where %zu are needed", path,
                        have, want);
}

static size_t big_endian(const uint8_t b[4])
{
    return (size_t)b[0] << 24 | (size_t)b[1] << 16 | (size_t)b[2] << 8 | b[3];
}

static enum ib_status read_header(gzFile file, const char *path,
                                  struct ib_idx *x, size_t *total,
                                  struct ib_error *err)
{
    uint8_t b[4];
    int n = gzread(file, b, 4);
    if (n != 4)
        return short_file(file, path, n < 0 ? 0 : (size_t)n, 4, err);
    if (b[0] != 0 || b[1] != 0)
        return ib_error_set(err, IB_E_DATA,
                            "%s: not an IDX file: it starts with %02x %02x, "
                            "not with 00 00",
                            path, b[0], b[1]);
    if (b[2] != 8)
        return ib_error_set(err, IB_E_DATA,
                            "%s: IDX element type 0x%02x; only 0x08 (unsigned "
                            "bytes) is read",
                            path, b[2]);
    if (b[3] < 1 || b[3] > 3)
        return ib_error_set(err, IB_E_DATA,
                            "%s: %d IDX dimensions; 1 to 3 are read", path,
                            b[3]);
    x->dims = b[3];
    *total = 1;
    for (int i = 0; i < x->dims; i++) {
        n = gzread(file, b, 4);
        if (n != 4)
            return short_file(file, path, 4 + 4 * (size_t)i,
                              4 + 4 * (size_t)x->dims, err);
        x->size[i] = big_endian(b);
        if (!ib_size_mul(*total, x->size[i], total) || *total > total_max)
            return ib_error_set(err, IB_E_DATA,
                                "%s: IDX dimension %d of %zu makes more than "
                                "%zu bytes",
                                path, i, x->size[i], total_max);
    }
    if (*total == 0)
        return ib_error_set(err, IB_E_DATA, "%s: the IDX file holds no items",
                            path);
    return IB_OK;
}

static enum ib_status read_body(gzFile file, const char *path, struct ib_idx *x,
                                size_t total, struct ib_error *err)
{
    size_t have = 0, capacity = 0;
    while (have < total) {
        if (have == capacity) {
            size_t more = capacity == 0 ? first_capacity : 2 * capacity;
            more = more < total ? more : total;
            uint8_t *data = realloc(x->data, more);
            if (data == NULL)
                return ib_error_set(err, IB_E_NOMEM,
                                    "%s: no memory for %zu bytes", path, more);
            x->data = data;
            capacity = more;
        }
        size_t want = capacity - have;
        want = want < first_capacity ? want : first_capacity;
        int n = gzread(file, x->data + have, (unsigned)want);
        if (n <= 0)
            return short_file(file, path, have, total, err);
        have += (size_t)n;
    }
    uint8_t extra;
    int n = gzread(file, &extra, 1);
    if (n > 0)
        return ib_error_set(err, IB_E_DATA,
                            "%s: bytes follow the %zu that the IDX header "
                            "announces",
                            path, total);
    int code = Z_OK;
    gzerror(file, &code);
    /* The end also checks the gzip checksum and length. */
    if (n < 0 || (code != Z_OK && code != Z_STREAM_END))
        return short_file(file, path, have, total + 1, err);
    return IB_OK;
}

enum ib_status ib_idx_read(const char *path, struct ib_idx *out,
                           struct ib_error *err)
{
    struct ib_idx x = {0};
    size_t total = 0;
    gzFile file = gzopen(path, "rb");
    if (file == NULL)
        return ib_error_set(err, IB_E_IO, "%s: %s", path,
                            errno != 0 ? strerror(errno) : "no memory");
    enum ib_status s = read_header(file, path, &x, &total, err);
    if (s == IB_OK)
        s = read_body(file, path, &x, total, err);
    gzclose(file);
    if (s != IB_OK) {
        ib_idx_free(&x);
        return s;
    }
    *out = x;
    return IB_OK;
}

void ib_idx_free(struct ib_idx *x)
{
    if (x == NULL)
        return;
    free(x->data);
    *x = (struct ib_idx){0};
}
