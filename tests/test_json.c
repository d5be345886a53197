#include "harness_fixture.h"

#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

#include <invbench/rng.h>

static char reason[IB_ERROR_MAX];

/* The message for bytes that must be refused. */
static const char *refused(const char *text, size_t n)
{
    struct ib_error err = {0};
    cJSON *v = (cJSON *)1;

    if (ib_json_parse(text, n, "f", &v, &err) != IB_E_DATA)
        fail_msg("accepted: %.*s", (int)n, text);
    assert_null(v);
    snprintf(reason, sizeof reason, "%s", err.text);
    return reason;
}

static void refused_at(const char *text, const char *part)
{
    assert_has(refused(text, strlen(text)), part);
}

static void errors_name_line_and_column(void **state)
{
    (void)state;
    refused_at("{\n  \"a\": 1,\n  \"b\" 2}", "f:3:7: not JSON: ':' is missing");
    refused_at("", "f:1:1: not JSON: a value is missing");
    refused_at("[1,]", "f:1:4:");
    refused_at("{\"a\":1} x", "f:1:9: not JSON: something follows");
}

static void what_is_not_json_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "01",          "-",       "1.",       "1e",          "+1",
        ".5",          "NaN",     "Infinity", "nul",         "'a'",
        "[1 2]",       "{a:1}",   "\"\\x\"",  "\"\t\"",      "\"\\u12\"",
        "\"open",      "[",       "{\"a\"",   "\"\\ud800\"", "\"\\udc00\"",
        "\"\\u0000\"", "// c\n1", "[1,,2]",   "{,}",
    };

    for (size_t i = 0; i < IB_COUNT(wrong); i++)
        refused(wrong[i], strlen(wrong[i]));
}

static void bytes_that_are_not_utf8_are_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "\"\xff\"",
        "\"\xc3\"",
        "\"\xc0\xaf\"",
        "\"\xed\xa0\x80\"",
        "\"\xf4\x90\x80\x80\"",
        "\"\xe2\x82\"",
    };

    for (size_t i = 0; i < IB_COUNT(wrong); i++)
        refused_at(wrong[i], "UTF-8");
    cJSON *v = json_of("'\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80'");
    assert_string_equal(v->valuestring, "ä€😀");
    cJSON_Delete(v);
}

static void duplicate_keys_are_refused_also_when_escaped(void **state)
{
    (void)state;
    refused_at("{\"a\":{\"b\":1,\"c\":2,\"b\":3}}", "\"b\" stands twice");
    refused_at("{\"a\":1,\"\\u0061\":2}", "\"a\" stands twice");
}

static void nesting_and_infinite_numbers_have_limits(void **state)
{
    (void)state;
    char deep[200];

    memset(deep, '[', 100);
    memset(deep + 100, ']', 100);
    assert_has(refused(deep, 200), "64 levels");
    cJSON_Delete(json_of("[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]"));
    refused_at("[1e999]", "out of range");
    refused_at("1.000000000000000000000000000000000000000000000000000000000001",
               "over 60 characters");
}

static void canonical_sorts_keys_and_drops_space(void **state)
{
    (void)state;
    cJSON *v = json_of("{ 'b' : [ 1 , true , null ] , 'a' : { 'd' : 'x' , "
                       "'c' : -0 } , 'B' : '\\u000a/\\\\' }");

    assert_json(v, "{\"B\":\"\\n/\\\\\",\"a\":{\"c\":0,\"d\":\"x\"},"
                   "\"b\":[1,true,null]}");
    cJSON_Delete(v);
}

static void numbers_take_the_fewest_digits(void **state)
{
    (void)state;
    cJSON *v =
        json_of("[0.1, 1e-5, 1e21, 9007199254740992, 0.30000000000000004,"
                " 1e300, 100, -2.50, 5e-324]");

    assert_json(v, "[0.1,1e-5,1e21,9007199254740992,0.30000000000000004,1e300,"
                   "100,-2.5,5e-324]");
    cJSON_Delete(v);
}

static void numbers_read_back_the_same(void **state)
{
    (void)state;
    struct ib_rng rng = ib_rng_stream(1, "test", -1, "numbers");

    for (int i = 0; i < 5000; i++) {
        struct ib_text text = {0};
        struct ib_error err = {0};
        uint64_t bits = ib_rng_u64(&rng);
        double x, y;
        cJSON *v;
        memcpy(&x, &bits, sizeof x);
        if (!isfinite(x))
            continue;
        v = cJSON_CreateNumber(x);
        assert_int_equal(ib_json_canonical(v, &text, &err), IB_OK);
        y = strtod(ib_text_string(&text), NULL);
        assert_memory_equal(&x, &y, sizeof x);
        cJSON_Delete(v);
        ib_text_free(&text);
    }
}

static void pretty_keeps_order_and_reads_back(void **state)
{
    (void)state;
    cJSON *v = json_of("{'b':[1,2,3],'a':[{'x':0.5}],'e':{},'l':[]}"), *back;
    struct ib_text text = {0};
    struct ib_error err = {0};

    assert_int_equal(ib_json_pretty(v, &text, &err), IB_OK);
    assert_string_equal(ib_text_string(&text),
                        "{\n  \"b\": [1, 2, 3],\n  \"a\": [\n    {\n"
                        "      \"x\": 0.5\n    }\n  ],\n  \"e\": {},\n"
                        "  \"l\": []\n}\n");
    assert_int_equal(ib_json_parse(text.data, text.size, "t", &back, &err),
                     IB_OK);
    assert_true(cJSON_Compare(v, back, true));
    cJSON_Delete(v);
    cJSON_Delete(back);
    ib_text_free(&text);
}

