/* What the summary makes of several cells. */
#include "results_fixture.h"

#include <math.h>

#include "results_parts.h"

static const cJSON *scores_row(const cJSON *results)
{
    const cJSON *row;
    cJSON_ArrayForEach(
        row, ib_at(ib_at(results, "summary"),
                   "rows")) if (!strcmp(ib_at_text(row, "access"), "scores") &&
                                !strcmp(ib_at_text(row, "defense"),
                                        "none")) return row;
    fail_msg("no row");
    return NULL;
}

static const char *not_converged(const cJSON *row)
{
    const cJSON *flag;
    cJSON_ArrayForEach(
        flag,
        ib_at(row,
              "flags")) if (!strcmp(ib_at_text(flag, "name"),
                                    "not-converged")) return ib_at_text(flag,
                                                                        "text");
    return NULL;
}

/* The two cells without a defense, as what else they might have been; twin: the
 * white one behind the other stack. */
struct pair {
    struct ib_gather g;
    struct ib_cell *black, *white, *twin, saved, twin_saved;
    struct ib_scored *black_scored, *white_scored;
};

static void pair_open(struct results_run *r, struct pair *p)
{
    struct ib_error err;
    must(ib_gather_all(r->plan, &r->env, &p->g, &err), &err);
    for (size_t i = 0; i < r->plan->n_cells; i++) {
        struct ib_cell *c = &r->plan->cells[i];
        if (c->defense != 0 && c->attack == 0)
            p->twin = c;
        if (c->defense != 0 || c->plan != IB_CELL_RUN)
            continue;
        *(c->attack ? &p->black : &p->white) = c;
        *(c->attack ? &p->black_scored : &p->white_scored) = &p->g.cell[i];
    }
    p->saved = *p->white;
    p->twin_saved = *p->twin;
}

static cJSON *pair_summary(struct results_run *r, struct pair *p)
{
    struct ib_error err;
    cJSON *results = make(r), *summary;
    must(ib_results_summary(&p->g, results, &summary, &err), &err);
    cJSON_Delete(results);
    *p->white = p->saved;
    *p->twin = p->twin_saved;
    ib_gather_free(&p->g);
    return summary;
}

static void set_all(const cJSON *list, double x)
{
    cJSON *item;
    cJSON_ArrayForEach(item, list) cJSON_SetNumberValue(item, x);
}

static double headline_leakage(const cJSON *summary, const char *member)
{
    const cJSON *h, *all = ib_at(summary, "headline");
    cJSON_ArrayForEach(
        h, all) if (!strcmp(ib_at_text(h, "access"), "scores") &&
                    !strcmp(ib_at_text(h, "defense"),
                            "none")) return ib_at_number(ib_at(h, member),
                                                         "value");
    return NAN;
}

/* One attack finds everybody, the other nobody, and the target is equally
 * sure of both: half, whichever stands first in the suite. */
static void equally_good_answers_share_the_headline(void **state)
{
    struct results_run *r = *state;
    double found[2];
    for (int first = 0; first < 2; first++) {
        struct pair p = {0};
        pair_open(r, &p);
        p.white->access = p.twin->access = IB_SCORES;
        set_all(ib_at(p.black_scored->scores, "answers"), 0.5);
        set_all(ib_at(p.white_scored->scores, "answers"), 0.5);
        const cJSON *b = ib_at(p.black_scored->scores, "values");
        const cJSON *w = ib_at(p.white_scored->scores, "values");
        set_all(ib_at(b, "acc1@e-mlp"), first);
        set_all(ib_at(b, "acc1@e-cnn"), first);
        set_all(ib_at(w, "acc1@e-mlp"), !first);
        set_all(ib_at(w, "acc1@e-cnn"), !first);
        cJSON *summary = pair_summary(r, &p);
        found[first] = headline_leakage(summary, "leakage");
        assert_true(headline_leakage(summary, "best") >= 1);
        assert_true(headline_leakage(summary, "mean") == found[first]);
        cJSON_Delete(summary);
    }
    assert_true(found[0] == found[1]);
    assert_true(found[0] > 0.2 && found[0] < 0.8);
}

static const cJSON *headline_of(const cJSON *summary, const char *access)
{
    const cJSON *h, *all = ib_at(summary, "headline");
    cJSON_ArrayForEach(h, all)
    {
        if (!strcmp(ib_at_text(h, "access"), access) &&
            !strcmp(ib_at_text(h, "defense"), "none"))
            return h;
    }
    fail_msg("no headline");
    return NULL;
}

static void an_attack_that_some_stacks_lack_is_left_out(void **state)
{
    struct results_run *r = *state;
    struct pair p = {0};
    pair_open(r, &p);
    p.white->access = IB_SCORES;
    cJSON *summary = pair_summary(r, &p);
    assert_json(ib_at(headline_of(summary, "scores"), "attacks"),
                "[\"black\"]");
    assert_json(ib_at(headline_of(summary, "scores"), "left_out"),
                "[\"white\"]");
    cJSON_Delete(summary);
}

/* One of two pictures shows the person, under either attack: the evaluators
 * choose it, but from as many controls they would have chosen, too. */
