/*
 * Losses: the mean over rows, and its gradient.
 */
#include <invbench/losses.h>
#include <invbench/math.h>

/* -sum_j t_j log p_j with p = softmax(z); d / dz_j = p_j sum(t) - t_j. */
double ib_loss_cross_entropy(size_t n, size_t k, const ib_real *logits,
                             const ib_real *target, ib_real *gradient)
{
    double loss = 0;
    for (size_t i = 0; i < n; i++, logits += k, target += k, gradient += k) {
        ib_real top = logits[0];
        for (size_t j = 1; j < k; j++)
            top = logits[j] > top ? logits[j] : top;
        for (size_t j = 0; j < k; j++)
            gradient[j] = logits[j] - top;
        double cross = ib_dot(k, target, gradient);
        ib_vexp(k, gradient, gradient);
        double sum = ib_sum(k, gradient), mass = ib_sum(k, target);
        loss += mass * ib_log(sum) - cross;
        ib_real scale = (ib_real)(mass / sum / (double)n);
        ib_real share = (ib_real)(1.0 / (double)n);
        for (size_t j = 0; j < k; j++)
            gradient[j] = gradient[j] * scale - target[j] * share;
    }
    return loss / (double)n;
}

double ib_loss_mse(size_t n, size_t d, const ib_real *y, const ib_real *t,
                   ib_real *gradient)
{
    double loss = 0, count = (double)n * (double)d;
    ib_real scale = (ib_real)(2.0 / count);
    for (size_t i = 0; i < n; i++, y += d, t += d, gradient += d) {
        for (size_t j = 0; j < d; j++)
            gradient[j] = y[j] - t[j];
        loss += ib_dot(d, gradient, gradient);
        for (size_t j = 0; j < d; j++)
            gradient[j] *= scale;
    }
    return loss / count;
}
