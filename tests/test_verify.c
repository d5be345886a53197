#include "entry_fixture.h"

#include <math.h>

/* --- the lot -----------------------------------------------------------------
 */

struct lot {
    struct ib_entry entry;
    struct ib_verify v;
};

static void lot_open(struct entry_run *r, const char *nonce, int64_t cells,
                     struct lot *l)
{
    struct ib_error err;
    memset(l, 0, sizeof *l);
    must(ib_entry_open(r->run->registry, r->entry, &l->entry, &l->v.f, &err),
         &err);
    l->v.entry = &l->entry;
    l->v.session = &r->session;
    l->v.cells = cells;
    snprintf(l->v.nonce, sizeof l->v.nonce, "%s", nonce);
    must(ib_verify_draw(&l->v, &err), &err);
}

static void lot_close(struct lot *l)
{
    ib_verify_free(&l->v);
    ib_entry_close(&l->entry);
}

static void the_seed_is_the_hash_of_entry_and_nonce(void **state)
{
    struct lot l;
    char text[IB_KEY_SIZE + 8], hash[IB_KEY_SIZE];
    lot_open(*state, "abc", 1, &l);
    snprintf(text, sizeof text, "%s abc", l.entry.hash);
    ib_sha256(text, strlen(text), hash);
    assert_string_equal(l.v.seed, hash);
    assert_int_equal(l.v.n_cells, 3);
    assert_int_equal(l.v.n_drawn, 1);
    lot_close(&l);
}

/* The drawn cell's hash is the smallest; bypassed cells have no lot. */
static void cells_come_by_ascending_hash(void **state)
{
    struct entry_run *r = *state;
    struct lot l;
    char least[IB_KEY_SIZE] = "~", hash[IB_KEY_SIZE], name[512], text[640];
    size_t at = 0;
    lot_open(r, "abc", 1, &l);
    for (size_t i = 0; i < r->run->plan->n_cells; i++) {
        if (r->run->plan->cells[i].plan != IB_CELL_RUN)
            continue;
        ib_cell_name(r->run->plan, &r->run->plan->cells[i], name, sizeof name);
        snprintf(text, sizeof text, "%s %s", l.v.seed, name);
        ib_sha256(text, strlen(text), hash);
        if (strcmp(hash, least) < 0) {
            memcpy(least, hash, sizeof hash);
            at = i;
        }
    }
    assert_true(l.v.drawn[at]);
    lot_close(&l);
}

static void other_nonces_draw_other_cells(void **state)
{
    struct entry_run *r = *state;
    int times[64] = {0}, different = 0;
    for (int k = 0; k < 30; k++) {
        struct lot l;
        char nonce[16];
        snprintf(nonce, sizeof nonce, "%d", k);
        lot_open(r, nonce, 1, &l);
        for (size_t i = 0; i < r->run->plan->n_cells; i++)
            times[i] += l.v.drawn[i];
        lot_close(&l);
    }
    for (size_t i = 0; i < r->run->plan->n_cells; i++)
        different += times[i] > 0;
    assert_int_equal(different, 3);
}

static void more_than_there_are_is_all(void **state)
{
    struct lot l;
    lot_open(*state, "abc", 1000, &l);
    assert_int_equal(l.v.n_drawn, 3);
    lot_close(&l);
}

/* --- equivalence
 * --------------------------------------------------------------- */

typedef double (*shift)(int person);

/* Adds to ssim of every person in every cell of the entry. */
static void move(cJSON *results, shift by)
{
    cJSON *cell, *person;
    cJSON_ArrayForEach(cell, cJSON_GetObjectItem(results, "cells"))
    {
        cJSON_ArrayForEach(person, cJSON_GetObjectItem(cell, "identities"))
        {
            cJSON *ssim = cJSON_GetObjectItem(
                cJSON_GetObjectItem(person, "scores"), "ssim");
            int class = cJSON_GetObjectItem(person, "class")->valueint;
            cJSON_SetNumberValue(ssim, ssim->valuedouble - by(class));
        }
    }
}

/* What the test says of ssim when here is submitted + by. */
static struct ib_equivalence judged(struct entry_run *r, shift by, size_t *n)
{
    struct lot l;
    struct ib_error err;
    struct ib_equivalence e = {.identities = -1};
    lot_open(r, "abc", 1000, &l);
    move(l.entry.results, by);
    must(ib_verify_equivalence(&l.v, r->own, &err), &err);
    for (size_t i = 0; i < l.v.n_equivalence; i++)
        if (strcmp(l.v.equivalence[i].column, "ssim") == 0)
            e = l.v.equivalence[i];
    *n = l.v.f.n;
    lot_close(&l);
    return e;
}

static double nothing(int person)
{
    return 0 * person;
}

static double a_little(int person)
{
    return 0.004 * person;
}

