/* Model files: what is written is read; every byte and every size counts. */
#include "cmocka_all.h"

#include <math.h>
#include <sys/stat.h>

#include "model_file_fixture.h"

enum { MUTATIONS = 20000, NUMBERS = 28 }; /* softmax on 1x2x3 with 4 classes */

struct world {
    struct ib_registry *r;
    struct ib_error err;
    char dir[PATH_MAX], path[PATH_MAX + 16];
    struct file_bytes good;
};

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    assert_int_equal(ib_registry_create(&w->r, &w->err), IB_OK);
    temp_dir_make(w->dir);
    snprintf(w->path, sizeof(w->path), "%s/m.ibm", w->dir);
    write_model(w->r, w->path, "{\"name\":\"softmax\"}", "[]", 0.5f);
    w->good = read_bytes(w->path);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    free(w->good.data);
    temp_dir_remove(w->dir);
    ib_registry_free(w->r);
    free(w);
    return 0;
}

static struct file_bytes copy_of(const struct file_bytes *f)
{
    struct file_bytes c = {malloc(f->n + 64), f->n};

    assert_non_null(c.data);
    memcpy(c.data, f->data, f->n);
    return c;
}

static void expect(struct world *w, const struct file_bytes *f,
                   const char *text)
{
    assert_int_equal(try_file(w->r, f, &w->err), IB_E_DATA);
    if (strncmp(w->err.text, "x.ibm: ", 7) != 0 || !strstr(w->err.text, text))
        fail_msg("\"%s\" is not in: %s", text, w->err.text);
}

static void what_is_written_is_read(void **state)
{
    struct world *w = *state;
    struct ib_model_file f;
    struct ib_loaded_model m;

    assert_int_equal(ib_model_file_read(w->path, &f, &w->err), IB_OK);
    assert_int_equal(f.parameters, NUMBERS);
    assert_int_equal(f.state, 0);
    assert_int_equal(f.task.classes, 4);
    assert_int_equal(ib_model_file_load(&f, w->r, w->path, 3, &m, &w->err),
                     IB_OK);
    assert_int_equal(ib_net_max_batch(m.net), 3);
    for (int i = 0; i < NUMBERS; i++)
        assert_true(ib_net_parameters(m.net)[i] == 0.5f);
    assert_string_equal(m.use.plugin->name, "softmax");
    ib_model_close(&m);
    ib_model_file_close(&f);
}

static void running_statistics_come_back(void **state)
{
    struct world *w = *state;
    struct ib_model_file f;
    struct ib_loaded_model m;

    write_model(w->r, w->path,
                "{\"name\":\"resnet\",\"channels\":[2,3],\"blocks\":1}", "[]",
                0.5f);
    assert_int_equal(ib_model_file_read(w->path, &f, &w->err), IB_OK);
    assert_int_equal(f.state, 2 * (2 + 2 + 2 + 3 + 3 + 3));
    assert_int_equal(ib_model_file_load(&f, w->r, w->path, 1, &m, &w->err),
                     IB_OK);
    assert_int_equal(ib_net_state_count(m.net), f.state);
    for (size_t i = 0; i < f.state; i++)
        assert_true(ib_net_state(m.net)[i] == 1.5f);
    ib_model_close(&m);
    ib_model_file_close(&f);
}

static void two_writings_are_the_same_bytes(void **state)
{
    struct world *w = *state;
    struct file_bytes again;

    write_model(w->r, w->path, "{\"name\":\"softmax\"}", "[]", 0.5f);
    again = read_bytes(w->path);
    assert_int_equal(again.n, w->good.n);
    assert_memory_equal(again.data, w->good.data, again.n);
    free(again.data);
}

static void options_and_defenses_come_back(void **state)
{
    struct world *w = *state;
    struct ib_model_file f;
    struct ib_model_recipe x;

    write_model(w->r, w->path, "{\"name\":\"mlp\",\"hidden\":[5,3]}",
                "[{\"name\":\"label-smoothing\"}]", 1);
    assert_int_equal(ib_model_file_read(w->path, &f, &w->err), IB_OK);
    assert_int_equal(ib_model_file_check(&f, w->r, w->path, &x, &w->err),
                     IB_OK);
    assert_true(x.same_code);
    assert_int_equal(x.stack.n, 1);
    assert_string_equal(x.stack.use[0].plugin->name, "label-smoothing");
    assert_int_equal(f.parameters, 7 * 5 + 6 * 3 + 4 * 4);
    ib_model_recipe_free(&x);
    ib_model_file_close(&f);
}

static void cut_at_any_byte_it_is_refused(void **state)
{
    struct world *w = *state;

    for (size_t n = 0; n < w->good.n; n++) {
        struct file_bytes f = copy_of(&w->good);

        f.n = n;
        expect(w, &f, n < 8 ? "bytes 0..7" : "cut short");
        sign(&f); /* the hash cannot mend it */
        expect(w, &f, "");
        free(f.data);
    }
}

static void lengthened_it_is_refused(void **state)
{
    struct world *w = *state;
    struct file_bytes f = copy_of(&w->good);

    f.n += 1;
    expect(w, &f, "too long");
    free(f.data);
}

