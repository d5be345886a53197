/*
 * Ops of this family under test: a graph of one op (or of what a builder
 * composes), inputs, parameters and state that tests/golden/make_norms.py
 * makes too.
 */
#ifndef NORM_FIXTURE_H
#define NORM_FIXTURE_H

#include "cmocka_all.h"

#include <invbench/ops.h>

#include <math.h>
#include <string.h>

enum { ROWS = 3, MORE_ROWS = 20, INPUTS = 3, MANY = 1024 };

/* Of a run; MORE_ROWS where several are to fall to one part. */
static size_t rows = ROWS;

struct subject {
    const char *name;
    int inputs; /* that are read */
    struct ib_shape in[INPUTS];
    struct ib_norm norm;
    bool training;
    ib_node (*add)(struct ib_graph *g, const ib_node *x,
                   const struct subject *s);
};

struct trial {
    const struct subject *s;
    struct ib_net *net;
    ib_node x[INPUTS], y;
    size_t d[INPUTS], k, p, state; /* sizes of a row; parameters; state */
    ib_real dy[MANY];
    struct ib_rng rng;
};

/* Multiples of 2^-10 in [-2, 2): exact in any type. */
static inline void noise(ib_real *out, size_t n, uint32_t seed)
{
    uint32_t x = seed * 7919 + 1;
    for (size_t i = 0; i < n; i++) {
        x = x * 1664525u + 1013904223u;
        out[i] = (ib_real)((double)(x >> 20) / 1024 - 2);
    }
}

static inline ib_node add_batchnorm(struct ib_graph *g, const ib_node *x,
                                    const struct subject *s)
{
    return ib_graph_batchnorm(g, x[0], s->norm, NULL);
}

static inline ib_node add_groupnorm(struct ib_graph *g, const ib_node *x,
                                    const struct subject *s)
{
    return ib_graph_groupnorm(g, x[0], s->norm, NULL);
}

static inline ib_node add_instancenorm(struct ib_graph *g, const ib_node *x,
                                       const struct subject *s)
{
    return ib_graph_instancenorm(g, x[0], s->norm, NULL);
}

static inline ib_node add_film(struct ib_graph *g, const ib_node *x,
                               const struct subject *s)
{
    (void)s;
    return ib_graph_film(g, x[0], x[1], x[2], NULL);
}

static inline ib_node add_inner(struct ib_graph *g, const ib_node *x,
                                const struct subject *s)
{
    (void)s;
    return ib_graph_inner(g, x[0], x[1], NULL);
}

static inline ib_node add_embedding(struct ib_graph *g, const ib_node *x,
                                    const struct subject *s)
{
    (void)s;
    return ib_graph_embedding(g, x[0], 5, NULL);
}

static inline ib_node add_conditional(struct ib_graph *g, const ib_node *x,
                                      const struct subject *s)
{
    return ib_graph_conditional_batchnorm(g, x[0], x[1], s->norm, NULL);
}

static inline ib_node add_projection(struct ib_graph *g, const ib_node *x,
                                     const struct subject *s)
{
    (void)s;
    return ib_graph_projection(g, x[0], x[1], false, NULL);
}

static inline ib_node add_spectral(struct ib_graph *g, const ib_node *x,
                                   const struct subject *s)
{
    const struct ib_dense d = {.units = 5, .spectral = true};
    (void)s;
    return ib_graph_dense_with(g, x[0], d, NULL);
}

static inline ib_node add_invconv(struct ib_graph *g, const ib_node *x,
                                  const struct subject *s)
{
    (void)s;
    return ib_graph_invconv(g, x[0], NULL);
}

/* The convolution whose W is read, of an input that nobody reads. */
static inline ib_node add_owner(struct ib_graph *g, const struct subject *s)
{
    return ib_graph_invconv(g, ib_graph_input(g, s->in[0], NULL), NULL);
}

static inline ib_node add_inverse(struct ib_graph *g, const ib_node *x,
                                  const struct subject *s)
{
    return ib_graph_invconv_inverse(g, x[0], add_owner(g, s), NULL);
}

static inline ib_node add_logdet(struct ib_graph *g, const ib_node *x,
                                 const struct subject *s)
{
    (void)x;
    return ib_graph_invconv_logdet(g, add_owner(g, s), NULL);
}

#define IMAGE                                                                  \
    {                                                                          \
        4, 3, 3                                                                \
    }
#define ROW(n)                                                                 \
    {                                                                          \
        n, 1, 1                                                                \
    }

