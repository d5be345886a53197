#include "data_fixture.h"

#include "report.h"
#include "sheet_font.h"

enum { CELL = 40, ZOOM = 2, GAP = 4, MARGIN = 8 };

static struct ib_picture write_and_read(struct ib_sheet *s, const char *dir)
{
    struct ib_picture p = {0};
    struct ib_error err = {0};
    if (ib_sheet_write(s, path_in(dir, "sheet.png"), &err) != IB_OK ||
        ib_picture_read(path_in(dir, "sheet.png"), &p, &err) != IB_OK)
        fail_msg("%s", err.text);
    ib_sheet_free(s);
    return p;
}

static struct ib_sheet *make(int rows, int columns, int c)
{
    struct ib_sheet *s = NULL;
    struct ib_error err = {0};
    assert_int_equal(ib_sheet_create(&s, rows, columns,
                                     (struct ib_shape){c, CELL, CELL}, &err),
                     IB_OK);
    return s;
}

static uint8_t at(const struct ib_picture *p, int c, int y, int x)
{
    return p->pixels[(c * p->shape.h + y) * p->shape.w + x];
}

static void images_stand_in_a_magnified_grid(void **state)
{
    uint8_t a[CELL * CELL], b[CELL * CELL];
    struct ib_sheet *s = make(1, 2, 1);
    memset(a, 10, sizeof a);
    memset(b, 200, sizeof b);
    b[CELL * CELL - 1] = 7; /* last pixel */
    ib_sheet_place(s, 0, 0, (struct ib_shape){1, CELL, CELL}, a);
    ib_sheet_place(s, 0, 1, (struct ib_shape){1, CELL, CELL}, b);
    struct ib_picture p = write_and_read(s, *state);
    int w = CELL * ZOOM;
    assert_int_equal(p.shape.w, 2 * MARGIN + 2 * w + GAP);
    assert_int_equal(p.shape.h, 2 * MARGIN + w);
    assert_int_equal(at(&p, 0, MARGIN, MARGIN), 10);
    assert_int_equal(at(&p, 0, MARGIN, MARGIN + w), 255);
    assert_int_equal(at(&p, 0, MARGIN, MARGIN + w + GAP), 200);
    assert_int_equal(at(&p, 0, MARGIN + w - 2, MARGIN + 2 * w + GAP - 2), 7);
    ib_picture_free(&p);
}

static void a_legend_stands_below_and_breaks_between_words(void **state)
{
    char text[400] = "";
    struct ib_sheet *s = make(1, 2, 1);
    int w = CELL * ZOOM, lines, dark = 0;
    size_t width = (size_t)(2 * w + GAP) / IB_GLYPH_STEP;
    for (int i = 0; i < 30; i++)
        strcat(text, "legend ");
    lines = (int)(30 / (width / 7)) + (30 % (width / 7) > 0);
    ib_sheet_legend(s, text);
    struct ib_picture p = write_and_read(s, *state);
    assert_int_equal(p.shape.h, 3 * MARGIN + w + lines * IB_GLYPH_LINE);
    for (int y = 2 * MARGIN + w; y < p.shape.h; y++)
        for (int x = 0; x < p.shape.w; x++)
            dark += at(&p, 0, y, x) == 24;
    assert_true(dark > 30 * 6 * 5);
    ib_picture_free(&p);
}

static void captions_take_room_and_are_drawn(void **state)
{
    struct ib_sheet *s = make(1, 1, 1);
    ib_sheet_caption_row(s, 0, "I");
    ib_sheet_caption_column(s, 0, "private");
    struct ib_picture p = write_and_read(s, *state);
    int dark = 0;
    assert_int_equal(p.shape.w, 2 * MARGIN + IB_GLYPH_STEP + GAP + CELL * ZOOM);
    assert_int_equal(p.shape.h, 2 * MARGIN + IB_GLYPH_LINE + CELL * ZOOM);
    for (int y = 0; y < p.shape.h; y++)
        for (int x = 0; x < MARGIN + IB_GLYPH_STEP; x++)
            dark += at(&p, 0, y, x) < 100;
    assert_int_equal(dark, 11); /* pixels of a capital I */
    ib_picture_free(&p);
}

