/*
 * What every job of the attacker's process begins with: reading its
 * descriptors, locking itself in, loading modules, saying hello. The kinds of
 * job are those of oracle_process.h; each runs one of them.
 */
#ifndef INVBENCH_HARNESS_ORACLE_JOB_H
#define INVBENCH_HARNESS_ORACLE_JOB_H

#include "oracle_process.h"

struct ib_job {
    cJSON *json;
    struct ib_shape shape;
    struct ib_images public_images; /* n = 0: none */
    const void *fitted;             /* NULL: nothing */
    size_t fitted_size;
    size_t scratch_size;
    struct ib_pool *pool; /* NULL: one thread */
};

int ib_job_fd(enum ib_attacker_fd what);
/* A member that is a number; 0 where there is none. */
double ib_job_number(const cJSON *object, const char *name);
/* JOB, PUBLIC and PRIOR. */
IB_CHECK enum ib_status ib_job_read(struct ib_job *j, struct ib_error *err);
void ib_job_free(struct ib_job *j);
/* Threads, where the job has some and no outside module: those threads are not
 * held by Landlock. Before ib_job_lock_in. */
IB_CHECK enum ib_status ib_job_threads(struct ib_job *j, struct ib_error *err);
/* Enters the sandbox, loads outside modules into r, seals it. */
IB_CHECK enum ib_status ib_job_lock_in(const struct ib_job *j,
                                       struct ib_registry *r, int *landlock,
                                       struct ib_error *err);
/* One message over SOCKET; false when the other end is gone. */
bool ib_job_send(const void *message, size_t n);
bool ib_job_receive(void *message, size_t n);
/* The prior with what it has learnt; size 0 on failure. */
enum ib_status ib_job_prior(const struct ib_job *j, const struct ib_use *use,
                            struct ib_scratch *scratch,
                            struct ib_prior_use *out, struct ib_error *err);
void ib_job_prior_close(struct ib_prior_use *p);

/* The jobs. r: modules are loaded into it. */
IB_CHECK enum ib_status ib_job_attack(struct ib_job *j, struct ib_registry *r,
                                      struct ib_error *err);
IB_CHECK enum ib_status ib_job_fit_or_sample(struct ib_job *j,
                                             struct ib_registry *r,
                                             struct ib_error *err);

#endif
