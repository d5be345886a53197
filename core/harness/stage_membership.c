/* Stage membership: can who sees the target's answers tell the images that it
 * learnt from (train) from others of the same people (holdout)? */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <invbench/math.h>

#include "json_put.h"
#include "membership.h"
#include "shadow.h"
#include "stack.h"

enum { BATCH = 64, IMAGES_MAX = 10000 };

struct stage {
    const struct ib_stage_env *env;
    const cJSON *spec;
    uint64_t seed;
    struct ib_open_data data;
    struct ib_stack stack;
    unsigned attacks; /* bits */
    int shadows;
    size_t members, n;  /* n: of members and others together */
    size_t *at;         /* n: place in the pool of shadow.h */
    uint8_t *pixels;    /* n x D */
    int32_t *label;     /* n */
    float *answer;      /* n x K: of one model */
    double *score;      /* IB_MEMBERSHIP_ATTACKS x n */
    double *target;     /* n: logits */
    double *shadow;     /* n x shadows: logits */
    uint8_t *in, *half; /* n x shadows; pool */
};

static enum ib_status take_attacks(struct stage *s, struct ib_error *err)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, ib_at(s->spec, "attacks"))
    {
        for (int a = 0; a < IB_MEMBERSHIP_ATTACKS; a++)
            if (cJSON_IsString(item) &&
                strcmp(item->valuestring, ib_membership_names[a]) == 0)
                s->attacks |= 1u << a;
    }
    if (!s->attacks)
        return ib_error_set(err, IB_E_INTERNAL,
                            "stage membership: the spec names no attack");
    return IB_OK;
}

static enum ib_status stage_open(struct stage *s, struct ib_error *err)
{
    const char *data = ib_at_text(s->spec, "data");
    double seed = ib_at_number(s->spec, "seed");
    enum ib_status status;

    if (!data || !ib_at_text(s->spec, "model") || !(seed >= 0))
        return ib_error_set(err, IB_E_INTERNAL,
                            "stage membership: model, data or seed is missing");
    s->seed = (uint64_t)seed;
    s->shadows = cJSON_GetArraySize(ib_at(s->spec, "shadows"));
    status = take_attacks(s, err);
    if (!status)
        status = ib_data_open(s->env, data, &s->data, err);
    if (!status)
        status = ib_stack_from_spec(s->env->registry,
                                    ib_at(s->spec, "defenses"), &s->stack, err);
    if (!status && !s->data.set.split[IB_HOLDOUT].n)
        status = ib_error_set(err, IB_E_DENIED,
                              "the data has no holdout split: nobody is known "
                              "not to be a member");
    return status;
}

/* --- images: at most IMAGES_MAX of a split, evenly spaced over it --------- */

static size_t take_split(struct stage *s, enum ib_split split, size_t first,
                         size_t to)
{
    const struct ib_images *x = &s->data.set.split[split];
    size_t d = ib_shape_size(x->shape);
    size_t n = x->n < IMAGES_MAX ? x->n : IMAGES_MAX;

    for (size_t i = 0; i < n; i++) {
        size_t from = i * x->n / n;

        memcpy(s->pixels + (to + i) * d, x->pixels + from * d, d);
        s->label[to + i] = x->identity[from];
        s->at[to + i] = first + from;
    }
    return n;
}

static enum ib_status take_images(struct stage *s, struct ib_error *err)
{
    const struct ib_dataset *set = &s->data.set;
    size_t pool = ib_shadow_pool(set), d = ib_shape_size(set->shape);
    size_t n = pool < 2 * IMAGES_MAX ? pool : 2 * IMAGES_MAX;
    size_t shadows = (size_t)s->shadows;

    s->at = calloc(n + 1, sizeof(*s->at));
    s->pixels = malloc(n * d + 1);
    s->label = calloc(n + 1, sizeof(*s->label));
    s->answer = calloc((n + 1) * (size_t)set->classes, sizeof(*s->answer));
    s->score = calloc(IB_MEMBERSHIP_ATTACKS * n + 1, sizeof(*s->score));
    s->target = calloc(n + 1, sizeof(*s->target));
    s->shadow = calloc(n * shadows + 1, sizeof(*s->shadow));
    s->in = calloc(n * shadows + 1, 1);
    s->half = malloc(pool + 1);
    if (!s->at || !s->pixels || !s->label || !s->answer || !s->score ||
        !s->target || !s->shadow || !s->in || !s->half)
        return ib_error_set(err, IB_E_NOMEM, "no memory for %zu images", n);
    s->members = take_split(s, IB_TRAIN, 0, 0);
    s->n = s->members +
           take_split(s, IB_HOLDOUT, set->split[IB_TRAIN].n, s->members);
    return IB_OK;
}

