/*
 * One training step: batch, hooks, forward, loss, rows, backward, update. Every
 * random draw comes from a stream of its own name, so that a hook that draws
 * more changes nothing else.
 */
#include "net.h"
#include "pool.h"
#include "trainer.h"

#include <invbench/math.h>
#include <math.h>
#include <string.h>

/* --- batch --------------------------------------------------------------- */

/* Rows of a batch; a task takes LOAD of them. */
struct load {
    const struct ib_trainer *r;
    size_t from, n;
};

enum { LOAD = 8 };

static void load_rows(void *ctx, int task, int thread)
{
    const struct load *l = ctx;
    const struct ib_trainer *r = l->r;
    const struct ib_images *data = r->t->data;
    ib_real *input = ib_net_value(r->t->net, r->t->input);
    void *scratch = r->draw_scratch + (size_t)thread * r->draw_bytes;
    size_t first = (size_t)task * LOAD;
    for (size_t i = first; i < l->n && i < first + LOAD; i++)
        ib_draw_load(&r->draw[i], data->shape,
                     data->pixels + r->order[l->from + i] * r->d,
                     input + i * r->d, scratch);
}

/* Images `from`.. of the shuffled order into the net's input. */
static void load_images(struct ib_trainer *r, size_t from, size_t n)
{
    const struct ib_training *t = r->t;
    size_t k = (size_t)t->classes;
    struct load l = {r, from, n};
    memset(r->target, 0, n * k * sizeof *r->target);
    for (size_t i = 0; i < n; i++) {
        r->label[i] = t->data->identity[r->order[from + i]];
        r->target[i * k + (size_t)r->label[i]] = 1;
    }
    ib_augment_draw(&t->options.augment, t->data->shape, &r->augment_rng, n,
                    r->draw);
    ib_pool_run(t->net->pool, (int)((n + LOAD - 1) / LOAD), load_rows, &l);
}

static void run_batch_hooks(struct ib_trainer *r, struct ib_train_batch *b)
{
    const struct ib_training *t = r->t;
    for (int i = 0; i < t->n_hooks; i++) {
        b->rng = &r->hook_rng[i];
        if (t->hooks[i].batch)
            t->hooks[i].batch(t->hooks[i].options, b);
    }
}

/* The phase's input: computed without noise, kept, then masked. */
static void prepare_input(struct ib_trainer *r, const struct ib_phase *p, int n)
{
    const struct ib_training *t = r->t;
    ib_node input = ib_phase_input(r, p);
    if (input != t->input)
        ib_net_forward(t->net, &(struct ib_forward){
                                   .n = n, .from = t->input, .to = input});
    size_t count = (size_t)n * ib_trainer_size(r, input);
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

/* --- loss ---------------------------------------------------------------- */

ib_real *ib_train_gradient(struct ib_train_loss *l, ib_node x)
{
    struct ib_train_also *a = l->also;
    ib_real *rows = ib_net_gradient(a->net, x);
    if (x == a->output)
        return rows;
    for (int i = 0; i < a->count; i++)
        if (a->node[i] == x)
            return rows;
    if (a->count == IB_TRAIN_ALSO)
        return NULL;
    a->node[a->count++] = x;
    size_t size = ib_shape_size(ib_graph_shape(ib_net_graph(a->net), x));
    memset(rows, 0, a->n * size * sizeof *rows);
    return rows;
}

/* Mean loss; its gradient goes to the output node. */
static double own_loss(struct ib_trainer *r, const struct ib_phase *p, size_t n)
{
    struct ib_net *net = r->t->net;
    const ib_real *y = ib_net_value(net, p->output);
    ib_real *dy = ib_net_gradient(net, p->output);
    size_t k = ib_trainer_size(r, p->output);
    switch (p->loss) {
    case IB_RECONSTRUCTION:
        return ib_loss_mse(n, k, y, r->clean, dy);
    case IB_HOOKS_ALONE:
        memset(dy, 0, n * k * sizeof *dy);
        return 0;
    case IB_CROSS_ENTROPY:
        break;
    }
    return ib_loss_cross_entropy(n, k, y, r->target, dy);
}

static double take_loss(struct ib_trainer *r, struct ib_train_batch *b)
{
    const struct ib_training *t = r->t;
    struct ib_train_loss l = {.batch = b, .also = &r->also};
    double loss = own_loss(r, b->at.phase, b->n);
    r->also = (struct ib_train_also){
        .net = t->net, .output = b->at.phase->output, .n = b->n};
    for (int i = 0; i < t->n_hooks; i++) {
        b->rng = &r->hook_rng[i];
        if (t->hooks[i].loss)
            loss += t->hooks[i].loss(t->hooks[i].options, &l);
    }
    return loss;
}

/* --- rows ---------------------------------------------------------------- */

/* Rows of the output's gradient, each times its weight. The norms' own run
 * writes over gradients, so the output's are kept and brought back. */
static enum ib_status weigh_rows(struct ib_trainer *r,
                                 const struct ib_forward *f,
                                 struct ib_error *err)
{
    const struct ib_training *t = r->t;
    size_t n = (size_t)f->n, k = ib_trainer_size(r, f->to);
    ib_real *dy = ib_net_gradient(t->net, f->to);
    if (r->also.count > 0)
        return ib_error_set(err, IB_E_USAGE,
                            "rows cannot be weighed by a defense while another "
                            "one adds a loss at an inner layer");
    memcpy(r->saved, dy, n * k * sizeof *dy);
    enum ib_status s = ib_net_row_norms(t->net, f, r->norm, err);
    if (s != IB_OK)
        return s;
    for (size_t i = 0; i < n; i++) { /* dy is that of the mean over n rows */
        r->norm[i] = sqrt(r->norm[i]) * (double)n;
        r->weight[i] = 1;
    }
    struct ib_train_rows rows = {n, r->norm, r->weight};
    for (int i = 0; i < t->n_hooks; i++)
        if (t->hooks[i].rows)
            t->hooks[i].rows(t->hooks[i].options, &rows);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < k; j++)
            dy[i * k + j] = r->saved[i * k + j] * (ib_real)r->weight[i];
    return IB_OK;
}

