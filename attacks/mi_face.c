/*
 * MI-Face with gradients: Fredrikson, Jha, Ristenpart, "Model Inversion Attacks
 * that Exploit Confidence Information and Basic Countermeasures", CCS 2015,
 * Algorithms 1 and 2. The paper's defaults: alpha 5000, beta 100, gamma 0.99,
 * lambda 0.1, a black start.
 *
 * Deviations:
 *  - gamma is a threshold of the cost c = 1 - f(x), and every classifier with
 *    more than a few classes is below 0.99 after a step. It is read as a
 *    confidence of 0.99: the default is a cost of 0.01.
 *  - AUXTERM is 0, as in the paper's face experiments.
 *  - Pixels stay in the prior's range (the box [0, 1] for pixels).
 *  - A start from the mean of public images or from noise is an option, and so
 *    are objectives whose gradient does not vanish where the confidence is
 *    near 0; the stop rule and argmin always use c.
 *  - space "code" descends in the code of an autoencoder, whose units are
 *    taken to be sigmoids: codes stay in [0, 1]. PROCESS (decode, non-local
 *    means, sharpen, encode) has no parameters in the paper; see
 *    parts/process.h.
 */
#include <invbench/attack.h>

#include <math.h>
#include <string.h>

#include <invbench/parts/code.h>
#include <invbench/parts/descent.h>
#include <invbench/parts/process.h>

enum { ROWS = 64 }; /* identities that descend together */
enum space { PIXELS, CODE };

struct options {
    struct ib_descent_options descent;
    double lambda;
    int space, objective;
    bool process;
    double denoise, sharpen;
    int64_t patch, search;
};

static const struct ib_choice spaces[] = {
    {"pixels", "what the prior searches: pixels, or its latent"},
    {"code", "the code of the target, where it is an autoencoder"},
    {0},
};

#define ROW(field, kind, text)                                                 \
    .name = #field, .type = kind, .value = text,                               \
    .offset = offsetof(struct options, field)
#define RANGE(low, high) .min = low, .max = high

static const struct ib_option table[] = {
    IB_DESCENT_OPTIONS(options, "100"),
    {ROW(lambda, IB_REAL, "0.1"), RANGE(1e-9, 1e9), .help = "step size"},
    {ROW(space, IB_CHOICE, "pixels"), .choices = spaces,
     .help = "where the descent moves"},
    {ROW(objective, IB_CHOICE, "confidence"), .choices = ib_objective_choices,
     .help = "what the gradient is taken of"},
    {ROW(process, IB_BOOL, "false"),
     .help = "denoise and sharpen after each step (space code only)"},
    {ROW(denoise, IB_REAL, "0.02"), RANGE(1e-4, 10),
     .help = "process: filtering strength h of non-local means"},
    {ROW(patch, IB_INT, "1"), RANGE(0, 8), .unit = "pixels",
     .help = "process: radius of the patches of non-local means"},
    {ROW(search, IB_INT, "3"), RANGE(0, 32), .unit = "pixels",
     .help = "process: radius of the search window of non-local means"},
    {ROW(sharpen, IB_REAL, "0.1"), RANGE(0, 10),
     .help = "process: amount of the unsharp mask"},
    {0},
};

struct state {
    const struct options *options;
    struct ib_attack_env *env;
    size_t k;            /* classes */
    float *cotangent;    /* ROWS x K */
    struct ib_code code; /* space code */
    struct ib_nlmeans nlmeans;
    float *latent; /* space code: a start of the prior */
    float *image;  /* space code: ROWS x D, and one more */
    float *work;   /* of ib_nlmeans_apply() */
    size_t first;  /* slot of the first row of the batch */
    struct best {  /* space code: what a slot has to show */
        float *z;
        uint64_t asked, shown; /* queries; when it was last decoded */
    } best[ROWS];
};

