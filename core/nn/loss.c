/*
 * Losses: the mean over rows, and its gradient.
 */
#include <invbench/graph.h>
#include <invbench/math.h>

/* -sum_j t_j log p_j with p = softmax(z); d / dz_j = p_j sum(t) - t_j. */
double ib_loss_cross_entropy(size_t n, size_t k, const float *logits,
                             const float *target, float *gradient)
{
    double loss = 0;
    for (size_t i = 0; i < n; i++, logits += k, target += k, gradient += k) {
        float top = logits[0];
        for (size_t j = 1; j < k; j++)
            top = logits[j] > top ? logits[j] : top;
        for (size_t j = 0; j < k; j++)
            gradient[j] = logits[j] - top;
        double cross = ib_dot(k, target, gradient);
        ib_vexp(k, gradient, gradient);
        double sum = ib_sum(k, gradient), mass = ib_sum(k, target);
        loss += mass * ib_log(sum) - cross;
        float scale = (float)(mass / sum / (double)n);
        float share = (float)(1.0 / (double)n);
        for (size_t j = 0; j < k; j++)
            gradient[j] = gradient[j] * scale - target[j] * share;
    }
    return loss / (double)n;
}

double ib_loss_mse(size_t n, size_t d, const float *y, const float *t,
                   float *gradient)
{
    double loss = 0, count = (double)n * (double)d;
    float scale = (float)(2.0 / count);
    for (size_t i = 0; i < n; i++, y += d, t += d, gradient += d) {
        for (size_t j = 0; j < d; j++)
            gradient[j] = y[j] - t[j];
        loss += ib_dot(d, gradient, gradient);
        for (size_t j = 0; j < d; j++)
            gradient[j] *= scale;
    }
    return loss / count;
}
