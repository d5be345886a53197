/* What the attacker is handed: JOB, PUBLIC and MODEL of oracle_process.h. */
#include <stdlib.h>

#include "oracle_process.h"

enum { SCRATCH_DEFAULT = 1 << 30 };

static bool job_modules(const struct ib_handout *h, cJSON *job)
{
    const char *const *path = ib_registry_modules(h->env->registry);
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

static bool job_shape(const struct ib_handout *h, cJSON *job)
{
    const struct ib_shape shape = h->set->shape;
    cJSON *object = cJSON_AddObjectToObject(job, "shape");

    return object && cJSON_AddNumberToObject(object, "c", shape.c) &&
           cJSON_AddNumberToObject(object, "h", shape.h) &&
           cJSON_AddNumberToObject(object, "w", shape.w);
}

static cJSON *job_make(const struct ib_handout *h)
{
    const struct ib_model_nodes *nodes = &h->params->nodes;
    size_t limit = h->env->memory_limit / 2;
    size_t scratch = limit ? limit : SCRATCH_DEFAULT;
    bool code = nodes->code != IB_NONE && nodes->decoded != IB_NONE;
    cJSON *job = cJSON_CreateObject(), *copy = cJSON_Duplicate(h->spec, true);
    bool ok = cJSON_AddItemToObject(job, "spec", copy);

    if (!ok)
        cJSON_Delete(copy);
    ok = ok && job_modules(h, job) && job_shape(h, job) &&
         cJSON_AddNumberToObject(job, "level", h->params->level) &&
         cJSON_AddNumberToObject(job, "classes", h->params->classes) &&
         cJSON_AddNumberToObject(job, "capacity",
                                 ib_net_max_batch(h->params->net)) &&
         cJSON_AddNumberToObject(job, "scratch", (double)scratch) &&
         cJSON_AddNumberToObject(job, "public",
                                 (double)h->set->split[IB_PUBLIC].n) &&
         cJSON_AddBoolToObject(job, "has_code", code) &&
         cJSON_AddItemToObject(
             job, "targets",
             cJSON_CreateIntArray(h->params->target, h->params->targets));
    if (ok)
        return job;
    cJSON_Delete(job);
    return NULL;
}

static enum ib_status give_job(const struct ib_handout *h, int *fd,
                               struct ib_error *err)
{
    struct ib_text text = {0};
    cJSON *job = job_make(h);
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

static enum ib_status give_public(const struct ib_handout *h, int *fd,
                                  struct ib_error *err)
{
    const struct ib_images *images = &h->set->split[IB_PUBLIC];
    size_t pixels = images->n * ib_shape_size(h->set->shape);
    const struct ib_part part[3] = {
        {images->pixels, pixels},
        {"\0\0\0", (4 - pixels % 4) % 4},
        {images->identity, images->n * sizeof(*images->identity)},
    };

    return ib_memory_sealed(fd, "public images", part, images->n ? 3 : 0, err);
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
    enum ib_status status = give_job(h, &fd[IB_FD_JOB], err);

    if (!status)
        status = give_public(h, &fd[IB_FD_PUBLIC], err);
    if (!status)
        status = give_model(h, &fd[IB_FD_MODEL], err);
    return status;
}
