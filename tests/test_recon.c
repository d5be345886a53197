/* Reconstructions as artifacts and as .npy files; hashes of rows. */
#include "harness_fixture.h"
#include "temp_dir.h"

#include <invbench/invbench.h>
#include <math.h>

#include "oracle_hash.h"
#include "recon_io.h"

#define KEY "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define META                                                                   \
    "'images':1,'shape':[1,2,2],'checkpoints':[10],'reached':[[true,false]]"

struct place {
    char dir[PATH_MAX];
    struct ib_store *store;
    struct ib_error err;
};

static void place_open(struct place *p)
{
    *p = (struct place){0};
    temp_dir_make(p->dir);
    assert_int_equal(ib_store_open(&p->store, p->dir, &p->err), IB_OK);
}

static void place_close(struct place *p)
{
    ib_store_close(p->store);
    temp_dir_remove(p->dir);
}

static enum ib_status put_and_open(struct place *p, const char *recon,
                                   size_t bytes, struct ib_recon *r)
{
    static const uint8_t pixels[64] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    cJSON *spec = json_of("{'kind':'attack'}");
    const struct ib_recon_parts parts = {json_of(recon), pixels, bytes};
    enum ib_status status = ib_recon_put(p->store, KEY, spec, &parts, &p->err);

    cJSON_Delete(spec);
    assert_int_equal(status, IB_OK);
    return ib_recon_open(p->store, KEY, r, &p->err);
}

static void what_is_put_away_comes_back(void **state)
{
    struct place p;
    struct ib_recon r;
    (void)state;

    place_open(&p);
    assert_int_equal(put_and_open(&p, "{'targets':[3,1]," META "}", 16, &r),
                     IB_OK);
    assert_int_equal(r.targets, 2);
    assert_int_equal(r.target[0], 3);
    assert_int_equal(r.checkpoint[0], 10);
    assert_int_equal(r.shape.h, 2);
    assert_int_equal(r.pixels[8], 9);
    ib_recon_close(&r);
    ib_recon_close(&r); /* twice is harmless */
    place_close(&p);
}

static void a_description_that_does_not_fit_is_refused(void **state)
{
    const char *const wrong[] = {
        "{'targets':[3]," META "}",
        "{'targets':[]," META "}",
        "{'targets':[-1,1]," META "}",
        "{'targets':[0.5,1]," META "}",
        "{'targets':['a',1]," META "}",
        "{'targets':{'a':1,'b':2}," META "}",
        "{" META "}",
        "{'targets':[3,1],'images':0,'shape':[1,2,2],'checkpoints':[10]}",
        "{'targets':[3,1],'images':1,'shape':[2,2],'checkpoints':[10]}",
        "{'targets':[3,1],'images':1,'shape':[1,2,0],'checkpoints':[10]}",
        "{'targets':[3,1],'images':1,'shape':[1,2,2]}",
        "{'targets':[3,1],'images':2147483647,'shape':[65536,65536,65536],"
        "'checkpoints':[10]}",
        "7",
    };
    struct ib_recon r;
    (void)state;

    for (size_t i = 0; i < IB_COUNT(wrong); i++) {
        struct place p;
        place_open(&p);
        if (put_and_open(&p, wrong[i], 16, &r) != IB_E_DATA)
            fail_msg("accepted: %s", wrong[i]);
        assert_has(p.err.text, KEY);
        place_close(&p);
    }
}

static void an_npy_file_has_the_layout_of_numpy(void **state)
{
    const size_t size[3] = {2, 3, 1};
    const uint8_t data[6] = {9, 8, 7, 6, 5, 4};
    char path[PATH_MAX + 8];
    struct ib_text text = {0};
    struct place p;
    (void)state;

    place_open(&p);
    snprintf(path, sizeof(path), "%s/x.npy", p.dir);
    assert_int_equal(ib_npy_write(path, 3, size, data, &p.err), IB_OK);
    assert_int_equal(ib_file_read(path, 4096, &text, &p.err), IB_OK);
    assert_memory_equal(text.data, "\x93NUMPY\x01\x00", 8);
    size_t head = 10 + (uint8_t)text.data[8] + 256u * (uint8_t)text.data[9];
    assert_int_equal(head % 64, 0);
    assert_int_equal(text.data[head - 1], '\n');
    assert_memory_equal(text.data + head, data, sizeof(data));
    assert_int_equal(text.size, head + sizeof(data));
    text.data[head - 1] = '\0';
    assert_has(text.data + 10, "{'descr': '|u1', 'fortran_order': False, "
                               "'shape': (2, 3, 1), }");
    ib_text_free(&text);
    place_close(&p);
}

static void a_size_that_overflows_writes_nothing(void **state)
{
    const size_t size[2] = {(size_t)1 << 63, 4};
    const uint8_t data[1] = {0};
    struct ib_error err;
    (void)state;

    assert_int_equal(ib_npy_write("/nowhere/x.npy", 2, size, data, &err),
                     IB_E_INTERNAL);
}

static void rows_that_differ_anywhere_hash_apart(void **state)
{
    enum { D = 77 };
    float row[D] = {0};
    uint64_t seen[2 * D];
    size_t n = 0;
    (void)state;

    for (int i = 0; i < D; i++) {
        row[i] = 1;
        seen[n++] = ib_row_hash(row, D);
        row[i] = -0.0f;
        seen[n++] = ib_row_hash(row, D);
        row[i] = 0;
    }
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++)
            assert_int_not_equal(seen[i], seen[j]);
    assert_int_equal(ib_row_hash(row, D), ib_row_hash(row, D));
    assert_int_not_equal(ib_row_hash(row, D), ib_row_hash(row, D - 1));
}

static void the_first_number_that_is_none_is_found(void **state)
{
    float row[50] = {0, 3.4e38f, -1e-40f};
    (void)state;

    assert_int_equal(ib_row_bad(row, 50), 50);
    row[49] = -INFINITY;
    assert_int_equal(ib_row_bad(row, 50), 49);
    row[33] = NAN;
    assert_int_equal(ib_row_bad(row, 50), 33);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_put_away_comes_back),
        cmocka_unit_test(a_description_that_does_not_fit_is_refused),
        cmocka_unit_test(an_npy_file_has_the_layout_of_numpy),
        cmocka_unit_test(a_size_that_overflows_writes_nothing),
        cmocka_unit_test(rows_that_differ_anywhere_hash_apart),
        cmocka_unit_test(the_first_number_that_is_none_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
