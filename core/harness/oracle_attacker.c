/* The job of an attack: see oracle_process.h. */
#include <stdlib.h>
#include <string.h>

#include "oracle_job.h"
#include "reporter.h"

struct job {
    const struct ib_job *common;
    const cJSON *spec;
    struct ib_use attack, prior;
    struct ib_attack_task task;
    int32_t *target;
    int targets;
    size_t capacity;
    struct ib_scratch *scratch;
    const void *model_bytes; /* whitebox; NULL otherwise */
    size_t model_size;
    struct ib_loaded_model model;
    struct ib_oracle *oracle;
    double progress;
};

static const struct ib_attack *job_attack(const struct job *j)
{
    return (const struct ib_attack *)(const void *)j->attack.plugin;
}

static enum ib_status job_targets(struct job *j, struct ib_error *err)
{
    const cJSON *list =
        cJSON_GetObjectItemCaseSensitive(j->common->json, "targets");
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
    const cJSON *json = j->common->json, *level;

    j->spec = cJSON_GetObjectItemCaseSensitive(json, "spec");
    level = cJSON_GetObjectItemCaseSensitive(json, "level");
    j->capacity = (size_t)ib_job_number(json, "capacity");
    j->task = (struct ib_attack_task){
        .level = level ? (enum ib_level)level->valueint : IB_LABELS,
        .shape = j->common->shape,
        .classes = (int)ib_job_number(json, "classes"),
        .has_public = j->common->public_images.n > 0,
        .has_code =
            cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json, "has_code")),
        .max_queries = (uint64_t)ib_job_number(j->spec, "max_queries"),
    };
    return job_targets(j, err);
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
    struct ib_reporter reporter = {note_to_oracle, progress_to_oracle, j};
    const struct ib_images *images = &j->common->public_images;
    struct ib_attack_env env = {
        .oracle = j->oracle,
        .public_images = images->n ? images : NULL,
        .targets = j->targets,
        .target = j->target,
        .seed = (uint64_t)ib_job_number(j->spec, "seed"),
        .scratch = j->scratch,
        .reporter = &reporter,
    };
    enum ib_status status =
        ib_job_prior(j->common, &j->prior, j->scratch, &env.prior, err);

    if (!status)
        status = job_attack(j)->run(j->attack.options, &env, err);
    ib_job_prior_close(&env.prior);
    return status;
}

/* After hello: what the oracle says there is to know, then the attack. */
static enum ib_status job_run(struct job *j, const struct ib_registry *r,
                              struct ib_error *err)
{
    struct ib_error result = {0};
    struct ib_oracle_link link = {.socket = ib_job_fd(IB_FD_SOCKET),
                                  .memory = ib_job_fd(IB_FD_BUFFER)};
    enum ib_status status;

    if (!ib_job_receive(&link.info, sizeof(link.info)))
        return ib_error_set(err, IB_E_INTERNAL, "the oracle is gone");
    status = job_model(j, r, &result);
    link.net = j->model.net;
    link.nodes = j->model.nodes;
    if (ib_oracle_open_channel(&j->oracle, &link, err))
        return err->status;
    j->scratch = ib_scratch_create(j->common->scratch_size);
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
}

enum ib_status ib_job_attack(struct ib_job *common, struct ib_registry *r,
                             struct ib_error *err)
{
    struct job j = {.common = common};
    struct ib_hello hello = {0};
    struct ib_error failed = {0};
    enum ib_status status = job_read(&j, &failed);

    if (!status)
        status = ib_memory_map(ib_job_fd(IB_FD_MODEL), &j.model_bytes,
                               &j.model_size, &failed);
    if (!status)
        status = ib_job_lock_in(common, r, &hello.landlock, &failed);
    if (!status)
        status = job_plugins(&j, r, &hello.images, &failed);
    hello.status = (int32_t)status;
    memcpy(hello.text, failed.text, sizeof(hello.text));
    if (!ib_job_send(&hello, sizeof(hello)))
        status = ib_error_set(&failed, IB_E_INTERNAL, "the oracle is gone");
    if (!status)
        status = job_run(&j, r, err);
    else if (err)
        *err = failed;
    job_free(&j);
    return status;
}
