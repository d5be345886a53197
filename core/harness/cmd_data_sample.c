/* invbench data sample: what a prior makes of the public images. */
#include <stdio.h>
#include <string.h>

#include "cmd_data.h"
#include "json_put.h"
#include "run_cell.h"
#include "sample.h"

struct sampling {
    struct ib_session session;
    const char *out;
    int64_t n;
    bool json;
    int node, code;
    char title[160];
};

/* --- the suite ----------------------------------------------------------- */

static enum ib_status add(cJSON *suite, const char *name, cJSON *plugin,
                          bool list, struct ib_error *err)
{
    bool ok = true;

    ib_put(&ok, list ? ib_put_array(&ok, suite, name) : suite,
           list ? NULL : name, plugin);
    return ok ? IB_OK : ib_error_set(err, IB_E_NOMEM, "no memory");
}

static enum ib_status add_plugin(cJSON *suite, const char *name,
                                 const char *text, bool list,
                                 struct ib_error *err)
{
    cJSON *plugin = NULL;
    enum ib_status s = ib_cell_plugin(text, name, NULL, &plugin, err);

    if (!s)
        return add(suite, name, plugin, list, err);
    cJSON_Delete(plugin);
    return s;
}

/* The attack that carries the prior into the plan; it is never run. */
static enum ib_status add_carrier(cJSON *suite, const struct ib_args *args,
                                  struct ib_error *err)
{
    const char *text = ib_args_get(args, "prior");
    const char *const *set = ib_args_all(args, "set");
    cJSON *prior = NULL, *attack;
    bool ok = true;
    enum ib_status s;

    if (!text)
        return ib_error_set(err, IB_E_USAGE,
                            "--prior NAME is needed: `invbench list priors`");
    s = ib_cell_plugin(text, "--prior", NULL, &prior, err);
    for (; *set && !s; set++)
        s = ib_data_option(prior, *set, err);
    if (s) {
        cJSON_Delete(prior);
        return s;
    }
    attack = cJSON_CreateObject();
    ib_put_text(&ok, attack, "name", "mi-face");
    ib_put_text(&ok, attack, "id", "sample");
    ib_put(&ok, attack, "prior", prior);
    s = add(suite, "attacks", attack, true, err);
    return ok ? s : ib_error_set(err, IB_E_NOMEM, "no memory");
}

static enum ib_status make_suite(struct sampling *t, const struct ib_args *args,
                                 struct ib_error *err)
{
    static const char judge[] =
        "{\"name\":\"cnn\",\"id\":\"judge-cnn\",\"channels\":[8,16,32],"
        "\"epochs\":20,\"batch\":32,\"rate\":0.001,\"schedule\":\"cosine\"}";
    static const char *const level = "gradients", *const metric = "mse";
    const char *dataset = ib_args_get(args, "dataset");
    const char *evaluator = ib_args_get(args, "evaluator");
    cJSON *o = cJSON_CreateObject(), *none = cJSON_CreateObject();
    bool ok = true;
    int64_t seed = 1;
    double first;
    enum ib_status s =
        ib_args_int(args, "seed", 0, (int64_t)1 << 52, &seed, err);

    first = (double)seed;
    ib_put_text(&ok, o, "schema", "invbench.suite/1");
    ib_put_text(&ok, o, "name", "sample");
    ib_put(&ok, o, "seeds", cJSON_CreateDoubleArray(&first, 1));
    ib_put(&ok, o, "access", cJSON_CreateStringArray(&level, 1));
    ib_put(&ok, o, "metrics", cJSON_CreateStringArray(&metric, 1));
    ib_put_text(&ok, none, "id", "none");
    ib_put_array(&ok, none, "stack");
    ib_put(&ok, ib_put_array(&ok, o, "defenses"), NULL, none);
    if (!s)
        s = add_plugin(o, "dataset", dataset ? dataset : "synthfaces", false,
                       err);
    if (!s)
        s = add_plugin(o, "models", "softmax", true, err);
    if (!s)
        s = add_plugin(o, "evaluators", evaluator ? evaluator : judge, true,
                       err);
    if (!s)
        s = add_carrier(o, args, err);
    if (!s && !ok)
        s = ib_error_set(err, IB_E_NOMEM, "no memory");
    if (s) {
        cJSON_Delete(o);
        return s;
    }
    return ib_suite_parse(t->session.command->registry, o, "options",
                          &t->session.suite, err);
}

/* --- what it tells ------------------------------------------------------- */

static void put_numbers(bool *ok, struct sampling *t, cJSON *o)
{
    const struct ib_plan *p = t->session.plan;
    const struct ib_prior_cell *c = p->n_priors ? &p->priors[0] : NULL;
    struct ib_artifact a = {0};
    struct ib_error ignored;

    if (c && !ib_store_get(t->session.store, p->nodes[c->prior_node].key, &a,
                           &ignored))
        ib_put_copy(ok, o, "numbers", ib_at(a.meta, "numbers"));
    ib_artifact_free(&a);
}

