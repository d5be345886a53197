/* A module that is right, or wrong in one way that a -D names. */
#include <invbench/invbench.h>

#include <stdio.h>
#include <unistd.h>

#ifdef CRASH
__attribute__((constructor)) static void crash(void)
{
    volatile int *nowhere = NULL;
    *nowhere = 1;
}
#endif
#ifdef LOOP
__attribute__((constructor)) static void loop(void)
{
    for (volatile unsigned i = 0;; i++)
        ;
}
#endif
#ifdef NOISY
__attribute__((constructor)) static void talk(void)
{
    puts("{\"plugins\":[]}");
    fflush(stdout);
}
#endif
#ifdef QUITS
__attribute__((constructor)) static void quit(void)
{
    _exit(0);
}
#endif
#ifdef READS
__attribute__((constructor)) static void read_secrets(void)
{
    if (fopen("/etc/passwd", "r"))
        _exit(77);
}
#endif

struct halve_options {
    double share;
    int how;
    struct ib_ints list;
};

static const struct ib_choice ways[] = {
    {"up", "rounds up"}, {"down", "rounds down"}, {NULL, NULL}};

static const struct ib_option halve_table[] = {
    {.name = "share",
     .type = IB_REAL,
#ifdef BAD_DEFAULT
     .value = "7",
#else
     .value = "0.5",
#endif
     .max = 1,
     .unit = "shares",
     .offset = offsetof(struct halve_options, share),
     .help = "what is left of each score"},
    {.name = "how",
     .type = IB_CHOICE,
     .value = "down",
     .choices = ways,
     .offset = offsetof(struct halve_options, how),
     .help = "direction"},
    {.name = "list",
     .type = IB_INTS,
     .value = "1,2",
     .max = 9,
     .offset = offsetof(struct halve_options, list),
     .help = "numbers"},
    {0},
};

#ifndef NO_HOOK
static void halve_respond(const void *options, struct ib_response *r)
{
    const struct halve_options *o = options;

    for (int k = 0; k < r->classes; k++)
        r->scores[k] *= (float)o->share;
}
#endif

static const struct ib_defense halve = {
    .plugin =
        {
            .kind = IB_KIND_DEFENSE,
#ifdef DUPLICATE
            .name = "round",
#else
            .name = "halve",
#endif
            .summary = "halves scores",
#ifndef NO_CITATION
            .citation = "invbench",
#endif
            .license = "MIT",
            .version = "3",
            .options = halve_table,
            .options_size = sizeof(struct halve_options),
        },
    .stage = IB_STAGE_RESPOND,
    .stochastic = true,
    .adaptive = "mi-face with doubled scores",
#ifndef NO_HOOK
    .respond = halve_respond,
#endif
};

static enum ib_status count_score(const void *options,
                                  const struct ib_metric_env *env,
                                  double *value, const char **reason,
                                  struct ib_error *err)
{
    (void)options;
    (void)reason;
    (void)err;
    for (size_t i = 0; i < env->n; i++)
        value[i] = 1;
    return IB_OK;
}

static const struct ib_column count_columns[] = {
    {.name = "one",
     .unit = "images",
     .min = 0,
     .max = 1,
     .direction = IB_NEUTRAL,
     .definition = "always one"},
    {0},
};

static const struct ib_metric count = {
    .plugin = {.kind = IB_KIND_METRIC,
               .name = "count",
               .summary = "counts",
               .citation = "invbench",
               .license = "MIT",
               .version = "1"},
    .columns = count_columns,
    .score = count_score,
};

static const struct ib_plugin *const plugins[] = {
#ifndef NO_PLUGINS
    &count.plugin, &halve.plugin,
#endif
    NULL};

static struct ib_module module = {
    .magic = IB_MODULE_MAGIC,
    .name = "halving",
    .version = "1",
    .license = "MIT",
    .summary = "a module for tests",
#ifdef OWN_HASH
    .code_hash = "hash-of-my-own",
#else
    .code_hash = "",
#endif
    .plugins = plugins,
};

#ifdef NO_ENTRY
const struct ib_module *another_entry(void);
const struct ib_module *another_entry(void)
#else
const struct ib_module *ib_module_entry(void)
#endif
{
#ifdef WRONG_SIZE
    module.magic.size = 12;
#endif
#ifdef WRONG_MAJOR
    module.magic.abi_major = 9;
#endif
#ifdef WRONG_MINOR
    module.magic.abi_minor = 9;
#endif
#ifdef WRONG_BUILD
    module.magic.build[0] = 'q';
#endif
#ifdef WRONG_STRUCT
    module.magic.defense_size += 8;
#endif
#ifdef NO_NAME
    module.name = NULL;
#endif
#ifdef NO_BLOCK
    return NULL;
#else
    return &module;
#endif
}
