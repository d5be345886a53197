/* Stacks of in-tree defenses, put together by hand or from JSON text. */
#ifndef TESTS_STACK_FIXTURE_H
#define TESTS_STACK_FIXTURE_H

#include "cmocka_all.h"

#include <invbench/invbench.h>
#include <math.h>
#include <string.h>

#include "stack.h"

struct stacked {
    struct ib_registry *registry;
    struct ib_stack stack;
    struct ib_error err;
};

static inline enum ib_status stacked_parse(struct stacked *s, const char *text)
{
    cJSON *array = cJSON_Parse(text);
    enum ib_status status;

    assert_non_null(array);
    *s = (struct stacked){0};
    assert_int_equal(ib_registry_create(&s->registry, &s->err), IB_OK);
    status = ib_stack_parse(s->registry, array, "stack", &s->stack, &s->err);
    cJSON_Delete(array);
    return status;
}

static inline void stacked_open(struct stacked *s, const char *text)
{
    enum ib_status status = stacked_parse(s, text);
    assert_string_equal(s->err.text, "");
    assert_int_equal(status, IB_OK);
}

static inline void stacked_close(struct stacked *s)
{
    ib_stack_free(&s->stack);
    ib_registry_free(s->registry);
}

/* Query number `ordinal` of class 3, answered in place. */
static inline int stacked_answer(const struct stacked *s, int k, float *p,
                                 uint64_t ordinal)
{
    const struct ib_asker who = {.seed = 1, .identity = 3, .ordinal = ordinal};
    int label = -1;
    assert_int_equal(ib_stack_respond(&s->stack, k, p, &who, &label, NULL),
                     IB_OK);
    return label;
}

#endif