/* --- answers -------------------------------------------------------------- */

/* What leaves the defenses when client asks for every image. */
static enum ib_status ask_net(struct stage *s, struct ib_loaded_model *m,
                              int client, struct ib_error *err)
{
    const struct ib_images x = {s->data.set.shape, s->n, s->pixels, s->label};
    size_t k = (size_t)m->task.classes;

    if (m->task.classes != s->data.set.classes ||
        !ib_shape_equal(m->task.shape, x.shape))
        return ib_error_set(err, IB_E_DATA,
                            "stage membership: a model is of other data");
    ib_predict(m->net, m->nodes.input, m->nodes.logits, &x, s->answer);
    for (size_t i = 0; i < s->n * k; i++)
        if (!isfinite(s->answer[i]))
            return ib_error_set(err, IB_E_NUMERIC,
                                "a model's answer to image %zu is not a number",
                                i / k);
    ib_softmax_rows(s->n, k, s->answer, s->answer);
    for (size_t i = 0; i < s->n; i++) {
        const struct ib_asker who = {
            .seed = s->seed, .client = client, .identity = -1, .ordinal = i};

        int label;
        enum ib_status status = ib_stack_respond(
            &s->stack, (int)k, s->answer + i * k, &who, &label, err);

        if (status)
            return status;
    }
    return IB_OK;
}

static enum ib_status ask(struct stage *s, const char *key, int client,
                          struct ib_error *err)
{
    struct ib_loaded_model m = {0};
    enum ib_status status = ib_model_open(s->env, key, BATCH, &m, err);

    if (!status)
        status = ask_net(s, &m, client, err);
    ib_model_close(&m);
    return status;
}

static enum ib_status ask_target(struct stage *s, struct ib_error *err)
{
    int k = s->data.set.classes;
    double *loss = s->score + (size_t)IB_MEMBERSHIP_LOSS * s->n;
    double *confidence = s->score + (size_t)IB_MEMBERSHIP_CONFIDENCE * s->n;
    enum ib_status status = ask(s, ib_at_text(s->spec, "model"), 0, err);

    for (size_t i = 0; !status && i < s->n; i++) {
        const float *p = s->answer + i * (size_t)k;

        loss[i] = ib_membership_loss(k, p, s->label[i]);
        confidence[i] = ib_membership_confidence(k, p);
        s->target[i] = ib_membership_logit(k, p, s->label[i]);
    }
    return status;
}

static enum ib_status ask_shadow(struct stage *s, int shadow, const char *key,
                                 struct ib_error *err)
{
    size_t shadows = (size_t)s->shadows, column = (size_t)shadow;
    int k = s->data.set.classes;
    enum ib_status status =
        ib_shadow_half(&s->data.set, s->seed, shadow, s->half, err);

    if (!status)
        status = ask(s, key, 1 + shadow, err);
    for (size_t i = 0; !status && i < s->n; i++) {
        const float *p = s->answer + i * (size_t)k;

        s->shadow[i * shadows + column] =
            ib_membership_logit(k, p, s->label[i]);
        s->in[i * shadows + column] = s->half[s->at[i]];
    }
    return status;
}

static enum ib_status ask_shadows(struct stage *s, struct ib_error *err)
{
    const cJSON *key;
    enum ib_status status = IB_OK;
    int shadow = 0;

    cJSON_ArrayForEach(key, ib_at(s->spec, "shadows"))
    {
        if (!cJSON_IsString(key))
            return ib_error_set(err, IB_E_INTERNAL,
                                "stage membership: a shadow is no key");
        status = ask_shadow(s, shadow++, key->valuestring, err);
        if (status)
            return status;
        ib_report_progress(s->env->reporter, (double)shadow / s->shadows);
    }
    return status;
}

