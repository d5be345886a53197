/* The attacker's process: see oracle_process.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "oracle_process.h"
#include "reporter.h"
#include "sandbox.h"

enum { MODULES_MAX = 64 };

struct job {
    cJSON *json;
    const cJSON *spec;
    struct ib_use attack, prior;
    struct ib_images public_images;
    struct ib_attack_task task;
    int32_t *target;
    int targets;
    size_t capacity, scratch_size;
    struct ib_scratch *scratch;
    const void *model_bytes; /* whitebox; NULL otherwise */
    size_t model_size;
    struct ib_loaded_model model;
    struct ib_oracle *oracle;
    double progress;
};

static int job_fd(enum ib_attacker_fd what)
{
    return IB_FD_FIRST + (int)what;
}

static const struct ib_attack *job_attack(const struct job *j)
{
    return (const struct ib_attack *)(const void *)j->attack.plugin;
}

static double job_number(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNumber(item) ? item->valuedouble : 0;
}

static enum ib_status job_targets(struct job *j, struct ib_error *err)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(j->json, "targets");
    int n = cJSON_GetArraySize(list);

    j->target = calloc((size_t)n + 1, sizeof(*j->target));
    if (!j->target)
        return ib_error_set(err, IB_E_NOMEM, "no memory for %d targets", n);
    for (const cJSON *i = n ? list->child : NULL; i; i = i->next)
        j->target[j->targets++] = i->valueint;
    return IB_OK;
}

static enum ib_status job_read(struct job *j, struct ib_error *err)
{
    const cJSON *shape, *level;
    const void *text;
    size_t size;
    enum ib_status status = ib_memory_map(job_fd(IB_FD_JOB), &text, &size, err);

    if (!status)
        status = ib_json_parse(text, size, "job", &j->json, err);
    if (status)
        return status;
    j->spec = cJSON_GetObjectItemCaseSensitive(j->json, "spec");
    shape = cJSON_GetObjectItemCaseSensitive(j->json, "shape");
    level = cJSON_GetObjectItemCaseSensitive(j->json, "level");
    j->capacity = (size_t)job_number(j->json, "capacity");
    j->scratch_size = (size_t)job_number(j->json, "scratch");
    j->task = (struct ib_attack_task){
        .level = level ? (enum ib_level)level->valueint : IB_LABELS,
        .classes = (int)job_number(j->json, "classes"),
        .has_code =
            cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(j->json, "has_code")),
        .max_queries = (uint64_t)job_number(j->spec, "max_queries"),
    };
    j->task.shape.c = (int)job_number(shape, "c");
    j->task.shape.h = (int)job_number(shape, "h");
    j->task.shape.w = (int)job_number(shape, "w");
    return job_targets(j, err);
}

static enum ib_status job_public(struct job *j, struct ib_error *err)
{
    size_t d = ib_shape_size(j->task.shape), size;
    const void *data;
    enum ib_status status =
        ib_memory_map(job_fd(IB_FD_PUBLIC), &data, &size, err);

    j->public_images.shape = j->task.shape;
    if (status || !data)
        return status;
    j->public_images.n = (size_t)job_number(j->json, "public");
    j->public_images.pixels = data;
    j->public_images.identity =
        (const int32_t *)(const void *)((const char *)data + size -
                                        j->public_images.n * sizeof(int32_t));
    j->task.has_public = j->public_images.n > 0;
    if (size < j->public_images.n * (d + sizeof(int32_t)))
        return ib_error_set(err, IB_E_INTERNAL,
                            "public images: %zu bytes for "
                            "%zu images",
                            size, j->public_images.n);
    return IB_OK;
}

