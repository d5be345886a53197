/*
 * Gradients from scores. The points of all rows flow, pair by pair, through
 * asks of a bounded size; a block of latents that fits a cache is brought into
 * range and decoded into the oracle's buffer as soon as it is full.
 */
#include <invbench/parts/gradest.h>

#include <assert.h>
#include <math.h>
#include <string.h>

#include <invbench/math.h>

const struct ib_choice ib_estimator_choices[] = {
    {"nes", "antithetic Gaussian directions"},
    {"spsa", "antithetic directions of random signs, cheaper to draw"},
    {"finite-differences", "one coordinate at a time"},
    {0},
};

enum { BLOCK_FLOATS = 65536, POINT = -1 };

/* What one or two rows of an ask are for. */
struct item {
    size_t row;    /* of the caller's array */
    size_t at;     /* first row of the ask: c(z), or the pair's + and - */
    int64_t pair;  /* POINT, or the number of the pair within its row */
    uint32_t axis; /* finite differences: the coordinate */
    float width;   /* finite differences: distance of the two points */
};

struct ib_gradest {
    struct ib_gradest_setup setup;
    const struct ib_oracle_info *info;
    struct ib_prior_use prior;
    size_t d, size, rows, block_rows;
    struct ib_rng *rng;   /* of each slot */
    struct item *item;    /* of the ask that is being filled */
    int32_t *slot;        /* of its rows */
    float *direction;     /* nes, spsa: u of each pair of the ask */
    float *block;         /* block_rows x d */
    uint32_t *axis;       /* finite differences: coordinates in drawn order */
    size_t items, filled; /* of the ask; rows */
    size_t block_first;   /* row of the ask that the block starts at */
    size_t block_item;    /* first item of the block */
};

/* One call of ib_gradest_run. */
struct call {
    struct ib_gradest_row *row;
    const float *z;
    float *gradient;
};

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static bool gradest_take(struct ib_gradest *g, struct ib_scratch *s)
{
    bool directed = g->setup.estimator != IB_DIFFERENCES;
    size_t u, block;

    if (!ib_size_mul(directed ? g->rows / 2 : 1, g->d, &u) ||
        !ib_size_mul(g->block_rows, g->d, &block))
        return false;
    g->rng = ib_scratch_take(s, (size_t)g->info->targets, sizeof(*g->rng));
    g->item = ib_scratch_take(s, g->rows, sizeof(*g->item));
    g->slot = ib_scratch_take(s, g->rows, sizeof(*g->slot));
    g->block = ib_scratch_take(s, block, sizeof(*g->block));
    if (directed)
        g->direction = ib_scratch_take(s, u, sizeof(*g->direction));
    else
        g->axis = ib_scratch_take(s, g->d, sizeof(*g->axis));
    return g->rng && g->item && g->slot && g->block &&
           (g->direction || g->axis);
}

enum ib_status ib_gradest_create(struct ib_gradest **out,
                                 const struct ib_gradest_setup *s,
                                 struct ib_error *err)
{
    const struct ib_attack_env *env = s->env;
    struct ib_gradest *g = ib_scratch_take(env->scratch, 1, sizeof(*g));

    if (!g)
        return ib_error_set(err, IB_E_NOMEM, "no memory for an estimator");
    g->setup = *s;
    g->info = ib_oracle_info(env->oracle);
    g->prior = env->prior;
    g->d = env->prior.size;
    g->size = ib_shape_size(g->info->shape);
    g->rows = smaller(s->rows, g->info->capacity);
    if (g->rows < 2)
        return ib_error_set(err, IB_E_USAGE,
                            "estimating a gradient takes asks of 2 rows; the "
                            "oracle grants %zu",
                            g->rows);
    g->block_rows = smaller(larger(BLOCK_FLOATS / g->d, 2), g->rows);
    if (!gradest_take(g, env->scratch))
        return ib_error_set(err, IB_E_NOMEM,
                            "no memory for asks of %zu rows of %zu", g->rows,
                            g->d);
    for (int i = 0; i < g->info->targets; i++)
        g->rng[i] = ib_rng_stream(env->seed, "attack", env->target[i],
                                  "gradient-estimate");
    *out = g;
    return IB_OK;
}

