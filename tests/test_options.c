#include "harness_fixture.h"

#include <math.h>

#include "options_io.h"

struct options {
    int64_t count;
    double rate;
    bool flip;
    int mode;
    char path[IB_TEXT_MAX];
    struct ib_ints sizes;
};

static const struct ib_choice modes[] = {
    {"black", "zeros"}, {"mean", "the mean"}, {NULL, NULL}};

#define FIELD(member) .offset = offsetof(struct options, member)
static const struct ib_option table[] = {
    {.name = "count",
     .type = IB_INT,
     .value = "3",
     .min = 0,
     .max = 10,
     FIELD(count),
     .help = "how many"},
    {.name = "rate",
     .type = IB_REAL,
     .value = "1e-3",
     .min = 1e-9,
     .max = 1,
     FIELD(rate),
     .unit = "1/s",
     .help = "how fast"},
    {.name = "flip",
     .type = IB_BOOL,
     .value = "true",
     FIELD(flip),
     .help = "mirror"},
    {.name = "mode",
     .type = IB_CHOICE,
     .value = "mean",
     .choices = modes,
     FIELD(mode),
     .help = "start"},
    {.name = "path",
     .type = IB_TEXT,
     .value = "a b",
     FIELD(path),
     .help = "where"},
    {.name = "sizes",
     .type = IB_INTS,
     .value = "30,20",
     .min = 1,
     .max = 99,
     FIELD(sizes),
     .help = "layers"},
    {0},
};

static char reason[IB_ERROR_MAX];

static const char *refused(const char *json)
{
    static const char *const reserved[] = {"id", NULL};
    struct options o;
    struct ib_error err = {0};
    cJSON *v = json_of(json);

    if (ib_options_parse(table, sizeof o, v,
                         &(struct ib_place){"s.json: attacks[0]", reserved}, &o,
                         &err) != IB_E_USAGE)
        fail_msg("accepted: %s", json);
    cJSON_Delete(v);
    snprintf(reason, sizeof reason, "%s", err.text);
    return reason;
}

static struct options accepted(const char *json)
{
    static const char *const reserved[] = {"id", NULL};
    struct options o;
    struct ib_error err = {0};
    cJSON *v = json ? json_of(json) : NULL;

    if (ib_options_parse(table, sizeof o, v, &(struct ib_place){"x", reserved},
                         &o, &err) != IB_OK)
        fail_msg("%s", err.text);
    cJSON_Delete(v);
    return o;
}

static void defaults_fill_every_field(void **state)
{
    (void)state;
    struct options o = accepted(NULL);

    assert_int_equal(o.count, 3);
    assert_true(o.rate == 1e-3);
    assert_true(o.flip);
    assert_int_equal(o.mode, 1);
    assert_string_equal(o.path, "a b");
    assert_int_equal(o.sizes.n, 2);
    assert_int_equal(o.sizes.v[1], 20);
}

static void members_replace_defaults_and_reserved_ones_are_left(void **state)
{
    (void)state;
    struct options o = accepted("{'id':[1],'count':10,'mode':'black',"
                                "'flip':false,'sizes':[],'path':''}");

    assert_int_equal(o.count, 10);
    assert_int_equal(o.mode, 0);
    assert_false(o.flip);
    assert_int_equal(o.sizes.n, 0);
    assert_string_equal(o.path, "");
    assert_true(o.rate == 1e-3);
}

static void range_errors_name_place_value_and_range(void **state)
{
    (void)state;
    assert_string_equal(
        refused("{'count':12}"),
        "s.json: attacks[0].count: 12 is out of range; 0..10 is allowed");
    assert_has(refused("{'rate':0}"), "rate: 0 is out of range; 1e-09..1");
    assert_has(refused("{'sizes':[5,100]}"), "sizes: 100 is out of range");
}

static void type_errors_say_what_is_wanted(void **state)
{
    (void)state;
    assert_has(refused("{'count':1.5}"), "count: 1.5 is not an integer");
    assert_has(refused("{'count':'3'}"), "count: \"3\" is not an integer");
    assert_has(refused("{'count':1e300}"), "is not an integer");
    assert_has(refused("{'rate':true}"), "rate: true is not a number");
    assert_has(refused("{'flip':1}"), "flip: 1 is not true or false");
    assert_has(refused("{'sizes':[1,'a']}"), "is not a list of integers");
    assert_has(refused("{'path':null}"), "path: null is not a text");
    assert_has(refused("[1]"), "not an object");
}

