/* A linear model of 6 pixels and 4 classes behind a local oracle. */
#ifndef TESTS_ORACLE_FIXTURE_H
#define TESTS_ORACLE_FIXTURE_H

#include "cmocka_all.h"
#include <invbench/invbench.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "oracle.h"

enum { FIX_D = 6, FIX_K = 4, FIX_ROWS = 8, FIX_TARGETS = 3 };

struct fixture {
    struct ib_net *net;
    struct ib_model_nodes nodes;
    struct ib_oracle *oracle;
    struct ib_error err;
    float weight[FIX_K * FIX_D];
};

static inline void fix_net(struct fixture *f)
{
    struct ib_graph *g = ib_graph_create();
    float *p;
    size_t first, count;

    *f = (struct fixture){
        .nodes = {IB_NONE, IB_NONE, IB_NONE, IB_NONE, IB_NONE}};
    f->nodes.input = ib_graph_input(g, (struct ib_shape){1, 2, 3}, "x");
    f->nodes.logits = ib_graph_dense(g, f->nodes.input, FIX_K, "logits");
    assert_int_equal(ib_net_create(&f->net, g, FIX_ROWS, &f->err), IB_OK);
    ib_net_parameter_range(f->net, f->nodes.logits, &first, &count);
    assert_int_equal(count, FIX_K * FIX_D + FIX_K);
    p = ib_net_parameters(f->net) + first;
    for (int i = 0; i < FIX_K * FIX_D; i++)
        f->weight[i] = p[i] = (float)((i * 7 % 11) - 5) / 4;
    for (int i = 0; i < FIX_K; i++)
        p[FIX_K * FIX_D + i] = 0;
}

static inline struct ib_oracle_params fix_params(struct fixture *f,
                                                 enum ib_level level)
{
    static const int32_t target[FIX_TARGETS] = {0, 2, 3};
    return (struct ib_oracle_params){
        .net = f->net,
        .nodes = f->nodes,
        .classes = FIX_K,
        .level = level,
        .targets = FIX_TARGETS,
        .target = target,
        .seed = 5,
    };
}

static inline void fix_open(struct fixture *f, const struct ib_oracle_params *p)
{
    assert_int_equal(ib_oracle_open_local(&f->oracle, p, &f->err), IB_OK);
}

static inline void fix_close(struct fixture *f)
{
    ib_oracle_close(f->oracle);
    ib_net_free(f->net);
}

/* Row i of a question: distinct for every seed. */
static inline void fix_rows(struct fixture *f, int n, int seed)
{
    float *x = ib_oracle_input(f->oracle);
    for (int i = 0; i < n * FIX_D; i++)
        x[i] = (float)((i * 13 + seed * 17) % 97) / 97;
}

/* Softmax of the linear model in double. */
static inline void fix_expected(const struct fixture *f, const float *x,
                                double *p)
{
    double sum = 0;
    for (int k = 0; k < FIX_K; k++) {
        double z = 0;
        for (int d = 0; d < FIX_D; d++)
            z += (double)f->weight[k * FIX_D + d] * x[d];
        p[k] = exp(z);
        sum += p[k];
    }
    for (int k = 0; k < FIX_K; k++)
        p[k] /= sum;
}

/* A number, or an item of a list, of what the oracle counted. */
static inline double fix_count(struct fixture *f, const char *name, int slot)
{
    uint8_t *pixels;
    size_t bytes;
    cJSON *meta;
    const cJSON *item;
    double x;

    assert_int_equal(ib_oracle_core_recon(ib_oracle_local_core(f->oracle),
                                          &meta, &pixels, &bytes, &f->err),
                     IB_OK);
    item = cJSON_GetObjectItem(cJSON_GetObjectItem(meta, "queries"), name);
    if (cJSON_IsArray(item))
        item = cJSON_GetArrayItem(item, slot);
    x = item->valuedouble;
    cJSON_Delete(meta);
    free(pixels);
    return x;
}

static inline void fix_ask(struct fixture *f, size_t n, int32_t slot)
{
    int32_t slots[FIX_ROWS];
    const float *scores;

    for (size_t i = 0; i < n; i++)
        slots[i] = slot;
    assert_int_equal(ib_oracle_scores(f->oracle, n, slots, &scores, &f->err),
                     IB_OK);
}

#endif
