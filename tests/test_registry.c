#include "harness_fixture.h"

#include <sys/wait.h>
#include <unistd.h>

#include "cli.h"
#include "options_io.h"
#include "registry.h"
#include "registry_parts.h"

extern const struct ib_defense ib_defense_round;

struct env {
    char dir[PATH_MAX], path[PATH_MAX + 16];
    struct ib_registry *r;
    struct ib_error err;
};

static int setup(void **state)
{
    struct env *e = calloc(1, sizeof *e);

    assert_non_null(e);
    temp_dir_make(e->dir);
    snprintf(e->path, sizeof e->path, "%s/m.so", e->dir);
    if (ib_registry_create(&e->r, &e->err) != IB_OK)
        fail_msg("%s", e->err.text);
    *state = e;
    return 0;
}

static int teardown(void **state)
{
    struct env *e = *state;

    ib_registry_free(e->r);
    temp_dir_remove(e->dir);
    free(e);
    return 0;
}

/* Builds tests/plugins/module.c with a macro set. */
static void build(struct env *e, const char *macro)
{
    char define[64];
    pid_t pid = fork();
    int status = 0;

    snprintf(define, sizeof define, "-D%s", macro);
    if (pid == 0) {
        execlp("cc", "cc", "-std=c11", "-D_GNU_SOURCE", "-shared", "-fPIC",
               "-Iinclude", define, "tests/plugins/module.c", "-o", e->path,
               (char *)NULL);
        _exit(127);
    }
    assert_true(pid > 0 && waitpid(pid, &status, 0) == pid);
    assert_int_equal(status, 0);
}

/* Both ways of loading refuse the module with the same words. */
static void refused(struct env *e, const char *macro, const char *part)
{
    build(e, macro);
    assert_int_not_equal(
        ib_registry_load(e->r, e->path, IB_LOAD_DESCRIPTOR, &e->err), IB_OK);
    assert_has(e->err.text, part);
    assert_has(e->err.text, "--plugin");
    e->err.text[0] = '\0';
    assert_int_not_equal(ib_registry_load(e->r, e->path, IB_LOAD_CODE, &e->err),
                         IB_OK);
    assert_has(e->err.text, part);
    assert_null(ib_registry_modules(e->r)[0]);
}

static void refused_by_the_probe(struct env *e, const char *macro,
                                 const char *part)
{
    build(e, macro);
    assert_int_equal(
        ib_registry_load(e->r, e->path, IB_LOAD_DESCRIPTOR, &e->err),
        IB_E_USAGE);
    assert_has(e->err.text, part);
    assert_null(ib_registry_modules(e->r)[0]);
}

/* --- in the tree ------------------------------------------------------------
 */

static void every_in_tree_plugin_is_sound_and_hashed(void **state)
{
    struct env *e = *state;

    for (int k = 0; k < IB_KIND_COUNT; k++) {
        assert_true(ib_registry_count(e->r, (enum ib_kind)k) > 0);
        for (size_t i = 0; i < ib_registry_count(e->r, (enum ib_kind)k); i++) {
            const struct ib_plugin *p =
                ib_registry_at(e->r, (enum ib_kind)k, i);
            assert_int_equal(p->kind, k);
            assert_int_equal(strlen(ib_registry_code_hash(e->r, p)), 64);
            assert_false(ib_registry_is_foreign(e->r, p));
        }
    }
}

static void an_unknown_name_gets_the_nearest_and_all(void **state)
{
    struct env *e = *state;
    const struct ib_plugin *p = NULL;

    assert_int_equal(
        ib_registry_find(e->r, IB_KIND_DEFENSE, "ruond", "here", &p, &e->err),
        IB_E_USAGE);
    assert_has(e->err.text, "here: there is no defense \"ruond\" (did you mean "
                            "\"round\"?); there are: ");
    assert_has(e->err.text, "label-only");
    assert_int_equal(
        ib_registry_find(e->r, IB_KIND_DEFENSE, "round", "here", &p, &e->err),
        IB_OK);
    assert_string_equal(p->name, "round");
}

