#include "evaluate.h"

#include <math.h>
#include <string.h>

void ib_ece_add(struct ib_ece *e, double confidence, bool correct)
{
    double c = fmin(fmax(confidence, 0), 1);
    int b = (int)(c * IB_ECE_BINS);
    if (b >= IB_ECE_BINS)
        b = IB_ECE_BINS - 1;
    e->confidence[b] += c;
    e->n[b]++;
    e->correct[b] += correct;
}

double ib_ece_value(const struct ib_ece *e)
{
    size_t n = 0;
    double gap = 0;
    for (int b = 0; b < IB_ECE_BINS; b++) {
        n += e->n[b];
        gap += fabs((double)e->correct[b] - e->confidence[b]);
    }
    return n ? gap / (double)n : NAN;
}

static double moved(int k, const float *scores, const float *before)
{
    double sum = 0;
    for (int i = 0; i < k; i++)
        sum += fabs((double)scores[i] - (double)before[i]);
    return sum;
}

enum ib_status ib_utility_add(struct ib_utility *u,
                              const struct ib_stack *stack,
                              const struct ib_utility_rows *rows,
                              struct ib_error *err)
{
    size_t k = (size_t)rows->classes;
    float *before = rows->scores + rows->n * k;
    for (size_t i = 0; i < rows->n; i++) {
        struct ib_asker who = {
            .seed = rows->seed, .identity = -1, .ordinal = rows->first + i};
        float *scores = rows->scores + i * k;
        int label, truth = rows->label[i];
        memcpy(before, scores, k * sizeof *before);
        enum ib_status status =
            ib_stack_respond(stack, rows->classes, scores, &who, &label, err);
        if (status)
            return status;
        u->distortion += moved(rows->classes, scores, before);
        u->n++;
        u->hits += label == truth;
        u->total[truth]++;
        u->correct[truth] += label == truth;
        ib_ece_add(&u->ece, scores[label], label == truth);
    }
    return IB_OK;
}
