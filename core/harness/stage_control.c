/*
 * Stage control: rows that must score at a known level. They are not attacks;
 * only they may touch the holdout split.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <invbench/math.h>

#include "data_io.h"
#include "recon_io.h"

enum { BATCH = 64, STEPS = 50 };

struct job {
    const char *name;
    const char *model; /* key; of controls that ask the target only */
    uint64_t seed;
    int targets;
    int32_t *target;
    struct ib_open_data data;
    size_t d;
    int images;      /* of each identity */
    uint8_t *pixels; /* targets x images x D */
    uint64_t shared; /* queries asked once for all */
    int gradients;   /* queries of each identity */
};

struct control {
    const char *name;
    enum ib_split needs; /* IB_SPLITS: none */
    enum ib_status (*make)(const struct ib_stage_env *env, struct job *j,
                           struct ib_error *err);
};

static const struct ib_images *split_of(const struct job *j, enum ib_split s)
{
    return &j->data.set.split[s];
}

static uint8_t *slot_pixels(const struct job *j, int slot)
{
    return j->pixels + (size_t)slot * (size_t)j->images * j->d;
}

static void put_image(const struct job *j, int slot, const struct ib_images *x,
                      size_t i)
{
    memcpy(slot_pixels(j, slot), x->pixels + i * j->d, j->d);
}

/* --- the controls ------------------------------------------------------- */

static enum ib_status public_mean(const struct ib_stage_env *env, struct job *j,
                                  struct ib_error *err)
{
    const struct ib_images *x = split_of(j, IB_PUBLIC);
    float *mean = malloc(j->d * sizeof(*mean));

    (void)env;
    if (!mean)
        return ib_error_set(err, IB_E_NOMEM, "no memory for an image");
    for (size_t p = 0; p < j->d; p++) {
        uint64_t sum = 0;

        for (size_t i = 0; i < x->n; i++)
            sum += x->pixels[i * j->d + p];
        mean[p] = (float)((double)sum / (255.0 * (double)x->n));
    }
    for (int slot = 0; slot < j->targets; slot++)
        ib_image_to_bytes(mean, j->d, slot_pixels(j, slot));
    free(mean);
    return IB_OK;
}

/* The public image with the highest score of each slot's class; the lowest
 * index on ties. */
static enum ib_status choose_best(struct job *j, struct ib_loaded_model *m,
                                  struct ib_error *err)
{
    const struct ib_images *x = split_of(j, IB_PUBLIC);
    size_t k = (size_t)m->task.classes, cells;
    float *score = NULL;

    if (ib_size_mul(x->n, k, &cells))
        score = calloc(cells, sizeof(*score));
    if (!score)
        return ib_error_set(err, IB_E_NOMEM,
                            "no memory for the scores of %zu public images",
                            x->n);
    ib_predict(m->net, m->nodes.input, m->nodes.logits, x, score);
    ib_softmax_rows(x->n, k, score, score);
    for (int slot = 0; slot < j->targets; slot++) {
        size_t class = (size_t)j->target[slot], best = 0;

        for (size_t i = 1; i < x->n; i++)
            if (score[i * k + class] > score[best * k + class])
                best = i;
        put_image(j, slot, x, best);
    }
    j->shared = x->n;
    free(score);
    return IB_OK;
}

static enum ib_status
ask_target(const struct ib_stage_env *env, struct job *j,
           enum ib_status (*make)(struct job *j, struct ib_loaded_model *m,
                                  struct ib_error *err),
           struct ib_error *err)
{
    struct ib_loaded_model m = {0};
    enum ib_status s;

    if (!j->model)
        return ib_error_set(err, IB_E_INTERNAL,
                            "control %s: the spec names no model", j->name);
    s = ib_model_open(env, j->model, BATCH, &m, err);
    if (s != IB_OK)
        return s;
    if (m.task.classes != j->data.set.classes)
        s = ib_error_set(err, IB_E_INTERNAL,
                         "control %s: the model has %d classes, the data set "
                         "%d",
                         j->name, m.task.classes, j->data.set.classes);
    else
        s = make(j, &m, err);
    ib_model_close(&m);
    return s;
}

