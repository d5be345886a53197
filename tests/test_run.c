/*
 * The scheduler: order, sharing, failures by name, limits, signals. This very
 * program plays the worker: each spec says what becomes of it.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

#include "fake_worker.h"
#include "run.h"
#include "run_queue.h"
#include "temp_dir.h"

enum { NODES_MAX = 64 };

struct fixture {
    char dir[PATH_MAX];
    struct ib_stage_env env;
    struct ib_plan plan;
    struct ib_plan_node nodes[NODES_MAX];
    int input[NODES_MAX][16];
    struct ib_suite suite;
    struct ib_run_options options;
    struct ib_error err;
};

/* --- fixtures ----------------------------------------------------------- */

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    temp_dir_make(f->dir);
    f->plan.nodes = f->nodes;
    f->plan.suite = &f->suite;
    f->options.jobs = 2;
    *state = f;
    return ib_store_open(&f->env.store, f->dir, &f->err);
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < f->plan.n_nodes; i++)
        cJSON_Delete(f->nodes[i].spec);
    ib_store_close(f->env.store);
    temp_dir_remove(f->dir);
    free(f);
    return 0;
}

/* Adds a node that behaves like `what`; inputs end with -1. */
static int add(struct fixture *f, enum ib_node_kind kind, const char *what,
               const int *inputs)
{
    int index = (int)f->plan.n_nodes++;
    struct ib_plan_node *n = &f->nodes[index];

    n->kind = kind;
    n->spec = cJSON_CreateObject();
    cJSON_AddStringToObject(n->spec, "do", what);
    cJSON_AddNumberToObject(n->spec, "number", index);
    assert_int_equal(ib_json_key(n->spec, n->key, &f->err), IB_OK);
    snprintf(n->label, sizeof(n->label), "node %d", index);
    n->input = f->input[index];
    while (*inputs >= 0)
        f->input[index][n->n_inputs++] = *inputs++;
    if (ib_store_has(f->env.store, n->key))
        n->outcome = IB_CACHED;
    return index;
}
#define NONE      ((const int[]){-1})
#define FROM(...) ((const int[]){__VA_ARGS__, -1})

static void run_plan(struct fixture *f)
{
    assert_int_equal(ib_run_plan(&f->plan, &f->env, &f->options, NULL, &f->err),
                     IB_OK);
}

#define assert_outcome(f, node, o)                                             \
    assert_string_equal(ib_outcome_names[(f)->nodes[node].outcome],            \
                        ib_outcome_names[o])

/* --- tests --------------------------------------------------------------- */

static void a_chain_is_computed_in_order(void **state)
{
    struct fixture *f = *state;
    int data = add(f, IB_NODE_DATA, "ok", NONE);
    int model = add(f, IB_NODE_MODEL, "ok", FROM(data));
    int attack = add(f, IB_NODE_ATTACK, "ok", FROM(data, model));
    int score = add(f, IB_NODE_SCORE, "ok", FROM(data, attack));

    run_plan(f);
    assert_outcome(f, score, IB_DONE);
    assert_true(ib_store_has(f->env.store, f->nodes[score].key));
    assert_true(f->nodes[attack].seconds > 0.4);
    assert_true(f->nodes[attack].peak_mib > 11);
}

static void a_worker_alone_gets_all_cpus(void **state)
{
    struct fixture *f = *state;
    int data = add(f, IB_NODE_DATA, "linger", NONE);
    int model = add(f, IB_NODE_MODEL, "two threads", FROM(data));

    run_plan(f);
    assert_outcome(f, model, IB_DONE);
}

static void what_is_cached_is_not_computed(void **state)
{
    struct fixture *f = *state;
    int data = add(f, IB_NODE_DATA, "fail", NONE);
    int model = add(f, IB_NODE_MODEL, "ok", FROM(data));

    f->nodes[data].outcome = IB_CACHED;
    run_plan(f);
    assert_outcome(f, data, IB_CACHED);
    assert_outcome(f, model, IB_DONE);
}

