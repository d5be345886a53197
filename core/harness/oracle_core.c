#include "oracle_core.h"

#include <invbench/math.h>
#include <stdlib.h>
#include <string.h>

#include "oracle_hash.h"

enum ib_status ib_oracle_core_create(struct ib_oracle_core **out,
                                     const struct ib_oracle_params *p,
                                     const struct ib_oracle_buffer *b,
                                     struct ib_error *err)
{
    struct ib_oracle_core *c = calloc(1, sizeof(*c));
    enum ib_status status;

    *out = NULL;
    if (!c)
        return ib_error_set(err, IB_E_NOMEM, "no memory for an oracle");
    c->p = *p;
    c->b = *b;
    status = ib_oracle_describe(p, &c->info, err);
    if (!status)
        status = ib_meter_init(&c->meter, p, err);
    if (!status)
        status = ib_core_reserve(c, err);
    if (status) {
        ib_oracle_core_free(c);
        return status;
    }
    c->meter.checkpoint = ib_core_keep;
    c->meter.ctx = c;
    for (int i = 0; i < p->targets; i++)
        c->b.left[i] = ib_meter_left(&c->meter, i);
    c->b.left[p->targets] = ib_meter_left(&c->meter, IB_SHARED);
    *out = c;
    return IB_OK;
}

void ib_oracle_core_free(struct ib_oracle_core *c)
{
    if (!c)
        return;
    ib_meter_free(&c->meter);
    free(c->memory);
    free(c->kept);
    free(c);
}

static enum ib_status core_needs(const struct ib_oracle_core *c,
                                 enum ib_level level, const char *what,
                                 struct ib_error *err)
{
    if (c->info.level >= level)
        return IB_OK;
    return ib_error_set(err, IB_E_DENIED, "%s: needs %s; the oracle grants %s",
                        what, ib_level_names[level],
                        ib_level_names[c->info.level]);
}

/* Takes n rows and their slots over, and checks them. */
static enum ib_status core_read(struct ib_oracle_core *c, size_t n,
                                struct ib_error *err)
{
    float *x = ib_net_value(c->p.net, c->p.nodes.input);
    int targets = c->info.targets;

    c->rows = c->granted = 0;
    c->logits = false;
    if (n > c->info.capacity)
        return ib_error_set(err, IB_E_USAGE,
                            "%zu rows in one ask; the oracle takes %zu", n,
                            c->info.capacity);
    memcpy(c->slot, c->b.slot, n * sizeof(*c->slot));
    memcpy(x, c->b.input, n * c->d * sizeof(*x));
    for (size_t i = 0; i < n; i++) {
        size_t at = ib_row_bad(x + i * c->d, c->d);
        if (c->slot[i] < IB_SHARED || c->slot[i] >= targets)
            return ib_error_set(err, IB_E_USAGE,
                                "row %zu asks for slot %d; 0..%d and %d "
                                "(shared) exist",
                                i, c->slot[i], targets - 1, IB_SHARED);
        if (at < c->d)
            return ib_error_set(err, IB_E_NUMERIC,
                                "row %zu: number %zu of the image is not "
                                "finite",
                                i, at);
    }
    c->rows = n;
    return IB_OK;
}

/* Counts the rows; those with budget left move together in the net. */
static enum ib_status core_grant(struct ib_oracle_core *c,
                                 enum ib_meter_kind kind, struct ib_error *err)
{
    float *x = ib_net_value(c->p.net, c->p.nodes.input);

    for (size_t i = 0; i < c->rows; i++) {
        bool yes = ib_meter_take(&c->meter, c->slot[i], kind, 1);
        c->b.denied[i] = !yes;
        if (!yes)
            continue;
        if (c->granted != i)
            memcpy(x + c->granted * c->d, x + i * c->d, c->d * sizeof(*x));
        c->place[c->granted++] = (int32_t)i;
        if (ib_meter_see(&c->meter, c->slot[i], x + (c->granted - 1) * c->d,
                         c->d, err))
            return IB_E_NOMEM;
    }
    ib_meter_tick(&c->meter, c->rows);
    return IB_OK;
}

