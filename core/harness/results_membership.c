/* Membership inference, by model, defense and seed. */
#include <string.h>

#include "results_parts.h"

static enum ib_status put_numbers(bool *ok, const struct ib_gather *g,
                                  const struct ib_membership_cell *c, cJSON *o,
                                  struct ib_error *err)
{
    static const char *const member[] = {"members", "non_members", "attacks"};
    struct ib_artifact a = {0};
    enum ib_status s = IB_OK;

    if (ib_node_is_there(g->plan, c->node))
        s = ib_store_get(g->env->store, g->plan->nodes[c->node].key, &a, err);
    for (size_t i = 0; !s && i < IB_COUNT(member); i++)
        ib_put_copy(ok, o, member[i],
                    ib_at(ib_at(a.meta, "membership"), member[i]));
    ib_artifact_free(&a);
    return s;
}

static enum ib_status put_cell(bool *ok, const struct ib_gather *g, size_t i,
                               cJSON *all, struct ib_error *err)
{
    const struct ib_membership_cell *c = &g->plan->memberships[i];
    const struct ib_suite *s = g->plan->suite;
    cJSON *o = ib_put_object(ok, all, NULL);
    struct ib_scored x = ib_nodes_status(g->plan, c->target_node, c->node);

    ib_put_text(ok, o, "model", s->models[c->model].id);
    ib_put_text(ok, o, "defense", s->defenses[c->defense].id);
    ib_put_number(ok, o, "seed", (double)s->seeds[c->seed]);
    ib_put_text(ok, o, "status", x.status);
    ib_put_text(ok, o, "reason", x.reason);
    ib_put_number(ok, o, "shadows", s->membership.shadows);
    return put_numbers(ok, g, c, o, err);
}

cJSON *ib_results_membership(const struct ib_gather *g, struct ib_error *err)
{
    return ib_results_list(g, g->plan->n_memberships, put_cell, err);
}
