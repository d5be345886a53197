/* Precision, recall, density, coverage: see invbench/metric.h. */
#include <math.h>
#include <string.h>

#include <invbench/metric.h>

/* One set, and where it holds floats the same with rows as columns: distances
 * to all of them are then summed side by side, each in the order of
 * ib_rows_distance2. */
struct side {
    const struct ib_rows *rows;
    float *turned;    /* d x n; NULL: bytes */
    double *distance; /* n: squared, of one row to all */
};

static bool side_take(struct side *s, const struct ib_rows *rows, size_t d,
                      struct ib_scratch *scratch)
{
    size_t n = rows->n;

    s->rows = rows;
    s->distance = ib_scratch_take(scratch, n, sizeof(double));
    s->turned = NULL;
    if (!rows->floats)
        return s->distance != NULL;
    s->turned = ib_scratch_take(scratch, n, d * sizeof(float));
    for (size_t i = 0; s->turned && i < n; i++)
        for (size_t p = 0; p < d; p++)
            s->turned[p * n + i] = rows->floats[i * d + p];
    return s->distance && s->turned;
}

/* s->distance: of row i of x to all of s. */
static void measure(const struct side *s, size_t d, const struct ib_rows *x,
                    size_t i)
{
    size_t n = s->rows->n;
    double *sum = s->distance;

    if (!s->turned) {
        for (size_t j = 0; j < n; j++)
            sum[j] = ib_rows_distance2(d, s->rows, j, x, i);
        return;
    }
    memset(sum, 0, n * sizeof(*sum));
    for (size_t p = 0; p < d; p++) {
        const float *column = s->turned + p * n;
        double a = (double)x->floats[i * d + p];

        for (size_t j = 0; j < n; j++) {
            double gap = a - (double)column[j];

            sum[j] = fma(gap, gap, sum[j]);
        }
    }
}

/* Squared distance of each row to its k-th nearest other row. nearest: k. */
static void radii(const struct ib_prdc *q, const struct side *s,
                  double *nearest, double *radius)
{
    for (size_t i = 0; i < s->rows->n; i++) {
        size_t have = 0;

        measure(s, q->d, s->rows, i);
        for (size_t j = 0; j < s->rows->n; j++) {
            double v = s->distance[j];
            size_t at = have;

            if (j == i)
                continue;
            if (have == q->k && v >= nearest[have - 1])
                continue;
            at = have == q->k ? have - 1 : have++;
            for (; at > 0 && nearest[at - 1] > v; at--)
                nearest[at] = nearest[at - 1];
            nearest[at] = v;
        }
        radius[i] = nearest[q->k - 1];
    }
}

struct sets {
    struct side real, fake;
    double *real_radius, *fake_radius;
    double *to_fake;      /* per real row: to the nearest fake one */
    size_t *nearest_fake; /* which */
    bool *recalled;       /* in some fake row's ball */
};

static bool sets_take(struct sets *s, const struct ib_prdc *q,
                      struct ib_scratch *scratch)
{
    size_t n = q->real.n, m = q->fake.n;

    s->real_radius = ib_scratch_take(scratch, n, sizeof(double));
    s->fake_radius = ib_scratch_take(scratch, m, sizeof(double));
    s->to_fake = ib_scratch_take(scratch, n, sizeof(double));
    s->nearest_fake = ib_scratch_take(scratch, n, sizeof(size_t));
    s->recalled = ib_scratch_take(scratch, n, sizeof(bool));
    return side_take(&s->real, &q->real, q->d, scratch) &&
           side_take(&s->fake, &q->fake, q->d, scratch) && s->real_radius &&
           s->fake_radius && s->to_fake && s->nearest_fake && s->recalled;
}

static bool inside(const struct ib_prdc *q, double distance2, double radius2)
{
    return q->inversion ? distance2 <= radius2 : distance2 < radius2;
}

/* What fake row j adds to precision and density; notes it at the real rows. */
static void meet(struct ib_prdc *q, struct sets *s, size_t j)
{
    size_t balls = 0, nearest = 0;
    double least = INFINITY;

    measure(&s->real, q->d, &q->fake, j);
    for (size_t i = 0; i < q->real.n; i++) {
        double v = s->real.distance[i];

        balls += inside(q, v, s->real_radius[i]);
        s->recalled[i] |= inside(q, v, s->fake_radius[j]);
        if (v < s->to_fake[i]) {
            s->to_fake[i] = v;
            s->nearest_fake[i] = j;
        }
        if (v < least) {
            least = v;
            nearest = i;
        }
    }
    q->density += (double)balls;
    q->precision +=
        q->inversion ? inside(q, least, s->real_radius[nearest]) : balls > 0;
}

static void finish(struct ib_prdc *q, const struct sets *s)
{
    double n = (double)q->real.n, m = (double)q->fake.n;

    for (size_t i = 0; i < q->real.n; i++) {
        q->coverage += inside(q, s->to_fake[i], s->real_radius[i]);
        q->recall += q->inversion ? inside(q, s->to_fake[i],
                                           s->fake_radius[s->nearest_fake[i]])
                                  : s->recalled[i];
    }
    q->precision /= m;
    q->recall /= n;
    q->density /= (double)q->k * (q->inversion ? n : m);
    q->coverage /= n;
}

enum ib_status ib_prdc_find(struct ib_prdc *q, struct ib_scratch *scratch,
                            struct ib_error *err)
{
    size_t mark = ib_scratch_mark(scratch);
    struct sets s;
    double *nearest;

    q->precision = q->recall = q->density = q->coverage = NAN;
    q->reason = NULL;
    if (q->real.n <= q->k || q->fake.n <= q->k) {
        q->reason = "each of the two sets must have more images than the "
                    "neighbours that are asked for";
        return IB_OK;
    }
    nearest = ib_scratch_take(scratch, q->k, sizeof(*nearest));
    if (!nearest || !sets_take(&s, q, scratch))
        return ib_error_set(err, IB_E_NOMEM, "no memory for %zu x %zu rows",
                            q->real.n, q->fake.n);
    radii(q, &s.real, nearest, s.real_radius);
    radii(q, &s.fake, nearest, s.fake_radius);
    for (size_t i = 0; i < q->real.n; i++)
        s.to_fake[i] = INFINITY;
    q->precision = q->recall = q->density = q->coverage = 0;
    for (size_t j = 0; j < q->fake.n; j++)
        meet(q, &s, j);
    finish(q, &s);
    ib_scratch_reset(scratch, mark);
    return IB_OK;
}
