/* The growing plan. Nodes are found by key in an open-addressing table. */
#include "plan_nodes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const ib_node_kind_names[IB_NODE_KINDS] = {
    [IB_NODE_DATA] = "data",
    [IB_NODE_MODEL] = "model",
    [IB_NODE_PRIOR] = "prior",
    [IB_NODE_SAMPLE] = "sample",
    [IB_NODE_CONTROL] = "control",
    [IB_NODE_ATTACK] = "attack",
    [IB_NODE_SCORE] = "score",
    [IB_NODE_UTILITY] = "utility",
    [IB_NODE_MEMBERSHIP] = "membership",
};

const char *const ib_outcome_names[] = {
    [IB_PENDING] = "pending",
    [IB_CACHED] = "cached",
    [IB_DONE] = "done",
    [IB_FAILED] = "failed",
    [IB_CRASHED] = "crashed",
    [IB_TIMEOUT] = "timeout",
    [IB_OOM] = "oom",
    [IB_BLOCKED] = "blocked",
    [IB_NOT_APPLICABLE] = "skipped",
};

struct ib_plan_builder *ib_plan_builder_create(const struct ib_suite *suite,
                                               const struct ib_stage_env *env)
{
    struct ib_plan_builder *b = calloc(1, sizeof(*b));

    if (!b)
        return NULL;
    b->plan.suite = suite;
    b->plan.owned = b;
    b->env = env;
    return b;
}

void ib_plan_free(struct ib_plan *p)
{
    struct ib_plan_builder *b = p ? p->owned : NULL;

    if (!b)
        return;
    for (size_t i = 0; i < p->n_nodes; i++) {
        cJSON_Delete(p->nodes[i].spec);
        free((int *)(uintptr_t)p->nodes[i].input);
    }
    for (size_t i = 0; i < b->n_kept; i++)
        cJSON_Delete(b->kept[i]);
    for (size_t i = 0; i < b->n_texts; i++)
        free(b->texts[i]);
    free(b->kept);
    free(b->texts);
    free(b->table);
    free(b->score_of);
    free(p->nodes);
    free(p->cells);
    free(p->controls);
    free(p->evaluators);
    free(p->priors);
    free(p->memberships);
    free(b);
}

/* Room for one more item, which is zeroed; the new array. NULL: no memory. */
static void *grow(void *items, size_t n, size_t *room, size_t size)
{
    if (n == *room) {
        size_t more = *room ? *room * 2 : 64, bytes;

        items = ib_size_mul(more, size, &bytes) ? realloc(items, bytes) : NULL;
        if (!items)
            return NULL;
        *room = more;
    }
    memset((char *)items + n * size, 0, size);
    return items;
}

struct ib_cell *ib_plan_add_cell(struct ib_plan_builder *b)
{
    struct ib_plan *p = &b->plan;
    void *items = grow(p->cells, p->n_cells, &b->cell_room, sizeof(*p->cells));

    if (!items)
        return NULL;
    p->cells = items;
    return &p->cells[p->n_cells++];
}

struct ib_control_cell *ib_plan_add_control(struct ib_plan_builder *b)
{
    struct ib_plan *p = &b->plan;
    void *items = grow(p->controls, p->n_controls, &b->control_room,
                       sizeof(*p->controls));

    if (!items)
        return NULL;
    p->controls = items;
    return &p->controls[p->n_controls++];
}

struct ib_evaluator_cell *ib_plan_add_evaluator(struct ib_plan_builder *b)
{
    struct ib_plan *p = &b->plan;
    void *items = grow(p->evaluators, p->n_evaluators, &b->evaluator_room,
                       sizeof(*p->evaluators));

    if (!items)
        return NULL;
    p->evaluators = items;
    return &p->evaluators[p->n_evaluators++];
}

struct ib_prior_cell *ib_plan_add_prior(struct ib_plan_builder *b)
{
    struct ib_plan *p = &b->plan;
    void *items =
        grow(p->priors, p->n_priors, &b->prior_room, sizeof(*p->priors));

    if (!items)
        return NULL;
    p->priors = items;
    return &p->priors[p->n_priors++];
}