static void numerics_names_engine_blas_and_core(void **state)
{
    struct env *e = *state;

    assert_has(ib_numerics(e->r), "engine ");
    assert_has(ib_numerics(e->r), "OpenBLAS");
    assert_has(ib_numerics(e->r), "x86-64-v3");
    assert_string_equal(ib_code_hash("no such thing"), "");
    assert_int_equal(strlen(ib_code_hash("engine")), 64);
}

static void a_use_makes_the_way_through_its_spec(void **state)
{
    struct env *e = *state;
    struct ib_use u = {0}, back = {0};
    cJSON *v = json_of("{'name':'round','step':0.25}"), *spec, *again;

    assert_int_equal(ib_use_parse(e->r, IB_KIND_DEFENSE, v,
                                  &(struct ib_place){.path = "x"}, &u, &e->err),
                     IB_OK);
    spec = ib_use_spec(e->r, &u);
    assert_int_equal(
        ib_use_from_spec(e->r, IB_KIND_DEFENSE, spec, &back, &e->err), IB_OK);
    again = ib_use_spec(e->r, &back);
    assert_true(cJSON_Compare(spec, again, true));
    assert_ptr_equal(u.plugin, &ib_defense_round.plugin);
    cJSON_Delete(v);
    cJSON_Delete(spec);
    cJSON_Delete(again);
    ib_use_free(&u);
    ib_use_free(&back);
}

static void a_spec_of_other_code_is_refused(void **state)
{
    struct env *e = *state;
    struct ib_use u = {0}, back = {0};
    cJSON *v = json_of("'round'"), *spec;

    assert_int_equal(ib_use_parse(e->r, IB_KIND_DEFENSE, v,
                                  &(struct ib_place){.path = "x"}, &u, &e->err),
                     IB_OK);
    spec = ib_use_spec(e->r, &u);
    cJSON_SetValuestring(cJSON_GetObjectItem(spec, "code"), "0123");
    assert_int_equal(
        ib_use_from_spec(e->r, IB_KIND_DEFENSE, spec, &back, &e->err),
        IB_E_DATA);
    assert_has(e->err.text, "code: \"0123\" was asked for");
    assert_null(back.options);
    cJSON_Delete(v);
    cJSON_Delete(spec);
    ib_use_free(&u);
}

/* --- modules
 * ------------------------------------------------------------------ */

static void descriptors_and_code_agree(void **state)
{
    struct env *e = *state;
    struct ib_registry *code = NULL;
    const struct ib_plugin *p = NULL, *q = NULL;
    cJSON *a, *b;

    build(e, "NOISY");
    if (ib_registry_load(e->r, e->path, IB_LOAD_DESCRIPTOR, &e->err) != IB_OK)
        fail_msg("%s", e->err.text);
    assert_int_equal(ib_registry_create(&code, &e->err), IB_OK);
    assert_int_equal(ib_registry_load(code, e->path, IB_LOAD_CODE, &e->err),
                     IB_OK);
    assert_int_equal(
        ib_registry_find(e->r, IB_KIND_DEFENSE, "halve", "", &p, &e->err),
        IB_OK);
    assert_int_equal(
        ib_registry_find(code, IB_KIND_DEFENSE, "halve", "", &q, &e->err),
        IB_OK);
    a = ib_plugin_json(p);
    b = ib_plugin_json(q);
    assert_true(cJSON_Compare(a, b, true));
    assert_string_equal(ib_registry_code_hash(e->r, p),
                        ib_registry_code_hash(code, q));
    assert_null(((const struct ib_defense *)(const void *)p)->respond);
    assert_non_null(((const struct ib_defense *)(const void *)q)->respond);
    cJSON_Delete(a);
    cJSON_Delete(b);
    ib_registry_free(code);
}

