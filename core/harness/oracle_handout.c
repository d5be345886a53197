/* What the attacker is handed: see oracle_process.h. */
#include <stdlib.h>

#include "oracle_process.h"

enum { SCRATCH_DEFAULT = 1 << 30 };

static bool job_modules(const struct ib_stage_env *env, cJSON *job)
{
    const char *const *path = ib_registry_modules(env->registry);
    cJSON *list = cJSON_AddArrayToObject(job, "modules");

    for (; list && *path; path++) {
        char *real = realpath(*path, NULL);
        bool ok =
            cJSON_AddItemToArray(list, cJSON_CreateString(real ? real : *path));
        free(real);
        if (!ok)
            return false;
    }
    return list != NULL;
}

static bool job_shape(struct ib_shape shape, cJSON *job)
{
    cJSON *object = cJSON_AddObjectToObject(job, "shape");

    return object && cJSON_AddNumberToObject(object, "c", shape.c) &&
           cJSON_AddNumberToObject(object, "h", shape.h) &&
           cJSON_AddNumberToObject(object, "w", shape.w);
}

cJSON *ib_handout_job(const struct ib_stage_env *env, const char *kind,
                      const struct ib_images *images)
{
    size_t limit = env->memory_limit / 2;
    cJSON *job = cJSON_CreateObject();

    if (cJSON_AddStringToObject(job, "job", kind) && job_modules(env, job) &&
        job_shape(images->shape, job) &&
        cJSON_AddNumberToObject(job, "scratch",
                                (double)(limit ? limit : SCRATCH_DEFAULT)) &&
        cJSON_AddNumberToObject(job, "public", (double)images->n))
        return job;
    cJSON_Delete(job);
    return NULL;
}

static cJSON *job_make(const struct ib_handout *h)
{
    const struct ib_model_nodes *nodes = &h->params->nodes;
    bool code = nodes->code != IB_NONE && nodes->decoded != IB_NONE;
    cJSON *job = ib_handout_job(h->env, "attack", &h->set->split[IB_PUBLIC]);
    cJSON *copy = cJSON_Duplicate(h->spec, true);
    bool ok = cJSON_AddItemToObject(job, "spec", copy);

    if (!ok)
        cJSON_Delete(copy);
    ok = ok && cJSON_AddNumberToObject(job, "level", h->params->level) &&
         cJSON_AddNumberToObject(job, "classes", h->params->classes) &&
         cJSON_AddNumberToObject(job, "capacity",
                                 ib_net_max_batch(h->params->net)) &&
         cJSON_AddBoolToObject(job, "has_code", code) &&
         cJSON_AddItemToObject(
             job, "targets",
             cJSON_CreateIntArray(h->params->target, h->params->targets));
    if (ok)
        return job;
    cJSON_Delete(job);
    return NULL;
}

enum ib_status ib_handout_give_job(cJSON *job, int *fd, struct ib_error *err)
{
    struct ib_text text = {0};
    enum ib_status status =
        job ? ib_json_canonical(job, &text, err)
            : ib_error_set(err, IB_E_NOMEM, "no memory for a job");
    const struct ib_part part = {text.data, text.size};

    if (!status)
        status = ib_memory_sealed(fd, "job", &part, 1, err);
    ib_text_free(&text);
    cJSON_Delete(job);
    return status;
}

enum ib_status ib_handout_give_images(const struct ib_images *images, int *fd,
                                      struct ib_error *err)
{
    size_t pixels = images->n * ib_shape_size(images->shape);
    const struct ib_part part[3] = {
        {images->pixels, pixels},
        {"\0\0\0", (4 - pixels % 4) % 4},
        {images->identity, images->n * sizeof(*images->identity)},
    };

    return ib_memory_sealed(fd, "public images", part, images->n ? 3 : 0, err);
}

/* What the attack's prior has learnt. */
static enum ib_status give_prior(const struct ib_handout *h, int *fd,
                                 struct ib_error *err)
{
    const char *key = cJSON_GetStringValue(
        cJSON_GetObjectItemCaseSensitive(h->spec, "fitted"));
    struct ib_artifact a = {0};
    enum ib_status status = IB_OK;

    if (key)
        status = ib_store_get(h->env->store, key, &a, err);
    const struct ib_part part = {a.data, a.size};
    if (!status)
        status = ib_memory_sealed(fd, "prior", &part, a.size ? 1 : 0, err);
    ib_artifact_free(&a);
    return status;
}

static enum ib_status give_model(const struct ib_handout *h, int *fd,
                                 struct ib_error *err)
{
    static const char zeros[64];
    struct ib_artifact a = {0};
    struct ib_text meta = {0};
    uint64_t n;
    enum ib_status status;

    if (h->params->level != IB_WHITEBOX)
        return ib_memory_sealed(fd, "model", NULL, 0, err);
    status = ib_store_get(h->env->store, h->model_key, &a, err);
    if (status)
        return status;
    status = ib_json_canonical(a.meta, &meta, err);
    n = meta.size;
    const struct ib_part part[4] = {
        {&n, sizeof(n)},
        {meta.data, meta.size},
        {zeros, (64 - (sizeof(n) + meta.size) % 64) % 64},
        {a.data, a.size},
    };
    if (!status)
        status = ib_memory_sealed(fd, "model", part, 4, err);
    ib_text_free(&meta);
    ib_artifact_free(&a);
    return status;
}

enum ib_status ib_handout_make(const struct ib_handout *h, int fd[IB_FD_COUNT],
                               struct ib_error *err)
{
    enum ib_status status =
        ib_handout_give_job(job_make(h), &fd[IB_FD_JOB], err);

    if (!status)
        status = ib_handout_give_images(&h->set->split[IB_PUBLIC],
                                        &fd[IB_FD_PUBLIC], err);
    if (!status)
        status = give_prior(h, &fd[IB_FD_PRIOR], err);
    if (!status)
        status = give_model(h, &fd[IB_FD_MODEL], err);
    return status;
}