/* Brings the block into range and writes it into the oracle's buffer. */
static void block_flush(struct ib_gradest *g)
{
    size_t n = g->filled - g->block_first;

    if (n == 0)
        return;
    g->prior.prior->project(g->prior.state, n, g->block);
    if (g->setup.estimator == IB_DIFFERENCES)
        for (size_t i = g->block_item; i < g->items; i++) {
            struct item *t = &g->item[i];
            const float *p = g->block + (t->at - g->block_first) * g->d;

            if (t->pair != POINT)
                t->width = p[t->axis] - p[g->d + t->axis];
        }
    g->prior.prior->decode(g->prior.state, n, g->block,
                           ib_oracle_input(g->setup.env->oracle) +
                               g->block_first * g->size);
    g->block_first = g->filled;
    g->block_item = g->items;
}

static void pair_learn(const struct ib_gradest *g, const struct item *t,
                       struct call *c, float difference)
{
    struct ib_gradest_row *row = &c->row[t->row];
    float *gradient = c->gradient + t->row * g->d;

    row->answered++;
    if (difference == 0)
        return;
    row->signal++;
    if (g->setup.estimator == IB_DIFFERENCES) {
        if (t->width > 0)
            gradient[t->axis] = difference / t->width;
    } else {
        double scale = 2 * row->step * (double)row->pairs;

        ib_axpy(g->d, (float)((double)difference / scale),
                g->direction + t->at / 2 * g->d, gradient);
    }
}

static void learn(const struct ib_gradest *g, struct call *c,
                  const float *scores)
{
    const struct ib_attack_env *env = g->setup.env;
    const uint8_t *denied = ib_oracle_denied(env->oracle);
    size_t k = (size_t)g->info->classes;

    for (size_t i = 0; i < g->items; i++) {
        const struct item *t = &g->item[i];
        const float *score = scores + t->at * k;
        int32_t class = env->target[c->row[t->row].slot];

        if (t->pair == POINT)
            c->row[t->row].cost =
                denied[t->at] ? INFINITY : 1 - (double)score[class];
        else if (!denied[t->at] && !denied[t->at + 1])
            pair_learn(g, t, c, score[k + (size_t) class] - score[class]);
    }
}

static enum ib_status ask(struct ib_gradest *g, struct call *c,
                          struct ib_error *err)
{
    const float *scores = NULL;
    enum ib_status s;

    if (g->filled == 0)
        return IB_OK;
    block_flush(g);
    s = ib_oracle_scores(g->setup.env->oracle, g->filled, g->slot, &scores,
                         err);
    if (s == IB_OK)
        learn(g, c, scores);
    g->filled = g->items = g->block_first = g->block_item = 0;
    return s;
}

/* Makes room for `count` rows of one item. */
static enum ib_status item_begin(struct ib_gradest *g, struct call *c,
                                 size_t row, size_t count, struct ib_error *err)
{
    if (g->filled + count > g->rows) {
        enum ib_status s = ask(g, c, err);

        if (s != IB_OK)
            return s;
    }
    if (g->filled + count - g->block_first > g->block_rows)
        block_flush(g);
    g->item[g->items] = (struct item){.row = row, .at = g->filled};
    for (size_t i = 0; i < count; i++)
        g->slot[g->filled + i] = c->row[row].slot;
    return IB_OK;
}

static enum ib_status add_point(struct ib_gradest *g, struct call *c,
                                size_t row, struct ib_error *err)
{
    enum ib_status s = item_begin(g, c, row, 1, err);

    if (s != IB_OK)
        return s;
    memcpy(g->block + (g->filled - g->block_first) * g->d, c->z + row * g->d,
           g->d * sizeof(*g->block));
    g->item[g->items++].pair = POINT;
    g->filled++;
    return IB_OK;
}

/* One bit of the stream a sign. */
static void fill_signs(struct ib_rng *rng, float *u, size_t d)
{
    for (size_t j = 0; j < d; j += 32) {
        uint32_t bits = ib_rng_u32(rng);
        size_t n = smaller(d - j, 32);

        for (size_t b = 0; b < n; b++)
            u[j + b] = (float)((int32_t)(bits >> b & 1) * 2 - 1);
    }
}

static void pair_directions(float *plus, float *minus, const float *z,
                            const float *u, size_t d, float step)
{
    for (size_t j = 0; j < d; j++) {
        float move = step * u[j];

        plus[j] = z[j] + move;
        minus[j] = z[j] - move;
    }
}

