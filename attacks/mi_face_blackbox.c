/*
 * MI-Face from scores: Fredrikson, Jha, Ristenpart, CCS 2015, section 5, where
 * the gradient of c = 1 - f(x) is estimated from the scores alone. The paper
 * approximates it numerically (here: finite-differences); nes (Ilyas et al.
 * 2018) and spsa (Spall 1992) need far fewer queries.
 *
 * Deviations:
 *  - An estimate may be brought to its sign or to unit length, so that a step
 *    does not shrink with the confidence.
 *  - No window rule by default: rounded scores stand still while the search
 *    moves. Of equal scores the later point is published, for the same reason.
 *  - Where all answers of an estimate are equal (rounded away, or a label), the
 *    distance between the queried points grows; after `patience` such
 *    estimates in a row the identity is given up, and this is reported.
 *  - Points are clipped to the prior's box before they are asked. From a black
 *    start the two points of a pair are therefore not antithetic (where one
 *    coordinate moves, the other point's stays at 0), and an estimate of nes or
 *    spsa is about half as long as inside the box.
 *  - gamma is a cost, as in mi_face.c.
 */
#include <invbench/attack.h>

#include <math.h>

#include <invbench/math.h>
#include <invbench/parts/descent.h>
#include <invbench/parts/gradest.h>

/* Identities that descend together; most rows of one ask. */
enum { ROWS = 64, ASK = 256 };
enum normalise { NONE, SIGN, L2 };

struct options {
    struct ib_descent_options descent;
    int estimator, normalise;
    int64_t samples, patience;
    double sigma, growth, sigma_max, rate;
};

static const struct ib_choice normals[] = {
    {"none", "the estimate as it is"},
    {"sign", "each entry's sign"},
    {"l2", "unit Euclidean length"},
    {0},
};

#define ROW(field, kind, text)                                                 \
    .name = #field, .type = kind, .value = text,                               \
    .offset = offsetof(struct options, field)
#define RANGE(low, high) .min = low, .max = high

static const struct ib_option table[] = {
    IB_DESCENT_OPTIONS(options, "0"),
    {ROW(estimator, IB_CHOICE, "nes"), .choices = ib_estimator_choices,
     .help = "how a gradient is made of scores"},
    {ROW(samples, IB_INT, "100"), RANGE(0, 1e7), .unit = "queries",
     .help = "queries of one estimate, in pairs; 0 (finite-differences only): "
             "two for every coordinate"},
    {ROW(sigma, IB_REAL, "0.1"), RANGE(1e-9, 10),
     .help =
         "scale of the directions of nes and spsa, step of finite-differences"},
    {ROW(growth, IB_REAL, "2"), RANGE(1, 100),
     .help = "factor of sigma after an estimate of equal answers; 1: none"},
    {ROW(sigma_max, IB_REAL, "0.5"), RANGE(1e-9, 10),
     .help = "sigma does not grow beyond this"},
    {ROW(patience, IB_INT, "20"), RANGE(1, 1e6), .unit = "estimates",
     .help = "give an identity up after so many estimates of equal answers in "
             "a row"},
    {ROW(rate, IB_REAL, "1"), RANGE(1e-9, 1e9), .help = "step size"},
    {ROW(normalise, IB_CHOICE, "l2"), .choices = normals,
     .help = "what a step is made of"},
    {0},
};

struct state {
    const struct options *options;
    struct ib_attack_env *env;
    struct ib_gradest *estimator;
    double *sigma;  /* of each slot, as far as it has grown */
    int64_t *quiet; /* of each slot: estimates without signal in a row */
    struct ib_gradest_row row[ROWS];
};

static void row_normalise(enum normalise how, size_t d, float *g)
{
    double norm;

    switch (how) {
    case NONE:
        return;
    case SIGN:
        for (size_t j = 0; j < d; j++)
            g[j] = (float)((g[j] > 0) - (g[j] < 0));
        return;
    case L2:
        norm = sqrt(ib_dot(d, g, g));
        for (size_t j = 0; norm > 0 && j < d; j++)
            g[j] = (float)((double)g[j] / norm);
        return;
    }
}

/* Answers that were all equal widen the next estimate. False: give up. */
static bool heard(struct state *s, const struct ib_gradest_row *row)
{
    const struct options *o = s->options;
    double *sigma = &s->sigma[row->slot];

    if (row->answered == 0)
        return true;
    if (row->signal > 0) {
        s->quiet[row->slot] = 0;
        return true;
    }
    if (*sigma < o->sigma_max)
        *sigma = fmin(*sigma * o->growth, o->sigma_max);
    return ++s->quiet[row->slot] < o->patience;
}

static enum ib_status evaluate(void *ctx, const struct ib_descent_ask *ask,
                               struct ib_error *err)
{
    struct state *s = ctx;
    size_t d = s->env->prior.size;
    enum ib_status status;

    for (size_t i = 0; i < ask->n; i++) {
        s->row[i].slot = ask->slot[i];
        s->row[i].step = s->sigma[ask->slot[i]];
    }
    status = ib_gradest_run(s->estimator, ask->n, s->row, ask->z, ask->gradient,
                            err);
    if (status != IB_OK)
        return status;
    for (size_t i = 0; i < ask->n; i++) {
        ask->cost[i] = s->row[i].cost;
        if (!ask->gradient)
            continue;
        ask->last[i] = !heard(s, &s->row[i]);
        row_normalise((enum normalise)s->options->normalise, d,
                      ask->gradient + i * d);
    }
    return IB_OK;
}

