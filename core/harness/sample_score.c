/* What samples are worth: see sample.h. */
#include "sample.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <invbench/math.h>

#include "data_io.h"
#include "json_put.h"

enum { K_STANDARD = 5, K_INVERSION = 3 };

struct scoring {
    const struct ib_sample_task *t;
    size_t f; /* numbers of a feature row */
    float *sample_feature, *real_feature, *held_feature;
    cJSON *scores, *reasons;
    bool ok;
};

static enum ib_status no_memory(struct ib_error *err)
{
    return ib_error_set(err, IB_E_NOMEM, "no memory to score samples in");
}

static void put(struct scoring *s, const char *name, double x,
                const char *reason)
{
    ib_put_number(&s->ok, s->scores, name, x);
    if (!isfinite(x))
        ib_put_text(&s->ok, s->reasons, name,
                    reason ? reason : "it is not a number");
}

/* --- in features --------------------------------------------------------- */

static float *features_of(const struct scoring *s, const struct ib_images *x)
{
    float *out = ib_scratch_take(s->t->scratch, x->n + 1, s->f * sizeof(*out));

    if (out)
        ib_predict(s->t->net, s->t->input, s->t->features, x, out);
    return out;
}

static enum ib_status put_frechet(struct scoring *s, struct ib_error *err)
{
    const struct ib_sample_task *t = s->t;
    size_t real = t->real->n, held = t->held->n;
    struct ib_axes axes = {s->f, IB_FRECHET_AXES, NULL};
    struct ib_frechet q = {.n = t->samples->n, .m = held};
    float *both =
        ib_scratch_take(t->scratch, real + held, s->f * sizeof(*both));
    enum ib_status status;

    if (!both)
        return no_memory(err);
    memcpy(both, s->real_feature, real * s->f * sizeof(*both));
    memcpy(both + real * s->f, s->held_feature, held * s->f * sizeof(*both));
    status = real + held > 1
                 ? ib_axes_find(real + held, both, &axes, t->scratch, err)
                 : IB_OK;
    q.axes = axes;
    q.a = s->sample_feature;
    q.b = s->held_feature;
    if (!status)
        status = ib_frechet_find(&q, t->scratch, err);
    if (status)
        return status;
    put(s, "frechet", q.value, q.reason);
    q.a = s->real_feature;
    q.n = real;
    status = ib_frechet_find(&q, t->scratch, err);
    put(s, "frechet_real", q.value, q.reason);
    return status;
}

static enum ib_status put_prdc(struct scoring *s, const char *const names[4],
                               struct ib_prdc *q, struct ib_error *err)
{
    enum ib_status status;

    q->d = s->f;
    q->real = (struct ib_rows){.n = s->t->held->n, .floats = s->held_feature};
    status = ib_prdc_find(q, s->t->scratch, err);
    put(s, names[0], q->precision, q->reason);
    put(s, names[1], q->recall, q->reason);
    put(s, names[2], q->density, q->reason);
    put(s, names[3], q->coverage, q->reason);
    return status;
}

static enum ib_status put_prdcs(struct scoring *s, struct ib_error *err)
{
    static const char *const own[] = {"precision", "recall", "density",
                                      "coverage"};
    static const char *const real[] = {"precision_real", "recall_real",
                                       "density_real", "coverage_real"};
    static const char *const papers[] = {"mi_precision", "mi_recall",
                                         "mi_density", "mi_coverage"};
    const struct ib_rows samples = {.n = s->t->samples->n,
                                    .floats = s->sample_feature};
    struct ib_prdc q = {.k = K_STANDARD, .fake = samples}, r = q, p = q;
    enum ib_status status;

    r.fake = (struct ib_rows){.n = s->t->real->n, .floats = s->real_feature};
    p.k = K_INVERSION;
    p.inversion = true;
    status = put_prdc(s, own, &q, err);
    if (!status)
        status = put_prdc(s, real, &r, err);
    if (!status)
        status = put_prdc(s, papers, &p, err);
    return status;
}

/* Mean distance between two different rows; NaN below two. */
static double mean_distance(size_t n, size_t d, const float *x)
{
    const struct ib_rows rows = {.n = n, .floats = x};
    double sum = 0;

    if (n < 2)
        return NAN;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++)
            sum += sqrt(ib_rows_distance2(d, &rows, i, &rows, j));
    return sum / (0.5 * (double)n * (double)(n - 1));
}

