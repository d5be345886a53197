/* Specs: see stage.h for what each kind holds. */
#include "plan_specs.h"

#include <stdlib.h>
#include <string.h>

static cJSON *make_metrics(const struct ib_plan_builder *b)
{
    const struct ib_suite *suite = b->plan.suite;
    cJSON *list = cJSON_CreateArray();

    for (int i = 0; i < suite->n_metrics; i++)
        cJSON_AddItemToArray(list,
                             ib_use_spec(b->env->registry, &suite->metrics[i]));
    return list;
}

static cJSON *make_targets(const struct ib_ints *ids)
{
    cJSON *list = cJSON_CreateArray();

    for (int i = 0; i < ids->n; i++)
        cJSON_AddItemToArray(list, cJSON_CreateNumber((double)ids->v[i]));
    return list;
}

static bool make_attacks(struct ib_plan_builder *b, struct ib_plan_specs *s)
{
    const struct ib_suite *suite = b->plan.suite;
    bool ok = true;

    for (int i = 0; i < suite->n_attacks && ok; i++) {
        const struct ib_suite_attack *a = &suite->attacks[i];

        s->attacks[i] = ib_use_spec(b->env->registry, &a->use);
        s->priors[i] = ib_use_spec(b->env->registry, &a->prior);
        s->targets[i] = make_targets(&a->identities);
        ok = ib_plan_keep(b, s->attacks[i]);
        ok = ib_plan_keep(b, s->priors[i]) && ok;
        ok = ib_plan_keep(b, s->targets[i]) && ok;
    }
    return ok;
}

static bool make_items(struct ib_plan_builder *b, struct ib_plan_specs *s)
{
    const struct ib_suite *suite = b->plan.suite;
    const struct ib_registry *r = b->env->registry;
    bool ok = true;

    for (int i = 0; i < suite->n_models && ok; i++) {
        s->models[i] = ib_use_spec(r, &suite->models[i].use);
        ok = ib_plan_keep(b, s->models[i]);
    }
    for (int i = 0; i < suite->n_evaluators && ok; i++) {
        s->evaluators[i] = ib_use_spec(r, &suite->evaluators[i].use);
        ok = ib_plan_keep(b, s->evaluators[i]);
    }
    for (int i = 0; i < suite->n_defenses && ok; i++) {
        const struct ib_stack *stack = &suite->defenses[i].stack;

        s->train[i] = ib_stack_spec(r, stack, IB_STAGE_TRAIN);
        s->respond[i] = ib_stack_spec(r, stack, IB_STAGE_RESPOND);
        ok = ib_plan_keep(b, s->train[i]);
        ok = ib_plan_keep(b, s->respond[i]) && ok;
    }
    return ok;
}

/* One block for all lists of pointers. */
static bool make_lists(const struct ib_suite *suite, struct ib_plan_specs *s)
{
    size_t n = (size_t)suite->n_models + (size_t)suite->n_evaluators +
               3 * (size_t)suite->n_attacks + 2 * (size_t)suite->n_defenses;
    cJSON **p = calloc(n ? n : 1, sizeof(cJSON *));

    s->lists = p;
    if (!p)
        return false;
    s->models = p;
    s->evaluators = s->models + suite->n_models;
    s->attacks = s->evaluators + suite->n_evaluators;
    s->priors = s->attacks + suite->n_attacks;
    s->targets = s->priors + suite->n_attacks;
    s->train = s->targets + suite->n_attacks;
    s->respond = s->train + suite->n_defenses;
    return true;
}

enum ib_status ib_plan_specs_make(struct ib_plan_builder *b,
                                  struct ib_plan_specs *out,
                                  struct ib_error *err)
{
    bool ok;

    memset(out, 0, sizeof(*out));
    if (!make_lists(b->plan.suite, out))
        return ib_error_set(err, IB_E_NOMEM, "plan: no memory");
    out->dataset = ib_use_spec(b->env->registry, &b->plan.suite->dataset);
    out->metrics = make_metrics(b);
    out->none = cJSON_CreateArray();
    ok = ib_plan_keep(b, out->dataset);
    ok = ib_plan_keep(b, out->metrics) && ok;
    ok = ib_plan_keep(b, out->none) && ok;
    if (!ok || !make_items(b, out) || !make_attacks(b, out))
        return ib_error_set(err, IB_E_NOMEM, "plan: no memory for specs");
    return IB_OK;
}

void ib_plan_specs_free(struct ib_plan_specs *s)
{
    free(s->lists);
    memset(s, 0, sizeof(*s));
}

/* What every spec has. */
static cJSON *begin(const struct ib_plan_builder *b, const char *kind)
{
    const char *code = ib_code_hash(kind);
    cJSON *o = cJSON_CreateObject();

    if (cJSON_AddStringToObject(o, "kind", kind) &&
        cJSON_AddStringToObject(o, "numerics", ib_numerics(b->env->registry)) &&
        cJSON_AddStringToObject(o, "code", code ? code : ""))
        return o;
    cJSON_Delete(o);
    return NULL;
}

static bool add_shared(cJSON *o, const char *name, cJSON *part)
{
    return cJSON_AddItemReferenceToObject(o, name, part);
}

static bool add_text(cJSON *o, const char *name, const char *text)
{
    return cJSON_AddStringToObject(o, name, text) != NULL;
}

