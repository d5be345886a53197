/*
 * What the oracle costs: batches of 64 through a process of its own, against
 * the same rows through the net directly. Prints the ratio of CPU time (of both
 * processes; what else the machine does hardly moves it) and of the medians of
 * wall time, for the cnn (to stay below 1.03) and the softmax regression.
 */
#include <invbench/invbench.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "model_io.h"
#include "oracle.h"

enum { ROWS = 64, CLASSES = 40, TARGETS = 40, ROUNDS = 41 };

struct bench {
    struct ib_loaded_model model;
    struct ib_oracle_params params;
    struct ib_oracle_info info;
    struct ib_oracle_buffer buffer;
    int memory, socket[2];
    clockid_t oracle; /* CPU clock of the other process */
};

static void need(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "bench_oracle: %s\n", what);
    exit(1);
}

static double clock_now(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double now(void)
{
    return clock_now(CLOCK_MONOTONIC);
}

/* Of this process and the oracle's. */
static double cpu(const struct bench *b)
{
    return clock_now(CLOCK_PROCESS_CPUTIME_ID) + clock_now(b->oracle);
}

static int by_value(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static double median(double *x)
{
    qsort(x, ROUNDS, sizeof(*x), by_value);
    return x[ROUNDS / 2];
}

static void make_model(struct bench *b, struct ib_registry *r, const char *name,
                       struct ib_shape shape)
{
    const struct ib_model_task task = {shape, CLASSES};
    static int32_t target[TARGETS];
    struct ib_rng rng = ib_rng_stream(1, "bench", -1, name);
    struct ib_error err;
    cJSON *json = cJSON_CreateObject();

    cJSON_AddStringToObject(json, "name", name);
    need(!ib_use_parse(r, IB_KIND_MODEL, json, &(struct ib_place){.path = name},
                       &b->model.use, &err) &&
             !ib_model_build(&b->model.use, NULL, &task, ROWS, &b->model, &err),
         err.text);
    cJSON_Delete(json);
    ib_net_init(b->model.net, &rng);
    for (int i = 0; i < TARGETS; i++)
        target[i] = i;
    b->params = (struct ib_oracle_params){.net = b->model.net,
                                          .nodes = b->model.nodes,
                                          .classes = CLASSES,
                                          .level = IB_SCORES,
                                          .targets = TARGETS,
                                          .target = target};
}

static void make_channel(struct bench *b)
{
    struct ib_error err;
    void *base;

    need(!ib_oracle_describe(&b->params, &b->info, &err) &&
             !ib_oracle_layout(&b->info, NULL, &b->buffer, &err),
         err.text);
    b->memory = memfd_create("bench", 0);
    need(b->memory >= 0 && ftruncate(b->memory, (off_t)b->buffer.bytes) == 0 &&
             socketpair(AF_UNIX, SOCK_SEQPACKET, 0, b->socket) == 0,
         "no shared memory");
    base = mmap(NULL, b->buffer.bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
                b->memory, 0);
    need(base != MAP_FAILED &&
             !ib_oracle_layout(&b->info, base, &b->buffer, &err),
         "no shared memory");
}

static void serve(struct bench *b)
{
    struct ib_oracle_core *core;
    struct ib_error err;
    bool gone;

    close(b->socket[1]);
    need(!ib_oracle_core_create(&core, &b->params, &b->buffer, &err), err.text);
    ib_oracle_serve(core, b->socket[0], &gone, &err);
    ib_oracle_core_free(core);
    _exit(0);
}

/* The attacker's way without an oracle: rows stand where the net reads them. */
static double direct(struct bench *b, float *p)
{
    const struct ib_forward pass = {
        .n = ROWS, .from = b->model.nodes.input, .to = b->model.nodes.logits};
    double start = now();

    ib_net_forward(b->model.net, &pass);
    ib_softmax_rows(ROWS, CLASSES,
                    ib_net_value(b->model.net, b->model.nodes.logits), p);
    return now() - start;
}

static double asked(struct ib_oracle *o)
{
    static int32_t slot[ROWS];
    const float *scores;
    struct ib_error err;
    double start = now();

    for (int i = 0; i < ROWS; i++)
        slot[i] = i % TARGETS;
    need(!ib_oracle_scores(o, ROWS, slot, &scores, &err), err.text);
    return now() - start;
}

static void compare(struct bench *b, const char *name)
{
    static float p[ROWS * CLASSES];
    double plain[ROUNDS], through[ROUNDS], t[3], used[2] = {0};
    const struct ib_oracle_link link = {b->info, b->socket[1], b->memory, NULL,
                                        b->model.nodes};
    size_t n = ROWS * ib_shape_size(b->info.shape);
    struct ib_rng rng = ib_rng_stream(1, "bench", -1, "rows");
    struct ib_oracle *o;
    struct ib_error err;

    need(!ib_oracle_open_channel(&o, &link, &err), err.text);
    for (int i = -2; i < ROUNDS; i++) { /* two to warm up */
        int at = i < 0 ? 0 : i;
        ib_rng_fill_uniform(&rng, ib_oracle_input(o), n);
        memcpy(ib_net_value(b->model.net, b->model.nodes.input),
               ib_oracle_input(o), n * sizeof(float));
        t[0] = cpu(b);
        plain[at] = direct(b, p);
        t[1] = cpu(b);
        through[at] = asked(o);
        t[2] = cpu(b);
        used[0] += i < 0 ? 0 : t[1] - t[0];
        used[1] += i < 0 ? 0 : t[2] - t[1];
    }
    printf("%-8s %d x %5zu: CPU %8.0f -> %8.0f us, ratio %.4f; wall %8.0f "
           "-> %8.0f us, ratio %.4f\n",
           name, ROWS, n / ROWS, 1e6 * used[0] / ROUNDS, 1e6 * used[1] / ROUNDS,
           used[1] / used[0], 1e6 * median(plain), 1e6 * median(through),
           median(through) / median(plain));
    ib_oracle_done(o, IB_OK, NULL);
    ib_oracle_close(o);
}

static void measure(struct ib_registry *r, const char *name,
                    struct ib_shape shape)
{
    struct bench b = {0};
    pid_t pid;

    make_model(&b, r, name, shape);
    make_channel(&b);
    pid = fork();
    need(pid >= 0, "no process");
    if (pid == 0)
        serve(&b);
    close(b.socket[0]);
    need(clock_getcpuclockid(pid, &b.oracle) == 0, "no CPU clock");
    compare(&b, name);
    waitpid(pid, NULL, 0);
    munmap(b.buffer.control, b.buffer.bytes);
    ib_model_close(&b.model);
}

int main(void)
{
    struct ib_registry *r;
    struct ib_error err;

    need(!ib_registry_create(&r, &err), err.text);
    measure(r, "cnn", (struct ib_shape){1, 64, 64});
    measure(r, "cnn", (struct ib_shape){1, 28, 28});
    measure(r, "softmax", (struct ib_shape){1, 112, 92});
    ib_registry_free(r);
    return 0;
}