static void
the_best_of_two_is_held_against_the_best_of_two_controls(void **state)
{
    struct results_run *r = *state;
    struct ib_summary s = {0};
    struct ib_leakage_task t = {.n = 1};
    struct ib_leakage_evaluator *e = &t.evaluator[0];
    struct ib_error err;
    cJSON *results = make(r);
    struct pair p = {0};
    pair_open(r, &p);
    s.g = &p.g;
    s.results = results;
    e->q = ib_panel_make(1, 4);
    e->ceiling = ib_panel_make(1, 4);
    for (int f = 0; f < IB_FLOORS; f++) {
        e->floor[f] = ib_panel_make(1, 4);
        for (int i = 0; i < 4; i++)
            e->floor[f].v[i] = f == i; /* each finds another one */
    }
    for (int i = 0; i < 4; i++)
        e->ceiling.v[i] = 0.5; /* of 20 held-out images */
    must(ib_maximise_controls(&s, 2, &t, &err), &err);
    assert_int_equal(t.floors, 6);
    for (int f = 0; f < 6; f++)
        assert_true(ib_panel_mean(&e->floor[f], NULL) == 0.5);
    assert_string_equal(t.floor_name[5], "noise or other");
    assert_true(e->floor[5].v[0] == 0 && e->floor[5].v[3] == 1);
    assert_true(fabs(e->ceiling.v[0] - (1 - 10.0 / 20 * 9 / 19)) < 1e-12);
    ib_leakage_task_free(&t);
    cJSON_Delete(results);
    *p.white = p.saved;
    ib_gather_free(&p.g);
}

static void queries_of_a_row_are_those_of_all_seeds(void **state)
{
    struct results_run *r = *state;
    struct pair p = {0};
    pair_open(r, &p);
    p.g.seeds = 2;
    p.g.names[1] = cJSON_Duplicate(p.g.names[0], true);
    assert_int_equal(ib_gather_people(&p.g, NULL), IB_OK);
    p.white->access = IB_SCORES;
    p.white->attack = p.black->attack;
    p.white->seed = 1;
    set_all(ib_at(ib_at(p.black_scored->recon, "queries"), "forward"), 10);
    set_all(ib_at(ib_at(p.white_scored->recon, "queries"), "forward"), 20);
    cJSON *summary = pair_summary(r, &p);
    const cJSON *row = ib_at(summary, "rows")->child;
    assert_true(ib_at_number(row, "seeds") == 2);
    assert_true(ib_at_number(ib_at(row, "queries"), "forward") == 15);
    cJSON_Delete(summary);
}

/* Class 0 is somebody else under the second seed: rows of the panel are people,
 * not class numbers. */
static void panels_follow_people_not_class_numbers(void **state)
{
    struct ib_gather g = {.seeds = 2, .classes = 2};
    struct ib_scored seed[2] = {{.status = "ok"}, {.status = "ok"}};
    const struct ib_scored *by_seed[] = {&seed[0], &seed[1]};
    (void)state;
    g.names[0] = json_of("['anna','ben']");
    g.names[1] = json_of("['ben','cleo']");
    for (int s = 0; s < 2; s++)
        seed[s].scores = json_of("{'targets':[0,1],'values':{'x':[1,2]}}");
    assert_int_equal(ib_gather_people(&g, NULL), IB_OK);
    assert_int_equal(g.people, 3);
    struct ib_panel p = ib_row_panel(&g, by_seed, "x");
    assert_true(p.v[0] == 1 && p.v[1] == 2 && isnan(p.v[2]));
    assert_true(isnan(p.v[3]) && p.v[4] == 1 && p.v[5] == 2);
    ib_panel_free(&p);
    for (int s = 0; s < 2; s++) {
        cJSON_Delete(g.names[s]);
        cJSON_Delete(seed[s].scores);
    }
    free(g.person);
}

/* Six people spent all 100 queries, six ended by themselves after 40; all
 * were black after 50. */
static void only_who_spent_the_budget_is_not_converged(void **state)
{
    struct results_run *r = *state;
    struct ib_suite_attack *a = (struct ib_suite_attack *)&r->suite->attacks[1];
    double gain = 0, black = 1.0 / PEOPLE;
    cJSON *results = make(r);
    const char *text = not_converged(scores_row(results));
    assert_non_null(text);
    assert_has(text, "between 50 and 100 queries");
    assert_int_equal(sscanf(text, "Acc@1 still rose by %lf", &gain), 1);
    assert_true(gain <= 50 && gain > 100 * (0.3 - black));
    cJSON_Delete(results);
    a->max_queries = 1000; /* now nobody spent it */
    results = make(r);
    assert_null(not_converged(scores_row(results)));
    a->max_queries = 100;
    cJSON_Delete(results);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(panels_follow_people_not_class_numbers),
        cmocka_unit_test(equally_good_answers_share_the_headline),
        cmocka_unit_test(an_attack_that_some_stacks_lack_is_left_out),
        cmocka_unit_test(
            the_best_of_two_is_held_against_the_best_of_two_controls),
        cmocka_unit_test(queries_of_a_row_are_those_of_all_seeds),
        cmocka_unit_test(only_who_spent_the_budget_is_not_converged),
    };
    return cmocka_run_group_tests(tests, results_setup, results_teardown);
}