static enum ib_status public_best(const struct ib_stage_env *env, struct job *j,
                                  struct ib_error *err)
{
    return ask_target(env, j, choose_best, err);
}

static void draw_noise(const struct job *j, int slot, float *row)
{
    struct ib_rng rng =
        ib_rng_stream(j->seed, "control", j->target[slot], "noise");

    ib_rng_fill_uniform(&rng, row, j->d);
}

/* One step down the cross-entropy of each row's class, by the sign of its
 * gradient. */
static void step_down(const struct job *j, struct ib_loaded_model *m, int first,
                      int n)
{
    static const float rate = 0.02F;
    const struct ib_forward f = {
        .n = n, .from = m->nodes.input, .to = m->nodes.logits};
    size_t k = (size_t)m->task.classes;
    ib_real *x = ib_net_value(m->net, m->nodes.input), *g, *z;

    ib_net_forward(m->net, &f);
    z = ib_net_gradient(m->net, m->nodes.logits);
    ib_softmax_rows((size_t)n, k, ib_net_value(m->net, m->nodes.logits), z);
    for (int i = 0; i < n; i++)
        z[(size_t)i * k + (size_t)j->target[first + i]] -= 1;
    ib_net_backward(m->net, &f, IB_WRT_INPUT);
    g = ib_net_gradient(m->net, m->nodes.input);
    for (size_t i = 0; i < (size_t)n * j->d; i++)
        x[i] =
            fminf(fmaxf(x[i] - rate * (float)((g[i] > 0) - (g[i] < 0)), 0), 1);
}

static enum ib_status optimise(struct job *j, struct ib_loaded_model *m,
                               struct ib_error *err)
{
    (void)err;
    j->gradients = STEPS;
    for (int first = 0; first < j->targets; first += BATCH) {
        int n = j->targets - first < BATCH ? j->targets - first : BATCH;
        ib_real *x = ib_net_value(m->net, m->nodes.input);

        for (int i = 0; i < n; i++)
            draw_noise(j, first + i, x + (size_t)i * j->d);
        for (int t = 0; t < STEPS; t++)
            step_down(j, m, first, n);
        for (int i = 0; i < n; i++)
            ib_image_to_bytes(x + (size_t)i * j->d, j->d,
                              slot_pixels(j, first + i));
    }
    return IB_OK;
}

/* The control noise, turned into what the target is sure of by its gradients,
 * without any prior: how far that fools an evaluator. */
static enum ib_status optimised_noise(const struct ib_stage_env *env,
                                      struct job *j, struct ib_error *err)
{
    return ask_target(env, j, optimise, err);
}

/* What the random start of the prior pixels draws. */
static enum ib_status noise(const struct ib_stage_env *env, struct job *j,
                            struct ib_error *err)
{
    float *row = malloc(j->d * sizeof(*row));

    (void)env;
    if (!row)
        return ib_error_set(err, IB_E_NOMEM, "no memory for an image");
    for (int slot = 0; slot < j->targets; slot++) {
        draw_noise(j, slot, row);
        ib_image_to_bytes(row, j->d, slot_pixels(j, slot));
    }
    free(row);
    return IB_OK;
}

/* As many images of every identity as the one with the fewest has. */
static enum ib_status holdout(const struct ib_stage_env *env, struct job *j,
                              struct ib_error *err)
{
    const struct ib_images *x = split_of(j, IB_HOLDOUT);
    size_t *index = calloc((size_t)j->images, sizeof(*index));

    (void)env;
    if (!index)
        return ib_error_set(err, IB_E_NOMEM, "no memory for %d images",
                            j->images);
    for (int slot = 0; slot < j->targets; slot++) {
        size_t images = (size_t)j->images;

        ib_images_of(x, j->target[slot], index, images);
        for (size_t i = 0; i < images; i++)
            memcpy(slot_pixels(j, slot) + i * j->d, x->pixels + index[i] * j->d,
                   j->d);
    }
    free(index);
    return IB_OK;
}

/* A held-out image of identity (k + 1 + draw) mod K, draw in 0..K-2. */
static enum ib_status other(const struct ib_stage_env *env, struct job *j,
                            struct ib_error *err)
{
    const struct ib_images *x = split_of(j, IB_HOLDOUT);
    int k = j->data.set.classes;

