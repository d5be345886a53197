/* The tables of `invbench bench`, and the same as JSON. */
#include "bench_show.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "json_put.h"
#include "table.h"

static const char *const what_names[IB_BENCH_WHATS] = {
    [IB_BENCH_TRAINING] = "training", [IB_BENCH_GRADIENT] = "input gradient"};
static const char *const pass_names[IB_BENCH_PASSES] = {
    [IB_BENCH_FORWARD] = "forward",
    [IB_BENCH_INPUT] = "input_gradient",
    [IB_BENCH_WEIGHT] = "weight_gradient"};

static const char *clock_name(const struct ib_bench_run *run)
{
    return run->options.threads == 1 ? "cpu" : "wall";
}

static void layer_name(const struct ib_bench_layer *l, char *out, size_t n)
{
    struct ib_shape a = l->in, b = l->out;

    if (l->op == IB_BENCH_DENSE)
        snprintf(out, n, "dense %d > %d", a.c, b.c);
    else
        snprintf(out, n, "%s%d %dx%dx%d > %dx%dx%d", ib_bench_op_names[l->op],
                 l->conv.kernel, a.c, a.h, a.w, b.c, b.h, b.w);
}

/* --- text -------------------------------------------------------------------
 */

static void show_machine(const struct ib_bench_run *run, const char *numerics,
                         struct ib_text *out)
{
    ib_text_add(out, "%s\n%d thread%s, median of %d round%s, %s time\n",
                numerics, run->options.threads,
                run->options.threads == 1 ? "" : "s", run->rounds,
                run->rounds == 1 ? "" : "s",
                run->options.threads == 1 ? "CPU" : "wall-clock");
    ib_text_add(out, "sgemm peak %.1f GFLOP/s (", run->peak.median * 1e-9);
    for (int i = 0, n = 0; i < IB_BENCH_SIZES; i++)
        if (isfinite(run->gemm[i].median))
            ib_text_add(out, "%sn = %d: %.1f", n++ ? ", " : "",
                        ib_bench_sizes[i], run->gemm[i].median * 1e-9);
    ib_text_add(out, "), memory %.1f GB/s (triad)\n\n",
                run->bandwidth.median * 1e-9);
}

static enum ib_status finish(struct ib_table *t, int width, bool color,
                             struct ib_text *out, struct ib_error *err)
{
    enum ib_status s = ib_table_status(t, err);

    if (!s)
        ib_table_text(t, width, color, out);
    ib_table_free(t);
    ib_text_add(out, "\n");
    return s;
}

static enum ib_status show_rows(const struct ib_bench_run *run, int width,
                                bool color, struct ib_text *out,
                                struct ib_error *err)
{
    static const struct ib_table_column columns[] = {
        {"net", false, 0},         {"training", true, 0},
        {"of its bound", true, 0}, {"input gradient", true, 0},
        {"of its bound", true, 0}, {"layers", false, 20}};
    struct ib_table *t = ib_table_create(columns, IB_COUNT(columns));

    if (!t)
        return ib_error_set(err, IB_E_NOMEM, "no memory for a table");
    for (int i = 0; i < run->n_nets; i++) {
        const struct ib_bench_of_net *of = &run->of[i];
        const struct ib_bench_row *r = of->row;

        ib_table_add(t, IB_PLAIN, "%s", of->net->name);
        ib_table_add(t, IB_BOLD, "%.0f samples/s",
                     IB_BENCH_BATCH / r[IB_BENCH_TRAINING].seconds.median);
        ib_table_add(t, IB_PLAIN, "%.0f %%",
                     100 * r[IB_BENCH_TRAINING].share.median);
        ib_table_add(t, IB_BOLD, "%.2f ms",
                     1e3 * r[IB_BENCH_GRADIENT].seconds.median);
        ib_table_add(t, IB_PLAIN, "%.0f %%",
                     100 * r[IB_BENCH_GRADIENT].share.median);
        ib_table_add(t, IB_DIM, "%s", of->net->summary);
    }
    return finish(t, width, color, out, err);
}

static void add_share(struct ib_table *t, double share, bool is_target,
                      bool reached)
{
    enum ib_tint tint = is_target ? (reached ? IB_GREEN : IB_RED) : IB_PLAIN;

    ib_table_add(t, tint, "%.0f %%", 100 * share);
}

