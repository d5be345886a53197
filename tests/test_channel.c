/* The oracle in another process: the same answers as a plain call, and an end
 * that both sides notice. */
#include "oracle_fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct remote {
    struct fixture f;
    struct ib_oracle *oracle; /* the attack's end */
    pid_t pid;
    int socket; /* the oracle's end, until it is handed over */
};

/* Exit status 0: the attack said that it was done; 7: it was gone. */
static void remote_serve(struct remote *r, const struct ib_oracle_params *p,
                         const struct ib_oracle_buffer *b)
{
    struct ib_oracle_core *core;
    struct ib_error err = {0};
    bool gone = false;
    enum ib_status status;

    if (ib_oracle_core_create(&core, p, b, &err))
        _exit(9);
    status = ib_oracle_serve(core, r->socket, &gone, &err);
    _exit(gone ? 7 : (int)status);
}

static void remote_open(struct remote *r, enum ib_level level)
{
    struct ib_oracle_params params;
    struct ib_oracle_link link = {0};
    struct ib_oracle_buffer b;
    int ends[2];
    void *base;

    fix_net(&r->f);
    params = fix_params(&r->f, level);
    assert_int_equal(ib_oracle_describe(&params, &link.info, &r->f.err), 0);
    assert_int_equal(ib_oracle_layout(&link.info, NULL, &b, &r->f.err), 0);
    link.memory = memfd_create("test", 0);
    assert_int_equal(ftruncate(link.memory, (off_t)b.bytes), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    link.socket = ends[0];
    link.net = r->f.net;
    link.nodes = r->f.nodes;
    r->socket = ends[1];
    base =
        mmap(NULL, b.bytes, PROT_READ | PROT_WRITE, MAP_SHARED, link.memory, 0);
    assert_true(base != MAP_FAILED);
    assert_int_equal(ib_oracle_layout(&link.info, base, &b, &r->f.err), 0);
    r->pid = fork();
    if (r->pid == 0) {
        close(link.socket);
        remote_serve(r, &params, &b);
    }
    close(r->socket);
    munmap(base, b.bytes);
    assert_int_equal(ib_oracle_open_channel(&r->oracle, &link, &r->f.err), 0);
}

static int remote_close(struct remote *r)
{
    int how;

    ib_oracle_close(r->oracle);
    assert_int_equal(waitpid(r->pid, &how, 0), r->pid);
    ib_net_free(r->f.net);
    assert_true(WIFEXITED(how));
    return WEXITSTATUS(how);
}

static void answers_are_those_of_a_plain_call_bit_for_bit(void **state)
{
    struct remote r = {0};
    const int32_t slot[FIX_ROWS] = {0, 1, 2, IB_SHARED, 0, 1, 2, 0};
    const float *near, *far;
    (void)state;

    remote_open(&r, IB_GRADIENTS);
    struct ib_oracle_params params = fix_params(&r.f, IB_GRADIENTS);
    fix_open(&r.f, &params);
    fix_rows(&r.f, FIX_ROWS, 2);
    memcpy(ib_oracle_input(r.oracle), ib_oracle_input(r.f.oracle),
           FIX_ROWS * FIX_D * sizeof(float));
    assert_int_equal(
        ib_oracle_logits(r.f.oracle, FIX_ROWS, slot, &near, &r.f.err), IB_OK);
    assert_int_equal(ib_oracle_logits(r.oracle, FIX_ROWS, slot, &far, &r.f.err),
                     IB_OK);
    assert_memory_equal(near, far, FIX_ROWS * FIX_K * sizeof(float));
    assert_int_equal(ib_oracle_vjp(r.f.oracle, FIX_ROWS, near, &near, &r.f.err),
                     IB_OK);
    assert_int_equal(ib_oracle_vjp(r.oracle, FIX_ROWS, far, &far, &r.f.err),
                     IB_OK);
    assert_memory_equal(near, far, FIX_ROWS * FIX_D * sizeof(float));
    ib_oracle_done(r.oracle, IB_OK, NULL);
    ib_oracle_close(r.f.oracle);
    assert_int_equal(remote_close(&r), 0);
}

static void refusals_carry_their_text_across(void **state)
{
    struct remote r = {0};
    const int32_t slot[1] = {0};
    const float *out;
    (void)state;

    remote_open(&r, IB_SCORES);
    assert_int_equal(ib_oracle_logits(r.oracle, 1, slot, &out, &r.f.err),
                     IB_E_DENIED);
    assert_non_null(strstr(r.f.err.text, "the oracle grants scores"));
    assert_null(ib_oracle_net(r.oracle, NULL));
    ib_oracle_done(r.oracle, IB_OK, NULL);
    assert_int_equal(remote_close(&r), 0);
}

static void the_attacks_own_error_reaches_the_oracle(void **state)
{
    struct remote r = {0};
    struct ib_error failed;
    (void)state;

    remote_open(&r, IB_SCORES);
    ib_error_set(&failed, IB_E_NUMERIC, "it diverged");
    ib_oracle_done(r.oracle, IB_E_NUMERIC, &failed);
    assert_int_equal(remote_close(&r), IB_E_NUMERIC);
}

static void an_attack_that_vanishes_is_noticed(void **state)
{
    struct remote r = {0};
    (void)state;

    remote_open(&r, IB_SCORES);
    assert_int_equal(remote_close(&r), 7);
}

static void an_oracle_that_vanishes_is_noticed(void **state)
{
    struct remote r = {0};
    const int32_t slot[1] = {0};
    const float *out;
    struct ib_error failed = {0};
    (void)state;

    remote_open(&r, IB_SCORES);
    ib_oracle_done(r.oracle, IB_OK, &failed); /* it leaves */
    assert_int_equal(waitpid(r.pid, NULL, 0), r.pid);
    signal(SIGPIPE, SIG_IGN);
    assert_int_equal(ib_oracle_scores(r.oracle, 1, slot, &out, &r.f.err),
                     IB_E_INTERNAL);
    ib_oracle_close(r.oracle);
    ib_net_free(r.f.net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_those_of_a_plain_call_bit_for_bit),
        cmocka_unit_test(refusals_carry_their_text_across),
        cmocka_unit_test(the_attacks_own_error_reaches_the_oracle),
        cmocka_unit_test(an_attack_that_vanishes_is_noticed),
        cmocka_unit_test(an_oracle_that_vanishes_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