static enum ib_status settle(void *ctx, size_t n, const int32_t *slot, float *z,
                             struct ib_error *err)
{
    const struct state *s = ctx;

    (void)slot, (void)err;
    s->env->prior.prior->project(s->env->prior.state, n, z);
    return IB_OK;
}

static void publish(void *ctx, int32_t slot, const float *z)
{
    const struct state *s = ctx;

    s->env->prior.prior->decode(s->env->prior.state, 1, z,
                                ib_oracle_guess(s->env->oracle, slot));
}

static const char *blackbox_applicable(const void *opaque,
                                       const struct ib_attack_task *task)
{
    const struct options *o = opaque;

    if (o->descent.start == IB_START_MEAN && !task->has_public)
        return "start mean needs public images; the data set has none";
    if (o->estimator != IB_DIFFERENCES && o->samples < 2)
        return "nes and spsa need samples of at least 2";
    if (o->samples == 1)
        return "samples come in pairs: 0, or at least 2";
    if (task->max_queries > 0 && task->max_queries < 3)
        return "an estimate takes 3 queries; the budget is smaller";
    return NULL;
}

static enum ib_status prepare(struct state *s, struct ib_error *err)
{
    struct ib_attack_env *env = s->env;
    size_t targets = (size_t)env->targets;
    struct ib_gradest_setup setup = {
        .env = env,
        .estimator = (enum ib_estimator)s->options->estimator,
        .pairs = (size_t)s->options->samples / 2,
        .rows = ASK,
    };

    s->sigma = ib_scratch_take(env->scratch, targets, sizeof(*s->sigma));
    s->quiet = ib_scratch_take(env->scratch, targets, sizeof(*s->quiet));
    if (!s->sigma || !s->quiet)
        return ib_error_set(err, IB_E_NOMEM, "no memory for %zu identities",
                            targets);
    for (size_t i = 0; i < targets; i++)
        s->sigma[i] = s->options->sigma;
    return ib_gradest_create(&s->estimator, &setup, err);
}

static void tell(struct state *s, const struct ib_descent_row *row, size_t n)
{
    size_t silent = 0, gamma = 0, first = n;

    for (size_t i = 0; i < n; i++) {
        gamma += row[i].stop == IB_STOP_GAMMA;
        if (s->quiet[row[i].slot] < s->options->patience)
            continue;
        first = silent == 0 ? i : first;
        silent++;
    }
    ib_report(s->env->reporter, "%zu identities: %zu reached gamma", n, gamma);
    if (silent > 0)
        ib_report(s->env->reporter,
                  "no signal: %zu identities were given up, class %d first "
                  "among them: all scores of an estimate were equal %lld "
                  "times in a row",
                  silent, (int)s->env->target[row[first].slot],
                  (long long)s->options->patience);
}

static enum ib_status descend(struct state *s, size_t first, size_t n, float *z,
                              struct ib_error *err)
{
    const struct options *o = s->options;
    struct ib_descent_row row[ROWS];
    struct ib_descent descent = {
        .d = s->env->prior.size,
        .alpha = o->descent.alpha,
        .beta = o->descent.beta,
        .gamma = o->descent.gamma,
        .lambda = o->rate,
        .late = true,
        .ctx = s,
        .evaluate = evaluate,
        .settle = settle,
        .publish = publish,
        .scratch = s->env->scratch,
    };
    enum ib_status status = ib_descent_start(
        s->env, (enum ib_start)o->descent.start, first, n, z, err);

    for (size_t i = 0; i < n; i++)
        row[i].slot = (int32_t)(first + i);
    if (status == IB_OK)
        status = ib_descent_run(&descent, n, row, z, err);
    if (status == IB_OK)
        tell(s, row, n);
    return status;
}

static enum ib_status blackbox_run(const void *options,
                                   struct ib_attack_env *env,
                                   struct ib_error *err)
{
    struct state s = {.options = options, .env = env};
    size_t targets = (size_t)env->targets;
    enum ib_status status = prepare(&s, err);
    float *z =
        ib_scratch_take(env->scratch, ROWS * env->prior.size, sizeof(*z));

    if (status == IB_OK && !z)
        return ib_error_set(err, IB_E_NOMEM, "no memory for %d rows of %zu",
                            ROWS, env->prior.size);
    for (size_t first = 0; first < targets && status == IB_OK; first += ROWS) {
        size_t n = targets - first < ROWS ? targets - first : ROWS;

        status = descend(&s, first, n, z, err);
        ib_report_progress(env->reporter,
                           (double)(first + n) / (double)targets);
    }
    return status;
}

const struct ib_attack ib_attack_mi_face_blackbox = {
    .plugin =
        {
            .kind = IB_KIND_ATTACK,
            .name = "mi-face-blackbox",
            .summary = "descent on gradients that are estimated from scores",
            .citation = "Fredrikson, Jha, Ristenpart: Model Inversion Attacks "
                        "that Exploit Confidence Information and Basic "
                        "Countermeasures. CCS 2015; Ilyas, Engstrom, Athalye, "
                        "Lin: Black-box Adversarial Attacks with Limited "
                        "Queries and Information. ICML 2018",
            .license = "MIT",
            .version = "1",
            .options = table,
            .options_size = sizeof(struct options),
        },
    .levels = IB_GRANTS(IB_LABELS) | IB_GRANTS(IB_SCORES),
    .applicable = blackbox_applicable,
    .run = blackbox_run,
};
