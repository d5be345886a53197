/*
 * Measures of dependence between two sets of features: HSIC, its normalised
 * form, and COCO.
 *
 * Letters: K, L the kernel matrices of the two sides (n x n, double); ~ means
 * centred on both sides, K~ = H K H. Each measure gives the derivative G by K~;
 * that by K is H G H, and from there features take over.
 */
#include <invbench/losses.h>
#include <invbench/math.h>
#include <math.h>
#include <string.h>

enum { BLOCK = 256, MATRICES = 7, POWER_STEPS = 2000 };

struct side {
    const struct ib_features *f;
    double *kernel, *centred;
    double width; /* 2 sigma^2 */
};

struct work {
    size_t n;
    struct side x, y;
    double *a, *b, *c; /* n x n each; lists and vectors take them in turn */
    ib_real *mix;      /* n x n */
    ib_real *columns;  /* n x BLOCK */
};

size_t ib_dependence_bytes(size_t n)
{
    return n * n * (MATRICES * sizeof(double) + sizeof(ib_real)) +
           n * BLOCK * sizeof(ib_real);
}

/* --- matrices ------------------------------------------------------------ */

/* c = a b, all n x n; c is none of them. */
static void multiply(size_t n, const double *restrict a,
                     const double *restrict b, double *restrict c)
{
    memset(c, 0, n * n * sizeof *c);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < n; k++) {
            double f = a[i * n + k];
            for (size_t j = 0; j < n; j++)
                c[i * n + j] = __builtin_fma(f, b[k * n + j], c[i * n + j]);
        }
}

static double product(size_t count, const double *a, const double *b)
{
    double s[4] = {0};
    size_t i = 0;
    for (; i + 4 <= count; i += 4)
        for (size_t j = 0; j < 4; j++)
            s[j] = __builtin_fma(a[i + j], b[i + j], s[j]);
    for (; i < count; i++)
        s[0] = __builtin_fma(a[i], b[i], s[0]);
    return (s[0] + s[1]) + (s[2] + s[3]);
}

/* In place, of a symmetric positive definite matrix: Gauss-Jordan, which needs
 * no pivots there. */
static void invert(size_t n, double *restrict a)
{
    for (size_t k = 0; k < n; k++) {
        double *restrict row = a + k * n, p = 1 / row[k];
        row[k] = 1;
        for (size_t j = 0; j < n; j++)
            row[j] *= p;
        for (size_t i = 0; i < n; i++) {
            double *restrict other = a + i * n, f = other[k];
            if (i == k)
                continue;
            other[k] = 0;
            for (size_t j = 0; j < n; j++)
                other[j] = __builtin_fma(-f, row[j], other[j]);
        }
    }
}

/* to = H (m + m^T) H / 2; to may be m. mean: n numbers. */
static void centre(size_t n, const double *m, double *to, double *mean)
{
    double all = 0;
    for (size_t i = 0; i < n; i++) {
        double sum = 0;
        for (size_t j = 0; j < n; j++)
            sum += 0.5 * (m[i * n + j] + m[j * n + i]);
        mean[i] = sum / (double)n;
        all += mean[i] / (double)n;
    }
    for (size_t i = 0; i < n; i++)
        for (size_t j = i; j < n; j++) {
            double v = 0.5 * (m[i * n + j] + m[j * n + i]);
            to[i * n + j] = to[j * n + i] = v - mean[i] - mean[j] + all;
        }
}

/* --- kernels ------------------------------------------------------------- */

/* |a - b|^2, or <a, b>, of m columns. Sums are double: what they are rounded by
 * looks like a full rank to the normalised measure. */
static double pair_term(size_t m, const ib_real *a, const ib_real *b,
                        bool linear)
{
    double s[8] = {0};
    size_t i = 0;
    if (linear)
        return ib_dot(m, a, b);
    for (; i + 8 <= m; i += 8)
        for (size_t j = 0; j < 8; j++) {
            double gap = (double)(a[i + j] - b[i + j]);
            s[j] = __builtin_fma(gap, gap, s[j]);
        }
    for (; i < m; i++) {
        double gap = (double)(a[i] - b[i]);
        s[0] = __builtin_fma(gap, gap, s[0]);
    }
    return ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]));
}

