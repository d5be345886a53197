/*
 * Exact nearest neighbours and ranks among many rows.
 *
 * |a - b|^2 = |a|^2 + |b|^2 - 2 ab by a float matrix product, block by block.
 * Its error is at most (D + 4) u (|a| + |b|)^2 with u = 2^-24, whatever the
 * order of summation (Higham, "Accuracy and Stability of Numerical
 * Algorithms", 2002, section 3.1): rows that this bound cannot tell apart are
 * compared exactly.
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include <invbench/math.h>
#include <invbench/metric.h>

enum { BLOCK = 256 };

static double distance2_bytes(size_t d, const uint8_t *a, const uint8_t *b)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < d; i++) {
        int x = a[i] - b[i];
        sum += (uint64_t)(x * x);
    }
    return (double)sum / (255.0 * 255.0);
}

static double distance2_floats(size_t d, const float *a, const float *b)
{
    double sum = 0;
    for (size_t i = 0; i < d; i++) {
        double x = (double)a[i] - (double)b[i];
        sum = fma(x, x, sum);
    }
    return sum;
}

double ib_rows_distance2(size_t d, const struct ib_rows *a, size_t i,
                         const struct ib_rows *b, size_t j)
{
    if (a->bytes)
        return distance2_bytes(d, a->bytes + i * d, b->bytes + j * d);
    return distance2_floats(d, a->floats + i * d, b->floats + j * d);
}

/* Blocks of rows as floats, and their products. */
struct block {
    size_t d;
    float *a, *b;    /* BLOCK x d */
    double *aa, *bb; /* BLOCK: squared lengths */
    float *ab;       /* BLOCK x BLOCK */
};

static bool block_take(struct block *t, size_t d, struct ib_scratch *scratch)
{
    t->d = d;
    t->a = ib_scratch_take(scratch, BLOCK * d, sizeof(float));
    t->b = ib_scratch_take(scratch, BLOCK * d, sizeof(float));
    t->ab = ib_scratch_take(scratch, (size_t)BLOCK * BLOCK, sizeof(float));
    t->aa = ib_scratch_take(scratch, BLOCK, sizeof(double));
    t->bb = ib_scratch_take(scratch, BLOCK, sizeof(double));
    return t->a && t->b && t->ab && t->aa && t->bb;
}

static size_t block_load(const struct ib_rows *rows, size_t first, size_t d,
                         float *x, double *xx)
{
    size_t n = rows->n - first < BLOCK ? rows->n - first : BLOCK;
    if (rows->bytes)
        ib_image_to_float(rows->bytes + first * d, n * d, x);
    else
        memcpy(x, rows->floats + first * d, n * d * sizeof *x);
    for (size_t i = 0; i < n; i++)
        xx[i] = ib_dot(d, x + i * d, x + i * d);
    return n;
}

static void block_multiply(const struct block *t, size_t n, size_t m)
{
    int d = (int)t->d;
    struct ib_gemm g = {.tb = true,
                        .m = (int)n,
                        .n = (int)m,
                        .k = d,
                        .alpha = 1,
                        .lda = d,
                        .ldb = d,
                        .ldc = BLOCK};
    ib_sgemm(t->ab, t->a, t->b, &g);
}

/* Distance of rows i and j of the block, and how wrong it may be. */
static double block_distance2(const struct block *t, size_t i, size_t j,
                              double *slack)
{
    double both = t->aa[i] + t->bb[j];
    *slack = ((double)t->d + 4) * 0x1p-24 * 2 * both;
    return both - 2.0 * (double)t->ab[i * BLOCK + j];
}

static void nearest_block(const struct ib_nearest *q, const struct block *t,
                          size_t first, size_t n)
{
    for (size_t i = 0; i < n; i++)
        q->distance2[first + i] = INFINITY;
    for (size_t j0 = 0; j0 < q->b.n; j0 += BLOCK) {
        size_t m = block_load(&q->b, j0, q->d, t->b, t->bb);
        block_multiply(t, n, m);
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < m; j++) {
                double slack, x = block_distance2(t, i, j, &slack);
                if (x - slack >= q->distance2[first + i])
                    continue;
                x = ib_rows_distance2(q->d, &q->a, first + i, &q->b, j0 + j);
                if (x < q->distance2[first + i]) {
                    q->distance2[first + i] = x;
                    q->index[first + i] = j0 + j;
                }
            }
    }
}

