/* invbench train: one model, and how good it is. */
#include <math.h>

#include "json_put.h"
#include "model_file.h"
#include "run_cell.h"

struct training {
    struct ib_session session;
    const char *out; /* the file to be written; NULL: none */
    bool json;
    int code;
};

/* What there is to tell. */
struct told {
    const struct ib_plan_node *model;
    const cJSON *utility;
    struct ib_model_size size; /* zeros where it cannot be known */
};

static const struct ib_use *use_of(const struct training *t)
{
    const struct ib_plan *p = t->session.plan;

    return &p->suite->models[p->cells[0].model].use;
}

static const struct ib_stack *stack_of(const struct training *t)
{
    const struct ib_plan *p = t->session.plan;

    return &p->suite->defenses[p->cells[0].defense].stack;
}

static void tell_training(const struct training *t, const struct told *x,
                          struct ib_text *out)
{
    const cJSON *train = ib_at(x->utility, "train");

    ib_text_add(out, "%s: accuracy %.4f on %.0f held-out images (ECE %.4f), ",
                x->model->label, ib_at_number(x->utility, "accuracy"),
                ib_at_number(x->utility, "n"), ib_at_number(x->utility, "ece"));
    ib_text_add(out, "%.4f on %.0f of %.0f training images\n",
                ib_at_number(train, "accuracy"), ib_at_number(train, "n"),
                ib_at_number(train, "of"));
    if (x->size.parameters)
        ib_text_add(
            out,
            "%zu parameters, %zu numbers of state; training takes "
            "%.1f MiB in batches of %lld\n",
            x->size.parameters, x->size.state,
            (double)x->size.training / (1 << 20),
            (long long)((const struct ib_train_options *)use_of(t)->options)
                ->batch);
    if (x->model->outcome == IB_DONE)
        ib_text_add(out, "trained in %.1f s, %.1f MiB at most\n",
                    x->model->seconds, x->model->peak_mib);
    ib_text_add(out, "artifact %s in %s%s\n", x->model->key,
                ib_store_dir(t->session.store),
                x->model->outcome == IB_DONE ? "" : " (was there already)");
    if (t->out)
        ib_text_add(out, "written to %s\n", t->out);
}

static enum ib_status tell_json(const struct training *t, const struct told *x,
                                struct ib_text *out, struct ib_error *err)
{
    bool ok = true, done = x->model->outcome == IB_DONE;
    cJSON *o = cJSON_Duplicate(x->utility, true);
    enum ib_status s;

    ib_put_text(&ok, o, "model", x->model->key);
    ib_put_number(&ok, o, "parameters",
                  x->size.parameters ? (double)x->size.parameters : NAN);
    ib_put_number(&ok, o, "state",
                  x->size.parameters ? (double)x->size.state : NAN);
    ib_put_number(&ok, o, "training_bytes",
                  x->size.training ? (double)x->size.training : NAN);
    ib_put_number(&ok, o, "seconds", done ? x->model->seconds : NAN);
    ib_put_number(&ok, o, "peak_mib", done ? x->model->peak_mib : NAN);
    ib_put_text(&ok, o, "file", t->out);
    s = ok ? ib_json_pretty(o, out, err)
           : ib_error_set(err, IB_E_NOMEM, "no memory");
    ib_text_add(out, "\n");
    cJSON_Delete(o);
    return s;
}

static enum ib_status tell(const struct training *t, const struct told *x,
                           struct ib_error *err)
{
    struct ib_text text = {0};
    enum ib_status s = IB_OK;

    if (t->json)
        s = tell_json(t, x, &text, err);
    else
        tell_training(t, x, &text);
    if (!s)
        s = ib_text_status(&text, err);
    if (!s)
        t->session.command->console->out(ib_text_string(&text), text.size);
    ib_text_free(&text);
    return s;
}

/* The model's task stands in its artifact. */
static enum ib_status look_at_model(struct training *t, struct told *x,
                                    struct ib_error *err)
{
    const struct ib_registry *r = t->session.command->registry;
    struct ib_loaded_model m = {0};
    struct ib_artifact a;
    enum ib_status s = ib_store_get(t->session.store, x->model->key, &a, err);
    cJSON *origin = cJSON_CreateObject();
    bool ok = true;

    if (!s && !ib_registry_is_foreign(r, use_of(t)->plugin)) {
        s = ib_model_decode(r, &a, 1, &m, err);
        if (!s)
            s = ib_model_measure(&m.use, stack_of(t), &m.task, &x->size, err);
    }
    if (!s && t->out && !m.net)
        s = ib_error_set(err, IB_E_USAGE,
                         "--out: model %s comes from outside; only models of "
                         "this program can be written to a file",
                         use_of(t)->plugin->name);
    ib_put_text(&ok, origin, "key", x->model->key);
    ib_put_copy(&ok, origin, "spec", ib_at(a.meta, "spec"));
    if (!s && t->out)
        s = ok ? ib_model_file_write(t->out, &m, ib_at(a.meta, "spec"), origin,
                                     err)
               : ib_error_set(err, IB_E_NOMEM, "no memory");
    cJSON_Delete(origin);
    ib_model_close(&m);
    ib_artifact_free(&a);
    return s;
}

static enum ib_status make(void *ctx, struct ib_error *err)
{
    struct training *t = ctx;
    const struct ib_plan *p = t->session.plan;
    const struct ib_plan_node *utility = &p->nodes[p->cells[0].utility_node];
    struct told x = {.model = &p->nodes[utility->input[0]]};
    struct ib_artifact a;
    enum ib_status s;

    if (ib_session_lacks(&t->session, utility, &t->code))
        return IB_OK;
    s = ib_store_get(t->session.store, utility->key, &a, err);
    if (s)
        return s;
    x.utility = ib_at(a.meta, "utility");
    s = look_at_model(t, &x, err);
    if (!s)
        s = tell(t, &x, err);
    ib_artifact_free(&a);
    return s;
}

static int run(const struct ib_command_env *env, const struct ib_args *args,
               struct ib_error *err)
{
    struct training t = {.json = ib_args_has(args, "json"),
                         .out = ib_args_get(args, "out")};
    int code = IB_EXIT_OK;
    enum ib_status s = ib_cell_open(&t.session, env, args, err);

    if (!s)
        s = ib_cell_run(&t.session, t.session.plan->cells[0].utility_node,
                        &code, make, &t, err);
    ib_session_close(&t.session);
    return ib_cell_exit(s, code ? code : t.code);
}

static const struct ib_flag flags[] = {
    IB_CELL_FLAGS,
    IB_SESSION_FLAGS,
    IB_RUN_FLAGS,
    {"out", "FILE", "write the model to a file: docs/model-file.md", false},
    {0},
};

const struct ib_command ib_cmd_train = {
    .name = "train",
    .synopsis = "[--dataset D] [--model M] [--defense X] | --suite S --cell C",
    .summary = "train one model and show its accuracy",
    .details =
        "Trains a model on the private split of a data set, behind a stack of "
        "defenses, and\nmeasures it on held-out images. The model stays in "
        "the store: a run that needs the\nsame one does not train it again.\n\n"
        "  invbench train --model cnn\n"
        "  invbench train --model cnn --out cnn.ibm\n"
        "  invbench train --model '{\"name\":\"mlp\",\"hidden\":[64]}' "
        "--defense label-smoothing\n",
    .flags = flags,
    .run = run,
};
