/* A hostile attack, from outside the tree, against the oracle and the sandbox;
 * and what the attack stage says of attacks that end badly. */
#include "attack_fixture.h"

#include <sys/resource.h>

#include "sandbox.h"

/* Names of tests/plugins/hostile.c's attempts, in its order. */
static const char *const attempts[] = {
    "opening /etc/passwd",
    "looking at the store",
    "opening libraries after loading",
    "making a file",
    "opening the oracle's memory",
    "listing the oracle's descriptors",
    "ptrace",
    "process_vm_readv",
    "pidfd_open",
    "inherited descriptors",
    "sockets",
    "signals to the oracle",
    "making processes",
    "execve",
    "exotic system calls",
    "raising limits",
    "slipping the leash",
    "changing sealed memory",
    "the model's bytes",
    "asking above its level",
    "slots that do not exist",
    "asking beyond the budget",
};

static struct lab lab;

static int open_lab(void **state)
{
    (void)state;
    lab_open(&lab, "tests/plugins/hostile.c");
    return 0;
}

static int close_lab(void **state)
{
    (void)state;
    lab_close(&lab);
    return 0;
}

static enum ib_status act(const char *name, const char *rest)
{
    char attack[PATH_MAX + 80];

    snprintf(attack, sizeof(attack),
             "{'name':'hostile','act':'%s','store':'%s'}", name, lab.dir);
    return lab_attack(&lab, attack, rest);
}

static void probe_at(const char *level)
{
    struct ib_recon r;
    char rest[80];
    size_t n = IB_COUNT(attempts);

    snprintf(rest, sizeof(rest), "{'level':'%s','max_queries':50}", level);
    if (act("probe", rest))
        fail_msg("%s", lab.err.text);
    lab_recon(&lab, &r);
    assert_int_equal(r.pixels[0], 255);
    for (size_t i = 0; i < n; i++)
        if (r.pixels[1 + i] != 255)
            fail_msg("level %s: %s got through", level, attempts[i]);
    assert_int_equal(r.pixels[1 + n], 0); /* no attempt is missing here */
    assert_true(lab_count(&r, "denied", 0) >= 50);
    ib_recon_close(&r);
}

static void landlock_is_in_this_kernel(void **state)
{
    (void)state;
    assert_true(ib_sandbox_landlock_abi() > 0);
}

static void every_way_out_is_closed_at_labels(void **state)
{
    (void)state;
    probe_at("labels");
}

static void every_way_out_is_closed_at_scores(void **state)
{
    (void)state;
    probe_at("scores");
}

static void every_way_out_is_closed_at_gradients(void **state)
{
    (void)state;
    probe_at("gradients");
}

static void every_way_out_is_closed_at_whitebox(void **state)
{
    (void)state;
    probe_at("whitebox");
}

/* Its constructor would have left a file; it ran to read its descriptor, and
 * in every attack above. */
static void it_is_never_loaded_outside_the_sandbox(void **state)
{
    char path[PATH_MAX + 32];
    (void)state;

    snprintf(path, sizeof(path), "%s.trace", lab.plugin);
    assert_int_equal(access(lab.plugin, F_OK), 0);
    assert_int_not_equal(access(path, F_OK), 0);
}

static void a_crash_names_its_signal(void **state)
{
    (void)state;
    assert_int_equal(act("segv", "{'level':'scores'}"), IB_E_INTERNAL);
    assert_has(lab.err.text, "crashed: ");
    assert_false(ib_store_has(lab.env.store, lab.key));
}

static void an_early_exit_is_a_crash(void **state)
{
    (void)state;
    assert_int_equal(act("exit", "{'level':'scores'}"), IB_E_INTERNAL);
    assert_has(lab.err.text, "crashed: ");
    assert_has(lab.err.text, "exit status 0");
}

/* The limit counts for each process apart; this one waits, and spends none. */
static void an_endless_loop_runs_out_of_cpu_time(void **state)
{
    struct rlimit old, limit;
    struct rusage used;
    (void)state;

    assert_int_equal(getrlimit(RLIMIT_CPU, &old), 0);
    assert_int_equal(getrusage(RUSAGE_SELF, &used), 0);
    limit = old;
    limit.rlim_cur = (rlim_t)used.ru_utime.tv_sec + 2;
    assert_int_equal(setrlimit(RLIMIT_CPU, &limit), 0);
    assert_int_equal(act("spin", "{'level':'scores'}"), IB_E_INTERNAL);
    assert_int_equal(setrlimit(RLIMIT_CPU, &old), 0);
    assert_has(lab.err.text, "timeout: ");
}

static void a_nan_names_the_class_and_the_pixel(void **state)
{
    (void)state;
    assert_int_equal(act("nan", "{'level':'scores','targets':[2,0]}"),
                     IB_E_NUMERIC);
    assert_has(lab.err.text, "class 2");
    assert_has(lab.err.text, "row 0, column 3");
    assert_false(ib_store_has(lab.env.store, lab.key));
}

static void what_does_not_apply_says_why(void **state)
{
    (void)state;
    assert_int_equal(act("inapplicable", "{'level':'scores'}"), IB_E_DENIED);
    assert_string_equal(lab.err.text, "it does not feel like it");
}

static void an_attacks_own_error_is_passed_on(void **state)
{
    (void)state;
    assert_int_equal(act("fail", "{'level':'scores'}"), IB_E_NUMERIC);
    assert_string_equal(lab.err.text, "it did not work out");
    assert_int_equal(act("starve", "{'level':'scores'}"), IB_E_NOMEM);
}

static void an_attack_that_spends_its_budget_brings_home_its_guess(void **state)
{
    struct ib_recon r;
    (void)state;

    assert_int_equal(act("exhaust", "{'level':'labels','max_queries':12}"),
                     IB_OK);
    lab_recon(&lab, &r);
    assert_int_equal(r.checkpoints, 2); /* 6, 10 */
    assert_int_equal(r.targets, LAB_CLASSES);
    assert_int_equal(r.pixels[0], 255);
    assert_float_equal(lab_count(&r, "label", 0), 12, 0);
    assert_float_equal(lab_count(&r, "label", 1), 0, 0);
    ib_recon_close(&r);
}

static void targets_that_do_not_exist_are_refused(void **state)
{
    (void)state;
    assert_int_equal(act("exhaust", "{'level':'labels','targets':[0,3]}"),
                     IB_E_USAGE);
    assert_has(lab.err.text, "identities[1]: 3");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(landlock_is_in_this_kernel),
        cmocka_unit_test(every_way_out_is_closed_at_labels),
        cmocka_unit_test(every_way_out_is_closed_at_scores),
        cmocka_unit_test(every_way_out_is_closed_at_gradients),
        cmocka_unit_test(every_way_out_is_closed_at_whitebox),
        cmocka_unit_test(it_is_never_loaded_outside_the_sandbox),
        cmocka_unit_test(a_crash_names_its_signal),
        cmocka_unit_test(an_early_exit_is_a_crash),
        cmocka_unit_test(an_endless_loop_runs_out_of_cpu_time),
        cmocka_unit_test(a_nan_names_the_class_and_the_pixel),
        cmocka_unit_test(what_does_not_apply_says_why),
        cmocka_unit_test(an_attacks_own_error_is_passed_on),
        cmocka_unit_test(
            an_attack_that_spends_its_budget_brings_home_its_guess),
        cmocka_unit_test(targets_that_do_not_exist_are_refused),
    };
    return cmocka_run_group_tests(tests, open_lab, close_lab);
}
