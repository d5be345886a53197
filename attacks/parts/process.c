/*
 * Non-local means and sharpening. An offset of the search window serves both
 * pixels that it joins: half of the offsets are visited.
 */
#include <invbench/parts/process.h>

#include <assert.h>
#include <string.h>

#include <invbench/math.h>

static int at_most(int v, int limit)
{
    return v < limit ? v : limit;
}

static int inside(int v, int n)
{
    return v < 0 ? 0 : at_most(v, n - 1);
}

/* One plane with a margin of m pixels around it. */
struct plane {
    int h, w, m;
    int stride;    /* w + 2 m */
    float *padded; /* (h + 2 m) x stride */
    float *square; /* as padded: squared differences, then their row sums */
    float *weight; /* w: one row of weights */
    float *norm;   /* h x w: sums of weights */
};

size_t ib_nlmeans_work(struct ib_shape s, const struct ib_nlmeans *p)
{
    size_t m = 2 * (size_t)p->patch, padded, plane, all;

    if (!ib_size_mul((size_t)s.h + m, (size_t)s.w + m, &padded) ||
        !ib_size_mul((size_t)s.h + 1, (size_t)s.w, &plane) ||
        !ib_size_mul(padded, 2, &padded) || !ib_size_add(padded, plane, &all))
        return 0;
    return all;
}

static void plane_pad(struct plane *p, const float *x)
{
    for (int r = 0; r < p->h + 2 * p->m; r++) {
        const float *from = x + (size_t)inside(r - p->m, p->h) * (size_t)p->w;
        float *to = p->padded + (size_t)r * (size_t)p->stride;

        for (int c = 0; c < p->stride; c++)
            to[c] = from[inside(c - p->m, p->w)];
    }
}

/* The pixels p of the plane for which p + (dy, dx) is in the plane too. */
struct range {
    int top, bottom, left, right; /* bottom and right are one past */
};

static struct range range_of(const struct plane *p, int dy, int dx)
{
    return (struct range){
        .top = dy < 0 ? -dy : 0,
        .bottom = dy > 0 ? p->h - dy : p->h,
        .left = dx < 0 ? -dx : 0,
        .right = dx > 0 ? p->w - dx : p->w,
    };
}

/* square[r][c] = sum over the patch's columns of squared differences, for the
 * rows r of the range and of the margin above and below it (padded rows). */
static void row_sums(struct plane *p, struct range q, int dy, int dx)
{
    for (int r = q.top; r < q.bottom + 2 * p->m; r++) {
        const float *a = p->padded + (size_t)r * (size_t)p->stride;
        const float *b = a + (ptrdiff_t)dy * p->stride + dx;
        float *out = p->square + (size_t)r * (size_t)p->stride;

        for (int c = q.left; c < q.right; c++)
            out[c] = 0;
        for (int k = 0; k <= 2 * p->m; k++)
            for (int c = q.left; c < q.right; c++) {
                float e = a[c + k] - b[c + k];

                out[c] += e * e;
            }
    }
}

/* weight[c] = exp(-mean squared difference of patches / h^2) for row r. */
static void row_weights(struct plane *p, struct range q, int r, float scale)
{
    size_t n = (size_t)(q.right - q.left);
    float *weight = p->weight + q.left;

    memset(weight, 0, n * sizeof(*weight));
    for (int k = 0; k <= 2 * p->m; k++) {
        const float *sums =
            p->square + (size_t)(r + k) * (size_t)p->stride + q.left;

        for (size_t c = 0; c < n; c++)
            weight[c] += sums[c];
    }
    for (size_t c = 0; c < n; c++)
        weight[c] *= scale;
    ib_vexp(n, weight, weight);
}

static void offset_add(struct plane *p, const float *x, float *y,
                       const int offset[2], float scale)
{
    int dy = offset[0], dx = offset[1];
    struct range q = range_of(p, dy, dx);

    if (q.top >= q.bottom || q.left >= q.right)
        return;
    row_sums(p, q, dy, dx);
    for (int r = q.top; r < q.bottom; r++) {
        size_t a = (size_t)r * (size_t)p->w;
        size_t b = (size_t)(r + dy) * (size_t)p->w;

        row_weights(p, q, r, scale);
        for (int c = q.left; c < q.right; c++) {
            size_t i = a + (size_t)c, j = b + (size_t)(c + dx);
            float w = p->weight[c];

            y[i] += w * x[j];
            p->norm[i] += w;
        }
        for (int c = q.left; c < q.right; c++) {
            size_t i = a + (size_t)c, j = b + (size_t)(c + dx);
            float w = p->weight[c];

            y[j] += w * x[i];
            p->norm[j] += w;
        }
    }
}

static void plane_denoise(struct plane *p, float *y, const float *x,
                          const struct ib_nlmeans *o)
{
    size_t n = (size_t)p->h * (size_t)p->w;
    double side = 2 * o->patch + 1;
    float scale = (float)(-1 / (o->h * o->h * side * side));

    plane_pad(p, x);
    memcpy(y, x, n * sizeof(*y));
    for (size_t i = 0; i < n; i++)
        p->norm[i] = 1;
    for (int dy = 0; dy <= o->search; dy++)
        for (int dx = dy == 0 ? 1 : -o->search; dx <= o->search; dx++)
            offset_add(p, x, y, (int[2]){dy, dx}, scale);
    for (size_t i = 0; i < n; i++)
        y[i] /= p->norm[i];
}

void ib_nlmeans_apply(float *y, const float *x, struct ib_shape s,
                      const struct ib_nlmeans *p, float *work)
{
    struct plane plane = {.h = s.h, .w = s.w, .m = p->patch};
    size_t d = (size_t)s.h * (size_t)s.w, padded;

    assert(p->patch >= 0 && p->search >= 0 && p->h > 0);
    plane.stride = s.w + 2 * p->patch;
    padded = (size_t)(s.h + 2 * p->patch) * (size_t)plane.stride;
    plane.padded = work;
    plane.square = plane.padded + padded;
    plane.weight = plane.square + padded;
    plane.norm = plane.weight + s.w;
    for (int c = 0; c < s.c; c++)
        plane_denoise(&plane, y + (size_t)c * d, x + (size_t)c * d, p);
}

static float mean_of_nine(const float *x, int h, int w, int r, int c)
{
    float sum = 0;

    for (int i = -1; i <= 1; i++)
        for (int j = -1; j <= 1; j++)
            sum += x[inside(r + i, h) * w + inside(c + j, w)];
    return sum / 9;
}

void ib_sharpen(float *y, const float *x, struct ib_shape s, double amount)
{
    for (int p = 0; p < s.c * s.h; p++) {
        int channel = p / s.h, r = p % s.h;
        const float *plane = x + (size_t)channel * (size_t)(s.h * s.w);
        size_t row = (size_t)p * (size_t)s.w;

        for (int c = 0; c < s.w; c++) {
            float v = x[row + (size_t)c];

            v += (float)amount * (v - mean_of_nine(plane, s.h, s.w, r, c));
            v = v > 0 ? v : 0;
            y[row + (size_t)c] = v < 1 ? v : 1;
        }
    }
}