static enum ib_status score_lira(struct stage *s, enum ib_membership_attack a,
                                 struct ib_error *err)
{
    const struct ib_lira q = {.n = s->n,
                              .shadows = s->shadows,
                              .target = s->target,
                              .shadow = s->shadow,
                              .in = s->in,
                              .online = a == IB_MEMBERSHIP_LIRA};

    if (!(s->attacks & 1u << a))
        return IB_OK;
    return ib_lira_score(&q, s->score + (size_t)a * s->n, err);
}

/* --- what came of it -------------------------------------------------------
 */

static void put_value(bool *ok, cJSON *o, const char *name,
                      const struct ib_membership_value *v)
{
    cJSON *x = ib_put_object(ok, o, name);

    ib_put_number(ok, x, "value", v->value);
    ib_put_number(ok, x, "low", v->low);
    ib_put_number(ok, x, "high", v->high);
    if (v->reason)
        ib_put_text(ok, x, "reason", v->reason);
}

static void put_worth(bool *ok, cJSON *o, const struct ib_membership_worth *w)
{
    static const char *const names[IB_MEMBERSHIP_RATES] = {"tpr_0.001",
                                                           "tpr_0.01"};

    put_value(ok, o, "auc", &w->auc);
    for (int r = 0; r < IB_MEMBERSHIP_RATES; r++)
        put_value(ok, o, names[r], &w->tpr[r]);
}

static enum ib_status put(struct stage *s, const char *key,
                          const struct ib_membership_worth *worth,
                          struct ib_error *err)
{
    bool ok = true;
    cJSON *meta = cJSON_CreateObject();
    int n = 0;

    ib_put_copy(&ok, meta, "spec", s->spec);
    cJSON *o = ib_put_object(&ok, meta, "membership");
    ib_put_number(&ok, o, "members", (double)s->members);
    ib_put_number(&ok, o, "non_members", (double)(s->n - s->members));
    o = ib_put_object(&ok, o, "attacks");
    for (int a = 0; a < IB_MEMBERSHIP_ATTACKS; a++)
        if (s->attacks & 1u << a)
            put_worth(&ok, ib_put_object(&ok, o, ib_membership_names[a]),
                      &worth[n++]);
    enum ib_status status =
        ok ? ib_store_put(s->env->store, key, meta, NULL, 0, err)
           : ib_error_set(err, IB_E_NOMEM, "no memory for membership");
    cJSON_Delete(meta);
    return status;
}

static enum ib_status judge(struct stage *s, const char *key,
                            struct ib_error *err)
{
    struct ib_membership_worth worth[IB_MEMBERSHIP_ATTACKS];
    const double *score[IB_MEMBERSHIP_ATTACKS];
    struct ib_membership_task t = {.members = s->members,
                                   .others = s->n - s->members,
                                   .score = score,
                                   .seed = s->seed};

    for (int a = 0; a < IB_MEMBERSHIP_ATTACKS; a++)
        if (s->attacks & 1u << a)
            score[t.attacks++] = s->score + (size_t)a * s->n;
    enum ib_status status = ib_membership_judge(&t, worth, err);
    return status ? status : put(s, key, worth, err);
}

static void stage_close(struct stage *s)
{
    void *const owned[] = {s->at,     s->pixels, s->label, s->answer, s->score,
                           s->target, s->shadow, s->in,    s->half};

    for (size_t i = 0; i < IB_COUNT(owned); i++)
        free(owned[i]);
    ib_stack_free(&s->stack);
    ib_data_close(&s->data);
}

enum ib_status ib_stage_membership(const struct ib_stage_env *env,
                                   const cJSON *spec, const char *key,
                                   struct ib_error *err)
{
    struct stage s = {.env = env, .spec = spec};
    enum ib_status status = stage_open(&s, err);

    if (!status)
        status = take_images(&s, err);
    if (!status)
        status = ask_target(&s, err);
    if (!status)
        status = ask_shadows(&s, err);
    if (!status)
        status = score_lira(&s, IB_MEMBERSHIP_LIRA, err);
    if (!status)
        status = score_lira(&s, IB_MEMBERSHIP_LIRA_OFFLINE, err);
    if (!status)
        status = judge(&s, key, err);
    stage_close(&s);
    return status;
}
