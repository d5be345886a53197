/* Principal components by the Gram matrix of the centred rows. */
#include <invbench/parts/pca.h>

#include <math.h>

#include <invbench/math.h>

enum { SWEEPS_MAX = 30 };

struct eigen {
    size_t n;
    double *gram;  /* n x n; its diagonal becomes the eigenvalues */
    double *q;     /* n x n: rows are the eigenvectors */
    size_t *order; /* n: eigenvalues from large to small */
};

static void centre(struct ib_pca *p)
{
    for (size_t j = 0; j < p->d; j++) {
        double sum = 0;

        for (size_t i = 0; i < p->n; i++)
            sum += (double)p->x[i * p->d + j];
        p->mean[j] = (float)(sum / (double)p->n);
        for (size_t i = 0; i < p->n; i++)
            p->x[i * p->d + j] -= p->mean[j];
    }
}

static void gram(struct eigen *m, const struct ib_pca *p)
{
    for (size_t i = 0; i < m->n; i++)
        for (size_t j = 0; j <= i; j++)
            m->gram[i * m->n + j] = m->gram[j * m->n + i] =
                ib_dot(p->d, p->x + i * p->d, p->x + j * p->d);
}

/* Turns rows a and b of x: (a, b) <- (c a - s b, s a + c b). */
static void turn(double *x, size_t n, size_t a, size_t b, const double cs[2])
{
    for (size_t j = 0; j < n; j++) {
        double p = x[a * n + j], q = x[b * n + j];

        x[a * n + j] = cs[0] * p - cs[1] * q;
        x[b * n + j] = cs[1] * p + cs[0] * q;
    }
}

/* The rotation that makes entry (a, b) of the symmetric matrix 0 (Golub, Van
 * Loan, Matrix Computations, section 8.5). */
static void rotate(struct eigen *m, size_t a, size_t b)
{
    size_t n = m->n;
    double *g = m->gram, off = g[a * n + b], tau, t, cs[2];

    tau = (g[b * n + b] - g[a * n + a]) / (2 * off);
    t = (tau < 0 ? -1 : 1) / (fabs(tau) + sqrt(1 + tau * tau));
    cs[0] = 1 / sqrt(1 + t * t);
    cs[1] = t * cs[0];
    turn(g, n, a, b, cs);
    for (size_t i = 0; i < n; i++) {
        double p = g[i * n + a], q = g[i * n + b];

        g[i * n + a] = cs[0] * p - cs[1] * q;
        g[i * n + b] = cs[1] * p + cs[0] * q;
    }
    turn(m->q, n, a, b, cs);
}

static void jacobi(struct eigen *m)
{
    size_t n = m->n;
    double trace = 0, limit;
    bool moved = true;

    for (size_t i = 0; i < n; i++) {
        m->q[i * n + i] = 1;
        trace += m->gram[i * n + i];
    }
    limit = 1e-12 * trace;
    for (int sweep = 0; moved && sweep < SWEEPS_MAX; sweep++) {
        moved = false;
        for (size_t a = 0; a < n; a++)
            for (size_t b = a + 1; b < n; b++)
                if (fabs(m->gram[a * n + b]) > limit) {
                    rotate(m, a, b);
                    moved = true;
                }
    }
}

static double eigenvalue(const struct eigen *m, size_t rank)
{
    size_t i = m->order[rank];

    return m->gram[i * m->n + i];
}

static void sort(struct eigen *m)
{
    for (size_t i = 0; i < m->n; i++)
        m->order[i] = i;
    for (size_t i = 1; i < m->n; i++)
        for (size_t j = i; j > 0 && eigenvalue(m, j) > eigenvalue(m, j - 1);
             j--) {
            size_t held = m->order[j];

            m->order[j] = m->order[j - 1];
            m->order[j - 1] = held;
        }
}

/* Component k of unit length is X^T q / sqrt(lambda); its deviation is
 * sqrt(lambda / n). */
static void component(const struct eigen *m, const struct ib_pca *p, size_t k)
{
    const double *q = m->q + m->order[k] * m->n;
    double scale = 1 / sqrt((double)m->n);
    float *basis = p->basis + k * p->d;
    size_t top = 0;

    for (size_t i = 0; i < m->n; i++)
        ib_axpy(p->d, (float)(q[i] * scale), p->x + i * p->d, basis);
    for (size_t j = 1; j < p->d; j++)
        if (fabsf(basis[j]) > fabsf(basis[top]))
            top = j;
    for (size_t j = 0, flip = basis[top] < 0; flip && j < p->d; j++)
        basis[j] = -basis[j];
}

enum ib_status ib_pca_fit(struct ib_pca *p, struct ib_scratch *scratch,
                          struct ib_error *err)
{
    size_t mark = ib_scratch_mark(scratch), n = p->n;
    struct eigen m = {.n = n};

    m.gram = ib_scratch_take(scratch, n, n * sizeof(double));
    m.q = ib_scratch_take(scratch, n, n * sizeof(double));
    m.order = ib_scratch_take(scratch, n, sizeof(size_t));
    if (!m.gram || !m.q || !m.order) {
        ib_scratch_reset(scratch, mark);
        return ib_error_set(err, IB_E_NOMEM,
                            "no memory for the components of %zu rows", n);
    }
    centre(p);
    gram(&m, p);
    jacobi(&m);
    sort(&m);
    while (p->k > 1 && eigenvalue(&m, p->k - 1) <= 1e-9 * eigenvalue(&m, 0))
        p->k--;
    for (size_t k = 0; k < p->k; k++)
        component(&m, p, k);
    ib_scratch_reset(scratch, mark);
    return IB_OK;
}
