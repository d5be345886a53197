/*
 * What must hold between splits. Exact repeats are found by a hash of the
 * pixels; near-duplicates by a filter that loses none: each image, shifted to
 * mean 0 and scaled to norm 1, is projected on a few low cosine frequencies
 * (orthonormal directions, so distances can only shrink), private and public
 * images are sorted along the frequency that spreads them most, and only pairs
 * that stay near in the projection are compared in full.
 */
#include "data_io.h"

#include <invbench/math.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FREQUENCIES = 5, COEFFICIENTS = FREQUENCIES * FREQUENCIES - 1 };

struct place { /* one image of one split */
    uint64_t hash;
    size_t index;
    int split;
};

static const uint8_t *pixels_at(const struct ib_images *x, size_t i)
{
    return x->pixels + i * ib_shape_size(x->shape);
}

/* --- identities --------------------------------------------------------- */

static enum ib_status check_identities(const struct ib_dataset *d,
                                       struct ib_error *err)
{
    size_t count = (size_t)d->identities;
    uint8_t *seen = calloc(count > 0 ? count : 1, 1);
    if (seen == NULL)
        return ib_error_set(err, IB_E_NOMEM, "no memory for %zu identities",
                            count);
    enum ib_status s = IB_OK;
    for (int k = 0; k < IB_SPLITS && s == IB_OK; k++) {
        for (size_t i = 0; i < d->split[k].n && s == IB_OK; i++) {
            int id = d->split[k].identity[i];
            bool private = id >= 0 && id < d->classes;
            bool wrong = k == IB_PUBLIC ? private : k != IB_AUX && !private;
            if (id < 0 || id >= d->identities || wrong)
                s = ib_error_set(err, IB_E_DATA,
                                 "image %zu of split %s is of identity %d; %d "
                                 "of %d identities are private",
                                 i, ib_split_names[k], id, d->classes,
                                 d->identities);
            else if (k == IB_TRAIN)
                seen[id] = 1;
        }
    }
    for (int i = 0; i < d->classes && s == IB_OK; i++)
        if (seen[i] == 0)
            s = ib_error_set(err, IB_E_DATA,
                             "identity %d (%s) of %d has no training image", i,
                             d->names[i], d->classes);
    free(seen);
    return s;
}

/* --- the same image twice ----------------------------------------------- */

static uint64_t hash_bytes(const uint8_t *x, size_t n)
{
    uint64_t h = 0x9e3779b97f4a7c15u ^ n, w = 0;
    for (size_t i = 0; i < n; i += 8) {
        size_t m = n - i < 8 ? n - i : 8;
        w = 0;
        memcpy(&w, x + i, m);
        h = (h ^ w) * 0xff51afd7ed558ccdu;
        h ^= h >> 32;
    }
    return h;
}

static int by_hash(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    if (x->split != y->split)
        return x->split - y->split;
    return x->index < y->index ? -1 : x->index > y->index;
}

static enum ib_status name_pair(const struct ib_dataset *d,
                                const struct place *a, const struct place *b,
                                const char *what, struct ib_error *err)
{
    const struct ib_images *x = &d->split[a->split], *y = &d->split[b->split];
    return ib_error_set(err, IB_E_DATA,
                        "image %zu of split %s (%s) and image %zu of split %s "
                        "(%s) are %s",
                        a->index, ib_split_names[a->split],
                        d->names[x->identity[a->index]], b->index,
                        ib_split_names[b->split],
                        d->names[y->identity[b->index]], what);
}

static size_t list_places(const struct ib_dataset *d, struct place *p)
{
    size_t n = 0, size = ib_shape_size(d->shape);
    for (int k = 0; k < IB_SPLITS; k++)
        for (size_t i = 0; i < d->split[k].n; i++, n++)
            p[n] = (struct place){hash_bytes(pixels_at(&d->split[k], i), size),
                                  i, k};
    return n;
}

