#include "data_fixture.h"

#include <png.h>

#include "report.h"

static struct ib_picture must_read(const char *dir, const char *name)
{
    struct ib_picture p = {0};
    struct ib_error err = {0};
    if (ib_picture_read(path_in(dir, name), &p, &err) != IB_OK)
        fail_msg("%s", err.text);
    return p;
}

static void must_refuse(const char *dir, const void *data, size_t n,
                        const char *part)
{
    struct ib_picture p = {0};
    struct ib_error err = {0};
    put_file(dir, "bad", data, n);
    assert_int_equal(ib_picture_read(path_in(dir, "bad"), &p, &err), IB_E_DATA);
    assert_has(err.text, part);
    assert_has(err.text, "/bad: ");
    assert_null(p.pixels);
}

static void refuse_text(const char *dir, const char *text, const char *part)
{
    must_refuse(dir, text, strlen(text), part);
}

static void raw_grey(void **state)
{
    put_file(*state, "a", "P5 # who\n# what\n2 3 255\n\1\2\3\4\5\6", 30);
    struct ib_picture p = must_read(*state, "a");
    assert_true(ib_shape_equal(p.shape, (struct ib_shape){1, 3, 2}));
    assert_memory_equal(p.pixels, "\1\2\3\4\5\6", 6);
    ib_picture_free(&p);
}

static void plain_grey_is_scaled_and_rounded(void **state)
{
    put_file(*state, "a", "P2 2 2 7\n0 1\n3 7\n", 17);
    struct ib_picture p = must_read(*state, "a");
    assert_memory_equal(p.pixels, "\0\44\155\377", 4); /* 0 36 109 255 */
    ib_picture_free(&p);
}

static void raw_colour_becomes_planar(void **state)
{
    put_file(*state, "a", "P6\n2 1\n255\nabcdef", 17);
    struct ib_picture p = must_read(*state, "a");
    assert_true(ib_shape_equal(p.shape, (struct ib_shape){3, 1, 2}));
    assert_memory_equal(p.pixels, "adbecf", 6);
    ib_picture_free(&p);
}

static void plain_colour(void **state)
{
    put_file(*state, "a", "P3 1 1 255 10 20 30", 19);
    struct ib_picture p = must_read(*state, "a");
    assert_memory_equal(p.pixels, "\12\24\36", 3);
    ib_picture_free(&p);
}

static void sixteen_bits_are_scaled(void **state)
{
    put_file(*state, "a", "P5 3 1 65535\n\0\0\200\0\377\377", 19);
    struct ib_picture p = must_read(*state, "a");
    assert_memory_equal(p.pixels, "\0\200\377", 3);
    ib_picture_free(&p);
}

static void png_round_trip(void **state)
{
    for (int c = 1; c <= 3; c += 2) {
        uint8_t pixels[3 * 5 * 7];
        struct ib_shape shape = {c, 5, 7};
        struct ib_error err = {0};
        for (size_t i = 0; i < sizeof pixels; i++)
            pixels[i] = (uint8_t)(i * 37);
        assert_int_equal(
            ib_png_write(path_in(*state, "a.png"), shape, pixels, &err), IB_OK);
        struct ib_picture p = must_read(*state, "a.png");
        assert_true(ib_shape_equal(p.shape, shape));
        assert_memory_equal(p.pixels, pixels, ib_shape_size(shape));
        ib_picture_free(&p);
    }
}

static void put_png(const char *dir, uint32_t format, const void *pixels)
{
    png_image image = {.version = PNG_IMAGE_VERSION,
                       .width = 2,
                       .height = 2,
                       .format = format};
    assert_true(png_image_write_to_file(&image, path_in(dir, "a.png"), 0,
                                        pixels, 0, NULL));
}

static void png_with_alpha_is_refused(void **state)
{
    uint8_t pixels[16];
    struct ib_picture p = {0};
    struct ib_error err = {0};
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)(17 * i);
    put_png(*state, PNG_FORMAT_RGBA, pixels);
    assert_int_equal(ib_picture_read(path_in(*state, "a.png"), &p, &err),
                     IB_E_DATA);
    assert_has(err.text, "alpha");
}

static void truncated_at_any_byte_is_refused(void **state)
{
    static const char *const files[] = {"P5\n5 4\n255\n....................",
                                        "P2 2 2 9 1 2 3 4 "};
    for (size_t k = 0; k < IB_COUNT(files); k++)
        for (size_t n = 0; n + 2 < strlen(files[k]); n++)
            must_refuse(*state, files[k], n, "");
    uint8_t pixels[400] = {1, 2, 3};
    struct ib_error err = {0};
    struct ib_text file = {0};
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)(i * i);
    assert_int_equal(ib_png_write(path_in(*state, "a.png"),
                                  (struct ib_shape){1, 20, 20}, pixels, &err),
                     IB_OK);
    assert_int_equal(
        ib_file_read(path_in(*state, "a.png"), 1 << 20, &file, &err), IB_OK);
    for (size_t n = 0; n < file.size; n += n < 60 ? 1 : 7)
        must_refuse(*state, file.data, n, "");
    ib_text_free(&file);
}

