/*
 * Convolution layers of common nets: forward pass, input gradient and weight
 * gradient, each in GFLOP/s, as a share of this machine's own sgemm rate, and
 * as a share of the roofline (the lower of that rate and memory bandwidth times
 * flops a byte of the images read and written). As in a run of a net: BATCH
 * rows, block by block, where a block's rows have just been touched by the op
 * before; weights are packed once. One thread, CPU time; every round measures
 * sgemm and bandwidth anew; medians of the rounds' ratios.
 */
#include "net.h"

#include <invbench/math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BATCH = 64, ROUNDS = 9, COPY = 1 << 23 };

struct layer {
    const char *name;
    struct ib_shape in;
    int channels, kernel, stride, pad;
    bool transposed;
};

static const struct layer layers[] = {
    {"cnn32 first", {1, 32, 32}, 32, 3, 1, 1, false},
    {"cnn32 second", {32, 16, 16}, 64, 3, 1, 1, false},
    {"cnn64 first", {1, 64, 64}, 32, 3, 1, 1, false},
    {"cnn64 second", {32, 32, 32}, 64, 3, 1, 1, false},
    {"lenet first", {1, 28, 28}, 6, 5, 1, 2, false},
    {"lenet second", {6, 14, 14}, 16, 5, 1, 0, false},
    {"resnet first", {3, 32, 32}, 16, 3, 1, 1, false},
    {"resnet 16", {16, 32, 32}, 16, 3, 1, 1, false},
    {"resnet 16-32", {16, 32, 32}, 32, 3, 2, 1, false},
    {"resnet 16-32 1x1", {16, 32, 32}, 32, 1, 2, 0, false},
    {"resnet 32", {32, 16, 16}, 32, 3, 1, 1, false},
    {"resnet 32-64", {32, 16, 16}, 64, 3, 2, 1, false},
    {"resnet 64", {64, 8, 8}, 64, 3, 1, 1, false},
    {"resnet 128", {128, 4, 4}, 128, 3, 1, 1, false},
    {"vgg first", {3, 64, 64}, 64, 3, 1, 1, false},
    {"vgg 64", {64, 32, 32}, 64, 3, 1, 1, false},
    {"1x1 64-256", {64, 16, 16}, 256, 1, 1, 0, false},
    {"dcgan D first", {3, 64, 64}, 64, 4, 2, 1, false},
    {"dcgan D 64-128", {64, 32, 32}, 128, 4, 2, 1, false},
    {"dcgan D 128-256", {128, 16, 16}, 256, 4, 2, 1, false},
    {"dcgan D 256-512", {256, 8, 8}, 512, 4, 2, 1, false},
    {"dcgan D last", {512, 4, 4}, 1, 4, 1, 0, false},
    {"dcgan G first", {128, 1, 1}, 512, 4, 1, 0, true},
    {"dcgan G 512-256", {512, 4, 4}, 256, 4, 2, 1, true},
    {"dcgan G 256-128", {256, 8, 8}, 128, 4, 2, 1, true},
    {"dcgan G 128-64", {128, 16, 16}, 64, 4, 2, 1, true},
    {"dcgan G last", {64, 32, 32}, 3, 4, 2, 1, true},
    {"decoder last", {64, 64, 64}, 3, 3, 1, 1, false},
};

enum { FORWARD, INPUT, WEIGHTS, PASSES };

struct result {
    double rate[PASSES][ROUNDS], share[PASSES][ROUNDS], roof[PASSES][ROUNDS];
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *x)
{
    qsort(x, ROUNDS, sizeof *x, ascending);
    return x[ROUNDS / 2];
}

/* Flops a second of one large product. */
static double sgemm_rate(float *m)
{
    enum { N = 512 };
    struct ib_gemm g = {
        .m = N, .n = N, .k = N, .alpha = 1, .lda = N, .ldb = N, .ldc = N};
    double best = 1;
    for (int i = 0; i < 3; i++) {
        double start = now();
        ib_sgemm(m, m + N * N, m + 2 * N * N, &g);
        double t = now() - start;
        best = t < best ? t : best;
    }
    return 2.0 * N * N * N / best;
}

/* Bytes a second, read and written, of a large copy. */
static double bandwidth(float *m)
{
    double start = now();
    memcpy(m, m + COPY, COPY * sizeof *m);
    return 2.0 * COPY * sizeof *m / (now() - start);
}

/* One layer, and what a block of it works on. */
struct bench {
    struct ib_net *net;
    struct ib_op_run run;
    const struct ib_op *op;
};

static ib_real *numbers(struct ib_rng *rng, size_t n)
{
    ib_real *x = aligned_alloc(64, (n * sizeof *x + 127) / 64 * 64);
    if (!x)
        exit(1);
    ib_rng_fill_normal(rng, x, n, 1);
    return x;
}

