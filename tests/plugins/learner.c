/*
 * A prior from outside the tree that learns the mean of its images, z shifting
 * its brightness; the acts misbehave in one way each.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <invbench/invbench.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum act {
    WELL,
    SEGV,
    EXIT,
    FAIL,
    NOTHING,
    TOO_MUCH,
    NAN_NUMBER,
    MANY_NUMBERS,
    BAD_NAME,
    TWICE,
    NO_LATENT,
    NAN_PIXEL,
    SEGV_DECODE,
};

struct learner_options {
    int act;
};

static const struct ib_choice acts[] = {
    {"well", ""},        {"segv", ""},
    {"exit", ""},        {"fail", ""},
    {"nothing", ""},     {"too-much", ""},
    {"nan-number", ""},  {"many-numbers", ""},
    {"bad-name", ""},    {"twice", ""},
    {"no-latent", ""},   {"nan-pixel", ""},
    {"segv-decode", ""}, {0},
};

static const struct ib_option table[] = {
    {.name = "act",
     .type = IB_CHOICE,
     .value = "well",
     .choices = acts,
     .offset = offsetof(struct learner_options, act),
     .help = "how to misbehave"},
    {0},
};

/* Leaves a file beside itself wherever it is loaded without being locked in. */
__attribute__((constructor)) static void leave_a_trace(void)
{
    char path[4096];
    Dl_info self;
    int fd;

    if (!dladdr(table, &self) || !self.dli_fname)
        return;
    snprintf(path, sizeof(path), "%s.trace", self.dli_fname);
    fd = open(path, O_WRONLY | O_CREAT, 0600);
    if (fd >= 0)
        close(fd);
}

static bool opens(const char *path)
{
    int fd = open(path, O_RDONLY);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static void tell(struct ib_prior_fit *fit, const char *name, double value)
{
    fit->number[fit->numbers++] = (struct ib_prior_number){name, value};
}

static void misbehave(const struct learner_options *o, struct ib_prior_fit *fit)
{
    if (o->act == SEGV)
        raise(SIGSEGV);
    if (o->act == EXIT)
        _exit(0);
    if (o->act == NOTHING)
        fit->data = NULL;
    if (o->act == TOO_MUCH)
        fit->size = (size_t)2 << 30;
    if (o->act == NAN_NUMBER)
        tell(fit, "loss", strtod("nan", NULL));
    if (o->act == MANY_NUMBERS)
        fit->numbers = IB_PRIOR_NUMBERS_MAX + 1;
    if (o->act == BAD_NAME)
        tell(fit, "A name\n", 1);
    if (o->act == TWICE)
        tell(fit, "images", 1);
}

static enum ib_status learn(const void *options, struct ib_prior_fit *fit,
                            struct ib_error *err)
{
    const struct learner_options *o = options;
    size_t d = ib_shape_size(fit->shape), n = fit->images->n;
    float *mean = ib_scratch_take(fit->scratch, d, sizeof(*mean));

    if (!mean)
        return ib_error_set(err, IB_E_NOMEM, "no memory to learn in");
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < d; k++)
            mean[k] += (float)fit->images->pixels[i * d + k] / (255 * (float)n);
    fit->data = mean;
    fit->size = d * sizeof(*mean);
    tell(fit, "images", (double)n);
    tell(fit, "opened", opens("/etc/passwd") || opens("/usr/lib"));
    ib_report_progress(fit->reporter, 0.5);
    ib_report(fit->reporter, "half of it is learnt");
    misbehave(o, fit);
    return o->act == FAIL ? ib_error_set(err, IB_E_NUMERIC, "step 7: no sense")
                          : IB_OK;
}

struct state {
    const struct learner_options *o;
    size_t d;
    const float *mean;
};

static size_t learner_open(const void *options, const struct ib_prior_env *env,
                           void **out, struct ib_error *err)
{
    struct state *s = ib_scratch_take(env->scratch, 1, sizeof(*s));

    if (!s)
        return 0;
    s->o = options;
    s->d = ib_shape_size(env->shape);
    s->mean = env->fitted;
    if (s->o->act == NO_LATENT)
        return 0;
    if (env->fitted_size != s->d * sizeof(float)) {
        ib_error_set(err, IB_E_DATA, "%zu bytes are no mean", env->fitted_size);
        return 0;
    }
    *out = s;
    return 1;
}

static enum ib_status start(const void *state, enum ib_start how,
                            struct ib_rng *rng, float *z, struct ib_error *err)
{
    (void)state;
    (void)err;
    *z = how == IB_START_RANDOM ? (float)ib_rng_uniform(rng) : 0;
    return IB_OK;
}

static void decode(const void *state, size_t n, const float *z, float *x)
{
    const struct state *s = state;

    if (s->o->act == SEGV_DECODE)
        raise(SIGSEGV);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < s->d; k++)
            x[i * s->d + k] = s->mean[k] * (1 - z[i] / 2);
    if (s->o->act == NAN_PIXEL)
        x[5] = strtof("nan", NULL);
}

static void vjp(const void *state, size_t n, const float *z, const float *dx,
                float *dz)
{
    const struct state *s = state;

    (void)z;
    for (size_t i = 0; i < n; i++) {
        dz[i] = 0;
        for (size_t k = 0; k < s->d; k++)
            dz[i] -= dx[i * s->d + k] * s->mean[k] / 2;
    }
}

static void project(const void *state, size_t n, float *z)
{
    (void)state;
    for (size_t i = 0; i < n; i++)
        z[i] = z[i] < 0 ? 0 : z[i] > 1 ? 1 : z[i];
}

static const struct ib_prior learner = {
    .plugin = {.kind = IB_KIND_PRIOR,
               .name = "learner",
               .summary = "the mean image at some brightness",
               .citation = "invbench",
               .license = "MIT",
               .version = "1",
               .options = table,
               .options_size = sizeof(struct learner_options)},
#ifndef NOT_FITTED
    .fitted = true,
#endif
    .fit = learn,
    .open = learner_open,
    .start = start,
    .decode = decode,
    .vjp = vjp,
    .project = project,
};

static const struct ib_plugin *const plugins[] = {&learner.plugin, NULL};

static const struct ib_module module = {
    .magic = IB_MODULE_MAGIC,
    .name = "learner",
    .version = "1",
    .license = "MIT",
    .summary = "a prior that learns",
    .code_hash = "",
    .plugins = plugins,
};

const struct ib_module *ib_module_entry(void)
{
    return &module;
}