static void a_copied_descriptor_parses_options(void **state)
{
    struct env *e = *state;
    struct ib_use u = {0};
    cJSON *good = json_of("{'name':'halve','how':'up','list':[9]}");
    cJSON *bad = json_of("{'name':'halve','share':2}");

    build(e, "PLAIN");
    assert_int_equal(
        ib_registry_load(e->r, e->path, IB_LOAD_DESCRIPTOR, &e->err), IB_OK);
    assert_int_equal(ib_use_parse(e->r, IB_KIND_DEFENSE, good,
                                  &(struct ib_place){.path = "x"}, &u, &e->err),
                     IB_OK);
    assert_true(ib_registry_is_foreign(e->r, u.plugin));
    ib_use_free(&u);
    assert_int_equal(ib_use_parse(e->r, IB_KIND_DEFENSE, bad,
                                  &(struct ib_place){.path = "x"}, &u, &e->err),
                     IB_E_USAGE);
    assert_has(e->err.text, "x.share: 2 is out of range; 0..1 is allowed");
    cJSON_Delete(good);
    cJSON_Delete(bad);
}

static void the_code_hash_is_the_files_or_the_modules_own(void **state)
{
    struct env *e = *state;
    char file[IB_KEY_SIZE];
    const struct ib_plugin *p = NULL;

    build(e, "PLAIN");
    assert_int_equal(ib_sha256_file(e->path, file, &e->err), IB_OK);
    assert_int_equal(
        ib_registry_load(e->r, e->path, IB_LOAD_DESCRIPTOR, &e->err), IB_OK);
    assert_int_equal(
        ib_registry_find(e->r, IB_KIND_METRIC, "count", "", &p, &e->err),
        IB_OK);
    assert_string_equal(ib_registry_code_hash(e->r, p), file);
    ib_registry_free(e->r);
    assert_int_equal(ib_registry_create(&e->r, &e->err), IB_OK);
    build(e, "OWN_HASH");
    assert_int_equal(
        ib_registry_load(e->r, e->path, IB_LOAD_DESCRIPTOR, &e->err), IB_OK);
    assert_int_equal(
        ib_registry_find(e->r, IB_KIND_METRIC, "count", "", &p, &e->err),
        IB_OK);
    ib_sha256("hash-of-my-own", 14, file);
    assert_string_equal(ib_registry_code_hash(e->r, p), file);
}

static void the_magic_block_is_checked_field_by_field(void **state)
{
    struct env *e = *state;

    refused(e, "WRONG_SIZE", "block has 12 bytes, the program's has");
    refused(e, "WRONG_MAJOR",
            "ABI version is 9.0, the program's is 1.0; use a "
            "newer invbench");
    refused(e, "WRONG_MINOR", "ABI version is 1.9");
    refused(e, "WRONG_BUILD", "built for \"q32;little-endian;lp64\"");
    refused(e, "WRONG_STRUCT", "the module's struct ib_defense has ");
}

static void what_a_module_must_have_is_named(void **state)
{
    struct env *e = *state;

    refused(e, "NO_ENTRY", "does not define ib_module_entry()");
    refused(e, "NO_BLOCK", "ib_module_entry() gave NULL");
    refused(e, "NO_NAME", "the module's text \"name\" is missing");
    refused(e, "NO_PLUGINS", "the module has no plugins");
    refused(e, "NO_CITATION",
            "defense \"halve\": the text \"citation\" is "
            "missing");
    refused(e, "NO_HOOK", "the required hook respond() is NULL");
    refused(e, "BAD_DEFAULT",
            "default of share: defaults.share: 7 is out of "
            "range; 0..1 is allowed");
}

static void a_module_refused_half_way_leaves_nothing(void **state)
{
    struct env *e = *state;
    size_t metrics = ib_registry_count(e->r, IB_KIND_METRIC);

    refused(e, "DUPLICATE", "the defense \"round\" exists already");
    assert_int_equal(ib_registry_count(e->r, IB_KIND_METRIC), metrics);
}

static void a_constructor_that_crashes_is_an_error_message(void **state)
{
    refused_by_the_probe(*state, "CRASH", "loading it crashes: signal 11");
}

static void a_constructor_that_does_not_end_is_an_error_message(void **state)
{
    refused_by_the_probe(*state, "LOOP", "loading it does not end");
}

static void a_constructor_that_quits_is_an_error_message(void **state)
{
    refused_by_the_probe(*state, "QUITS", "its description cannot be read");
}

