/* Checkpoints: the file survives what may happen to it, and a training goes on
 * from one bit for bit. */
#include "checkpoint.h"
#include "cmocka_all.h"
#include "temp_dir.h"
#include "toy_images.h"

#include <invbench/trainer.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char key[] =
    "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

struct setting {
    char dir[PATH_MAX];
    struct ib_store *store;
    struct ib_checkpoint_file file;
    char a[100];
    uint64_t b;
    struct ib_region r[2];
};

static void open_file(struct setting *s)
{
    struct ib_error err;
    temp_dir_make(s->dir);
    assert_int_equal(ib_store_open(&s->store, s->dir, &err), IB_OK);
    ib_checkpoint_open(&s->file, s->store, key, 0);
    assert_true(s->file.fd >= 0);
    memset(s->a, 'x', sizeof s->a);
    s->b = 1;
    s->r[0] = (struct ib_region){s->a, sizeof s->a};
    s->r[1] = (struct ib_region){&s->b, sizeof s->b};
}

static void reopen_file(struct setting *s)
{
    ib_checkpoint_close(&s->file, false);
    ib_checkpoint_open(&s->file, s->store, key, 0);
}

static void close_file(struct setting *s)
{
    ib_checkpoint_close(&s->file, true);
    assert_int_not_equal(access(s->file.path, F_OK), 0);
    ib_store_close(s->store);
    temp_dir_remove(s->dir);
}

static void save(struct setting *s, uint64_t b)
{
    s->b = b;
    s->file.hooks.save(s->file.hooks.ctx, s->r, 2);
}

static bool load(struct setting *s)
{
    s->b = 0;
    memset(s->a, 0, sizeof s->a);
    return s->file.hooks.load(s->file.hooks.ctx, s->r, 2);
}

static void the_last_save_comes_back(void **state)
{
    (void)state;
    struct setting s;
    open_file(&s);
    assert_false(load(&s));
    s.a[0] = s.a[99] = 'x';
    save(&s, 7);
    save(&s, 8);
    save(&s, 9);
    reopen_file(&s);
    assert_true(load(&s));
    assert_int_equal(s.b, 9);
    assert_int_equal(s.a[99], 'x');
    save(&s, 10);
    reopen_file(&s);
    assert_true(load(&s));
    assert_int_equal(s.b, 10);
    close_file(&s);
}

static void flip(const char *path, off_t at)
{
    unsigned char c;
    int fd = open(path, O_RDWR);
    assert_int_equal(pread(fd, &c, 1, at), 1);
    c ^= 0x10;
    assert_int_equal(pwrite(fd, &c, 1, at), 1);
    close(fd);
}

static void a_torn_save_leaves_the_one_before(void **state)
{
    (void)state;
    struct setting s;
    open_file(&s);
    save(&s, 1); /* the second slot */
    save(&s, 2); /* the first one, at 4096 */
    flip(s.file.path, 4096 + 60);
    reopen_file(&s);
    assert_true(load(&s));
    assert_int_equal(s.b, 1);
    flip(s.file.path, 8192 + 20);
    reopen_file(&s);
    assert_false(load(&s));
    assert_int_equal(s.b, 0);
    close_file(&s);
}

static void another_size_or_a_cut_file_is_not_believed(void **state)
{
    (void)state;
    struct setting s;
    open_file(&s);
    save(&s, 1);
    s.r[0].size--;
    assert_false(load(&s));
    s.r[0].size++;
    assert_int_equal(truncate(s.file.path, 8192 + 100), 0);
    assert_false(load(&s));
    assert_int_equal(truncate(s.file.path, 10), 0);
    assert_false(load(&s));
    close_file(&s);
}

static void one_process_at_a_time_holds_it(void **state)
{
    (void)state;
    struct setting s;
    struct ib_checkpoint_file other;
    open_file(&s);
    ib_checkpoint_open(&other, s.store, key, 0);
    assert_int_equal(other.fd, -1);
    assert_false(other.hooks.due(other.hooks.ctx));
    ib_checkpoint_close(&other, true);
    assert_int_equal(access(s.file.path, F_OK), 0);
    close_file(&s);
}

