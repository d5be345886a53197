/*
 * Spectral normalisation. u and v are constants of the gradient, as in the
 * paper (eq. 12): dW = (D - <D, W / sigma> u v^T) / sigma, D = d / d(W /
 * sigma).
 */
#include "spectral.h"

#include <invbench/math.h>
#include <math.h>

static size_t rows_of(const struct ib_graph_node *node)
{
    return (size_t)node->shape.c;
}

static size_t columns_of(const struct ib_graph_node *node)
{
    return node->weights / rows_of(node);
}

size_t ib_spectral_state(const struct ib_graph_node *node)
{
    return rows_of(node) + columns_of(node);
}

static void to_unit(size_t n, ib_real *x)
{
    double norm = sqrt(ib_dot(n, x, x));
    ib_real scale = (ib_real)(1 / (norm > 1e-12 ? norm : 1e-12));
    for (size_t i = 0; i < n; i++)
        x[i] *= scale;
}

void ib_spectral_init(const struct ib_graph_node *node, ib_real *state,
                      struct ib_rng *rng)
{
    size_t m = rows_of(node), j = columns_of(node);
    ib_rng_fill_normal(rng, state, m, 1);
    ib_rng_fill_normal(rng, state + m, j, 1);
    to_unit(m, state);
    to_unit(j, state + m);
}

/* v = W^T u / |.|, u = W v / |.| */
static void iterate(size_t m, size_t j, const ib_real *w, ib_real *u,
                    ib_real *v)
{
    for (size_t i = 0; i < j; i++)
        v[i] = 0;
    for (size_t i = 0; i < m; i++)
        ib_axpy(j, u[i], w + i * j, v);
    to_unit(j, v);
    for (size_t i = 0; i < m; i++)
        u[i] = (ib_real)ib_dot(j, w + i * j, v);
    to_unit(m, u);
}

static double sigma_of(size_t m, size_t j, const ib_real *w,
                       const ib_real *state)
{
    double sigma = 0;
    for (size_t i = 0; i < m; i++)
        sigma += (double)state[i] * ib_dot(j, w + i * j, state + m);
    return fabs(sigma) > 1e-12 ? sigma : 1e-12;
}

void ib_spectral_normalise(const struct ib_graph_node *node, const ib_real *w,
                           ib_real *state, bool training, ib_real *normed)
{
    size_t m = rows_of(node), j = columns_of(node);
    if (training)
        iterate(m, j, w, state, state + m);
    ib_real scale = (ib_real)(1 / sigma_of(m, j, w, state));
    for (size_t i = 0; i < m * j; i++)
        normed[i] = w[i] * scale;
}

void ib_spectral_backward(const struct ib_graph_node *node, const ib_real *w,
                          const ib_real *state, const ib_real *d, ib_real *dw,
                          ib_real keep)
{
    size_t m = rows_of(node), j = columns_of(node);
    double sigma = sigma_of(m, j, w, state), inner = 0;
    for (size_t i = 0; i < m; i++)
        inner += ib_dot(j, d + i * j, w + i * j);
    inner /= sigma;
    ib_real scale = (ib_real)(1 / sigma);
    for (size_t i = 0; i < m; i++) {
        ib_real share = (ib_real)(inner * (double)state[i]);
        ib_real *row = dw + i * j;
        for (size_t k = 0; k < j; k++) {
            ib_real g = (d[i * j + k] - share * state[m + k]) * scale;
            row[k] = keep != 0 ? row[k] + g : g;
        }
    }
}
