#include "results_fixture.h"

#include <math.h>
#include <sys/stat.h>

#include "json_put.h"
#include "schema_check.h"

static cJSON *schema;

static int group_setup(void **state)
{
    struct ib_error err;
    must(ib_json_read("results/results.schema.json", &schema, &err), &err);
    return results_setup(state);
}

static int group_teardown(void **state)
{
    cJSON_Delete(schema);
    return results_teardown(state);
}

static bool valid(const cJSON *results)
{
    struct schema_check c = {.root = schema};
    bool ok = schema_valid(&c, schema, results, "$");
    if (!ok)
        print_message("%s\n", c.why);
    return ok;
}

static bool quietly_valid(const cJSON *results)
{
    struct schema_check c = {.root = schema};
    return schema_valid(&c, schema, results, "$");
}

static const cJSON *find(const cJSON *list, const char *key, const char *value)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, list)
    {
        const char *text = ib_at_text(item, key);
        if (text && !strcmp(text, value))
            return item;
    }
    fail_msg("nothing has %s = %s", key, value);
    return NULL;
}

static const cJSON *cell_named(const cJSON *results, const char *name)
{
    return find(ib_at(results, "cells"), "name", name);
}

static double score_of(const cJSON *cell, const char *column)
{
    return ib_at_number(ib_at(ib_at(cell, "scores"), column), "value");
}

static void the_sample_file_is_valid(void **state)
{
    cJSON *sample = NULL;
    struct ib_error err;
    (void)state;
    must(ib_json_read("tests/fixtures/results.json", &sample, &err), &err);
    assert_true(valid(sample));
    cJSON_Delete(sample);
}

static void results_of_a_run_are_valid(void **state)
{
    cJSON *results = make(*state);
    assert_true(valid(results));
    cJSON_Delete(results);
}

/* The first member of that name below the object is renamed away. */
static bool without(cJSON *object, const char *name)
{
    cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    bool still_valid;
    assert_non_null(item);
    item->string[0] ^= 1;
    still_valid = quietly_valid(object);
    item->string[0] ^= 1;
    return still_valid;
}

static void each_required_member_is_missed(void **state)
{
    cJSON *results = make(*state);
    const cJSON *name;
    cJSON_ArrayForEach(name, ib_at(schema, "required"))
        assert_false(without(results, name->valuestring));
    cJSON_Delete(results);
}

static void each_required_member_of_a_cell_is_missed(void **state)
{
    cJSON *results = make(*state);
    cJSON *cell = ib_at(results, "cells")->child;
    const cJSON *def = ib_at(ib_at(schema, "$defs"), "cell"), *name;
    cJSON_ArrayForEach(name, ib_at(def, "required"))
    {
        cJSON *item = cJSON_GetObjectItemCaseSensitive(cell, name->valuestring);
        item->string[0] ^= 1;
        assert_false(quietly_valid(results));
        item->string[0] ^= 1;
    }
    assert_true(quietly_valid(results));
    cJSON_Delete(results);
}

static void private_images_score_as_private_images(void **state)
{
    cJSON *results = make(*state);
    const cJSON *c = cell_named(results, "target/none/black/scores/s1");
    assert_string_equal(ib_at_text(c, "status"), "ok");
    assert_true(score_of(c, "ssim") == 1 && score_of(c, "mse") == 0);
    assert_true(score_of(c, "id_top1") == 1 && score_of(c, "dist_own") == 0);
    assert_true(score_of(c, "acc1@e-mlp") > 0.6);
    assert_true(isnan(score_of(c, "nearest_class")));
    assert_int_equal(cJSON_GetArraySize(ib_at(c, "identities")), PEOPLE);
    assert_true(ib_at_number(ib_at(c, "queries"), "forward") == 59.5);
    assert_true(ib_at_number(ib_at(c, "output"), "distinct") == PEOPLE);
    cJSON_Delete(results);
}

static void the_curve_scores_what_was_published_then(void **state)
{
    cJSON *results = make(*state);
    const cJSON *c = cell_named(results, "target/none/black/scores/s1");
    const cJSON *point = cJSON_GetArrayItem(ib_at(c, "curve"), 0);
    assert_true(ib_at_number(point, "queries") == 10);
    assert_true(ib_at_number(point, "reached") == 0.5);
    double ssim = ib_at_number(ib_at(point, "scores"), "ssim");
    assert_true(ssim < 0.5); /* black */
    cJSON_Delete(results);
}

