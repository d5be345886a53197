/* The attack's side of the oracle, whatever the transport. */
#include "oracle.h"

#include <string.h>

const char *const ib_level_names[IB_LEVELS] = {"labels", "scores", "gradients",
                                               "whitebox"};

enum ib_status ib_oracle_describe(const struct ib_oracle_params *p,
                                  struct ib_oracle_info *info,
                                  struct ib_error *err)
{
    size_t batch = (size_t)ib_net_max_batch(p->net);

    if (p->targets < 1)
        return ib_error_set(err, IB_E_USAGE, "an oracle needs a target");
    for (int i = 0; i < p->targets; i++)
        if (p->target[i] < 0 || p->target[i] >= p->classes)
            return ib_error_set(err, IB_E_USAGE,
                                "target %d is class %d; 0..%d exist", i,
                                p->target[i], p->classes - 1);
    *info = (struct ib_oracle_info){
        .level = p->level,
        .shape = ib_graph_shape(ib_net_graph(p->net), p->nodes.input),
        .classes = p->classes,
        .targets = p->targets,
        .capacity = p->capacity && p->capacity < batch ? p->capacity : batch,
        .max_queries = p->max_queries,
        .images = p->images > 0 ? p->images : 1,
    };
    return IB_OK;
}

const struct ib_oracle_info *ib_oracle_info(const struct ib_oracle *o)
{
    return &o->info;
}

float *ib_oracle_input(struct ib_oracle *o)
{
    return o->buffer.input;
}

const uint8_t *ib_oracle_denied(const struct ib_oracle *o)
{
    return o->buffer.denied;
}

uint64_t ib_oracle_left(const struct ib_oracle *o, int slot)
{
    if (slot < IB_SHARED || slot >= o->info.targets)
        return 0;
    return o->buffer.left[slot == IB_SHARED ? o->info.targets : slot];
}

float *ib_oracle_guess(struct ib_oracle *o, int slot)
{
    size_t one = (size_t)o->info.images * ib_shape_size(o->info.shape);

    if (slot < 0 || slot >= o->info.targets)
        return NULL;
    return o->buffer.guess + (size_t)slot * one;
}

static enum ib_status oracle_ask(struct ib_oracle *o, enum ib_ask what,
                                 size_t n, struct ib_error *err)
{
    struct ib_oracle_control *control = o->buffer.control;
    enum ib_status status;

    if (n > o->info.capacity)
        return ib_error_set(err, IB_E_USAGE,
                            "%zu rows in one ask; the oracle takes %zu", n,
                            o->info.capacity);
    control->ask = what;
    control->n = (uint32_t)n;
    status = o->ops->ask(o, err);
    if (!status && control->status)
        status = ib_error_set(err, (enum ib_status)control->status, "%.*s",
                              IB_ERROR_MAX - 1, control->text);
    return status;
}

enum ib_status ib_oracle_scores(struct ib_oracle *o, size_t n,
                                const int32_t *slot, const float **scores,
                                struct ib_error *err)
{
    *scores = o->buffer.output;
    if (n <= o->info.capacity)
        memcpy(o->buffer.slot, slot, n * sizeof(*slot));
    return oracle_ask(o, IB_ASK_SCORES, n, err);
}

enum ib_status ib_oracle_logits(struct ib_oracle *o, size_t n,
                                const int32_t *slot, const float **logits,
                                struct ib_error *err)
{
    *logits = o->buffer.output;
    if (n <= o->info.capacity)
        memcpy(o->buffer.slot, slot, n * sizeof(*slot));
    return oracle_ask(o, IB_ASK_LOGITS, n, err);
}

enum ib_status ib_oracle_vjp(struct ib_oracle *o, size_t n,
                             const float *cotangent, const float **gradient,
                             struct ib_error *err)
{
    size_t k = (size_t)o->info.classes;

    *gradient = o->buffer.gradient;
    if (n <= o->info.capacity && o->info.level >= IB_GRADIENTS &&
        cotangent != o->buffer.cotangent)
        memcpy(o->buffer.cotangent, cotangent, n * k * sizeof(*cotangent));
    return oracle_ask(o, IB_ASK_VJP, n, err);
}

struct ib_net *ib_oracle_net(struct ib_oracle *o,
                             const struct ib_model_nodes **nodes)
{
    if (o->info.level < IB_WHITEBOX)
        return NULL;
    if (nodes)
        *nodes = &o->nodes;
    return o->net;
}

enum ib_status ib_oracle_count(struct ib_oracle *o, int slot, uint64_t forward,
                               uint64_t gradient, struct ib_error *err)
{
    struct ib_oracle_control *control = o->buffer.control;

    control->slot = slot;
    control->forward = forward;
    control->gradient = gradient;
    return oracle_ask(o, IB_ASK_COUNT, 0, err);
}

void ib_oracle_report(struct ib_oracle *o, double progress, const char *text)
{
    struct ib_oracle_control *control = o->buffer.control;
    size_t n = strnlen(text, sizeof(control->text) - 1);

    memcpy(control->text, text, n);
    control->text[n] = '\0';
    control->progress = progress;
    /* Nobody to tell it to is no reason to stop. */
    (void)!oracle_ask(o, IB_ASK_REPORT, 0, NULL);
}

void ib_oracle_done(struct ib_oracle *o, enum ib_status status,
                    const struct ib_error *result)
{
    struct ib_oracle_control *control = o->buffer.control;

    memset(control->text, 0, sizeof(control->text));
    if (status && result)
        memcpy(control->text, result->text, sizeof(result->text));
    control->ask = IB_ASK_DONE;
    control->status = (int32_t)status;
    (void)!o->ops->ask(o, NULL);
}

void ib_oracle_close(struct ib_oracle *o)
{
    if (o)
        o->ops->close(o);
}
