/* The store: what is put is got, half files are refused, damage is found. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "store_file.h"
#include "temp_dir.h"

struct fixture {
    char dir[PATH_MAX];
    struct ib_store *store;
    struct ib_error err;
};

static const char KEY[] =
    "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
static const char OTHER[] =
    "ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/* The disk of this test program: full once so many bytes were written. */
static size_t room = SIZE_MAX;

ssize_t write(int fd, const void *data, size_t n)
{
    if (n > room) {
        errno = ENOSPC;
        return -1;
    }
    if (room != SIZE_MAX)
        room -= n;
    return syscall(SYS_write, fd, data, n);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    temp_dir_make(f->dir);
    *state = f;
    return ib_store_open(&f->store, f->dir, &f->err);
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    room = SIZE_MAX;
    ib_store_close(f->store);
    temp_dir_remove(f->dir);
    free(f);
    return 0;
}

static enum ib_status put_text(struct fixture *f, const char *key,
                               const char *data)
{
    cJSON *meta = cJSON_CreateObject();
    enum ib_status s;

    cJSON_AddStringToObject(meta, "kind", "test");
    s = ib_store_put(f->store, key, meta, data, strlen(data), &f->err);
    cJSON_Delete(meta);
    return s;
}

static void object(const struct fixture *f, const char *key,
                   char out[PATH_MAX * 2])
{
    snprintf(out, PATH_MAX * 2, "%s/objects/%.2s/%s", f->dir, key, key);
}

static size_t count_files(const struct fixture *f, const char *sub)
{
    char command[PATH_MAX * 2];
    size_t n = 0;
    FILE *p;

    snprintf(command, sizeof(command), "ls -A '%s/%s' 2>/dev/null | wc -l",
             f->dir, sub);
    p = popen(command, "r");
    assert_int_equal(fscanf(p, "%zu", &n), 1);
    pclose(p);
    return n;
}

static void what_is_put_is_got(void **state)
{
    struct fixture *f = *state;
    struct ib_artifact a;

    assert_false(ib_store_has(f->store, KEY));
    assert_int_equal(put_text(f, KEY, "hello"), IB_OK);
    assert_true(ib_store_has(f->store, KEY));
    assert_int_equal(ib_store_get(f->store, KEY, &a, &f->err), IB_OK);
    assert_int_equal(a.size, 5);
    assert_memory_equal(a.data, "hello", 5);
    assert_int_equal((uintptr_t)a.data % 64, 0);
    assert_string_equal(
        cJSON_GetObjectItemCaseSensitive(a.meta, "kind")->valuestring, "test");
    ib_artifact_free(&a);
    assert_int_equal(count_files(f, "tmp"), 0);
}

static void an_artifact_may_have_no_data(void **state)
{
    struct fixture *f = *state;
    struct ib_artifact a;

    assert_int_equal(put_text(f, KEY, ""), IB_OK);
    assert_int_equal(ib_store_get(f->store, KEY, &a, &f->err), IB_OK);
    assert_null(a.data);
    assert_int_equal(a.size, 0);
    ib_artifact_free(&a);
}

static void what_is_not_there_is_an_error_that_names_it(void **state)
{
    struct fixture *f = *state;
    struct ib_artifact a;

    assert_int_equal(ib_store_get(f->store, KEY, &a, &f->err), IB_E_IO);
    assert_non_null(strstr(f->err.text, KEY));
    ib_artifact_free(&a);
}

static void a_key_that_is_a_path_is_refused(void **state)
{
    struct fixture *f = *state;
    struct ib_artifact a;

    assert_int_equal(ib_store_get(f->store, "../../etc/passwd", &a, &f->err),
                     IB_E_USAGE);
    assert_int_equal(put_text(f, "../x", "y"), IB_E_USAGE);
    assert_int_equal(ib_store_remove(f->store, "..", &f->err), IB_E_USAGE);
    assert_false(ib_store_has(f->store, "."));
}

