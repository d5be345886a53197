/* Priors that train nets, fitted to a tiny data set and opened. */
#ifndef INVBENCH_TESTS_GENERATOR_FIXTURE_H
#define INVBENCH_TESTS_GENERATOR_FIXTURE_H

#include "cmocka_all.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <invbench/parts/generator.h>

#include "options_io.h"
#include "toy_images.h"

extern const struct ib_prior ib_prior_autoencoder, ib_prior_gan;

enum { D = TOY_SIDE * TOY_SIDE, IMAGES = 64 };

struct trained {
    struct toy toy;
    struct ib_scratch *scratch;
    void *options;
    struct ib_prior_fit fit;
    struct ib_prior_use use;
    struct ib_error err;
};

static inline int setup(void **state)
{
    struct trained *t = calloc(1, sizeof(*t));

    toy_make(&t->toy, IMAGES, 1);
    t->scratch = ib_scratch_create(64 << 20);
    t->options = calloc(1, 4096);
    *state = t;
    return t->scratch && t->options ? 0 : 1;
}

static inline void close_prior(struct trained *t)
{
    if (t->use.size && t->use.prior->close)
        t->use.prior->close((void *)(uintptr_t)t->use.state);
    t->use = (struct ib_prior_use){0};
}

static inline int teardown(void **state)
{
    struct trained *t = *state;

    close_prior(t);
    ib_scratch_free(t->scratch);
    free(t->options);
    free(t);
    return 0;
}

/* Single quotes stand for double ones. */
static inline void choose(struct trained *t, const struct ib_prior *prior,
                          const char *text)
{
    char json[256];
    cJSON *object = NULL;

    snprintf(json, sizeof(json), "%s", text);
    for (char *c = json; *c; c++)
        if (*c == '\'')
            *c = '"';
    assert_int_equal(
        ib_json_parse(json, strlen(json), "test", &object, &t->err), IB_OK);
    if (ib_options_parse(prior->plugin.options, prior->plugin.options_size,
                         object, &(struct ib_place){.path = "test"}, t->options,
                         &t->err))
        fail_msg("%s", t->err.text);
    cJSON_Delete(object);
    t->use.prior = prior;
}

static inline enum ib_status fit(struct trained *t, uint64_t seed,
                                 struct ib_pool *pool)
{
    t->fit = (struct ib_prior_fit){.shape = t->toy.images.shape,
                                   .images = &t->toy.images,
                                   .seed = seed,
                                   .scratch = t->scratch,
                                   .pool = pool};
    return t->use.prior->fit(t->options, &t->fit, &t->err);
}

static inline size_t open_kept(struct trained *t, const void *data, size_t size)
{
    const struct ib_prior_env env = {.shape = t->toy.images.shape,
                                     .scratch = t->scratch,
                                     .fitted = data,
                                     .fitted_size = size};
    void *opaque = NULL;

    t->err = (struct ib_error){0};
    t->use.size = t->use.prior->open(t->options, &env, &opaque, &t->err);
    t->use.state = opaque;
    return t->use.size;
}

static inline void make(struct trained *t, const struct ib_prior *prior,
                        const char *options)
{
    choose(t, prior, options);
    if (fit(t, 1, NULL) || !open_kept(t, t->fit.data, t->fit.size))
        fail_msg("%s", t->err.text);
}

static inline double told(const struct trained *t, const char *name)
{
    for (int i = 0; i < t->fit.numbers; i++)
        if (strcmp(t->fit.number[i].name, name) == 0)
            return t->fit.number[i].value;
    fail_msg("no number %s", name);
    return NAN;
}

#endif
