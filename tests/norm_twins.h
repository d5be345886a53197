/*
 * Naive twins of the subjects of norm_fixture.h, in double.
 */
#ifndef NORM_TWINS_H
#define NORM_TWINS_H

#include "norm_fixture.h"

/* --- twins ------------------------------------------------------------------
 */

/* What a twin computes from: everything in double. */
struct point {
    double x[INPUTS][MANY], w[MANY], state[MANY], y[MANY];
};

/* Normalises the values of `x` that `of` assigns to one set; stated: means and
 * variances are given. */
static inline void twin_normalise(const struct subject *s, const int *of,
                                  int sets, size_t n, const double *stated,
                                  double *x)
{
    double epsilon = s->norm.epsilon != 0 ? s->norm.epsilon : 1e-5;
    double mean[MANY] = {0}, variance[MANY] = {0}, count = (double)n / sets;
    for (size_t i = 0; i < n; i++)
        mean[of[i]] += x[i] / count;
    for (size_t i = 0; i < n; i++)
        variance[of[i]] += pow(x[i] - mean[of[i]], 2) / count;
    for (int set = 0; set < sets && stated; set++) {
        mean[set] = stated[set];
        variance[set] = stated[sets + set];
    }
    for (size_t i = 0; i < n; i++)
        x[i] = (x[i] - mean[of[i]]) / sqrt(variance[of[i]] + epsilon);
}

static inline size_t pixels(const struct subject *s)
{
    return (size_t)s->in[0].h * (size_t)s->in[0].w;
}

static inline int channel(const struct subject *s, size_t i)
{
    return (int)(i / pixels(s) % (size_t)s->in[0].c);
}

static inline size_t copy_input(const struct subject *s, const struct point *p,
                                double *y)
{
    size_t n = rows * ib_shape_size(s->in[0]);
    memcpy(y, p->x[0], n * sizeof *y);
    return n;
}

static inline void twin_affine(const struct subject *s, size_t n,
                               const double *w, double *y)
{
    for (size_t i = 0; i < n && !s->norm.no_affine; i++) {
        int c = channel(s, i);
        y[i] = y[i] * w[c] + w[s->in[0].c + c];
    }
}

static inline void twin_statistics(const struct subject *s,
                                   const struct point *p, double *y)
{
    int of[MANY] = {0};
    size_t n = copy_input(s, p, y);
    for (size_t i = 0; i < n; i++)
        of[i] = channel(s, i);
    twin_normalise(s, of, s->in[0].c, n, s->training ? NULL : p->state, y);
}

static inline void twin_batchnorm(const struct subject *s,
                                  const struct point *p, double *y)
{
    twin_statistics(s, p, y);
    twin_affine(s, rows * ib_shape_size(s->in[0]), p->w, y);
}

static inline void twin_groups(const struct subject *s, const struct point *p,
                               int groups, double *y)
{
    int of[MANY] = {0};
    size_t n = copy_input(s, p, y), d = n / rows;
    for (size_t i = 0; i < n; i++)
        of[i] = (int)(i / d) * groups + (int)(i % d) / ((int)d / groups);
    twin_normalise(s, of, (int)rows * groups, n, NULL, y);
    twin_affine(s, n, p->w, y);
}

static inline void twin_groupnorm(const struct subject *s,
                                  const struct point *p, double *y)
{
    twin_groups(s, p, s->norm.groups != 0 ? s->norm.groups : 1, y);
}

static inline void twin_instancenorm(const struct subject *s,
                                     const struct point *p, double *y)
{
    twin_groups(s, p, s->in[0].c, y);
}

/* y = (1 + a) y + b with a, b: rows x channels. */
static inline void twin_modulate(const struct subject *s, const double *a,
                                 const double *b, double *y)
{
    for (size_t i = 0; i < rows * ib_shape_size(s->in[0]); i++) {
        size_t row = i / ib_shape_size(s->in[0]);
        size_t at = row * (size_t)s->in[0].c + (size_t)channel(s, i);
        y[i] = (1 + a[at]) * y[i] + b[at];
    }
}

static inline void twin_film(const struct subject *s, const struct point *p,
                             double *y)
{
    (void)copy_input(s, p, y);
    twin_modulate(s, p->x[1], p->x[2], y);
}

