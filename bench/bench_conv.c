/*
 * Convolution layers of common nets: forward pass, input gradient and weight
 * gradient, each in GFLOP/s, as a share of this machine's own sgemm rate, and
 * as a share of the roofline (the lower of that rate and memory bandwidth times
 * flops a byte of the images read and written). One thread, CPU time; every
 * round measures sgemm and bandwidth anew; medians of the rounds' ratios.
 */
#include <invbench/math.h>
#include <invbench/ops.h>
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
    if (ib_net_create(&net, g, BATCH, &err) != IB_OK) {
        fprintf(stderr, "bench_conv: %s\n", err.text);
        exit(1);
    }
    struct ib_rng rng = ib_rng_stream(1, "bench", 0, "conv");
    ib_net_init(net, &rng);
    ib_rng_fill_normal(&rng, ib_net_value(net, x), BATCH * ib_shape_size(l->in),
                       1);
    ib_rng_fill_normal(&rng, ib_net_gradient(net, *y),
                       BATCH * ib_shape_size(ib_graph_shape(g, *y)), 1);
    return net;
}

/* Seconds of the fastest of a few runs of one pass. */
static double pass_time(struct ib_net *net, ib_node y, int pass)
{
    struct ib_forward f = {.n = BATCH, .from = 0, .to = y};
    double best = 1e9;
    for (int i = 0; i < 3; i++) {
        double start = now();
        if (pass == FORWARD)
            ib_net_forward(net, &f);
        else
            ib_net_backward(net, &f,
                            pass == INPUT
                                ? IB_WRT_INPUT
                                : IB_WRT_PARAMETERS | IB_WRT_OVERWRITE);
        double t = now() - start;
        best = t < best ? t : best;
    }
    return best;
}

static void measure(const struct layer *l, float *m)
{
    struct result r;
    ib_node y;
    struct ib_net *net = build(l, &y);
    struct ib_shape out = ib_graph_shape(ib_net_graph(net), y);
    struct ib_shape small = l->transposed ? l->in : out;
    double in = (double)ib_shape_size(l->in), o = (double)ib_shape_size(out);
    double flops = 2.0 * l->kernel * l->kernel * l->in.c * l->channels *
                   small.h * small.w * BATCH;
    double bytes = 4 * (in + o) * BATCH;
    for (int i = 0; i < ROUNDS; i++) {
        double peak = sgemm_rate(m), memory = bandwidth(m) * flops / bytes;
        double roof = memory < peak ? memory : peak;
        for (int p = 0; p < PASSES; p++) {
            r.rate[p][i] = flops / pass_time(net, y, p);
            r.share[p][i] = r.rate[p][i] / peak;
            r.roof[p][i] = r.rate[p][i] / roof;
        }
    }
    printf("%-16s", l->name);
    for (int p = 0; p < PASSES; p++)
        printf("  %6.1f %3.0f %% %4.0f %%", 1e-9 * median(r.rate[p]),
               100 * median(r.share[p]), 100 * median(r.roof[p]));
    printf("\n");
    ib_net_free(net);
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
