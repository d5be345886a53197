/* Steps by the clock. */
#include "bench_parts.h"

#include <string.h>

struct ticks {
    int threads, n;
    double at[IB_BENCH_STEPS + 2];
};

/* A hook that the trainer calls once a step: two calls are one step apart. */
static void tick(const void *options, struct ib_train_batch *b)
{
    struct ticks *t = *(struct ticks *const *)options;

    (void)b;
    if (t->n < (int)IB_COUNT(t->at))
        t->at[t->n++] = ib_bench_now(t->threads);
}

static int threads_of(const struct ib_pool *pool)
{
    return ib_pool_threads(pool);
}

static struct ib_training training_of(struct ib_bench_net *b, int epochs)
{
    return (struct ib_training){.net = b->net,
                                .input = b->input,
                                .logits = b->logits,
                                .classes = IB_BENCH_CLASSES,
                                .options = {.epochs = epochs,
                                            .batch = IB_BENCH_BATCH,
                                            .rate = 1e-3,
                                            .momentum = 0.9},
                                .seed = 1,
                                .role = "bench"};
}

static void train_gan(struct ib_bench_net *b, int steps, double *seconds)
{
    int threads = threads_of(b->pool);
    double step[IB_BENCH_STEPS];

    ib_bench_init(b, NULL);
    ib_bench_gan_step(b);
    for (int i = 0; i < steps; i++) {
        double begin = ib_bench_now(threads);
        ib_bench_gan_step(b);
        step[i] = ib_bench_now(threads) - begin;
    }
    *seconds = ib_bench_median(step, steps);
}

enum ib_status ib_bench_train(struct ib_bench_net *b, int steps,
                              double *seconds, struct ib_error *err)
{
    struct ticks t = {.threads = threads_of(b->pool)}, *ticks = &t;
    struct ib_train_hook hook = {.options = &ticks, .batch = tick};
    size_t n = (size_t)(steps + 2) * IB_BENCH_BATCH;
    struct ib_images images = {b->shape, n, b->pixels, b->label};
    struct ib_training training = training_of(b, 1);
    double step[IB_BENCH_STEPS];
    enum ib_status s;

    if (b->gan) {
        train_gan(b, steps, seconds);
        return IB_OK;
    }
    training.data = &images;
    training.hooks = &hook;
    training.n_hooks = 1;
    s = ib_train(&training, err);
    if (s)
        return s;
    for (int i = 0; i < steps; i++)
        step[i] = t.at[i + 2] - t.at[i + 1];
    *seconds = ib_bench_median(step, steps);
    return IB_OK;
}

enum ib_status ib_bench_loss(struct ib_bench_net *b, int steps, double *loss,
                             struct ib_error *err)
{
    struct ib_images images = {b->shape, IB_BENCH_BATCH, b->pixels, b->label};
    struct ib_training training = training_of(b, steps);

    if (!b->gan) {
        training.data = &images;
        training.loss = loss;
        return ib_train(&training, err);
    }
    ib_bench_init(b, NULL);
    for (int i = 0; i < steps; i++)
        *loss = ib_bench_gan_step(b);
    return IB_OK;
}

static void one_gradient(struct ib_bench_net *b)
{
    struct ib_forward f = {
        .n = IB_BENCH_ATTACK, .from = b->input, .to = b->logits};
    size_t k = ib_shape_size(ib_graph_shape(ib_net_graph(b->net), b->logits));
    ib_real *dy;

    ib_net_forward(b->net, &f);
    dy = ib_net_gradient(b->net, b->logits);
    for (size_t i = 0; i < IB_BENCH_ATTACK * k; i++)
        dy[i] = 1;
    ib_net_backward(b->net, &f, IB_WRT_INPUT);
}

void ib_bench_gradient(struct ib_bench_net *b, int steps, double *seconds)
{
    int threads = threads_of(b->pool);
    double step[IB_BENCH_STEPS];

    ib_bench_input(b, ib_net_value(b->net, b->input), IB_BENCH_ATTACK);
    one_gradient(b);
    for (int i = 0; i < steps; i++) {
        double begin = ib_bench_now(threads);
        one_gradient(b);
        step[i] = ib_bench_now(threads) - begin;
    }
    *seconds = ib_bench_median(step, steps);
}

/* --- a layer by itself ------------------------------------------------------
 */

struct single {
    struct ib_net *net;
    ib_node in, out;
    int threads;
};

static ib_node add_layer(struct ib_graph *g, ib_node in,
                         const struct ib_bench_layer *l)
{
    struct ib_bench_net notes = {.name = "layer"};
    struct ib_bench_building x = {.g = g, .b = &notes, .input = in};

    if (l->op == IB_BENCH_CONV)
        return ib_bench_conv(&x, in, l->conv);
    if (l->op == IB_BENCH_DECONV)
        return ib_bench_deconv(&x, in, l->conv);
    return ib_bench_dense(&x, in, l->conv.channels);
}

static enum ib_status open_single(struct single *x,
                                  const struct ib_bench_layer *l,
                                  struct ib_pool *pool, struct ib_error *err)
{
    struct ib_graph *g = ib_graph_create();
    struct ib_rng rng = ib_rng_stream(1, "bench", -1, "layer");
    enum ib_status s;

    if (!g)
        return ib_error_set(err, IB_E_NOMEM, "bench: no memory for a layer");
    x->in = ib_graph_input(g, l->in, "in");
    x->out = add_layer(g, x->in, l);
    s = ib_net_create(&x->net, g, IB_BENCH_BATCH, err);
    if (!s)
        s = ib_net_use_pool(x->net, pool, err);
    if (s)
        return s;
    ib_net_init(x->net, &rng);
    ib_rng_fill_uniform(&rng, ib_net_value(x->net, x->in),
                        IB_BENCH_BATCH * ib_shape_size(l->in));
    ib_rng_fill_uniform(&rng, ib_net_gradient(x->net, x->out),
                        IB_BENCH_BATCH * ib_shape_size(l->out));
    x->threads = threads_of(pool);
    return IB_OK;
}

static void run_pass(struct single *x, enum ib_bench_pass pass)
{
    struct ib_forward f = {.n = IB_BENCH_BATCH, .from = x->in, .to = x->out};

    if (pass == IB_BENCH_FORWARD)
        ib_net_forward(x->net, &f);
    else if (pass == IB_BENCH_INPUT)
        ib_net_backward(x->net, &f, IB_WRT_INPUT);
    else
        ib_net_backward(x->net, &f, IB_WRT_PARAMETERS | IB_WRT_OVERWRITE);
}

/* As often as takes `least` seconds; the median. */
static double time_pass(struct single *x, enum ib_bench_pass pass, double least)
{
    double t[IB_BENCH_STEPS], sum = 0;
    int n = 0;

    run_pass(x, pass);
    while (n < IB_BENCH_STEPS && (sum < least || n < 2)) {
        double begin = ib_bench_now(x->threads);
        run_pass(x, pass);
        t[n] = ib_bench_now(x->threads) - begin;
        sum += t[n++];
    }
    return ib_bench_median(t, n);
}

enum ib_status ib_bench_layer(const struct ib_bench_layer *l,
                              struct ib_pool *pool, double least,
                              double seconds[IB_BENCH_PASSES],
                              struct ib_error *err)
{
    struct single x = {0};
    enum ib_status s = open_single(&x, l, pool, err);

    for (int i = 0; i < IB_BENCH_PASSES && !s; i++)
        seconds[i] = time_pass(&x, (enum ib_bench_pass)i, least);
    ib_net_free(x.net);
    return s;
}
