/*
 * Random search on scores: an example of an attack from outside the tree.
 *
 *   make -C examples
 *   ./invbench describe attack random-search \
 *       --plugin build/examples/random_search.so
 *
 * The plainest attack that needs nothing but scores (Rastrigin 1963): from a
 * start, try a random step; keep it when the target likes the result better.
 * All identities are searched at once, one candidate of each in a batch. It is
 * here to show the parts of an attack, and as a floor for better ones.
 */

/* Everything that a plugin may use is declared in this one header. The attack
 * runs in a process of its own that can reach nothing but the oracle: it may
 * compute as it likes, but opens no files and starts no threads. */
#include <invbench/invbench.h>
#include <string.h>

/* 1. Options. */
struct search_options {
    int start; /* enum ib_start */
    int64_t steps;
    double size;
};

static const struct ib_option search_table[] = {
    {.name = "start",
     .type = IB_CHOICE,
     .value = "random",
     .choices = ib_start_choices,
     .offset = offsetof(struct search_options, start),
     .help = "where the search begins"},
    {.name = "steps",
     .type = IB_INT,
     .value = "1000",
     .min = 1,
     .max = 100000000,
     .unit = "queries",
     .offset = offsetof(struct search_options, steps),
     .help = "candidates tried for each identity"},
    {.name = "size",
     .type = IB_REAL,
     .value = "0.05",
     .min = 1e-6,
     .max = 10,
     .offset = offsetof(struct search_options, size),
     .help = "standard deviation of a step in every coordinate"},
    {0},
};

/* 2. State: taken from the scratch memory that the harness hands over (and
 *    frees). Nothing is allocated while the search runs. */
struct search {
    const struct search_options *o;
    struct ib_attack_env *env;
    size_t d, latent; /* numbers of an image, of a latent */
    int classes, rows;
    struct ib_rng *rng; /* a stream for each identity */
    float *z, *trial;   /* targets x latent: best so far, candidates */
    float *best;        /* targets: score of the best */
    int32_t *slot;      /* rows */
};

static enum ib_status search_open(struct search *s, struct ib_error *err)
{
    const struct ib_oracle_info *info = ib_oracle_info(s->env->oracle);
    struct ib_scratch *scratch = s->env->scratch;
    size_t n = (size_t)s->env->targets;

    s->d = ib_shape_size(info->shape);
    s->latent = s->env->prior.size;
    s->classes = info->classes;
    s->rows = info->capacity < n ? (int)info->capacity : (int)n;
    s->rng = ib_scratch_take(scratch, n, sizeof(*s->rng));
    s->z = ib_scratch_take(scratch, n * s->latent, sizeof(*s->z));
    s->trial = ib_scratch_take(scratch, n * s->latent, sizeof(*s->trial));
    s->best = ib_scratch_take(scratch, n, sizeof(*s->best));
    s->slot = ib_scratch_take(scratch, n, sizeof(*s->slot));
    if (!s->rng || !s->z || !s->trial || !s->best || !s->slot)
        return ib_error_set(err, IB_E_NOMEM, "no memory for %zu targets", n);
    return IB_OK;
}

/* Randomness comes from named streams, one for each identity: an identity's
 * result does not depend on which others are attacked with it. */
static enum ib_status search_start(struct search *s, struct ib_error *err)
{
    const struct ib_prior_use *prior = &s->env->prior;
    enum ib_status status = IB_OK;

    for (int i = 0; !status && i < s->env->targets; i++) {
        s->rng[i] = ib_rng_stream(s->env->seed, "attack", s->env->target[i],
                                  "random-search");
        s->best[i] = -1;
        status =
            prior->prior->start(prior->state, (enum ib_start)s->o->start,
                                &s->rng[i], s->z + (size_t)i * s->latent, err);
    }
    memcpy(s->trial, s->z, (size_t)s->env->targets * s->latent * sizeof(*s->z));
    return status;
}

static void search_step(struct search *s)
{
    size_t n = (size_t)s->env->targets;

    for (size_t i = 0; i < n; i++) {
        const float *z = s->z + i * s->latent;
        float *trial = s->trial + i * s->latent;
        ib_rng_fill_normal(&s->rng[i], trial, s->latent, (float)s->o->size);
        for (size_t j = 0; j < s->latent; j++)
            trial[j] += z[j];
    }
    s->env->prior.prior->project(s->env->prior.state, n, s->trial);
}

