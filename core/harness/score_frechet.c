/* Frechet distance of two sets of rows: see invbench/metric.h. */
#include <math.h>
#include <string.h>

#include <invbench/metric.h>

#include "eigen.h"

enum { ASKED_MAX = 256 };

static enum ib_status no_memory(struct ib_error *err)
{
    return ib_error_set(err, IB_E_NOMEM, "no memory for a Frechet distance");
}

static void mean_of(size_t n, size_t d, const float *x, double *mean)
{
    memset(mean, 0, d * sizeof(*mean));
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < d; j++)
            mean[j] += (double)x[i * d + j];
    for (size_t j = 0; j < d; j++)
        mean[j] /= (double)n;
}

/* --- axes ---------------------------------------------------------------- */

struct spread { /* of rows around their mean */
    size_t n, d;
    double *x;   /* n x d, centred */
    size_t size; /* of the matrix: d, or n for rows longer than ASKED_MAX */
    double *a, *q;
    size_t *order;
};

static bool spread_take(struct spread *s, struct ib_scratch *scratch)
{
    s->size = s->d > ASKED_MAX ? s->n : s->d;
    s->x = ib_scratch_take(scratch, s->n, s->d * sizeof(double));
    s->a = ib_scratch_take(scratch, s->size, s->size * sizeof(double));
    s->q = ib_scratch_take(scratch, s->size, s->size * sizeof(double));
    s->order = ib_scratch_take(scratch, s->size, sizeof(size_t));
    return s->x && s->a && s->q && s->order;
}

static double dot(size_t n, const double *a, const double *b)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

/* X^T X, or X X^T where that is smaller. */
static void spread_matrix(struct spread *s)
{
    size_t n = s->size;

    for (size_t r = 0; s->size == s->d && r < s->n; r++) {
        const double *x = s->x + r * s->d;

        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j <= i; j++)
                s->a[i * n + j] += x[i] * x[j];
    }
    for (size_t i = 0; s->size != s->d && i < n; i++)
        for (size_t j = 0; j <= i; j++)
            s->a[i * n + j] = dot(s->d, s->x + i * s->d, s->x + j * s->d);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++)
            s->a[j * n + i] = s->a[i * n + j];
}

/* The direction of the eigenvector of this rank, of length 1. */
static void direction(const struct spread *s, size_t rank, double *out)
{
    const double *q = s->q + s->order[rank] * s->size;
    double norm;

    if (s->size == s->d) {
        memcpy(out, q, s->d * sizeof(*out));
        return;
    }
    for (size_t i = 0; i < s->n; i++)
        for (size_t j = 0; j < s->d; j++)
            out[j] += q[i] * s->x[i * s->d + j];
    norm = sqrt(dot(s->d, out, out));
    for (size_t j = 0; j < s->d; j++)
        out[j] /= norm;
}

enum ib_status ib_axes_find(size_t n, const float *rows, struct ib_axes *axes,
                            struct ib_scratch *scratch, struct ib_error *err)
{
    size_t d = axes->d, k = axes->k, mark;
    struct spread s = {.n = d > ASKED_MAX && n > ASKED_MAX ? ASKED_MAX : n,
                       .d = d};
    double *axis = ib_scratch_take(scratch, k, d * sizeof(*axis));
    double *mean = ib_scratch_take(scratch, d, sizeof(*mean)), most;

    mark = ib_scratch_mark(scratch);
    if (!axis || !mean || !spread_take(&s, scratch))
        return no_memory(err);
    mean_of(n, d, rows, mean);
    for (size_t i = 0; i < s.n; i++)
        for (size_t j = 0; j < d; j++)
            s.x[i * d + j] = (double)rows[i * n / s.n * d + j] - mean[j];
    spread_matrix(&s);
    ib_eigen_symmetric(s.size, s.a, s.q);
    ib_eigen_order(s.size, s.a, s.order);
    if (k > s.size)
        k = s.size;
    most = s.a[s.order[0] * (s.size + 1)];
    while (k > 1 && s.a[s.order[k - 1] * (s.size + 1)] <= 1e-10 * most)
        k--;
    for (size_t i = 0; i < k; i++)
        direction(&s, i, axis + i * d);
    axes->k = k;
    axes->axis = axis;
    ib_scratch_reset(scratch, mark);
    return IB_OK;
}

