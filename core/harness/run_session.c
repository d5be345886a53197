/* Store, limits, and the loop of running and making until both are well. */
#include "run_session.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <invbench/pool.h>

enum { EXIT_INTERRUPTED = 130, ROUNDS = 3 };

enum ib_status ib_store_default(const struct ib_args *args, char out[PATH_MAX],
                                struct ib_error *err)
{
    const char *store = ib_args_get(args, "store");
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    int n;

    if (store)
        n = snprintf(out, PATH_MAX, "%s", store);
    else if (cache && *cache == '/')
        n = snprintf(out, PATH_MAX, "%s/invbench", cache);
    else if (home && *home)
        n = snprintf(out, PATH_MAX, "%s/.cache/invbench", home);
    else
        return ib_error_set(err, IB_E_USAGE,
                            "there is no home directory for the store; give "
                            "--store DIR");
    if (n >= PATH_MAX)
        return ib_error_set(err, IB_E_USAGE,
                            "the store's directory has too long a name");
    return IB_OK;
}

static int cpus(void)
{
    cpu_set_t set;

    return sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
}

static enum ib_status read_limits(struct ib_session *s,
                                  const struct ib_args *args,
                                  struct ib_error *err)
{
    int64_t jobs = cpus(), threads = 0, cpu = 3600, mib = 4096;
    enum ib_status status = ib_args_int(args, "jobs", 1, 256, &jobs, err);

    if (!status)
        status = ib_args_int(args, "threads", 1, IB_THREADS_MAX, &threads, err);
    if (!status)
        status = ib_args_int(args, "cpu-limit", 1, 10000000, &cpu, err);
    if (!status)
        status = ib_args_int(args, "memory-limit", 64, 1 << 24, &mib, err);
    s->options.jobs = (int)jobs;
    s->options.threads = (int)threads;
    s->options.cpu_limit = (double)cpu;
    s->options.memory_limit = (size_t)mib << 20;
    s->options.stop = s->command->stop;
    s->env.memory_limit = s->options.memory_limit;
    return status;
}

enum ib_status ib_session_open_at(struct ib_session *s,
                                  const struct ib_command_env *command,
                                  const struct ib_args *args, const char *store,
                                  struct ib_error *err)
{
    const char *data = ib_args_get(args, "data");
    enum ib_status status;

    memset(s, 0, sizeof(*s));
    s->command = command;
    s->env.registry = command->registry;
    s->env.program = command->program;
    s->env.data_dir = data ? data : getenv("INVBENCH_DATA");
    status = read_limits(s, args, err);
    if (!status)
        status = ib_store_open(&s->store, store, err);
    s->env.store = s->store;
    return status;
}

enum ib_status ib_session_open(struct ib_session *s,
                               const struct ib_command_env *command,
                               const struct ib_args *args, struct ib_error *err)
{
    char dir[PATH_MAX];
    enum ib_status status = ib_store_default(args, dir, err);

    memset(s, 0, sizeof(*s));
    return status ? status : ib_session_open_at(s, command, args, dir, err);
}

void ib_session_close(struct ib_session *s)
{
    ib_plan_free(s->plan);
    ib_suite_free(s->suite);
    ib_store_close(s->store);
    memset(s, 0, sizeof(*s));
}

/* Once one artifact is found to be corrupt, all of the plan are checked; what
 * is not whole is to be computed again. */
static size_t reopen_damaged(struct ib_session *s)
{
    size_t n = 0;

    for (size_t i = 0; i < s->plan->n_nodes; i++) {
        struct ib_plan_node *node = &s->plan->nodes[i];
        struct ib_artifact a;
        struct ib_error ignored;

        if (node->outcome != IB_CACHED && node->outcome != IB_DONE)
            continue;
        if (ib_store_get(s->store, node->key, &a, &ignored)) {
            node->outcome = IB_PENDING;
            n++;
        }
        ib_artifact_free(&a);
    }
    return n;
}

static bool any_missing(const struct ib_session *s)
{
    for (size_t i = 0; i < s->plan->n_nodes; i++) {
        const struct ib_plan_node *node = &s->plan->nodes[i];

        if ((node->outcome == IB_CACHED || node->outcome == IB_DONE) &&
            !ib_store_has(s->store, node->key))
            return true;
    }
    return false;
}

static enum ib_status run_plan(struct ib_session *s, bool *stopped,
                               struct ib_error *err)
{
    enum ib_status status =
        ib_run_plan(s->plan, &s->env, &s->options, s->command->console, err);

    *stopped = s->options.stop && *s->options.stop;
    return status;
}

enum ib_status ib_session_run_wanted(struct ib_session *s, const bool *want,
                                     bool *stopped, struct ib_error *err)
{
    enum ib_status status;

    s->options.want = want;
    status = run_plan(s, stopped, err);
    s->options.want = NULL;
    return status;
}

enum ib_status ib_session_run(struct ib_session *s, bool *stopped,
                              ib_session_make make, void *ctx,
                              struct ib_error *err)
{
    const struct ib_console *console = s->command->console;
    enum ib_status status = IB_OK;

    for (int round = 0; round < ROUNDS; round++) {
        status = run_plan(s, stopped, err);
        if (status || *stopped)
            return status;
        status = make(ctx, err);
        if (!status || !any_missing(s))
            return status;
        ib_console_note(console, "%s\n", err->text);
        ib_console_note(console,
                        "all artifacts were checked; %zu are computed again\n",
                        reopen_damaged(s));
    }
    return status;
}

size_t ib_session_failures(const struct ib_session *s)
{
    size_t n = 0;

    for (size_t i = 0; i < s->plan->n_nodes; i++)
        switch (s->plan->nodes[i].outcome) {
        case IB_FAILED:
        case IB_CRASHED:
        case IB_TIMEOUT:
        case IB_OOM:
        case IB_BLOCKED:
            n++;
            break;
        default:
            break;
        }
    return n;
}

int ib_session_exit(const struct ib_session *s)
{
    for (size_t i = 0; i < s->plan->n_nodes; i++) {
        const struct ib_plan_node *node = &s->plan->nodes[i];

        if (node->outcome == IB_FAILED &&
            (node->kind == IB_NODE_DATA || node->no_store))
            return IB_EXIT_ERROR;
    }
    return ib_session_failures(s) ? IB_EXIT_CELLS : IB_EXIT_OK;
}

bool ib_session_lacks(const struct ib_session *s,
                      const struct ib_plan_node *node, int *code)
{
    if (node->outcome == IB_DONE || node->outcome == IB_CACHED)
        return false;
    *code = ib_session_exit(s);
    ib_console_note(s->command->console, "%s: %s: %s\n", node->label,
                    ib_outcome_names[node->outcome], node->reason);
    return true;
}

int ib_session_interrupted(const struct ib_session *s)
{
    ib_console_note(s->command->console,
                    "interrupted; what is done is kept: run the same command "
                    "again to go on\n");
    return EXIT_INTERRUPTED;
}
