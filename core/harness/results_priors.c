/* What priors learnt, and what their samples are worth. */
#include <string.h>

#include "results_parts.h"

static cJSON *options_of(const struct ib_use *u)
{
    return u->plugin->options ? ib_options_echo(u->plugin->options, u->options)
                              : cJSON_CreateObject();
}

/* Ids of all attacks with this very prior. */
static void put_attacks(bool *ok, cJSON *o, const struct ib_suite *s,
                        const struct ib_use *prior)
{
    cJSON *list = ib_put_array(ok, o, "attacks");
    cJSON *mine = options_of(prior);

    for (int i = 0; i < s->n_attacks; i++) {
        const struct ib_use *other = &s->attacks[i].prior;
        cJSON *theirs;

        if (other->plugin != prior->plugin)
            continue;
        theirs = options_of(other);
        if (cJSON_Compare(mine, theirs, true))
            ib_put_text(ok, list, NULL, s->attacks[i].id);
        cJSON_Delete(theirs);
    }
    cJSON_Delete(mine);
}

/* One member of a node's meta block; null where the node is not there. */
static enum ib_status put_meta(bool *ok, const struct ib_gather *g, int node,
                               const char *member, cJSON *o,
                               struct ib_error *err)
{
    struct ib_artifact a = {0};
    enum ib_status s = IB_OK;
    cJSON *copy;

    if (ib_node_is_there(g->plan, node))
        s = ib_store_get(g->env->store, g->plan->nodes[node].key, &a, err);
    if (s)
        return s;
    copy = ib_at(a.meta, member) ? cJSON_Duplicate(ib_at(a.meta, member), true)
                                 : cJSON_CreateNull();
    cJSON_DeleteItemFromObjectCaseSensitive(copy, "nearest");
    ib_put(ok, o, member, copy);
    ib_artifact_free(&a);
    return IB_OK;
}

static enum ib_status put_prior(bool *ok, const struct ib_gather *g, size_t i,
                                cJSON *all, struct ib_error *err)
{
    const struct ib_prior_cell *c = &g->plan->priors[i];
    const struct ib_suite *s = g->plan->suite;
    const struct ib_use *prior = &s->attacks[c->attack].prior;
    struct ib_scored x =
        ib_nodes_status(g->plan, c->prior_node,
                        c->sample_node < 0 ? c->prior_node : c->sample_node);
    cJSON *o = ib_put_object(ok, all, NULL);
    enum ib_status status;

    ib_put_text(ok, o, "prior", prior->plugin->name);
    ib_put(ok, o, "options", options_of(prior));
    put_attacks(ok, o, s, prior);
    ib_put_number(ok, o, "seed", (double)s->seeds[c->seed]);
    ib_put_text(ok, o, "status", x.status);
    ib_put_text(ok, o, "reason", x.reason);
    status = put_meta(ok, g, c->prior_node, "numbers", o, err);
    if (!status)
        status = put_meta(ok, g, c->sample_node, "sample", o, err);
    return status;
}

cJSON *ib_results_priors(const struct ib_gather *g, struct ib_error *err)
{
    return ib_results_list(g, g->plan->n_priors, put_prior, err);
}