static enum ib_status check_repeats(const struct ib_dataset *d,
                                    struct ib_error *err)
{
    size_t total = 0, size = ib_shape_size(d->shape);
    for (int k = 0; k < IB_SPLITS; k++)
        total += d->split[k].n;
    struct place *p = calloc(total + 1, sizeof *p);
    if (p == NULL)
        return ib_error_set(err, IB_E_NOMEM, "no memory for %zu hashes", total);
    list_places(d, p);
    qsort(p, total, sizeof *p, by_hash);
    enum ib_status s = IB_OK;
    for (size_t i = 1; i < total && s == IB_OK; i++)
        if (p[i].hash == p[i - 1].hash && p[i].split != p[i - 1].split &&
            memcmp(pixels_at(&d->split[p[i].split], p[i].index),
                   pixels_at(&d->split[p[i - 1].split], p[i - 1].index),
                   size) == 0)
            s = name_pair(d, &p[i - 1], &p[i], "the same", err);
    free(p);
    return s;
}

/* --- near-duplicates ---------------------------------------------------- */

struct sketch {
    float c[COEFFICIENTS];
    float key;          /* the coefficient that is sorted by */
    double mean, scale; /* (x - mean) * scale has norm 1; scale 0: flat */
    struct place at;
};

struct sketches {
    const struct ib_dataset *set;
    struct sketch *item;
    size_t n;
    double *basis; /* FREQUENCIES rows of length h, then of length w */
};

static void fill_basis(double *basis, int length)
{
    const double pi = 3.14159265358979323846;
    for (int f = 0; f < FREQUENCIES; f++)
        for (int i = 0; i < length; i++)
            basis[f * length + i] =
                f >= length ? 0
                            : sqrt((f == 0 ? 1.0 : 2.0) / length) *
                                  ib_cos(pi * f * (i + 0.5) / length);
}

static void moments(const uint8_t *x, size_t n, double *mean, double *scale)
{
    uint64_t sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++) {
        sum += x[i];
        squares += (uint64_t)x[i] * x[i];
    }
    double m = (double)sum / (double)n;
    double v = (double)squares - m * (double)sum;
    *mean = m;
    *scale = v > 1e-6 ? 1 / sqrt(v) : 0;
}

/* c = the low frequencies of the sum over channels, made orthonormal. */
static void project(const struct sketches *s, const uint8_t *x,
                    struct sketch *out)
{
    int C = s->set->shape.c, H = s->set->shape.h, W = s->set->shape.w;
    const double *by = s->basis, *bx = s->basis + FREQUENCIES * H;
    double sum[FREQUENCIES][FREQUENCIES] = {{0}};
    for (int row = 0; row < C * H; row++) {
        double line[FREQUENCIES] = {0};
        for (int f = 0; f < FREQUENCIES; f++)
            for (int i = 0; i < W; i++)
                line[f] +=
                    bx[f * W + i] * x[(size_t)row * (size_t)W + (size_t)i];
        for (int g = 0; g < FREQUENCIES; g++)
            for (int f = 0; f < FREQUENCIES; f++)
                sum[g][f] += by[g * H + row % H] * line[f];
    }
    for (int k = 0; k < COEFFICIENTS; k++) { /* without the mean */
        double v = sum[(k + 1) / FREQUENCIES][(k + 1) % FREQUENCIES];
        out->c[k] = (float)(v * out->scale / sqrt((double)C));
    }
}

static void add_split(struct sketches *s, int split)
{
    const struct ib_images *x = &s->set->split[split];
    for (size_t i = 0; i < x->n; i++) {
        struct sketch *k = &s->item[s->n];
        moments(pixels_at(x, i), ib_shape_size(x->shape), &k->mean, &k->scale);
        if (k->scale == 0)
            continue; /* flat: nothing to compare but the value */
        k->at = (struct place){0, i, split};
        project(s, pixels_at(x, i), k);
        s->n++;
    }
}

static int widest(const struct sketches *s)
{
    int best = 0;
    double most = -1;
    for (int k = 0; k < COEFFICIENTS; k++) {
        double sum = 0, squares = 0;
        for (size_t i = 0; i < s->n; i++) {
            sum += s->item[i].c[k];
            squares += (double)s->item[i].c[k] * s->item[i].c[k];
        }
        double v = squares - sum * sum / (double)s->n;
        if (v > most) {
            most = v;
            best = k;
        }
    }
    return best;
}

