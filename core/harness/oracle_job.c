#include "oracle_job.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "sandbox.h"

enum { MODULES_MAX = 64 };

int ib_job_fd(enum ib_attacker_fd what)
{
    return IB_FD_FIRST + (int)what;
}

double ib_job_number(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNumber(item) ? item->valuedouble : 0;
}

static enum ib_status read_public(struct ib_job *j, struct ib_error *err)
{
    size_t d = ib_shape_size(j->shape), size;
    const void *data;
    enum ib_status status =
        ib_memory_map(ib_job_fd(IB_FD_PUBLIC), &data, &size, err);

    j->public_images.shape = j->shape;
    if (status || !data)
        return status;
    j->public_images.n = (size_t)ib_job_number(j->json, "public");
    j->public_images.pixels = data;
    j->public_images.identity =
        (const int32_t *)(const void *)((const char *)data + size -
                                        j->public_images.n * sizeof(int32_t));
    if (size < j->public_images.n * (d + sizeof(int32_t)))
        return ib_error_set(err, IB_E_INTERNAL,
                            "public images: %zu bytes for "
                            "%zu images",
                            size, j->public_images.n);
    return IB_OK;
}

enum ib_status ib_job_read(struct ib_job *j, struct ib_error *err)
{
    const cJSON *shape;
    const void *text;
    size_t size;
    enum ib_status status =
        ib_memory_map(ib_job_fd(IB_FD_JOB), &text, &size, err);

    if (!status)
        status = ib_json_parse(text, size, "job", &j->json, err);
    if (status)
        return status;
    shape = cJSON_GetObjectItemCaseSensitive(j->json, "shape");
    j->shape.c = (int)ib_job_number(shape, "c");
    j->shape.h = (int)ib_job_number(shape, "h");
    j->shape.w = (int)ib_job_number(shape, "w");
    j->scratch_size = (size_t)ib_job_number(j->json, "scratch");
    status = read_public(j, err);
    if (!status)
        status = ib_memory_map(ib_job_fd(IB_FD_PRIOR), &j->fitted,
                               &j->fitted_size, err);
    return status;
}

enum ib_status ib_job_threads(struct ib_job *j, struct ib_error *err)
{
    const cJSON *modules = cJSON_GetObjectItemCaseSensitive(j->json, "modules");
    int threads = (int)ib_job_number(j->json, "threads");

    if (threads < 2 || cJSON_GetArraySize(modules) > 0)
        return IB_OK;
    return ib_pool_create(&j->pool, threads, err);
}

void ib_job_free(struct ib_job *j)
{
    ib_pool_free(j->pool);
    cJSON_Delete(j->json);
}

/* Modules may need libraries; after that there are no files any more. */
enum ib_status ib_job_lock_in(const struct ib_job *j, struct ib_registry *r,
                              int *landlock, struct ib_error *err)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(j->json, "modules");
    const char *paths[MODULES_MAX + 1] = {0};
    const struct ib_sandbox sandbox = {.files = paths};
    enum ib_status status;
    int n = 0;

    for (const cJSON *i = list ? list->child : NULL; i && n < MODULES_MAX;
         i = i->next)
        paths[n++] = i->valuestring;
    status = ib_sandbox_enter(&sandbox, landlock, err);
    for (int i = 0; !status && i < n; i++)
        status = ib_registry_load(r, paths[i], IB_LOAD_CODE, err);
    return status ? status : ib_sandbox_seal(err);
}

bool ib_job_send(const void *message, size_t n)
{
    return write(ib_job_fd(IB_FD_SOCKET), message, n) == (ssize_t)n;
}

bool ib_job_receive(void *message, size_t n)
{
    ssize_t got;

    do
        got = read(ib_job_fd(IB_FD_SOCKET), message, n);
    while (got < 0 && errno == EINTR);
    return got == (ssize_t)n;
}

enum ib_status ib_job_prior(const struct ib_job *j, const struct ib_use *use,
                            struct ib_scratch *scratch,
                            struct ib_prior_use *out, struct ib_error *err)
{
    const struct ib_prior_env env = {
        .shape = j->shape,
        .public_images = j->public_images.n ? &j->public_images : NULL,
        .scratch = scratch,
        .fitted = j->fitted,
        .fitted_size = j->fitted_size,
        .pool = j->pool,
    };
    struct ib_error why = {0};
    void *state = NULL;

    out->prior = (const struct ib_prior *)(const void *)use->plugin;
    out->size = out->prior->open(use->options, &env, &state, &why);
    out->state = state;
    if (out->size)
        return IB_OK;
    if (why.status)
        return ib_error_set(err, why.status, "%s", why.text);
    return ib_error_set(err, IB_E_INTERNAL,
                        "the prior %s has no latent and no reason for it",
                        use->plugin->name);
}

void ib_job_prior_close(struct ib_prior_use *p)
{
    if (p->size && p->prior->close)
        p->prior->close((void *)(uintptr_t)p->state);
    *p = (struct ib_prior_use){0};
}

/* Whoever waits for hello learns that there is no job. */
static enum ib_status refuse(const struct ib_error *why, struct ib_error *err)
{
    struct ib_hello hello = {.status = (int32_t)why->status};

    memcpy(hello.text, why->text, sizeof(hello.text));
    (void)ib_job_send(&hello, sizeof(hello));
    return ib_error_set(err, why->status, "%s", why->text);
}

enum ib_status ib_attacker_run(struct ib_registry *r, struct ib_error *err)
{
    struct ib_job j = {0};
    struct ib_error why = {0};
    enum ib_status status = ib_job_read(&j, &why);
    const char *kind =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(j.json, "job"));

    if (status)
        status = refuse(&why, err);
    else if (kind && strcmp(kind, "attack") == 0)
        status = ib_job_attack(&j, r, err);
    else
        status = ib_job_fit_or_sample(&j, r, err);
    ib_job_free(&j);
    return status;
}
