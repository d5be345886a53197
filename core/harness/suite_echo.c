/* A resolved suite as JSON: every default filled in, sweeps expanded. Reading
 * it gives the same suite again. */
#include "options_io.h"
#include "suite_parts.h"

static cJSON *echo_use(const char *id, const struct ib_use *u)
{
    cJSON *out = cJSON_CreateObject();
    cJSON *options = ib_options_echo(u->plugin->options, u->options);

    if (id)
        cJSON_AddStringToObject(out, "id", id);
    cJSON_AddStringToObject(out, "name", u->plugin->name);
    while (options && options->child) {
        cJSON *v = cJSON_DetachItemViaPointer(options, options->child);
        cJSON_AddItemToObject(out, v->string, v);
    }
    cJSON_Delete(options);
    return out;
}

static void add(cJSON *list, cJSON *item)
{
    if (!cJSON_AddItemToArray(list, item))
        cJSON_Delete(item);
}

static cJSON *echo_items(const struct ib_suite_item *items, int n)
{
    cJSON *out = cJSON_CreateArray();

    for (int i = 0; i < n; i++)
        add(out, echo_use(items[i].id, &items[i].use));
    return out;
}

static cJSON *echo_defenses(const struct ib_suite *s)
{
    cJSON *out = cJSON_CreateArray();

    for (int i = 0; i < s->n_defenses; i++) {
        const struct ib_suite_defense *d = &s->defenses[i];
        cJSON *item = cJSON_CreateObject();
        cJSON *stack = cJSON_CreateArray();
        cJSON_AddStringToObject(item, "id", d->id);
        for (int k = 0; k < d->stack.n; k++)
            add(stack, echo_use(NULL, &d->stack.use[k]));
        cJSON_AddItemToObject(item, "stack", stack);
        add(out, item);
    }
    return out;
}

static cJSON *echo_access(unsigned access)
{
    cJSON *out = cJSON_CreateArray();

    for (int i = 0; i < IB_LEVELS; i++)
        if (access & IB_GRANTS(i))
            add(out, cJSON_CreateString(ib_level_names[i]));
    return out;
}

static void echo_ids(cJSON *out, const char *name, const char *const *ids)
{
    cJSON *list = ids ? cJSON_AddArrayToObject(out, name) : NULL;

    for (; list && *ids; ids++)
        add(list, cJSON_CreateString(*ids));
}

static cJSON *echo_attack(const struct ib_suite_attack *a)
{
    cJSON *out = echo_use(a->id, &a->use), *list;

    cJSON_AddItemToObject(out, "prior", echo_use(NULL, &a->prior));
    echo_ids(out, "models", a->models);
    echo_ids(out, "defenses", a->defenses);
    cJSON_AddItemToObject(out, "access", echo_access(a->access));
    cJSON_AddNumberToObject(out, "max_queries", (double)a->max_queries);
    list = a->identities.n ? cJSON_AddArrayToObject(out, "identities") : NULL;
    for (int i = 0; list && i < a->identities.n; i++)
        add(list, cJSON_CreateNumber((double)a->identities.v[i]));
    return out;
}

static cJSON *echo_seeds(const struct ib_suite *s)
{
    cJSON *out = cJSON_CreateArray();

    for (int i = 0; i < s->n_seeds; i++)
        add(out, cJSON_CreateNumber((double)s->seeds[i]));
    return out;
}

cJSON *ib_suite_echo(const struct ib_suite *s)
{
    cJSON *out = cJSON_CreateObject(), *list;

    cJSON_AddStringToObject(out, "schema", "invbench.suite/1");
    cJSON_AddStringToObject(out, "name", s->name);
    cJSON_AddStringToObject(out, "summary", s->summary);
    cJSON_AddItemToObject(out, "seeds", echo_seeds(s));
    cJSON_AddItemToObject(out, "dataset", echo_use(NULL, &s->dataset));
    cJSON_AddItemToObject(out, "models", echo_items(s->models, s->n_models));
    if (s->n_evaluators)
        cJSON_AddItemToObject(out, "evaluators",
                              echo_items(s->evaluators, s->n_evaluators));
    cJSON_AddItemToObject(out, "defenses", echo_defenses(s));
    list = cJSON_AddArrayToObject(out, "attacks");
    for (int i = 0; i < s->n_attacks; i++)
        add(list, echo_attack(&s->attacks[i]));
    if (s->access)
        cJSON_AddItemToObject(out, "access", echo_access(s->access));
    list = cJSON_AddObjectToObject(out, "budget");
    cJSON_AddNumberToObject(list, "max_queries", (double)s->max_queries);
    cJSON_AddNumberToObject(list, "latency", s->latency);
    cJSON_AddNumberToObject(list, "rate_limit", s->rate_limit);
    list = cJSON_AddArrayToObject(out, "metrics");
    for (int i = 0; i < s->n_metrics; i++)
        add(list, echo_use(NULL, &s->metrics[i]));
    if (!s->membership.attacks)
        return out;
    list = cJSON_AddObjectToObject(out, "membership");
    cJSON_AddItemToObject(list, "attacks", ib_membership_names_json(s));
    if (s->membership.shadows)
        cJSON_AddNumberToObject(list, "shadows", s->membership.shadows);
    return out;
}
