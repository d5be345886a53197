/*
 * A training step of a DCGAN (Radford, Metz, Chintala, ICLR 2016) on images of
 * 3x64x64, at half of its width (256, 128, 64, 32 channels): the critic on real
 * and on generated images, then the generator; binary cross-entropy, Adam.
 */
#include "bench_parts.h"

#include <stdlib.h>
#include <string.h>

enum { NOISE = 100, WIDTH = 32 };

struct ib_bench_gan {
    struct ib_net *critic;
    ib_node image, score;
    float *noise, *real; /* IB_BENCH_BATCH rows */
    float *moments;
    struct ib_optim generator_optim, critic_optim;
    struct ib_rng rng; /* says that a run trains */
};

/* --- the nets
 * ----------------------------------------------------------------- */

static ib_node norm_relu(struct ib_graph *g, ib_node x)
{
    return ib_graph_relu(g,
                         ib_graph_batchnorm(g, x, (struct ib_norm){0}, NULL));
}

static ib_node build_generator(struct ib_bench_building *x)
{
    struct ib_conv c = {.channels = 8 * WIDTH, .kernel = 4, .no_bias = true};
    ib_node y = norm_relu(x->g, ib_bench_deconv(x, x->input, c));

    c.stride = 2;
    c.pad = 1;
    for (c.channels = 4 * WIDTH; c.channels >= WIDTH; c.channels /= 2)
        y = norm_relu(x->g, ib_bench_deconv(x, y, c));
    c.channels = 3;
    return ib_graph_tanh(x->g, ib_bench_deconv(x, y, c));
}

static ib_node build_critic(struct ib_bench_building *x)
{
    struct ib_conv c = {
        .channels = WIDTH, .kernel = 4, .stride = 2, .pad = 1, .no_bias = true};
    ib_node y = ib_graph_leaky_relu(x->g, ib_bench_conv(x, x->input, c), 0.2);

    for (c.channels = 2 * WIDTH; c.channels <= 8 * WIDTH; c.channels *= 2) {
        y = ib_graph_batchnorm(x->g, ib_bench_conv(x, y, c),
                               (struct ib_norm){0}, NULL);
        y = ib_graph_leaky_relu(x->g, y, 0.2);
    }
    return ib_bench_conv(
        x, y, (struct ib_conv){.channels = 1, .kernel = 4, .no_bias = true});
}

static bool take_rows(struct ib_bench_net *b, struct ib_bench_gan *gan)
{
    size_t d = ib_shape_size(b->shape);
    size_t moments = ib_optim_arrays(IB_ADAM);
    struct ib_rng rng = ib_rng_stream(1, "bench", -1, "noise");

    gan->noise = malloc(IB_BENCH_BATCH * NOISE * sizeof(float));
    gan->real = malloc(IB_BENCH_BATCH * d * sizeof(float));
    gan->moments = malloc(ib_bench_parameters(b) * moments * sizeof(float));
    if (!gan->noise || !gan->real || !gan->moments)
        return false;
    ib_rng_fill_normal(&rng, gan->noise, IB_BENCH_BATCH * NOISE, 1);
    ib_image_to_float(b->pixels, IB_BENCH_BATCH * d, gan->real);
    gan->rng = rng;
    return true;
}

/* G: forward, both gradients but the noise's. D: on real and on generated
 * images forward and both gradients but the image's; once more forward and back
 * to the image. */
static void count(struct ib_bench_net *b, const struct ib_bench_building *g,
                  const struct ib_bench_building *d)
{
    b->forward = g->forward;
    b->first = g->first;
    b->gradient_flops = IB_BENCH_ATTACK * 2 * g->forward;
    b->train_flops =
        IB_BENCH_BATCH * (3 * g->forward - g->first +
                          2 * (3 * d->forward - d->first) + 2 * d->forward);
}

enum ib_status ib_bench_gan_create(struct ib_bench_net *b, struct ib_error *err)
{
    struct ib_bench_gan *gan = b->gan = calloc(1, sizeof(*gan));
    struct ib_bench_building g = {.g = ib_graph_create(), .b = b};
    struct ib_bench_building d = {.g = ib_graph_create(), .b = b};
    enum ib_status s;

