/*
 * The trainer. For each phase: shuffled batches, augmentation, hooks, forward,
 * loss, backward, step. Every random draw comes from a stream of its own name,
 * so that a hook that draws more changes nothing else.
 */
#include "augment.h"
#include "check.h"
#include "node.h"
#include "optim.h"

#include <invbench/math.h>
#include <invbench/train.h>
#include <math.h>
#include <string.h>

struct trainer {
    const struct ib_training *t;
    struct ib_phase whole; /* what n_phases = 0 stands for */
    const struct ib_phase *phases;
    int n_phases;
    size_t n, d, batch; /* images, pixels, rows of a step */
    struct ib_scratch *memory;
    uint32_t *order; /* n */
    int32_t *label;  /* batch */
    ib_real *target; /* batch x classes */
    ib_real *clean;  /* batch x the largest input to be reconstructed */
    uint8_t *pixels; /* d */
    uint8_t *path;   /* nodes */
    struct ib_optim optim;
    struct ib_rng order_rng, augment_rng, dropout_rng, mask_rng, *hook_rng;
    int64_t done, total; /* epochs */
    double loss;         /* sum over rows of this epoch */
};

/* Where training is, for messages. */
struct place {
    const struct ib_phase *phase;
    int64_t epoch, step;
};

static ib_node phase_input(const struct trainer *r, const struct ib_phase *p)
{
    return p->input == IB_NONE ? r->t->input : p->input;
}

static size_t node_size(const struct trainer *r, ib_node x)
{
    return ib_shape_size(ib_graph_shape(ib_net_graph(r->t->net), x));
}

/* --- memory ------------------------------------------------------------- */

static bool take_memory(struct trainer *r, size_t clean)
{
    const struct ib_training *t = r->t;
    size_t p = ib_net_parameter_count(t->net);
    size_t nodes = (size_t)ib_net_graph(t->net)->n;
    size_t moments = t->options.optimiser == IB_ADAM ? 2 : 1;
    size_t rows = r->batch * (clean + (size_t)t->classes + 1);
    size_t hooks = (size_t)t->n_hooks;
    size_t bytes = (r->n + rows + moments * p) * sizeof(ib_real) + r->d +
                   nodes + hooks * sizeof *r->hook_rng + 16 * 64;
    r->memory = ib_scratch_create(bytes);
    if (!r->memory)
        return false;
    r->order = ib_scratch_take(r->memory, r->n, sizeof *r->order);
    r->label = ib_scratch_take(r->memory, r->batch, sizeof *r->label);
    r->target = ib_scratch_take(r->memory, r->batch * (size_t)t->classes,
                                sizeof *r->target);
    r->clean = ib_scratch_take(r->memory, r->batch * clean, sizeof *r->clean);
    r->pixels = ib_scratch_take(r->memory, r->d, 1);
    r->path = ib_scratch_take(r->memory, nodes, 1);
    r->hook_rng = ib_scratch_take(r->memory, hooks, sizeof *r->hook_rng);
    r->optim.m = ib_scratch_take(r->memory, p, sizeof(ib_real));
    if (moments == 2)
        r->optim.v = ib_scratch_take(r->memory, p, sizeof(ib_real));
    return r->order && r->label && r->target && r->clean && r->pixels &&
           r->path && r->hook_rng && r->optim.m && (moments == 1 || r->optim.v);
}

static void open_streams(struct trainer *r)
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
    for (size_t i = 0; i < r->n; i++)
        r->order[i] = (uint32_t)i;
}

