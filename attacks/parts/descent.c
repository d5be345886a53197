/* Batched gradient descent with one stop state a row. */
#include <invbench/parts/descent.h>

#include <assert.h>
#include <math.h>
#include <string.h>

#include <invbench/math.h>

const struct ib_choice ib_objective_choices[] = {
    {"confidence", "one minus the class's probability (the paper's)"},
    {"negative-log", "minus the logarithm of the class's probability"},
    {"margin", "the best other logit minus the class's"},
    {0},
};

struct work {
    size_t active;
    size_t *row;     /* of the caller's array, for each active row */
    int32_t *slot;   /* of each active row */
    bool *over;      /* of each active row: ends in this iteration; before it
                        is judged: evaluate() said so */
    double *cost;    /* of each active row */
    float *gradient; /* n x d, compact */
    double *window;  /* n x beta, by the caller's row; ring by iteration */
};

static enum ib_status work_take(struct work *w, const struct ib_descent *p,
                                size_t n, struct ib_error *err)
{
    struct ib_scratch *s = p->scratch;
    size_t cells;

    if (!ib_size_mul(n, p->d, &cells))
        return ib_error_set(err, IB_E_NOMEM, "%zu rows of %zu are too many", n,
                            p->d);
    w->row = ib_scratch_take(s, n, sizeof(*w->row));
    w->slot = ib_scratch_take(s, n, sizeof(*w->slot));
    w->over = ib_scratch_take(s, n, sizeof(*w->over));
    w->cost = ib_scratch_take(s, n, sizeof(*w->cost));
    w->gradient = ib_scratch_take(s, cells, sizeof(*w->gradient));
    w->window = ib_scratch_take(s, n * ((size_t)p->beta + 1), sizeof(double));
    if (!w->row || !w->slot || !w->over || !w->cost || !w->gradient ||
        !w->window)
        return ib_error_set(err, IB_E_NOMEM,
                            "no memory for a descent of %zu rows of %zu", n,
                            p->d);
    return IB_OK;
}

static bool stalled(const double *window, int64_t beta, double cost)
{
    for (int64_t j = 0; j < beta; j++)
        if (cost < window[j])
            return false;
    return true;
}

/* Takes the cost of step i into account; true when the row is over. */
static bool row_judge(const struct ib_descent *p, struct ib_descent_row *row,
                      double *window, int64_t i, double cost, bool last)
{
    bool flat = p->beta > 0 && i >= p->beta && stalled(window, p->beta, cost);

    row->steps = i;
    if (isinf(cost))
        row->stop = IB_STOP_ENDED;
    else if (i > 0 && cost <= p->gamma)
        row->stop = IB_STOP_GAMMA;
    else if (last)
        row->stop = IB_STOP_ENDED;
    else if (flat)
        row->stop = IB_STOP_WINDOW;
    else if (i == p->alpha)
        row->stop = IB_STOP_STEPS;
    else {
        if (p->beta > 0)
            window[i % p->beta] = cost;
        return false;
    }
    return true;
}

static bool row_better(const struct ib_descent *p,
                       const struct ib_descent_row *row, double cost)
{
    return cost < row->cost || (p->late && cost == row->cost && !isinf(cost));
}

static enum ib_status judge(const struct ib_descent *p, struct work *w,
                            struct ib_descent_row *rows, const float *z,
                            int64_t i, struct ib_error *err)
{
    for (size_t a = 0; a < w->active; a++) {
        struct ib_descent_row *row = &rows[w->row[a]];
        double cost = w->cost[a];

        if (isnan(cost))
            return ib_error_set(err, IB_E_NUMERIC,
                                "the cost of slot %d is not a number after "
                                "%lld steps",
                                (int)row->slot, (long long)i);
        if (row_better(p, row, cost)) {
            row->cost = cost;
            row->best_step = i;
            p->publish(p->ctx, row->slot, z + a * p->d);
        }
        w->over[a] = row_judge(p, row, w->window + w->row[a] * (size_t)p->beta,
                               i, cost, w->over[a]);
    }
    return IB_OK;
}

/* Closes the gaps that rows which are over leave, keeping the order. */
static void compact(const struct ib_descent *p, struct work *w, float *z)
{
    size_t to = 0, bytes = p->d * sizeof(*z);

    for (size_t a = 0; a < w->active; a++) {
        if (w->over[a])
            continue;
        if (to != a) {
            w->row[to] = w->row[a];
            w->slot[to] = w->slot[a];
            memcpy(z + to * p->d, z + a * p->d, bytes);
            memcpy(w->gradient + to * p->d, w->gradient + a * p->d, bytes);
        }
        to++;
    }
    w->active = to;
}