static void add_layer(struct ib_table *t, const char *net,
                      const struct ib_bench_layer_row *r)
{
    double flops = IB_BENCH_BATCH * ib_bench_layer_flops(r->layer);
    bool reached = ib_bench_reached(r) >= r->target;
    char name[80];

    layer_name(r->layer, name, sizeof(name));
    ib_table_add(t, IB_PLAIN, "%s", net);
    ib_table_add(t, IB_PLAIN, "%s", name);
    for (int i = 0; i < IB_BENCH_PASSES; i++)
        ib_table_add(t, IB_PLAIN, "%.1f", flops / r->seconds[i].median * 1e-9);
    add_share(t, r->peak[IB_BENCH_PASSES].median, r->wide, reached);
    add_share(t, r->roof[IB_BENCH_PASSES].median, !r->wide, reached);
    ib_table_add(t, reached ? IB_GREEN : IB_RED, "%s",
                 reached ? "ok" : "short");
}

static enum ib_status show_layers(const struct ib_bench_run *run, int width,
                                  bool color, struct ib_text *out,
                                  struct ib_error *err)
{
    static const struct ib_table_column columns[] = {
        {"net", false, 0},  {"layer", false, 24}, {"forward", true, 0},
        {"to in", true, 0}, {"to W", true, 0},    {"sgemm", true, 0},
        {"roof", true, 0},  {"", false, 0}};
    struct ib_table *t = ib_table_create(columns, IB_COUNT(columns));

    if (!t)
        return ib_error_set(err, IB_E_NOMEM, "no memory for a table");
    for (int i = 0; i < run->n_nets; i++)
        for (int l = 0; l < run->of[i].net->n_layers; l++)
            add_layer(t, run->of[i].net->name, &run->of[i].layer[l]);
    return finish(t, width, color, out, err);
}

enum ib_status ib_bench_show(const struct ib_bench_run *run,
                             const char *numerics,
                             const struct ib_console *console,
                             struct ib_text *out, struct ib_error *err)
{
    enum ib_status s;

    show_machine(run, numerics, out);
    s = show_rows(run, console->width, console->color, out, err);
    ib_text_add(out,
                "Training: batches of %d, SGD with momentum. Input gradient: "
                "batches of %d.\nBound: what the matrix products alone would "
                "take at the sgemm peak.\n\nLayers by themselves, batches of "
                "%d, GFLOP/s (forward, gradient of the input, of the\n"
                "weights); then all three together against sgemm and "
                "roofline:\n\n",
                IB_BENCH_BATCH, IB_BENCH_ATTACK, IB_BENCH_BATCH);
    if (!s)
        s = show_layers(run, console->width, console->color, out, err);
    ib_text_add(out, "Targets: 75 %% of sgemm with 16 or more input channels, "
                     "60 %% of the roofline\nelsewhere. Roofline: the lower of "
                     "the sgemm peak and bandwidth x flops / bytes, each\n"
                     "number moved once; over 100 %% where data stay in the "
                     "caches.\n");
    return s ? s : ib_text_status(out, err);
}

/* --- JSON --------------------------------------------------------------------
 */

static void put_figure(bool *ok, cJSON *o, const char *key,
                       const struct ib_bench_figure *f, int rounds)
{
    cJSON *x = ib_put_object(ok, o, key);

    ib_put_number(ok, x, "median", f->median);
    ib_put_number(ok, x, "low", f->n[0]);
    ib_put_number(ok, x, "high", f->n[rounds - 1]);
}

static void put_machine(bool *ok, cJSON *o, const struct ib_bench_run *run)
{
    cJSON *machine = ib_put_object(ok, o, "machine"), *gemm;
    char size[16];

    put_figure(ok, machine, "sgemm_peak_flops", &run->peak, run->rounds);
    put_figure(ok, machine, "bandwidth_bytes", &run->bandwidth, run->rounds);
    gemm = ib_put_object(ok, machine, "sgemm_flops");
    for (int i = 0; i < IB_BENCH_SIZES; i++) {
        if (!isfinite(run->gemm[i].median))
            continue;
        snprintf(size, sizeof(size), "%d", ib_bench_sizes[i]);
        put_figure(ok, gemm, size, &run->gemm[i], run->rounds);
    }
}