/* False, and nulls, where the evaluator tells no two real images apart. */
static bool put_spread(struct scoring *s)
{
    static const char *const all[] = {
        "frechet",      "frechet_real",  "precision",      "recall",
        "density",      "coverage",      "precision_real", "recall_real",
        "density_real", "coverage_real", "mi_precision",   "mi_recall",
        "mi_density",   "mi_coverage"};
    double own = mean_distance(s->t->samples->n, s->f, s->sample_feature);
    double held = mean_distance(s->t->held->n, s->f, s->held_feature);
    bool blind = held < 1e-6;
    const char *why = blind ? "the evaluator's features of all held-out "
                              "public images are the same"
                            : "fewer than two public images are held out";

    put(s, "spread", blind ? NAN : own / held, why);
    for (size_t i = 0; blind && i < IB_COUNT(all); i++)
        put(s, all[i], NAN, why);
    return !blind;
}

/* --- in pixels ----------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *x, size_t n)
{
    if (n == 0)
        return NAN;
    qsort(x, n, sizeof(*x), compare);
    return 0.5 * (x[(n - 1) / 2] + x[n / 2]);
}

static enum ib_status put_nearest(struct scoring *s, const char *name,
                                  const struct ib_images *x, size_t *index,
                                  struct ib_error *err)
{
    const struct ib_images *seen = s->t->seen;
    size_t d = ib_shape_size(x->shape);
    double *distance =
        ib_scratch_take(s->t->scratch, x->n + 1, sizeof(*distance));
    struct ib_nearest q = {.d = d,
                           .a = {.n = x->n, .bytes = x->pixels},
                           .b = {.n = seen->n, .bytes = seen->pixels},
                           .index = index,
                           .distance2 = distance};
    enum ib_status status;

    if (!distance)
        return no_memory(err);
    status = ib_nearest_find(&q, s->t->scratch, err);
    for (size_t i = 0; i < x->n; i++)
        distance[i] = sqrt(distance[i] / (double)d);
    put(s, name, median(distance, x->n), "no public images are held out");
    return status;
}

/* Shifted to mean 0, scaled to norm 1; a flat image stays 0. */
static float *normalised(const struct scoring *s, const struct ib_images *x)
{
    size_t d = ib_shape_size(x->shape);
    float *out = ib_scratch_take(s->t->scratch, x->n + 1, d * sizeof(*out));

    for (size_t i = 0; out && i < x->n; i++) {
        float *row = out + i * d;
        double mean, norm;

        ib_image_to_float(x->pixels + i * d, d, row);
        mean = ib_sum(d, row) / (double)d;
        for (size_t j = 0; j < d; j++)
            row[j] = (float)((double)row[j] - mean);
        norm = sqrt(ib_dot(d, row, row));
        for (size_t j = 0; j < d; j++)
            row[j] = norm > 1e-6 ? (float)((double)row[j] / norm) : 0;
    }
    return out;
}

/* Share of the rows of a that nearly equal a row of b. */
static double share_near(size_t n, size_t d, const float *a,
                         const struct ib_nearest *q)
{
    size_t near = 0;

    for (size_t i = 0; i < n; i++)
        near += q->distance2[i] < IB_NEAR_DUPLICATE * IB_NEAR_DUPLICATE &&
                ib_dot(d, a + i * d, a + i * d) > 0.5;
    return n ? (double)near / (double)n : NAN;
}

static enum ib_status put_copies(struct scoring *s, const char *name,
                                 const struct ib_images *x, const float *seen,
                                 struct ib_error *err)
{
    size_t d = ib_shape_size(x->shape);
    float *a = normalised(s, x);
    struct ib_nearest q = {.d = d,
                           .a = {.n = x->n, .floats = a},
                           .b = {.n = s->t->seen->n, .floats = seen}};
    enum ib_status status;

    q.index = ib_scratch_take(s->t->scratch, x->n + 1, sizeof(*q.index));
    q.distance2 =
        ib_scratch_take(s->t->scratch, x->n + 1, sizeof(*q.distance2));
    if (!a || !q.index || !q.distance2)
        return no_memory(err);
    status = ib_nearest_find(&q, s->t->scratch, err);
    put(s, name, share_near(x->n, d, a, &q), "no public images are held out");
    return status;
}