static inline void twin_products(const double *a, const double *b, size_t d,
                                 double *y)
{
    for (size_t i = 0; i < rows; i++) {
        y[i] = 0;
        for (size_t j = 0; j < d; j++)
            y[i] += a[i * d + j] * b[i * d + j];
    }
}

static inline void twin_inner(const struct subject *s, const struct point *p,
                              double *y)
{
    twin_products(p->x[0], p->x[1], ib_shape_size(s->in[0]), y);
}

/* y = x W^T, W: k x d. */
static inline void twin_dense(const double *x, const double *w, size_t k,
                              size_t d, double *y)
{
    for (size_t i = 0; i < rows * k; i++) {
        y[i] = 0;
        for (size_t j = 0; j < d; j++)
            y[i] += x[i / k * d + j] * w[i % k * d + j];
    }
}

static inline void twin_embedding(const struct subject *s,
                                  const struct point *p, double *y)
{
    twin_dense(p->x[0], p->w, 5, ib_shape_size(s->in[0]), y);
}

static inline void twin_conditional(const struct subject *s,
                                    const struct point *p, double *y)
{
    double a[MANY], b[MANY];
    size_t c = (size_t)s->in[0].c, k = (size_t)s->in[1].c;
    twin_statistics(s, p, y);
    twin_dense(p->x[1], p->w, c, k, a);
    twin_dense(p->x[1], p->w + c * k, c, k, b);
    twin_modulate(s, a, b, y);
}

static inline void twin_projection(const struct subject *s,
                                   const struct point *p, double *y)
{
    double e[MANY];
    size_t d = (size_t)s->in[0].c;
    twin_dense(p->x[1], p->w, d, (size_t)s->in[1].c, e);
    twin_products(p->x[0], e, d, y);
}

/* State: u (5), v (6), constants of the gradient. */
static inline void twin_spectral(const struct subject *s, const struct point *p,
                                 double *y)
{
    size_t d = ib_shape_size(s->in[0]), k = 5;
    double sigma = 0;
    for (size_t i = 0; i < k * d; i++)
        sigma += p->state[i / d] * p->w[i] * p->state[k + i % d];
    twin_dense(p->x[0], p->w, k, d, y);
    for (size_t i = 0; i < rows * k; i++)
        y[i] = y[i] / sigma + p->w[k * d + i % k];
}

/* Gauss-Jordan without pivoting but of the largest in a column: a becomes
 * a^-1; returns log |det a|. */
static inline double twin_invert(int n, double *a)
{
    double wide[8][16] = {{0}}, log_det = 0;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < 2 * n; j++)
            wide[i][j] = j < n ? a[i * n + j] : j - n == i;
    for (int k = 0; k < n; k++) {
        int best = k;
        for (int i = k; i < n; i++)
            best = fabs(wide[i][k]) > fabs(wide[best][k]) ? i : best;
        double pivot = wide[best][k];
        log_det += log(fabs(pivot));
        for (int j = 0; j < 2 * n; j++) {
            double t = wide[best][j];
            wide[best][j] = wide[k][j];
            wide[k][j] = t / pivot;
        }
        for (int i = 0; i < n; i++) {
            double f = wide[i][k];
            for (int j = 0; j < 2 * n && i != k; j++)
                wide[i][j] -= f * wide[k][j];
        }
    }
    for (int i = 0; i < n * n; i++)
        a[i] = wide[i / n][n + i % n];
    return log_det;
}

static inline void twin_mix(const struct subject *s, const double *x,
                            const double *w, double *y)
{
    size_t c = (size_t)s->in[0].c, d = ib_shape_size(s->in[0]), q = pixels(s);
    for (size_t i = 0; i < rows * d; i++) {
        size_t row = i / d * d, out = i % d / q, at = i % q;
        y[i] = 0;
        for (size_t k = 0; k < c; k++)
            y[i] += w[out * c + k] * x[row + k * q + at];
    }
}

static inline void twin_invconv(const struct subject *s, const struct point *p,
                                double *y)
{
    twin_mix(s, p->x[0], p->w, y);
}

