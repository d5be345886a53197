/* Stage prior: what a prior learns from the public images, once for all. */
#include <string.h>
#include <sys/stat.h>

#include "checkpoint.h"
#include "data_io.h"
#include "json_put.h"
#include "prior_process.h"

enum { LEAST = 2, CHECKPOINT_SECONDS = 20 };

static enum ib_status put(const struct ib_stage_env *env, const cJSON *spec,
                          const char *key, const struct ib_public_parts *parts,
                          const struct ib_prior_result *r, struct ib_error *err)
{
    bool ok = true;
    cJSON *meta = cJSON_CreateObject();
    enum ib_status s;

    ib_put_copy(&ok, meta, "spec", spec);
    ib_put_number(&ok, meta, "images", (double)parts->seen.n);
    ib_put_number(&ok, meta, "held_out", (double)parts->held.n);
    ib_put_copy(&ok, meta, "numbers", r->numbers);
    s = ok ? ib_store_put(env->store, key, meta, r->data, r->size, err)
           : ib_error_set(err, IB_E_NOMEM, "no memory for a prior");
    cJSON_Delete(meta);
    return s;
}

/* What the attacker's process saved stays where that process died; what a fit
 * says of itself, it would say again. */
static void close_checkpoint(struct ib_checkpoint_file *f, bool died)
{
    struct stat st;

    if (f->fd >= 0 && fstat(f->fd, &st) == 0 && st.st_size > 0)
        f->number = 1;
    ib_checkpoint_close(f, !died);
}

static bool died(enum ib_status s, const struct ib_error *err)
{
    static const char *const deaths[] = {"crashed: ", "timeout: ", "oom: "};

    for (size_t i = 0; i < IB_COUNT(deaths) && s; i++)
        if (strncmp(err->text, deaths[i], strlen(deaths[i])) == 0)
            return true;
    return s == IB_E_IO;
}

static enum ib_status fit_parts(const struct ib_stage_env *env,
                                const cJSON *spec, const char *key,
                                const struct ib_public_parts *parts,
                                struct ib_error *err)
{
    const cJSON *plugin = ib_at(spec, "plugin");
    struct ib_checkpoint_file kept = {.fd = -1};
    struct ib_prior_job job = {.env = env,
                               .prior = plugin,
                               .images = &parts->seen,
                               .seed = (uint64_t)ib_at_number(spec, "seed")};
    struct ib_prior_result result;
    struct ib_use use;
    enum ib_status s =
        ib_use_from_spec(env->registry, IB_KIND_PRIOR, plugin, &use, err);

    if (s)
        return s;
    if (!ib_registry_is_foreign(env->registry, use.plugin))
        ib_checkpoint_open(&kept, env->store, key, CHECKPOINT_SECONDS);
    ib_use_free(&use);
    job.checkpoint = kept.fd;
    job.every = kept.fd >= 0 ? CHECKPOINT_SECONDS : 0;
    s = ib_prior_run(&job, &result, err);
    if (!s) {
        s = put(env, spec, key, parts, &result, err);
        ib_prior_result_free(&result);
    }
    close_checkpoint(&kept, died(s, err));
    return s;
}

static enum ib_status fit(const struct ib_stage_env *env, const cJSON *spec,
                          const char *key, const struct ib_images *images,
                          struct ib_error *err)
{
    struct ib_public_parts parts;
    enum ib_status s = ib_public_split(
        images, (uint64_t)ib_at_number(spec, "seed"), &parts, err);

    if (s)
        return s;
    if (parts.seen.n < LEAST)
        s = ib_error_set(err, IB_E_DENIED,
                         "the prior %s learns from public images and needs at "
                         "least %d; the data set has %zu",
                         ib_at_text(ib_at(spec, "plugin"), "name"), LEAST,
                         images->n);
    else
        s = fit_parts(env, spec, key, &parts, err);
    ib_public_parts_free(&parts);
    return s;
}

enum ib_status ib_stage_prior(const struct ib_stage_env *env, const cJSON *spec,
                              const char *key, struct ib_error *err)
{
    const char *data = ib_at_text(spec, "data");
    struct ib_open_data open = {0};
    enum ib_status s;

    if (!data || !ib_at_text(ib_at(spec, "plugin"), "name") ||
        !(ib_at_number(spec, "seed") >= 0))
        return ib_error_set(err, IB_E_INTERNAL,
                            "stage prior: plugin, data or seed is missing");
    s = ib_data_open(env, data, &open, err);
    if (s)
        return s;
    s = fit(env, spec, key, &open.set.split[IB_PUBLIC], err);
    ib_data_close(&open);
    return s;
}