static int by_key(const void *a, const void *b)
{
    const struct sketch *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    if (x->at.split != y->at.split)
        return x->at.split - y->at.split;
    return x->at.index < y->at.index ? -1 : x->at.index > y->at.index;
}

static bool near_in_projection(const struct sketch *a, const struct sketch *b,
                               float bound)
{
    float d = 0;
    for (int k = 0; k < COEFFICIENTS && d <= bound; k += 4)
        for (int j = k; j < k + 4; j++)
            d += (a->c[j] - b->c[j]) * (a->c[j] - b->c[j]);
    return d <= bound;
}

static bool near_in_full(const struct ib_dataset *set, const struct sketch *a,
                         const struct sketch *b)
{
    const uint8_t *x = pixels_at(&set->split[a->at.split], a->at.index);
    const uint8_t *y = pixels_at(&set->split[b->at.split], b->at.index);
    size_t n = ib_shape_size(set->shape);
    uint64_t dot = 0;
    for (size_t i = 0; i < n; i++)
        dot += (uint64_t)x[i] * y[i];
    double covariance = (double)dot - (double)n * a->mean * b->mean;
    double correlation = covariance * a->scale * b->scale;
    return 2 - 2 * correlation < IB_NEAR_DUPLICATE * IB_NEAR_DUPLICATE;
}

/* Both sorted by key. */
static enum ib_status sweep(const struct ib_dataset *set,
                            const struct sketch *privates, size_t n,
                            const struct sketch *publics, size_t m,
                            struct ib_error *err)
{
    /* A little wider than the threshold: the sketches are floats. */
    const float reach = (float)IB_NEAR_DUPLICATE + 1e-4f;
    size_t first = 0;
    for (size_t j = 0; j < m; j++) {
        const struct sketch *b = &publics[j];
        while (first < n && privates[first].key < b->key - reach)
            first++;
        for (size_t i = first; i < n && privates[i].key <= b->key + reach; i++)
            if (near_in_projection(&privates[i], b, reach * reach) &&
                near_in_full(set, &privates[i], b))
                return name_pair(set, &privates[i].at, &b->at,
                                 "nearly the same (correlation above 0.995)",
                                 err);
    }
    return IB_OK;
}

/* Returns how many of the sketches are private. */
static size_t sketch_all(struct sketches *s)
{
    fill_basis(s->basis, s->set->shape.h);
    fill_basis(s->basis + FREQUENCIES * s->set->shape.h, s->set->shape.w);
    add_split(s, IB_TRAIN);
    add_split(s, IB_HOLDOUT);
    size_t privates = s->n;
    add_split(s, IB_PUBLIC);
    int k = s->n > 0 ? widest(s) : 0;
    for (size_t i = 0; i < s->n; i++)
        s->item[i].key = s->item[i].c[k];
    qsort(s->item, privates, sizeof *s->item, by_key);
    qsort(s->item + privates, s->n - privates, sizeof *s->item, by_key);
    return privates;
}

static enum ib_status check_near(const struct ib_dataset *d,
                                 struct ib_error *err)
{
    size_t total =
        d->split[IB_TRAIN].n + d->split[IB_HOLDOUT].n + d->split[IB_PUBLIC].n;
    size_t lines = (size_t)d->shape.h + (size_t)d->shape.w;
    struct sketches s = {.set = d};
    enum ib_status st = IB_OK;
    if (d->split[IB_PUBLIC].n == 0)
        return IB_OK;
    s.item = calloc(total, sizeof *s.item);
    s.basis = calloc(lines * FREQUENCIES, sizeof *s.basis);
    if (s.item == NULL || s.basis == NULL) {
        st = ib_error_set(err, IB_E_NOMEM, "no memory to compare %zu images",
                          total);
    } else {
        size_t n = sketch_all(&s);
        st = sweep(d, s.item, n, s.item + n, s.n - n, err);
    }
    free(s.item);
    free(s.basis);
    return st;
}

enum ib_status ib_dataset_assert(const struct ib_dataset *d,
                                 struct ib_error *err)
{
    enum ib_status s = check_identities(d, err);
    if (s == IB_OK)
        s = check_repeats(d, err);
    if (s == IB_OK)
        s = check_near(d, err);
    return s;
}