static enum ib_status tell_json(struct sampling *t, const cJSON *sample,
                                struct ib_error *err)
{
    const struct ib_use *prior = &t->session.suite->attacks[0].prior;
    struct ib_text text = {0};
    bool ok = true;
    cJSON *o = cJSON_CreateObject(), *copy;
    enum ib_status s;

    ib_put_text(&ok, o, "prior", prior->plugin->name);
    ib_put(&ok, o, "options",
           prior->plugin->options
               ? ib_options_echo(prior->plugin->options, prior->options)
               : cJSON_CreateObject());
    put_numbers(&ok, t, o);
    copy = ib_put(&ok, o, "sample", cJSON_Duplicate(sample, true));
    cJSON_DeleteItemFromObjectCaseSensitive(copy, "nearest");
    ib_put_text(&ok, o, "sheet", t->out);
    s = ok ? ib_json_pretty(o, &text, err)
           : ib_error_set(err, IB_E_NOMEM, "no memory");
    if (!s)
        ib_console_out(t->session.command->console, "%s\n",
                       ib_text_string(&text));
    ib_text_free(&text);
    cJSON_Delete(o);
    return s;
}

static void tell(const struct sampling *t, const cJSON *sample)
{
    static const char *const names[] = {"frechet", "precision", "recall",
                                        "density", "coverage"};
    const struct ib_console *console = t->session.command->console;
    const cJSON *scores = ib_at(sample, "scores");
    const cJSON *reasons = ib_at(sample, "reasons");

    ib_console_out(console, "%s: %.0f samples, %.0f public images held out\n\n",
                   t->title, ib_at_number(sample, "n"),
                   ib_at_number(sample, "held"));
    for (size_t i = 0; i < IB_COUNT(names); i++) {
        char real[64];
        const char *why = ib_at_text(reasons, names[i]);

        snprintf(real, sizeof(real), "%s_real", names[i]);
        if (why)
            ib_console_out(console, "%-10s n/a: %s\n", names[i], why);
        else
            ib_console_out(console, "%-10s %8.3g   real images %8.3g\n",
                           names[i], ib_at_number(scores, names[i]),
                           ib_at_number(scores, real));
    }
    ib_console_out(console, "\n%s\n\n%s\n", ib_at_text(sample, "verdict"),
                   t->out);
}

static enum ib_status make(void *ctx, struct ib_error *err)
{
    struct sampling *t = ctx;
    const struct ib_plan *p = t->session.plan;
    const struct ib_plan_node *node = &p->nodes[t->node];
    const struct ib_sample_sheet sheet = {.sample_key = node->key,
                                          .data_key =
                                              p->nodes[p->data_node[0]].key,
                                          .n = (int)t->n,
                                          .title = t->title};
    struct ib_artifact a;
    enum ib_status s;

    if (ib_session_lacks(&t->session, node, &t->code))
        return IB_OK;
    s = ib_sample_sheet(&t->session.env, &sheet, t->out, err);
    if (!s)
        s = ib_store_get(t->session.store, node->key, &a, err);
    if (s)
        return s;
    if (t->json)
        s = tell_json(t, ib_at(a.meta, "sample"), err);
    else
        tell(t, ib_at(a.meta, "sample"));
    ib_artifact_free(&a);
    return s;
}

static enum ib_status open_sampling(struct sampling *t,
                                    const struct ib_command_env *env,
                                    const struct ib_args *args,
                                    struct ib_error *err)
{
    struct ib_session *s = &t->session;
    enum ib_status status = ib_session_open(s, env, args, err);

    if (!t->out && !status)
        status = ib_error_set(err, IB_E_USAGE,
                              "--out FILE.png is needed: where the contact "
                              "sheet goes");
    if (!status)
        status = ib_args_int(args, "n", 1, IB_SAMPLES_MIN, &t->n, err);
    if (!status)
        status = make_suite(t, args, err);
    if (!status)
        status = ib_plan_make(s->suite, &s->env, &s->plan, err);
    if (!status)
        status = ib_plan_sample(s->plan, 0, &t->node, err);
    if (!status)
        snprintf(t->title, sizeof(t->title), "%.50s on %.50s, seed %llu",
                 s->suite->attacks[0].prior.plugin->name,
                 s->suite->dataset.plugin->name,
                 (unsigned long long)s->suite->seeds[0]);
    return status;
}

int ib_data_sample(const struct ib_command_env *env, const struct ib_args *args,
                   struct ib_error *err)
{
    struct sampling t = {.out = ib_args_get(args, "out"),
                         .n = 32,
                         .json = ib_args_has(args, "json")};
    int code = IB_EXIT_OK;
    enum ib_status s = open_sampling(&t, env, args, err);

    if (!s)
        s = ib_cell_run(&t.session, t.node, &code, make, &t, err);
    ib_session_close(&t.session);
    return ib_cell_exit(s, code ? code : t.code);
}
