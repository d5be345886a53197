#include "evaluate.h"

#include <math.h>

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

static double respond(const struct ib_stack *stack, int k, float *scores,
                      float *before, const struct ib_asker *who, int *label)
{
    double moved = 0;
    for (int i = 0; i < k; i++)
        before[i] = scores[i];
    *label = ib_stack_respond(stack, k, scores, who);
    for (int i = 0; i < k; i++)
        moved += fabs((double)scores[i] - (double)before[i]);
    return moved;
}

void ib_utility_add(struct ib_utility *u, const struct ib_stack *stack,
                    const struct ib_utility_rows *rows)
{
    size_t k = (size_t)rows->classes;
    float *before = rows->scores + rows->n * k;
    for (size_t i = 0; i < rows->n; i++) {
        struct ib_asker who = {
            .seed = rows->seed, .identity = -1, .ordinal = rows->first + i};
        float *scores = rows->scores + i * k;
        int label, truth = rows->label[i];
        u->distortion +=
            respond(stack, rows->classes, scores, before, &who, &label);
        u->n++;
        u->hits += label == truth;
        u->total[truth]++;
        u->correct[truth] += label == truth;
        ib_ece_add(&u->ece, scores[label], label == truth);
    }
}