/* Correlations by a matrix product: a distance below IB_NEAR_DUPLICATE is a
 * product above 1 - IB_NEAR_DUPLICATE^2 / 2. */
static enum ib_status put_repeats(struct scoring *s, const char *name,
                                  const struct ib_images *x,
                                  struct ib_error *err)
{
    size_t d = ib_shape_size(x->shape), n = x->n, repeats = 0;
    const float limit = (float)(1 - IB_NEAR_DUPLICATE * IB_NEAR_DUPLICATE / 2);
    const struct ib_gemm g = {.tb = true,
                              .m = (int)n,
                              .n = (int)n,
                              .k = (int)d,
                              .alpha = 1,
                              .lda = (int)d,
                              .ldb = (int)d,
                              .ldc = (int)n};
    const float *a = normalised(s, x);
    float *c = ib_scratch_take(s->t->scratch, n + 1, n * sizeof(*c));

    if (!a || !c)
        return no_memory(err);
    if (n > 0)
        ib_sgemm(c, a, a, &g);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            if (j != i && c[i * n + j] > limit) {
                repeats++;
                break;
            }
    put(s, name, n > 1 ? (double)repeats / (double)n : NAN,
        "fewer than two public images are held out");
    return IB_OK;
}

/* --- all ----------------------------------------------------------------- */

static enum ib_status in_features(struct scoring *s, struct ib_error *err)
{
    enum ib_status status;

    s->sample_feature = features_of(s, s->t->samples);
    s->real_feature = features_of(s, s->t->real);
    s->held_feature = features_of(s, s->t->held);
    if (!s->sample_feature || !s->real_feature || !s->held_feature)
        return no_memory(err);
    if (!put_spread(s))
        return IB_OK;
    status = put_frechet(s, err);
    return status ? status : put_prdcs(s, err);
}

static enum ib_status in_pixels(struct scoring *s, size_t *nearest,
                                struct ib_error *err)
{
    const struct ib_sample_task *t = s->t;
    size_t mark = ib_scratch_mark(t->scratch);
    size_t *spare = ib_scratch_take(t->scratch, t->held->n + 1, sizeof(*spare));
    const float *seen = normalised(s, t->seen);
    enum ib_status status;

    if (!spare || !seen)
        return no_memory(err);
    status = put_nearest(s, "nearest", t->samples, nearest, err);
    if (!status)
        status = put_nearest(s, "nearest_real", t->held, spare, err);
    if (!status)
        status = put_copies(s, "copies", t->samples, seen, err);
    if (!status)
        status = put_copies(s, "copies_real", t->held, seen, err);
    if (!status)
        status = put_repeats(s, "repeats", t->samples, err);
    if (!status)
        status = put_repeats(s, "repeats_real", t->held, err);
    ib_scratch_reset(t->scratch, mark);
    return status;
}

static void put_maybe(bool *ok, cJSON *o, const char *name, int yes)
{
    ib_put(ok, o, name, yes < 0 ? cJSON_CreateNull() : cJSON_CreateBool(yes));
}

enum ib_status ib_sample_score(const struct ib_sample_task *t, cJSON *out,
                               size_t *nearest, struct ib_error *err)
{
    struct scoring s = {.t = t, .ok = true};
    struct ib_text words = {0};
    struct ib_sample_verdict v;
    enum ib_status status;

    s.f = ib_shape_size(ib_graph_shape(ib_net_graph(t->net), t->features));
    ib_put_number(&s.ok, out, "features", (double)s.f);
    s.scores = ib_put_object(&s.ok, out, "scores");
    s.reasons = ib_put_object(&s.ok, out, "reasons");
    status = in_features(&s, err);
    if (!status)
        status = in_pixels(&s, nearest, err);
    if (status)
        return status;
    v = ib_sample_verdict(s.scores, &words);
    put_maybe(&s.ok, out, "collapse", v.collapse);
    put_maybe(&s.ok, out, "unlike", v.unlike);
    ib_put(&s.ok, out, "copying", cJSON_CreateBool(v.copying));
    ib_put_text(&s.ok, out, "verdict", ib_text_string(&words));
    s.ok = s.ok && ib_text_status(&words, NULL) == IB_OK;
    ib_text_free(&words);
    return s.ok ? IB_OK : no_memory(err);
}
