/* One worker process: started, limited, listened to, ended. */
#ifndef INVBENCH_HARNESS_RUN_WORKER_H
#define INVBENCH_HARNESS_RUN_WORKER_H

#include <sys/types.h>

#include "plan.h"

enum { IB_CHAIN_MAX = 8, IB_LAST_WORDS = 2048 };

/* How all workers of a run are started. */
struct ib_worker_setup {
    const char *program, *store, *data_dir; /* data_dir: NULL: none */
    const char *const *modules;             /* --plugin; NULL-terminated */
    double cpu_limit;                       /* seconds */
    size_t memory_limit;                    /* bytes */
    int threads;                            /* of the next one started */
};

struct ib_worker {
    pid_t pid; /* 0: not running */
    int result_fd, error_fd;
    int chain[IB_CHAIN_MAX], n_chain;
    int at;                    /* of the chain: what it computes now */
    double started;            /* monotonic seconds, of what it computes now */
    double deadline;           /* of the worker */
    double share;              /* of the current node's work */
    bool late;                 /* killed by us: over its wall-clock limit */
    struct ib_text in;         /* results not yet read to a line's end */
    char words[IB_LAST_WORDS]; /* the end of what it wrote to stderr */
    size_t n_words;
};

double ib_now(void); /* monotonic seconds: limits and display only */

IB_CHECK enum ib_status ib_worker_start(struct ib_worker *w,
                                        const struct ib_worker_setup *setup,
                                        const struct ib_plan *plan,
                                        struct ib_error *err);
/* Reads what there is into in and words. */
void ib_worker_listen(struct ib_worker *w);
/* Cuts the next whole line out of in; false: none. Freed by the caller. */
bool ib_worker_line(struct ib_worker *w, cJSON **line);
/* True once it has ended: its wait status is in *status, its group is gone,
 * its descriptors are closed and all that it said was read. */
bool ib_worker_ended(struct ib_worker *w, int *status);
/* It computes: it runs and has not said that the last of its chain is over. */
bool ib_worker_busy(const struct ib_worker *w);
void ib_worker_kill(struct ib_worker *w); /* with its whole group */
/* Forgets an ended worker. */
void ib_worker_clear(struct ib_worker *w);

/* What the end of a worker means for what it was computing. */
enum ib_outcome ib_worker_verdict(const struct ib_worker *w, int status,
                                  double cpu_limit, char *reason, size_t n);
/* What a worker's own message means: "crashed: SIGSEGV", ... */
enum ib_outcome ib_message_verdict(const char *status, const char *text,
                                   char *reason, size_t n);

#endif
