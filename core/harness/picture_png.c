/*
 * PNG through libpng. libpng reports by longjmp: every function that it may
 * leave that way keeps what must be freed in a struct outside of it.
 */
#include "picture_io.h"

#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct source {
    const uint8_t *at, *end;
    char text[160]; /* libpng's last complaint */
    png_structp png;
    png_infop info;
    png_bytepp rows;
    uint8_t *samples; /* interleaved, as libpng gives them */
};

static void fail(png_structp png, png_const_charp text)
{
    struct source *s = png_get_error_ptr(png);
    snprintf(s->text, sizeof s->text, "%s", text);
    png_longjmp(png, 1);
}

static void warn(png_structp png, png_const_charp text)
{
    (void)png;
    (void)text;
}

static void feed(png_structp png, png_bytep out, png_size_t n)
{
    struct source *s = png_get_io_ptr(png);
    if (n > (size_t)(s->end - s->at))
        png_error(png, "cut short");
    memcpy(out, s->at, n);
    s->at += n;
}

static enum ib_status complain(const struct source *s, struct ib_error *err)
{
    return ib_error_set(err, IB_E_DATA, "damaged PNG: %s", s->text);
}

static enum ib_status read_header(struct source *s, int *c, uint32_t *w,
                                  uint32_t *h, struct ib_error *err)
{
    if (setjmp(png_jmpbuf(s->png)))
        return complain(s, err);
    png_read_info(s->png, s->info);
    int type = png_get_color_type(s->png, s->info);
    if ((type & PNG_COLOR_MASK_ALPHA) != 0 ||
        png_get_valid(s->png, s->info, PNG_INFO_tRNS) != 0)
        return ib_error_set(err, IB_E_DATA,
                            "the PNG has an alpha channel; grey and RGB are "
                            "allowed");
    *c = (type & PNG_COLOR_MASK_COLOR) != 0 ? 3 : 1;
    *w = png_get_image_width(s->png, s->info);
    *h = png_get_image_height(s->png, s->info);
    return IB_OK;
}

static enum ib_status read_samples(struct source *s, size_t stride,
                                   struct ib_error *err)
{
    if (setjmp(png_jmpbuf(s->png)))
        return complain(s, err);
    png_set_expand(s->png);
    png_set_scale_16(s->png);
    png_set_interlace_handling(s->png);
    png_read_update_info(s->png, s->info);
    if (png_get_rowbytes(s->png, s->info) != stride)
        return ib_error_set(err, IB_E_INTERNAL,
                            "libpng gives rows of an unexpected size");
    png_read_image(s->png, s->rows);
    png_read_end(s->png, NULL);
    return IB_OK;
}

static enum ib_status take_rows(struct source *s, struct ib_shape shape,
                                struct ib_error *err)
{
    size_t stride = (size_t)shape.w * (size_t)shape.c;
    s->samples = malloc(ib_shape_size(shape));
    s->rows = malloc((size_t)shape.h * sizeof *s->rows);
    if (s->samples == NULL || s->rows == NULL)
        return ib_error_set(err, IB_E_NOMEM, "no memory for %zu bytes",
                            ib_shape_size(shape));
    for (size_t y = 0; y < (size_t)shape.h; y++)
        s->rows[y] = s->samples + y * stride;
    return read_samples(s, stride, err);
}

static void make_planar(const uint8_t *samples, struct ib_picture *p)
{
    size_t c = (size_t)p->shape.c;
    size_t plane = (size_t)p->shape.h * (size_t)p->shape.w;
    for (size_t i = 0; i < c * plane; i++)
        p->pixels[i % c * plane + i / c] = samples[i];
}

static enum ib_status read_all(struct source *s, size_t n,
                               struct ib_picture *out, struct ib_error *err)
{
    int c = 0;
    uint32_t w = 0, h = 0;
    enum ib_status st = read_header(s, &c, &w, &h, err);
    /* Deflate makes at most 1032 bytes of one: a header that claims more than
     * the file can hold is refused before memory is taken for it. */
    if (st == IB_OK && (uint64_t)w * h / 8 > (uint64_t)n * 1040)
        st = ib_error_set(err, IB_E_DATA,
                          "damaged PNG: %zu bytes cannot hold %u x %u pixels",
                          n, w, h);
    if (st == IB_OK)
        st = ib_picture_alloc(out, c, w, h, err);
    if (st == IB_OK)
        st = take_rows(s, out->shape, err);
    if (st == IB_OK)
        make_planar(s->samples, out);
    return st;
}

enum ib_status ib_picture_decode_png(const uint8_t *data, size_t n,
                                     struct ib_picture *out,
                                     struct ib_error *err)
{
    struct source s = {.at = data, .end = data + n};
    enum ib_status st = IB_E_NOMEM;
    s.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &s, fail, warn);
    if (s.png != NULL)
        s.info = png_create_info_struct(s.png);
    if (s.info != NULL) {
        png_set_read_fn(s.png, &s, feed);
        st = read_all(&s, n, out, err);
    } else {
        ib_error_set(err, st, "no memory for libpng");
    }
    free(s.rows);
    free(s.samples);
    if (s.png != NULL)
        png_destroy_read_struct(&s.png, &s.info, NULL);
    return st;
}