static void unknown_names_get_the_nearest(void **state)
{
    (void)state;
    assert_has(refused("{'conut':1}"), "attacks[0].conut: there is no such "
                                       "option (did you mean \"count\"?)");
    assert_has(
        refused("{'mode':'maen'}"),
        "\"maen\" is unknown (did you mean \"mean\"?); there are: black, "
        "mean");
}

static void texts_and_lists_have_a_longest_length(void **state)
{
    (void)state;
    char json[400] = "{'path':'";

    memset(json + 9, 'x', 256);
    strcpy(json + 9 + 256, "'}");
    assert_has(refused(json), "256 bytes; up to 255 are allowed");
    json[9 + 255] = '\'';
    json[9 + 256] = '}';
    json[9 + 257] = '\0';
    assert_int_equal(strlen(accepted(json).path), 255);
    assert_has(refused("{'sizes':[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]}"),
               "17 integers; up to 16");
}

static void echo_names_every_option_and_reads_back(void **state)
{
    (void)state;
    struct options o = accepted("{'rate':0.25,'sizes':[7]}"), again;
    struct ib_error err = {0};
    cJSON *v = ib_options_echo(table, &o);

    assert_json(v, "{\"count\":3,\"flip\":true,\"mode\":\"mean\",\"path\":"
                   "\"a b\",\"rate\":0.25,\"sizes\":[7]}");
    assert_int_equal(ib_options_parse(table, sizeof again, v,
                                      &(struct ib_place){.path = "x"}, &again,
                                      &err),
                     IB_OK);
    assert_memory_equal(&o, &again, sizeof o);
    cJSON_Delete(v);
}

/* The message for a table with one row changed. */
static const char *bad_table(struct ib_option row)
{
    struct ib_option rows[3] = {table[0], row, {0}};
    struct ib_error err = {0};

    if (ib_options_check(rows, sizeof(struct options), &err) == IB_OK)
        fail_msg("accepted: %s", row.name);
    snprintf(reason, sizeof reason, "%s", err.text);
    return reason;
}

static void a_sound_table_passes_its_check(void **state)
{
    (void)state;
    struct ib_error err = {0};

    assert_int_equal(ib_options_check(table, sizeof(struct options), &err),
                     IB_OK);
    assert_int_equal(ib_options_check(NULL, 0, &err), IB_OK);
}

static void mistakes_in_a_table_are_found(void **state)
{
    (void)state;
    struct ib_option o = table[1];

    assert_has(bad_table(table[0]), "stands twice");
    o.offset = sizeof(struct options);
    assert_has(bad_table(o), "outside the options struct");
    o.offset = SIZE_MAX;
    assert_has(bad_table(o), "outside the options struct");
    o.offset = offsetof(struct options, rate) + 1;
    assert_has(bad_table(o), "not aligned");
    o = table[1];
    o.value = "2";
    assert_has(bad_table(o), "2 is out of range");
    o.value = "fast";
    assert_has(bad_table(o), "default of rate");
    o.value = NULL;
    assert_has(bad_table(o), "no default");
    o = table[1];
    o.min = o.max;
    assert_has(bad_table(o), "range is empty");
    o = table[1];
    o.name = "Rate";
    assert_has(bad_table(o), "lower-case");
    o.name = "other";
    o.type = (enum ib_option_type)77;
    assert_has(bad_table(o), "type is unknown");
    o = table[3];
    o.choices = NULL;
    assert_has(bad_table(o), "no choices");
}

static void open_ranges_are_shown_as_such(void **state)
{
    (void)state;
    struct ib_option o = table[1];
    struct ib_text t = {0};

    o.max = INFINITY;
    ib_options_range(&o, &t);
    assert_string_equal(ib_text_string(&t), "1e-09 or more");
    ib_text_clear(&t);
    ib_options_range(&table[3], &t);
    assert_string_equal(ib_text_string(&t), "black | mean");
    ib_text_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_fill_every_field),
        cmocka_unit_test(members_replace_defaults_and_reserved_ones_are_left),
        cmocka_unit_test(range_errors_name_place_value_and_range),
        cmocka_unit_test(type_errors_say_what_is_wanted),
        cmocka_unit_test(unknown_names_get_the_nearest),
        cmocka_unit_test(texts_and_lists_have_a_longest_length),
        cmocka_unit_test(echo_names_every_option_and_reads_back),
        cmocka_unit_test(a_sound_table_passes_its_check),
        cmocka_unit_test(mistakes_in_a_table_are_found),
        cmocka_unit_test(open_ranges_are_shown_as_such),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