static void a_failure_blocks_what_needs_it_by_name(void **state)
{
    struct fixture *f = *state;
    int model = add(f, IB_NODE_MODEL, "fail", NONE);
    int attack = add(f, IB_NODE_ATTACK, "ok", FROM(model));
    int score = add(f, IB_NODE_SCORE, "ok", FROM(attack));
    int other = add(f, IB_NODE_MODEL, "ok", NONE);

    run_plan(f);
    assert_outcome(f, model, IB_FAILED);
    assert_string_equal(f->nodes[model].reason, "not a number");
    assert_outcome(f, attack, IB_BLOCKED);
    assert_outcome(f, score, IB_BLOCKED);
    assert_non_null(strstr(f->nodes[score].reason, "node 0: failed"));
    assert_outcome(f, other, IB_DONE);
}

static void a_crash_costs_one_node(void **state)
{
    struct fixture *f = *state;
    int crash = add(f, IB_NODE_ATTACK, "segfault", NONE);
    int rider = add(f, IB_NODE_SCORE, "ok", FROM(crash));
    int other = add(f, IB_NODE_ATTACK, "ok", NONE);

    run_plan(f);
    assert_outcome(f, crash, IB_CRASHED);
    assert_string_equal(f->nodes[crash].reason, "SIGSEGV");
    assert_outcome(f, rider, IB_BLOCKED);
    assert_outcome(f, other, IB_DONE);
}

static void what_rode_along_with_a_crash_is_judged_by_itself(void **state)
{
    struct fixture *f = *state;
    int attack = add(f, IB_NODE_ATTACK, "ok", NONE);
    int crash = add(f, IB_NODE_SCORE, "segfault", FROM(attack));
    int third = add(f, IB_NODE_UTILITY, "ok", FROM(attack));

    run_plan(f);
    assert_outcome(f, attack, IB_DONE);
    assert_outcome(f, crash, IB_CRASHED);
    assert_outcome(f, third, IB_DONE);
}

static void an_endless_loop_is_a_timeout(void **state)
{
    struct fixture *f = *state;
    int loop = add(f, IB_NODE_ATTACK, "loop", NONE);

    f->options.cpu_limit = 1;
    run_plan(f);
    assert_outcome(f, loop, IB_TIMEOUT);
    assert_string_equal(f->nodes[loop].reason,
                        "over the limit of 1 s of CPU time");
}

static void no_memory_is_oom(void **state)
{
    struct fixture *f = *state;
    int said = add(f, IB_NODE_ATTACK, "nomem", NONE);
    int killed = add(f, IB_NODE_ATTACK, "killed", NONE);

    run_plan(f);
    assert_outcome(f, said, IB_OOM);
    assert_outcome(f, killed, IB_OOM);
}

static void an_attacker_process_that_crashed_is_a_crash(void **state)
{
    struct fixture *f = *state;
    int node = add(f, IB_NODE_ATTACK, "attacker", NONE);

    run_plan(f);
    assert_outcome(f, node, IB_CRASHED);
    assert_string_equal(f->nodes[node].reason, "SIGBUS");
}

static void what_cannot_run_here_is_skipped_with_what_needs_it(void **state)
{
    struct fixture *f = *state;
    int control = add(f, IB_NODE_CONTROL, "denied", NONE);
    int score = add(f, IB_NODE_SCORE, "ok", FROM(control));

    run_plan(f);
    assert_outcome(f, control, IB_NOT_APPLICABLE);
    assert_outcome(f, score, IB_NOT_APPLICABLE);
    assert_string_equal(f->nodes[score].reason, "no public split");
}

static void a_worker_that_just_ends_has_crashed(void **state)
{
    struct fixture *f = *state;
    int node = add(f, IB_NODE_MODEL, "exit", NONE);

    run_plan(f);
    assert_outcome(f, node, IB_CRASHED);
    assert_non_null(strstr(f->nodes[node].reason, "code 7"));
}

static void an_input_that_went_missing_is_computed_again(void **state)
{
    struct fixture *f = *state;
    char what[80];
    int data = add(f, IB_NODE_DATA, "ok", NONE);
    int model;

    snprintf(what, sizeof(what), "needs %s", f->nodes[data].key);
    model = add(f, IB_NODE_MODEL, what, FROM(data));
    f->nodes[data].outcome = IB_CACHED; /* but the store has it no more */
    run_plan(f);
    assert_outcome(f, data, IB_DONE);
    assert_outcome(f, model, IB_DONE);
}