static void leakage_of_private_images_is_high(void **state)
{
    cJSON *results = make(*state);
    const cJSON *row, *rows = ib_at(ib_at(results, "summary"), "rows");
    int found = 0;
    cJSON_ArrayForEach(row, rows)
    {
        const cJSON *l = ib_at(row, "leakage");
        if (strcmp(ib_at_text(row, "status"), "ok"))
            continue;
        if (isnan(ib_at_number(l, "value")))
            fail_msg("%s", ib_at_text(l, "reason"));
        assert_true(ib_at_number(l, "value") > 0.7);
        assert_true(ib_at_number(l, "low") < ib_at_number(l, "high"));
        found++;
    }
    assert_int_equal(found, 3);
    cJSON_Delete(results);
}

static void ssim_stands_beside_its_best_control(void **state)
{
    cJSON *results = make(*state);
    const cJSON *row = ib_at(ib_at(results, "summary"), "rows")->child;
    const cJSON *ssim = ib_at(ib_at(row, "columns"), "ssim");
    assert_non_null(ib_at_text(ssim, "control"));
    assert_true(ib_at_number(ssim, "control_value") > 0);
    cJSON_Delete(results);
}

static void a_bypassed_cell_points_at_its_twin(void **state)
{
    cJSON *results = make(*state);
    const cJSON *c = cell_named(results, "target/round/white/gradients/s1");
    assert_string_equal(ib_at_text(c, "status"), "bypass");
    assert_string_equal(ib_at_text(c, "gradient_path"), "bypass");
    assert_string_equal(ib_at_text(c, "same_as"),
                        "target/none/white/gradients/s1");
    assert_has(ib_at_text(c, "reason"), "round");
    assert_int_equal(cJSON_GetArraySize(ib_at(c, "scores")), 0);
    cJSON_Delete(results);
}

/* 22 held-out images each: 20 of them are scored. */
static void many_images_of_a_person_are_thinned_out(void **state)
{
    cJSON *results = make(*state);
    const cJSON *c = find(ib_at(results, "controls"), "name", "holdout");
    double distinct = ib_at_number(ib_at(c, "output"), "distinct");
    assert_true(distinct == PEOPLE * 20);
    assert_true(score_of(c, "acc1@e-mlp") > 0.5);
    assert_true(isnan(score_of(c, "nearest_class")));
    cJSON_Delete(results);
}

/* Gives one node another outcome for the length of a test. */
static struct ib_plan_node *break_node(struct results_run *r, int node,
                                       enum ib_outcome outcome,
                                       const char *reason)
{
    struct ib_plan_node *n = &r->plan->nodes[node];
    n->outcome = outcome;
    snprintf(n->reason, sizeof n->reason, "%s", reason);
    return n;
}

static void mend_node(struct ib_plan_node *n)
{
    n->outcome = IB_DONE;
    *n->reason = '\0';
}

static const struct ib_cell *black_cell(const struct results_run *r,
                                        int defense)
{
    for (size_t i = 0; i < r->plan->n_cells; i++)
        if (r->plan->cells[i].access == IB_SCORES &&
            r->plan->cells[i].defense == defense)
            return &r->plan->cells[i];
    return NULL;
}

static void failures_are_there_with_their_reasons(void **state)
{
    static const struct {
        enum ib_outcome outcome;
        const char *status;
    } all[] = {{IB_FAILED, "failed"},   {IB_CRASHED, "crashed"},
               {IB_TIMEOUT, "timeout"}, {IB_OOM, "oom"},
               {IB_BLOCKED, "blocked"}, {IB_NOT_APPLICABLE, "skipped"},
               {IB_PENDING, "pending"}};
    struct results_run *r = *state;
    for (size_t i = 0; i < IB_COUNT(all); i++) {
        struct ib_plan_node *n = break_node(r, black_cell(r, 0)->attack_node,
                                            all[i].outcome, "because");
        cJSON *results = make(r);
        const cJSON *c = cell_named(results, "target/none/black/scores/s1");
        assert_true(valid(results));
        assert_string_equal(ib_at_text(c, "status"), all[i].status);
        assert_string_equal(ib_at_text(c, "reason"), "because");
        cJSON_Delete(results);
        mend_node(n);
    }
}