static double some(int person)
{
    return 0.05 * (person % 3);
}

static double much(int person)
{
    return 0.2 + 0.001 * person;
}

static void the_same_is_equivalent(void **state)
{
    size_t faults;
    struct ib_equivalence e = judged(*state, nothing, &faults);
    assert_int_equal(e.verdict, IB_VERIFIED);
    assert_int_equal(e.identities, PEOPLE);
    assert_int_equal(e.cells, 3);
    assert_int_equal(faults, 0);
}

/* SciPy 1.10.1: t.ppf(0.95, 11), t.cdf((0.022 - 0.05) / se, 11) for twelve
 * differences 0, 0.004, ... 0.044. */
static void the_two_tests_equal_scipy(void **state)
{
    size_t faults;
    struct ib_equivalence e = judged(*state, a_little, &faults);
    assert_int_equal(e.verdict, IB_VERIFIED);
    assert_true(fabs(e.difference - 0.022) < 1e-12);
    assert_true(fabs(e.low - 0.014523135267894347) < 1e-9);
    assert_true(fabs(e.high - 0.02947686473210566) < 1e-9);
    assert_true(fabs(e.p - 1.6315638817266797e-05) < 1e-9);
}

static void what_may_be_either_is_inconclusive(void **state)
{
    size_t faults;
    struct ib_equivalence e = judged(*state, some, &faults);
    assert_int_equal(e.verdict, IB_INCONCLUSIVE);
    assert_int_equal(faults, 0);
}

static void what_lies_beyond_the_margin_is_refuted(void **state)
{
    size_t faults;
    struct ib_equivalence e = judged(*state, much, &faults);
    assert_int_equal(e.verdict, IB_REFUTED);
    assert_int_equal(faults, 1);
}

static void an_accuracy_far_off_is_refuted(void **state)
{
    struct entry_run *r = *state;
    struct lot l;
    struct ib_error err;
    lot_open(r, "abc", 1000, &l);
    cJSON *row =
        cJSON_GetObjectItem(l.entry.results, "evaluators_utility")->child;
    double was = ib_at_number(row, "accuracy");
    cJSON_SetNumberValue(cJSON_GetObjectItem(row, "accuracy"),
                         was > 0.5 ? was - 0.5 : was + 0.5);
    must(ib_verify_equivalence(&l.v, r->own, &err), &err);
    assert_int_equal(l.v.f.n, 1);
    assert_has(ib_at_text(l.v.f.list->child, "place"),
               "evaluators_utility[0].accuracy");
    lot_close(&l);
}

/* --- differences of values
 * ------------------------------------------------------- */

static size_t differences(const char *want, const char *got, double tolerance)
{
    struct ib_findings f = {0};
    struct ib_diff d = {
        .file = "f", .here = "here", .tolerance = tolerance, .f = &f};
    cJSON *a = json_of(want), *b = json_of(got);
    size_t n;
    ib_json_diff(&d, a, b, "");
    n = f.n;
    ib_findings_free(&f);
    cJSON_Delete(a);
    cJSON_Delete(b);
    return n;
}

static void differences_are_found_leaf_by_leaf(void **state)
{
    (void)state;
    assert_int_equal(differences("{'a':1,'b':[2]}", "{'b':[2],'a':1}", 0), 0);
    assert_int_equal(differences("{'a':1}", "{'a':1.0000001}", 0), 1);
    assert_int_equal(differences("{'a':1}", "{'a':1.00005}", 1e-4), 0);
    assert_int_equal(differences("{'a':1}", "{'a':1.0002}", 1e-4), 1);
    assert_int_equal(differences("{'a':1000}", "{'a':1000.05}", 1e-4), 0);
    assert_int_equal(differences("{'a':1}", "{'a':null}", 1), 1);
    assert_int_equal(differences("{'a':1,'b':2}", "{'a':1}", 0), 1);
    assert_int_equal(differences("{'a':1}", "{'a':1,'b':2}", 0), 1);
    assert_int_equal(differences("[1,2,3]", "[1,3]", 0), 2);
    assert_int_equal(differences("{'a':'x'}", "{'a':'y'}", 1), 1);
}

#define TEST(name) cmocka_unit_test_setup(name, entry_again)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_seed_is_the_hash_of_entry_and_nonce),
        TEST(cells_come_by_ascending_hash),
        TEST(other_nonces_draw_other_cells),
        TEST(more_than_there_are_is_all),
        TEST(the_same_is_equivalent),
        TEST(the_two_tests_equal_scipy),
        TEST(what_may_be_either_is_inconclusive),
        TEST(what_lies_beyond_the_margin_is_refuted),
        TEST(an_accuracy_far_off_is_refuted),
        cmocka_unit_test(differences_are_found_leaf_by_leaf),
    };
    return cmocka_run_group_tests(tests, entry_setup, entry_teardown);
}
