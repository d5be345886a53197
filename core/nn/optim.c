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

static void sgd(const struct ib_optim *o, float *restrict w,
                const float *restrict g, float *restrict m, size_t n,
                float decay)
{
    float mu = (float)o->momentum, rate = (float)o->rate;
    for (size_t i = 0; i < n; i++) {
        float d = __builtin_fmaf(decay, w[i], g[i]);
        m[i] = __builtin_fmaf(mu, m[i], d);
        w[i] = __builtin_fmaf(-rate, m[i], w[i]);
    }
}

static void adam(const struct ib_optim *o, float *restrict w,
                 const float *restrict g, size_t first, size_t n, float decay)
{
    const double beta2 = 0.999;
    float *restrict m = o->m + first, *restrict v = o->v + first;
    double t = (double)o->step;
    double c1 = 1 - ib_pow(o->momentum, t), c2 = 1 - ib_pow(beta2, t);
    float b1 = (float)o->momentum, b2 = (float)beta2;
    float r1 = (float)(1 - o->momentum), r2 = (float)(1 - beta2);
    float rate = (float)(o->rate / c1), scale = (float)(1 / sqrt(c2));
    for (size_t i = 0; i < n; i++) {
        float d = __builtin_fmaf(decay, w[i], g[i]);
        m[i] = __builtin_fmaf(b1, m[i], r1 * d);
        v[i] = __builtin_fmaf(b2, v[i], r2 * d * d);
        w[i] -= rate * m[i] / __builtin_fmaf(sqrtf(v[i]), scale, 1e-8f);
    }
}

void ib_optim_apply(const struct ib_optim *o, float *w, const float *g,
                    size_t first, size_t n, double decay)
{
    if (o->optimiser == IB_ADAM)
        adam(o, w + first, g + first, first, n, (float)decay);
    else
        sgd(o, w + first, g + first, o->m + first, n, (float)decay);
}

double ib_schedule_rate(int schedule, double rate, int64_t step, int64_t steps)
{
    if (schedule != IB_COSINE)
        return rate;
    double share = (double)step / (double)(steps > 0 ? steps : 1);
    return rate * 0.5 * (1 + ib_cos(3.141592653589793 * share));
}