static void a_missing_cell_widens_the_headline(void **state)
{
    struct results_run *r = *state;
    struct ib_plan_node *n =
        break_node(r, black_cell(r, 0)->attack_node, IB_CRASHED, "SIGSEGV");
    cJSON *results = make(r);
    const cJSON *h, *all = ib_at(ib_at(results, "summary"), "headline");
    int seen = 0;
    cJSON_ArrayForEach(h, all)
    {
        if (strcmp(ib_at_text(h, "defense"), "none") ||
            strcmp(ib_at_text(h, "access"), "scores"))
            continue;
        assert_true(ib_at_number(h, "missing") == 1);
        assert_true(isnan(ib_at_number(ib_at(h, "leakage"), "value")));
        assert_true(ib_at_number(ib_at(h, "leakage"), "low") < 0.1);
        assert_true(ib_at_number(ib_at(h, "leakage"), "high") > 0.9);
        assert_has(ib_at_text(ib_at(h, "leakage"), "reason"), "missing");
        seen++;
    }
    assert_int_equal(seen, 1);
    cJSON_Delete(results);
    mend_node(n);
}

static void without_public_controls_leakage_is_null(void **state)
{
    struct results_run *r = *state;
    struct ib_plan_node *broken[8];
    int n = 0;
    for (size_t i = 0; i < r->plan->n_controls; i++)
        if (!strncmp(r->plan->controls[i].name, "public", 6))
            broken[n++] =
                break_node(r, r->plan->controls[i].recon_node,
                           IB_NOT_APPLICABLE, "the data has no public split");
    cJSON *results = make(r);
    const cJSON *row = ib_at(ib_at(results, "summary"), "rows")->child;
    assert_true(valid(results));
    assert_true(isnan(ib_at_number(ib_at(row, "leakage"), "value")));
    assert_string_equal(ib_at_text(ib_at(row, "leakage"), "reason"),
                        "the data has no public split");
    cJSON_Delete(results);
    while (n-- > 0)
        mend_node(broken[n]);
}

static void nothing_at_all_is_still_valid(void **state)
{
    struct results_run *r = *state;
    for (size_t i = 0; i < r->plan->n_nodes; i++)
        r->plan->nodes[i].outcome = IB_PENDING;
    cJSON *results = make(r);
    assert_true(valid(results));
    assert_true(cJSON_IsNull(ib_at(ib_at(results, "dataset"), "shape")));
    cJSON_Delete(results);
    for (size_t i = 0; i < r->plan->n_nodes; i++)
        mend_node(&r->plan->nodes[i]);
}

static void bytes_are_the_same_each_time(void **state)
{
    struct results_run *r = *state;
    struct ib_text a = {0}, b = {0};
    cJSON *one = make(r);
    r->plan->nodes[0].seconds = 99; /* provenance only */
    cJSON *two = make(r);
    cJSON_DeleteItemFromObjectCaseSensitive(one, "provenance");
    cJSON_DeleteItemFromObjectCaseSensitive(two, "provenance");
    assert_int_equal(ib_json_pretty(one, &a, NULL), IB_OK);
    assert_int_equal(ib_json_pretty(two, &b, NULL), IB_OK);
    assert_string_equal(a.data, b.data);
    cJSON_Delete(one);
    cJSON_Delete(two);
    ib_text_free(&a);
    ib_text_free(&b);
}

static void read_out(const struct results_run *r, const char *name,
                     struct ib_text *out)
{
    char path[PATH_MAX + 256];
    struct ib_error err;
    snprintf(path, sizeof path, "%s/%s", r->out, name);
    must(ib_file_read(path, (size_t)64 << 20, out, &err), &err);
}

