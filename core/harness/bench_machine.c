/* What the machine gives at best: sgemm, and bandwidth of its memory. */
#include "bench.h"

#include <invbench/math.h>

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

const int ib_bench_sizes[IB_BENCH_SIZES] = {768, 256, 384, 512, 1024};

enum { SIDE_MAX = 1024, STREAM = 16 << 20, REPEATS = 3 };

struct ib_bench_machine {
    int threads, sizes;
    float *gemm;   /* threads x 3 matrices */
    float *stream; /* 3 arrays of STREAM numbers */
};

double ib_bench_now(int threads)
{
    struct timespec t;

    clock_gettime(threads == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

double ib_bench_median(double *x, int n)
{
    qsort(x, (size_t)n, sizeof(*x), ascending);
    return n % 2 ? x[n / 2] : (x[n / 2 - 1] + x[n / 2]) / 2;
}

void ib_bench_machine_free(struct ib_bench_machine *m)
{
    if (!m)
        return;
    free(m->gemm);
    free(m->stream);
    free(m);
}

static float *numbers(size_t n)
{
    float *x = aligned_alloc(64, n * sizeof(*x));

    for (size_t i = 0; x && i < n; i++)
        x[i] = (float)(i % 7) * 0.125f;
    return x;
}

enum ib_status ib_bench_machine_create(struct ib_bench_machine **out,
                                       int threads, bool quick,
                                       struct ib_error *err)
{
    const size_t matrices = 3 * (size_t)SIDE_MAX * SIDE_MAX;
    struct ib_bench_machine *m = calloc(1, sizeof(*m));

    *out = m;
    if (m) {
        m->threads = threads;
        m->sizes = quick ? 1 : IB_BENCH_SIZES;
        m->gemm = numbers((size_t)threads * matrices);
        m->stream = numbers(3 * (size_t)STREAM);
    }
    if (m && m->gemm && m->stream)
        return IB_OK;
    ib_bench_machine_free(m);
    *out = NULL;
    return ib_error_set(err, IB_E_NOMEM, "bench: no memory for matrices");
}

/* --- the same work on every thread -----------------------------------------
 */

struct work {
    struct ib_bench_machine *m;
    void (*run)(const struct work *w);
    int thread, size;
    double begin, end;
    pthread_barrier_t *barrier;
};

static void multiply(const struct work *w)
{
    const int n = w->size;
    const size_t matrix = (size_t)SIDE_MAX * SIDE_MAX;
    float *a = w->m->gemm + 3 * (size_t)w->thread * matrix;

    ib_sgemm(
        a + 2 * matrix, a, a + matrix,
        &(struct ib_gemm){
            .m = n, .n = n, .k = n, .alpha = 1, .lda = n, .ldb = n, .ldc = n});
}

/* STREAM's triad (McCalpin 1995), on this thread's slice. */
static void triad(const struct work *w)
{
    size_t threads = (size_t)w->m->threads, i = (size_t)w->thread;
    size_t from = i * STREAM / threads, to = (i + 1) * STREAM / threads;
    float *restrict a = w->m->stream;
    const float *restrict b = a + STREAM, *restrict c = b + STREAM;

    for (size_t k = from; k < to; k++)
        a[k] = ib_fma(0.5f, c[k], b[k]);
}

static void *work_main(void *opaque)
{
    struct work *w = opaque;

    pthread_barrier_wait(w->barrier);
    w->begin = ib_bench_now(w->m->threads);
    w->run(w);
    w->end = ib_bench_now(w->m->threads);
    return NULL;
}

/* Seconds from the first to begin until the last has ended. */
static enum ib_status together(const struct work *what, double *seconds,
                               struct ib_error *err)
{
    struct work w[IB_THREADS_MAX];
    pthread_t thread[IB_THREADS_MAX];
    pthread_barrier_t barrier;
    int threads = what->m->threads;

    pthread_barrier_init(&barrier, NULL, (unsigned)threads);
    for (int i = threads - 1; i >= 0; i--) {
        w[i] = *what;
        w[i].thread = i;
        w[i].barrier = &barrier;
        if (i == 0)
            work_main(&w[0]);
        else if (pthread_create(&thread[i], NULL, work_main, &w[i]) != 0)
            return ib_error_set(err, IB_E_IO, "bench: no %d threads", threads);
    }
    double begin = w[0].begin, end = w[0].end;
    for (int i = 1; i < threads; i++) {
        pthread_join(thread[i], NULL);
        begin = fmin(begin, w[i].begin);
        end = fmax(end, w[i].end);
    }
    pthread_barrier_destroy(&barrier);
    *seconds = end - begin;
    return IB_OK;
}

static enum ib_status best_of(const struct work *what, double *seconds,
                              struct ib_error *err)
{
    enum ib_status s = IB_OK;

    *seconds = INFINITY;
    for (int i = 0; i < REPEATS && !s; i++) {
        double t;
        s = together(what, &t, err);
        if (!s)
            *seconds = fmin(*seconds, t);
    }
    return s;
}

enum ib_status ib_bench_machine_sample(struct ib_bench_machine *m,
                                       struct ib_bench_rates *out,
                                       struct ib_error *err)
{
    double threads = m->threads, t = NAN;
    enum ib_status s = IB_OK;

    *out = (struct ib_bench_rates){.peak = 0};
    for (int i = 0; i < IB_BENCH_SIZES; i++) {
        double n = ib_bench_sizes[i];

        out->gemm[i] = NAN;
        if (i >= m->sizes || s)
            continue;
        s = best_of(
            &(struct work){.m = m, .run = multiply, .size = ib_bench_sizes[i]},
            &t, err);
        out->gemm[i] = threads * 2 * n * n * n / t;
        out->peak = fmax(out->peak, out->gemm[i]);
    }
    if (!s)
        s = best_of(&(struct work){.m = m, .run = triad}, &t, err);
    out->bandwidth = 3.0 * STREAM * sizeof(float) / t;
    return s;
}