static void a_constructor_cannot_read_files(void **state)
{
    struct env *e = *state;

    build(e, "READS");
    if (ib_registry_load(e->r, e->path, IB_LOAD_DESCRIPTOR, &e->err) != IB_OK)
        fail_msg("%s", e->err.text);
}

static void files_that_are_no_modules_are_refused(void **state)
{
    struct env *e = *state;

    assert_int_equal(
        ib_registry_load(e->r, "libm.so.6", IB_LOAD_DESCRIPTOR, &e->err),
        IB_E_USAGE);
    assert_has(e->err.text, "--plugin libm.so.6: no such file");
    assert_int_equal(ib_file_write(e->path, "not an object", 13, &e->err),
                     IB_OK);
    assert_int_equal(
        ib_registry_load(e->r, e->path, IB_LOAD_DESCRIPTOR, &e->err),
        IB_E_USAGE);
    assert_has(e->err.text, "cannot be loaded");
}

/* What a hostile child might answer. */
static void a_false_description_is_refused(void **state)
{
    static const char *const wrong[] = {
        "{}",
        "{'kind':'attack'}",
        "{'kind':'nothing','name':'x'}",
        "{'kind':'metric','name':5}",
        "{'kind':'defense','name':'x','options_size':-1}",
        "{'kind':'defense','name':'x','options_size':8,'options':7}",
        "{'kind':'defense','name':'x','options_size':8,'options':[{}],"
        "'stage':'train'}",
        "{'kind':'attack','name':'x','options_size':0,'options':[],"
        "'levels':['all']}",
        "{'kind':'metric','name':'x','options_size':0,'options':[],"
        "'columns':[{'name':'c','direction':'sideways'}]}"};
    struct ib_error err = {0};

    (void)state;
    for (size_t i = 0; i < IB_COUNT(wrong); i++) {
        struct ib_scratch *own = ib_scratch_create(1 << 20);
        const struct ib_plugin *p = NULL;
        cJSON *v = json_of(wrong[i]);
        enum ib_status s = ib_plugin_from_json(v, own, &p, &err);
        if (s == IB_OK)
            s = ib_plugin_check(p, false, &err);
        if (s == IB_OK)
            fail_msg("accepted: %s", wrong[i]);
        cJSON_Delete(v);
        ib_scratch_free(own);
    }
}

/* --- this program as the probe's child ---------------------------------------
 */

static void to_stdout(const char *text, size_t n)
{
    fwrite(text, 1, n, stdout);
}

static int probe(int argc, char **argv)
{
    struct ib_console console = {to_stdout, to_stdout, .width = 80};
    struct ib_command_env env = {.console = &console};
    struct ib_error err = {0};
    int code = IB_EXIT_ERROR;

    if (ib_registry_create(&env.registry, &err) == IB_OK)
        code = ib_cli_run(&env, argc, argv, &err);
    ib_registry_free(env.registry);
    fflush(stdout);
    if (err.text[0])
        fprintf(stderr, "invbench: %s\n", err.text);
    return code;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(every_in_tree_plugin_is_sound_and_hashed),
        TEST(an_unknown_name_gets_the_nearest_and_all),
        TEST(numerics_names_engine_blas_and_core),
        TEST(a_use_makes_the_way_through_its_spec),
        TEST(a_spec_of_other_code_is_refused),
        TEST(descriptors_and_code_agree),
        TEST(a_copied_descriptor_parses_options),
        TEST(the_code_hash_is_the_files_or_the_modules_own),
        TEST(the_magic_block_is_checked_field_by_field),
        TEST(what_a_module_must_have_is_named),
        TEST(a_module_refused_half_way_leaves_nothing),
        TEST(a_constructor_that_crashes_is_an_error_message),
        TEST(a_constructor_that_does_not_end_is_an_error_message),
        TEST(a_constructor_that_quits_is_an_error_message),
        TEST(a_constructor_cannot_read_files),
        TEST(files_that_are_no_modules_are_refused),
        TEST(a_false_description_is_refused),
    };

    if (argc > 1 && strcmp(argv[1], "probe") == 0)
        return probe(argc, argv);
    setenv("ASAN_OPTIONS", "handle_segv=0:detect_leaks=0", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