static struct ib_forward core_pass(const struct ib_oracle_core *c)
{
    return (struct ib_forward){
        .n = (int)c->granted,
        .from = c->p.nodes.input,
        .to = c->p.nodes.logits,
    };
}

static enum ib_status core_ask(struct ib_oracle_core *c, size_t n,
                               enum ib_meter_kind kind, struct ib_error *err)
{
    struct ib_forward pass;
    enum ib_status status = core_read(c, n, err);

    if (!status)
        status = core_grant(c, kind, err);
    if (status)
        return status;
    memset(c->b.output, 0, c->rows * c->k * sizeof(*c->b.output));
    pass = core_pass(c);
    if (c->granted)
        ib_net_forward(c->p.net, &pass);
    return IB_OK;
}

static uint64_t core_ordinal(struct ib_oracle_core *c, int slot)
{
    return ib_meter_slot(&c->meter, slot)->ordinal++;
}

/* One row's probabilities become what leaves. */
static enum ib_status core_respond(struct ib_oracle_core *c, int slot,
                                   float *row, struct ib_error *err)
{
    const struct ib_asker who = {
        .seed = c->p.seed,
        .identity = slot == IB_SHARED ? -1 : c->target[slot],
        .ordinal = core_ordinal(c, slot),
    };
    static const struct ib_stack none;
    int label;
    enum ib_status status =
        ib_stack_respond(c->p.stack ? c->p.stack : &none, c->info.classes, row,
                         &who, &label, err);

    if (status || c->info.level != IB_LABELS)
        return status;
    memset(row, 0, c->k * sizeof(*row));
    row[label] = 1;
    return IB_OK;
}

static enum ib_status core_scores(struct ib_oracle_core *c, size_t n,
                                  struct ib_error *err)
{
    bool labels = c->info.level == IB_LABELS;
    enum ib_status status =
        core_ask(c, n, labels ? IB_METER_LABEL : IB_METER_FORWARD, err);

    if (status)
        return status;
    ib_softmax_rows(c->granted, c->k, ib_net_value(c->p.net, c->p.nodes.logits),
                    c->work);
    for (size_t j = 0; j < c->granted; j++) {
        size_t i = (size_t)c->place[j];
        status = core_respond(c, c->slot[i], c->work + j * c->k, err);
        if (status)
            return status;
        memcpy(c->b.output + i * c->k, c->work + j * c->k,
               c->k * sizeof(*c->work));
    }
    return IB_OK;
}

static enum ib_status core_logits(struct ib_oracle_core *c, size_t n,
                                  struct ib_error *err)
{
    const float *z = ib_net_value(c->p.net, c->p.nodes.logits);
    enum ib_status status = core_needs(c, IB_GRADIENTS, "logits", err);

    if (!status)
        status = core_ask(c, n, IB_METER_FORWARD, err);
    if (status)
        return status;
    for (size_t j = 0; j < c->granted; j++) {
        size_t i = (size_t)c->place[j];
        core_ordinal(c, c->slot[i]);
        memcpy(c->b.output + i * c->k, z + j * c->k, c->k * sizeof(*z));
    }
    c->logits = true;
    return IB_OK;
}

/* Cotangents of the rows that the net still holds; what the budget no longer
 * covers keeps its place with a zero. */
static void core_cotangent(struct ib_oracle_core *c)
{
    float *g = ib_net_gradient(c->p.net, c->p.nodes.logits);

    for (size_t j = 0; j < c->granted; j++) {
        size_t i = (size_t)c->place[j];
        bool yes = ib_meter_take(&c->meter, c->slot[i], IB_METER_GRADIENT, 1);
        c->b.denied[i] = !yes;
        if (yes)
            memcpy(g + j * c->k, c->b.cotangent + i * c->k, c->k * sizeof(*g));
        else
            memset(g + j * c->k, 0, c->k * sizeof(*g));
    }
}

static enum ib_status core_vjp(struct ib_oracle_core *c, size_t n,
                               struct ib_error *err)
{
    struct ib_forward pass = core_pass(c);
    enum ib_status status = core_needs(c, IB_GRADIENTS, "vjp", err);

