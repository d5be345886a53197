/*
 * Kullback-Leibler divergences of independent normal distributions.
 *
 * KL(q || p) = 1/2 (log v_p - log v_q + (v_q + (m_q - m_p)^2) / v_p - 1), m the
 * mean, v the variance.
 */
#include <invbench/losses.h>
#include <invbench/math.h>

enum { BLOCK = 64 };

/* Up to BLOCK entries of a distribution. */
struct block {
    ib_real variance[BLOCK], log[BLOCK];
};

static void load(const struct ib_normals *q, size_t from, size_t m,
                 struct block *b)
{
    const ib_real *s = q->spread + from;
    if (q->kind == IB_LOG_VARIANCE) {
        ib_vexp(m, s, b->variance);
        for (size_t j = 0; j < m; j++)
            b->log[j] = s[j];
        return;
    }
    ib_vlog(m, s, b->log);
    for (size_t j = 0; j < m; j++) {
        b->variance[j] = s[j] * s[j];
        b->log[j] *= 2;
    }
}

/* d / d spread from s = v dKL/dv + dKL/dlog v, which is d / d log v: of a
 * deviation it is 2 / deviation times as much. */
static void store(const struct ib_normals *q, size_t from, size_t m,
                  const ib_real *slope, ib_real scale)
{
    if (!q->dspread)
        return;
    ib_real *out = q->dspread + from;
    for (size_t j = 0; j < m; j++)
        out[j] = slope[j] * scale;
    if (q->kind == IB_DEVIATION)
        for (size_t j = 0; j < m; j++)
            out[j] *= 2 / q->spread[from + j];
}

static double standard_block(const struct ib_normals *q, size_t from, size_t m,
                             ib_real scale)
{
    struct block b;
    ib_real term[BLOCK], slope[BLOCK];
    const ib_real *mean = q->mean + from;
    load(q, from, m, &b);
    for (size_t j = 0; j < m; j++) {
        ib_real excess = b.variance[j] - 1;
        term[j] = ib_fma(mean[j], mean[j], excess - b.log[j]);
        slope[j] = (ib_real)0.5 * excess;
    }
    for (size_t j = 0; q->dmean && j < m; j++)
        q->dmean[from + j] = mean[j] * scale;
    store(q, from, m, slope, scale);
    return 0.5 * ib_sum(m, term);
}

double ib_loss_kl_standard(size_t n, size_t d, const struct ib_normals *q)
{
    double loss = 0, share = 1.0 / (double)n;
    for (size_t from = 0; from < n * d; from += BLOCK) {
        size_t m = n * d - from < BLOCK ? n * d - from : BLOCK;
        loss += standard_block(q, from, m, (ib_real)share);
    }
    return loss * share;
}

static void store_means(const struct ib_normals *q, const struct ib_normals *p,
                        size_t from, size_t m, const ib_real *slope)
{
    for (size_t j = 0; q->dmean && j < m; j++)
        q->dmean[from + j] = slope[j];
    for (size_t j = 0; p->dmean && j < m; j++)
        p->dmean[from + j] = -slope[j];
}

static double pair_block(const struct ib_normals *q, const struct ib_normals *p,
                         size_t from, size_t m, ib_real scale)
{
    struct block a, b;
    ib_real term[BLOCK], dmean[BLOCK], dq[BLOCK], dp[BLOCK];
    load(q, from, m, &a);
    load(p, from, m, &b);
    for (size_t j = 0; j < m; j++) {
        ib_real gap = q->mean[from + j] - p->mean[from + j];
        ib_real ratio = a.variance[j] / b.variance[j];
        ib_real far = gap * gap / b.variance[j];
        ib_real excess = ratio - 1;
        term[j] = excess - (a.log[j] - b.log[j]) + far;
        dmean[j] = gap / b.variance[j] * scale;
        dq[j] = (ib_real)0.5 * excess;
        dp[j] = (ib_real)-0.5 * (excess + far);
    }
    store_means(q, p, from, m, dmean);
    store(q, from, m, dq, scale);
    store(p, from, m, dp, scale);
    return 0.5 * ib_sum(m, term);
}

double ib_loss_kl(size_t n, size_t d, const struct ib_normals *q,
                  const struct ib_normals *p)
{
    double loss = 0, share = 1.0 / (double)n;
    for (size_t from = 0; from < n * d; from += BLOCK) {
        size_t m = n * d - from < BLOCK ? n * d - from : BLOCK;
        loss += pair_block(q, p, from, m, (ib_real)share);
    }
    return loss * share;
}