static void any_changed_byte_is_refused(void **state)
{
    struct world *w = *state;

    for (size_t i = 0; i < w->good.n; i++)
        for (int bit = 0; bit < 8; bit += 7) {
            struct file_bytes f = copy_of(&w->good);

            f.data[i] ^= (uint8_t)(1u << bit);
            expect(w, &f,
                   i < 8    ? "bytes 0..7: "
                   : i < 12 ? "bytes 8..11: version "
                   : i < 16 ? "bytes 12..15: "
                   : i < 32 ? "" /* a length, or else the hash */
                            : "SHA-256");
            free(f.data);
        }
}

static void sizes_that_overflow_are_refused(void **state)
{
    struct world *w = *state;
    const uint64_t sizes[] = {0,
                              1,
                              w->good.n,
                              (uint64_t)1 << 32,
                              UINT64_MAX / 4,
                              UINT64_MAX / 4 + 1,
                              UINT64_MAX - 40,
                              UINT64_MAX};

    for (int at = 16; at <= 24; at += 8)
        for (size_t i = 0; i < IB_COUNT(sizes); i++) {
            struct file_bytes f = copy_of(&w->good);

            put_u64(f.data + at, sizes[i]);
            sign(&f);
            expect(w, &f, at == 16 ? "bytes 16.." : "bytes 16..31");
            free(f.data);
        }
}

/* The header with one text replaced, in a file that is sound otherwise. */
static struct file_bytes edited(const struct world *w, const char *from,
                                const char *to)
{
    const char *header = (const char *)w->good.data + IB_MODEL_FILE_FIXED;
    size_t n = 0;
    struct ib_text text = {0};
    struct file_bytes f;

    while (header[n])
        n++;
    const char *at = memmem(header, n, from, strlen(from));
    if (!at)
        fail_msg("the header has no %s", from);
    ib_text_put(&text, header, (size_t)(at - header));
    ib_text_add(&text, "%s%s", to, at + strlen(from));
    f = file_of(ib_text_string(&text), text.size, NUMBERS);
    ib_text_free(&text);
    return f;
}

static void a_wrong_header_is_refused_by_its_place(void **state)
{
    static const struct {
        const char *from, *to, *text;
    } cases[] = {
        {"{", "[", "header:1:"},
        {"\"classes\":4", "\"classes\":0",
         "header.task.classes: 0; whole numbers 1..1048576 are allowed"},
        {"\"classes\":4", "\"classes\":2.5", "header.task.classes: 2.5;"},
        {"\"classes\":4", "\"classes\":\"4\"",
         "header.task.classes: missing, or not a number"},
        {"\"classes\":4", "\"clases\":4",
         "\"clases\" is no member of it (did you mean \"classes\"?)"},
        {"\"classes\":4,", "", "header.task.classes: missing"},
        {"\"classes\":4", "\"classes\":5", "the plugin builds"},
        {"\"classes\":4", "\"classes\":4,\"classes\":4", "classes"},
        {"\"shape\":[1,2,3]}}", "\"shape\":[1,2]}}", "header.task.shape: "},
        {"\"shape\":[1,2,3]}}", "\"shape\":[1,0,3]}}",
         "header.task.shape[1]: 0; whole numbers 1..16384 are allowed"},
        {"\"parameters\":28", "\"parameters\":27", "header says 27 and 0"},
        {"\"state\":0,\"task\"", "\"state\":4,\"task\"", "28 and 4"},
        {"\"state\":0,\"task\"", "\"state\":-1,\"task\"", "header.state: -1;"},
        {"\"weights\":24", "\"weights\":23", "header.nodes"},
        {"\"first\":0", "\"first\":9", ".first: 9; the nodes before it end"},
        {"\"weights\":24", "\"weights\":1e300", ".weights: 1"},
        {"\"inputs\":[0]", "\"inputs\":[1]",
         "header.nodes[1].inputs[0]: 1; whole numbers 0..0"},
        {"\"inputs\":[0]", "\"inputs\":[0,0]", "the plugin builds [0] there"},
        {"\"op\":\"dense\"", "\"op\":\"conv2d\"", "builds \"dense\" there"},
        {"\"name\":\"softmax\"", "\"name\":\"softmx\"",
         "did you mean \"softmax\"?"},
        {"\"batch\":", "\"bach\":", "did you mean \"batch\"?"},
        {"\"epochs\":", "\"epochs\":-", "header.plugin.epochs: -"},
        {"\"version\":\"1\"", "\"version\":\"0\"",
         "header.plugin.version: \"0\"; this program has \"1\" of softmax"},
        {"\"version\":\"1\"", "\"version\":1", "header.plugin.version: "},
        {"invbench.model-file/1", "invbench.model-file/2", "header.schema: "},
        {"\"origin\":{", "\"origin\":[{}],\"x\":{", "\"x\" is no member"},
        {"\"defenses\":[]", "\"defenses\":{}", "header.defenses: "},
        {"\"defenses\":[]", "\"defenses\":[7]", "header.defenses[0]: "},
        {"\"defenses\":[]",
         "\"defenses\":[{\"name\":\"round\",\"version\":\"1\",\"code\":\"x\","
         "\"options\":{}}]",
         "\"round\" does nothing in training"},
        {"\"options\":{", "\"options\":{\"name\":\"mlp\",",
         "header.plugin.options: "},
    };
    struct world *w = *state;

    for (size_t i = 0; i < IB_COUNT(cases); i++) {
        struct file_bytes f = edited(w, cases[i].from, cases[i].to);

        expect(w, &f, cases[i].text);
        free(f.data);
    }
}