/* Cuts the object at every length; each must be refused and set aside. */
static void a_file_cut_at_any_byte_is_refused(void **state)
{
    struct fixture *f = *state;
    char path[PATH_MAX * 2];
    struct ib_artifact a;
    struct stat st;

    object(f, KEY, path);
    assert_int_equal(put_text(f, KEY, "some data"), IB_OK);
    assert_int_equal(stat(path, &st), 0);
    for (off_t n = 0; n < st.st_size; n++) {
        assert_int_equal(put_text(f, KEY, "some data"), IB_OK);
        assert_int_equal(truncate(path, n), 0);
        assert_int_equal(ib_store_get(f->store, KEY, &a, &f->err), IB_E_DATA);
        assert_false(ib_store_has(f->store, KEY));
    }
    assert_int_equal(count_files(f, "corrupt"), 1);
}

static void a_flipped_bit_anywhere_that_counts_is_found(void **state)
{
    struct fixture *f = *state;
    char path[PATH_MAX * 2];
    struct ib_artifact a;
    const off_t padding = IB_ARTIFACT_HEADER + 15; /* after {"kind":"test"} */

    object(f, KEY, path);
    for (off_t at = 0; at < 128 + 9; at++) {
        if (at >= padding && at < 128)
            continue;
        assert_int_equal(put_text(f, KEY, "some data"), IB_OK);
        int fd = open(path, O_RDWR);
        char byte;

        assert_int_equal(pread(fd, &byte, 1, at), 1);
        byte ^= 4;
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
        close(fd);
        assert_int_equal(ib_store_get(f->store, KEY, &a, &f->err), IB_E_DATA);
        assert_non_null(strstr(f->err.text, "corrupt"));
    }
}

static void bytes_after_the_end_are_refused(void **state)
{
    struct fixture *f = *state;
    char path[PATH_MAX * 2];
    struct ib_artifact a;

    object(f, KEY, path);
    assert_int_equal(put_text(f, KEY, "some data"), IB_OK);
    FILE *file = fopen(path, "ab");
    fputc(0, file);
    fclose(file);
    assert_int_equal(ib_store_get(f->store, KEY, &a, &f->err), IB_E_DATA);
}

/* Sizes whose sum wraps around to the file's true size. */
static void sizes_that_overflow_are_refused(void **state)
{
    struct fixture *f = *state;
    char path[PATH_MAX * 2];
    struct ib_artifact a;
    const uint64_t huge[2] = {UINT64_MAX - 55, 56};

    object(f, KEY, path);
    assert_int_equal(put_text(f, KEY, "some data"), IB_OK);
    int fd = open(path, O_RDWR);
    assert_int_equal(pwrite(fd, huge, sizeof(huge), 8), sizeof(huge));
    close(fd);
    assert_int_equal(ib_store_get(f->store, KEY, &a, &f->err), IB_E_DATA);
}

static void a_full_disk_leaves_nothing_and_says_how_much(void **state)
{
    struct fixture *f = *state;

    for (size_t n = 0; n < 100; n += 20) {
        room = n;
        assert_int_equal(put_text(f, KEY, "some data"), IB_E_IO);
        room = SIZE_MAX;
        assert_non_null(strstr(f->err.text, f->dir));
        assert_non_null(strstr(f->err.text, "137 bytes"));
        assert_int_equal(count_files(f, "tmp"), 0);
        assert_false(ib_store_has(f->store, KEY));
    }
    assert_int_equal(put_text(f, KEY, "some data"), IB_OK);
}

/* As a user who may not write: root may write anywhere. */
static int read_only_user(struct fixture *f)
{
    struct ib_artifact a;

    if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
        return 1;
    if (ib_store_get(f->store, KEY, &a, &f->err) != IB_OK)
        return 2;
    ib_artifact_free(&a);
    if (put_text(f, OTHER, "x") != IB_E_IO || !strstr(f->err.text, f->dir))
        return 3;
    struct ib_store *again = NULL;
    if (ib_store_open(&again, f->dir, &f->err) != IB_OK)
        return 4;
    ib_store_close(again);
    return 0;
}

