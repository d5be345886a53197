/*
 * Losses of a classifier's logits.
 */
#include <invbench/losses.h>
#include <invbench/math.h>
#include <math.h>
#include <string.h>

enum { BLOCK = 64 };

static ib_real *row_of(ib_real *p, size_t row, size_t k)
{
    return p ? p + row * k : NULL;
}

static ib_real largest(size_t k, const ib_real *z)
{
    ib_real top = z[0];
    for (size_t j = 1; j < k; j++)
        top = z[j] > top ? z[j] : top;
    return top;
}

/* sum_j exp(z_j - top); e (may be NULL) keeps the terms. */
static double sum_of_exp(size_t k, const ib_real *z, ib_real top, ib_real *e)
{
    ib_real part[BLOCK];
    double sum = 0;
    for (size_t from = 0; from < k; from += BLOCK) {
        size_t m = k - from < BLOCK ? k - from : BLOCK;
        for (size_t j = 0; j < m; j++)
            part[j] = z[from + j] - top;
        ib_vexp(m, part, part);
        sum += ib_sum(m, part);
        if (e)
            memcpy(e + from, part, m * sizeof *part);
    }
    return sum;
}

/* With m = sum(t): m log sum exp(z) - <t, z>; d / dz_j = m p_j - t_j, in double
 * because it cancels where the model is sure. */
double ib_loss_cross_entropy(size_t n, size_t k, const ib_real *logits,
                             const ib_real *target, ib_real *gradient)
{
    double loss = 0, share = 1.0 / (double)n;
    for (size_t i = 0; i < n; i++, logits += k, target += k) {
        ib_real *e = row_of(gradient, i, k);
        ib_real top = largest(k, logits);
        double sum = sum_of_exp(k, logits, top, e), mass = ib_sum(k, target);
        loss += mass * (ib_log(sum) + (double)top) - ib_dot(k, target, logits);
        double scale = mass / sum * share;
        for (size_t j = 0; e && j < k; j++)
            e[j] = (ib_real)((double)e[j] * scale - (double)target[j] * share);
    }
    return loss * share;
}

void ib_target_one_hot(size_t n, size_t k, const int32_t *label,
                       ib_real *target)
{
    memset(target, 0, n * k * sizeof *target);
    for (size_t i = 0; i < n; i++)
        target[i * k + (size_t)label[i]] = 1;
}

void ib_target_smooth(size_t n, size_t k, double alpha, ib_real *target)
{
    for (size_t i = 0; i < n; i++, target += k) {
        double floor = alpha * ib_sum(k, target) / (double)k;
        for (size_t j = 0; j < k; j++)
            target[j] = (ib_real)((1 - alpha) * (double)target[j] + floor);
    }
}

double ib_smoothing_at(double alpha, int64_t epoch, int64_t epochs)
{
    int64_t half = epochs / 2;
    if (epoch < half)
        return 0;
    if (epoch >= epochs * 3 / 4)
        return alpha;
    return alpha * (double)(epoch + 1 - half) / (double)(epochs - half);
}

/* The first of the largest logits but that of y. */
static size_t rival(size_t k, const ib_real *z, size_t y)
{
    size_t best = y == 0 ? 1 : 0;
    for (size_t j = best + 1; j < k; j++)
        if (j != y && z[j] > z[best])
            best = j;
    return best;
}

double ib_loss_max_margin(size_t n, size_t k, const ib_real *logits,
                          const int32_t *label, ib_real *gradient)
{
    double loss = 0;
    ib_real share = (ib_real)(1.0 / (double)n);
    if (gradient)
        memset(gradient, 0, n * k * sizeof *gradient);
    for (size_t i = 0; i < n; i++, logits += k) {
        size_t y = (size_t)label[i], other = rival(k, logits, y);
        loss += (double)logits[other] - (double)logits[y];
        if (gradient) {
            gradient[i * k + y] = -share;
            gradient[i * k + other] = share;
        }
    }
    return loss / (double)n;
}