/* to: squared distances, or inner products. Columns go by blocks, so that the
 * rows of a block stay in cache. */
static void all_pairs(size_t n, const struct ib_features *f, double *to)
{
    bool linear = f->kernel == IB_LINEAR_KERNEL;
    memset(to, 0, n * n * sizeof *to);
    for (size_t from = 0; from < f->d; from += BLOCK) {
        size_t m = f->d - from < BLOCK ? f->d - from : BLOCK;
        for (size_t i = 0; i < n; i++)
            for (size_t j = linear ? i : i + 1; j < n; j++)
                to[i * n + j] += pair_term(m, f->x + i * f->d + from,
                                           f->x + j * f->d + from, linear);
    }
    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; j < n; j++)
            to[j * n + i] = to[i * n + j];
}

static void swap(double *a, double *b)
{
    double t = *a;
    *a = *b;
    *b = t;
}

/* The k-th smallest, 0 <= k < n (Hoare's selection); v is reordered. */
static double kth(size_t n, double *v, size_t k)
{
    size_t low = 0, high = n - 1;
    while (low < high) {
        double pivot = v[low + (high - low) / 2];
        size_t i = low, j = high;
        for (;;) {
            while (v[i] < pivot)
                i++;
            while (v[j] > pivot)
                j--;
            if (i >= j)
                break;
            swap(&v[i++], &v[j--]);
        }
        if (v[j] > pivot)
            j--;
        if (k <= j)
            high = j;
        else
            low = j + 1;
    }
    return v[low];
}

/* Of the distances above the diagonal of squared ones; of an even number of
 * distances, the mean of the middle two. */
static double middle_distance(size_t n, const double *square, double *list)
{
    size_t count = 0;
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; j < n; j++) {
            list[count] = sqrt(square[i * n + j]);
            sum += list[count++];
        }
    if (!isfinite(sum))
        return sum;
    double median =
        0.5 * (kth(count, list, (count - 1) / 2) + kth(count, list, count / 2));
    if (median <= 0)
        median = sum / (double)count;
    return median > 0 ? median : 1;
}

/* free: n x n numbers. */
static void make_kernel(size_t n, struct side *s, double *free)
{
    all_pairs(n, s->f, s->kernel);
    if (s->f->kernel == IB_GAUSSIAN_KERNEL) {
        double sigma =
            s->f->sigma > 0 ? s->f->sigma : middle_distance(n, s->kernel, free);
        s->width = 2 * sigma * sigma;
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j <= i; j++) {
                double k = ib_exp(-s->kernel[i * n + j] / s->width);
                s->kernel[i * n + j] = s->kernel[j * n + i] = k;
            }
    }
    centre(n, s->kernel, s->centred, free);
}

static struct work start(size_t n, const struct ib_features *x,
                         const struct ib_features *y, void *memory)
{
    double *m = memory;
    size_t size = n * n;
    struct work w = {.n = n,
                     .x = {x, m, m + size, 0},
                     .y = {y, m + 2 * size, m + 3 * size, 0},
                     .a = m + 4 * size,
                     .b = m + 5 * size,
                     .c = m + 6 * size,
                     .mix = (ib_real *)(m + MATRICES * size)};
    w.columns = w.mix + size;
    make_kernel(n, &w.x, w.a);
    make_kernel(n, &w.y, w.a);
    return w;
}

/* m = scale * (diag(row sums of the symmetric w) - w), as engine numbers. */
static void laplacian(size_t n, const double *w, double scale, ib_real *m)
{
    for (size_t i = 0; i < n; i++) {
        double sum = 0;
        for (size_t j = 0; j < n; j++) {
            sum += j == i ? 0 : w[i * n + j];
            m[i * n + j] = (ib_real)(-scale * w[i * n + j]);
        }
        m[i * n + i] = (ib_real)(scale * sum);
    }
}

/* m <= BLOCK columns of f from `from` on, each less its mean: rows of `mix` sum
 * to zero, and offsets must not drown what is left. */