static void put_row(bool *ok, cJSON *list, const struct ib_bench_of_net *of,
                    int what, int rounds)
{
    cJSON *o = ib_put_object(ok, list, NULL);
    bool training = what == IB_BENCH_TRAINING;
    int rows = training ? IB_BENCH_BATCH : IB_BENCH_ATTACK;

    ib_put_text(ok, o, "net", of->net->name);
    ib_put_text(ok, o, "what", what_names[what]);
    ib_put_number(ok, o, "rows", rows);
    ib_put_number(ok, o, "flops",
                  training ? of->net->train_flops : of->net->gradient_flops);
    ib_put_number(ok, o, "samples_per_second",
                  rows / of->row[what].seconds.median);
    put_figure(ok, o, "seconds", &of->row[what].seconds, rounds);
    put_figure(ok, o, "share_of_bound", &of->row[what].share, rounds);
}

static void put_shape(bool *ok, cJSON *o, const char *key, struct ib_shape s)
{
    ib_put(ok, o, key, cJSON_CreateIntArray((int[]){s.c, s.h, s.w}, 3));
}

static void put_layer(bool *ok, cJSON *list, const char *net,
                      const struct ib_bench_layer_row *r, int rounds)
{
    cJSON *o = ib_put_object(ok, list, NULL), *pass;

    ib_put_text(ok, o, "net", net);
    ib_put_text(ok, o, "op", ib_bench_op_names[r->layer->op]);
    put_shape(ok, o, "in", r->layer->in);
    put_shape(ok, o, "out", r->layer->out);
    if (r->layer->op != IB_BENCH_DENSE)
        ib_put_number(ok, o, "kernel", r->layer->conv.kernel);
    ib_put_number(ok, o, "count", r->layer->count);
    ib_put_number(ok, o, "rows", IB_BENCH_BATCH);
    ib_put_number(ok, o, "flops",
                  IB_BENCH_BATCH * ib_bench_layer_flops(r->layer));
    ib_put_number(ok, o, "bytes",
                  ib_bench_layer_bytes(r->layer, IB_BENCH_BATCH));
    for (int i = 0; i <= IB_BENCH_PASSES; i++) {
        pass =
            ib_put_object(ok, o, i < IB_BENCH_PASSES ? pass_names[i] : "all");
        if (i < IB_BENCH_PASSES)
            put_figure(ok, pass, "seconds", &r->seconds[i], rounds);
        put_figure(ok, pass, "share_of_sgemm", &r->peak[i], rounds);
        put_figure(ok, pass, "share_of_roofline", &r->roof[i], rounds);
    }
    ib_put_text(ok, o, "target_of", r->wide ? "sgemm" : "roofline");
    ib_put_number(ok, o, "target", r->target);
    ib_put(ok, o, "reached",
           cJSON_CreateBool(ib_bench_reached(r) >= r->target));
}

cJSON *ib_bench_json(const struct ib_bench_run *run, const char *numerics)
{
    bool ok = true;
    cJSON *o = cJSON_CreateObject(), *list;

    ib_put_text(&ok, o, "schema", "invbench.bench/1");
    ib_put_text(&ok, o, "numerics", numerics);
    ib_put_number(&ok, o, "threads", run->options.threads);
    ib_put_number(&ok, o, "rounds", run->rounds);
    ib_put_text(&ok, o, "clock", clock_name(run));
    put_machine(&ok, o, run);
    list = ib_put_array(&ok, o, "rows");
    for (int i = 0; i < run->n_nets; i++)
        for (int k = 0; k < IB_BENCH_WHATS; k++)
            put_row(&ok, list, &run->of[i], k, run->rounds);
    list = ib_put_array(&ok, o, "layers");
    for (int i = 0; i < run->n_nets; i++)
        for (int l = 0; l < run->of[i].net->n_layers; l++)
            put_layer(&ok, list, run->of[i].net->name, &run->of[i].layer[l],
                      run->rounds);
    if (ok)
        return o;
    cJSON_Delete(o);
    return NULL;
}