/* --- distance ------------------------------------------------------------ */

/* Rows along the axes, mean and covariance there. */
struct gauss {
    double *x, *mean, *c; /* n x k, k, k x k */
};

static bool gauss_take(struct gauss *g, size_t n, size_t k,
                       struct ib_scratch *scratch)
{
    g->x = ib_scratch_take(scratch, n, k * sizeof(double));
    g->mean = ib_scratch_take(scratch, k, sizeof(double));
    g->c = ib_scratch_take(scratch, k, k * sizeof(double));
    return g->x && g->mean && g->c;
}

static void gauss_fit(struct gauss *g, const struct ib_axes *axes, size_t n,
                      const float *rows)
{
    size_t d = axes->d, k = axes->k;

    for (size_t r = 0; r < n; r++)
        for (size_t i = 0; i < k; i++) {
            double sum = 0;

            for (size_t j = 0; j < d; j++)
                sum += axes->axis[i * d + j] * (double)rows[r * d + j];
            g->x[r * k + i] = sum;
            g->mean[i] += sum / (double)n;
        }
    for (size_t r = 0; r < n; r++) {
        double *x = g->x + r * k;

        for (size_t i = 0; i < k; i++)
            x[i] -= g->mean[i];
        for (size_t i = 0; i < k; i++)
            for (size_t j = 0; j < k; j++)
                g->c[i * k + j] += x[i] * x[j] / (double)(n - 1);
    }
}

/* tr (A B)^(1/2) = tr (A^(1/2) B A^(1/2))^(1/2), for A = Q^T L Q: the matrix
 * L^(1/2) Q B Q^T L^(1/2) has the same eigenvalues. work: 3 of k x k; a is
 * used up. */
static double trace_root(size_t k, double *a, const double *b, double *work)
{
    double *q = work, *half = work + k * k, *s = half + k * k, sum = 0;

    ib_eigen_symmetric(k, a, q);
    for (size_t i = 0; i < k; i++)
        for (size_t j = 0; j < k; j++) {
            half[i * k + j] = 0;
            for (size_t l = 0; l < k; l++)
                half[i * k + j] += q[i * k + l] * b[l * k + j];
            half[i * k + j] *= sqrt(fmax(a[i * (k + 1)], 0));
        }
    for (size_t i = 0; i < k; i++)
        for (size_t j = 0; j <= i; j++)
            s[i * k + j] = s[j * k + i] =
                dot(k, half + i * k, q + j * k) * sqrt(fmax(a[j * (k + 1)], 0));
    ib_eigen_symmetric(k, s, half);
    for (size_t i = 0; i < k; i++)
        sum += sqrt(fmax(s[i * (k + 1)], 0));
    return sum;
}

static double distance(size_t k, struct gauss *a, const struct gauss *b,
                       double *work)
{
    double sum = 0;

    for (size_t i = 0; i < k; i++) {
        double gap = a->mean[i] - b->mean[i];

        sum += gap * gap + a->c[i * (k + 1)] + b->c[i * (k + 1)];
    }
    sum -= 2 * trace_root(k, a->c, b->c, work);
    return fmax(sum, 0);
}

enum ib_status ib_frechet_find(struct ib_frechet *q, struct ib_scratch *scratch,
                               struct ib_error *err)
{
    size_t k = q->axes.k, mark = ib_scratch_mark(scratch);
    struct gauss a, b;
    double *work;

    q->value = NAN;
    q->reason = NULL;
    if (q->n < IB_FRECHET_LEAST || q->m < IB_FRECHET_LEAST) {
        q->reason = "a Frechet distance needs at least 160 images in each of "
                    "the two sets";
        return IB_OK;
    }
    work = ib_scratch_take(scratch, 3 * k, k * sizeof(*work));
    if (!gauss_take(&a, q->n, k, scratch) ||
        !gauss_take(&b, q->m, k, scratch) || !work)
        return no_memory(err);
    gauss_fit(&a, &q->axes, q->n, q->a);
    gauss_fit(&b, &q->axes, q->m, q->b);
    q->value = distance(k, &a, &b, work);
    ib_scratch_reset(scratch, mark);
    return IB_OK;
}
