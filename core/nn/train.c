/*
 * The trainer. For each phase: shuffled batches, augmentation, hooks, forward,
 * loss, backward, step. Every random draw comes from a stream of its own name,
 * so that a hook that draws more changes nothing else.
 */
#include "check.h"
#include "net.h"
#include "trainer.h"

#include <math.h>
#include <string.h>

/* --- memory ------------------------------------------------------------- */

/* The largest output of a phase. */
static size_t largest_output(const struct ib_trainer *r)
{
    size_t most = 1;
    for (int i = 0; i < r->n_phases; i++) {
        size_t size = ib_trainer_size(r, r->phases[i].output);
        most = size > most ? size : most;
    }
    return most;
}

static bool take_memory(struct ib_trainer *r, size_t clean)
{
    const struct ib_training *t = r->t;
    size_t p = ib_net_parameter_count(t->net);
    size_t nodes = (size_t)ib_net_graph(t->net)->n;
    size_t moments = ib_optim_arrays(t->options.optimiser);
    size_t saved = r->weighs_rows ? largest_output(r) : 0;
    size_t rows = r->batch * (clean + (size_t)t->classes + saved + 1);
    size_t hooks = (size_t)t->n_hooks, images = r->n + r->n_valid;
    size_t threads = (size_t)ib_pool_threads(t->net->pool);
    r->draw_bytes = (ib_draw_bytes(t->data->shape) + 63) / 64 * 64;
    size_t draws = r->batch * sizeof *r->draw + threads * r->draw_bytes;
    size_t kept = r->n_valid ? p + ib_net_state_count(t->net) : 0;
    size_t bytes = (images + rows + moments * p + kept) * sizeof(ib_real) +
                   2 * r->batch * sizeof(double) + draws + nodes +
                   hooks * sizeof *r->hook_rng + 20 * 64;
    r->memory = ib_scratch_create(bytes);
    if (!r->memory)
        return false;
    r->order = ib_scratch_take(r->memory, images, sizeof *r->order);
    r->kept = ib_scratch_take(r->memory, kept, sizeof *r->kept);
    r->kept_size = kept * sizeof *r->kept;
    r->label = ib_scratch_take(r->memory, r->batch, sizeof *r->label);
    r->target = ib_scratch_take(r->memory, r->batch * (size_t)t->classes,
                                sizeof *r->target);
    r->clean = ib_scratch_take(r->memory, r->batch * clean, sizeof *r->clean);
    r->saved = ib_scratch_take(r->memory, r->batch * saved, sizeof *r->saved);
    r->norm = ib_scratch_take(r->memory, r->batch, sizeof *r->norm);
    r->weight = ib_scratch_take(r->memory, r->batch, sizeof *r->weight);
    r->draw = ib_scratch_take(r->memory, r->batch, sizeof *r->draw);
    r->draw_scratch = ib_scratch_take(r->memory, threads, r->draw_bytes);
    r->path = ib_scratch_take(r->memory, nodes, 1);
    r->hook_rng = ib_scratch_take(r->memory, hooks, sizeof *r->hook_rng);
    r->moments_size = moments * p * sizeof(ib_real);
    r->moments = ib_scratch_take(r->memory, moments * p, sizeof(ib_real));
    return r->kept && r->saved && r->norm && r->weight && r->order &&
           r->label && r->target && r->clean && r->draw && r->draw_scratch &&
           r->path && r->hook_rng && r->moments;
}

static void open_streams(struct ib_trainer *r)
{
    const struct ib_training *t = r->t;
    r->order_rng = ib_rng_stream(t->seed, t->role, -1, "batch-order");
    r->augment_rng = ib_rng_stream(t->seed, t->role, -1, "augment");
    r->dropout_rng = ib_rng_stream(t->seed, t->role, -1, "dropout");
    r->mask_rng = ib_rng_stream(t->seed, t->role, -1, "mask");
    for (int i = 0; i < t->n_hooks; i++)
        r->hook_rng[i] = ib_rng_stream(t->seed, t->role, i, "hook");
    struct ib_rng init = ib_rng_stream(t->seed, t->role, -1, "init");
    ib_net_init(t->net, &init);
    ib_trainer_split(r);
}

struct ib_phase ib_phase_supervised(const struct ib_training *t)
{
    return (struct ib_phase){.name = "supervised",
                             .input = IB_NONE,
                             .output = t->logits,
                             .first = IB_NONE,
                             .last = IB_NONE,
                             .epochs = t->options.epochs,
                             .rate = t->options.rate};
}

