/*
 * Hidden command: computes the artifacts of one job. The job comes as JSON on
 * stdin, what became of each artifact goes as a JSON line to descriptor 3.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <invbench/pool.h>

#include "cli.h"
#include "reporter.h"
#include "run_worker.h"

enum { RESULT_FD = 3, JOB_MAX = 64 << 20 };

static const ib_stage_run stages[IB_NODE_KINDS] = {
    [IB_NODE_DATA] = ib_stage_data,
    [IB_NODE_MODEL] = ib_stage_model,
    [IB_NODE_PRIOR] = ib_stage_prior,
    [IB_NODE_SAMPLE] = ib_stage_sample,
    [IB_NODE_CONTROL] = ib_stage_control,
    [IB_NODE_ATTACK] = ib_stage_attack,
    [IB_NODE_SCORE] = ib_stage_score,
    [IB_NODE_UTILITY] = ib_stage_utility,
    [IB_NODE_MEMBERSHIP] = ib_stage_membership,
};

static enum ib_status read_job(cJSON **out, struct ib_error *err)
{
    struct ib_text text = {0};
    char piece[65536];
    enum ib_status s;
    ssize_t n;

    while ((n = read(0, piece, sizeof(piece))) > 0 && text.size < JOB_MAX)
        ib_text_put(&text, piece, (size_t)n);
    s = ib_text_status(&text, err);
    if (!s && n < 0)
        s = ib_error_set(err, IB_E_IO, "worker: stdin: %s", strerror(errno));
    if (!s)
        s = ib_json_parse(ib_text_string(&text), text.size, "job", out, err);
    ib_text_free(&text);
    return s;
}

static enum ib_status say(cJSON *line, struct ib_error *err)
{
    struct ib_text text = {0};
    enum ib_status s = ib_json_canonical(line, &text, err);

    cJSON_Delete(line);
    ib_text_put(&text, "\n", 1);
    if (!s)
        s = ib_text_status(&text, err);
    if (!s && write(RESULT_FD, text.data, text.size) != (ssize_t)text.size)
        s = ib_error_set(err, IB_E_IO,
                         "worker: descriptor 3: %s; this command is started "
                         "by others, not by hand",
                         strerror(errno));
    ib_text_free(&text);
    return s;
}

struct listener {
    const struct ib_console *console;
    double last; /* when progress was told */
};

static void note(void *ctx, const char *text)
{
    const struct listener *l = ctx;

    ib_console_note(l->console, "%s\n", text);
}

static void progress(void *ctx, double share)
{
    struct listener *l = ctx;
    double now = ib_now();
    char line[64];
    int n;

    if (now - l->last < 0.2 || !(share >= 0 && share <= 1))
        return;
    n = snprintf(line, sizeof(line), "{\"progress\":%.3f}\n", share);
    if (write(RESULT_FD, line, (size_t)n) == n)
        l->last = now;
}

static double peak_mib(void)
{
    struct rusage self, children;

    getrusage(RUSAGE_SELF, &self);
    getrusage(RUSAGE_CHILDREN, &children);
    return (double)(self.ru_maxrss > children.ru_maxrss ? self.ru_maxrss
                                                        : children.ru_maxrss) /
           1024;
}

static int kind_of(const char *name)
{
    for (int k = 0; k < IB_NODE_KINDS; k++)
        if (strcmp(ib_node_kind_names[k], name) == 0)
            return k;
    return -1;
}

/* Computes one node; *ok tells whether the chain goes on. err: only when
 * nobody listens any more. */
static enum ib_status run_node(const struct ib_stage_env *env,
                               const cJSON *node, bool *ok,
                               struct ib_error *err)
{
    const cJSON *key = cJSON_GetObjectItemCaseSensitive(node, "key");
    const cJSON *kind = cJSON_GetObjectItemCaseSensitive(node, "kind");
    int k = cJSON_IsString(kind) ? kind_of(kind->valuestring) : -1;
    struct ib_error why = {0};
    cJSON *line = cJSON_CreateObject();
    enum ib_status s;
    char name[16];
    double began;

    *ok = false;
    if (k < 0 || !cJSON_IsString(key)) {
        cJSON_Delete(line);
        return ib_error_set(err, IB_E_USAGE, "worker: not a job");
    }
    snprintf(name, sizeof(name), "ib-%s", kind->valuestring);
    prctl(PR_SET_NAME, name); /* for top, ps and who steers tests */
    cJSON_AddStringToObject(line, "begin", key->valuestring);
    s = say(line, err);
    if (s)
        return s;
    began = ib_now();
    s = stages[k](env, cJSON_GetObjectItemCaseSensitive(node, "spec"),
                  key->valuestring, &why);
    *ok = s == IB_OK;
    line = cJSON_CreateObject();
    cJSON_AddStringToObject(line, "key", key->valuestring);
    cJSON_AddStringToObject(line, "status", ib_status_name(s));
    cJSON_AddStringToObject(line, "text", s ? why.text : "");
    cJSON_AddNumberToObject(line, "seconds", ib_now() - began);
    cJSON_AddNumberToObject(line, "peak_mib", peak_mib());
    return say(line, err);
}

static int run(const struct ib_command_env *command, const struct ib_args *args,
               struct ib_error *err)
{
    struct listener listener = {.console = command->console};
    struct ib_reporter reporter = {
        .note = note, .progress = progress, .ctx = &listener};
    struct ib_stage_env env = {.registry = command->registry,
                               .data_dir = ib_args_get(args, "data"),
                               .reporter = &reporter,
                               .program = command->program};
    int64_t mib = 4096, threads = 1;
    cJSON *job = NULL, *node;
    bool ok = true;
    enum ib_status s;

    s = ib_args_int(args, "memory-limit", 1, 1 << 24, &mib, err);
    env.memory_limit = (size_t)mib << 20;
    if (!s)
        s = ib_args_int(args, "threads", 1, IB_THREADS_MAX, &threads, err);
    if (!s && threads > 1)
        s = ib_pool_create(&env.pool, (int)threads, err);
    if (!s)
        s = ib_store_open(&env.store, ib_args_get(args, "store"), err);
    if (!s)
        s = read_job(&job, err);
    fcntl(RESULT_FD, F_SETFD, FD_CLOEXEC);
    if (!s)
        cJSON_ArrayForEach(node, cJSON_GetObjectItemCaseSensitive(job, "nodes"))
        {
            s = run_node(&env, node, &ok, err);
            if (s || !ok)
                break;
        }
    cJSON_Delete(job);
    ib_store_close(env.store);
    ib_pool_free(env.pool);
    return s ? IB_EXIT_ERROR : IB_EXIT_OK;
}

static const struct ib_flag flags[] = {
    {"store", "DIR", "where artifacts are", false},
    {"data", "DIR", "where data sets are", false},
    {"memory-limit", "MIB", "memory that it may use", false},
    {"threads", "N", "threads that it may use (default 1)", false},
    {0},
};

const struct ib_command ib_cmd_worker = {
    .name = "worker",
    .synopsis = "--store DIR",
    .summary = "compute the artifacts of a job (started by run)",
    .details = "",
    .flags = flags,
    .hidden = true,
    .run = run,
};
