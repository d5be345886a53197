/*
 * invbench selftest: is this build, on this machine, the one whose numbers
 * others can compare with? Each check is independent and takes under a second.
 */
#include <invbench/math.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "options_io.h"
#include "sandbox.h"
#include "store.h"

struct check_env {
    const struct ib_command_env *command;
    char note[PATH_MAX]; /* what was found, for the table */
};

struct check {
    const char *name;
    bool required; /* else its failure is a remark */
    enum ib_status (*run)(struct check_env *env, struct ib_error *err);
};

static void note(struct check_env *env, const char *text)
{
    snprintf(env->note, sizeof env->note, "%s", text);
}

static enum ib_status check_processor(struct check_env *env,
                                      struct ib_error *err)
{
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma"))
        return ib_error_set(err, IB_E_USAGE,
                            "this processor lacks AVX2 or FMA; x86-64-v3 is "
                            "needed");
    note(env, "AVX2, FMA");
    return IB_OK;
}

static enum ib_status check_numerics(struct check_env *env,
                                     struct ib_error *err)
{
    (void)err;
    note(env, ib_numerics(env->command->registry));
    return IB_OK;
}

/* Random123's known answer for Philox4x32-10, key and counter all ones. */
static enum ib_status check_random(struct check_env *env, struct ib_error *err)
{
    static const uint32_t counter[4] = {~0u, ~0u, ~0u, ~0u};
    static const uint32_t key[2] = {~0u, ~0u};
    static const uint32_t want[4] = {0x408f276du, 0x41c83b0eu, 0xa20bc7c6u,
                                     0x6d5451fdu};
    uint32_t got[4];

    ib_philox(counter, key, got);
    if (memcmp(got, want, sizeof want) != 0)
        return ib_error_set(err, IB_E_INTERNAL,
                            "Philox4x32-10 does not give its published answer");
    note(env, "Philox4x32-10 gives its published answer");
    return IB_OK;
}

/* A small net trained for a few steps: its parameters' hash is what another
 * machine with the same numerics must also print. */
static enum ib_status train_tiny(struct ib_net **net, struct ib_error *err)
{
    static const uint8_t pixels[4 * 64] = {
        [3] = 255, [70] = 200, [140] = 150, [200] = 90};
    static const int32_t identity[4] = {0, 1, 2, 3};
    const struct ib_images data = {{1, 8, 8}, 4, pixels, identity};
    struct ib_graph *g = ib_graph_create();
    struct ib_training t = {.data = &data, .classes = 4, .seed = 1};
    enum ib_status status;

    if (!g)
        return ib_error_set(err, IB_E_NOMEM, "no memory for a graph");
    t.input = ib_graph_input(g, data.shape, "input");
    t.logits = ib_graph_conv2d(g, t.input, (struct ib_conv){4, 3, 1, 1}, "c");
    t.logits = ib_graph_maxpool(g, ib_graph_relu(g, t.logits), 2, 2);
    t.logits = ib_graph_dense(g, ib_graph_tanh(g, t.logits), 4, "d");
    status = ib_net_create(net, g, 4, err);
    if (status)
        return status;
    t.net = *net;
    t.role = "selftest";
    t.options = (struct ib_train_options){.epochs = 20,
                                          .batch = 2,
                                          .optimiser = IB_ADAM,
                                          .rate = 0.01,
                                          .momentum = 0.9};
    return ib_train(&t, err);
}

static enum ib_status check_training(struct check_env *env,
                                     struct ib_error *err)
{
    struct ib_net *net = NULL;
    char key[IB_KEY_SIZE];
    enum ib_status status = train_tiny(&net, err);

    if (!status) {
        ib_sha256(ib_net_parameters(net),
                  ib_net_parameter_count(net) * sizeof(float), key);
        snprintf(env->note, sizeof env->note,
                 "a trained net hashes to %.16s; equal numerics, equal hash",
                 key);
    }
    ib_net_free(net);
    return status;
}

static enum ib_status check_plugins(struct check_env *env, struct ib_error *err)
{
    const struct ib_registry *r = env->command->registry;
    size_t n = 0;

    for (int kind = 0; kind < IB_KIND_COUNT; kind++) {
        size_t count = ib_registry_count(r, (enum ib_kind)kind);
        for (size_t i = 0; i < count; i++, n++) {
            const struct ib_plugin *p =
                ib_registry_at(r, (enum ib_kind)kind, i);
            if (p->options &&
                ib_options_check(p->options, p->options_size, err))
                return ib_error_prefix(err, "%s %s", ib_kind_names[kind],
                                       p->name);
        }
    }
    snprintf(env->note, sizeof env->note, "%zu plugins, their tables agree", n);
    return IB_OK;
}