/* The costs of n rows of logits, and the objective's derivatives. */
static void costs(struct state *s, const struct ib_descent_ask *ask,
                  const float *logits)
{
    for (size_t i = 0; i < ask->n; i++)
        ask->cost[i] = ib_class_cost(
            (enum ib_objective)s->options->objective, s->k, logits + i * s->k,
            s->env->target[ask->slot[i]], s->cotangent + i * s->k);
}

static enum ib_status pixels_evaluate(void *ctx,
                                      const struct ib_descent_ask *ask,
                                      struct ib_error *err)
{
    struct state *s = ctx;
    struct ib_oracle *oracle = s->env->oracle;
    const struct ib_prior_use *prior = &s->env->prior;
    const uint8_t *denied = ib_oracle_denied(oracle);
    const float *logits = NULL, *dx = NULL;
    enum ib_status status;

    prior->prior->decode(prior->state, ask->n, ask->z, ib_oracle_input(oracle));
    status = ib_oracle_logits(oracle, ask->n, ask->slot, &logits, err);
    if (status != IB_OK)
        return status;
    costs(s, ask, logits);
    for (size_t i = 0; i < ask->n; i++)
        if (denied[i])
            ask->cost[i] = INFINITY;
    if (!ask->gradient)
        return IB_OK;
    status = ib_oracle_vjp(oracle, ask->n, s->cotangent, &dx, err);
    if (status != IB_OK)
        return status;
    for (size_t i = 0; i < ask->n; i++)
        ask->last[i] = denied[i] != 0;
    prior->prior->vjp(prior->state, ask->n, ask->z, dx, ask->gradient);
    return IB_OK;
}

static enum ib_status pixels_settle(void *ctx, size_t n, const int32_t *slot,
                                    float *z, struct ib_error *err)
{
    const struct state *s = ctx;

    (void)slot, (void)err;
    s->env->prior.prior->project(s->env->prior.state, n, z);
    return IB_OK;
}

static void pixels_publish(void *ctx, int32_t slot, const float *z)
{
    const struct state *s = ctx;

    s->env->prior.prior->decode(s->env->prior.state, 1, z,
                                ib_oracle_guess(s->env->oracle, slot));
}

static enum ib_status code_evaluate(void *ctx, const struct ib_descent_ask *ask,
                                    struct ib_error *err)
{
    struct state *s = ctx;
    struct ib_oracle *oracle = s->env->oracle;
    uint64_t back = ask->gradient ? 1 : 0;
    enum ib_status status = IB_OK;

    costs(s, ask, ib_code_logits(&s->code, ask->n, ask->z));
    for (size_t i = 0; i < ask->n && status == IB_OK; i++) {
        if (ib_oracle_left(oracle, ask->slot[i]) < 1 + back) {
            ask->cost[i] = INFINITY;
            continue;
        }
        s->best[(size_t)ask->slot[i] - s->first].asked += 1 + back;
        status = ib_oracle_count(oracle, ask->slot[i], 1, back, err);
    }
    if (ask->gradient)
        ib_code_vjp(&s->code, ask->n, s->cotangent, ask->gradient);
    return status;
}

/* Algorithm 2: passes through the decoder and the encoder are not questions to
 * the classifier and are not counted. */
static void code_process(struct state *s, size_t n, float *z)
{
    struct ib_shape shape = ib_oracle_info(s->env->oracle)->shape;
    const float *x = ib_code_decode(&s->code, n, z);
    size_t d = s->code.image;
    float *smooth = s->image + ROWS * d;

    for (size_t i = 0; i < n; i++) {
        ib_nlmeans_apply(smooth, x + i * d, shape, &s->nlmeans, s->work);
        ib_sharpen(s->image + i * d, smooth, shape, s->options->sharpen);
    }
    memcpy(z, ib_code_encode(&s->code, n, s->image),
           n * s->code.size * sizeof(*z));
}

static enum ib_status code_settle(void *ctx, size_t n, const int32_t *slot,
                                  float *z, struct ib_error *err)
{
    struct state *s = ctx;

    (void)slot, (void)err;
    for (size_t i = 0; i < n * s->code.size; i++)
        z[i] = fminf(fmaxf(z[i], 0), 1);
    if (s->options->process)
        code_process(s, n, z);
    return IB_OK;
}

