/*
 * Measuring the engine on this machine: what `invbench bench` prints and what
 * bench/ compares with PyTorch. Rates are flops or bytes a second.
 *
 * Times are CPU time of the calling thread where there is one thread (what
 * else the machine does hardly moves it), and wall-clock time otherwise.
 */
#ifndef INVBENCH_HARNESS_BENCH_H
#define INVBENCH_HARNESS_BENCH_H

#include <invbench/invbench.h>
#include <invbench/pool.h>

enum {
    IB_BENCH_BATCH = 64,  /* rows of a training step */
    IB_BENCH_ATTACK = 40, /* rows of an input gradient */
    IB_BENCH_CLASSES = 40,
    IB_BENCH_LAYERS = 48,
    IB_BENCH_STEPS = 16, /* at most, of one measurement */
};

double ib_bench_now(int threads);
/* Of n numbers, which are sorted; the mean of the middle two when n is even. */
double ib_bench_median(double *x, int n);

/* --- the machine: bench_machine.c ---------------------------------------- */

enum { IB_BENCH_SIZES = 5 };
extern const int ib_bench_sizes[IB_BENCH_SIZES]; /* sides of the products */

struct ib_bench_machine;
/* quick: one size alone. */
IB_CHECK enum ib_status ib_bench_machine_create(struct ib_bench_machine **out,
                                                int threads, bool quick,
                                                struct ib_error *err);
void ib_bench_machine_free(struct ib_bench_machine *m);
struct ib_bench_rates {
    double gemm[IB_BENCH_SIZES]; /* NaN: not measured */
    double peak;                 /* the best of them */
    double bandwidth;            /* a[i] = b[i] + s c[i], three streams of
                                    arrays far larger than the caches */
};
/* All threads at once. */
IB_CHECK enum ib_status ib_bench_machine_sample(struct ib_bench_machine *m,
                                                struct ib_bench_rates *out,
                                                struct ib_error *err);

/* --- layers and nets: bench_nets.c ---------------------------------------- */

enum ib_bench_op { IB_BENCH_CONV, IB_BENCH_DECONV, IB_BENCH_DENSE };
extern const char *const ib_bench_op_names[];

struct ib_bench_layer {
    enum ib_bench_op op;
    struct ib_shape in, out;
    struct ib_conv conv; /* of deconv too; dense: channels alone */
    int count;           /* how many of the net's layers are like it */
    bool first;          /* it reads the image */
};
/* Of the products of one row, forward; each gradient takes as many. */
double ib_bench_layer_flops(const struct ib_bench_layer *l);
/* Bytes of n rows in, out, and the weights, each moved once. */
double ib_bench_layer_bytes(const struct ib_bench_layer *l, int n);

struct ib_bench_gan; /* bench_gan.c */
/* A classifier; or, where gan is there, a generator: input is then its noise,
 * logits its image, and a training step is one of both its nets. */
struct ib_bench_net {
    const char *name, *summary;
    struct ib_net *net;
    ib_node input, logits;
    struct ib_shape shape; /* of images */
    struct ib_bench_gan *gan;
    struct ib_bench_layer layer[IB_BENCH_LAYERS];
    int n_layers;
    double forward; /* flops of the layers' products, one row */
    double first;   /* of these, those of layers that read the input */
    /* Of the products of one step; what they alone would take is the bound of
     * a row. */
    double train_flops, gradient_flops;
    struct ib_pool *pool; /* NULL: one thread */
    uint8_t *pixels;      /* IB_BENCH_STEPS + 2 batches */
    int32_t *label;
};
extern const char *const ib_bench_nets[]; /* names; NULL ends the list */
/* pool: may be NULL; must outlive the net. */
IB_CHECK enum ib_status ib_bench_net_create(struct ib_bench_net **out,
                                            const char *name,
                                            struct ib_pool *pool,
                                            struct ib_error *err);
void ib_bench_net_free(struct ib_bench_net *b);
/* How many parameters training moves; their initial values, into the net (both
 * nets) and into out (which may be NULL). */
