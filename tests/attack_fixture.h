/*
 * The attack stage for real: a store with a small data set and a model, the
 * program under test as the attacker's process, and plugins compiled from
 * tests/plugins.
 */
#ifndef INVBENCH_TESTS_ATTACK_FIXTURE_H
#define INVBENCH_TESTS_ATTACK_FIXTURE_H

#include "harness_fixture.h"
#include "temp_dir.h"

#include <spawn.h>
#include <sys/wait.h>

#include "recon_io.h"
#include "stage.h"

enum { LAB_SIZE = 32, LAB_CLASSES = 3 };

struct lab {
    char dir[PATH_MAX], plugin[PATH_MAX + 16];
    struct ib_registry *registry;
    struct ib_stage_env env;
    char data[IB_KEY_SIZE], model[IB_KEY_SIZE], key[IB_KEY_SIZE];
    struct ib_error err;
};

static inline void lab_compile_with(const char *source, const char *out,
                                    const char *flag)
{
    const char *cc = getenv("CC") ? getenv("CC") : "cc";
    const char *const argv[] = {cc,        "-std=c11", "-D_GNU_SOURCE",
                                "-shared", "-fPIC",    "-Iinclude",
                                source,    "-o",       out,
                                flag,      NULL};
    pid_t pid;
    int how;

    assert_int_equal(posix_spawnp(&pid, cc, NULL, NULL,
                                  (char *const *)(uintptr_t)argv, environ),
                     0);
    assert_int_equal(waitpid(pid, &how, 0), pid);
    assert_int_equal(how, 0);
}

static inline void lab_compile(const char *source, const char *out)
{
    lab_compile_with(source, out, NULL);
}

/* {"plugin": ...} of one use, given as JSON. */
static inline cJSON *lab_use(struct lab *lab, enum ib_kind kind,
                             const char *text)
{
    struct ib_use use = {0};
    cJSON *object = json_of(text), *spec;

    if (ib_use_parse(lab->registry, kind, object,
                     &(struct ib_place){.path = text}, &use, &lab->err))
        fail_msg("%s", lab->err.text);
    spec = ib_use_spec(lab->registry, &use);
    ib_use_free(&use);
    cJSON_Delete(object);
    return spec;
}

static inline void lab_stage(struct lab *lab, ib_stage_run stage, cJSON *spec,
                             char key[IB_KEY_SIZE])
{
    assert_int_equal(ib_json_key(spec, key, &lab->err), IB_OK);
    if (stage(&lab->env, spec, key, &lab->err))
        fail_msg("%s", lab->err.text);
    cJSON_Delete(spec);
}

static inline void lab_train(struct lab *lab)
{
    cJSON *data = json_of("{'kind':'data','seed':1,'files':{}}");
    cJSON *model = json_of("{'kind':'model','role':'target','seed':1,"
                           "'defenses':[]}");

    cJSON_AddItemToObject(
        data, "plugin",
        lab_use(lab, IB_KIND_DATASET,
                "{'name':'synthfaces','size':32,'identities':3,'train':4,"
                "'holdout':1,'public_identities':2,'public_images':2}"));
    lab_stage(lab, ib_stage_data, data, lab->data);
    cJSON_AddItemToObject(
        model, "plugin",
        lab_use(lab, IB_KIND_MODEL, "{'name':'softmax','epochs':2}"));
    cJSON_AddStringToObject(model, "data", lab->data);
    lab_stage(lab, ib_stage_model, model, lab->model);
}

/* plugin: a source under tests/plugins, or NULL. Tests run in the root of the
 * tree. */
static inline void lab_open(struct lab *lab, const char *plugin)
{
    const char *program = getenv("INVBENCH_PROGRAM");

    *lab = (struct lab){0};
    if (!program)
        fail_msg("INVBENCH_PROGRAM does not name the program");
    temp_dir_make(lab->dir);
    assert_int_equal(ib_registry_create(&lab->registry, &lab->err), IB_OK);
    assert_int_equal(ib_registry_set_program(lab->registry, program, &lab->err),
                     IB_OK);
    if (plugin) {
        snprintf(lab->plugin, sizeof(lab->plugin), "%s/plugin.so", lab->dir);
        lab_compile(plugin, lab->plugin);
        if (ib_registry_load(lab->registry, lab->plugin, IB_LOAD_DESCRIPTOR,
                             &lab->err))
            fail_msg("%s", lab->err.text);
    }
    lab->env.registry = lab->registry;
    lab->env.program = program;
    assert_int_equal(ib_store_open(&lab->env.store, lab->dir, &lab->err),
                     IB_OK);
    lab_train(lab);
}

static inline void lab_close(struct lab *lab)
{
    ib_store_close(lab->env.store);
    ib_registry_free(lab->registry);
    temp_dir_remove(lab->dir);
}

/* Runs one attack, both given as JSON; the key is then in lab->key. */
static inline enum ib_status
lab_attack_with(struct lab *lab, const char *attack, const char *prior,
                const char *fitted, const char *rest)
{
    cJSON *spec = json_of(rest);
    enum ib_status status;

    cJSON_AddStringToObject(spec, "kind", "attack");
    cJSON_AddNumberToObject(spec, "seed", 1);
    cJSON_AddStringToObject(spec, "data", lab->data);
    cJSON_AddStringToObject(spec, "model", lab->model);
    cJSON_AddItemToObject(spec, "plugin", lab_use(lab, IB_KIND_ATTACK, attack));
    cJSON_AddItemToObject(spec, "prior", lab_use(lab, IB_KIND_PRIOR, prior));
    if (fitted)
        cJSON_AddStringToObject(spec, "fitted", fitted);
    if (!cJSON_GetObjectItem(spec, "defenses"))
        cJSON_AddArrayToObject(spec, "defenses");
    if (!cJSON_GetObjectItem(spec, "targets"))
        cJSON_AddArrayToObject(spec, "targets");
    assert_int_equal(ib_json_key(spec, lab->key, &lab->err), IB_OK);
    lab->err = (struct ib_error){0};
    status = ib_stage_attack(&lab->env, spec, lab->key, &lab->err);
    cJSON_Delete(spec);
    return status;
}

static inline enum ib_status lab_attack(struct lab *lab, const char *attack,
                                        const char *rest)
{
    return lab_attack_with(lab, attack, "{'name':'pixels'}", NULL, rest);
}

static inline void lab_recon(struct lab *lab, struct ib_recon *r)
{
    if (ib_recon_open(lab->env.store, lab->key, r, &lab->err))
        fail_msg("%s", lab->err.text);
}

static inline double lab_count(const struct ib_recon *r, const char *name,
                               int slot)
{
    const cJSON *list =
        cJSON_GetObjectItem(cJSON_GetObjectItem(r->meta, "queries"), name);
    return cJSON_GetArrayItem(list, slot)->valuedouble;
}

#endif
