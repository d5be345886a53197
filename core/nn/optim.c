/*
 * SGD with momentum (Sutskever et al., ICML 2013, in the form v = mu v + g,
 * w -= rate v) and Adam (Kingma, Ba, ICLR 2015, algorithm 1, beta2 0.999,
 * epsilon 1e-8).
 */
#include "optim.h"

#include <invbench/math.h>
#include <math.h>

const struct ib_choice ib_optimiser_choices[] = {
    [IB_SGD] = {"sgd", "stochastic gradient descent with momentum"},
    [IB_ADAM] = {"adam", "adaptive moments"},
    {0},
};

const struct ib_choice ib_schedule_choices[] = {
    [IB_CONSTANT] = {"constant", "the same rate throughout"},
    [IB_COSINE] = {"cosine", "falls to 0 along half a cosine in each phase"},
    {0},
};

static void sgd(const struct ib_optim *o, ib_real *restrict w,
                const ib_real *restrict g, ib_real *restrict m, size_t n,
                ib_real decay)
{
    ib_real mu = (ib_real)o->momentum, rate = (ib_real)o->rate;
    for (size_t i = 0; i < n; i++) {
        ib_real d = ib_fma(decay, w[i], g[i]);
        m[i] = ib_fma(mu, m[i], d);
        w[i] = ib_fma(-rate, m[i], w[i]);
    }
}

static void adam(const struct ib_optim *o, ib_real *restrict w,
                 const ib_real *restrict g, size_t first, size_t n,
                 ib_real decay)
{
    const double beta2 = 0.999;
    ib_real *restrict m = o->m + first, *restrict v = o->v + first;
    double t = (double)o->step;
    double c1 = 1 - ib_pow(o->momentum, t), c2 = 1 - ib_pow(beta2, t);
    ib_real b1 = (ib_real)o->momentum, b2 = (ib_real)beta2;
    ib_real r1 = (ib_real)(1 - o->momentum), r2 = (ib_real)(1 - beta2);
    ib_real rate = (ib_real)(o->rate / c1), scale = (ib_real)(1 / sqrt(c2));
    for (size_t i = 0; i < n; i++) {
        ib_real d = ib_fma(decay, w[i], g[i]);
        m[i] = ib_fma(b1, m[i], r1 * d);
        v[i] = ib_fma(b2, v[i], r2 * d * d);
        w[i] -= rate * m[i] / ib_fma(ib_sqrt(v[i]), scale, 1e-8f);
    }
}

void ib_optim_apply(const struct ib_optim *o, ib_real *w, const ib_real *g,
                    size_t first, size_t n, double decay)
{
    if (o->optimiser == IB_ADAM)
        adam(o, w + first, g + first, first, n, (ib_real)decay);
    else
        sgd(o, w + first, g + first, o->m + first, n, (ib_real)decay);
}

double ib_schedule_rate(int schedule, double rate, int64_t step, int64_t steps)
{
    if (schedule != IB_COSINE)
        return rate;
    double share = (double)step / (double)(steps > 0 ? steps : 1);
    return rate * 0.5 * (1 + ib_cos(3.141592653589793 * share));
}