/* --- a training ------------------------------------------------------------
 */

enum { STOP = 17 }; /* the step before which the checkpoint is taken */

struct memory {
    int asked;
    char *bytes;
    bool give;
};

static bool at_stop(void *ctx)
{
    struct memory *m = ctx;
    return m->asked++ == STOP;
}

static size_t walk(char *bytes, const struct ib_region *r, int n, bool out)
{
    size_t at = 0;
    for (int i = 0; i < n; i++) {
        if (bytes && out)
            memcpy(r[i].data, bytes + at, r[i].size);
        else if (bytes)
            memcpy(bytes + at, r[i].data, r[i].size);
        at += r[i].size;
    }
    return at;
}

static void keep(void *ctx, const struct ib_region *r, int n)
{
    struct memory *m = ctx;
    m->bytes = malloc(walk(NULL, r, n, false));
    assert_non_null(m->bytes);
    walk(m->bytes, r, n, false);
}

static bool give_back(void *ctx, const struct ib_region *r, int n)
{
    struct memory *m = ctx;
    if (m->give)
        walk(m->bytes, r, n, true);
    return m->give;
}

/* Two phases, dropout, augmentation, Adam: all that has a state. */
static float *train(struct memory *m, size_t *count, double *loss)
{
    static struct toy toy;
    struct ib_error err;
    struct ib_net *net;
    struct ib_graph *g = ib_graph_create();
    const struct ib_checkpoint c = {m, at_stop, give_back, keep};
    struct ib_phase phases[2];
    toy_make(&toy, 100, 1);
    ib_node x = ib_graph_input(g, toy.images.shape, "x");
    ib_node h = ib_graph_relu(g, ib_graph_dense(g, x, 12, "hidden"));
    h = ib_graph_dropout(g, h, 0.3);
    ib_node z = ib_graph_dense(g, h, TOY_CLASSES, "logits");
    assert_int_equal(ib_net_create(&net, g, 16, &err), IB_OK);
    struct ib_training t = {.net = net,
                            .input = x,
                            .logits = z,
                            .data = &toy.images,
                            .classes = TOY_CLASSES,
                            .options = {.epochs = 2,
                                        .batch = 16,
                                        .optimiser = IB_ADAM,
                                        .rate = 0.01,
                                        .momentum = 0.9,
                                        .augment.shift = 2,
                                        .augment.flip = true},
                            .phases = phases,
                            .n_phases = 2,
                            .seed = 5,
                            .role = "target",
                            .checkpoint = &c,
                            .loss = loss};
    phases[0] = phases[1] = ib_phase_supervised(&t);
    phases[0].first = phases[0].last = z;
    assert_int_equal(ib_train(&t, &err), IB_OK);
    *count = ib_net_parameter_count(net) * sizeof(float);
    float *p = malloc(*count);
    assert_non_null(p);
    memcpy(p, ib_net_parameters(net), *count);
    ib_net_free(net);
    return p;
}

static void a_training_goes_on_bit_for_bit(void **state)
{
    (void)state;
    struct memory m = {0};
    size_t n;
    double loss[2], again[2];
    float *whole = train(&m, &n, loss);
    assert_non_null(m.bytes); /* two phases of 14 steps: in the second one */
    m.give = true;
    m.asked = STOP + 1;
    float *resumed = train(&m, &n, again);
    assert_int_equal(m.asked, STOP + 1 + 28 - STOP);
    assert_memory_equal(whole, resumed, n);
    assert_memory_equal(loss, again, sizeof loss);
    free(whole);
    free(resumed);
    free(m.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_save_comes_back),
        cmocka_unit_test(a_torn_save_leaves_the_one_before),
        cmocka_unit_test(another_size_or_a_cut_file_is_not_believed),
        cmocka_unit_test(one_process_at_a_time_holds_it),
        cmocka_unit_test(a_training_goes_on_bit_for_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