double ib_loss_logit(size_t n, size_t k, const ib_real *logits,
                     const int32_t *label, ib_real *gradient)
{
    double loss = 0;
    if (gradient)
        memset(gradient, 0, n * k * sizeof *gradient);
    for (size_t i = 0; i < n; i++) {
        size_t at = i * k + (size_t)label[i];
        loss -= (double)logits[at];
        if (gradient)
            gradient[at] = (ib_real)(-1.0 / (double)n);
    }
    return loss / (double)n;
}

/* --- Poincare distance --------------------------------------------------- */

static const double TARGET = 0.9999; /* v at the label: 1 - xi, xi = 1e-4 */
static const double MARGIN = 1e-12;  /* least 1 - |u|^2 */

struct poincare {
    double l1;           /* |z|_1; 1 for a row of zeros */
    double gap;          /* |u - v|^2 */
    double inside;       /* 1 - |u|^2, or the floor */
    bool floored;        /* that was the floor */
    double delta, outer; /* 2 gap / (inside (1 - |v|^2)), and 1 - |v|^2 */
};

static struct poincare poincare_of(size_t k, const ib_real *z, size_t y)
{
    struct poincare p = {.outer = 1 - TARGET * TARGET};
    double l1 = 0, square = 0, rest = 0;
    for (size_t j = 0; j < k; j++)
        l1 += fabs((double)z[j]);
    p.l1 = l1 > 0 ? l1 : 1;
    for (size_t j = 0; j < k; j++) {
        double u = (double)z[j] / p.l1;
        square += u * u;
        rest += j == y ? (u - TARGET) * (u - TARGET) : u * u;
    }
    p.gap = rest;
    p.floored = 1 - square < MARGIN;
    p.inside = p.floored ? MARGIN : 1 - square;
    p.delta = 2 * p.gap / (p.inside * p.outer);
    return p;
}

/* d loss / du_j = c (2 (u_j - v_j) + 2 u_j gap / inside), and through u = z /
 * |z|_1: d / dz_j = (that - sign(z_j) <that, u>) / |z|_1. */
static void poincare_gradient(const struct poincare *p, size_t k,
                              const ib_real *z, size_t y, ib_real *gradient)
{
    double root = sqrt(p->delta * (p->delta + 2));
    double c = 4 / (p->inside * p->outer * root);
    double pull = p->floored ? 0 : p->gap / p->inside, along = 0;
    for (size_t j = 0; j < k; j++) {
        double u = (double)z[j] / p->l1, v = j == y ? TARGET : 0;
        along += c * (u - v + u * pull) * u;
    }
    for (size_t j = 0; j < k; j++) {
        double u = (double)z[j] / p->l1, v = j == y ? TARGET : 0;
        double sign = z[j] > 0 ? 1 : z[j] < 0 ? -1 : 0;
        gradient[j] =
            (ib_real)((c * (u - v + u * pull) - sign * along) / p->l1);
    }
}

static bool all_zero(size_t k, const ib_real *z)
{
    for (size_t j = 0; j < k; j++)
        if (z[j] != 0)
            return false;
    return true;
}

double ib_loss_poincare(size_t n, size_t k, const ib_real *logits,
                        const int32_t *label, ib_real *gradient)
{
    double loss = 0;
    ib_real share = (ib_real)(1.0 / (double)n);
    for (size_t i = 0; i < n; i++, logits += k) {
        size_t y = (size_t)label[i];
        struct poincare p = poincare_of(k, logits, y);
        loss += ib_log(1 + p.delta + sqrt(p.delta * (p.delta + 2)));
        ib_real *g = row_of(gradient, i, k);
        if (!g)
            continue;
        if (all_zero(k, logits))
            memset(g, 0, k * sizeof *g);
        else
            poincare_gradient(&p, k, logits, y, g);
        for (size_t j = 0; j < k; j++)
            g[j] *= share;
    }
    return loss / (double)n;
}
