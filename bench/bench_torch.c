/*
 * The engine against PyTorch on the same work, in one run: ours, PyTorch held
 * to the same instruction set, PyTorch as it comes, ours, ... Both sides begin
 * from the same weights; that they do the same is checked before anything is
 * timed. Prints medians, the median ratio of pairs with its quartiles, and what
 * share of the products' bound each side reaches.
 *
 * bench_torch PYTHON SCRIPT THREADS ROUNDS [NET...]; bench/run.sh calls it.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "json.h"

enum { SIDES = 3, ROUNDS_MAX = 99 };
enum { OURS, PINNED, FREE };

/* Rows whose ratio to PyTorch, at the same instruction set, has a target. */
static const struct target {
    const char *net;
    double training, gradient;
} targets[] = {
    {"cnn32", 1.9, 1.7},   {"cnn64", 1.9, 1.7}, {"mlp", 1.1, 0.9},
    {"softmax", 1.6, 1.5}, {"resnet", 1, 1},    {"dcgan", 1, 1},
};

struct child {
    pid_t pid;
    FILE *to, *from;
};

struct bench {
    int threads, rounds;
    char dir[64];
    struct ib_pool *pool;
    struct ib_bench_machine *machine;
    struct child child[SIDES]; /* of PINNED and FREE */
};

struct row {
    struct ib_bench_net *net;
    double seconds[2][SIDES][ROUNDS_MAX], share[2][SIDES][ROUNDS_MAX];
    double ratio[2][SIDES][ROUNDS_MAX];
};

static void die(const char *format, ...) IB_PRINTF(1, 2);