static void a_read_only_store_can_be_read(void **state)
{
    struct fixture *f = *state;
    char sub[PATH_MAX * 2];
    int status;

    assert_int_equal(put_text(f, KEY, "hello"), IB_OK);
    snprintf(sub, sizeof(sub), "%s/tmp", f->dir);
    assert_int_equal(chmod(sub, 0555), 0);
    assert_int_equal(chmod(f->dir, 0555), 0);
    pid_t pid = fork();
    if (pid == 0)
        _exit(read_only_user(f));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    chmod(f->dir, 0755);
    chmod(sub, 0755);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void two_writers_of_one_key_do_not_meet(void **state)
{
    struct fixture *f = *state;
    struct ib_artifact a;
    int status;
    pid_t pid = fork();

    for (int i = 0; i < 100; i++)
        if (put_text(f, KEY, "the same bytes") != IB_OK)
            abort();
        else if (pid != 0) {
            assert_int_equal(ib_store_get(f->store, KEY, &a, &f->err), IB_OK);
            assert_int_equal(a.size, 14);
            ib_artifact_free(&a);
        }
    if (pid == 0)
        _exit(0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(count_files(f, "tmp"), 0);
}

static enum ib_status note_visit(void *ctx, const char *key, const cJSON *meta,
                                 size_t bytes, int64_t mtime,
                                 struct ib_error *err)
{
    char *seen = ctx;

    (void)err;
    assert_true(bytes > IB_ARTIFACT_HEADER && mtime > 0);
    assert_non_null(cJSON_GetObjectItemCaseSensitive(meta, "kind"));
    strncat(seen, key, 2);
    return IB_OK;
}

static void each_visits_in_order_of_keys_and_remove_removes(void **state)
{
    struct fixture *f = *state;
    char seen[16] = "";

    assert_int_equal(ib_store_each(f->store, note_visit, seen, &f->err), IB_OK);
    assert_string_equal(seen, "");
    assert_int_equal(put_text(f, OTHER, "b"), IB_OK);
    assert_int_equal(put_text(f, KEY, "a"), IB_OK);
    assert_int_equal(ib_store_each(f->store, note_visit, seen, &f->err), IB_OK);
    assert_string_equal(seen, "00ff");
    assert_int_equal(ib_store_remove(f->store, KEY, &f->err), IB_OK);
    assert_int_equal(ib_store_remove(f->store, KEY, &f->err), IB_OK);
    assert_false(ib_store_has(f->store, KEY));
}

static void a_file_in_the_place_of_the_directory_is_an_error(void **state)
{
    struct fixture *f = *state;
    char path[PATH_MAX * 2];
    struct ib_store *s = NULL;

    snprintf(path, sizeof(path), "%s/file", f->dir);
    fclose(fopen(path, "w"));
    assert_int_equal(ib_store_open(&s, path, &f->err), IB_E_IO);
    assert_non_null(strstr(f->err.text, "not a directory"));
    strcat(path, "/below");
    assert_int_equal(ib_store_open(&s, path, &f->err), IB_E_IO);
    assert_null(s);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(what_is_put_is_got),
        T(an_artifact_may_have_no_data),
        T(what_is_not_there_is_an_error_that_names_it),
        T(a_key_that_is_a_path_is_refused),
        T(a_file_cut_at_any_byte_is_refused),
        T(a_flipped_bit_anywhere_that_counts_is_found),
        T(bytes_after_the_end_are_refused),
        T(sizes_that_overflow_are_refused),
        T(a_full_disk_leaves_nothing_and_says_how_much),
        T(a_read_only_store_can_be_read),
        T(two_writers_of_one_key_do_not_meet),
        T(each_visits_in_order_of_keys_and_remove_removes),
        T(a_file_in_the_place_of_the_directory_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
