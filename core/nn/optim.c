/*
 * Optimisers, in the form and with the defaults of PyTorch.
 *
 * Legend: w parameters, d gradient (with its L2 penalty), t step.
 *   sgd       m = mu m + d; w -= rate m (Sutskever et al., ICML 2013)
 *   nesterov  the same m; w -= rate (d + mu m)
 *   adam      m = b1 m + (1 - b1) d; v = b2 v + (1 - b2) d^2;
 *             w -= rate / (1 - b1^t) m / (sqrt(v / (1 - b2^t)) + eps)
 *             (Kingma, Ba, ICLR 2015, algorithm 1)
 *   amsgrad   adam with the largest v so far (Reddi, Kale, Kumar, ICLR 2018)
 *   adamw     adam with w *= 1 - rate decay in place of the L2 penalty
 *             (Loshchilov, Hutter, ICLR 2019)
 */
#include <invbench/math.h>
#include <invbench/optim.h>
#include <math.h>

#ifdef IB_DOUBLE
#define ROOT sqrt
#else
#define ROOT sqrtf
#endif

const struct ib_choice ib_optimiser_choices[] = {
    [IB_SGD] = {"sgd", "stochastic gradient descent with momentum"},
    [IB_NESTEROV] = {"nesterov", "the same with Nesterov's momentum"},
    [IB_ADAM] = {"adam", "adaptive moments"},
    [IB_AMSGRAD] = {"amsgrad", "adam whose second moments never shrink"},
    [IB_ADAMW] = {"adamw", "adam with weight decay apart from the gradient"},
    {0},
};

const struct ib_choice ib_schedule_choices[] = {
    [IB_CONSTANT] = {"constant", "the same rate throughout"},
    [IB_COSINE] = {"cosine", "falls to 0 along half a cosine in each phase"},
    [IB_LINEAR] = {"linear", "falls to 0 in equal steps in each phase"},
    [IB_MILESTONES] = {"milestones", "times gamma at each milestone"},
    [IB_ONE_CYCLE] = {"one-cycle", "rises from a 25th and falls to nearly 0"},
    {0},
};

size_t ib_optim_arrays(int optimiser)
{
    switch (optimiser) {
    case IB_ADAM:
    case IB_ADAMW:
        return 2;
    case IB_AMSGRAD:
        return 3;
    default:
        return 1;
    }
}

void ib_optim_use(struct ib_optim *o, ib_real *moments, size_t n)
{
    size_t arrays = ib_optim_arrays(o->optimiser);
    o->m = moments;
    o->v = arrays > 1 ? moments + n : NULL;
    o->most = arrays > 2 ? moments + 2 * n : NULL;
}

/* --- sgd ----------------------------------------------------------------- */

struct descent {
    ib_real mu, rate, scale, decay;
};

static void plain(struct descent s, ib_real *restrict w,
                  const ib_real *restrict g, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        ib_real d = ib_fma(s.decay, w[i], s.scale * g[i]);
        w[i] = ib_fma(-s.rate, d, w[i]);
    }
}

static void momentum(struct descent s, ib_real *restrict w,
                     const ib_real *restrict g, ib_real *restrict m, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        ib_real d = ib_fma(s.decay, w[i], s.scale * g[i]);
        m[i] = ib_fma(s.mu, m[i], d);
        w[i] = ib_fma(-s.rate, m[i], w[i]);
    }
}

static void nesterov(struct descent s, ib_real *restrict w,
                     const ib_real *restrict g, ib_real *restrict m, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        ib_real d = ib_fma(s.decay, w[i], s.scale * g[i]);
        m[i] = ib_fma(s.mu, m[i], d);
        w[i] = ib_fma(-s.rate, ib_fma(s.mu, m[i], d), w[i]);
    }
}

/* --- the Adam family ----------------------------------------------------- */

struct adam {
    ib_real b1, b2, rest1, rest2; /* beta, 1 - beta */
    ib_real rate, root;           /* with their bias corrections */
    ib_real epsilon, scale;
    ib_real penalty, keep; /* L2 decay; what AdamW leaves of a weight */
};

static struct adam adam_of(const struct ib_optim *o, double decay)
{
    double beta2 = o->beta2 > 0 ? o->beta2 : 0.999, t = (double)o->step;
    double c1 = 1 - ib_pow(o->momentum, t), c2 = 1 - ib_pow(beta2, t);
    bool apart = o->optimiser == IB_ADAMW;
    return (struct adam){
        .b1 = (ib_real)o->momentum,
        .b2 = (ib_real)beta2,
        .rest1 = (ib_real)(1 - o->momentum),
        .rest2 = (ib_real)(1 - beta2),
        .rate = (ib_real)(o->rate / c1),
        .root = (ib_real)(1 / sqrt(c2)),
        .epsilon = (ib_real)(o->epsilon > 0 ? o->epsilon : 1e-8),
        .scale = (ib_real)(o->scale > 0 ? o->scale : 1),
        .penalty = (ib_real)(apart ? 0 : decay),
        .keep = (ib_real)(apart ? 1 - o->rate * decay : 1),
    };
}