static enum ib_status prepare(struct trainer *r, const struct ib_training *t,
                              struct ib_error *err)
{
    *r = (struct trainer){.t = t, .phases = t->phases, .n_phases = t->n_phases};
    r->whole = (struct ib_phase){.name = "supervised",
                                 .input = IB_NONE,
                                 .output = t->logits,
                                 .first = IB_NONE,
                                 .last = IB_NONE,
                                 .epochs = t->options.epochs,
                                 .rate = t->options.rate};
    if (t->n_phases == 0) {
        r->phases = &r->whole;
        r->n_phases = 1;
    }
    r->n = t->data->n;
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
        size_t size = node_size(r, phase_input(r, &r->phases[i]));
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

/* --- one step ----------------------------------------------------------- */

/* Images `from`.. of the shuffled order into the net's input; then hooks. */
static void load_batch(struct trainer *r, const struct place *at, size_t from,
                       size_t n)
{
    const struct ib_training *t = r->t;
    const struct ib_augment a = {t->options.shift, t->options.flip};
    size_t k = (size_t)t->classes;
    ib_real *input = ib_net_value(t->net, t->input);
    memset(r->target, 0, n * k * sizeof *r->target);
    for (size_t i = 0; i < n; i++) {
        size_t image = r->order[from + i];
        r->label[i] = t->data->identity[image];
        r->target[i * k + (size_t)r->label[i]] = 1;
        ib_augment_row(&a, t->data->shape, t->data->pixels + image * r->d,
                       &r->augment_rng, r->pixels, input + i * r->d);
    }
    struct ib_train_batch b = {.n = n,
                               .classes = t->classes,
                               .label = r->label,
                               .target = r->target,
                               .input = input,
                               .epoch = at->epoch,
                               .epochs = at->phase->epochs};
    for (int i = 0; i < t->n_hooks; i++) {
        b.rng = &r->hook_rng[i];
        t->hooks[i].batch(t->hooks[i].options, &b);
    }
}

/* The phase's input: computed without noise, kept, then masked. */
static void prepare_input(struct trainer *r, const struct ib_phase *p, int n)
{
    const struct ib_training *t = r->t;
    ib_node input = phase_input(r, p);
    if (input != t->input)
        ib_net_forward(t->net, &(struct ib_forward){
                                   .n = n, .from = t->input, .to = input});
    size_t count = (size_t)n * node_size(r, input);
    ib_real *x = ib_net_value(t->net, input);
    if (p->loss == IB_RECONSTRUCTION)
        memcpy(r->clean, x, count * sizeof *x);
    if (p->mask <= 0)
        return;
    for (size_t i = 0; i < count; i++) {
        uint32_t draw = ib_rng_u32(&r->mask_rng) >> 8;
        if ((double)draw * 0x1p-24 < p->mask)
            x[i] = 0;
    }
}

/* Mean loss; its gradient goes to the output node. */
static double take_loss(struct trainer *r, const struct ib_phase *p, size_t n)
{
    struct ib_net *net = r->t->net;
    const ib_real *y = ib_net_value(net, p->output);
    ib_real *dy = ib_net_gradient(net, p->output);
    size_t k = node_size(r, p->output);
    if (p->loss == IB_RECONSTRUCTION)
        return ib_loss_mse(n, k, y, r->clean, dy);
    return ib_loss_cross_entropy(n, k, y, r->target, dy);
}

static bool moves(const struct trainer *r, const struct ib_phase *p, ib_node x)
{
    const struct ib_graph *g = ib_net_graph(r->t->net);
    if (!r->path[x] || g->node[x].weights == 0)
        return false;
    if (p->first != IB_NONE && (x < p->first || x > p->last))
        return false;
    for (ib_node i = 0; i < x; i++) /* shared: moved once */
        if (g->node[i].owner == g->node[x].owner && moves(r, p, i))
            return false;
    return true;
}

static void update(struct trainer *r, const struct ib_phase *p)
{
    const struct ib_graph *g = ib_net_graph(r->t->net);
    ib_real *w = ib_net_parameters(r->t->net);
    const ib_real *dw = ib_net_parameter_gradients(r->t->net);
    for (ib_node x = 0; x < g->n; x++) {
        const struct ib_graph_node *node = &g->node[x];
        if (!moves(r, p, x))
            continue;
        ib_optim_apply(&r->optim, w, dw, node->first, node->weights,
                       r->t->options.weight_decay);
        ib_optim_apply(&r->optim, w, dw, node->first + node->weights,
                       node->biases, 0);
    }
}

static double train_step(struct trainer *r, const struct place *at, size_t from,
                         size_t n)
{
    const struct ib_phase *p = at->phase;
    struct ib_forward f = {.n = (int)n,
                           .from = phase_input(r, p),
                           .to = p->output,
                           .rng = &r->dropout_rng};
    load_batch(r, at, from, n);
    prepare_input(r, p, (int)n);
    ib_net_forward(r->t->net, &f);
    double loss = take_loss(r, p, n);
    ib_net_backward(r->t->net, &f, IB_WRT_PARAMETERS | IB_WRT_OVERWRITE);
    r->optim.step++;
    update(r, p);
    return loss;
}

/* --- what must stay finite ---------------------------------------------- */

/* The first node whose parameters or rows are not finite. */
static const char *culprit(const struct trainer *r, size_t n)
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

static enum ib_status stopped(const struct trainer *r, const struct place *at,
                              size_t n, struct ib_error *err)
{
    const char *name = culprit(r, n);
    return ib_error_set(err, IB_E_NUMERIC,
                        "training stopped in phase '%s', epoch %lld, step "
                        "%lld: the values of layer '%s' are not finite; a "
                        "smaller rate may help",
                        at->phase->name, (long long)at->epoch + 1,
                        (long long)at->step + 1, name ? name : "loss");
}

/* --- epochs and phases --------------------------------------------------- */

static enum ib_status train_epoch(struct trainer *r, struct place *at,
                                  struct ib_error *err)
{
    const struct ib_training *t = r->t;
    int64_t steps = (int64_t)((r->n + r->batch - 1) / r->batch);
    int64_t first = at->epoch * steps, all = at->phase->epochs * steps;
    ib_rng_shuffle(&r->order_rng, r->order, r->n);
    r->loss = 0;
    for (size_t from = 0; from < r->n; from += r->batch) {
        size_t n = r->n - from < r->batch ? r->n - from : r->batch;
        at->step = (int64_t)(from / r->batch);
        r->optim.rate = ib_schedule_rate(t->options.schedule, at->phase->rate,
                                         first + at->step, all);
        double loss = train_step(r, at, from, n);
        if (!isfinite(loss))
            return stopped(r, at, n, err);
        r->loss += loss * (double)n;
        if (t->reporter && at->step % 32 == 0)
            ib_report_progress(t->reporter,
                               ((double)r->done + (double)from / (double)r->n) /
                                   (double)r->total);
    }
    if (!ib_all_finite(ib_net_parameters(t->net),
                       ib_net_parameter_count(t->net)))
        return stopped(r, at, 1, err);
    return IB_OK;
}

static enum ib_status train_phase(struct trainer *r, int index,
                                  struct ib_error *err)
{
    const struct ib_training *t = r->t;
    struct place at = {.phase = &r->phases[index]};
    size_t p = ib_net_parameter_count(t->net);
    enum ib_status s = IB_OK;
    memset(r->optim.m, 0, p * sizeof(ib_real));
    if (r->optim.v)
        memset(r->optim.v, 0, p * sizeof(ib_real));
    r->optim.step = 0;
    ib_net_train_range(t->net, at.phase->first, at.phase->last);
    ib_net_path(t->net, phase_input(r, at.phase), at.phase->output, r->path);
    for (; at.epoch < at.phase->epochs && s == IB_OK; at.epoch++) {
        s = train_epoch(r, &at, err);
        r->done++;
    }
    if (t->loss)
        t->loss[index] = r->loss / (double)r->n;
    return s;
}

enum ib_status ib_train(const struct ib_training *t, struct ib_error *err)
{
    struct trainer r;
    enum ib_status s = prepare(&r, t, err);
    if (s != IB_OK)
        goto out;
    open_streams(&r);
    r.optim.optimiser = t->options.optimiser;
    r.optim.momentum = t->options.momentum;
    for (int i = 0; i < r.n_phases && s == IB_OK; i++)
        s = train_phase(&r, i, err);
    ib_net_train_range(t->net, IB_NONE, IB_NONE);
    if (s == IB_OK && t->reporter)
        ib_report_progress(t->reporter, 1);
out:
    ib_scratch_free(r.memory);
    return s;
}