static void work_start(const struct ib_descent *p, struct work *w, size_t n,
                       struct ib_descent_row *rows, const float *z)
{
    w->active = n;
    for (size_t a = 0; a < n; a++) {
        w->row[a] = a;
        w->slot[a] = rows[a].slot;
        rows[a].cost = INFINITY;
        rows[a].steps = rows[a].best_step = 0;
        p->publish(p->ctx, rows[a].slot, z + a * p->d);
    }
}

static enum ib_status descend(const struct ib_descent *p, struct work *w,
                              struct ib_descent_row *rows, float *z,
                              struct ib_error *err)
{
    for (int64_t i = 0;; i++) {
        struct ib_descent_ask ask = {
            .n = w->active,
            .slot = w->slot,
            .z = z,
            .cost = w->cost,
            .last = w->over,
            .gradient = i < p->alpha ? w->gradient : NULL,
        };
        enum ib_status s;

        memset(w->over, 0, w->active * sizeof(*w->over));
        s = p->evaluate(p->ctx, &ask, err);
        if (s == IB_OK)
            s = judge(p, w, rows, z, i, err);
        if (s != IB_OK)
            return s;
        compact(p, w, z);
        if (w->active == 0)
            return IB_OK;
        ib_axpy(w->active * p->d, (float)-p->lambda, w->gradient, z);
        if (p->settle)
            s = p->settle(p->ctx, w->active, w->slot, z, err);
        if (s != IB_OK)
            return s;
    }
}

enum ib_status ib_descent_run(const struct ib_descent *p, size_t n,
                              struct ib_descent_row *row, float *z,
                              struct ib_error *err)
{
    struct work w = {0};
    size_t mark = ib_scratch_mark(p->scratch);
    enum ib_status s;

    assert(p->alpha >= 0 && p->beta >= 0 && p->d > 0);
    if (n == 0)
        return IB_OK;
    s = work_take(&w, p, n, err);
    if (s == IB_OK) {
        work_start(p, &w, n, row, z);
        s = descend(p, &w, row, z, err);
    }
    ib_scratch_reset(p->scratch, mark);
    return s;
}

enum ib_status ib_descent_start(const struct ib_attack_env *env,
                                enum ib_start start, size_t first, size_t n,
                                float *z, struct ib_error *err)
{
    const struct ib_prior_use *prior = &env->prior;
    enum ib_status s = IB_OK;

    for (size_t i = 0; i < n && s == IB_OK; i++) {
        struct ib_rng rng =
            ib_rng_stream(env->seed, "attack", env->target[first + i], "start");

        s = prior->prior->start(prior->state, start, &rng, z + i * prior->size,
                                err);
    }
    return s;
}

static int best_other(size_t k, const float *z, int t)
{
    int best = t == 0 ? 1 : 0;

    for (size_t j = 0; j < k; j++)
        if ((int)j != t && z[j] > z[best])
            best = (int)j;
    return best;
}

static double others(size_t k, const float *z, int t, double top)
{
    double sum = 0;

    for (size_t j = 0; j < k; j++)
        if ((int)j != t)
            sum += ib_exp((double)z[j] - top);
    return sum;
}

double ib_class_cost(enum ib_objective objective, size_t k, const float *z,
                     int t, float *dz)
{
    double top = (double)z[t], rest, all, cost, scale;

    assert(k >= 2 && t >= 0 && (size_t)t < k);
    for (size_t j = 0; j < k; j++)
        top = (double)z[j] > top ? (double)z[j] : top;
    rest = others(k, z, t, top);
    all = rest + ib_exp((double)z[t] - top);
    cost = rest / all;
    if (!dz)
        return cost;
    if (objective == IB_MARGIN) {
        memset(dz, 0, k * sizeof(*dz));
        dz[t] = -1;
        dz[best_other(k, z, t)] = 1;
        return cost;
    }
    scale = objective == IB_CONFIDENCE ? 1 - cost : 1;
    for (size_t j = 0; j < k; j++)
        dz[j] = (float)(scale * ib_exp((double)z[j] - top) / all);
    dz[t] = (float)(-scale * cost);
    return cost;
}
