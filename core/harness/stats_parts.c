/* The parts of a statistic's variance: identities, seeds, the rest. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <invbench/rng.h>

#include "stats_parts.h"

enum { FIT_ROUNDS = 100 };

/* --- the sample ---------------------------------------------------------- */

static size_t cells_of(const struct ib_sample *x)
{
    return (size_t)x->seeds * (size_t)x->identities;
}

/* Indices with a weight in the support, along seeds or identities. */
static int indices_of(const struct ib_panel *p, const double *w, bool seeds,
                      int *out)
{
    int n = 0, size = seeds ? p->seeds : p->identities;
    for (int i = 0; i < size; i++) {
        bool there = false;
        for (int j = 0; j < (seeds ? p->identities : p->seeds); j++)
            there |=
                w[seeds ? i * p->identities + j : j * p->identities + i] > 0;
        if (there)
            out[n++] = i;
    }
    return n;
}

static void copy_panels(struct ib_sample *x, const int *seed,
                        const int *identity)
{
    size_t at = 0;
    for (int p = 0; p < x->s->n; p++) {
        const struct ib_panel *from = x->s->panel[p];
        double sum = 0;
        int n = 0;
        for (int s = 0; s < x->seeds; s++)
            for (int k = 0; k < x->identities; k++, at++) {
                x->v[at] = from->v[seed[s] * from->identities + identity[k]];
                if (isnan(x->v[at]))
                    continue;
                sum += x->v[at];
                n++;
            }
        x->mean[p] = n ? sum / n : NAN;
    }
}

double ib_sample_value(const struct ib_sample *x, const double *mean)
{
    return x->s->value ? x->s->value(x->s->ctx, mean) : mean[0];
}

/* How the value moves with the mean of a panel: central difference. */
static double slope(struct ib_sample *x, int panel)
{
    double m = x->mean[panel], h = 1e-6 * fmax(1, fabs(m));
    if (!x->s->value)
        return 1;
    if (isnan(m))
        return 0;
    x->mean[panel] = m + h;
    double up = ib_sample_value(x, x->mean);
    x->mean[panel] = m - h;
    double down = ib_sample_value(x, x->mean);
    x->mean[panel] = m;
    return (up - down) / (2 * h);
}

static void influences(struct ib_sample *x)
{
    size_t cells = cells_of(x);
    for (size_t i = 0; i < cells; i++)
        x->influence[i] = NAN;
    for (int p = 0; p < x->s->n; p++) {
        const double *v = x->v + (size_t)p * cells;
        double g = slope(x, p);
        int n = 0;
        for (size_t i = 0; i < cells; i++)
            n += !isnan(v[i]);
        for (size_t i = 0; i < cells; i++) {
            double add = g * (v[i] - x->mean[p]) / n;
            if (!isnan(v[i]))
                x->influence[i] =
                    isnan(x->influence[i]) ? add : x->influence[i] + add;
        }
    }
}

enum ib_status ib_sample_make(struct ib_sample *x, const struct ib_statistic *s,
                              struct ib_error *err)
{
    const struct ib_panel *p = s->support;
    size_t size = (size_t)p->seeds * (size_t)p->identities;
    size_t panels = (size_t)s->n;
    *x = (struct ib_sample){.s = s};
    double *w = ib_panel_support(p);
    int *index =
        calloc((size_t)p->seeds + (size_t)p->identities + 1, sizeof *index);
    x->memory = calloc((panels + 1) * (size + 1), sizeof(double));
    if (w && index && x->memory) {
        x->seeds = indices_of(p, w, true, index);
        x->identities = indices_of(p, w, false, index + x->seeds);
        x->mean = x->memory;
        x->v = x->mean + panels;
        x->influence = x->v + panels * cells_of(x);
        copy_panels(x, index, index + x->seeds);
        x->value = ib_sample_value(x, x->mean);
        influences(x);
    }
    bool ok = w && index && x->memory;
    free(w);
    free(index);
    return ok ? IB_OK
              : ib_error_set(err, IB_E_NOMEM, "no memory for an interval");
}

void ib_sample_free(struct ib_sample *x)
{
    free(x->memory);
}

/* --- in closed form ------------------------------------------------------ */

static double at(const struct ib_sample *x, const double *u, int seed,
                 int identity)
{
    double v = u[seed * x->identities + identity];
    return isnan(v) ? 0 : v;
}

/* G/(G-1) times the sum of squared sums of influences over G clusters. */
static double clustered(const struct ib_sample *x, bool seeds)
{
    int n = seeds ? x->seeds : x->identities;
    int m = seeds ? x->identities : x->seeds;
    double squares = 0;
    for (int i = 0; i < n; i++) {
        double sum = 0;
        for (int j = 0; j < m; j++)
            sum += at(x, x->influence, seeds ? i : j, seeds ? j : i);
        squares += sum * sum;
    }
    return n > 1 ? squares * n / (n - 1) : 0;
}

/* Takes the mean of what is there off every row (seed) or column (identity);
 * returns the largest. */
static double sweep(const struct ib_sample *x, double *u, bool seeds)
{
    int n = seeds ? x->seeds : x->identities;
    int m = seeds ? x->identities : x->seeds;
    double largest = 0;
    for (int i = 0; i < n; i++) {
        double sum = 0;
        int there = 0;
        for (int j = 0; j < m; j++) {
            double v = u[seeds ? i * m + j : j * n + i];
            sum += isnan(v) ? 0 : v;
            there += !isnan(v);
        }
        double mean = there ? sum / there : 0;
        for (int j = 0; j < m; j++)
            u[seeds ? i * m + j : j * n + i] -= mean;
        largest = fmax(largest, fabs(mean));
    }
    return largest;
}