/* Modules may need libraries; after that there are no files any more. */
static enum ib_status job_lock_in(struct job *j, struct ib_registry *r,
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

static enum ib_status job_plugins(struct job *j, const struct ib_registry *r,
                                  int32_t *images, struct ib_error *err)
{
    const cJSON *attack = cJSON_GetObjectItemCaseSensitive(j->spec, "plugin");
    const cJSON *prior = cJSON_GetObjectItemCaseSensitive(j->spec, "prior");
    const char *reason = NULL;
    enum ib_status status =
        ib_use_from_spec(r, IB_KIND_ATTACK, attack, &j->attack, err);

    if (!status)
        status = ib_use_from_spec(r, IB_KIND_PRIOR, prior, &j->prior, err);
    if (status)
        return status;
    if (!(job_attack(j)->levels & IB_GRANTS(j->task.level)))
        return ib_error_set(err, IB_E_DENIED, "cannot use level %s",
                            ib_level_names[j->task.level]);
    if (job_attack(j)->applicable)
        reason = job_attack(j)->applicable(j->attack.options, &j->task);
    if (reason)
        return ib_error_set(err, IB_E_DENIED, "%s", reason);
    *images = 1;
    if (job_attack(j)->images)
        *images = job_attack(j)->images(j->attack.options);
    return IB_OK;
}

static enum ib_status job_model(struct job *j, const struct ib_registry *r,
                                struct ib_error *err)
{
    struct ib_artifact a = {0};
    const char *data = j->model_bytes;
    enum ib_status status;
    size_t head;
    uint64_t n;

    if (!data)
        return IB_OK;
    memcpy(&n, data, sizeof(n));
    status = ib_json_parse(data + sizeof(n), (size_t)n, "model", &a.meta, err);
    head = (sizeof(n) + (size_t)n + 63) / 64 * 64;
    a.data = data + head;
    a.size = j->model_size - head;
    if (!status)
        status = ib_model_decode(r, &a, (int)j->capacity, &j->model, err);
    cJSON_Delete(a.meta);
    return status;
}

static bool message_send(const void *message, size_t n)
{
    return write(job_fd(IB_FD_SOCKET), message, n) == (ssize_t)n;
}

static bool message_receive(void *message, size_t n)
{
    ssize_t got;

    do
        got = read(job_fd(IB_FD_SOCKET), message, n);
    while (got < 0 && errno == EINTR);
    return got == (ssize_t)n;
}

static void note_to_oracle(void *ctx, const char *text)
{
    struct job *j = ctx;
    ib_oracle_report(j->oracle, -1, text);
}

/* One message a percent is enough. */
static void progress_to_oracle(void *ctx, double share)
{
    struct job *j = ctx;

    if (share < j->progress + 0.01)
        return;
    j->progress = share;
    ib_oracle_report(j->oracle, share, "");
}

static enum ib_status job_attack_run(struct job *j, struct ib_error *err)
{
    const struct ib_prior *prior =
        (const struct ib_prior *)(const void *)j->prior.plugin;
    struct ib_reporter reporter = {note_to_oracle, progress_to_oracle, j};
    const struct ib_images *images =
        j->public_images.n ? &j->public_images : NULL;
    const struct ib_prior_env prior_env = {j->task.shape, images, j->scratch};
    struct ib_attack_env env = {
        .oracle = j->oracle,
        .prior = {.prior = prior},
        .public_images = images,
        .targets = j->targets,
        .target = j->target,
        .seed = (uint64_t)job_number(j->spec, "seed"),
        .scratch = j->scratch,
        .reporter = &reporter,
    };
    void *state = NULL;

    env.prior.size = prior->open(j->prior.options, &prior_env, &state, err);
    env.prior.state = state;
    if (env.prior.size == 0)
        return err->status ? err->status : IB_E_INTERNAL;
    return job_attack(j)->run(j->attack.options, &env, err);
}

/* After hello: what the oracle says there is to know, then the attack. */
static enum ib_status job_run(struct job *j, const struct ib_registry *r,
                              struct ib_error *err)
{
    struct ib_error result = {0};
    struct ib_oracle_link link = {.socket = job_fd(IB_FD_SOCKET),
                                  .memory = job_fd(IB_FD_BUFFER)};
    enum ib_status status;

    if (!message_receive(&link.info, sizeof(link.info)))
        return ib_error_set(err, IB_E_INTERNAL, "the oracle is gone");
    status = job_model(j, r, &result);
    link.net = j->model.net;
    link.nodes = j->model.nodes;
    if (ib_oracle_open_channel(&j->oracle, &link, err))
        return err->status;
    j->scratch = ib_scratch_create(j->scratch_size);
    if (!status && !j->scratch)
        status = ib_error_set(&result, IB_E_NOMEM, "no memory for an attack");
    if (!status)
        status = job_attack_run(j, &result);
    ib_oracle_done(j->oracle, status, &result);
    return IB_OK;
}

static void job_free(struct job *j)
{
    ib_oracle_close(j->oracle);
    ib_scratch_free(j->scratch);
    ib_model_close(&j->model);
    ib_use_free(&j->attack);
    ib_use_free(&j->prior);
    free(j->target);
    cJSON_Delete(j->json);
}

enum ib_status ib_attacker_run(struct ib_registry *r, struct ib_error *err)
{
    struct job j = {0};
    struct ib_hello hello = {0};
    struct ib_error failed = {0};
    enum ib_status status = job_read(&j, &failed);

    if (!status)
        status = job_public(&j, &failed);
    if (!status)
        status = ib_memory_map(job_fd(IB_FD_MODEL), &j.model_bytes,
                               &j.model_size, &failed);
    if (!status)
        status = job_lock_in(&j, r, &hello.landlock, &failed);
    if (!status)
        status = job_plugins(&j, r, &hello.images, &failed);
    hello.status = (int32_t)status;
    memcpy(hello.text, failed.text, sizeof(hello.text));
    if (!message_send(&hello, sizeof(hello)))
        status = ib_error_set(&failed, IB_E_INTERNAL, "the oracle is gone");
    if (!status)
        status = job_run(&j, r, err);
    else if (err)
        *err = failed;
    job_free(&j);
    return status;
}
