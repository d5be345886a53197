/* invbench bench: how fast the engine is here, and how fast it could be. */
#include "bench_show.h"
#include "cli.h"

enum { EXIT_INTERRUPTED = 130 };

static void progress(void *ctx, int round, int rounds)
{
    const struct ib_console *console = ctx;

    ib_console_note(console, "%sround %d of %d%s",
                    console->note_tty ? "\r" : "", round + 1, rounds,
                    console->note_tty && round + 1 < rounds ? "" : "\n");
}

static enum ib_status read_options(const struct ib_command_env *env,
                                   const struct ib_args *args,
                                   struct ib_bench_options *o,
                                   struct ib_error *err)
{
    int64_t threads = 1, rounds = ib_args_has(args, "quick") ? 3 : 7;
    enum ib_status s =
        ib_args_int(args, "threads", 1, IB_THREADS_MAX, &threads, err);

    if (!s)
        s = ib_args_int(args, "rounds", 1, IB_BENCH_ROUNDS_MAX, &rounds, err);
    *o = (struct ib_bench_options){.threads = (int)threads,
                                   .rounds = (int)rounds,
                                   .quick = ib_args_has(args, "quick"),
                                   .nets = ib_args_all(args, "net"),
                                   .stop = env->stop,
                                   .progress = progress,
                                   .ctx = (void *)(uintptr_t)env->console};
    return s;
}

static enum ib_status tell(const struct ib_command_env *env,
                           const struct ib_bench_run *run, bool json,
                           struct ib_error *err)
{
    const char *numerics = ib_numerics(env->registry);
    struct ib_text text = {0};
    enum ib_status s;

    if (json) {
        cJSON *o = ib_bench_json(run, numerics);

        s = o ? ib_json_pretty(o, &text, err)
              : ib_error_set(err, IB_E_NOMEM, "no memory");
        ib_text_add(&text, "\n");
        cJSON_Delete(o);
    } else {
        s = ib_bench_show(run, numerics, env->console, &text, err);
    }
    if (!s)
        s = ib_text_status(&text, err);
    if (!s)
        env->console->out(ib_text_string(&text), text.size);
    ib_text_free(&text);
    return s;
}

static int bench(const struct ib_command_env *env, const struct ib_args *args,
                 struct ib_error *err)
{
    struct ib_bench_options options;
    struct ib_bench_run run = {0};
    enum ib_status s = read_options(env, args, &options, err);
    int rounds;

    if (!s)
        s = ib_bench_run(&run, &options, err);
    rounds = run.rounds;
    if (!s && rounds)
        s = tell(env, &run, ib_args_has(args, "json"), err);
    ib_bench_run_free(&run);
    if (s)
        return s == IB_E_USAGE ? IB_EXIT_USAGE : IB_EXIT_ERROR;
    return rounds == options.rounds ? IB_EXIT_OK : EXIT_INTERRUPTED;
}

static const struct ib_flag flags[] = {
    {"threads", "N", "threads of the engine (default 1)", false},
    {"rounds", "N", "rounds of which medians are taken (default 7; 3 if quick)",
     false},
    {"quick", NULL, "shorter measurements, less exact", false},
    {"net", "NAME", "this net alone: cnn32, cnn64, mlp, softmax, resnet, dcgan",
     true},
    {0},
};

const struct ib_command ib_cmd_bench = {
    .name = "bench",
    .synopsis = "[--threads N] [--quick] [--net NAME]",
    .summary = "measure the numeric engine on this machine",
    .details =
        "Measures sgemm and the bandwidth of memory; for each of a few nets "
        "how fast it trains\nand gives gradients of its input, and what share "
        "of that the matrix products alone\nwould take; and each of their "
        "layers by itself against the roofline. All figures are\nmedians over "
        "rounds that take turns, so that a slow spell of the machine meets "
        "them\nall.\n\n"
        "`make bench` compares with PyTorch, where it is installed.\n\n"
        "  invbench bench\n"
        "  invbench bench --quick --net cnn32\n"
        "  invbench bench --threads 2 --json\n",
    .flags = flags,
    .run = bench,
};
