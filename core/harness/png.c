/*
 * Writing PNG through libpng, in memory first and then as a whole file, so
 * that a full disk never leaves half a picture. No time stamp, fixed settings:
 * equal pixels give equal bytes with one version of zlib.
 */
#include "report.h"

#include <png.h>
#include <stdlib.h>

#include "json.h"

struct sink {
    struct ib_text file;
    png_structp png;
    png_infop info;
    png_bytep row; /* one interleaved row */
};

static void fail(png_structp png, png_const_charp text)
{
    (void)text;
    png_longjmp(png, 1);
}

static void store(png_structp png, png_bytep data, png_size_t n)
{
    struct sink *s = png_get_io_ptr(png);
    ib_text_put(&s->file, (const char *)data, n);
}

static void flush(png_structp png)
{
    (void)png;
}

static void interleave(struct ib_shape shape, const uint8_t *pixels, int y,
                       uint8_t *row)
{
    size_t w = (size_t)shape.w, plane = (size_t)shape.h * w;
    for (size_t x = 0; x < w; x++)
        for (size_t c = 0; c < (size_t)shape.c; c++)
            *row++ = pixels[c * plane + (size_t)y * w + x];
}

/* libpng leaves by longjmp: nothing here needs freeing. */
static bool encode(struct sink *s, struct ib_shape shape, const uint8_t *pixels)
{
    if (setjmp(png_jmpbuf(s->png)))
        return false;
    png_set_write_fn(s->png, s, store, flush);
    png_set_compression_level(s->png, 9);
    png_set_IHDR(s->png, s->info, (png_uint_32)shape.w, (png_uint_32)shape.h, 8,
                 shape.c == 3 ? PNG_COLOR_TYPE_RGB : PNG_COLOR_TYPE_GRAY,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    png_write_info(s->png, s->info);
    for (int y = 0; y < shape.h; y++) {
        interleave(shape, pixels, y, s->row);
        png_write_row(s->png, s->row);
    }
    png_write_end(s->png, s->info);
    return true;
}

enum ib_status ib_png_write(const char *path, struct ib_shape shape,
                            const uint8_t *pixels, struct ib_error *err)
{
    struct sink s = {0};
    enum ib_status st = IB_OK;
    if ((shape.c != 1 && shape.c != 3) || shape.h < 1 || shape.w < 1)
        return ib_error_set(err, IB_E_INTERNAL,
                            "%s: a PNG of %d x %d x %d; 1 or 3 channels are "
                            "written",
                            path, shape.c, shape.h, shape.w);
    s.row = malloc((size_t)shape.w * (size_t)shape.c);
    s.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &s, fail, NULL);
    if (s.png != NULL)
        s.info = png_create_info_struct(s.png);
    if (s.row == NULL || s.info == NULL || !encode(&s, shape, pixels))
        st = ib_error_set(err, IB_E_NOMEM, "%s: no memory for a PNG", path);
    if (st == IB_OK)
        st = ib_text_status(&s.file, err);
    if (st == IB_OK)
        st = ib_file_write(path, s.file.data, s.file.size, err);
    if (s.png != NULL)
        png_destroy_write_struct(&s.png, &s.info);
    free(s.row);
    ib_text_free(&s.file);
    return st;
}