static void hashes_match_published_vectors(void **state)
{
    (void)state;
    char key[IB_KEY_SIZE];

    ib_sha256("abc", 3, key);
    assert_string_equal(key, "ba7816bf8f01cfea414140de5dae2223"
                             "b00361a396177a9cb410ff61f20015ad");
    ib_sha256(NULL, 0, key);
    assert_string_equal(key, "e3b0c44298fc1c149afbf4c8996fb924"
                             "27ae41e4649b934ca495991b7852b855");
}

static void a_key_ignores_order_and_space(void **state)
{
    (void)state;
    cJSON *a = json_of("{'a':1,'b':[0.50]}"),
          *b = json_of("{'b':[5e-1],'a':1}");
    cJSON *c = json_of("{'a':1,'b':[0.51]}");
    char ka[IB_KEY_SIZE], kb[IB_KEY_SIZE], kc[IB_KEY_SIZE];
    struct ib_error err = {0};

    assert_int_equal(ib_json_key(a, ka, &err), IB_OK);
    assert_int_equal(ib_json_key(b, kb, &err), IB_OK);
    assert_int_equal(ib_json_key(c, kc, &err), IB_OK);
    assert_string_equal(ka, kb);
    assert_string_not_equal(ka, kc);
    cJSON_Delete(a);
    cJSON_Delete(b);
    cJSON_Delete(c);
}

static void files_are_written_whole_and_leave_nothing_behind(void **state)
{
    const char *dir = *state;
    char path[4200], key[IB_KEY_SIZE], direct[IB_KEY_SIZE];
    struct ib_text back = {0};
    struct ib_error err = {0};

    snprintf(path, sizeof path, "%s/file", dir);
    assert_int_equal(ib_file_write(path, "first", 5, &err), IB_OK);
    assert_int_equal(ib_file_write(path, "second", 6, &err), IB_OK);
    assert_int_equal(ib_file_read(path, 6, &back, &err), IB_OK);
    assert_string_equal(ib_text_string(&back), "second");
    assert_int_equal(ib_file_read(path, 5, &back, &err), IB_E_DATA);
    assert_int_equal(ib_sha256_file(path, key, &err), IB_OK);
    ib_sha256("second", 6, direct);
    assert_string_equal(key, direct);
    ib_text_free(&back);
    assert_int_equal(unlink(path), 0);
}

static void a_write_that_fails_names_the_file(void **state)
{
    const char *dir = *state;
    char path[4200];
    struct ib_text back = {0};
    struct ib_error err = {0};

    snprintf(path, sizeof path, "%s/none/file", dir);
    assert_int_equal(ib_file_write(path, "x", 1, &err), IB_E_IO);
    assert_has(err.text, "none/file: No such file");
    assert_int_equal(ib_file_read(path, 9, &back, &err), IB_E_IO);
    assert_int_equal(ib_file_write("/dev/full/x", "x", 1, &err), IB_E_IO);
}

static const char document[] = "{\"schema\":\"invbench.suite/"
                               "1\",\"n\":[1,-2.5e-3,true,null,\"\\u00e4\\n\"],"
                               "\"o\":{\"x\":{\"y\":[[],{}]}}}";

static void a_document_cut_anywhere_is_refused(void **state)
{
    (void)state;
    for (size_t n = 0; n < sizeof document - 1; n++)
        refused(document, n);
}

static void flipped_bytes_never_crash_the_reader(void **state)
{
    (void)state;
    struct ib_rng rng = ib_rng_stream(7, "test", -1, "flips");
    char bytes[sizeof document];
    int accepted = 0;

    for (int i = 0; i < 20000; i++) {
        struct ib_error err = {0};
        cJSON *v = NULL;
        memcpy(bytes, document, sizeof bytes);
        for (uint32_t k = 0; k < 1 + (uint32_t)i % 3; k++)
            bytes[ib_rng_below(&rng, sizeof document - 1)] =
                (char)ib_rng_u32(&rng);
        if (ib_json_parse(bytes, sizeof document - 1, "f", &v, &err) == IB_OK)
            accepted++;
        else
            assert_true(err.text[0]);
        cJSON_Delete(v);
    }
    assert_in_range(accepted, 1, 19999);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_name_line_and_column),
        cmocka_unit_test(what_is_not_json_is_refused),
        cmocka_unit_test(bytes_that_are_not_utf8_are_refused),
        cmocka_unit_test(duplicate_keys_are_refused_also_when_escaped),
        cmocka_unit_test(nesting_and_infinite_numbers_have_limits),
        cmocka_unit_test(canonical_sorts_keys_and_drops_space),
        cmocka_unit_test(numbers_take_the_fewest_digits),
        cmocka_unit_test(numbers_read_back_the_same),
        cmocka_unit_test(pretty_keeps_order_and_reads_back),
        cmocka_unit_test(hashes_match_published_vectors),
        cmocka_unit_test(a_key_ignores_order_and_space),
        cmocka_unit_test_setup_teardown(
            files_are_written_whole_and_leave_nothing_behind, dir_setup,
            dir_teardown),
        cmocka_unit_test_setup_teardown(a_write_that_fails_names_the_file,
                                        dir_setup, dir_teardown),
        cmocka_unit_test(a_document_cut_anywhere_is_refused),
        cmocka_unit_test(flipped_bytes_never_crash_the_reader),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
