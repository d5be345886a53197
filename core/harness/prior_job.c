/* The jobs "fit" and "sample", inside the sandbox: see prior_process.h. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "checkpoint.h"
#include "oracle_job.h"
#include "prior_process.h"
#include "reporter.h"

enum { ROWS = 64 };

struct job {
    struct ib_job *common;
    struct ib_use use;
    struct ib_scratch *scratch;
    struct ib_reporter reporter;
    double progress; /* told so far */
    size_t room;     /* bytes of BUFFER */
    struct ib_checkpoint_file checkpoint;
};

static const struct ib_prior *job_prior(const struct job *j)
{
    return (const struct ib_prior *)(const void *)j->use.plugin;
}

static uint64_t job_seed(const struct job *j)
{
    return (uint64_t)ib_job_number(j->common->json, "seed");
}

static void say(enum ib_prior_say what, double value, const char *text)
{
    struct ib_prior_message m = {.say = what, .value = value};

    strncpy(m.text, text, sizeof(m.text) - 1);
    (void)ib_job_send(&m, sizeof(m));
}

static void note(void *ctx, const char *text)
{
    (void)ctx;
    say(IB_PRIOR_NOTE, 0, text);
}

/* One message a percent is enough. */
static void progress(void *ctx, double share)
{
    struct job *j = ctx;

    if (!(share >= j->progress + 0.01))
        return;
    j->progress = share;
    say(IB_PRIOR_PROGRESS, share, "");
}

/* --- the result ---------------------------------------------------------- */

static enum ib_status result_map(const struct job *j, size_t size,
                                 uint8_t **out, struct ib_error *err)
{
    void *map;

    if (size == 0 || size > j->room)
        return ib_error_set(err, IB_E_INTERNAL,
                            "%zu bytes to be kept; 1..%zu are allowed", size,
                            j->room);
    map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
               ib_job_fd(IB_FD_BUFFER), 0);
    if (map == MAP_FAILED)
        return ib_error_set(err, IB_E_NOMEM, "%zu bytes: %s", size,
                            strerror(errno));
    *out = map;
    return IB_OK;
}

/* --- fit ----------------------------------------------------------------- */

static enum ib_status check_numbers(const struct ib_prior_fit *fit,
                                    struct ib_error *err)
{
    if (fit->numbers < 0 || fit->numbers > IB_PRIOR_NUMBERS_MAX)
        return ib_error_set(err, IB_E_INTERNAL, "%d numbers; at most %d",
                            fit->numbers, IB_PRIOR_NUMBERS_MAX);
    for (int i = 0; i < fit->numbers; i++)
        if (!fit->number[i].name || !isfinite(fit->number[i].value))
            return ib_error_set(err, IB_E_NUMERIC, "%s is not a finite number",
                                fit->number[i].name ? fit->number[i].name
                                                    : "a number without name");
    return IB_OK;
}

static enum ib_status fit_run(struct job *j, size_t *size, struct ib_error *err)
{
    struct ib_prior_fit fit = {
        .shape = j->common->shape,
        .images = &j->common->public_images,
        .seed = job_seed(j),
        .scratch = j->scratch,
        .reporter = &j->reporter,
        .pool = j->common->pool,
    };
    double every = ib_job_number(j->common->json, "checkpoint");
    uint8_t *to;
    enum ib_status s;

    if (every > 0) {
        ib_checkpoint_use(&j->checkpoint, ib_job_fd(IB_FD_MODEL), every);
        fit.checkpoint = &j->checkpoint.hooks;
    }
    if (!job_prior(j)->fit)
        return ib_error_set(err, IB_E_INTERNAL, "it has no fit()");
    s = job_prior(j)->fit(j->use.options, &fit, err);
    if (!s)
        s = check_numbers(&fit, err);
    if (!s)
        s = result_map(j, fit.data ? fit.size : 0, &to, err);
    if (s)
        return s;
    memcpy(to, fit.data, fit.size);
    munmap(to, fit.size);
    for (int i = 0; i < fit.numbers; i++)
        say(IB_PRIOR_NUMBER, fit.number[i].value, fit.number[i].name);
    *size = fit.size;
    return IB_OK;
}

/* --- sample -------------------------------------------------------------- */

struct drawing {
    struct job *job;
    struct ib_prior_use prior;
    size_t d;
    float *z, *x; /* ROWS of each */
    uint8_t *pixels;
};

/* Sample number i has a stream of its own. */
static enum ib_status draw_rows(struct drawing *w, size_t first, size_t n,
                                struct ib_error *err)
{
    const struct ib_prior_use *p = &w->prior;