static void code_show(struct state *s, int32_t slot)
{
    struct best *best = &s->best[(size_t)slot - s->first];
    const float *x = ib_code_decode(&s->code, 1, best->z);
    float *guess = ib_oracle_guess(s->env->oracle, slot);

    for (size_t i = 0; i < s->code.image; i++)
        guess[i] = fminf(fmaxf(x[i], 0), 1);
    best->shown = best->asked;
}

/* Decoding costs far more than a step: a better code is decoded when 10 % more
 * queries were made than at the last time, and at the end. */
static void code_publish(void *ctx, int32_t slot, const float *z)
{
    struct state *s = ctx;
    struct best *best = &s->best[(size_t)slot - s->first];

    memcpy(best->z, z, s->code.size * sizeof(*z));
    if (best->asked >= best->shown + best->shown / 10)
        code_show(s, slot);
}

static const char *mi_face_applicable(const void *opaque,
                                      const struct ib_attack_task *task)
{
    const struct options *o = opaque;

    if (o->descent.start == IB_START_MEAN && !task->has_public)
        return "start mean needs public images; the data set has none";
    if (o->process && o->space != CODE)
        return "process needs space code";
    if (o->space == CODE && task->level != IB_WHITEBOX)
        return "space code needs whitebox";
    if (o->space == CODE && !task->has_code)
        return "space code needs a target that decodes a code of its own";
    return NULL;
}

static enum ib_status starts(struct state *s, size_t first, size_t n, float *z,
                             struct ib_error *err)
{
    const struct ib_prior_use *prior = &s->env->prior;
    enum ib_start start = (enum ib_start)s->options->descent.start;
    enum ib_status status = IB_OK;

    if (!s->code.net)
        return ib_descent_start(s->env, start, first, n, z, err);
    for (size_t i = 0; i < n && status == IB_OK; i++) {
        status = ib_descent_start(s->env, start, first + i, 1, s->latent, err);
        if (status != IB_OK)
            return status;
        prior->prior->decode(prior->state, 1, s->latent, s->image);
        memcpy(z + i * s->code.size, ib_code_encode(&s->code, 1, s->image),
               s->code.size * sizeof(*z));
    }
    return status;
}

static enum ib_status code_prepare(struct state *s, struct ib_error *err)
{
    struct ib_scratch *scratch = s->env->scratch;
    enum ib_status status = ib_code_open(&s->code, s->env->oracle, err);
    float *codes;
    size_t work;

    if (status != IB_OK)
        return status;
    s->nlmeans = (struct ib_nlmeans){.patch = (int)s->options->patch,
                                     .search = (int)s->options->search,
                                     .h = s->options->denoise};
    work = ib_nlmeans_work(ib_oracle_info(s->env->oracle)->shape, &s->nlmeans);
    s->latent = ib_scratch_take(scratch, s->env->prior.size, sizeof(float));
    s->image =
        ib_scratch_take(scratch, ROWS + 1, s->code.image * sizeof(float));
    codes = ib_scratch_take(scratch, ROWS, s->code.size * sizeof(float));
    s->work = ib_scratch_take(scratch, work, sizeof(float));
    if (!s->latent || !s->image || !s->work || !codes)
        return ib_error_set(err, IB_E_NOMEM, "no memory for images of %zu",
                            s->code.image);
    for (size_t i = 0; i < ROWS; i++)
        s->best[i].z = codes + i * s->code.size;
    return IB_OK;
}

static enum ib_status prepare(struct state *s, struct ib_error *err)
{
    s->k = (size_t)ib_oracle_info(s->env->oracle)->classes;
    s->cotangent = ib_scratch_take(s->env->scratch, s->k, ROWS * sizeof(float));
    if (!s->cotangent)
        return ib_error_set(err, IB_E_NOMEM, "no memory for %zu classes", s->k);
    return s->options->space == CODE ? code_prepare(s, err) : IB_OK;
}

