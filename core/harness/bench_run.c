/* Rounds over everything: a slow spell of the machine meets all figures. */
#include "bench.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* How long a measurement is to take at least; steps from the first round. */
static double least_seconds(const struct ib_bench_run *run)
{
    return run->options.quick ? 0.005 : 0.03;
}

static int steps_for(const struct ib_bench_run *run, double seconds)
{
    double n = ceil(least_seconds(run) / seconds);

    return n < 2 ? 2 : n > IB_BENCH_STEPS ? IB_BENCH_STEPS : (int)n;
}

/* --- one round --------------------------------------------------------------
 */

static void note_row(struct ib_bench_row *row, int round, double seconds,
                     double flops, double peak)
{
    row->seconds.n[round] = seconds;
    row->share.n[round] = flops / seconds / peak;
}

static enum ib_status measure_net(struct ib_bench_run *run,
                                  struct ib_bench_of_net *of, int round,
                                  double peak, struct ib_error *err)
{
    struct ib_bench_row *t = &of->row[IB_BENCH_TRAINING];
    struct ib_bench_row *g = &of->row[IB_BENCH_GRADIENT];
    double seconds;
    int before = round > 0 ? round - 1 : 0;
    int steps = round ? steps_for(run, t->seconds.n[before]) : 2;
    enum ib_status s = ib_bench_train(of->net, steps, &seconds, err);

    if (s)
        return s;
    note_row(t, round, seconds, of->net->train_flops, peak);
    steps = round ? steps_for(run, g->seconds.n[before]) : 2;
    ib_bench_gradient(of->net, steps, &seconds);
    note_row(g, round, seconds, of->net->gradient_flops, peak);
    return IB_OK;
}

static void note_layer(struct ib_bench_layer_row *r, int round,
                       const double seconds[IB_BENCH_PASSES],
                       const struct ib_bench_rates *rates)
{
    double flops = IB_BENCH_BATCH * ib_bench_layer_flops(r->layer);
    double bytes = ib_bench_layer_bytes(r->layer, IB_BENCH_BATCH);
    double roof = fmin(rates->peak, rates->bandwidth * flops / bytes);
    double all = 0;

    for (int i = 0; i < IB_BENCH_PASSES; i++) {
        r->seconds[i].n[round] = seconds[i];
        r->peak[i].n[round] = flops / seconds[i] / rates->peak;
        r->roof[i].n[round] = flops / seconds[i] / roof;
        all += seconds[i];
    }
    r->peak[IB_BENCH_PASSES].n[round] =
        IB_BENCH_PASSES * flops / all / rates->peak;
    r->roof[IB_BENCH_PASSES].n[round] = IB_BENCH_PASSES * flops / all / roof;
}

static enum ib_status measure_layers(struct ib_bench_run *run,
                                     struct ib_bench_of_net *of, int round,
                                     const struct ib_bench_rates *rates,
                                     struct ib_error *err)
{
    double seconds[IB_BENCH_PASSES];
    enum ib_status s = IB_OK;

    for (int i = 0; i < of->net->n_layers && !s; i++) {
        s = ib_bench_layer(of->layer[i].layer, run->pool, least_seconds(run),
                           seconds, err);
        if (!s)
            note_layer(&of->layer[i], round, seconds, rates);
    }
    return s;
}

static bool stopped(const struct ib_bench_run *run)
{
    return run->options.stop && *run->options.stop;
}

static enum ib_status measure_round(struct ib_bench_run *run, int round,
                                    struct ib_error *err)
{
    struct ib_bench_rates rates;
    enum ib_status s = ib_bench_machine_sample(run->machine, &rates, err);

    if (s)
        return s;
    for (int i = 0; i < IB_BENCH_SIZES; i++)
        run->gemm[i].n[round] = rates.gemm[i];
    run->peak.n[round] = rates.peak;
    run->bandwidth.n[round] = rates.bandwidth;
    for (int i = 0; i < run->n_nets && !s && !stopped(run); i++) {
        s = measure_net(run, &run->of[i], round, rates.peak, err);
        if (!s)
            s = measure_layers(run, &run->of[i], round, &rates, err);
    }
    return s;
}

/* --- the whole ---------------------------------------------------------------
 */

static enum ib_status open_nets(struct ib_bench_run *run, struct ib_error *err)
{
    const char *const *name = run->options.nets;
    enum ib_status s = IB_OK;

    if (!name || !*name)
        name = ib_bench_nets;
    run->of = calloc(IB_BENCH_NETS_MAX, sizeof(*run->of));
    if (!run->of)
        return ib_error_set(err, IB_E_NOMEM, "bench: no memory");
    for (; *name && !s; name++) {
        struct ib_bench_of_net *of = &run->of[run->n_nets];

        if (run->n_nets == IB_BENCH_NETS_MAX)
            return ib_error_set(err, IB_E_USAGE, "--net: at most %d nets",
                                IB_BENCH_NETS_MAX);
        s = ib_bench_net_create(&of->net, *name, run->pool, err);
        if (s)
            return s;
        run->n_nets++;
        for (int i = 0; i < of->net->n_layers; i++) {
            struct ib_bench_layer_row *r = &of->layer[i];

            r->layer = &of->net->layer[i];
            r->wide = r->layer->in.c >= 16;
            r->target = r->wide ? 0.75 : 0.6;
        }
    }
    return s;
}

static void settle(struct ib_bench_figure *f, int rounds)
{
    f->median = rounds ? ib_bench_median(f->n, rounds) : NAN;
}

static void settle_all(struct ib_bench_run *run)
{
    int n = run->rounds;

    for (int i = 0; i < IB_BENCH_SIZES; i++)
        settle(&run->gemm[i], n);
    settle(&run->peak, n);
    settle(&run->bandwidth, n);
    for (int i = 0; i < run->n_nets; i++) {
        struct ib_bench_of_net *of = &run->of[i];

        for (int k = 0; k < IB_BENCH_WHATS; k++) {
            settle(&of->row[k].seconds, n);
            settle(&of->row[k].share, n);
        }
        for (int l = 0; l < of->net->n_layers; l++)
            for (int k = 0; k <= IB_BENCH_PASSES; k++) {
                if (k < IB_BENCH_PASSES)
                    settle(&of->layer[l].seconds[k], n);
                settle(&of->layer[l].peak[k], n);
                settle(&of->layer[l].roof[k], n);
            }
    }
}

enum ib_status ib_bench_run(struct ib_bench_run *run,
                            const struct ib_bench_options *options,
                            struct ib_error *err)
{
    enum ib_status s;

    *run = (struct ib_bench_run){.options = *options};
    s = ib_pool_create(&run->pool, options->threads, err);
    if (!s)
        s = ib_bench_machine_create(&run->machine, options->threads,
                                    options->quick, err);
    if (!s)
        s = open_nets(run, err);
    for (int i = 0; i < options->rounds && !s; i++) {
        if (options->progress)
            options->progress(options->ctx, i, options->rounds);
        s = measure_round(run, i, err);
        if (stopped(run))
            break;
        run->rounds = i + 1;
    }
    if (!s)
        settle_all(run);
    return s;
}

void ib_bench_run_free(struct ib_bench_run *run)
{
    for (int i = 0; i < run->n_nets; i++)
        ib_bench_net_free(run->of[i].net);
    free(run->of);
    ib_bench_machine_free(run->machine);
    ib_pool_free(run->pool);
    *run = (struct ib_bench_run){0};
}

double ib_bench_reached(const struct ib_bench_layer_row *r)
{
    return (r->wide ? r->peak : r->roof)[IB_BENCH_PASSES].median;
}