static inline void twin_inverse(const struct subject *s, const struct point *p,
                                double *y)
{
    double inverse[64];
    memcpy(inverse, p->w, sizeof inverse);
    (void)twin_invert(s->in[0].c, inverse);
    twin_mix(s, p->x[0], inverse, y);
}

static inline void twin_logdet(const struct subject *s, const struct point *p,
                               double *y)
{
    double inverse[64];
    memcpy(inverse, p->w, sizeof inverse);
    y[0] = (double)pixels(s) * twin_invert(s->in[0].c, inverse);
    for (size_t i = 1; i < rows; i++)
        y[i] = y[0];
}

typedef void (*twin)(const struct subject *s, const struct point *p, double *y);

static inline twin twin_of(const struct subject *s)
{
    static const struct {
        ib_node (*add)(struct ib_graph *g, const ib_node *x,
                       const struct subject *s);
        twin twin;
    } table[] = {
        {add_batchnorm, twin_batchnorm},
        {add_groupnorm, twin_groupnorm},
        {add_instancenorm, twin_instancenorm},
        {add_film, twin_film},
        {add_inner, twin_inner},
        {add_embedding, twin_embedding},
        {add_conditional, twin_conditional},
        {add_projection, twin_projection},
        {add_spectral, twin_spectral},
        {add_invconv, twin_invconv},
        {add_inverse, twin_inverse},
        {add_logdet, twin_logdet},
    };
    for (size_t i = 0; i < IB_COUNT(table); i++)
        if (table[i].add == s->add)
            return table[i].twin;
    fail_msg("%s has no twin", s->name);
    return NULL;
}

/* --- a subject beside its twin
 * ---------------------------------------------------------------- */

static struct trial t;
static struct point p;

static const double tolerance = sizeof(ib_real) == 4 ? 1e-5 : 1e-7;

static inline void to_double(const ib_real *from, size_t n, double *to)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (double)from[i];
}

static inline void set_point(void)
{
    for (int i = 0; i < t.s->inputs; i++)
        to_double(ib_net_value(t.net, t.x[i]), rows * t.d[i], p.x[i]);
    to_double(ib_net_parameters(t.net), t.p, p.w);
    to_double(ib_net_state(t.net), t.state, p.state);
}

/* The twin's output; of two of them, as set_up has it. */
static inline void run_twin(bool twice)
{
    static struct point second;
    static double y[MANY];
    twin f = twin_of(t.s);
    f(t.s, &p, p.y);
    if (!twice)
        return;
    second = p;
    memcpy(second.w, p.w + t.p / 2, t.p / 2 * sizeof *p.w);
    memcpy(second.state, p.state + t.state / 2, t.state / 2 * sizeof *p.w);
    f(t.s, &second, y);
    memcpy(second.y, p.y, sizeof p.y);
    size_t d = ib_shape_size(ib_graph_shape(ib_net_graph(t.net), t.y - 1));
    for (size_t i = 0; i < rows * d; i++)
        second.y[i] = 1 / (1 + exp(-second.y[i]));
    twin_products(second.y, y, d, p.y);
}

static inline double loss(bool twice)
{
    double sum = 0;
    run_twin(twice);
    for (size_t j = 0; j < rows * t.k; j++)
        sum += (double)t.dy[j] * p.y[j];
    return sum;
}

static inline double slope(bool twice, double *at)
{
    const double h = 1e-4, keep = *at;
    double f[4];
    for (int i = 0; i < 4; i++) {
        *at = keep + h * (i < 2 ? i - 2 : i - 1);
        f[i] = loss(twice);
    }
    *at = keep;
    return (f[0] - 8 * f[1] + 8 * f[2] - f[3]) / (12 * h);
}

/* Fails unless g is the slope at at[0..n). */
static inline void compare(bool twice, const char *what, const ib_real *g,
                           double *at, size_t n)
{
    double wrong = 0, norm = 0;
    for (size_t i = 0; i < n; i++) {
        double want = slope(twice, &at[i]);
        wrong += pow((double)g[i] - want, 2);
        norm += want * want;
    }
    if (n > 0 && !(norm > 1e-6 && sqrt(wrong / norm) < tolerance))
        fail_msg("%s%s: gradient of %s off by %g of %g", t.s->name,
                 twice ? ", twice" : "", what, sqrt(wrong / norm), sqrt(norm));
}

#endif