static void adam(struct adam a, ib_real *restrict w, const ib_real *restrict g,
                 ib_real *restrict m, ib_real *restrict v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        ib_real d = ib_fma(a.penalty, w[i], a.scale * g[i]);
        m[i] = ib_fma(a.b1, m[i], a.rest1 * d);
        v[i] = ib_fma(a.b2, v[i], a.rest2 * d * d);
        ib_real by = ib_fma(ROOT(v[i]), a.root, a.epsilon);
        w[i] = a.keep * w[i] - a.rate * m[i] / by;
    }
}

static void amsgrad(struct adam a, const struct ib_optim *o,
                    ib_real *restrict w, const ib_real *restrict g,
                    size_t first, size_t n)
{
    ib_real *restrict m = o->m + first, *restrict v = o->v + first;
    ib_real *restrict most = o->most + first;
    for (size_t i = 0; i < n; i++) {
        ib_real d = ib_fma(a.penalty, w[i], a.scale * g[i]);
        m[i] = ib_fma(a.b1, m[i], a.rest1 * d);
        v[i] = ib_fma(a.b2, v[i], a.rest2 * d * d);
        most[i] = v[i] > most[i] ? v[i] : most[i];
        w[i] -= a.rate * m[i] / ib_fma(ROOT(most[i]), a.root, a.epsilon);
    }
}

void ib_optim_apply(const struct ib_optim *o, ib_real *w, const ib_real *g,
                    size_t first, size_t n, double decay)
{
    w += first;
    g += first;
    if (o->optimiser == IB_AMSGRAD) {
        amsgrad(adam_of(o, decay), o, w, g, first, n);
        return;
    }
    if (o->optimiser == IB_ADAM || o->optimiser == IB_ADAMW) {
        adam(adam_of(o, decay), w, g, o->m + first, o->v + first, n);
        return;
    }
    struct descent s = {.mu = (ib_real)o->momentum,
                        .rate = (ib_real)o->rate,
                        .scale = (ib_real)(o->scale > 0 ? o->scale : 1),
                        .decay = (ib_real)decay};
    if (o->momentum <= 0)
        plain(s, w, g, n);
    else if (o->optimiser == IB_NESTEROV)
        nesterov(s, w, g, o->m + first, n);
    else
        momentum(s, w, g, o->m + first, n);
}

double ib_clip_scale(double norm, double limit)
{
    double scale = limit / (norm + 1e-6);
    return limit > 0 && scale < 1 ? scale : 1;
}

/* --- schedules ----------------------------------------------------------- */

/* From a at 0 to b at 1 along half a cosine. */
static double half_cosine(double a, double b, double share)
{
    return b + (a - b) * 0.5 * (1 + ib_cos(3.141592653589793 * share));
}

/* Smith, Topin, "Super-convergence", 2019, as PyTorch's OneCycleLR: from rate /
 * 25 up to the rate and down to rate / 25e4; the momentum stays. */
static double one_cycle(const struct ib_rate_plan *p, double step)
{
    double low = p->rate / 25, end = low / 1e4;
    double top = (p->warmup > 0 ? p->warmup : 0.3) * (double)p->steps - 1;
    double last = (double)p->steps - 1;
    if (step <= top)
        return half_cosine(low, p->rate, top > 0 ? step / top : 1);
    return half_cosine(p->rate, end,
                       last > top ? (step - top) / (last - top) : 1);
}

static double with_milestones(const struct ib_rate_plan *p, int64_t step)
{
    double rate = p->rate;
    for (int i = 0; i < p->milestones.n; i++)
        if (step * 100 >= p->milestones.v[i] * p->steps)
            rate *= p->gamma;
    return rate;
}

double ib_rate_at(const struct ib_rate_plan *p, int64_t step)
{
    double rise = floor(p->warmup * (double)p->steps + 0.5);
    double share = ((double)step - rise) / ((double)p->steps - rise);
    if (p->schedule == IB_ONE_CYCLE)
        return one_cycle(p, (double)step);
    if ((double)step < rise)
        return p->rate * ((double)step + 1) / rise;
    switch (p->schedule) {
    case IB_COSINE:
        return half_cosine(p->rate, 0, share);
    case IB_LINEAR:
        return p->rate * (1 - share);
    case IB_MILESTONES:
        return with_milestones(p, step);
    default:
        return p->rate;
    }
}
