/* Scores of membership: of single answers, and LiRA's. */
#include "membership.h"

#include <math.h>
#include <stdlib.h>

#include <invbench/math.h>

static const double tiny = 1e-30;

const char *const ib_membership_names[IB_MEMBERSHIP_ATTACKS + 1] = {
    "loss", "confidence", "lira", "lira-offline", NULL};
const int ib_membership_rate[IB_MEMBERSHIP_RATES] = {1000, 100};

static double share(float p)
{
    return p > 0 ? (double)p : 0;
}

double ib_membership_loss(int classes, const float *p, int label)
{
    (void)classes;
    return ib_log(share(p[label]) + tiny);
}

double ib_membership_confidence(int classes, const float *p)
{
    double most = 0;

    for (int k = 0; k < classes; k++)
        most = fmax(most, share(p[k]));
    return most;
}

double ib_membership_logit(int classes, const float *p, int label)
{
    double others = 0;

    for (int k = 0; k < classes; k++)
        if (k != label)
            others += share(p[k]);
    return ib_log(share(p[label]) + tiny) - ib_log(others + tiny);
}

/* One side (in or out) of all images. */
struct side {
    double *mean, *square; /* of each image: mean, sum of squares about it */
    int *count;
    double pooled; /* variance */
};

static const double least_variance = 1e-12;

static void fit_image(const struct ib_lira *q, bool in, size_t i,
                      struct side *s)
{
    const double *x = q->shadow + i * (size_t)q->shadows;
    const uint8_t *learnt = q->in + i * (size_t)q->shadows;
    double sum = 0, square = 0, mean;
    int n = 0;

    for (int k = 0; k < q->shadows; k++)
        if (learnt[k] == in) {
            sum += x[k];
            n++;
        }
    mean = n ? sum / n : NAN;
    for (int k = 0; k < q->shadows; k++)
        if (learnt[k] == in)
            square += (x[k] - mean) * (x[k] - mean);
    s->mean[i] = mean;
    s->square[i] = square;
    s->count[i] = n;
}

static enum ib_status fit(const struct ib_lira *q, bool in, struct side *s,
                          struct ib_error *err)
{
    double square = 0, freedom = 0;

    for (size_t i = 0; i < q->n; i++) {
        fit_image(q, in, i, s);
        if (s->count[i] == 0)
            return ib_error_set(err, IB_E_DENIED,
                                "image %zu: no shadow model of %d %s it", i,
                                q->shadows, in ? "learnt from" : "did without");
        square += s->square[i];
        freedom += s->count[i] - 1;
    }
    if (!(freedom > 0))
        return ib_error_set(err, IB_E_DENIED,
                            "%d shadow models are too few to tell how their "
                            "answers vary",
                            q->shadows);
    s->pooled = fmax(square / freedom, least_variance);
    return IB_OK;
}

static double variance(const struct ib_lira *q, const struct side *s, size_t i)
{
    if (q->shadows < IB_LIRA_OWN || s->count[i] < 2)
        return s->pooled;
    return fmax(s->square[i] / (s->count[i] - 1), least_variance);
}

/* log N(x; mean, v) without its constant */
static double log_normal(double x, double mean, double v)
{
    return -0.5 * (ib_log(v) + (x - mean) * (x - mean) / v);
}

static void score_all(const struct ib_lira *q, const struct side *in,
                      const struct side *out, double *score)
{
    for (size_t i = 0; i < q->n; i++) {
        double x = q->target[i], v = variance(q, out, i);

        score[i] = q->online ? log_normal(x, in->mean[i], variance(q, in, i)) -
                                   log_normal(x, out->mean[i], v)
                             : (x - out->mean[i]) / sqrt(v);
    }
}

enum ib_status ib_lira_score(const struct ib_lira *q, double *score,
                             struct ib_error *err)
{
    double *room = calloc(4 * q->n + 1, sizeof(*room));
    int *counts = calloc(2 * q->n + 1, sizeof(*counts));
    enum ib_status s = IB_OK;

    if (!room || !counts) {
        s = ib_error_set(err, IB_E_NOMEM, "no memory for %zu images", q->n);
    } else {
        struct side out = {room, room + q->n, counts, 0};
        struct side in = {room + 2 * q->n, room + 3 * q->n, counts + q->n, 0};

        s = fit(q, false, &out, err);
        if (!s && q->online)
            s = fit(q, true, &in, err);
        if (!s)
            score_all(q, &in, &out, score);
    }
    free(room);
    free(counts);
    return s;
}