static void earlier_failures_are_not_tried_again(void **state)
{
    struct fixture *f = *state;
    int model = add(f, IB_NODE_MODEL, "ok", NONE);
    int attack = add(f, IB_NODE_ATTACK, "ok", FROM(model));

    f->nodes[model].outcome = IB_CRASHED;
    snprintf(f->nodes[model].reason, 16, "SIGSEGV");
    run_plan(f);
    assert_outcome(f, model, IB_CRASHED);
    assert_outcome(f, attack, IB_BLOCKED);
}

static void only_what_is_wanted_is_computed(void **state)
{
    struct fixture *f = *state;
    int a = add(f, IB_NODE_MODEL, "ok", NONE);
    int b = add(f, IB_NODE_ATTACK, "ok", FROM(a));
    int c = add(f, IB_NODE_SCORE, "ok", FROM(b));
    bool want[] = {false, true, false};

    f->options.want = want;
    run_plan(f);
    assert_outcome(f, a, IB_DONE);
    assert_outcome(f, b, IB_DONE);
    assert_outcome(f, c, IB_PENDING);
}

static void a_stop_leaves_the_rest_pending(void **state)
{
    struct fixture *f = *state;
    int stop = 1;
    int node = add(f, IB_NODE_MODEL, "ok", NONE);

    f->options.stop = &stop;
    run_plan(f);
    assert_outcome(f, node, IB_PENDING);
}

static void many_nodes_on_many_workers_are_all_done(void **state)
{
    struct fixture *f = *state;
    int data = add(f, IB_NODE_DATA, "ok", NONE);

    f->options.jobs = 4;
    for (int i = 0; i < 10; i++) {
        int model = add(f, IB_NODE_MODEL, "ok", FROM(data));
        int attack = add(f, IB_NODE_ATTACK, "ok", FROM(data, model));

        add(f, IB_NODE_SCORE, "ok", FROM(attack, data));
    }
    run_plan(f);
    for (size_t i = 0; i < f->plan.n_nodes; i++)
        assert_outcome(f, i, IB_DONE);
}

/* A child runs a plan whose worker sleeps; both must be gone after kill -9 of
 * the child alone. */
static void workers_die_with_a_killed_orchestrator(void **state)
{
    struct fixture *f = *state;
    char path[PATH_MAX + 16];
    struct stat st;
    int status;
    pid_t pid;

    add(f, IB_NODE_MODEL, "sleep", NONE);
    snprintf(path, sizeof(path), "%s/fifo", f->dir);
    assert_int_equal(mkfifo(path, 0600), 0);
    pid = fork();
    if (pid == 0) {
        /* held open by the worker too, if it outlives us */
        f->options.jobs = 1;
        _exit(ib_run_plan(&f->plan, &f->env, &f->options, NULL, &f->err));
    }
    /* the worker's pid: the only child of the child */
    char children[64], line[32] = "";
    snprintf(children, sizeof(children), "/proc/%d/task/%d/children", pid, pid);
    for (int i = 0; i < 500 && !*line; i++) {
        FILE *file = fopen(children, "r");

        if (file && !fgets(line, sizeof(line), file))
            *line = '\0';
        if (file)
            fclose(file);
        nanosleep(&(struct timespec){0, 10000000}, NULL);
    }
    assert_true(atoi(line) > 0);
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    snprintf(path, sizeof(path), "/proc/%d", atoi(line));
    for (int i = 0; i < 500 && stat(path, &st) == 0; i++)
        nanosleep(&(struct timespec){0, 10000000}, NULL);
    assert_int_not_equal(stat(path, &st), 0);
}

static void nobody(void *ctx, int node)
{
    (void)ctx, (void)node;
}