static void die(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fputs("bench_torch: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
}

static void need(enum ib_status s, const struct ib_error *err)
{
    if (s)
        die("%s", err->text);
}

/* --- PyTorch's processes
 * ------------------------------------------------------ */

static void set_environment(const struct bench *b, bool pinned)
{
    char threads[16];

    snprintf(threads, sizeof(threads), "%d", b->threads);
    setenv("OMP_NUM_THREADS", threads, 1);
    setenv("OPENBLAS_NUM_THREADS", threads, 1);
    setenv("MKL_NUM_THREADS", threads, 1);
    unsetenv("OPENBLAS_CORETYPE");
    if (!pinned)
        return;
    setenv("OPENBLAS_CORETYPE", "Haswell", 1);
    setenv("ONEDNN_MAX_CPU_ISA", "AVX2", 1);
    setenv("DNNL_MAX_CPU_ISA", "AVX2", 1);
    setenv("ATEN_CPU_CAPABILITY", "avx2", 1);
    setenv("MKL_ENABLE_INSTRUCTIONS", "AVX2", 1);
}

static struct child start(const struct bench *b, char *const argv[],
                          bool pinned)
{
    struct child c;
    int to[2], from[2];

    if (pipe2(to, O_CLOEXEC) != 0 || pipe2(from, O_CLOEXEC) != 0)
        die("no pipe: %s", strerror(errno));
    c.pid = fork();
    if (c.pid < 0)
        die("no process: %s", strerror(errno));
    if (c.pid == 0) {
        dup2(to[0], 0);
        dup2(from[1], 1);

        set_environment(b, pinned);
        execvp(argv[0], argv);
        _exit(127);
    }
    close(to[0]);
    close(from[1]);
    c.to = fdopen(to[1], "w");
    c.from = fdopen(from[0], "r");
    if (!c.to || !c.from)
        die("no stream");
    return c;
}

static void stop(struct child *c)
{
    fclose(c->to);
    fclose(c->from);
    waitpid(c->pid, NULL, 0);
}

/* Sends a line; the answer as JSON. */
static cJSON *ask(struct child *c, const char *format, ...) IB_PRINTF(2, 3);

static cJSON *ask(struct child *c, const char *format, ...)
{
    char line[1 << 16];
    va_list args;
    cJSON *answer;

    va_start(args, format);
    vfprintf(c->to, format, args);
    va_end(args);
    fputc('\n', c->to);
    fflush(c->to);
    if (!fgets(line, sizeof(line), c->from))
        die("PyTorch's process has ended");
    answer = cJSON_Parse(line);
    if (!answer)
        die("PyTorch's process says: %s", line);
    return answer;
}

static double ask_number(struct child *c, const char *what, const char *net,
                         int steps)
{
    cJSON *o = ask(c, "%s %s %d", what, net, steps);
    double x = o->valuedouble;

    if (!cJSON_IsNumber(o) || !(x > 0))
        die("%s %s: no number", what, net);
    cJSON_Delete(o);
    return x;
}

static void show_info(struct child *c, const char *name)
{
    cJSON *o = ask(c, "info");
    char *text = cJSON_PrintUnformatted(o);

    printf("%-22s %s\n", name, text);
    free(text);
    cJSON_Delete(o);
}

static void show_kernels(struct child *c, const char *name, const char *net)
{
    cJSON *o = ask(c, "kernels %s", net);
    char *text = cJSON_PrintUnformatted(o);

    printf("%-22s oneDNN in %s: %s\n", name, net, text);
    free(text);
    cJSON_Delete(o);
}

/* --- the same work
 * ------------------------------------------------------------- */

static void dump(const char *dir, const char *name, const void *data, size_t n)
{
    char path[128];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    f = fopen(path, "wb");
    if (!f || fwrite(data, 1, n, f) != n || fclose(f) != 0)
        die("%s: %s", path, strerror(errno));
}

/* Writes what both sides begin from, and our input gradient there. */
static void write_start(const struct bench *b, struct ib_bench_net *n)
{
    size_t d = ib_shape_size(n->shape), pixels = IB_BENCH_BATCH * d;
    size_t in = ib_shape_size(ib_graph_shape(ib_net_graph(n->net), n->input));
    size_t parameters = ib_bench_parameters(n);
    float *x = malloc((pixels + parameters) * sizeof(*x));
    double seconds;

    if (!x)
        die("no memory");
    ib_bench_init(n, x);
    dump(b->dir, "parameters", x, parameters * sizeof(*x));
    ib_image_to_float(n->pixels, pixels, x);
    dump(b->dir, "images", x, pixels * sizeof(*x));
    ib_bench_input(n, x, IB_BENCH_BATCH);
    dump(b->dir, "input", x, IB_BENCH_BATCH * in * sizeof(*x));
    dump(b->dir, "labels", n->label, IB_BENCH_BATCH * sizeof(*n->label));
    ib_bench_gradient(n, 1, &seconds);
    dump(b->dir, "gradient", ib_net_gradient(n->net, n->input),
         IB_BENCH_ATTACK * in * sizeof(float));
    free(x);
}

/* Adam divides a gradient by its own size: where that is rounding alone, a step
 * multiplies it. After three steps PyTorch on two instruction sets differs from
 * itself by 1e-4. */
static int checked_steps(const struct ib_bench_net *n)
{
    return n->gan ? 1 : 5;
}

static double off(double ours, double theirs)
{
    return fabs(ours - theirs) / fabs(theirs);
}

static void check_same(struct bench *b, struct ib_bench_net *n)
{
    struct ib_error err;
    int steps = checked_steps(n);
    double first, last;

    need(ib_bench_loss(n, 1, &first, &err), &err);
    need(ib_bench_loss(n, steps + 1, &last, &err), &err);

    for (int side = PINNED; side < SIDES; side++) {
        cJSON *o, *done = ask(&b->child[side], "net %s %s", n->name, b->dir);
        double g;

        cJSON_Delete(done);
        o = ask(&b->child[side], "check %s %d %s/gradient", n->name, steps,
                b->dir);
        double a = cJSON_GetNumberValue(cJSON_GetObjectItem(o, "first"));
        double z = cJSON_GetNumberValue(cJSON_GetObjectItem(o, "last"));
        g = cJSON_GetNumberValue(cJSON_GetObjectItem(o, "gradient"));
        if (side == PINNED)
            printf("%-8s loss %.6f, after %d more %.6f; PyTorch %.6f, %.6f; "
                   "input gradients differ by %.1e\n",
                   n->name, first, steps, last, a, z, g);
        if (!(off(first, a) < 1e-4) || !(off(last, z) < 1e-4) || !(g < 1e-4))
            die("%s: the two sides do not do the same work", n->name);
        cJSON_Delete(o);
    }
}

/* --- timing
 * -------------------------------------------------------------------- */

static int steps_for(double seconds)
{
    double n = ceil(0.1 / seconds);

    return n < 2 ? 2 : n > IB_BENCH_STEPS ? IB_BENCH_STEPS : (int)n;
}

static double measure(struct bench *b, struct row *r, int what, int side,
                      int steps)
{
    static const char *const words[] = {"train", "gradient"};
    struct ib_error err;
    double seconds = NAN;

    if (side != OURS)
        return ask_number(&b->child[side], words[what], r->net->name, steps);
    if (what == 0)
        need(ib_bench_train(r->net, steps, &seconds, &err), &err);
    else
        ib_bench_gradient(r->net, steps, &seconds);
    return seconds;
}

static void measure_round(struct bench *b, struct row *rows, int n, int round)
{
    struct ib_bench_rates rates;
    struct ib_error err;

    for (int i = 0; i < n; i++) {
        double flops[2] = {rows[i].net->train_flops,
                           rows[i].net->gradient_flops};

        need(ib_bench_machine_sample(b->machine, &rates, &err), &err);
        for (int what = 0; what < 2; what++) {
            double(*t)[ROUNDS_MAX] = rows[i].seconds[what];
            int steps = round ? steps_for(t[OURS][round - 1]) : 2;

            for (int k = 0; k < SIDES; k++) {
                int side = round % 2 ? SIDES - 1 - k : k;

                t[side][round] = measure(b, &rows[i], what, side, steps);
                rows[i].share[what][side][round] =
                    flops[what] / t[side][round] / rates.peak;
            }
            for (int side = PINNED; side < SIDES; side++)
                rows[i].ratio[what][side][round] =
                    t[side][round] / t[OURS][round];
        }
    }
}

/* --- the table
 * ----------------------------------------------------------------- */

static double quartile(const double *sorted, int n, int k)
{
    return sorted[(size_t)(k * (n - 1) + 2) / 4];
}

static double target_of(const char *net, int what)
{
    for (size_t i = 0; i < IB_COUNT(targets); i++)
        if (strcmp(targets[i].net, net) == 0)
            return what ? targets[i].gradient : targets[i].training;
    return NAN;
}

static void show_cell(struct row *r, int what, int side, int n)
{
    double *t = r->seconds[what][side], *share = r->share[what][side];
    double seconds = ib_bench_median(t, n);

    if (what)
        printf(" %8.2f ms", 1e3 * seconds);
    else
        printf(" %7.0f /s ", IB_BENCH_BATCH / seconds);
    printf(" %3.0f %%", 100 * ib_bench_median(share, n));
}

static void show_ratio(struct row *r, int what, int side, int n)
{
    double *x = r->ratio[what][side], m = ib_bench_median(x, n);

    printf("  %5.2f (%.2f..%.2f)", m, quartile(x, n, 1), quartile(x, n, 3));
}

static int show_rows(struct row *rows, int n, int rounds)
{
    int reached = 0;

    printf("\n%-8s %-9s %18s %18s  %-19s %-13s %18s  %s\n", "net", "",
           "invbench, of bound", "PyTorch, of bound", "ratio (quartiles)",
           "target", "PyTorch as it comes", "ratio");
    for (int i = 0; i < n; i++)
        for (int what = 0; what < 2; what++) {
            struct row *r = &rows[i];
            double target = target_of(r->net->name, what);

            printf("%-8s %-9s", r->net->name, what ? "gradient" : "training");
            show_cell(r, what, OURS, rounds);
            show_cell(r, what, PINNED, rounds);
            show_ratio(r, what, PINNED, rounds);
            bool ok = ib_bench_median(r->ratio[what][PINNED], rounds) >= target;
            printf("  %4.2f %-6s", target, ok ? "ok" : "short");
            show_cell(r, what, FREE, rounds);
            show_ratio(r, what, FREE, rounds);
            printf("\n");
            reached += ok;
        }
    return reached;
}

static void open_bench(struct bench *b, char **argv)
{
    struct ib_error err;
    char *const child[] = {argv[1], argv[2], argv[3], NULL};

    snprintf(b->dir, sizeof(b->dir), "/tmp/invbench-bench-XXXXXX");
    if (!mkdtemp(b->dir))
        die("no directory in /tmp");
    need(ib_pool_create(&b->pool, b->threads, &err), &err);
    need(ib_bench_machine_create(&b->machine, b->threads, true, &err), &err);
    for (int side = PINNED; side < SIDES; side++)
        b->child[side] = start(b, child, side == PINNED);
    show_info(&b->child[PINNED], "PyTorch, held to AVX2");
    show_info(&b->child[FREE], "PyTorch as it comes");
}

static void close_bench(struct bench *b)
{
    static const char *const names[] = {"parameters", "images", "labels",
                                        "input", "gradient"};
    char path[128];

    for (int side = PINNED; side < SIDES; side++)
        stop(&b->child[side]);
    for (size_t i = 0; i < IB_COUNT(names); i++) {
        snprintf(path, sizeof(path), "%s/%s", b->dir, names[i]);
        unlink(path);
    }
    rmdir(b->dir);
    ib_bench_machine_free(b->machine);
    ib_pool_free(b->pool);
}

static struct row *open_rows(struct bench *b, const char *const *names, int *n)
{
    struct row *rows = calloc(IB_BENCH_NETS_MAX, sizeof(*rows));
    struct ib_error err;

    if (!rows)
        die("no memory");
    for (*n = 0; names[*n] && *n < IB_BENCH_NETS_MAX; ++*n) {
        need(ib_bench_net_create(&rows[*n].net, names[*n], b->pool, &err),
             &err);
        write_start(b, rows[*n].net);
        check_same(b, rows[*n].net);
    }
    show_kernels(&b->child[PINNED], "PyTorch, held to AVX2", names[0]);
    show_kernels(&b->child[FREE], "PyTorch as it comes", names[0]);
    return rows;
}

int main(int argc, char **argv)
{
    struct bench b = {0};
    struct row *rows;
    int n, reached;

    if (argc < 5)
        die("usage: bench_torch PYTHON SCRIPT THREADS ROUNDS [NET...]");
    b.threads = atoi(argv[3]);
    b.rounds = atoi(argv[4]);
    if (b.threads < 1 || b.threads > IB_THREADS_MAX || b.rounds < 1 ||
        b.rounds > ROUNDS_MAX)
        die("1 to %d threads, 1 to %d rounds", IB_THREADS_MAX, ROUNDS_MAX);
    printf("== %d thread%s, %s time, %d rounds\n", b.threads,
           b.threads == 1 ? "" : "s", b.threads == 1 ? "CPU" : "wall-clock",
           b.rounds);
    open_bench(&b, argv);
    rows = open_rows(
        &b, argc > 5 ? (const char *const *)argv + 5 : ib_bench_nets, &n);
    fflush(stdout);
    for (int i = 0; i < b.rounds; i++)
        measure_round(&b, rows, n, i);
    reached = show_rows(rows, n, b.rounds);
    printf("%d of %d rows reach their target\n", reached, 2 * n);
    for (int i = 0; i < n; i++)
        ib_bench_net_free(rows[i].net);
    free(rows);
    close_bench(&b);
    return 0;
}