static void other_code_is_noted_and_no_error(void **state)
{
    struct world *w = *state;
    struct ib_model_file file;
    struct ib_model_recipe x;
    struct file_bytes f = edited(w, "\"code\":\"", "\"code\":\"0");

    assert_int_equal(ib_model_file_parse(f.data, f.n, "x.ibm", &file, &w->err),
                     IB_OK);
    assert_int_equal(ib_model_file_check(&file, w->r, "x.ibm", &x, &w->err),
                     IB_OK);
    assert_false(x.same_code);
    ib_model_recipe_free(&x);
    ib_model_file_close(&file);
    free(f.data);
}

static void numbers_that_are_none_are_refused(void **state)
{
    struct world *w = *state;
    struct file_bytes f = copy_of(&w->good);
    const float bad = NAN;

    memcpy(f.data + f.n - IB_MODEL_FILE_HASH - sizeof(bad), &bad, sizeof(bad));
    sign(&f);
    expect(w, &f, "parameter 27 is ");
    free(f.data);
}

static void what_is_no_file_is_an_error_with_its_name(void **state)
{
    struct world *w = *state;
    struct ib_model_file f;

    assert_int_equal(ib_model_file_read("/nowhere/m.ibm", &f, &w->err),
                     IB_E_IO);
    assert_non_null(strstr(w->err.text, "/nowhere/m.ibm: No such file"));
    assert_int_equal(ib_model_file_read(w->dir, &f, &w->err), IB_E_DATA);
    assert_non_null(strstr(w->err.text, "not a regular file"));
    assert_int_equal(ib_model_file_read("/dev/zero", &f, &w->err), IB_E_DATA);
}

/* The same mutations on every machine: bytes, pieces, numbers of the header;
 * half of them with the hash put right, so that later checks are reached. */
static void mutate(struct file_bytes *f, struct ib_rng *rng)
{
    uint32_t edits = 1 + ib_rng_below(rng, 4);

    for (uint32_t i = 0; i < edits; i++) {
        size_t at = ib_rng_below(rng, (uint32_t)f->n);
        size_t to = ib_rng_below(rng, (uint32_t)f->n);
        size_t n = 1 + ib_rng_below(rng, 16);

        n = at + n > f->n ? f->n - at : n;
        n = to + n > f->n ? f->n - to : n;
        switch (ib_rng_below(rng, 5)) {
        case 0:
            f->data[at] = (uint8_t)ib_rng_u32(rng);
            break;
        case 1:
            memmove(f->data + to, f->data + at, n);
            break;
        case 2: /* a digit or a sign of JSON */
            f->data[at] = (uint8_t) "0129-.e,:\"[]{}"[ib_rng_below(rng, 14)];
            break;
        case 3:
            f->n = at < 100 ? f->n : at;
            break;
        default:
            put_u64(f->data + 16 + 8 * ib_rng_below(rng, 2),
                    ib_rng_u64(rng) >> ib_rng_below(rng, 64));
        }
    }
}

static void mutations_are_refused_or_sound(void **state)
{
    struct world *w = *state;
    struct ib_rng rng = ib_rng_stream(1, "test", -1, "mutations");
    int refused = 0, signed_and_refused = 0;

    for (int i = 0; i < MUTATIONS; i++) {
        struct file_bytes f = copy_of(&w->good);
        enum ib_status s;

        mutate(&f, &rng);
        if (i % 2)
            sign(&f);
        s = try_file(w->r, &f, &w->err);
        assert_true(s == IB_OK || s == IB_E_DATA || s == IB_E_NOMEM);
        assert_true(s == IB_OK || w->err.text[0]);
        assert_true(i % 2 || s != IB_OK ||
                    memcmp(f.data, w->good.data, w->good.n) == 0);
        refused += s != IB_OK;
        signed_and_refused += i % 2 && s != IB_OK;
        free(f.data);
    }
    assert_in_range(refused, MUTATIONS / 4 * 3, MUTATIONS);
    assert_in_range(signed_and_refused, MUTATIONS / 4, MUTATIONS / 2);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(what_is_written_is_read),
        T(running_statistics_come_back),
        T(two_writings_are_the_same_bytes),
        T(options_and_defenses_come_back),
        T(cut_at_any_byte_it_is_refused),
        T(lengthened_it_is_refused),
        T(any_changed_byte_is_refused),
        T(sizes_that_overflow_are_refused),
        T(a_wrong_header_is_refused_by_its_place),
        T(other_code_is_noted_and_no_error),
        T(numbers_that_are_none_are_refused),
        T(what_is_no_file_is_an_error_with_its_name),
        T(mutations_are_refused_or_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