static void a_run_directory_holds_everything(void **state)
{
    struct results_run *r = *state;
    struct ib_text records = {0}, npy = {0}, appended = {0};
    struct ib_error err;
    char path[PATH_MAX + 64];
    cJSON *results = make(r);
    assert_int_equal(mkdir(r->out, 0777), 0);
    for (size_t i = r->plan->n_cells; i-- > 0;)
        must(ib_record_append(r->plan, i, &r->env, r->out, &err), &err);
    read_out(r, "records.jsonl", &appended);
    must(ib_results_write(r->plan, &r->env, results, r->out, &err), &err);
    read_out(r, "records.jsonl", &records);
    assert_int_equal(records.size, appended.size); /* sorted, else the same */
    assert_has(records.data, "\"name\":\"target/none/black/scores/s1\"");
    read_out(r, "reconstructions/target__none__black__scores__s1.npy", &npy);
    assert_memory_equal(npy.data, "\x93NUMPY", 6);
    assert_has(npy.data + 10, "(12, 1, 1, 32, 32)");
    assert_true(npy.size > PEOPLE * 1024 && npy.size % 64 == 0);
    snprintf(path, sizeof path, "%s/results.json", r->out);
    cJSON *back = NULL;
    must(ib_json_read(path, &back, &err), &err);
    assert_true(valid(back));
    cJSON_Delete(back);
    cJSON_Delete(results);
    ib_text_free(&records);
    ib_text_free(&npy);
    ib_text_free(&appended);
}

/* The data of a seed has one fingerprint; the classes' counts are those behind
 * the accuracy. */
static void results_say_which_data_and_who_was_known(void **state)
{
    struct results_run *r = *state;
    cJSON *results = make(r);
    const cJSON *hash = ib_at(ib_at(results, "dataset"), "sha256"), *u;
    assert_int_equal(cJSON_GetArraySize(hash), 1);
    assert_int_equal(strlen(hash->child->valuestring), 64);
    cJSON_ArrayForEach(u, ib_at(results, "utility"))
    {
        double right = 0, all = 0;
        for (int i = 0; i < PEOPLE; i++) {
            right += cJSON_GetArrayItem(ib_at(u, "correct"), i)->valuedouble;
            all += cJSON_GetArrayItem(ib_at(u, "total"), i)->valuedouble;
        }
        assert_true(all == ib_at_number(u, "n") && all == 22 * PEOPLE);
        assert_true(fabs(right / all - ib_at_number(u, "accuracy")) < 1e-12);
    }
    cJSON_Delete(results);
}

static void records_are_sorted_by_cell(void **state)
{
    struct results_run *r = *state;
    struct ib_text records = {0};
    char last[256] = "";
    read_out(r, "records.jsonl", &records);
    for (char *line = strtok(records.data, "\n"); line;
         line = strtok(NULL, "\n")) {
        cJSON *o = cJSON_Parse(line);
        assert_non_null(o);
        assert_true(strcmp(last, ib_at_text(o, "name")) < 0);
        snprintf(last, sizeof last, "%s", ib_at_text(o, "name"));
        cJSON_Delete(o);
    }
    assert_string_equal(last, "target/round/white/gradients/s1");
    ib_text_free(&records);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sample_file_is_valid),
        cmocka_unit_test(results_of_a_run_are_valid),
        cmocka_unit_test(each_required_member_is_missed),
        cmocka_unit_test(each_required_member_of_a_cell_is_missed),
        cmocka_unit_test(private_images_score_as_private_images),
        cmocka_unit_test(the_curve_scores_what_was_published_then),
        cmocka_unit_test(leakage_of_private_images_is_high),
        cmocka_unit_test(ssim_stands_beside_its_best_control),
        cmocka_unit_test(a_bypassed_cell_points_at_its_twin),
        cmocka_unit_test(many_images_of_a_person_are_thinned_out),
        cmocka_unit_test(failures_are_there_with_their_reasons),
        cmocka_unit_test(a_missing_cell_widens_the_headline),
        cmocka_unit_test(without_public_controls_leakage_is_null),
        cmocka_unit_test(nothing_at_all_is_still_valid),
        cmocka_unit_test(bytes_are_the_same_each_time),
        cmocka_unit_test(a_run_directory_holds_everything),
        cmocka_unit_test(results_say_which_data_and_who_was_known),
        cmocka_unit_test(records_are_sorted_by_cell),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