static struct ib_net *build(const struct layer *l, ib_node *y)
{
    struct ib_error err;
    struct ib_net *net;
    struct ib_graph *g = ib_graph_create();
    ib_node x = ib_graph_input(g, l->in, "x");
    struct ib_conv c = {l->channels, l->kernel, l->stride, l->pad};
    struct ib_deconv d = {l->channels, l->kernel, l->stride, l->pad};
    *y = l->transposed ? ib_graph_deconv2d(g, x, d, "y")
                       : ib_graph_conv2d(g, x, c, "y");
    if (ib_net_create(&net, g, 1, &err) == IB_OK)
        return net;
    fprintf(stderr, "bench_conv: %s\n", err.text);
    exit(1);
}

static void set_up(struct bench *b, const struct layer *l)
{
    ib_node y;
    b->net = build(l, &y);
    const struct ib_graph_node *node = &ib_net_graph(b->net)->node[y];
    struct ib_rng rng = ib_rng_stream(1, "bench", 0, "conv");
    size_t in = ib_shape_size(l->in), out = ib_shape_size(node->shape);
    size_t n = (size_t)ib_block_rows((in + out) * sizeof(ib_real));
    n = n < BATCH ? n : BATCH;
    b->op = ib_ops[node->op];
    b->run = (struct ib_op_run){.node = node,
                                .n = n,
                                .in = {l->in},
                                .x = {numbers(&rng, n * in)},
                                .y = numbers(&rng, n * out),
                                .dy = numbers(&rng, n * out),
                                .w = numbers(&rng, node->weights)};
    struct ib_op_run *r = &b->run;
    r->b = numbers(&rng, node->biases);
    r->dw = numbers(&rng, node->weights);
    r->db = numbers(&rng, node->biases);
    r->dx[0] = numbers(&rng, n * in);
    r->keep = 1;
    r->shared = numbers(&rng, b->op->shared(node, &l->in));
    r->scratch = numbers(&rng, b->op->scratch(node, &l->in, n));
}

static void tear_down(struct bench *b)
{
    struct ib_op_run *r = &b->run;
    void *all[] = {(void *)r->x[0], r->y,      (void *)r->dy, (void *)r->w,
                   (void *)r->b,    r->dw,     r->db,         r->dx[0],
                   r->shared,       r->scratch};
    for (size_t i = 0; i < IB_COUNT(all); i++)
        free(all[i]);
    ib_net_free(b->net);
}

/* Seconds of the fastest of a few runs of one pass over BATCH rows. */
static double pass_time(const struct bench *b, int pass)
{
    struct ib_op_run r = b->run;
    double best = 1e9;
    if (pass != WEIGHTS)
        r.dw = r.db = NULL;
    if (pass != INPUT)
        r.dx[0] = NULL;
    for (int i = 0; i < 3; i++) {
        double start = now();
        if (pass == FORWARD)
            b->op->prepare(&r);
        else
            b->op->prepare_backward(&r);
        for (size_t at = 0; at < BATCH; at += r.n)
            if (pass == FORWARD)
                b->op->forward(&r);
            else
                b->op->backward(&r);
        double t = now() - start;
        best = t < best ? t : best;
    }
    return best;
}

static void measure(const struct layer *l, float *m)
{
    struct result r;
    struct bench b;
    set_up(&b, l);
    struct ib_shape out = b.run.node->shape;
    size_t rows = (BATCH + b.run.n - 1) / b.run.n * b.run.n;
    struct ib_shape small = l->transposed ? l->in : out;
    double in = (double)ib_shape_size(l->in), o = (double)ib_shape_size(out);
    double flops = 2.0 * l->kernel * l->kernel * l->in.c * l->channels *
                   small.h * small.w * (double)rows;
    double bytes = 4 * (in + o) * (double)rows;
    for (int i = 0; i < ROUNDS; i++) {
        double peak = sgemm_rate(m), memory = bandwidth(m) * flops / bytes;
        double roof = memory < peak ? memory : peak;
        for (int p = 0; p < PASSES; p++) {
            r.rate[p][i] = flops / pass_time(&b, p);
            r.share[p][i] = r.rate[p][i] / peak;
            r.roof[p][i] = r.rate[p][i] / roof;
        }
    }
    printf("%-16s", l->name);
    for (int p = 0; p < PASSES; p++)
        printf("  %6.1f %3.0f %% %4.0f %%", 1e-9 * median(r.rate[p]),
               100 * median(r.share[p]), 100 * median(r.roof[p]));
    printf("\n");
    tear_down(&b);
}

int main(int argc, char **argv)
{
    float *m = calloc(2 * COPY, sizeof *m);
    if (!m)
        return 1;
    for (int i = 0; i < 2 * COPY; i++)
        m[i] = (float)(i % 7);
    printf("%-16s  %-19s  %-19s  %-19s\n%-16s", "", "forward", "input gradient",
           "weight gradient", "layer");
    for (int p = 0; p < PASSES; p++)
        printf("  GFLOP/s sgemm roof");
    printf("\n");
    for (size_t i = 0; i < IB_COUNT(layers); i++)
        if (argc < 2 || strstr(layers[i].name, argv[1]))
            measure(&layers[i], m);
    free(m);
    return 0;
}
