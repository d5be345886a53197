/*
 * How fast scoring is, on one core: the nearest of 60 000 images of 784 values
 * for each of 1000 reconstructions (below 2 s), checked against brute force on
 * some; a table of leakages with their intervals, 10 000 resamples each (below
 * 1 s). CPU time, median of rounds.
 *
 * bench_score [ROUNDS]
 * bench_score serve: for bench/score_rows.py, which holds SSIM against
 * scikit-image. Reads lines "FILE CHANNELS ROWS COLUMNS N M": N, then M images,
 * uint8, in a file; answers with the SSIM of all N x M pairs as JSON: seconds
 * one pair at a time and as a matrix, and the values of both.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <invbench/math.h>
#include <invbench/metric.h>
#include <invbench/rng.h>

#include "results_parts.h"

enum {
    FOUND = 1000,
    IMAGES = 60000,
    VALUES = 784,
    CHECKED = 50,
    ROUNDS_MAX = 99,
    PEOPLE = 40,
    SEEDS = 5,
    ROWS = 16, /* of a table: 4 attacks behind 4 defenses */
    EVALUATORS = 3,
};

static void need(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "bench_score: %s\n", what);
    exit(1);
}

static void must(enum ib_status s, const struct ib_error *err)
{
    need(s == IB_OK, err->text);
}

