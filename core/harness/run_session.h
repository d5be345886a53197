/* What run, plan, train, attack and score open before they do their part. */
#ifndef INVBENCH_HARNESS_RUN_SESSION_H
#define INVBENCH_HARNESS_RUN_SESSION_H

#include <limits.h>

#include "cli.h"
#include "run.h"

struct ib_session {
    const struct ib_command_env *command;
    struct ib_store *store;
    struct ib_stage_env env;
    struct ib_suite *suite;
    struct ib_plan *plan;
    struct ib_run_options options; /* of --jobs, --cpu-limit, ... */
};

/* Rows for the flag tables of these commands. */
#define IB_SESSION_FLAGS                                                       \
    {"store", "DIR", "where artifacts are kept (default ~/.cache/invbench)",   \
     false},                                                                   \
    {                                                                          \
        "data", "DIR", "where data sets are (default $INVBENCH_DATA)", false   \
    }
#define IB_RUN_FLAGS                                                           \
    {"jobs", "N", "workers at once (default: the CPUs)", false},               \
        {"threads", "N",                                                       \
         "threads of a worker (default: CPUs that the others leave free)",     \
         false},                                                               \
        {"cpu-limit", "S", "CPU seconds a worker may use (default 3600)",      \
         false},                                                               \
    {                                                                          \
        "memory-limit", "MIB", "memory a worker may use (default 4096)", false \
    }

/* --store DIR, else $XDG_CACHE_HOME/invbench, else ~/.cache/invbench. */
IB_CHECK enum ib_status ib_store_default(const struct ib_args *args,
                                         char out[PATH_MAX],
                                         struct ib_error *err);
/* Opens the store and reads the limits; suite and plan stay NULL. */
IB_CHECK enum ib_status ib_session_open(struct ib_session *s,
                                        const struct ib_command_env *command,
                                        const struct ib_args *args,
                                        struct ib_error *err);
/* The same with a store of its own. */
IB_CHECK enum ib_status ib_session_open_at(struct ib_session *s,
                                           const struct ib_command_env *command,
                                           const struct ib_args *args,
                                           const char *store,
                                           struct ib_error *err);
void ib_session_close(struct ib_session *s);
typedef enum ib_status (*ib_session_make)(void *ctx, struct ib_error *err);
/* Runs the plan, then make(ctx); when that fails because an artifact turned
 * out to be corrupt, checks all, computes those again and makes again.
 * *stopped: SIGINT. */
IB_CHECK enum ib_status ib_session_run(struct ib_session *s, bool *stopped,
                                       ib_session_make make, void *ctx,
                                       struct ib_error *err);
/* Runs what is wanted of the plan (per node), and what that needs; looks at
 * nothing that came of it. */
IB_CHECK enum ib_status ib_session_run_wanted(struct ib_session *s,
                                              const bool *want, bool *stopped,
                                              struct ib_error *err);
/* How many nodes failed or were blocked. */
size_t ib_session_failures(const struct ib_session *s);
/* The exit status of a run that came to its end: IB_EXIT_CELLS where some
 * failed; IB_EXIT_ERROR where it was not for the cells, but because the data
 * cannot be read or the store takes nothing. */
int ib_session_exit(const struct ib_session *s);
/* True where the node did not come about: says why, sets the exit status. */
bool ib_session_lacks(const struct ib_session *s,
                      const struct ib_plan_node *node, int *code);
/* What a stopped run says; returns the exit code. */
int ib_session_interrupted(const struct ib_session *s);

#endif