static enum ib_status prepare(struct ib_trainer *r, const struct ib_training *t,
                              struct ib_error *err)
{
    *r = (struct ib_trainer){
        .t = t, .phases = t->phases, .n_phases = t->n_phases};
    r->whole = ib_phase_supervised(t);
    if (t->n_phases == 0) {
        r->phases = &r->whole;
        r->n_phases = 1;
    }
    for (int i = 0; i < t->n_hooks; i++)
        r->weighs_rows |= t->hooks[i].rows != NULL;
    r->n_valid = (size_t)(t->options.validation * (double)t->data->n);
    r->n = t->data->n - r->n_valid;
    r->d = ib_shape_size(t->data->shape);
    r->batch =
        (size_t)t->options.batch < r->n ? (size_t)t->options.batch : r->n;
    enum ib_status s = ib_training_check_data(t, err);
    if (s == IB_OK && r->batch > (size_t)ib_net_max_batch(t->net))
        s = ib_error_set(err, IB_E_INTERNAL,
                         "batches of %zu in a net for %d rows", r->batch,
                         ib_net_max_batch(t->net));
    size_t clean = 1;
    for (int i = 0; i < r->n_phases && s == IB_OK; i++) {
        s = ib_training_check_phase(t, &r->phases[i], err);
        size_t size = ib_trainer_size(r, ib_phase_input(r, &r->phases[i]));
        clean = size > clean ? size : clean;
        r->total += r->phases[i].epochs;
    }
    if (s == IB_OK && !take_memory(r, clean))
        s = ib_error_set(err, IB_E_NOMEM,
                         "no memory to train a net of %zu "
                         "parameters",
                         ib_net_parameter_count(t->net));
    return s;
}

/* --- what must stay finite ---------------------------------------------- */

/* The first node whose parameters or rows are not finite. */
static const char *culprit(const struct ib_trainer *r, size_t n)
{
    struct ib_net *net = r->t->net;
    const struct ib_graph *g = ib_net_graph(net);
    for (ib_node x = 0; x < g->n; x++) {
        const struct ib_graph_node *node = &g->node[x];
        size_t size = ib_shape_size(node->shape);
        if (!ib_all_finite(ib_net_parameters(net) + node->first,
                           node->weights + node->biases) ||
            (r->path[x] && !ib_all_finite(ib_net_value(net, x), n * size)))
            return node->name;
    }
    return NULL;
}

static enum ib_status stopped(const struct ib_trainer *r,
                              const struct ib_train_place *at, size_t n,
                              struct ib_error *err)
{
    const char *name = culprit(r, n);
    return ib_error_set(err, IB_E_NUMERIC,
                        "training stopped in phase '%s', epoch %lld, step "
                        "%lld: the values of layer '%s' are not finite; a "
                        "smaller rate may help",
                        at->phase->name, (long long)at->epoch + 1,
                        (long long)at->step + 1, name ? name : "loss");
}

/* --- checkpoints ----------------------------------------------------------
 * The state is everything that a step changes. */

enum { REGIONS = 14 };

static int regions_of(struct ib_trainer *r, struct ib_region out[REGIONS])
{
    const struct ib_training *t = r->t;
    size_t p = ib_net_parameter_count(t->net) * sizeof(ib_real);
    int n = 0;
    out[n++] = (struct ib_region){&r->at, sizeof r->at};
    out[n++] = (struct ib_region){&r->done, sizeof r->done};
    out[n++] = (struct ib_region){&r->optim.step, sizeof r->optim.step};
    out[n++] = (struct ib_region){&r->order_rng, sizeof r->order_rng};
    out[n++] = (struct ib_region){&r->augment_rng, sizeof r->augment_rng};
    out[n++] = (struct ib_region){&r->dropout_rng, sizeof r->dropout_rng};
    out[n++] = (struct ib_region){&r->mask_rng, sizeof r->mask_rng};
    out[n++] = (struct ib_region){r->hook_rng,
                                  (size_t)t->n_hooks * sizeof *r->hook_rng};
    out[n++] =
        (struct ib_region){r->order, (r->n + r->n_valid) * sizeof *r->order};
    out[n++] = (struct ib_region){ib_net_parameters(t->net), p};
    out[n++] = (struct ib_region){ib_net_state(t->net),
                                  ib_net_state_count(t->net) * sizeof(ib_real)};
    out[n++] = (struct ib_region){r->moments, r->moments_size};
    out[n++] = (struct ib_region){r->kept, r->kept_size};
    if (t->loss)
        out[n++] =
            (struct ib_region){t->loss, (size_t)r->n_phases * sizeof *t->loss};
    return n;
}

static void save_if_due(struct ib_trainer *r)
{
    const struct ib_checkpoint *c = r->t->checkpoint;
    struct ib_region all[REGIONS];
    if (c && c->due(c->ctx))
        c->save(c->ctx, all, regions_of(r, all));
}