    if (status)
        return status;
    if (!c->logits || n != c->rows)
        return ib_error_set(err, IB_E_USAGE,
                            "a product for %zu rows; the ask before it must "
                            "be for the logits of those rows",
                            n);
    core_cotangent(c);
    ib_meter_tick(&c->meter, c->rows);
    memset(c->b.gradient, 0, n * c->d * sizeof(*c->b.gradient));
    if (!c->granted)
        return IB_OK;
    ib_net_backward(c->p.net, &pass, IB_WRT_INPUT);
    const float *g = ib_net_gradient(c->p.net, c->p.nodes.input);
    for (size_t j = 0; j < c->granted; j++)
        memcpy(c->b.gradient + (size_t)c->place[j] * c->d, g + j * c->d,
               c->d * sizeof(*g));
    return IB_OK;
}

static enum ib_status core_count(struct ib_oracle_core *c,
                                 const struct ib_oracle_control *ask,
                                 struct ib_error *err)
{
    struct ib_meter *m = &c->meter;
    enum ib_status status = core_needs(c, IB_WHITEBOX, "count", err);
    int slot = ask->slot;
    uint64_t both;

    if (status)
        return status;
    if (slot < IB_SHARED || slot >= c->info.targets)
        return ib_error_set(err, IB_E_USAGE,
                            "queries counted for slot %d; 0..%d and %d "
                            "(shared) exist",
                            slot, c->info.targets - 1, IB_SHARED);
    if (!ib_size_add(ask->forward, ask->gradient, &both) ||
        ib_meter_left(m, slot) < both) {
        ib_meter_slot(m, slot)->denied++;
        return ib_error_set(err, IB_E_BUDGET,
                            "slot %d: the budget of %llu queries is spent",
                            slot, (unsigned long long)m->max_queries);
    }
    /* Both fit, so neither is refused. */
    (void)ib_meter_take(m, slot, IB_METER_FORWARD, ask->forward);
    (void)ib_meter_take(m, slot, IB_METER_GRADIENT, ask->gradient);
    return IB_OK;
}

static void core_report(const struct ib_oracle_core *c,
                        struct ib_oracle_control *ask)
{
    ask->text[sizeof(ask->text) - 1] = '\0';
    if (ask->text[0])
        ib_report(c->p.reporter, "%s", ask->text);
    if (ask->progress >= 0 && ask->progress <= 1)
        ib_report_progress(c->p.reporter, ask->progress);
}

static enum ib_status core_answer(struct ib_oracle_core *c,
                                  struct ib_oracle_control *ask,
                                  struct ib_error *err)
{
    switch (ask->ask) {
    case IB_ASK_SCORES:
        return core_scores(c, ask->n, err);
    case IB_ASK_LOGITS:
        return core_logits(c, ask->n, err);
    case IB_ASK_VJP:
        return core_vjp(c, ask->n, err);
    case IB_ASK_COUNT:
        return core_count(c, ask, err);
    case IB_ASK_REPORT:
        core_report(c, ask);
        return IB_OK;
    default:
        return ib_error_set(err, IB_E_USAGE, "the oracle knows no question %u",
                            ask->ask);
    }
}

static void core_done(const struct ib_oracle_control *ask, struct ib_error *err)
{
    enum ib_status status = IB_E_INTERNAL;

    if (ask->status >= IB_OK && ask->status <= IB_E_INTERNAL)
        status = (enum ib_status)ask->status;
    if (status)
        ib_error_set(err, status, "%.*s", IB_ERROR_MAX - 1, ask->text);
    else
        *err = (struct ib_error){0};
}

bool ib_oracle_core_serve(struct ib_oracle_core *c, struct ib_error *err)
{
    struct ib_oracle_control ask;
    struct ib_error failed = {0};

    memcpy(&ask, c->b.control, sizeof(ask));
    if (ask.ask == IB_ASK_DONE) {
        core_done(&ask, err);
        return true;
    }
    c->b.control->status = (int32_t)core_answer(c, &ask, &failed);
    memcpy(c->b.control->text, failed.text, sizeof(failed.text));
    for (int i = 0; i < c->info.targets; i++)
        c->b.left[i] = ib_meter_left(&c->meter, i);
    c->b.left[c->info.targets] = ib_meter_left(&c->meter, IB_SHARED);
    return false;
}
