/*
 * The two processes of an attack. The worker is the oracle; it starts the
 * attacker ("PROGRAM attacker") with these descriptors and no others but the
 * standard ones:
 *
 *   SOCKET  a connected socket: hello, start, then one byte an ask
 *   JOB     sealed memory: JSON {"job": "attack", "spec", "modules" (paths),
 *           "level" (number), "targets", "classes", "shape", "public" (how
 *           many images), "capacity", "scratch" (bytes), "has_code"}
 *   PUBLIC  sealed memory: n x D pixels, then (aligned) n identities, int32
 *   PRIOR   sealed memory: what the prior's fit learnt; else empty
 *   MODEL   sealed memory: at level whitebox the model's artifact: u64 length
 *           of its meta, meta, zeros up to a multiple of 64, data; else empty
 *   BUFFER  shared memory of oracle.h, given its size after hello
 *
 * The same process, as locked in, does the other jobs in which plugins from
 * outside have a part: fitting a prior and drawing from it (prior_process.h).
 */
#ifndef INVBENCH_HARNESS_ORACLE_PROCESS_H
#define INVBENCH_HARNESS_ORACLE_PROCESS_H

#include <sys/types.h>

#include "oracle.h"

enum ib_attacker_fd {
    IB_FD_SOCKET,
    IB_FD_JOB,
    IB_FD_PUBLIC,
    IB_FD_PRIOR,
    IB_FD_MODEL,
    IB_FD_BUFFER,
    IB_FD_COUNT,
    IB_FD_FIRST = 3, /* number of the first one in the attacker */
};

/* The attacker's first message, after it has locked itself in, loaded its
 * plugin and asked whether it applies. */
struct ib_hello {
    int32_t status; /* IB_E_DENIED: does not apply, see text */
    int32_t images; /* per slot */
    int32_t landlock;
    char text[IB_ERROR_MAX];
};
enum { IB_ATTACK_IMAGES_MAX = 4096 };

struct ib_attacker {
    pid_t pid;        /* 0: not running */
    int socket;       /* -1: closed */
    const char *what; /* runs in it, for messages: NULL: "attack" */
};

/* program NULL: this one. fd: what the attacker gets, by enum ib_attacker_fd
 * (its socket end too); they stay the caller's. */
IB_CHECK enum ib_status ib_attacker_start(struct ib_attacker *a,
                                          const char *program,
                                          const int fd[IB_FD_COUNT],
                                          struct ib_error *err);
/* Ends it. When it was gone by itself the text says how it died and starts
 * with "crashed: ", "timeout: " or "oom: ". */
enum ib_status ib_attacker_end(struct ib_attacker *a, bool gone,
                               struct ib_error *err);

/* Memory with what is in the parts, sealed: nobody can change it. */
struct ib_part {
    const void *data;
    size_t size;
};
IB_CHECK enum ib_status ib_memory_sealed(int *fd, const char *name,
                                         const struct ib_part *parts, int n,
                                         struct ib_error *err);
/* What those four descriptors are made of; all borrowed. */
struct ib_handout {
    const struct ib_stage_env *env;
    const cJSON *spec;
    const struct ib_dataset *set; /* only its public split leaves */
    const char *model_key;        /* handed over at level whitebox only */
    const struct ib_oracle_params *params;
};
/* Fills JOB, PUBLIC, PRIOR and MODEL of fd; they are the caller's to close,
 * also after an error (-1: not made). */
IB_CHECK enum ib_status ib_handout_make(const struct ib_handout *h,
                                        int fd[IB_FD_COUNT],
                                        struct ib_error *err);
/* What all jobs have: job, modules, shape, public, scratch. NULL: no memory. */
cJSON *ib_handout_job(const struct ib_stage_env *env, const char *kind,
                      const struct ib_images *images);
/* JOB from its JSON (consumed; NULL: no memory), PUBLIC. */
IB_CHECK enum ib_status ib_handout_give_job(cJSON *job, int *fd,
                                            struct ib_error *err);
IB_CHECK enum ib_status ib_handout_give_images(const struct ib_images *images,
                                               int *fd, struct ib_error *err);
/* Maps all of a descriptor, read-only; *size may be 0 (*out is then NULL). */
IB_CHECK enum ib_status ib_memory_map(int fd, const void **out, size_t *size,
                                      struct ib_error *err);

/* The attacker's whole life, for the hidden command: locks itself in, loads
 * outside modules into r, runs the job. */
IB_CHECK enum ib_status ib_attacker_run(struct ib_registry *r,
                                        struct ib_error *err);

#endif