static void long_and_hostile_captions_stay_inside(void **state)
{
    struct ib_sheet *s = make(2, 2, 3);
    char text[2000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    ib_sheet_caption_row(s, 0, text);
    ib_sheet_caption_column(s, 1, text);
    ib_sheet_caption_row(s, 1, "\xc3\xa9t\xc3\xa9\n\x01\xff%s%n");
    ib_sheet_caption_row(s, 7, "no such row");
    ib_sheet_caption_column(s, -1, "no such column");
    struct ib_picture p = write_and_read(s, *state);
    assert_in_range(p.shape.w, 2 * CELL * ZOOM, 2 * CELL * ZOOM + 160);
    assert_in_range(p.shape.h, 2 * CELL * ZOOM, 2 * CELL * ZOOM + 80);
    ib_picture_free(&p);
}

static void grey_stands_in_colour_sheets_and_colour_in_grey_ones(void **state)
{
    uint8_t grey[CELL * CELL], red[3 * CELL * CELL] = {0};
    memset(grey, 90, sizeof grey);
    memset(red, 255, CELL * CELL);
    struct ib_sheet *s = make(1, 1, 3);
    ib_sheet_place(s, 0, 0, (struct ib_shape){1, CELL, CELL}, grey);
    struct ib_picture p = write_and_read(s, *state);
    assert_int_equal(at(&p, 2, MARGIN, MARGIN), 90);
    ib_picture_free(&p);
    s = make(1, 1, 1);
    ib_sheet_place(s, 0, 0, (struct ib_shape){3, CELL, CELL}, red);
    p = write_and_read(s, *state);
    assert_int_equal(at(&p, 0, MARGIN, MARGIN), 77);
    ib_picture_free(&p);
}

static void what_lies_outside_is_ignored(void **state)
{
    uint8_t a[CELL * CELL] = {0};
    struct ib_sheet *s = make(1, 1, 1);
    ib_sheet_place(s, 1, 0, (struct ib_shape){1, CELL, CELL}, a);
    ib_sheet_place(s, 0, -1, (struct ib_shape){1, CELL, CELL}, a);
    struct ib_picture p = write_and_read(s, *state);
    assert_int_equal(at(&p, 0, MARGIN, MARGIN), 236); /* still empty */
    ib_picture_free(&p);
}

static void sheets_that_cannot_be_are_refused(void **state)
{
    struct ib_sheet *s = NULL;
    struct ib_error err = {0};
    (void)state;
    assert_int_equal(
        ib_sheet_create(&s, 0, 1, (struct ib_shape){1, 4, 4}, &err),
        IB_E_INTERNAL);
    assert_int_equal(
        ib_sheet_create(&s, 1, 1, (struct ib_shape){2, 4, 4}, &err),
        IB_E_INTERNAL);
    assert_null(s);
}

static void a_sheet_that_is_too_wide_is_refused(void **state)
{
    struct ib_sheet *s = make(1, 400, 1);
    struct ib_error err = {0};
    assert_int_equal(ib_sheet_write(s, path_in(*state, "wide.png"), &err),
                     IB_E_USAGE);
    assert_has(err.text, "32768");
    ib_sheet_free(s);
}

static void a_folder_that_is_not_there_is_an_error(void **state)
{
    uint8_t a[4] = {0};
    struct ib_error err = {0};
    assert_int_equal(ib_png_write(path_in(*state, "none/a.png"),
                                  (struct ib_shape){1, 2, 2}, a, &err),
                     IB_E_IO);
    assert_has(err.text, "none/a.png");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(images_stand_in_a_magnified_grid),
        cmocka_unit_test(a_legend_stands_below_and_breaks_between_words),
        cmocka_unit_test(captions_take_room_and_are_drawn),
        cmocka_unit_test(long_and_hostile_captions_stay_inside),
        cmocka_unit_test(grey_stands_in_colour_sheets_and_colour_in_grey_ones),
        cmocka_unit_test(what_lies_outside_is_ignored),
        cmocka_unit_test(sheets_that_cannot_be_are_refused),
        cmocka_unit_test(a_sheet_that_is_too_wide_is_refused),
        cmocka_unit_test(a_folder_that_is_not_there_is_an_error),
    };
    return cmocka_run_group_tests(tests, dir_setup, dir_teardown);
}
