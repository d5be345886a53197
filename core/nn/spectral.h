/*
 * Spectral normalisation (Miyato et al., ICLR 2018, algorithm 1): a layer uses
 * W / sigma, sigma = u^T W v, with one power iteration a training run. W: M x J
 * (M: node->shape.c), so for dense and conv2d alone. State of the node: u (M),
 * then v (J).
 */
#ifndef INVBENCH_NN_SPECTRAL_H
#define INVBENCH_NN_SPECTRAL_H

#include "node.h"

size_t ib_spectral_state(const struct ib_graph_node *node); /* M + J */
void ib_spectral_init(const struct ib_graph_node *node, ib_real *state,
                      struct ib_rng *rng);
/* normed = W / sigma; moves u and v first when training. */
void ib_spectral_normalise(const struct ib_graph_node *node, const ib_real *w,
                           ib_real *state, bool training, ib_real *normed);
/* dw = keep * dw + d loss / d W, given d = d loss / d (W / sigma). */
void ib_spectral_backward(const struct ib_graph_node *node, const ib_real *w,
                          const ib_real *state, const ib_real *d, ib_real *dw,
                          ib_real keep);

#endif