    (void)env, (void)err;
    for (int slot = 0; slot < j->targets; slot++) {
        int32_t class = j->target[slot];
        struct ib_rng rng = ib_rng_stream(j->seed, "control", class, "other");
        uint32_t draw = ib_rng_below(&rng, (uint32_t)k - 1);
        int identity = (int)(((uint32_t) class + 1 + draw) % (uint32_t)k);
        size_t first = 0, count = ib_images_of(x, identity, &first, 1), pick;

        pick = ib_rng_below(&rng, (uint32_t)count);
        for (size_t i = first; i < x->n; i++)
            if (x->identity[i] == identity && pick-- == 0) {
                put_image(j, slot, x, i);
                break;
            }
    }
    return IB_OK;
}

static const struct control controls[] = {
    {"public-mean", IB_PUBLIC, public_mean},
    {"public-best", IB_PUBLIC, public_best},
    {"noise", IB_SPLITS, noise},
    {"holdout", IB_HOLDOUT, holdout},
    {"other", IB_HOLDOUT, other},
    {"optimised-noise", IB_SPLITS, optimised_noise},
};

/* --- the stage ---------------------------------------------------------- */

static const struct control *control_named(const char *name)
{
    for (size_t i = 0; i < IB_COUNT(controls); i++)
        if (strcmp(controls[i].name, name) == 0)
            return &controls[i];
    return NULL;
}

static enum ib_status read_target(const cJSON *item, struct job *j,
                                  struct ib_error *err)
{
    double class = cJSON_IsNumber(item) ? item->valuedouble : -1;

    if (!(class >= 0 && class < j->data.set.classes))
        return ib_error_set(err, IB_E_INTERNAL,
                            "control %s: target %g is no class of the data "
                            "set (0..%d)",
                            j->name, class, j->data.set.classes - 1);
    j->target[j->targets++] = (int32_t) class;
    return IB_OK;
}

/* Classes of the data set, which is open by now; an empty list: all. */
static enum ib_status read_targets(const cJSON *spec, struct job *j,
                                   struct ib_error *err)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(spec, "targets");
    const cJSON *item;
    int listed = cJSON_GetArraySize(list);
    int n = listed > 0 ? listed : j->data.set.classes;
    enum ib_status s = IB_OK;

    j->target = calloc((size_t)n, sizeof(*j->target));
    if (!j->target)
        return ib_error_set(err, IB_E_NOMEM, "no memory for %d targets", n);
    cJSON_ArrayForEach(item, list)
    {
        if (s == IB_OK)
            s = read_target(item, j, err);
    }
    for (int i = 0; listed == 0 && i < n; i++)
        j->target[j->targets++] = i;
    return s;
}

static enum ib_status read_spec(const struct ib_stage_env *env,
                                const cJSON *spec, struct job *j,
                                struct ib_error *err)
{
    const cJSON *name = cJSON_GetObjectItemCaseSensitive(spec, "name");
    const cJSON *data = cJSON_GetObjectItemCaseSensitive(spec, "data");
    const cJSON *seed = cJSON_GetObjectItemCaseSensitive(spec, "seed");
    const cJSON *model = cJSON_GetObjectItemCaseSensitive(spec, "model");
    enum ib_status s;

    if (!cJSON_IsString(name) || !cJSON_IsString(data) ||
        !cJSON_IsNumber(seed) || seed->valuedouble < 0)
        return ib_error_set(err, IB_E_INTERNAL,
                            "stage control: name, data or seed is missing");
    j->name = name->valuestring;
    j->seed = (uint64_t)seed->valuedouble;
    j->model = cJSON_IsString(model) ? model->valuestring : NULL;
    s = ib_data_open(env, data->valuestring, &j->data, err);
    if (s != IB_OK)
        return s;
    j->d = ib_shape_size(j->data.set.shape);
    return read_targets(spec, j, err);
}