static bool add_number(cJSON *o, const char *name, double x)
{
    return cJSON_AddNumberToObject(o, name, x) != NULL;
}

static cJSON *finish(cJSON *o, bool ok)
{
    if (ok)
        return o;
    cJSON_Delete(o);
    return NULL;
}

cJSON *ib_spec_data(const struct ib_plan_builder *b,
                    const struct ib_plan_specs *s, uint64_t seed, cJSON *files)
{
    const struct ib_dataset_plugin *d =
        (const struct ib_dataset_plugin *)b->plan.suite->dataset.plugin;
    cJSON *o = begin(b, "data");
    bool ok =
        add_shared(o, "plugin", s->dataset) && add_shared(o, "files", files);

    if (d->seeded)
        ok = ok && add_number(o, "seed", (double)seed);
    return finish(o, ok);
}

cJSON *ib_spec_model(const struct ib_plan_builder *b,
                     const struct ib_spec_model *m)
{
    cJSON *o = begin(b, "model");

    return finish(o, add_text(o, "role", m->role) &&
                         add_shared(o, "plugin", m->plugin) &&
                         add_number(o, "seed", (double)m->seed) &&
                         add_text(o, "data", m->data) &&
                         (strcmp(m->role, "shadow") != 0 ||
                          add_number(o, "shadow", m->shadow)) &&
                         add_shared(o, "defenses", m->train));
}

cJSON *ib_spec_prior(const struct ib_plan_builder *b, cJSON *plugin,
                     uint64_t seed, const char *data)
{
    cJSON *o = begin(b, "prior");

    return finish(o, add_shared(o, "plugin", plugin) &&
                         add_number(o, "seed", (double)seed) &&
                         add_text(o, "data", data));
}

cJSON *ib_spec_sample(const struct ib_plan_builder *b,
                      const struct ib_spec_sample *s)
{
    cJSON *o = begin(b, "sample"), *e = cJSON_AddObjectToObject(o, "evaluator");

    return finish(o, add_text(e, "id", s->evaluator) &&
                         add_text(e, "model", s->model) &&
                         cJSON_AddItemToObject(
                             o, "plugin", cJSON_Duplicate(s->plugin, true)) &&
                         (!s->fitted || add_text(o, "fitted", s->fitted)) &&
                         add_number(o, "seed", (double)s->seed) &&
                         add_text(o, "data", s->data));
}

cJSON *ib_spec_attack(const struct ib_plan_builder *b,
                      const struct ib_plan_specs *s,
                      const struct ib_spec_attack *a)
{
    const struct ib_suite *suite = b->plan.suite;
    const struct ib_suite_attack *attack = &suite->attacks[a->attack];
    cJSON *o = begin(b, "attack");

    return finish(
        o, add_shared(o, "plugin", s->attacks[a->attack]) &&
               add_shared(o, "prior", s->priors[a->attack]) &&
               (!a->fitted || add_text(o, "fitted", a->fitted)) &&
               add_text(o, "level", ib_level_names[a->level]) &&
               add_number(o, "max_queries", (double)attack->max_queries) &&
               add_number(o, "latency", suite->latency) &&
               add_number(o, "rate_limit", suite->rate_limit) &&
               add_number(o, "seed", (double)a->seed) &&
               add_text(o, "data", a->data) && add_text(o, "model", a->model) &&
               add_shared(o, "defenses", a->respond) &&
               add_shared(o, "targets", s->targets[a->attack]));
}

cJSON *ib_spec_control(const struct ib_plan_builder *b,
                       const struct ib_plan_specs *s, const char *name,
                       uint64_t seed, const char *data, const char *model)
{
    cJSON *o = begin(b, "control");

    return finish(o, add_text(o, "name", name) &&
                         add_number(o, "seed", (double)seed) &&
                         add_text(o, "data", data) &&
                         (!model || add_text(o, "model", model)) &&
                         add_shared(o, "targets", s->none));
}

cJSON *ib_spec_score(const struct ib_plan_builder *b,
                     const struct ib_plan_specs *s, const char *recon,
                     const char *data, cJSON *evaluators)
{
    cJSON *o = begin(b, "score");

    return finish(o, add_text(o, "reconstructions", recon) &&
                         add_text(o, "data", data) &&
                         add_shared(o, "metrics", s->metrics) &&
                         add_shared(o, "evaluators", evaluators));
}

cJSON *ib_spec_utility(const struct ib_plan_builder *b, const char *model,
                       const char *data, cJSON *respond)
{
    cJSON *o = begin(b, "utility");

    return finish(o, add_text(o, "model", model) && add_text(o, "data", data) &&
                         add_shared(o, "defenses", respond));
}

cJSON *ib_spec_membership(const struct ib_plan_builder *b,
                          const struct ib_spec_membership *m)
{
    cJSON *o = begin(b, "membership");

    if (!o || !cJSON_AddItemToObject(o, "shadows", m->shadows)) {
        cJSON_Delete(m->shadows);
        return finish(o, false);
    }
    return finish(
        o, cJSON_AddItemToObject(o, "attacks",
                                 ib_membership_names_json(b->plan.suite)) &&
               add_text(o, "model", m->model) && add_text(o, "data", m->data) &&
               add_number(o, "seed", (double)m->seed) &&
               add_shared(o, "defenses", m->respond));
}