static enum ib_status no_memory(size_t n, struct ib_error *err)
{
    return ib_error_set(err, IB_E_NOMEM,
                        "no memory to compare %zu rows with the data", n);
}

enum ib_status ib_nearest_find(const struct ib_nearest *q,
                               struct ib_scratch *scratch, struct ib_error *err)
{
    size_t mark = ib_scratch_mark(scratch);
    struct block t;
    enum ib_status status = IB_OK;
    assert(q->b.n > 0 && !q->a.bytes == !q->b.bytes);
    if (!block_take(&t, q->d, scratch))
        status = no_memory(q->a.n, err);
    for (size_t i = 0; !status && i < q->a.n; i += BLOCK)
        nearest_block(q, &t, i, block_load(&q->a, i, q->d, t.a, t.aa));
    ib_scratch_reset(scratch, mark);
    return status;
}

/* Distance to the nearest row of the target's own; infinite: none. */
static double own_distance2(const struct ib_ranking *q, size_t i)
{
    double best = INFINITY;
    for (size_t j = 0; j < q->b.n; j++)
        if (q->identity[j] == q->target[i]) {
            double x = ib_rows_distance2(q->d, &q->a, i, &q->b, j);
            if (x < best)
                best = x;
        }
    return best;
}

struct contender {
    size_t row, place; /* among all rows of a, in its block */
    double own;        /* squared distance to the target's nearest row */
    bool *closer;      /* K: identities found within that distance */
};

static void ranking_mark(const struct ib_ranking *q, const struct block *t,
                         const struct contender *c, size_t j0, size_t m)
{
    for (size_t j = 0; j < m; j++) {
        int32_t who = q->identity[j0 + j];
        if (who == q->target[c->row] || c->closer[who])
            continue;
        double slack, x = block_distance2(t, c->place, j, &slack);
        if (x - slack > c->own)
            continue;
        if (x + slack > c->own)
            x = ib_rows_distance2(q->d, &q->a, c->row, &q->b, j0 + j);
        c->closer[who] = x <= c->own;
    }
}

static void ranking_block(const struct ib_ranking *q, const struct block *t,
                          size_t first, size_t n, bool *closer, double *own)
{
    size_t k = (size_t)q->classes;
    memset(closer, 0, n * k * sizeof *closer);
    for (size_t i = 0; i < n; i++)
        own[i] = own_distance2(q, first + i);
    for (size_t j0 = 0; j0 < q->b.n; j0 += BLOCK) {
        size_t m = block_load(&q->b, j0, q->d, t->b, t->bb);
        block_multiply(t, n, m);
        for (size_t i = 0; i < n; i++) {
            struct contender c = {first + i, i, own[i], closer + i * k};
            ranking_mark(q, t, &c, j0, m);
        }
    }
    for (size_t i = 0; i < n; i++) {
        int rank = 1;
        for (size_t c = 0; c < k; c++)
            rank += closer[i * k + c];
        q->rank[first + i] = own[i] < INFINITY ? rank : 0;
    }
}

enum ib_status ib_ranking_find(const struct ib_ranking *q,
                               struct ib_scratch *scratch, struct ib_error *err)
{
    size_t mark = ib_scratch_mark(scratch);
    struct block t;
    enum ib_status status = IB_OK;
    bool *closer =
        ib_scratch_take(scratch, BLOCK * (size_t)q->classes, sizeof *closer);
    double *own = ib_scratch_take(scratch, BLOCK, sizeof *own);
    if (!closer || !own || !block_take(&t, q->d, scratch))
        status = no_memory(q->a.n, err);
    for (size_t i = 0; !status && i < q->a.n; i += BLOCK)
        ranking_block(q, &t, i, block_load(&q->a, i, q->d, t.a, t.aa), closer,
                      own);
    ib_scratch_reset(scratch, mark);
    return status;
}
