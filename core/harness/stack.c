#include "stack.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void ib_stack_free(struct ib_stack *s)
{
    for (int i = 0; s && i < s->n; i++)
        ib_use_free(&s->use[i]);
    if (s)
        s->n = 0;
}

const struct ib_defense *ib_stack_at(const struct ib_stack *s, int i)
{
    return (const struct ib_defense *)(const void *)s->use[i].plugin;
}

bool ib_stack_has(const struct ib_stack *s, enum ib_stage stage)
{
    for (int i = 0; i < s->n; i++)
        if (ib_stack_at(s, i)->stage == stage)
            return true;
    return false;
}

static void stack_sort(struct ib_stack *s)
{
    for (int i = 1; i < s->n; i++)
        for (int j = i;
             j > 0 && ib_stack_at(s, j)->stage < ib_stack_at(s, j - 1)->stage;
             j--) {
            struct ib_use use = s->use[j];
            s->use[j] = s->use[j - 1];
            s->use[j - 1] = use;
        }
}

static enum ib_status stack_size(const cJSON *array, const char *path,
                                 struct ib_error *err)
{
    int n = cJSON_GetArraySize(array);

    if (!cJSON_IsArray(array))
        return ib_error_set(err, IB_E_USAGE,
                            "%s: an array of defenses is needed", path);
    if (n > IB_STACK_MAX)
        return ib_error_set(err, IB_E_USAGE,
                            "%s: %d defenses; a stack holds up to %d", path, n,
                            IB_STACK_MAX);
    return IB_OK;
}

enum ib_status ib_stack_parse(const struct ib_registry *r, const cJSON *array,
                              const char *path, struct ib_stack *out,
                              struct ib_error *err)
{
    const cJSON *item;
    enum ib_status status = stack_size(array, path, err);

    *out = (struct ib_stack){0};
    if (status)
        return status;
    cJSON_ArrayForEach(item, array)
    {
        struct ib_text place = {0};
        ib_text_add(&place, "%s[%d]", path, out->n);
        status =
            ib_use_parse(r, IB_KIND_DEFENSE, item,
                         &(struct ib_place){.path = ib_text_string(&place)},
                         &out->use[out->n], err);
        ib_text_free(&place);
        if (status) {
            ib_stack_free(out);
            return status;
        }
        out->n++;
    }
    stack_sort(out);
    return IB_OK;
}

enum ib_status ib_stack_from_spec(const struct ib_registry *r,
                                  const cJSON *array, struct ib_stack *out,
                                  struct ib_error *err)
{
    const cJSON *item;
    enum ib_status status = stack_size(array, "defenses", err);

    *out = (struct ib_stack){0};
    if (status)
        return status;
    cJSON_ArrayForEach(item, array)
    {
        status =
            ib_use_from_spec(r, IB_KIND_DEFENSE, item, &out->use[out->n], err);
        if (status) {
            ib_stack_free(out);
            return status;
        }
        out->n++;
    }
    stack_sort(out);
    return IB_OK;
}

cJSON *ib_stack_spec(const struct ib_registry *r, const struct ib_stack *s,
                     enum ib_stage stage)
{
    cJSON *array = cJSON_CreateArray();

    for (int i = 0; array && i < s->n; i++) {
        if (ib_stack_at(s, i)->stage != stage)
            continue;
        cJSON *item = ib_use_spec(r, &s->use[i]);
        if (!cJSON_AddItemToArray(array, item)) {
            cJSON_Delete(item);
            cJSON_Delete(array);
            return NULL;
        }
    }
    return array;
}

int ib_stack_hooks(const struct ib_stack *s, struct ib_train_hook *hooks)
{
    int n = 0;

    for (int i = 0; i < s->n; i++)
        if (ib_stack_at(s, i)->stage == IB_STAGE_TRAIN)
            hooks[n++] = (struct ib_train_hook){
                .options = s->use[i].options,
                .batch = ib_stack_at(s, i)->batch,
                .loss = ib_stack_at(s, i)->loss,
                .rows = ib_stack_at(s, i)->rows,
                .step = ib_stack_at(s, i)->step,
            };
    return n;
}

int ib_stack_phases(const struct ib_stack *s,
                    const struct ib_model_nodes *nodes,
                    const struct ib_training *t, struct ib_phase *phases, int n)
{
    for (int i = 0; i < s->n; i++) {
        const struct ib_defense *d = ib_stack_at(s, i);

        if (!d->phases)
            continue;
        if (n == 0)
            phases[n++] = ib_phase_supervised(t);
        n = d->phases(s->use[i].options, nodes, ib_net_graph(t->net), phases,
                      n);
    }
    return n;
}

/* Lowest index on ties; a NaN never wins. */
static int stack_argmax(int k, const float *scores)
{
    int best = 0;

    for (int i = 1; i < k; i++)
        if (scores[i] > scores[best] || scores[best] != scores[best])
            best = i;
    return best;
}

/* One stream a defense, client and query: never the batch's. */
static struct ib_rng stack_rng(const struct ib_asker *who, int place)
{
    char name[IB_NAME_MAX];

    snprintf(name, sizeof(name), "%d/%d/%llu", who->client, place,
             (unsigned long long)who->ordinal);
    return ib_rng_stream(who->seed, "defense", who->identity, name);
}

static enum ib_status check_answer(const struct ib_defense *d,
                                   const struct ib_response *r,
                                   struct ib_error *err)
{
    for (int i = 0; i < r->classes; i++)
        if (!isfinite(r->scores[i]))
            return ib_error_set(err, IB_E_NUMERIC,
                                "defense %.60s answers with a score that is "
                                "not a number, for class %d",
                                d->plugin.name, i);
    if (r->label < 0 || r->label >= r->classes)
        return ib_error_set(err, IB_E_INTERNAL,
                            "defense %.60s answers with the label %d, which "
                            "is not within 0..%d",
                            d->plugin.name, r->label, r->classes - 1);
    return IB_OK;
}

enum ib_status ib_stack_respond(const struct ib_stack *s, int classes,
                                float *scores, const struct ib_asker *who,
                                int *label, struct ib_error *err)
{
    struct ib_response r = {
        .classes = classes,
        .scores = scores,
        .label = stack_argmax(classes, scores),
    };
    enum ib_status status = IB_OK;
    int place = 0;

    for (int i = 0; i < s->n && !status; i++) {
        const struct ib_defense *d = ib_stack_at(s, i);
        if (d->stage != IB_STAGE_RESPOND)
            continue;
        struct ib_rng rng = {0};
        if (d->stochastic)
            rng = stack_rng(who, place);
        place++;
        r.rng = &rng;
        d->respond(s->use[i].options, &r);
        status = check_answer(d, &r, err);
    }
    *label = status ? 0 : r.label;
    if (!status && r.label_only) {
        memset(scores, 0, (size_t)classes * sizeof(*scores));
        scores[r.label] = 1;
    }
    return status;
}