static void *take(size_t n, size_t size)
{
    void *p = calloc(n, size);
    need(p != NULL, "no memory");
    return p;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static double median(double *x, int n)
{
    qsort(x, (size_t)n, sizeof *x, by_value);
    return n % 2 ? x[n / 2] : (x[n / 2 - 1] + x[n / 2]) / 2;
}

/* --- nearest neighbours ----------------------------------------------------
 */

/* Strokes like those of digits: of blocks of four values half are black. */
static void draw(uint8_t *out, size_t n, struct ib_rng *rng)
{
    for (size_t i = 0; i < n; i += 4) {
        uint32_t r = ib_rng_u32(rng);
        for (size_t j = 0; j < 4; j++)
            out[i + j] = (uint8_t)(r % 2 ? r >> (8 * j) : 0);
    }
}

static size_t nearest_of(const struct ib_nearest *q, size_t i, double *least)
{
    size_t best = 0;

    *least = INFINITY;
    for (size_t j = 0; j < q->b.n; j++) {
        double x = ib_rows_distance2(q->d, &q->a, i, &q->b, j);
        if (x < *least) {
            *least = x;
            best = j;
        }
    }
    return best;
}

static void nearest(int rounds)
{
    struct ib_rng rng = ib_rng_stream(1, "bench", -1, "nearest");
    struct ib_scratch *scratch = ib_scratch_create((size_t)1 << 30);
    uint8_t *a = take(FOUND, VALUES), *b = take(IMAGES, VALUES);
    struct ib_nearest q = {.d = VALUES,
                           .a = {.n = FOUND, .bytes = a},
                           .b = {.n = IMAGES, .bytes = b},
                           .index = take(FOUND, sizeof(size_t)),
                           .distance2 = take(FOUND, sizeof(double))};
    struct ib_error err;
    double seconds[ROUNDS_MAX], least;

    need(scratch != NULL, "no memory");
    draw(b, (size_t)IMAGES * VALUES, &rng);
    draw(a, (size_t)FOUND * VALUES, &rng);
    for (size_t i = 0; i < FOUND; i++) /* half of an image each */
        memcpy(a + i * VALUES, b + i * 57 * VALUES, VALUES / 2);
    for (int k = 0; k < rounds; k++) {
        double start = now();
        must(ib_nearest_find(&q, scratch, &err), &err);
        seconds[k] = now() - start;
    }
    for (size_t i = 0; i < CHECKED; i++) {
        size_t at = i * (FOUND / CHECKED);
        size_t best = nearest_of(&q, at, &least);
        need(q.index[at] == best && q.distance2[at] == least,
             "the nearest is not that of brute force");
    }
    printf("nearest of %d for %d images of %d values: %.2f s (below 2); %d "
           "equal brute force\n",
           IMAGES, FOUND, VALUES, median(seconds, rounds), CHECKED);
    ib_scratch_free(scratch);
    free(a);
    free(b);
    free(q.index);
    free(q.distance2);
}

/* --- a table ---------------------------------------------------------------
 */

static struct ib_panel coin(double p, struct ib_rng *rng)
{
    struct ib_panel x = ib_panel_make(SEEDS, PEOPLE);

    need(x.v != NULL, "no memory");
    for (int i = 0; i < SEEDS * PEOPLE; i++)
        x.v[i] = ib_rng_uniform(rng) < p;
    return x;
}

static void task_make(struct ib_leakage_task *t, double p, struct ib_rng *rng)
{
    static const char *const ids[EVALUATORS] = {"a", "b", "c"};

    *t = (struct ib_leakage_task){.n = EVALUATORS};
    for (int i = 0; i < EVALUATORS; i++) {
        struct ib_leakage_evaluator *e = &t->evaluator[i];
        *e = (struct ib_leakage_evaluator){
            .id = ids[i], .accuracy = 0.95, .target_accuracy = 0.9};
        e->q = coin(p, rng);
        e->ceiling = coin(0.95, rng);
        for (int f = 0; f < IB_FLOORS; f++)
            e->floor[f] = coin(0.1, rng);
    }
}

static void table(int rounds)
{
    struct ib_rng rng = ib_rng_stream(1, "bench", -1, "table");
    static struct ib_leakage_task row[ROWS];
    double seconds[ROUNDS_MAX];
    struct ib_error err;

    for (int i = 0; i < ROWS; i++)
        task_make(&row[i], 0.2 + 0.04 * i, &rng);
    for (int k = 0; k < rounds; k++) {
        double start = now();
        for (int i = 0; i < ROWS; i++) {
            struct ib_leakage x;
            struct ib_interval d;
            must(ib_leakage_make(&row[i], &x, &err), &err);
            must(ib_leakage_difference(&row[i], &row[i % 4], &d, &err), &err);
        }
        seconds[k] = now() - start;
    }
    printf("a table of %d leakages and their differences, %d identities x %d "
           "seeds, %d evaluators, %d resamples each: %.2f s (below 1)\n",
           ROWS, PEOPLE, SEEDS, EVALUATORS, IB_RESAMPLES,
           median(seconds, rounds));
    for (int i = 0; i < ROWS; i++)
        ib_leakage_task_free(&row[i]);
}

/* --- SSIM ------------------------------------------------------------------
 */

static void print_list(const char *name, const double *x, size_t n)
{
    printf(", \"%s\": [", name);
    for (size_t i = 0; i < n; i++)
        printf("%s%.17g", i ? ", " : "", x[i]);
    printf("]");
}

static void answer(const uint8_t *all, struct ib_shape s, size_t n, size_t m)
{
    size_t d = ib_shape_size(s);
    struct ib_scratch *scratch = ib_scratch_create((size_t)1 << 30);
    struct ib_ssim_pairs q = {.shape = s,
                              .n = n,
                              .m = m,
                              .a = all,
                              .b = all + n * d,
                              .out = take(n * m, sizeof(double))};
    double *one = take(n * m, sizeof *one);
    struct ib_error err;

    need(scratch != NULL, "no memory");
    double start = now();
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < m; j++)
            one[i * m + j] = ib_ssim(s, q.a + i * d, q.b + j * d);
    double middle = now();
    must(ib_ssim_matrix(&q, scratch, &err), &err);
    printf("{\"pairs_seconds\": %.9f, \"matrix_seconds\": %.9f", middle - start,
           now() - middle);
    print_list("pairs", one, n * m);
    print_list("matrix", q.out, n * m);
    printf("}\n");
    fflush(stdout);
    ib_scratch_free(scratch);
    free(q.out);
    free(one);
}

static void serve(void)
{
    char path[4096];
    struct ib_shape s;
    int n, m;

    while (scanf("%4095s %d %d %d %d %d", path, &s.c, &s.h, &s.w, &n, &m) ==
           6) {
        size_t bytes = (size_t)(n + m) * ib_shape_size(s);
        uint8_t *all = take(bytes, 1);
        FILE *f = fopen(path, "rb");
        need(f && fread(all, 1, bytes, f) == bytes, path);
        fclose(f);
        answer(all, s, (size_t)n, (size_t)m);
        free(all);
    }
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 5;

    if (argc > 1 && strcmp(argv[1], "serve") == 0) {
        serve();
        return 0;
    }
    need(rounds > 0 && rounds <= ROUNDS_MAX, "1 to 99 rounds");
    nearest(rounds);
    table(rounds);
    return 0;
}
