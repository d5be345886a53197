/*
 * Plugins that break in the middle of their work: a defense in its answers, a
 * defense in training, a metric, and an attack that takes all memory.
 */
#include <invbench/invbench.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum act { SEGV, EXIT, SPIN, NOT_A_NUMBER };

struct faulty_options {
    int act;
};

static const struct ib_choice acts[] = {
    {"segv", ""}, {"exit", ""}, {"spin", ""}, {"nan", ""}, {0}};

static const struct ib_option table[] = {
    {.name = "act",
     .type = IB_CHOICE,
     .value = "segv",
     .choices = acts,
     .offset = offsetof(struct faulty_options, act),
     .help = "how to break"},
    {0},
};

static const struct ib_option no_options[] = {{0}};

static void misbehave(const void *options, float *value)
{
    const struct faulty_options *o = options;

    switch (o->act) {
    case SEGV:
        raise(SIGSEGV);
        break;
    case EXIT:
        _Exit(0);
    case SPIN:
        for (;;)
            ;
    default:
        *value = (float)strtod("nan", NULL);
    }
}

static void respond(const void *options, struct ib_response *r)
{
    misbehave(options, r->scores);
}

static void batch(const void *options, struct ib_train_batch *b)
{
    misbehave(options, b->target);
}

static enum ib_status score(const void *options,
                            const struct ib_metric_env *env, double *value,
                            const char **reason, struct ib_error *err)
{
    float x = 0;

    (void)err;
    misbehave(options, &x);
    for (size_t i = 0; i < env->n; i++)
        value[i] = x;
    *reason = "it is no number";
    return IB_OK;
}

/* Takes more than any limit of the tests, but ends also where there is none. */
static enum ib_status take_memory(const void *options,
                                  struct ib_attack_env *env,
                                  struct ib_error *err)
{
    enum { PIECES = 48 };
    const size_t piece = (size_t)64 << 20;

    (void)options;
    (void)env;
    for (int i = 0; i < PIECES; i++) {
        volatile char *p = malloc(piece);

        if (!p)
            return ib_error_set(err, IB_E_NOMEM, "%d MiB were not enough",
                                i * 64);
        for (size_t at = 0; at < piece; at += 4096)
            p[at] = 1;
    }
    return IB_OK;
}

#define PLUGIN(KIND, NAME)                                                     \
    {                                                                          \
        .kind = (KIND), .name = (NAME), .summary = "breaks",                   \
        .citation = "none", .license = "MIT", .version = "1",                  \
        .options = table, .options_size = sizeof(struct faulty_options)        \
    }

static const struct ib_defense in_answers = {
    .plugin = PLUGIN(IB_KIND_DEFENSE, "faulty-answers"),
    .stage = IB_STAGE_RESPOND,
    .adaptive = "none",
    .respond = respond,
};
static const struct ib_defense in_training = {
    .plugin = PLUGIN(IB_KIND_DEFENSE, "faulty-training"),
    .stage = IB_STAGE_TRAIN,
    .adaptive = "none",
    .batch = batch,
};
static const struct ib_column columns[] = {
    {.name = "faulty",
     .min = 0,
     .max = 1,
     .direction = IB_NEUTRAL,
     .definition = "nothing"},
    {0},
};
static const struct ib_metric in_scoring = {
    .plugin = PLUGIN(IB_KIND_METRIC, "faulty-metric"),
    .columns = columns,
    .score = score,
};
static const struct ib_attack memory = {
    .plugin = {.kind = IB_KIND_ATTACK,
               .name = "faulty-memory",
               .summary = "takes all memory",
               .citation = "none",
               .license = "MIT",
               .version = "1",
               .options = no_options},
    .levels = IB_GRANTS(IB_SCORES),
    .run = take_memory,
};

static const struct ib_plugin *const plugins[] = {
    &in_answers.plugin, &in_training.plugin, &in_scoring.plugin, &memory.plugin,
    NULL};

static const struct ib_module module = {
    .magic = IB_MODULE_MAGIC,
    .name = "faulty",
    .version = "1",
    .license = "MIT",
    .summary = "plugins that break",
    .code_hash = "",
    .plugins = plugins,
};

const struct ib_module *ib_module_entry(void)
{
    return &module;
}