/* --- step ---------------------------------------------------------------- */

static bool moves(const struct ib_trainer *r, const struct ib_phase *p,
                  ib_node x)
{
    const struct ib_graph *g = ib_net_graph(r->t->net);
    if (!r->path[x] || g->node[x].weights + g->node[x].biases == 0)
        return false;
    if (p->first != IB_NONE && (x < p->first || x > p->last))
        return false;
    for (ib_node i = 0; i < x; i++) /* shared: moved once */
        if (g->node[i].owner == g->node[x].owner && moves(r, p, i))
            return false;
    return true;
}

/* A slice of one node's parameters; tasks share them out. */
struct update {
    const struct ib_optim *optim;
    ib_real *w;
    const ib_real *g;
    size_t first, n;
    double decay;
};

enum { SLICE = 64 * 1024 };

static void update_slice(void *ctx, int task, int thread)
{
    const struct update *u = ctx;
    size_t from = (size_t)task * SLICE;
    size_t n = u->n - from < SLICE ? u->n - from : SLICE;
    (void)thread;
    ib_optim_apply(u->optim, u->w, u->g, u->first + from, n, u->decay);
}

/* Makes the step shorter where the gradient of what moves is too long. */
static void clip(struct ib_trainer *r, const struct ib_phase *p)
{
    const struct ib_graph *g = ib_net_graph(r->t->net);
    const ib_real *dw = ib_net_parameter_gradients(r->t->net);
    double norm2 = 0, limit = r->t->options.clip;
    for (ib_node x = 0; x < g->n && limit > 0; x++) {
        const struct ib_graph_node *node = &g->node[x];
        if (moves(r, p, x))
            norm2 += ib_dot(node->weights + node->biases, dw + node->first,
                            dw + node->first);
    }
    r->optim.scale = ib_clip_scale(sqrt(norm2), limit);
}

static void update(struct ib_trainer *r, const struct ib_phase *p)
{
    struct ib_net *net = r->t->net;
    const struct ib_graph *g = ib_net_graph(net);
    struct update u = {.optim = &r->optim,
                       .w = ib_net_parameters(net),
                       .g = ib_net_parameter_gradients(net)};
    for (ib_node x = 0; x < g->n; x++) {
        const struct ib_graph_node *node = &g->node[x];
        if (!moves(r, p, x))
            continue;
        u.first = node->first;
        u.n = node->weights;
        u.decay = ib_ops[node->op]->no_decay ? 0 : r->t->options.weight_decay;
        ib_pool_run(net->pool, (int)((u.n + SLICE - 1) / SLICE), update_slice,
                    &u);
        u.first += node->weights;
        u.n = node->biases;
        u.decay = 0;
        ib_pool_run(net->pool, (int)((u.n + SLICE - 1) / SLICE), update_slice,
                    &u);
    }
}

static void run_step_hooks(struct ib_trainer *r,
                           const struct ib_train_place *at, size_t n)
{
    const struct ib_training *t = r->t;
    struct ib_train_step s = {.net = t->net,
                              .gradient = ib_net_parameter_gradients(t->net),
                              .parameters = ib_net_parameter_count(t->net),
                              .n = n,
                              .at = *at};
    for (int i = 0; i < t->n_hooks; i++) {
        s.rng = &r->hook_rng[i];
        if (t->hooks[i].step)
            t->hooks[i].step(t->hooks[i].options, &s);
    }
}

enum ib_status ib_trainer_step(struct ib_trainer *r,
                               const struct ib_train_place *at, size_t from,
                               size_t n, double *loss, struct ib_error *err)
{
    const struct ib_training *t = r->t;
    struct ib_forward f = {.n = (int)n,
                           .from = ib_phase_input(r, at->phase),
                           .to = at->phase->output,
                           .rng = &r->dropout_rng};
    struct ib_train_batch b = {.n = n,
                               .classes = t->classes,
                               .label = r->label,
                               .target = r->target,
                               .input = ib_net_value(t->net, t->input),
                               .net = t->net,
                               .input_node = t->input,
                               .logits = t->logits,
                               .at = *at};
    enum ib_status s = IB_OK;
    load_images(r, from, n);
    run_batch_hooks(r, &b);
    prepare_input(r, at->phase, (int)n);
    ib_net_forward(t->net, &f);
    *loss = take_loss(r, &b);
    if (!isfinite(*loss))
        return IB_OK;
    f.also = r->also.node;
    f.n_also = r->also.count;
    if (r->weighs_rows)
        s = weigh_rows(r, &f, err);
    if (s != IB_OK)
        return s;
    ib_net_backward(t->net, &f, IB_WRT_PARAMETERS | IB_WRT_OVERWRITE);
    run_step_hooks(r, at, n);
    r->optim.step++;
    clip(r, at->phase);
    update(r, at->phase);
    return IB_OK;
}
