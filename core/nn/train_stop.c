/*
 * Early stopping: a share of the training images is set aside, and the epoch
 * that does best on them is the one that stays. The images that a suite holds
 * out play no part in it.
 */
#include "trainer.h"

#include <math.h>
#include <string.h>

void ib_trainer_split(struct ib_trainer *r)
{
    size_t all = r->n + r->n_valid;
    struct ib_rng rng = ib_rng_stream(r->t->seed, r->t->role, -1, "validation");
    for (size_t i = 0; i < all; i++)
        r->order[i] = (uint32_t)i;
    if (r->n_valid > 0)
        ib_rng_shuffle(&rng, r->order, all);
}

static bool applies(const struct ib_trainer *r, const struct ib_phase *p)
{
    return r->n_valid > 0 && p->loss == IB_CROSS_ENTROPY;
}

/* Mean cross-entropy over n of the images set aside, `from` on, without
 * augmentation and hooks. */
static double loss_of(struct ib_trainer *r, const struct ib_phase *p,
                      size_t from, size_t n)
{
    const struct ib_training *t = r->t;
    size_t k = (size_t)t->classes;
    ib_real *input = ib_net_value(t->net, t->input);
    memset(r->target, 0, n * k * sizeof *r->target);
    for (size_t i = 0; i < n; i++) {
        size_t image = r->order[r->n + from + i];
        r->target[i * k + (size_t)t->data->identity[image]] = 1;
        ib_image_to_float(t->data->pixels + image * r->d, r->d,
                          input + i * r->d);
    }
    ib_net_forward(t->net, &(struct ib_forward){
                               .n = (int)n, .from = t->input, .to = p->output});
    return ib_loss_cross_entropy(n, k, ib_net_value(t->net, p->output),
                                 r->target, ib_net_gradient(t->net, p->output));
}

static void keep(struct ib_trainer *r)
{
    struct ib_net *net = r->t->net;
    size_t p = ib_net_parameter_count(net), s = ib_net_state_count(net);
    memcpy(r->kept, ib_net_parameters(net), p * sizeof *r->kept);
    memcpy(r->kept + p, ib_net_state(net), s * sizeof *r->kept);
}

bool ib_trainer_validate(struct ib_trainer *r, const struct ib_phase *p)
{
    double loss = 0;
    if (!applies(r, p))
        return false;
    for (size_t from = 0; from < r->n_valid; from += r->batch) {
        size_t left = r->n_valid - from;
        size_t n = left < r->batch ? left : r->batch;
        loss += loss_of(r, p, from, n) * (double)n;
    }
    loss /= (double)r->n_valid;
    r->at.waited++;
    if (loss < r->at.best) {
        r->at.best = loss;
        r->at.waited = 0;
        keep(r);
    }
    return r->t->options.patience > 0 && r->at.waited >= r->t->options.patience;
}

void ib_trainer_restore(struct ib_trainer *r, const struct ib_phase *p)
{
    struct ib_net *net = r->t->net;
    size_t n = ib_net_parameter_count(net), s = ib_net_state_count(net);
    if (!applies(r, p) || !(r->at.best < (double)INFINITY))
        return;
    memcpy(ib_net_parameters(net), r->kept, n * sizeof *r->kept);
    memcpy(ib_net_state(net), r->kept + n, s * sizeof *r->kept);
}
