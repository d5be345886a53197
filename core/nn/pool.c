/*
 * A pool of threads. A round (one ib_pool_run) is announced by its number;
 * threads take tasks from a counter. They look for the next round for a short
 * while before they sleep: rounds of one run follow each other closely.
 */
#include "pool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { SPINS = 4000 };

struct ib_pool {
    int threads, started;
    pthread_t thread[IB_THREADS_MAX];
    pthread_mutex_t lock;
    pthread_cond_t round_begins, round_ends;
    atomic_uint round; /* number of the current round */
    atomic_int next;   /* task to be taken */
    atomic_int busy;   /* threads (without the caller) still in the round */
    bool stop;         /* guarded by lock; read after `round` has changed */
    int tasks;
    ib_pool_task run;
    void *ctx;
};

struct start {
    struct ib_pool *pool;
    int thread;
};

static void take_tasks(struct ib_pool *p, int thread)
{
    for (;;) {
        int task = atomic_fetch_add(&p->next, 1);
        if (task >= p->tasks)
            return;
        p->run(p->ctx, task, thread);
    }
}

static void relax(void)
{
    __builtin_ia32_pause();
}

/* Returns when the round is another than `seen`. */
static void await_round(struct ib_pool *p, unsigned seen)
{
    for (int i = 0; i < SPINS; i++) {
        if (atomic_load(&p->round) != seen)
            return;
        relax();
    }
    pthread_mutex_lock(&p->lock);
    while (atomic_load(&p->round) == seen)
        pthread_cond_wait(&p->round_begins, &p->lock);
    pthread_mutex_unlock(&p->lock);
}

static void leave_round(struct ib_pool *p)
{
    if (atomic_fetch_sub(&p->busy, 1) != 1)
        return;
    pthread_mutex_lock(&p->lock);
    pthread_cond_signal(&p->round_ends);
    pthread_mutex_unlock(&p->lock);
}

static void *thread_main(void *opaque)
{
    struct start s = *(struct start *)opaque;
    free(opaque);
    for (unsigned seen = 0;; seen++) {
        await_round(s.pool, seen);
        if (s.pool->stop)
            return NULL;
        take_tasks(s.pool, s.thread);
        leave_round(s.pool);
    }
}

static void begin_round(struct ib_pool *p)
{
    pthread_mutex_lock(&p->lock);
    atomic_store(&p->next, 0);
    atomic_store(&p->busy, p->started);
    atomic_fetch_add(&p->round, 1);
    pthread_cond_broadcast(&p->round_begins);
    pthread_mutex_unlock(&p->lock);
}

static void await_end(struct ib_pool *p)
{
    for (int i = 0; i < SPINS; i++) {
        if (atomic_load(&p->busy) == 0)
            return;
        relax();
    }
    pthread_mutex_lock(&p->lock);
    while (atomic_load(&p->busy) != 0)
        pthread_cond_wait(&p->round_ends, &p->lock);
    pthread_mutex_unlock(&p->lock);
}

void ib_pool_run(struct ib_pool *p, int tasks, ib_pool_task run, void *ctx)
{
    if (!p || p->started == 0 || tasks < 2) {
        for (int i = 0; i < tasks; i++)
            run(ctx, i, 0);
        return;
    }
    p->tasks = tasks;
    p->run = run;
    p->ctx = ctx;
    begin_round(p);
    take_tasks(p, 0);
    await_end(p);
}

static bool start_thread(struct ib_pool *p)
{
    struct start *s = malloc(sizeof *s);
    if (!s)
        return false;
    *s = (struct start){p, p->started + 1};
    if (pthread_create(&p->thread[p->started], NULL, thread_main, s) != 0) {
        free(s);
        return false;
    }
    p->started++;
    return true;
}

enum ib_status ib_pool_create(struct ib_pool **out, int threads,
                              struct ib_error *err)
{
    if (threads < 1 || threads > IB_THREADS_MAX)
        return ib_error_set(err, IB_E_USAGE, "%d threads (allowed: 1 to %d)",
                            threads, IB_THREADS_MAX);
    struct ib_pool *p = calloc(1, sizeof *p);
    if (!p)
        return ib_error_set(err, IB_E_NOMEM, "no memory for threads");
    p->threads = threads;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->round_begins, NULL);
    pthread_cond_init(&p->round_ends, NULL);
    while (p->started < threads - 1)
        if (!start_thread(p)) {
            ib_pool_free(p);
            return ib_error_set(err, IB_E_IO, "%d threads cannot be started",
                                threads);
        }
    *out = p;
    return IB_OK;
}

void ib_pool_free(struct ib_pool *p)
{
    if (!p)
        return;
    p->stop = true;
    begin_round(p);
    for (int i = 0; i < p->started; i++)
        pthread_join(p->thread[i], NULL);
    pthread_cond_destroy(&p->round_begins);
    pthread_cond_destroy(&p->round_ends);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

int ib_pool_threads(const struct ib_pool *p)
{
    return p ? p->threads : 1;
}
