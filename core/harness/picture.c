#include "picture_io.h"

#include <stdlib.h>
#include <string.h>

#include "json.h"

enum { FILE_MAX = 256 << 20 };

enum ib_status ib_picture_alloc(struct ib_picture *p, int c, uint64_t w,
                                uint64_t h, struct ib_error *err)
{
    if (w < 1 || h < 1 || w > IB_PICTURE_SIDE_MAX || h > IB_PICTURE_SIDE_MAX ||
        w * h > IB_PICTURE_PIXELS_MAX)
        return ib_error_set(err, IB_E_DATA,
                            "%llu x %llu pixels; 1 to %d a side and %d in all "
                            "are allowed",
                            (unsigned long long)w, (unsigned long long)h,
                            IB_PICTURE_SIDE_MAX, IB_PICTURE_PIXELS_MAX);
    p->shape = (struct ib_shape){c, (int)h, (int)w};
    p->pixels = malloc(ib_shape_size(p->shape));
    if (p->pixels == NULL)
        return ib_error_set(err, IB_E_NOMEM, "no memory for %zu bytes",
                            ib_shape_size(p->shape));
    return IB_OK;
}

static enum ib_status decode(const uint8_t *data, size_t n,
                             struct ib_picture *out, struct ib_error *err)
{
    static const uint8_t png[] = {0x89, 'P', 'N', 'G'};
    if (n >= sizeof png && memcmp(data, png, sizeof png) == 0)
        return ib_picture_decode_png(data, n, out, err);
    if (n >= 2 && data[0] == 'P' && strchr("2356", data[1]) != NULL &&
        data[1] != 0)
        return ib_picture_decode_pnm(data, n, out, err);
    return ib_error_set(err, IB_E_DATA,
                        "not a picture that can be read: PGM (P2, P5), PPM "
                        "(P3, P6) and PNG are");
}

enum ib_status ib_picture_read(const char *path, struct ib_picture *out,
                               struct ib_error *err)
{
    struct ib_text file = {0};
    struct ib_picture p = {0};
    enum ib_status s = ib_file_read(path, FILE_MAX, &file, err);
    if (s == IB_OK) {
        s = decode((const uint8_t *)ib_text_string(&file), file.size, &p, err);
        if (s != IB_OK)
            ib_error_prefix(err, "%s", path);
    }
    ib_text_free(&file);
    if (s != IB_OK) {
        ib_picture_free(&p);
        return s;
    }
    *out = p;
    return IB_OK;
}

void ib_picture_free(struct ib_picture *p)
{
    if (p == NULL)
        return;
    free(p->pixels);
    *p = (struct ib_picture){0};
}