static void tell(struct state *s, const struct ib_descent_row *row, size_t n)
{
    size_t count[IB_STOP_ENDED + 1] = {0};
    double cost = 0;

    for (size_t i = 0; i < n; i++) {
        count[row[i].stop]++;
        cost += isinf(row[i].cost) ? 1 : row[i].cost;
    }
    ib_report(s->env->reporter,
              "%zu identities: %zu reached gamma, %zu stalled, %zu made all "
              "steps, %zu spent their budget; mean cost %.4f",
              n, count[IB_STOP_GAMMA], count[IB_STOP_WINDOW],
              count[IB_STOP_STEPS], count[IB_STOP_ENDED], cost / (double)n);
}

static struct ib_descent descent_of(struct state *s)
{
    const struct options *o = s->options;
    bool code = s->code.net != NULL;

    return (struct ib_descent){
        .d = code ? s->code.size : s->env->prior.size,
        .alpha = o->descent.alpha,
        .beta = o->descent.beta,
        .gamma = o->descent.gamma,
        .lambda = o->lambda,
        .ctx = s,
        .evaluate = code ? code_evaluate : pixels_evaluate,
        .settle = code ? code_settle : pixels_settle,
        .publish = code ? code_publish : pixels_publish,
        .scratch = s->env->scratch,
    };
}

static size_t batch_rows(const struct state *s)
{
    size_t rows = s->code.net ? (size_t)ib_net_max_batch(s->code.net)
                              : ib_oracle_info(s->env->oracle)->capacity;

    return rows < ROWS ? rows : ROWS;
}

/* n slots from `first` on, together. */
static enum ib_status descend(struct state *s, size_t first, size_t n, float *z,
                              struct ib_error *err)
{
    struct ib_descent descent = descent_of(s);
    struct ib_descent_row row[ROWS];
    enum ib_status status = starts(s, first, n, z, err);

    s->first = first;
    for (size_t i = 0; i < n; i++) {
        row[i].slot = (int32_t)(first + i);
        s->best[i].asked = s->best[i].shown = 0;
    }
    if (status == IB_OK)
        status = ib_descent_run(&descent, n, row, z, err);
    if (status != IB_OK)
        return status;
    for (size_t i = 0; s->code.net && i < n; i++)
        code_show(s, row[i].slot);
    tell(s, row, n);
    return IB_OK;
}

static enum ib_status mi_face_run(const void *options,
                                  struct ib_attack_env *env,
                                  struct ib_error *err)
{
    struct state s = {.options = options, .env = env};
    enum ib_status status = prepare(&s, err);
    size_t targets = (size_t)env->targets, step, d;
    float *z;

    if (status != IB_OK)
        return status;
    d = descent_of(&s).d;
    step = batch_rows(&s);
    z = ib_scratch_take(env->scratch, step, d * sizeof(*z));
    if (!z)
        return ib_error_set(err, IB_E_NOMEM, "no memory for %zu rows of %zu",
                            step, d);
    for (size_t first = 0; first < targets && status == IB_OK; first += step) {
        size_t n = targets - first < step ? targets - first : step;

        status = descend(&s, first, n, z, err);
        ib_report_progress(env->reporter,
                           (double)(first + n) / (double)targets);
    }
    return status;
}

const struct ib_attack ib_attack_mi_face = {
    .plugin =
        {
            .kind = IB_KIND_ATTACK,
            .name = "mi-face",
            .summary = "gradient descent on the class's confidence",
            .citation = "Fredrikson, Jha, Ristenpart: Model Inversion Attacks "
                        "that Exploit Confidence Information and Basic "
                        "Countermeasures. CCS 2015",
            .license = "MIT",
            .version = "1",
            .options = table,
            .options_size = sizeof(struct options),
        },
    .levels = IB_GRANTS(IB_GRADIENTS) | IB_GRANTS(IB_WHITEBOX),
    .applicable = mi_face_applicable,
    .run = mi_face_run,
};
