#include <invbench/parts/resize.h>

#include <string.h>

void ib_picture_grey(struct ib_picture *p)
{
    size_t n = (size_t)p->shape.h * (size_t)p->shape.w;
    if (p->shape.c == 1)
        return;
    for (size_t i = 0; i < n; i++)
        p->pixels[i] = (uint8_t)((77u * p->pixels[i] + 150u * p->pixels[n + i] +
                                  29u * p->pixels[2 * n + i] + 128u) >>
                                 8);
    p->shape.c = 1;
}

/* How much of source pixel i lies in from..to. */
static double overlap(int i, double from, double to)
{
    double low = i > from ? i : from, high = i + 1 < to ? i + 1 : to;
    return high - low;
}

/* Mean of the n source pixels over from..to. */
static double mean_over(const uint8_t *in, int n, double from, double to)
{
    double sum = 0;
    for (int i = (int)from; i < n && i < to; i++)
        sum += overlap(i, from, to) * in[i];
    return sum / (to - from);
}

static void resize_plane(const uint8_t *in, int h, int w, struct ib_shape s,
                         double *row, uint8_t *out)
{
    double sy = (double)h / s.h, sx = (double)w / s.w;
    for (int y = 0; y < s.h; y++) {
        double top = y * sy, bottom = (y + 1) * sy;
        memset(row, 0, (size_t)s.w * sizeof *row);
        for (int i = (int)top; i < h && i < bottom; i++)
            for (int x = 0; x < s.w; x++)
                row[x] += overlap(i, top, bottom) *
                          mean_over(in + (size_t)i * (size_t)w, w, x * sx,
                                    (x + 1) * sx);
        for (int x = 0; x < s.w; x++)
            *out++ = (uint8_t)(row[x] / (bottom - top) + 0.5);
    }
}

void ib_picture_resize(const struct ib_picture *p, struct ib_shape s,
                       double *row, uint8_t *out)
{
    size_t from = (size_t)p->shape.h * (size_t)p->shape.w;
    size_t to = (size_t)s.h * (size_t)s.w;
    for (size_t c = 0; c < (size_t)p->shape.c; c++)
        resize_plane(p->pixels + c * from, p->shape.h, p->shape.w, s, row,
                     out + c * to);
}