size_t ib_bench_parameters(const struct ib_bench_net *b);
void ib_bench_init(struct ib_bench_net *b, float *out);
/* The rows that gradients are taken at: the first batch, or its noise. */
void ib_bench_input(struct ib_bench_net *b, float *out, int rows);

/* --- measuring: bench_measure.c ------------------------------------------- */

/* Seconds of one training step (classifiers: SGD with momentum 0.9, cross-
 * entropy; GAN: Adam, both nets), of one gradient of the sum of the logits (of
 * the image's values) with respect to the input: the median of `steps` (up to
 * IB_BENCH_STEPS) after one to warm up. */
IB_CHECK enum ib_status ib_bench_train(struct ib_bench_net *b, int steps,
                                       double *seconds, struct ib_error *err);
void ib_bench_gradient(struct ib_bench_net *b, int steps, double *seconds);
/* From the initial parameters on, always on the first batch: the loss before
 * the last of so many steps (GAN: the sum of both nets' losses). */
IB_CHECK enum ib_status ib_bench_loss(struct ib_bench_net *b, int steps,
                                      double *loss, struct ib_error *err);

/* A layer by itself, as a net of its own. */
enum ib_bench_pass {
    IB_BENCH_FORWARD,
    IB_BENCH_INPUT,  /* gradient of the input */
    IB_BENCH_WEIGHT, /* gradient of the weights */
    IB_BENCH_PASSES,
};
IB_CHECK enum ib_status ib_bench_layer(const struct ib_bench_layer *l,
                                       struct ib_pool *pool, double least,
                                       double seconds[IB_BENCH_PASSES],
                                       struct ib_error *err);

/* --- a whole run: bench_run.c, bench_show.c --------------------------------
 */

enum { IB_BENCH_ROUNDS_MAX = 99, IB_BENCH_NETS_MAX = 8 };

struct ib_bench_options {
    int threads, rounds;
    bool quick;
    const char *const *nets; /* names; NULL-terminated; none: all */
    volatile const int *stop;
    void (*progress)(void *ctx, int round, int rounds); /* may be NULL */
    void *ctx;
};

/* Of one figure over the rounds. */
struct ib_bench_figure {
    double n[IB_BENCH_ROUNDS_MAX]; /* sorted at the end */
    double median;
};
enum { IB_BENCH_TRAINING, IB_BENCH_GRADIENT, IB_BENCH_WHATS };

/* share: of what the products alone would take at the round's sgemm peak;
 * target: what a share is to reach. */
struct ib_bench_row {
    struct ib_bench_figure seconds, share;
};
struct ib_bench_layer_row {
    const struct ib_bench_layer *layer;
    struct ib_bench_figure seconds[IB_BENCH_PASSES];
    struct ib_bench_figure peak[IB_BENCH_PASSES + 1]; /* share of sgemm; the
                                                         last: all passes */
    struct ib_bench_figure roof[IB_BENCH_PASSES + 1]; /* of the roofline */
    bool wide;     /* 16 or more input channels: 75 % of sgemm; else 60 % of
                      the roofline */
    double target; /* 0.75, 0.6 */
};
struct ib_bench_of_net {
    struct ib_bench_net *net;
    struct ib_bench_row row[IB_BENCH_WHATS];
    struct ib_bench_layer_row layer[IB_BENCH_LAYERS];
};
struct ib_bench_run {
    struct ib_bench_options options;
    struct ib_bench_machine *machine;
    struct ib_pool *pool;
    struct ib_bench_figure gemm[IB_BENCH_SIZES], peak, bandwidth;
    struct ib_bench_of_net *of; /* n_nets */
    int n_nets, rounds;         /* rounds that were run: fewer after a stop */
};
/* Runs all rounds, or until *options.stop. */
IB_CHECK enum ib_status ib_bench_run(struct ib_bench_run *out,
                                     const struct ib_bench_options *options,
                                     struct ib_error *err);
void ib_bench_run_free(struct ib_bench_run *run);
/* What the target speaks of: the share of sgemm, or of the roofline. */
double ib_bench_reached(const struct ib_bench_layer_row *r);

#endif
