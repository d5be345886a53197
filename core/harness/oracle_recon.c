/* What a core keeps of the attack's guesses, and what it hands over. */
#include <invbench/math.h>
#include <stdlib.h>
#include <string.h>

#include "oracle_core.h"
#include "oracle_hash.h"

enum ib_status ib_core_reserve(struct ib_oracle_core *c, struct ib_error *err)
{
    size_t rows = c->info.capacity, targets = (size_t)c->info.targets;
    size_t scores, kept;
    char *base;

    c->d = ib_shape_size(c->info.shape);
    c->k = (size_t)c->info.classes;
    if (!ib_size_mul(rows, c->k, &scores) ||
        !ib_size_mul(targets, (size_t)c->info.images, &c->set) ||
        !ib_size_mul(c->set, c->d, &c->set) ||
        !ib_size_mul(c->set, IB_CHECKPOINTS_MAX, &kept))
        return ib_error_set(err, IB_E_NOMEM,
                            "the oracle's buffers would not "
                            "fit into memory");
    c->memory = calloc(scores + 2 * rows + targets, sizeof(float));
    c->kept = calloc(kept, 1);
    if (!c->memory || !c->kept)
        return ib_error_set(err, IB_E_NOMEM,
                            "no memory for an oracle of %zu "
                            "rows and %zu targets",
                            rows, targets);
    base = c->memory;
    c->work = (float *)(void *)base;
    c->slot = (int32_t *)(void *)(base + scores * sizeof(float));
    c->place = c->slot + rows;
    c->target = c->place + rows;
    memcpy(c->target, c->p.target, targets * sizeof(*c->target));
    return IB_OK;
}

static void core_bytes(struct ib_oracle_core *c, int slot, uint8_t *out)
{
    size_t images = (size_t)c->info.images, first = (size_t)slot * images;

    for (size_t r = 0; r < images; r++) {
        const float *guess = c->b.guess + (first + r) * c->d;
        size_t at = ib_row_bad(guess, c->d);
        if (at < c->d && !c->bad) {
            c->bad = true;
            c->bad_row = first + r;
            c->bad_at = at;
        }
        ib_image_to_bytes(guess, c->d, out + (first + r) * c->d);
    }
}

void ib_core_keep(void *core, int slot, int k)
{
    struct ib_oracle_core *c = core;
    core_bytes(c, slot, c->kept + (size_t)k * c->set);
}

static enum ib_status core_bad(const struct ib_oracle_core *c,
                               struct ib_error *err)
{
    size_t images = (size_t)c->info.images, w = (size_t)c->info.shape.w;
    size_t slot = c->bad_row / images, plane = w * (size_t)c->info.shape.h;

    return ib_error_set(
        err, IB_E_NUMERIC,
        "the reconstruction of class %d (slot %zu, image %zu) is not finite "
        "at channel %zu, row %zu, column %zu",
        c->target[slot], slot, c->bad_row % images, c->bad_at / plane,
        c->bad_at % plane / w, c->bad_at % w);
}

/* All images: final ones, then per checkpoint, with a slot's final ones where
 * it ended before that. */
static uint8_t *core_pixels(struct ib_oracle_core *c, int checkpoints,
                            size_t *bytes)
{
    size_t one = (size_t)c->info.images * c->d;
    uint8_t *all = NULL;

    if (ib_size_mul(c->set, 1 + (size_t)checkpoints, bytes))
        all = malloc(*bytes ? *bytes : 1);
    for (int s = 0; all && s < c->info.targets; s++)
        core_bytes(c, s, all);
    for (int k = 0; all && k < checkpoints; k++)
        for (int s = 0; s < c->info.targets; s++) {
            bool passed = ib_meter_slot(&c->meter, s)->passed > k;
            size_t at = (size_t)s * one;
            const uint8_t *from = passed ? c->kept + (size_t)k * c->set : all;
            memcpy(all + (size_t)(k + 1) * c->set + at, from + at, one);
        }
    return all;
}

static bool core_reached(const struct ib_oracle_core *c, int checkpoints,
                         cJSON *meta)
{
    cJSON *list = cJSON_AddArrayToObject(meta, "checkpoints");
    cJSON *reached = cJSON_AddArrayToObject(meta, "reached");
    bool ok = list && reached;

    for (int k = 0; ok && k < checkpoints; k++) {
        uint64_t at = c->meter.mark[k];
        cJSON *row = cJSON_CreateArray();
        ok = cJSON_AddItemToArray(list, cJSON_CreateNumber((double)at)) &&
             cJSON_AddItemToArray(reached, row);
        for (int s = 0; ok && s < c->info.targets; s++)
            ok = cJSON_AddItemToArray(
                row, cJSON_CreateBool(ib_meter_total(&c->meter, s) >= at));
    }
    return ok;
}

static cJSON *core_meta(const struct ib_oracle_core *c, int checkpoints)
{
    const int shape[3] = {c->info.shape.c, c->info.shape.h, c->info.shape.w};
    cJSON *meta = cJSON_CreateObject();
    cJSON *queries = ib_meter_queries(&c->meter);
    bool ok =
        queries &&
        cJSON_AddItemToObject(
            meta, "targets",
            cJSON_CreateIntArray(c->target, c->info.targets)) &&
        cJSON_AddNumberToObject(meta, "images", c->info.images) &&
        cJSON_AddItemToObject(meta, "shape", cJSON_CreateIntArray(shape, 3)) &&
        core_reached(c, checkpoints, meta) &&
        cJSON_AddNumberToObject(meta, "simulated_seconds", c->meter.seconds);

    if (ok && cJSON_AddItemToObject(meta, "queries", queries))
        return meta;
    cJSON_Delete(queries);
    cJSON_Delete(meta);
    return NULL;
}

enum ib_status ib_oracle_core_recon(struct ib_oracle_core *c, cJSON **meta,
                                    uint8_t **pixels, size_t *bytes,
                                    struct ib_error *err)
{
    int checkpoints = ib_meter_reached(&c->meter);

    *meta = NULL;
    *pixels = core_pixels(c, checkpoints, bytes);
    if (*pixels)
        *meta = core_meta(c, checkpoints);
    if (*meta && !c->bad)
        return IB_OK;
    free(*pixels);
    *pixels = NULL;
    if (c->bad) {
        cJSON_Delete(*meta);
        *meta = NULL;
        return core_bad(c, err);
    }
    return ib_error_set(err, IB_E_NOMEM,
                        "no memory for %zu bytes of "
                        "reconstructions",
                        *bytes);
}