/* n times the mean square of the influences less their rows and columns; u:
 * room for them. Where that leaves nothing (every identity under one seed
 * alone) the identities' part is the rest. */
static double rest_of(const struct ib_sample *x, double *u, double identity)
{
    size_t cells = cells_of(x);
    double squares = 0;
    int n = 0;
    memcpy(u, x->influence, cells * sizeof *u);
    for (int i = 0; i < FIT_ROUNDS; i++)
        if (sweep(x, u, true) + sweep(x, u, false) < 1e-15)
            break;
    for (size_t i = 0; i < cells; i++) {
        if (isnan(u[i]))
            continue;
        squares += u[i] * u[i];
        n++;
    }
    int df = n - x->seeds - x->identities + 1;
    return df > 0 ? squares * n / df : identity;
}

struct ib_parts ib_parts_linear(const struct ib_sample *x)
{
    struct ib_parts p = {.identity = clustered(x, false)};
    if (x->seeds < 2)
        return p;
    p.seed = clustered(x, true);
    double *u = calloc(cells_of(x) + 1, sizeof *u);
    if (u)
        p.rest = rest_of(x, u, p.identity);
    else
        p.reason = "no memory";
    free(u);
    return p;
}

/* --- resampled ----------------------------------------------------------- */

/* Sums and counts of every panel for each cluster: row[i] holds n sums, then
 * n counts. */
static void totals(const struct ib_sample *x, bool seeds, double *row)
{
    int n = x->s->n, width = 2 * n;
    for (int p = 0; p < n; p++)
        for (int s = 0; s < x->seeds; s++)
            for (int k = 0; k < x->identities; k++) {
                double v = x->v[((size_t)p * (size_t)x->seeds + (size_t)s) *
                                    (size_t)x->identities +
                                (size_t)k];
                double *to = row + (seeds ? s : k) * width + p;
                if (isnan(v))
                    continue;
                to[0] += v;
                to[n] += 1;
            }
}

/* Value of one resample of n clusters. sum: room for 2 panels. */
static double resample(const struct ib_sample *x, const double *row, int n,
                       double *sum, struct ib_rng *rng)
{
    int width = 2 * x->s->n;
    memset(sum, 0, (size_t)width * sizeof *sum);
    for (int i = 0; i < n; i++) {
        const double *from =
            row + ib_rng_below(rng, (uint32_t)n) * (size_t)width;
        for (int j = 0; j < width; j++)
            sum[j] += from[j];
    }
    for (int p = 0; p < x->s->n; p++)
        sum[p] = sum[p + x->s->n] > 0 ? sum[p] / sum[p + x->s->n] : NAN;
    return ib_sample_value(x, sum);
}

/* n/(n-1) times the variance over resamples; NaN where a tenth of them is
 * undefined. */
static double resampled(const struct ib_sample *x, const double *row, int n,
                        double *sum, const char *name)
{
    struct ib_rng rng = ib_rng_stream(1, "statistics", -1, name);
    double total = 0, squares = 0;
    int defined = 0;
    for (int i = 0; i < IB_RESAMPLES; i++) {
        double v = resample(x, row, n, sum, &rng) - x->value;
        if (isnan(v))
            continue;
        total += v;
        squares += v * v;
        defined++;
    }
    if (defined < IB_RESAMPLES / 10 * 9)
        return NAN;
    double mean = total / defined;
    return (squares / defined - mean * mean) * n / (n - 1);
}

enum ib_status ib_parts_resampled(const struct ib_sample *x,
                                  struct ib_parts *out, struct ib_error *err)
{
    size_t width = 2 * (size_t)x->s->n;
    size_t clusters = (size_t)x->seeds + (size_t)x->identities;
    double *row = calloc((clusters + 1) * width, sizeof *row);
    if (!row)
        return ib_error_set(err, IB_E_NOMEM, "no memory for a bootstrap");
    double *seeds = row + (size_t)x->identities * width;
    double *sum = seeds + (size_t)x->seeds * width;
    *out = ib_parts_linear(x);
    totals(x, false, row);
    out->identity = resampled(x, row, x->identities, sum, "identities");
    if (x->seeds > 1) {
        totals(x, true, seeds);
        out->seed = resampled(x, seeds, x->seeds, sum, "seeds");
    }
    if (!out->reason && isnan(out->identity + out->seed))
        out->reason = "undefined in over a tenth of the resamples";
    free(row);
    return IB_OK;
}

void ib_parts_join(const struct ib_sample *x, const struct ib_parts *p,
                   double scale, double more, struct ib_interval *out)
{
    double df_identity = scale * (x->identities - 1), df_seed = x->seeds - 1;
    double spread = 0, identity = p->identity, v = identity;
    if (x->seeds > 1) {
        v = fmax(identity - p->rest, 0) + p->seed;
        df_seed += more / df_seed;
        spread = p->seed * p->seed / df_seed;
        if (identity <= p->rest)
            identity = 0;
    }
    spread += identity * identity / df_identity;
    out->df = spread > 0 ? v * v / spread : df_identity;
    out->se = sqrt(fmax(v, p->rest / 100)); /* few seeds may agree by chance */
    double least = x->seeds > 1 ? fmin(df_identity, df_seed) : df_identity;
    out->df = fmax(out->df, least);
}