    if (!gan || !g.g || !d.g) {
        ib_graph_free(g.g);
        ib_graph_free(d.g);
        return ib_error_set(err, IB_E_NOMEM, "bench: no memory for a GAN");
    }
    g.input = b->input =
        ib_graph_input(g.g, (struct ib_shape){NOISE, 1, 1}, "noise");
    b->logits = build_generator(&g);
    d.input = gan->image = ib_graph_input(d.g, b->shape, "image");
    gan->score = build_critic(&d);
    count(b, &g, &d);
    s = ib_net_create(&b->net, g.g, IB_BENCH_BATCH, err);
    if (s)
        ib_graph_free(d.g);
    else
        s = ib_net_create(&gan->critic, d.g, IB_BENCH_BATCH, err);
    if (!s && !take_rows(b, gan))
        s = ib_error_set(err, IB_E_NOMEM, "bench: no memory for a GAN");
    return s;
}

void ib_bench_gan_free(struct ib_bench_gan *gan)
{
    if (!gan)
        return;
    ib_net_free(gan->critic);
    free(gan->noise);
    free(gan->real);
    free(gan->moments);
    free(gan);
}

struct ib_net *ib_bench_gan_critic(struct ib_bench_gan *gan)
{
    return gan->critic;
}

const float *ib_bench_gan_noise(const struct ib_bench_gan *gan)
{
    return gan->noise;
}

/* --- the step
 * ------------------------------------------------------------------ */

void ib_bench_gan_reset(struct ib_bench_net *b)
{
    struct ib_bench_gan *gan = b->gan;
    size_t arrays = ib_optim_arrays(IB_ADAM);
    size_t g = ib_net_parameter_count(b->net);
    size_t d = ib_net_parameter_count(gan->critic);
    struct ib_optim o = {.optimiser = IB_ADAM, .rate = 2e-4, .momentum = 0.5};

    memset(gan->moments, 0, (g + d) * arrays * sizeof(*gan->moments));
    gan->generator_optim = gan->critic_optim = o;
    ib_optim_use(&gan->generator_optim, gan->moments, g);
    ib_optim_use(&gan->critic_optim, gan->moments + g * arrays, d);
}

static void apply(struct ib_optim *o, struct ib_net *net)
{
    o->step++;
    ib_optim_apply(o, ib_net_parameters(net), ib_net_parameter_gradients(net),
                   0, ib_net_parameter_count(net), 0);
}

/* The critic on these images, as if they were real (1) or not (0). */
static double judge(struct ib_bench_gan *gan, const float *images, size_t d,
                    float real, int wrt)
{
    struct ib_forward f = {.n = IB_BENCH_BATCH,
                           .from = gan->image,
                           .to = gan->score,
                           .rng = &gan->rng};
    float target[IB_BENCH_BATCH];
    double loss;

    for (int i = 0; i < IB_BENCH_BATCH; i++)
        target[i] = real;
    memcpy(ib_net_value(gan->critic, gan->image), images,
           IB_BENCH_BATCH * d * sizeof(*images));
    ib_net_forward(gan->critic, &f);
    loss = ib_loss_bce_logits(IB_BENCH_BATCH, 1,
                              ib_net_value(gan->critic, gan->score), target,
                              ib_net_gradient(gan->critic, gan->score));
    ib_net_backward(gan->critic, &f, wrt);
    return loss;
}

double ib_bench_gan_step(struct ib_bench_net *b)
{
    struct ib_bench_gan *gan = b->gan;
    size_t d = ib_shape_size(b->shape);
    struct ib_forward f = {.n = IB_BENCH_BATCH,
                           .from = b->input,
                           .to = b->logits,
                           .rng = &gan->rng};
    const float *made = ib_net_value(b->net, b->logits);
    double loss;

    memcpy(ib_net_value(b->net, b->input), gan->noise,
           IB_BENCH_BATCH * NOISE * sizeof(float));
    ib_net_forward(b->net, &f);
    loss = judge(gan, gan->real, d, 1, IB_WRT_PARAMETERS | IB_WRT_OVERWRITE);
    loss += judge(gan, made, d, 0, IB_WRT_PARAMETERS);
    apply(&gan->critic_optim, gan->critic);
    loss += judge(gan, made, d, 1, IB_WRT_INPUT);
    memcpy(ib_net_gradient(b->net, b->logits),
           ib_net_gradient(gan->critic, gan->image),
           IB_BENCH_BATCH * d * sizeof(float));
    ib_net_backward(b->net, &f, IB_WRT_PARAMETERS | IB_WRT_OVERWRITE);
    apply(&gan->generator_optim, b->net);
    return loss;
}