static void of_two_failures_the_first_input_is_named(void **state)
{
    struct fixture *f = *state;
    struct ib_timings *t = ib_timings_open(f->dir);
    struct ib_queue *q = NULL;
    int a = add(f, IB_NODE_MODEL, "fail", NONE);
    int b = add(f, IB_NODE_MODEL, "skip", NONE);
    int score = add(f, IB_NODE_SCORE, "ok", FROM(a, b));

    assert_int_equal(ib_queue_create(&q, &f->plan, t, NULL, &f->err), IB_OK);
    f->nodes[b].outcome = IB_NOT_APPLICABLE; /* is over first */
    ib_queue_finish(q, b, nobody, NULL);
    f->nodes[a].outcome = IB_FAILED;
    ib_queue_finish(q, a, nobody, NULL);
    assert_outcome(f, score, IB_NOT_APPLICABLE);
    ib_queue_settle(q);
    assert_outcome(f, score, IB_BLOCKED);
    assert_non_null(strstr(f->nodes[score].reason, "needs node 0"));
    ib_queue_free(q);
    ib_timings_free(t);
}

static void the_longest_way_to_the_end_goes_first(void **state)
{
    struct fixture *f = *state;
    struct ib_timings *t = ib_timings_open(NULL);
    struct ib_queue *q = NULL;
    int chain[8];

    add(f, IB_NODE_CONTROL, "ok", NONE);
    int model = add(f, IB_NODE_MODEL, "ok", NONE);
    int attack = add(f, IB_NODE_ATTACK, "ok", FROM(model));
    int score = add(f, IB_NODE_SCORE, "ok", FROM(attack));

    assert_int_equal(ib_queue_create(&q, &f->plan, t, NULL, &f->err), IB_OK);
    assert_int_equal(ib_queue_take(q, chain, 8), 1);
    assert_int_equal(chain[0], model);
    assert_int_equal(ib_queue_take(q, chain, 8), 1);
    assert_int_equal(chain[0], 0);
    assert_int_equal(ib_queue_take(q, chain, 8), 0);
    assert_true(q->path[model] > q->path[attack]);
    assert_true(q->path[attack] > q->path[score]);
    ib_queue_free(q);
    ib_timings_free(t);
}

static void timings_are_kept_and_damage_is_no_harm(void **state)
{
    struct fixture *f = *state;
    char path[PATH_MAX + 16];
    int node = add(f, IB_NODE_SCORE, "ok", NONE);
    struct ib_timings *t = ib_timings_open(f->dir);
    int class = ib_timings_class(t, &f->nodes[node]);

    assert_false(ib_timings_known(t, class));
    ib_timings_note(t, class, 42, 7);
    ib_timings_save(t, f->dir);
    ib_timings_free(t);
    t = ib_timings_open(f->dir);
    class = ib_timings_class(t, &f->nodes[node]);
    assert_true(ib_timings_known(t, class));
    assert_true(ib_timings_estimate(t, class) > 41.9);
    assert_true(ib_timings_mib(t, class) == 7);
    ib_timings_note(t, class, 42, 3); /* the largest is kept */
    assert_true(ib_timings_mib(t, class) == 7);
    ib_timings_free(t);
    snprintf(path, sizeof(path), "%s/timings.json", f->dir);
    assert_int_equal(truncate(path, 5), 0);
    t = ib_timings_open(f->dir);
    assert_non_null(t);
    assert_false(ib_timings_known(t, ib_timings_class(t, &f->nodes[node])));
    ib_timings_free(t);
}

int main(int argc, char **argv)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_chain_is_computed_in_order),
        T(a_worker_alone_gets_all_cpus),
        T(what_is_cached_is_not_computed),
        T(a_failure_blocks_what_needs_it_by_name),
        T(a_crash_costs_one_node),
        T(what_rode_along_with_a_crash_is_judged_by_itself),
        T(an_endless_loop_is_a_timeout),
        T(no_memory_is_oom),
        T(an_attacker_process_that_crashed_is_a_crash),
        T(what_cannot_run_here_is_skipped_with_what_needs_it),
        T(a_worker_that_just_ends_has_crashed),
        T(an_input_that_went_missing_is_computed_again),
        T(earlier_failures_are_not_tried_again),
        T(only_what_is_wanted_is_computed),
        T(a_stop_leaves_the_rest_pending),
        T(many_nodes_on_many_workers_are_all_done),
        T(workers_die_with_a_killed_orchestrator),
        T(of_two_failures_the_first_input_is_named),
        T(the_longest_way_to_the_end_goes_first),
        T(timings_are_kept_and_damage_is_no_harm),
    };

    if (argc > 1 && strcmp(argv[1], "worker") == 0)
        return fake_worker(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