static const struct subject subjects[] = {
    {"batchnorm_training", 1, {IMAGE}, {0}, true, add_batchnorm},
    {"batchnorm_features_training", 1, {ROW(5)}, {0}, true, add_batchnorm},
    {"batchnorm_plain_training",
     1,
     {IMAGE},
     {.no_affine = true, .epsilon = 0.1},
     true,
     add_batchnorm},
    {"batchnorm", 1, {IMAGE}, {0}, false, add_batchnorm},
    {"batchnorm_features", 1, {ROW(5)}, {0}, false, add_batchnorm},
    {"groupnorm", 1, {IMAGE}, {.groups = 2}, false, add_groupnorm},
    {"layernorm", 1, {ROW(7)}, {0}, false, add_groupnorm},
    {"instancenorm", 1, {IMAGE}, {0}, true, add_instancenorm},
    {"instancenorm_plain",
     1,
     {IMAGE},
     {.no_affine = true},
     false,
     add_instancenorm},
    {"film", 3, {IMAGE, ROW(4), ROW(4)}, {0}, false, add_film},
    {"film_features", 3, {ROW(4), ROW(4), ROW(4)}, {0}, true, add_film},
    {"inner", 2, {IMAGE, ROW(36)}, {0}, false, add_inner},
    {"embedding", 1, {ROW(3)}, {0}, false, add_embedding},
    {"conditional_training", 2, {IMAGE, ROW(3)}, {0}, true, add_conditional},
    {"conditional", 2, {IMAGE, ROW(3)}, {0}, false, add_conditional},
    {"projection", 2, {ROW(6), ROW(3)}, {0}, false, add_projection},
    {"spectral", 1, {ROW(6)}, {0}, false, add_spectral},
    {"invconv", 1, {IMAGE}, {0}, false, add_invconv},
    {"invconv_inverse", 1, {IMAGE}, {0}, false, add_inverse},
    {"logdet", 0, {IMAGE}, {0}, false, add_logdet},
};

static inline const struct subject *subject_of(const char *name)
{
    for (size_t i = 0; i < IB_COUNT(subjects); i++)
        if (strcmp(subjects[i].name, name) == 0)
            return &subjects[i];
    fail_msg("no subject %s", name);
    return NULL;
}

/* `twice`: the op stands twice over the same inputs, with parameters of its
 * own; the output is <sigmoid(first), second>. */
static inline void set_up(struct trial *t, const struct subject *s, bool twice)
{
    struct ib_error err;
    struct ib_graph *g = ib_graph_create();
    assert_non_null(g);
    memset(t, 0, sizeof *t);
    t->s = s;
    for (int i = 0; i < s->inputs; i++) {
        t->x[i] = ib_graph_input(g, s->in[i], NULL);
        t->d[i] = ib_shape_size(s->in[i]);
    }
    t->y = s->add(g, t->x, s);
    if (twice)
        t->y = ib_graph_inner(g, ib_graph_sigmoid(g, t->y), s->add(g, t->x, s),
                              NULL);
    if (ib_graph_error(g))
        fail_msg("%s: %s", s->name, ib_graph_error(g)->text);
    t->k = ib_shape_size(ib_graph_shape(g, t->y));
    assert_int_equal(ib_net_create(&t->net, g, (int)rows, &err), IB_OK);
    t->p = ib_net_parameter_count(t->net);
    t->state = ib_net_state_count(t->net);
    noise(ib_net_parameters(t->net), t->p, 10);
    noise(ib_net_state(t->net), t->state, 20);
    for (size_t i = 0; i < t->state; i++)
        ib_net_state(t->net)[i] =
            (ib_real)0.5 + (ib_real)fabs((double)ib_net_state(t->net)[i]);
    for (int i = 0; i < s->inputs; i++)
        noise(ib_net_value(t->net, t->x[i]), rows * t->d[i], 30 + (uint32_t)i);
    noise(t->dy, rows * t->k, 40);
    t->rng = ib_rng_stream(1, "test", 0, "norm");
}

static inline struct ib_forward run_of(struct trial *t)
{
    return (struct ib_forward){.n = (int)rows,
                               .from = IB_NONE,
                               .to = t->y,
                               .rng = t->s->training ? &t->rng : NULL};
}

static inline void forward(struct trial *t)
{
    struct ib_forward f = run_of(t);
    ib_net_forward(t->net, &f);
}

static inline void backward(struct trial *t, int wrt)
{
    struct ib_forward f = run_of(t);
    memcpy(ib_net_gradient(t->net, t->y), t->dy, rows * t->k * sizeof *t->dy);
    ib_net_backward(t->net, &f, wrt);
}

/* Norm of the difference over the norm of b. */
static inline bool near(const ib_real *a, const ib_real *b, size_t n)
{
    double wrong = 0, norm = 0;
    for (size_t i = 0; i < n; i++) {
        wrong += pow((double)a[i] - (double)b[i], 2);
        norm += pow((double)b[i], 2);
    }
    return norm > 0 && wrong <= 1e-10 * norm;
}

#endif