static enum ib_status add_pair(struct ib_gradest *g, struct call *c, size_t row,
                               size_t pair, struct ib_error *err)
{
    enum ib_status s = item_begin(g, c, row, 2, err);
    const float *z = c->z + row * g->d;
    float step = (float)c->row[row].step, *plus, *minus;
    struct item *t = &g->item[g->items];

    if (s != IB_OK)
        return s;
    plus = g->block + (g->filled - g->block_first) * g->d;
    minus = plus + g->d;
    t->pair = (int64_t)pair;
    if (g->direction) {
        float *u = g->direction + t->at / 2 * g->d;
        struct ib_rng *rng = &g->rng[c->row[row].slot];

        if (g->setup.estimator == IB_NES)
            ib_rng_fill_normal(rng, u, g->d, 1);
        else
            fill_signs(rng, u, g->d);
        pair_directions(plus, minus, z, u, g->d, step);
    } else {
        t->axis = g->axis[pair];
        memcpy(plus, z, g->d * sizeof(*z));
        memcpy(minus, z, g->d * sizeof(*z));
        plus[t->axis] += step;
        minus[t->axis] -= step;
    }
    g->items++;
    g->filled += 2;
    return IB_OK;
}

/* The first `count` places of a random order of all coordinates. */
static void draw_axes(struct ib_gradest *g, struct ib_rng *rng, size_t count)
{
    for (size_t j = 0; j < g->d; j++)
        g->axis[j] = (uint32_t)j;
    if (count == g->d)
        return;
    for (size_t j = 0; j < count; j++) {
        size_t other = j + ib_rng_below(rng, (uint32_t)(g->d - j));
        uint32_t held = g->axis[j];

        g->axis[j] = g->axis[other];
        g->axis[other] = held;
    }
}

static size_t affordable(const struct ib_gradest *g, uint64_t left)
{
    bool axes = g->setup.estimator == IB_DIFFERENCES;
    size_t wanted = g->setup.pairs;
    uint64_t most = (left - 1) / 2;

    if (axes && (wanted == 0 || wanted > g->d))
        wanted = g->d;
    return most < wanted ? (size_t)most : wanted;
}

static enum ib_status row_ask(struct ib_gradest *g, struct call *c, size_t i,
                              struct ib_error *err)
{
    struct ib_gradest_row *row = &c->row[i];
    uint64_t left = ib_oracle_left(g->setup.env->oracle, row->slot);
    enum ib_status s;

    row->cost = INFINITY;
    row->pairs = row->answered = row->signal = 0;
    if (left == 0)
        return IB_OK;
    row->pairs = c->gradient ? affordable(g, left) : 0;
    if (row->pairs > 0 && g->setup.estimator == IB_DIFFERENCES)
        draw_axes(g, &g->rng[row->slot], row->pairs);
    s = add_point(g, c, i, err);
    for (size_t p = 0; p < row->pairs && s == IB_OK; p++)
        s = add_pair(g, c, i, p, err);
    return s;
}

/* A mean that was taken over the planned pairs becomes one over those that
 * were answered. */
static void row_finish(const struct ib_gradest *g,
                       const struct ib_gradest_row *row, float *gradient)
{
    double scale;

    if (g->setup.estimator == IB_DIFFERENCES || row->answered == 0 ||
        row->answered == row->pairs)
        return;
    scale = (double)row->pairs / (double)row->answered;
    for (size_t j = 0; j < g->d; j++)
        gradient[j] = (float)(scale * (double)gradient[j]);
}

enum ib_status ib_gradest_run(struct ib_gradest *g, size_t n,
                              struct ib_gradest_row *row, const float *z,
                              float *gradient, struct ib_error *err)
{
    struct call c = {.row = row, .z = z, .gradient = gradient};
    enum ib_status s = IB_OK;

    if (gradient)
        memset(gradient, 0, n * g->d * sizeof(*gradient));
    for (size_t i = 0; i < n && s == IB_OK; i++) {
        assert(row[i].step > 0);
        s = row_ask(g, &c, i, err);
    }
    if (s == IB_OK)
        s = ask(g, &c, err);
    for (size_t i = 0; gradient && s == IB_OK && i < n; i++)
        row_finish(g, &row[i], gradient + i * g->d);
    return s;
}