static void resume(struct ib_trainer *r)
{
    const struct ib_checkpoint *c = r->t->checkpoint;
    struct ib_region all[REGIONS];
    if (c)
        (void)c->load(c->ctx, all, regions_of(r, all));
}

/* --- epochs and phases --------------------------------------------------- */

static void start_optimiser(struct ib_trainer *r)
{
    const struct ib_train_options *o = &r->t->options;
    r->optim = (struct ib_optim){.optimiser = o->optimiser,
                                 .momentum = o->momentum,
                                 .beta2 = o->beta2,
                                 .epsilon = o->epsilon};
    ib_optim_use(&r->optim, r->moments, ib_net_parameter_count(r->t->net));
}

static double rate_of(const struct ib_trainer *r, const struct ib_phase *phase,
                      int64_t step, int64_t steps)
{
    const struct ib_train_options *o = &r->t->options;
    struct ib_rate_plan plan = {.schedule = o->schedule,
                                .rate = phase->rate,
                                .steps = steps,
                                .warmup = o->warmup,
                                .milestones = o->milestones,
                                .gamma = o->gamma};
    return ib_rate_at(&plan, step);
}

static enum ib_status train_epoch(struct ib_trainer *r,
                                  const struct ib_phase *phase,
                                  struct ib_error *err)
{
    const struct ib_training *t = r->t;
    int64_t steps = (int64_t)((r->n + r->batch - 1) / r->batch);
    int64_t first = r->at.epoch * steps, all = phase->epochs * steps;
    if (r->at.step == 0) {
        ib_rng_shuffle(&r->order_rng, r->order, r->n);
        r->at.loss = 0;
    }
    for (; r->at.step < steps; r->at.step++) {
        struct ib_train_place at = {phase, r->at.epoch, phase->epochs,
                                    r->at.step, steps};
        size_t from = (size_t)at.step * r->batch;
        size_t n = r->n - from < r->batch ? r->n - from : r->batch;
        double loss;
        save_if_due(r);
        r->optim.rate = rate_of(r, phase, first + at.step, all);
        enum ib_status s = ib_trainer_step(r, &at, from, n, &loss, err);
        if (s != IB_OK)
            return s;
        if (!isfinite(loss))
            return stopped(r, &at, n, err);
        r->at.loss += loss * (double)n;
        if (t->reporter && at.step % 32 == 0)
            ib_report_progress(t->reporter,
                               ((double)r->done + (double)from / (double)r->n) /
                                   (double)r->total);
    }
    if (!ib_all_finite(ib_net_parameters(t->net),
                       ib_net_parameter_count(t->net)))
        return stopped(r,
                       &(struct ib_train_place){
                           phase, r->at.epoch, phase->epochs, steps - 1, steps},
                       1, err);
    return IB_OK;
}

static enum ib_status train_phase(struct ib_trainer *r, struct ib_error *err)
{
    const struct ib_training *t = r->t;
    const struct ib_phase *phase = &r->phases[r->at.phase];
    enum ib_status s = IB_OK;
    bool stop = false;
    if (r->at.epoch == 0 && r->at.step == 0) {
        r->at.best = INFINITY;
        r->at.waited = 0;
        memset(r->moments, 0, r->moments_size);
        r->optim.step = 0;
    }
    ib_net_train_range(t->net, phase->first, phase->last);
    ib_net_path(t->net, ib_phase_input(r, phase), phase->output, r->path);
    for (; r->at.epoch < phase->epochs && s == IB_OK && !stop; r->at.epoch++) {
        s = train_epoch(r, phase, err);
        stop = s == IB_OK && ib_trainer_validate(r, phase);
        r->at.step = 0;
        r->done++;
    }
    if (s == IB_OK)
        ib_trainer_restore(r, phase);
    if (t->loss)
        t->loss[r->at.phase] = r->at.loss / (double)r->n;
    r->at.epoch = 0;
    return s;
}

enum ib_status ib_train(const struct ib_training *t, struct ib_error *err)
{
    struct ib_trainer r;
    enum ib_status s = prepare(&r, t, err);
    if (s != IB_OK)
        goto out;
    open_streams(&r);
    start_optimiser(&r);
    resume(&r);
    for (; r.at.phase < r.n_phases && s == IB_OK; r.at.phase++)
        s = train_phase(&r, err);
    ib_net_train_range(t->net, IB_NONE, IB_NONE);
    if (s == IB_OK && t->reporter)
        ib_report_progress(t->reporter, 1);
out:
    ib_scratch_free(r.memory);
    return s;
}
