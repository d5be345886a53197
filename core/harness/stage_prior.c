/* Stage prior: what a prior learns from the public images, once for all. */
#include "data_io.h"
#include "json_put.h"
#include "prior_process.h"

enum { LEAST = 2 };

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

static enum ib_status fit(const struct ib_stage_env *env, const cJSON *spec,
                          const char *key, const struct ib_images *images,
                          struct ib_error *err)
{
    const cJSON *plugin = ib_at(spec, "plugin");
    uint64_t seed = (uint64_t)ib_at_number(spec, "seed");
    struct ib_public_parts parts;
    struct ib_prior_result result;
    enum ib_status s = ib_public_split(images, seed, &parts, err);

    if (s)
        return s;
    if (parts.seen.n < LEAST)
        s = ib_error_set(err, IB_E_DENIED,
                         "the prior %s learns from public images and needs at "
                         "least %d; the data set has %zu",
                         ib_at_text(plugin, "name"), LEAST, images->n);
    if (!s)
        s = ib_prior_run(&(struct ib_prior_job){.env = env,
                                                .prior = plugin,
                                                .images = &parts.seen,
                                                .seed = seed},
                         &result, err);
    if (!s) {
        s = put(env, spec, key, &parts, &result, err);
        ib_prior_result_free(&result);
    }
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