    for (size_t i = 0; i < n; i++) {
        struct ib_rng rng = ib_rng_stream(job_seed(w->job), "prior",
                                          (int64_t)(first + i), "sample");
        enum ib_status s = p->prior->start(p->state, IB_START_RANDOM, &rng,
                                           w->z + i * p->size, err);
        if (s)
            return s;
    }
    p->prior->decode(p->state, n, w->z, w->x);
    for (size_t i = 0; i < n * w->d; i++)
        if (!isfinite(w->x[i]))
            return ib_error_set(err, IB_E_NUMERIC,
                                "pixel %zu of sample %zu is not a number",
                                i % w->d, first + i / w->d);
    for (size_t i = 0; i < n; i++)
        ib_image_to_bytes(w->x + i * w->d, w->d,
                          w->pixels + (first + i) * w->d);
    return IB_OK;
}

static enum ib_status draw_all(struct drawing *w, size_t n,
                               struct ib_error *err)
{
    struct job *j = w->job;
    enum ib_status s = IB_OK;

    w->z = ib_scratch_take(j->scratch, w->prior.size, ROWS * sizeof(*w->z));
    w->x = ib_scratch_take(j->scratch, w->d, ROWS * sizeof(*w->x));
    if (!w->z || !w->x)
        return ib_error_set(err, IB_E_NOMEM, "no memory for samples");
    for (size_t i = 0; i < n && !s; i += ROWS) {
        s = draw_rows(w, i, n - i < ROWS ? n - i : ROWS, err);
        ib_report_progress(&j->reporter, (double)i / (double)n);
    }
    return s;
}

static enum ib_status sample_run(struct job *j, size_t *size,
                                 struct ib_error *err)
{
    size_t n = (size_t)ib_job_number(j->common->json, "samples");
    struct drawing w = {.job = j, .d = ib_shape_size(j->common->shape)};
    enum ib_status s =
        ib_job_prior(j->common, &j->use, j->scratch, &w.prior, err);

    *size = j->room;
    if (!s)
        s = result_map(j, *size, &w.pixels, err);
    if (!s)
        s = draw_all(&w, n, err);
    ib_job_prior_close(&w.prior);
    return s;
}

/* --- both ---------------------------------------------------------------- */

static enum ib_status job_begin(struct job *j, struct ib_registry *r,
                                int32_t *landlock, struct ib_error *err)
{
    struct stat st;
    enum ib_status s;

    /* the sandbox lets nobody ask */
    j->room = fstat(ib_job_fd(IB_FD_BUFFER), &st) ? 0 : (size_t)st.st_size;
    s = ib_job_threads(j->common, err);
    if (!s)
        s = ib_job_lock_in(j->common, r, landlock, err);
    if (!s)
        s = ib_use_from_spec(
            r, IB_KIND_PRIOR,
            cJSON_GetObjectItemCaseSensitive(j->common->json, "prior"), &j->use,
            err);
    if (s)
        return s;
    j->scratch = ib_scratch_create(j->common->scratch_size);
    return j->scratch ? IB_OK
                      : ib_error_set(err, IB_E_NOMEM, "no memory for a prior");
}

static void job_run(struct job *j)
{
    struct ib_prior_message done = {.say = IB_PRIOR_DONE};
    struct ib_error err = {0};
    bool fits = strcmp(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(
                           j->common->json, "job")),
                       "fit") == 0;
    size_t size = 0;
    enum ib_status s =
        fits ? fit_run(j, &size, &err) : sample_run(j, &size, &err);

    if (s)
        ib_error_prefix(&err, "prior %s", j->use.plugin->name);
    done.status = (int32_t)s;
    done.size = size;
    memcpy(done.text, err.text, sizeof(done.text));
    (void)ib_job_send(&done, sizeof(done));
}

enum ib_status ib_job_fit_or_sample(struct ib_job *common,
                                    struct ib_registry *r, struct ib_error *err)
{
    struct job j = {.common = common};
    struct ib_hello hello = {0};
    struct ib_error failed = {0};
    enum ib_status s = job_begin(&j, r, &hello.landlock, &failed);

    j.reporter = (struct ib_reporter){note, progress, &j};
    hello.status = (int32_t)s;
    memcpy(hello.text, failed.text, sizeof(hello.text));
    if (!ib_job_send(&hello, sizeof(hello)) && !s)
        s = ib_error_set(&failed, IB_E_INTERNAL, "the worker is gone");
    if (!s)
        job_run(&j);
    else if (err)
        *err = failed;
    ib_scratch_free(j.scratch);
    ib_use_free(&j.use);
    return s;
}