static void load_columns(size_t n, const struct ib_features *f, size_t from,
                         size_t m, ib_real *to)
{
    double mean[BLOCK] = {0};
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < m; j++)
            mean[j] += (double)f->x[i * f->d + from + j];
    for (size_t j = 0; j < m; j++)
        mean[j] /= (double)n;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < m; j++)
            to[i * BLOCK + j] =
                (ib_real)((double)f->x[i * f->d + from + j] - mean[j]);
}

/* gradient = mix x */
static void mix_rows(const struct work *w, const struct ib_features *f)
{
    struct ib_gemm gemm = {.m = (int)w->n,
                           .k = (int)w->n,
                           .alpha = 1,
                           .lda = (int)w->n,
                           .ldb = BLOCK,
                           .ldc = (int)f->d};
    for (size_t from = 0; from < f->d; from += BLOCK) {
        size_t m = f->d - from < BLOCK ? f->d - from : BLOCK;
        load_columns(w->n, f, from, m, w->columns);
        gemm.n = (int)m;
        ib_sgemm(f->gradient + from, w->mix, w->columns, &gemm);
    }
}

/* gradient row a = 2 sum_b g_ab x_b, in double: the normalised measure's g is
 * large where x is not, and they must cancel. */
static void mix_linear(size_t n, const struct ib_features *f, const double *g)
{
    for (size_t a = 0; a < n; a++)
        for (size_t from = 0; from < f->d; from += BLOCK) {
            size_t m = f->d - from < BLOCK ? f->d - from : BLOCK;
            double sum[BLOCK] = {0};
            for (size_t b = 0; b < n; b++)
                for (size_t j = 0; j < m; j++)
                    sum[j] = __builtin_fma(2 * g[a * n + b],
                                           (double)f->x[b * f->d + from + j],
                                           sum[j]);
            for (size_t j = 0; j < m; j++)
                f->gradient[a * f->d + from + j] = (ib_real)sum[j];
        }
}

/* From g = d / dK~ to the features; g is used up. With G = H g H and W = G o K,
 * d / dx_a = -4 / width sum_b W_ab (x_a - x_b), or 2 sum_b G_ab x_b of a linear
 * kernel. */
static void to_features(const struct work *w, const struct side *s, double *g)
{
    size_t n = w->n;
    if (!s->f->gradient)
        return;
    centre(n, g, g, w->c);
    if (s->f->kernel == IB_LINEAR_KERNEL) {
        mix_linear(n, s->f, g);
        return;
    }
    for (size_t i = 0; i < n * n; i++)
        g[i] *= s->kernel[i];
    laplacian(n, g, -4 / s->width, w->mix);
    mix_rows(w, s->f);
}

/* --- measures ------------------------------------------------------------ */

double ib_loss_hsic(size_t n, const struct ib_features *x,
                    const struct ib_features *y, void *memory)
{
    struct work w = start(n, x, y, memory);
    size_t size = n * n;
    double scale = 1 / (((double)n - 1) * ((double)n - 1));
    for (size_t i = 0; i < size; i++) {
        w.a[i] = scale * w.y.centred[i];
        w.b[i] = scale * w.x.centred[i];
    }
    double value = product(size, w.x.centred, w.a);
    to_features(&w, &w.x, w.a);
    to_features(&w, &w.y, w.b);
    return value;
}

/* centred <- S = (K~ + c I)^-1, and r <- R = K~ S = I - c S. */
static void residual(size_t n, struct side *s, double c, double *r)
{
    for (size_t i = 0; i < n; i++)
        s->centred[i * n + i] += c;
    invert(n, s->centred);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            r[i * n + j] = (i == j ? 1 : 0) - c * s->centred[i * n + j];
}

/* dR = c S dK~ S, so that tr(R_K R_L) has d / dK~ = c S_K R_L S_K. r: R_L; it
 * is used up. */
static void normalised_gradient(struct work *w, struct side *s, double c,
                                double *r)
{
    size_t n = w->n;
    if (!s->f->gradient)
        return;
    multiply(n, s->centred, r, w->c);
    multiply(n, w->c, s->centred, r);
    for (size_t i = 0; i < n * n; i++)
        r[i] *= c;
    to_features(w, s, r);
}

