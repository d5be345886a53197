#include "data_fixture.h"

#include <sys/resource.h>
#include <zlib.h>

static void must_refuse(const char *path, const char *part)
{
    struct ib_idx x = {0};
    struct ib_error err = {0};
    assert_int_equal(ib_idx_read(path, &x, &err), IB_E_DATA);
    assert_has(err.text, part);
    assert_has(err.text, path);
    assert_null(x.data);
}

static void put_gz(const char *dir, const char *name, const void *data,
                   size_t n)
{
    gzFile f = gzopen(path_in(dir, name), "wb");
    assert_non_null(f);
    assert_int_equal(gzwrite(f, data, (unsigned)n), (int)n);
    assert_int_equal(gzclose(f), Z_OK);
}

static void plain_file(void **state)
{
    struct ib_idx x = {0};
    struct ib_error err = {0};
    put_idx(*state, "a", 3, (uint32_t[]){2, 1, 3}, (const uint8_t *)"abcdef");
    assert_int_equal(ib_idx_read(path_in(*state, "a"), &x, &err), IB_OK);
    assert_int_equal(x.dims, 3);
    assert_int_equal(x.size[0], 2);
    assert_int_equal(x.size[2], 3);
    assert_memory_equal(x.data, "abcdef", 6);
    ib_idx_free(&x);
}

static void gzip_file(void **state)
{
    struct ib_idx x = {0};
    struct ib_error err = {0};
    put_gz(*state, "a.gz", "\0\0\10\1\0\0\0\4wxyz", 12);
    assert_int_equal(ib_idx_read(path_in(*state, "a.gz"), &x, &err), IB_OK);
    assert_int_equal(x.dims, 1);
    assert_memory_equal(x.data, "wxyz", 4);
    ib_idx_free(&x);
}

static void truncated_at_any_byte_is_refused(void **state)
{
    uint8_t pixels[64];
    struct ib_text file = {0};
    struct ib_error err = {0};
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)(i * i * 7);
    put_idx(*state, "a", 3, (uint32_t[]){4, 4, 4}, pixels);
    assert_int_equal(ib_file_read(path_in(*state, "a"), 1 << 20, &file, &err),
                     IB_OK);
    for (size_t n = 0; n < file.size; n++) {
        put_file(*state, "b", file.data, n);
        must_refuse(path_in(*state, "b"), "cut short");
    }
    put_gz(*state, "a.gz", file.data, file.size);
    ib_text_clear(&file);
    assert_int_equal(
        ib_file_read(path_in(*state, "a.gz"), 1 << 20, &file, &err), IB_OK);
    for (size_t n = 0; n < file.size; n++) {
        put_file(*state, "b.gz", file.data, n);
        must_refuse(path_in(*state, "b.gz"), "");
    }
    ib_text_free(&file);
}

static void damaged_gzip_is_refused(void **state)
{
    struct ib_text file = {0};
    struct ib_error err = {0};
    put_gz(*state, "a.gz", "\0\0\10\1\0\0\0\11123456789", 17);
    assert_int_equal(
        ib_file_read(path_in(*state, "a.gz"), 1 << 20, &file, &err), IB_OK);
    file.data[file.size - 6] = (char)(file.data[file.size - 6] ^ 1); /* crc */
    put_file(*state, "b.gz", file.data, file.size);
    must_refuse(path_in(*state, "b.gz"), "gzip");
    ib_text_free(&file);
}

static void trailing_bytes_are_refused(void **state)
{
    put_file(*state, "a", "\0\0\10\1\0\0\0\4wxyz!", 13);
    must_refuse(path_in(*state, "a"), "bytes follow");
}

static void wrong_magic_is_refused(void **state)
{
    put_file(*state, "a", "\1\0\10\1\0\0\0\1x", 9);
    must_refuse(path_in(*state, "a"), "not an IDX file");
    put_file(*state, "a", "\0\0\15\1\0\0\0\1xxxx", 12);
    must_refuse(path_in(*state, "a"), "0x0d");
    put_file(*state, "a", "\0\0\10\4\0\0\0\1", 8);
    must_refuse(path_in(*state, "a"), "4 IDX dimensions");
    put_file(*state, "a", "\0\0\10\0", 4);
    must_refuse(path_in(*state, "a"), "0 IDX dimensions");
    put_file(*state, "a", "\0\0\10\1\0\0\0\0", 8);
    must_refuse(path_in(*state, "a"), "no items");
}

static void sizes_that_overflow_are_refused(void **state)
{
    const uint32_t huge = 0xffffffffu;
    put_idx(*state, "a", 3, (uint32_t[]){huge, huge, huge}, NULL);
    must_refuse(path_in(*state, "a"), "4294967296 bytes");
}

/* 4 GiB are announced, none is there: the largest request stays small. */
static void memory_follows_the_data_not_the_header(void **state)
{
    struct rusage before, after;
    put_idx(*state, "a", 3, (uint32_t[]){65536, 256, 256}, NULL);
    getrusage(RUSAGE_SELF, &before);
    must_refuse(path_in(*state, "a"), "cut short");
    getrusage(RUSAGE_SELF, &after);
    assert_true(after.ru_maxrss - before.ru_maxrss < 64 * 1024);
}

static void a_missing_file_is_named(void **state)
{
    struct ib_idx x = {0};
    struct ib_error err = {0};
    const char *path = path_in(*state, "none.gz");
    assert_int_equal(ib_idx_read(path, &x, &err), IB_E_IO);
    assert_has(err.text, path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_file),
        cmocka_unit_test(gzip_file),
        cmocka_unit_test(truncated_at_any_byte_is_refused),
        cmocka_unit_test(damaged_gzip_is_refused),
        cmocka_unit_test(trailing_bytes_are_refused),
        cmocka_unit_test(wrong_magic_is_refused),
        cmocka_unit_test(sizes_that_overflow_are_refused),
        cmocka_unit_test(memory_follows_the_data_not_the_header),
        cmocka_unit_test(a_missing_file_is_named),
    };
    return cmocka_run_group_tests(tests, dir_setup, dir_teardown);
}