/* Every class of the split must have an image; *fewest: of any class. */
static enum ib_status fewest_images(const struct job *j,
                                    const struct ib_images *x, size_t *fewest,
                                    struct ib_error *err)
{
    *fewest = SIZE_MAX;
    for (int class = 0; class < j->data.set.classes; class ++) {
        size_t first, n = ib_images_of(x, class, &first, 1);

        if (n == 0)
            return ib_error_set(err, IB_E_DENIED,
                                "control %s needs a held-out image of every "
                                "identity; class %d has none",
                                j->name, class);
        *fewest = n < *fewest ? n : *fewest;
    }
    return IB_OK;
}

static enum ib_status prepare(struct job *j, const struct control *c,
                              struct ib_error *err)
{
    size_t fewest = 1, bytes;
    enum ib_status s;

    if (c->needs != IB_SPLITS && split_of(j, c->needs)->n == 0)
        return ib_error_set(err, IB_E_DENIED,
                            "control %s needs the split \"%s\"; the data set "
                            "has none",
                            j->name, ib_split_names[c->needs]);
    if (c->needs == IB_HOLDOUT) {
        s = fewest_images(j, split_of(j, IB_HOLDOUT), &fewest, err);
        if (s != IB_OK)
            return s;
    }
    if (c->make == other && j->data.set.classes < 2)
        return ib_error_set(err, IB_E_DENIED,
                            "control other needs a second identity");
    j->images = c->make == holdout ? (int)fewest : 1;
    if (ib_size_mul((size_t)j->targets, (size_t)j->images, &bytes) &&
        ib_size_mul(bytes, j->d, &bytes))
        j->pixels = calloc(bytes, 1);
    if (!j->pixels)
        return ib_error_set(err, IB_E_NOMEM, "no memory for %d x %d images",
                            j->targets, j->images);
    return IB_OK;
}

static cJSON *repeated(int n, double x)
{
    cJSON *list = cJSON_CreateArray();

    for (int i = 0; i < n; i++)
        cJSON_AddItemToArray(list, cJSON_CreateNumber(x));
    return list;
}

static cJSON *describe(const struct job *j)
{
    static const char *const kinds[] = {"forward", "label", "gradient",
                                        "repeated", "denied"};
    const struct ib_shape shape = j->data.set.shape;
    cJSON *recon = cJSON_CreateObject(), *queries;

    cJSON_AddItemToObject(recon, "targets",
                          cJSON_CreateIntArray(j->target, j->targets));
    cJSON_AddNumberToObject(recon, "images", j->images);
    cJSON_AddItemToObject(
        recon, "shape",
        cJSON_CreateIntArray((int[]){shape.c, shape.h, shape.w}, 3));
    cJSON_AddArrayToObject(recon, "checkpoints");
    cJSON_AddArrayToObject(recon, "reached");
    queries = cJSON_AddObjectToObject(recon, "queries");
    for (size_t i = 0; i < IB_COUNT(kinds); i++)
        cJSON_AddItemToObject(queries, kinds[i],
                              repeated(j->targets, strcmp(kinds[i], "gradient")
                                                       ? 0
                                                       : j->gradients));
    cJSON_AddNumberToObject(queries, "shared", (double)j->shared);
    cJSON_AddNumberToObject(recon, "simulated_seconds", 0);
    return recon;
}

enum ib_status ib_stage_control(const struct ib_stage_env *env,
                                const cJSON *spec, const char *key,
                                struct ib_error *err)
{
    struct job j = {0};
    const struct control *c;
    enum ib_status s = read_spec(env, spec, &j, err);

    if (s != IB_OK)
        goto done;
    c = control_named(j.name);
    if (!c) {
        s = ib_error_set(err, IB_E_INTERNAL, "unknown control \"%s\"", j.name);
        goto done;
    }
    s = prepare(&j, c, err);
    if (s == IB_OK)
        s = c->make(env, &j, err);
    if (s == IB_OK)
        s = ib_recon_put(env->store, key, spec,
                         &(struct ib_recon_parts){describe(&j), j.pixels,
                                                  (size_t)j.targets *
                                                      (size_t)j.images * j.d},
                         err);
done:
    ib_data_close(&j.data);
    free(j.target);
    free(j.pixels);
    return s;
}