double ib_loss_hsic_normalised(size_t n, const struct ib_features *x,
                               const struct ib_features *y, void *memory)
{
    const double epsilon = 1e-5;
    struct work w = start(n, x, y, memory);
    double c = epsilon * (double)n;
    residual(n, &w.x, c, w.a);
    residual(n, &w.y, c, w.b);
    double value = product(n * n, w.a, w.b);
    normalised_gradient(&w, &w.x, c, w.b);
    normalised_gradient(&w, &w.y, c, w.a);
    return value;
}

/* --- COCO ---------------------------------------------------------------- */

static double length_of(size_t n, const double *v)
{
    return sqrt(product(n, v, v));
}

/* to = m from / |.|, or, turned, m^T from / |.|; returns |.|. */
static double times(size_t n, const double *m, const double *from, bool turned,
                    double *restrict to)
{
    memset(to, 0, n * sizeof *to);
    for (size_t i = 0; i < n; i++) {
        const double *row = m + i * n;
        if (!turned)
            to[i] = product(n, row, from);
        for (size_t j = 0; turned && j < n; j++)
            to[j] = __builtin_fma(row[j], from[i], to[j]);
    }
    double norm = length_of(n, to);
    for (size_t i = 0; norm > 0 && i < n; i++)
        to[i] /= norm;
    return norm;
}

/* The largest singular value of m, with its vectors, by power iteration from
 * the longest row. */
static double largest_singular(size_t n, const double *m, double *u, double *v)
{
    size_t longest = 0;
    for (size_t i = 1; i < n; i++)
        if (length_of(n, m + i * n) > length_of(n, m + longest * n))
            longest = i;
    memcpy(v, m + longest * n, n * sizeof *v);
    double sigma = 0;
    for (int step = 0; step < POWER_STEPS; step++) {
        double before = sigma;
        times(n, m, v, false, u);
        sigma = times(n, m, u, true, v);
        if (!(fabs(sigma - before) > 1e-15 * sigma))
            break;
    }
    return sigma;
}

/* g = scale * a b^T */
static void outer(size_t n, const double *a, const double *b, double scale,
                  double *g)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            g[i * n + j] = scale * a[i] * b[j];
}

/* P = K~ L~. sigma = u^T P v: d / dK~ = u (L~ v)^T, d / dL~ = (K~ u) v^T. */
static double spectral(struct work *w)
{
    size_t n = w->n;
    double *u = w->c, *v = w->c + n, *t = w->b;
    double sigma = largest_singular(n, w->a, u, v), value = sqrt(sigma);
    double scale = sigma > 0 ? 0.5 / (value * (double)n) : 0;
    double lv = times(n, w->y.centred, v, false, t);
    outer(n, u, t, scale * lv, w->a);
    double ku = times(n, w->x.centred, u, false, t);
    memcpy(w->y.centred, t, n * sizeof *t);
    outer(n, w->y.centred, v, scale * ku, w->b);
    return value / (double)n;
}

/* d |P| / dK~ = P L~ / |P|, d |P| / dL~ = K~ P / |P|. */
static double frobenius(struct work *w)
{
    size_t n = w->n, size = n * n;
    double norm = length_of(size, w->a), value = sqrt(norm);
    double scale = norm > 0 ? 0.5 / (value * (double)n * norm) : 0;
    multiply(n, w->x.centred, w->a, w->b);
    multiply(n, w->a, w->y.centred, w->c);
    for (size_t i = 0; i < size; i++) {
        w->a[i] = scale * w->c[i];
        w->b[i] *= scale;
    }
    return value / (double)n;
}

double ib_loss_coco(size_t n, const struct ib_features *x,
                    const struct ib_features *y, enum ib_coco_norm norm,
                    void *memory)
{
    struct work w = start(n, x, y, memory);
    multiply(n, w.x.centred, w.y.centred, w.a);
    double value = norm == IB_FROBENIUS_NORM ? frobenius(&w) : spectral(&w);
    to_features(&w, &w.x, w.a);
    to_features(&w, &w.y, w.b);
    return value;
}
