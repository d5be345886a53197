/* One cell at a time: what train, attack and score share. */
#ifndef INVBENCH_HARNESS_RUN_CELL_H
#define INVBENCH_HARNESS_RUN_CELL_H

#include "run_session.h"

/* Rows for their flag tables. */
#define IB_CELL_FLAGS                                                          \
    {"suite", "SUITE.json", "take the cell from this suite", false},           \
        {"cell", "NAME", "which one: softmax/none/mi-face/scores/s1", false},  \
        {"dataset", "PLUGIN", "data set (default synthfaces)", false},         \
        {"model", "PLUGIN", "model under attack (default softmax)", false},    \
        {"defense", "PLUGIN", "defense; several make a stack", true},          \
        {"attack", "PLUGIN", "attack (default mi-face)", false},               \
    {                                                                          \
        "seed", "N", "seed (default 1)", false                                 \
    }
#define IB_CELL_FLAGS_ATTACK                                                   \
    {"access", "LEVEL", "labels, scores, gradients or whitebox", false},       \
    {                                                                          \
        "max-queries", "N", "queries an identity may cost (default 10000)",    \
            false                                                              \
    }

/* "mlp" or {"name": "mlp", ...}; id: NULL, or what it gets where it has none.
 * flag: for messages. *out is the caller's, also after an error. */
IB_CHECK enum ib_status ib_cell_plugin(const char *text, const char *flag,
                                       const char *id, cJSON **out,
                                       struct ib_error *err);
/* Opens the session with a suite of one cell and its plan. PLUGIN is a name,
 * or JSON with options: '{"name":"mlp","hidden":[64]}'. */
IB_CHECK enum ib_status ib_cell_open(struct ib_session *s,
                                     const struct ib_command_env *command,
                                     const struct ib_args *args,
                                     struct ib_error *err);
/* A cell that would be skipped is an error with the reason. */
IB_CHECK enum ib_status ib_cell_runs(const struct ib_session *s,
                                     struct ib_error *err);
/* Runs what the node needs, and the node (-1: all nodes). *code is the exit
 * code when it is not there afterwards; else make(ctx) was called. */
IB_CHECK enum ib_status ib_cell_run(struct ib_session *s, int node, int *code,
                                    ib_session_make make, void *ctx,
                                    struct ib_error *err);
int ib_cell_exit(enum ib_status s, int code);

#endif