static enum ib_status check_store(struct check_env *env, struct ib_error *err)
{
    static const char data[] = "selftest";
    char dir[] = "/tmp/invbench-selftest-XXXXXX", key[IB_KEY_SIZE];
    struct ib_store *store = NULL;
    struct ib_artifact artifact = {0};
    cJSON *meta = cJSON_CreateObject();
    enum ib_status status = IB_E_IO;

    ib_sha256(data, sizeof data, key);
    if (!meta || !mkdtemp(dir)) {
        ib_error_set(err, IB_E_IO, "no temporary directory in /tmp");
        goto out;
    }
    if ((status = ib_store_open(&store, dir, err)) ||
        (status = ib_store_put(store, key, meta, data, sizeof data, err)) ||
        (status = ib_store_get(store, key, &artifact, err)))
        goto out;
    if (artifact.size != sizeof data ||
        memcmp(artifact.data, data, sizeof data) != 0)
        status =
            ib_error_set(err, IB_E_INTERNAL, "the store gave back other bytes");
    else
        note(env, "written, read back, hash checked");
    status = status ? status : ib_store_remove(store, key, err);
out:
    ib_artifact_free(&artifact);
    ib_store_close(store);
    cJSON_Delete(meta);
    return status;
}

static enum ib_status check_sandbox(struct check_env *env, struct ib_error *err)
{
    int abi = ib_sandbox_landlock_abi();

    if (abi < 1)
        return ib_error_set(err, IB_E_DENIED,
                            "this kernel has no Landlock: attacks run under "
                            "seccomp alone, and results say so");
    snprintf(env->note, sizeof env->note, "Landlock ABI %d, seccomp", abi);
    return IB_OK;
}

static enum ib_status check_gnuplot(struct check_env *env, struct ib_error *err)
{
    const char *path = getenv("PATH");
    char file[PATH_MAX];

    while (path && *path) {
        int n = (int)strcspn(path, ":");
        snprintf(file, sizeof file, "%.*s/gnuplot", n, path);
        if (access(file, X_OK) == 0) {
            note(env, file);
            return IB_OK;
        }
        path += n + (path[n] == ':');
    }
    return ib_error_set(err, IB_E_USAGE,
                        "no gnuplot on PATH: reports are made without plots");
}

static const struct check checks[] = {
    {"processor", true, check_processor}, {"numerics", true, check_numerics},
    {"random", true, check_random},       {"training", true, check_training},
    {"plugins", true, check_plugins},     {"store", true, check_store},
    {"sandbox", false, check_sandbox},    {"gnuplot", false, check_gnuplot},
};

static cJSON *verdict_json(const char *name, const char *word, const char *note)
{
    cJSON *o = cJSON_CreateObject();

    cJSON_AddStringToObject(o, "check", name);
    cJSON_AddStringToObject(o, "verdict", word);
    cJSON_AddStringToObject(o, "note", note);
    return o;
}

static enum ib_status tell_json(const struct ib_console *console,
                                const cJSON *list, struct ib_error *err)
{
    struct ib_text text = {0};
    enum ib_status s = ib_json_pretty(list, &text, err);

    if (s == IB_OK)
        ib_console_out(console, "%s\n", ib_text_string(&text));
    ib_text_free(&text);
    return s;
}

static int selftest(const struct ib_command_env *env,
                    const struct ib_args *args, struct ib_error *err)
{
    cJSON *list = ib_args_has(args, "json") ? cJSON_CreateArray() : NULL;
    enum ib_status told = IB_OK;
    int failed = 0;

    for (size_t i = 0; i < IB_COUNT(checks); i++) {
        struct check_env c = {.command = env};
        struct ib_error e = {0};
        enum ib_status status = checks[i].run(&c, &e);
        const char *word = !status              ? "ok"
                           : checks[i].required ? "FAILED"
                                                : "remark";
        failed += status && checks[i].required;
        const char *text = status ? e.text : c.note;

        if (list)
            cJSON_AddItemToArray(list,
                                 verdict_json(checks[i].name, word, text));
        else
            ib_console_out(env->console, "%-10s %-7s %s\n", checks[i].name,
                           word, text);
    }
    if (list)
        told = tell_json(env->console, list, err);
    cJSON_Delete(list);
    if (told)
        return IB_EXIT_ERROR;
    if (!failed)
        return IB_EXIT_OK;
    ib_error_set(err, IB_E_INTERNAL, "%d of %zu checks failed", failed,
                 IB_COUNT(checks));
    return IB_EXIT_ERROR;
}

const struct ib_command ib_cmd_selftest = {
    .name = "selftest",
    .synopsis = "",
    .summary = "check this build on this machine",
    .details =
        "Checks the processor, the random numbers, a short training, every\n"
        "plugin's table, a store, the sandbox, and gnuplot. With --plugin it\n"
        "checks an outside module's tables too. Two machines whose `numerics`\n"
        "and training hash agree compute the same results bit for bit.\n",
    .run = selftest,
};
