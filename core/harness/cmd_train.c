/* invbench train: one model, and how good it is. */
#include "run_cell.h"

struct training {
    struct ib_session session;
    bool json;
    int code;
};

static double number(const cJSON *o, const char *name)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, name);

    return cJSON_IsNumber(v) ? v->valuedouble : 0;
}

static enum ib_status tell(struct training *t, const cJSON *utility,
                           const struct ib_plan_node *model,
                           struct ib_error *err)
{
    const struct ib_console *console = t->session.command->console;
    struct ib_text text = {0};
    enum ib_status s;
    cJSON *o;

    if (!t->json) {
        ib_console_out(console,
                       "%s: accuracy %.4f on %.0f held-out images, ECE "
                       "%.4f\nartifact %s in %s\n",
                       model->label, number(utility, "accuracy"),
                       number(utility, "n"), number(utility, "ece"), model->key,
                       ib_store_dir(t->session.store));
        return IB_OK;
    }
    o = cJSON_Duplicate(utility, true);
    cJSON_AddStringToObject(o, "model", model->key);
    s = ib_json_pretty(o, &text, err);
    if (!s)
        ib_console_out(console, "%s\n", ib_text_string(&text));
    ib_text_free(&text);
    cJSON_Delete(o);
    return s;
}

static enum ib_status make(void *ctx, struct ib_error *err)
{
    struct training *t = ctx;
    const struct ib_plan *p = t->session.plan;
    const struct ib_plan_node *utility = &p->nodes[p->cells[0].utility_node];
    struct ib_artifact a;
    enum ib_status s;

    if (ib_session_lacks(&t->session, utility, &t->code))
        return IB_OK;
    s = ib_store_get(t->session.store, utility->key, &a, err);
    if (s)
        return s;
    s = tell(t, cJSON_GetObjectItemCaseSensitive(a.meta, "utility"),
             &p->nodes[utility->input[0]], err);
    ib_artifact_free(&a);
    return s;
}

static int run(const struct ib_command_env *env, const struct ib_args *args,
               struct ib_error *err)
{
    struct training t = {.json = ib_args_has(args, "json")};
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
        "  invbench train --model '{\"name\":\"mlp\",\"hidden\":[64]}' "
        "--defense label-smoothing\n",
    .flags = flags,
    .run = run,
};
