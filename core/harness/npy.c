/* NumPy's array file, version 1.0, for unsigned bytes. */
#include <stdlib.h>
#include <string.h>

#include "recon_io.h"

enum { NPY_PREFIX = 10, NPY_ALIGN = 64 };

static void npy_header(struct ib_text *t, int dims, const size_t *size)
{
    size_t n;

    ib_text_put(t, "\x93NUMPY\x01\x00\x00\x00", NPY_PREFIX);
    ib_text_add(t, "{'descr': '|u1', 'fortran_order': False, 'shape': (");
    for (int i = 0; i < dims; i++)
        ib_text_add(t, "%zu%s", size[i],
                    dims == 1      ? ","
                    : i + 1 < dims ? ", "
                                   : "");
    ib_text_add(t, "), }");
    while ((t->size + 1) % NPY_ALIGN != 0 && !t->failed)
        ib_text_put(t, " ", 1);
    ib_text_put(t, "\n", 1);
    if (t->failed)
        return;
    n = t->size - NPY_PREFIX;
    t->data[8] = (char)(n & 0xff);
    t->data[9] = (char)(n >> 8);
}

enum ib_status ib_npy_write(const char *path, int dims, const size_t *size,
                            const uint8_t *data, struct ib_error *err)
{
    struct ib_text t = {0};
    enum ib_status status;
    size_t n = 1;

    for (int i = 0; i < dims; i++)
        if (!ib_size_mul(n, size[i], &n))
            return ib_error_set(err, IB_E_INTERNAL,
                                "%s: the array's size overflows", path);
    npy_header(&t, dims, size);
    ib_text_put(&t, (const char *)data, n);
    status = ib_text_status(&t, err);
    if (!status)
        status = ib_file_write(path, t.data, t.size, err);
    ib_text_free(&t);
    return status;
}
