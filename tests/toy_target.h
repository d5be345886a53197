/*
 * A softmax regression with known weights behind a local oracle, and an attack
 * run on it: everything about it can be computed by hand.
 */
#ifndef INVBENCH_TESTS_TOY_TARGET_H
#define INVBENCH_TESTS_TOY_TARGET_H

#include "cmocka_all.h"

#include <invbench/attack.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options_io.h"
#include "oracle.h"
#include "reporter.h"

extern const struct ib_prior ib_prior_pixels;

struct toy_setup {
    struct ib_shape shape;
    int classes, targets; /* slot i is class i */
    int batch;            /* rows of the net; 0: 64 */
    enum ib_level level;
    uint64_t max_queries;
    const struct ib_images *public_images;
    uint64_t seed; /* of the weights and of the attack */
    float scale;   /* standard deviation of the weights */
};

struct toy {
    struct ib_net *net;
    struct ib_oracle *oracle;
    int32_t *target;
    struct ib_attack_env env;
    struct ib_reporter reporter;
    char note[512]; /* the last note */
    size_t d;
    const float *weights; /* K x D, then K biases */
};

static inline void toy_note(void *ctx, const char *text)
{
    struct toy *t = ctx;

    snprintf(t->note, sizeof(t->note), "%s", text);
}

static inline void toy_net(struct toy *t, const struct toy_setup *s,
                           struct ib_model_nodes *nodes)
{
    struct ib_graph *g = ib_graph_create();
    struct ib_rng rng = ib_rng_stream(s->seed, "toy", -1, "weights");
    struct ib_error err = {0};
    size_t k = (size_t)s->classes;

    nodes->input = ib_graph_input(g, s->shape, "input");
    nodes->logits = ib_graph_dense(g, nodes->input, s->classes, "logits");
    nodes->features = nodes->input;
    nodes->code = nodes->decoded = IB_NONE;
    assert_int_equal(ib_net_create(&t->net, g, s->batch ? s->batch : 64, &err),
                     IB_OK);
    ib_rng_fill_normal(&rng, ib_net_parameters(t->net), k * t->d, s->scale);
    t->weights = ib_net_parameters(t->net);
}

static inline void toy_open(struct toy *t, const struct toy_setup *s)
{
    struct ib_model_nodes nodes;
    struct ib_error err = {0};
    struct ib_prior_env prior = {.shape = s->shape,
                                 .public_images = s->public_images};
    struct ib_oracle_params p = {.classes = s->classes,
                                 .level = s->level,
                                 .targets = s->targets,
                                 .images = 1,
                                 .max_queries = s->max_queries,
                                 .seed = s->seed};
    void *state = NULL;

    *t = (struct toy){.d = ib_shape_size(s->shape)};
    toy_net(t, s, &nodes);
    t->target = calloc((size_t)s->targets, sizeof(*t->target));
    for (int i = 0; i < s->targets; i++)
        t->target[i] = i;
    p.net = t->net;
    p.nodes = nodes;
    p.target = t->target;
    assert_int_equal(ib_oracle_open_local(&t->oracle, &p, &err), IB_OK);
    t->env.scratch = prior.scratch = ib_scratch_create(1u << 28);
    t->env.prior.size = ib_prior_pixels.open(NULL, &prior, &state, &err);
    t->env.prior.prior = &ib_prior_pixels;
    t->env.prior.state = state;
    t->env.oracle = t->oracle;
    t->env.public_images = s->public_images;
    t->env.targets = s->targets;
    t->env.target = t->target;
    t->env.seed = s->seed;
    t->reporter = (struct ib_reporter){.note = toy_note, .ctx = t};
    t->env.reporter = &t->reporter;
}

static inline void toy_close(struct toy *t)
{
    ib_scratch_free(t->env.scratch);
    ib_oracle_close(t->oracle);
    ib_net_free(t->net);
    free(t->target);
}

/* Parses options (JSON) by the attack's table and runs it. */
static inline enum ib_status toy_attack(struct toy *t,
                                        const struct ib_attack *attack,
                                        const char *json, struct ib_error *err)
{
    void *options = calloc(1, attack->plugin.options_size);
    cJSON *object = cJSON_Parse(json);
    enum ib_status s = ib_options_parse(
        attack->plugin.options, attack->plugin.options_size, object,
        &(struct ib_place){.path = "test"}, options, err);

    if (s == IB_OK)
        s = attack->run(options, &t->env, err);
    cJSON_Delete(object);
    free(options);
    return s;
}

static inline const char *toy_applicable(const struct ib_attack *attack,
                                         const char *json,
                                         const struct ib_attack_task *task)
{
    void *options = calloc(1, attack->plugin.options_size);
    cJSON *object = cJSON_Parse(json);
    struct ib_error err = {0};
    const char *reason;

    assert_int_equal(ib_options_parse(attack->plugin.options,
                                      attack->plugin.options_size, object,
                                      &(struct ib_place){.path = "test"},
                                      options, &err),
                     IB_OK);
    reason = attack->applicable(options, task);
    cJSON_Delete(object);
    free(options);
    return reason;
}

/* queries.KIND[slot] of what the oracle counted. */
static inline uint64_t toy_queries(struct toy *t, const char *kind, int slot)
{
    cJSON *meta = NULL;
    uint8_t *pixels = NULL;
    size_t bytes;
    struct ib_error err = {0};
    double n;

    assert_int_equal(ib_oracle_core_recon(ib_oracle_local_core(t->oracle),
                                          &meta, &pixels, &bytes, &err),
                     IB_OK);
    n = cJSON_GetArrayItem(
            cJSON_GetObjectItem(cJSON_GetObjectItem(meta, "queries"), kind),
            slot)
            ->valuedouble;
    cJSON_Delete(meta);
    free(pixels);
    return (uint64_t)n;
}

/* Probability of a class at x, in double. */
static inline double toy_confidence(const struct toy *t, int classes,
                                    const float *x, int class)
{
    double *z = calloc((size_t)classes, sizeof(*z)), sum = 0, p;

    for (int k = 0; k < classes; k++) {
        for (size_t j = 0; j < t->d; j++)
            z[k] += (double)t->weights[(size_t)k * t->d + j] * (double)x[j];
        z[k] += (double)t->weights[(size_t)classes * t->d + (size_t)k];
    }
    for (int k = 0; k < classes; k++)
        sum += __builtin_exp(z[k] - z[class]);
    p = 1 / sum;
    free(z);
    return p;
}

#endif