/* A better candidate becomes the identity's guess at once: what stands there
 * when a query checkpoint passes is what the curve shows. */
static void search_keep(struct search *s, int i, float score, const float *x)
{
    size_t at = (size_t)i * s->latent;

    if (!(score > s->best[i]))
        return;
    s->best[i] = score;
    memcpy(s->z + at, s->trial + at, s->latent * sizeof(*s->z));
    memcpy(ib_oracle_guess(s->env->oracle, i), x, s->d * sizeof(*x));
}

/* 3. The oracle: rows of images into its buffer, for each the slot (identity)
 *    that it is asked for, and scores come back. A row that is beyond the
 *    identity's budget is denied, and all zeros. */
static enum ib_status search_ask(struct search *s, int first, int n,
                                 struct ib_error *err)
{
    const struct ib_prior_use *prior = &s->env->prior;
    float *x = ib_oracle_input(s->env->oracle);
    const float *scores;
    enum ib_status status;

    prior->prior->decode(prior->state, (size_t)n,
                         s->trial + (size_t)first * s->latent, x);
    for (int i = 0; i < n; i++)
        s->slot[i] = first + i;
    status = ib_oracle_scores(s->env->oracle, (size_t)n, s->slot, &scores, err);
    for (int i = 0; !status && i < n; i++) {
        int32_t class = s->env->target[first + i];
        if (!ib_oracle_denied(s->env->oracle)[i])
            search_keep(s, first + i, scores[i * s->classes + class],
                        x + (size_t)i * s->d);
    }
    return status;
}

static bool search_can_ask(const struct search *s)
{
    for (int i = 0; i < s->env->targets; i++)
        if (ib_oracle_left(s->env->oracle, i) > 0)
            return true;
    return false;
}

static enum ib_status search_run(const void *options, struct ib_attack_env *env,
                                 struct ib_error *err)
{
    struct search s = {.o = options, .env = env};
    enum ib_status status = search_open(&s, err);

    if (!status)
        status = search_start(&s, err);
    for (int64_t step = 0; !status && step < s.o->steps && search_can_ask(&s);
         step++) {
        if (step > 0)
            search_step(&s);
        for (int i = 0; !status && i < env->targets; i += s.rows) {
            int left = env->targets - i;
            status = search_ask(&s, i, left < s.rows ? left : s.rows, err);
        }
        ib_report_progress(env->reporter,
                           (double)(step + 1) / (double)s.o->steps);
    }
    return status;
}

/* 4. What cannot work is said before anything runs: the cell is then skipped,
 *    with this reason in the table. */
static const char *search_applicable(const void *options,
                                     const struct ib_attack_task *task)
{
    const struct search_options *o = options;

    if (o->start == IB_START_MEAN && !task->has_public)
        return "a start from the mean needs public images";
    return NULL;
}

static const struct ib_attack random_search = {
    .plugin = {.kind = IB_KIND_ATTACK,
               .name = "random-search",
               .summary = "keeps random steps that the target likes better",
               .citation = "Rastrigin, The Convergence of the Random Search "
                           "Method in the Extremal Control of a Many "
                           "Parameter System, Automation and Remote Control "
                           "24, 1963",
               .license = "MIT",
               .version = "1",
               .options = search_table,
               .options_size = sizeof(struct search_options)},
    .levels = IB_GRANTS(IB_LABELS) | IB_GRANTS(IB_SCORES),
    .applicable = search_applicable,
    .run = search_run,
};

/* 5. The module: see examples/defense/reverse_sigmoid.c. */
static const struct ib_plugin *const plugins[] = {&random_search.plugin, NULL};

static const struct ib_module module = {
    .magic = IB_MODULE_MAGIC,
    .name = "random-search",
    .version = "1",
    .license = "MIT",
    .summary = "an example of an attack",
    .code_hash = "",
    .plugins = plugins,
};

const struct ib_module *ib_module_entry(void)
{
    return &module;
}