struct ib_membership_cell *ib_plan_add_membership(struct ib_plan_builder *b)
{
    struct ib_plan *p = &b->plan;
    void *items = grow(p->memberships, p->n_memberships, &b->membership_room,
                       sizeof(*p->memberships));

    if (!items)
        return NULL;
    p->memberships = items;
    return &p->memberships[p->n_memberships++];
}

const char *ib_plan_text(struct ib_plan_builder *b, const char *text)
{
    char **list = realloc(b->texts, (b->n_texts + 1) * sizeof(*list));
    char *copy = strdup(text);

    if (list)
        b->texts = list;
    if (!list || !copy) {
        free(copy);
        return NULL;
    }
    list[b->n_texts++] = copy;
    return copy;
}

bool ib_plan_keep(struct ib_plan_builder *b, cJSON *v)
{
    cJSON **list =
        v ? realloc(b->kept, (b->n_kept + 1) * sizeof(cJSON *)) : NULL;

    if (!list) {
        cJSON_Delete(v);
        return false;
    }
    b->kept = list;
    list[b->n_kept++] = v;
    return true;
}

/* Where key stands, or the free place where it belongs. Keys are hashes: their
 * first digits are as good as any. */
static size_t table_place(const struct ib_plan_builder *b, const char *key)
{
    size_t mask = b->table_size - 1, at;
    char head[16];

    memcpy(head, key, 15);
    head[15] = '\0';
    at = (size_t)strtoull(head, NULL, 16) & mask;
    while (b->table[at] >= 0 &&
           strcmp(b->plan.nodes[b->table[at]].key, key) != 0)
        at = (at + 1) & mask;
    return at;
}

/* Keeps the table at most half full. */
static bool table_grow(struct ib_plan_builder *b)
{
    size_t size = b->table_size ? b->table_size * 2 : 256;
    int *old = b->table, *scores;

    if (b->plan.n_nodes * 2 < b->table_size)
        return true;
    b->table = malloc(size * sizeof(int));
    scores = realloc(b->score_of, size * sizeof(int));
    if (scores)
        b->score_of = scores;
    if (!b->table || !scores) {
        free(b->table);
        b->table = old;
        return false;
    }
    free(old);
    b->table_size = size;
    for (size_t i = 0; i < size; i++)
        b->table[i] = -1;
    for (size_t i = 0; i < b->plan.n_nodes; i++)
        b->table[table_place(b, b->plan.nodes[i].key)] = (int)i;
    return true;
}

static int append(struct ib_plan_builder *b, const struct ib_plan_new *n,
                  const char *key)
{
    struct ib_plan_node *node;
    int *input = malloc(((size_t)n->n_inputs + 1) * sizeof(*input));
    size_t place = table_place(b, key);
    int index = (int)b->plan.n_nodes;

    node = grow(b->plan.nodes, b->plan.n_nodes, &b->node_room, sizeof(*node));
    if (node)
        b->plan.nodes = node;
    if (!node || !input) {
        free(input);
        return -1;
    }
    node += b->plan.n_nodes++;
    node->kind = n->kind;
    node->spec = n->spec;
    node->n_inputs = n->n_inputs;
    snprintf(node->key, sizeof(node->key), "%s", key);
    snprintf(node->label, sizeof(node->label), "%s", n->label);
    for (int i = 0; i < n->n_inputs; i++)
        input[i] = n->inputs[i];
    node->input = input;
    if (b->env->store && ib_store_has(b->env->store, key))
        node->outcome = IB_CACHED;
    b->table[place] = index;
    b->score_of[index] = -1;
    return index;
}

int ib_plan_add(struct ib_plan_builder *b, const struct ib_plan_new *n,
                struct ib_error *err)
{
    char key[IB_KEY_SIZE];
    int index = -1;

    if (!n->spec || !table_grow(b)) {
        ib_error_set(err, IB_E_NOMEM, "plan: no memory for %s", n->label);
        goto fail;
    }
    if (ib_json_key(n->spec, key, err))
        goto fail;
    index = b->table[table_place(b, key)];
    if (index >= 0) {
        cJSON_Delete(n->spec);
        return index;
    }
    index = append(b, n, key);
    if (index >= 0)
        return index;
    ib_error_set(err, IB_E_NOMEM, "plan: no memory for %s", n->label);
fail:
    cJSON_Delete(n->spec);
    return -1;
}