static void damaged_png_never_crashes(void **state)
{
    uint8_t pixels[64] = {9, 8, 7};
    struct ib_error err = {0};
    struct ib_text file = {0};
    assert_int_equal(ib_png_write(path_in(*state, "a.png"),
                                  (struct ib_shape){1, 8, 8}, pixels, &err),
                     IB_OK);
    assert_int_equal(
        ib_file_read(path_in(*state, "a.png"), 1 << 20, &file, &err), IB_OK);
    for (size_t i = 4; i < file.size; i++) {
        struct ib_picture p = {0};
        file.data[i] = (char)(file.data[i] ^ 0x55);
        put_file(*state, "b.png", file.data, file.size);
        enum ib_status s = ib_picture_read(path_in(*state, "b.png"), &p, &err);
        assert_true(s == IB_OK ? p.pixels != NULL : p.pixels == NULL);
        ib_picture_free(&p);
        file.data[i] = (char)(file.data[i] ^ 0x55);
    }
    ib_text_free(&file);
}

static void sizes_that_overflow_are_refused(void **state)
{
    refuse_text(*state, "P5\n4294967295 4294967295\n255\n", "8192");
    refuse_text(*state, "P5\n99999999999999999999 1\n255\n", "width");
    refuse_text(*state, "P5\n8192 8192\n255\nx", "16777216");
    refuse_text(*state, "P5\n0 4\n255\nx", "0 x 4");
    refuse_text(*state, "P5\n-1 4\n255\nx", "width");
}

static void a_large_claim_in_a_small_png_is_refused(void **state)
{
    /* IHDR of 4000 x 4000, 8-bit RGB, with its checksum, and nothing more. */
    static const uint8_t head[] = {
        0x89, 'P', 'N', 'G',  13,   10, 26, 10,   0,    0, 0, 13, 'I', 'H', 'D',
        'R',  0,   0,   0x0f, 0xa0, 0,  0,  0x0f, 0xa0, 8, 2, 0,  0,   0};
    uint8_t file[sizeof head + 12];
    memcpy(file, head, sizeof head);
    uint32_t crc = 0xffffffff;
    for (size_t i = 12; i < sizeof head; i++) {
        crc ^= head[i];
        for (int k = 0; k < 8; k++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    crc = ~crc;
    for (size_t i = 0; i < 4; i++)
        file[sizeof head + i] = (uint8_t)(crc >> (24 - 8 * i));
    memcpy(file + sizeof head + 4, "\0\0\0\1IDAT", 8);
    must_refuse(*state, file, sizeof file, "cannot hold 4000 x 4000");
}

static void wrong_headers_are_refused(void **state)
{
    refuse_text(*state, "P5\n2 2\n0\nxxxx", "maxval is 0");
    refuse_text(*state, "P5\n2 2\n65536\nxxxx", "65535");
    refuse_text(*state, "P4\n2 2\nx", "PNG");
    refuse_text(*state, "GIF89a", "PGM (P2, P5)");
    refuse_text(*state, "P2 2 1 9 4 10", "sample");
    refuse_text(*state, "P5 2 1 9\n\4\12", "over its maxval 9");
    refuse_text(*state, "P2 2 x 9 4 1", "height");
    refuse_text(*state, "", "not a picture");
}

static void a_missing_file_is_named(void **state)
{
    struct ib_picture p = {0};
    struct ib_error err = {0};
    assert_int_equal(ib_picture_read(path_in(*state, "none"), &p, &err),
                     IB_E_IO);
    assert_has(err.text, "/none");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(raw_grey),
        cmocka_unit_test(plain_grey_is_scaled_and_rounded),
        cmocka_unit_test(raw_colour_becomes_planar),
        cmocka_unit_test(plain_colour),
        cmocka_unit_test(sixteen_bits_are_scaled),
        cmocka_unit_test(png_round_trip),
        cmocka_unit_test(png_with_alpha_is_refused),
        cmocka_unit_test(truncated_at_any_byte_is_refused),
        cmocka_unit_test(damaged_png_never_crashes),
        cmocka_unit_test(sizes_that_overflow_are_refused),
        cmocka_unit_test(a_large_claim_in_a_small_png_is_refused),
        cmocka_unit_test(wrong_headers_are_refused),
        cmocka_unit_test(a_missing_file_is_named),
    };
    return cmocka_run_group_tests(tests, dir_setup, dir_teardown);
}
