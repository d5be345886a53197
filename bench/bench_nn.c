/*
 * How fast the engine trains and gives input gradients, on four nets: samples
 * a second (batch 64, SGD with momentum) and milliseconds (batch 40), with the
 * share of this machine's own sgemm rate that the products alone would allow.
 * CPU time, median of rounds.
 */
#include <invbench/math.h>
#include <invbench/trainer.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { BATCH = 64, ATTACK = 40, CLASSES = 40, ROUNDS = 5 };

struct net {
    const char *name;
    struct ib_shape shape;
    bool conv;
    int hidden; /* 0: none */
};

struct bench {
    struct ib_net *net;
    ib_node input, logits;
    double flops; /* multiply-adds of one row, times 2, forward */
    double first; /* of these, the first layer's: no input gradient there */
};

static const struct net nets[] = {
    {"cnn32", {1, 32, 32}, true, 128},
    {"cnn64", {1, 64, 64}, true, 128},
    {"mlp", {1, 112, 92}, false, 3000},
    {"softmax", {1, 112, 92}, false, 0},
};

static void need(enum ib_status s, const struct ib_error *err)
{
    if (s == IB_OK)
        return;
    fprintf(stderr, "bench_nn: %s\n", err->text);
    exit(1);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *x, int n)
{
    qsort(x, (size_t)n, sizeof *x, ascending);
    return x[n / 2];
}

static ib_node convolutions(struct ib_graph *g, ib_node x, double *flops)
{
    for (int c = 32; c <= 64; c *= 2) {
        struct ib_shape in = ib_graph_shape(g, x);
        *flops += 18.0 * c * (double)ib_shape_size(in);
        struct ib_conv conv = {.channels = c, .kernel = 3, .pad = 1};
        x = ib_graph_relu(g, ib_graph_conv2d(g, x, conv, NULL));
        x = ib_graph_maxpool(g, x, 2, 2);
    }
    return x;
}

static ib_node dense(struct ib_graph *g, ib_node x, int units, double *flops)
{
    *flops += 2.0 * units * (double)ib_shape_size(ib_graph_shape(g, x));
    return ib_graph_dense(g, x, units, NULL);
}

static struct bench build(const struct net *n)
{
    struct bench b = {0};
    struct ib_error err;
    struct ib_graph *g = ib_graph_create();
    b.input = ib_graph_input(g, n->shape, "image");
    ib_node x = n->conv ? convolutions(g, b.input, &b.flops) : b.input;
    if (n->hidden > 0) {
        x = dense(g, x, n->hidden, &b.flops);
        x = n->conv ? ib_graph_relu(g, x) : ib_graph_sigmoid(g, x);
    }
    b.logits = dense(g, x, CLASSES, &b.flops);
    b.first = n->conv ? 576.0 * (double)ib_shape_size(n->shape)
                      : 2.0 * (n->hidden > 0 ? n->hidden : CLASSES) *
                            (double)ib_shape_size(n->shape);
    need(ib_net_create(&b.net, g, BATCH, &err), &err);
    return b;
}

/* Seconds of training on n images. */
static double train(struct bench *b, const struct ib_images *images)
{
    struct ib_error err;
    struct ib_training t = {
        .net = b->net,
        .input = b->input,
        .logits = b->logits,
        .data = images,
        .classes = CLASSES,
        .options = {.epochs = 1, .batch = BATCH, .rate = 1e-3, .momentum = .9},
        .role = "bench"};
    double start = now();
    need(ib_train(&t, &err), &err);
    return now() - start;
}

static double input_gradient(struct bench *b)
{
    struct ib_forward f = {.n = ATTACK, .from = b->input, .to = b->logits};
    double start = now();
    ib_net_forward(b->net, &f);
    for (int i = 0; i < ATTACK * CLASSES; i++)
        ib_net_gradient(b->net, b->logits)[i] = 1;
    ib_net_backward(b->net, &f, IB_WRT_INPUT);
    return now() - start;
}

/* Flops a second of one large product: what the machine gives at best. */
static double sgemm_rate(void)
{
    enum { N = 768 };
    float *m = calloc(3 * N * N, sizeof *m);
    struct ib_gemm g = {
        .m = N, .n = N, .k = N, .alpha = 1, .lda = N, .ldb = N, .ldc = N};
    double t[ROUNDS];
    if (!m)
        exit(1);
    for (int i = 0; i < ROUNDS; i++) {
        double start = now();
        ib_sgemm(m, m + N * N, m + 2 * N * N, &g);
        t[i] = now() - start;
    }
    free(m);
    return 2.0 * N * N * N / median(t, ROUNDS);
}

static void measure(const struct net *n, double peak)
{
    size_t d = ib_shape_size(n->shape), count = n->hidden == 3000 ? 128 : 512;
    uint8_t *pixels = calloc(count, d);
    int32_t *label = calloc(count, sizeof *label);
    if (!pixels || !label)
        exit(1);
    for (size_t i = 0; i < count * d; i++)
        pixels[i] = (uint8_t)(i * 2654435761u >> 24);
    struct ib_images images = {n->shape, count, pixels, label};
    struct bench b = build(n);
    double t[ROUNDS], g[ROUNDS];
    (void)train(&b, &images);
    (void)input_gradient(&b);
    for (int i = 0; i < ROUNDS; i++) {
        t[i] = train(&b, &images) / (double)count;
        g[i] = input_gradient(&b);
    }
    double step = median(t, ROUNDS), gradient = median(g, ROUNDS);
    printf("%-8s training %8.0f samples/s (%3.0f %% of sgemm)   input gradient "
           "%6.2f ms (%3.0f %%)\n",
           n->name, 1 / step, 100 * (3 * b.flops - b.first) / step / peak,
           1e3 * gradient, 200 * b.flops * ATTACK / gradient / peak);
    ib_net_free(b.net);
    free(pixels);
    free(label);
}

int main(void)
{
    struct bench first = build(&nets[3]); /* makes BLAS single-threaded */
    double peak = sgemm_rate();
    ib_net_free(first.net);
    printf("sgemm %.1f GFLOP/s\n", peak * 1e-9);
    for (size_t i = 0; i < IB_COUNT(nets); i++)
        measure(&nets[i], peak);
    return 0;
}
