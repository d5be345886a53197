/* Samples of priors: what they are worth, in numbers and in words. */
#include "attack_fixture.h"

#include <math.h>

#include "data_io.h"
#include "json_put.h"
#include "prior_process.h"
#include "results.h"
#include "run.h"
#include "sample.h"
#include "schema_check.h"
#include "toy_images.h"

/* --- sets made by hand --------------------------------------------------- */

struct bench {
    struct toy seen, held, other;
    struct ib_net *net;
    ib_node input, features;
    struct ib_scratch *scratch;
    cJSON *out;
    struct ib_error err;
    size_t nearest[TOY_MAX];
};

static int bench_setup(void **state)
{
    struct bench *b = calloc(1, sizeof(*b));
    struct ib_graph *g = ib_graph_create();
    struct ib_rng rng = ib_rng_stream(1, "test", -1, "init");

    toy_make(&b->seen, TOY_MAX, 1);
    toy_make(&b->held, TOY_MAX, 2);
    toy_make(&b->other, TOY_MAX, 3);
    b->input = ib_graph_input(g, b->seen.images.shape, "in");
    b->features = ib_graph_dense(g, b->input, 24, "features");
    assert_int_equal(ib_net_create(&b->net, g, 64, &b->err), IB_OK);
    ib_net_init(b->net, &rng);
    b->scratch = ib_scratch_create(256 << 20);
    assert_non_null(b->scratch);
    *state = b;
    return 0;
}

static int bench_teardown(void **state)
{
    struct bench *b = *state;

    cJSON_Delete(b->out);
    ib_net_free(b->net);
    ib_scratch_free(b->scratch);
    free(b);
    return 0;
}

/* Scores n of samples against the first `held` held ones. */
static const cJSON *score(struct bench *b, const struct ib_images *samples,
                          size_t held)
{
    struct ib_images real = b->seen.images, kept = b->held.images;
    const struct ib_sample_task t = {.samples = samples,
                                     .real = &real,
                                     .held = &kept,
                                     .seen = &b->seen.images,
                                     .net = b->net,
                                     .input = b->input,
                                     .features = b->features,
                                     .scratch = b->scratch};

    real.n = kept.n = held;
    cJSON_Delete(b->out);
    b->out = cJSON_CreateObject();
    if (ib_sample_score(&t, b->out, b->nearest, &b->err))
        fail_msg("%s", b->err.text);
    return ib_at(b->out, "scores");
}

static double number(const struct bench *b, const char *name)
{
    return ib_at_number(ib_at(b->out, "scores"), name);
}

static void
samples_like_real_images_are_neither_copies_nor_collapsed(void **state)
{
    struct bench *b = *state;

    score(b, &b->other.images, TOY_MAX);
    assert_true(number(b, "precision") > 0.8);
    assert_true(number(b, "recall") > 0.8);
    assert_true(fabs(number(b, "spread") - 1) < 0.1);
    assert_true(number(b, "frechet") < 3 * number(b, "frechet_real"));
    assert_float_equal(number(b, "copies"), 0, 0);
    assert_true(cJSON_IsFalse(ib_at(b->out, "collapse")));
    assert_true(cJSON_IsFalse(ib_at(b->out, "unlike")));
    assert_true(cJSON_IsFalse(ib_at(b->out, "copying")));
    assert_has(ib_at_text(b->out, "verdict"), "No mode collapse");
    assert_int_equal(cJSON_GetArraySize(ib_at(b->out, "reasons")), 0);
}

static void copies_are_found_and_named(void **state)
{
    struct bench *b = *state;

    score(b, &b->seen.images, TOY_MAX);
    assert_float_equal(number(b, "copies"), 1, 0);
    assert_float_equal(number(b, "copies_real"), 0, 0);
    assert_float_equal(number(b, "nearest"), 0, 0);
    assert_true(number(b, "nearest_real") > 0.05);
    assert_true(cJSON_IsTrue(ib_at(b->out, "copying")));
    assert_has(ib_at_text(b->out, "verdict"), "Samples are copies");
    for (size_t i = 0; i < TOY_MAX; i++)
        assert_int_equal(b->nearest[i], i);
}

static void one_mode_is_a_collapse(void **state)
{
    struct bench *b = *state;
    enum { D = TOY_SIDE * TOY_SIDE };
    uint8_t own[4][D];

    for (size_t i = 0; i < 4; i++)
        memcpy(own[i], b->other.pixels + i * TOY_CLASSES * D, D);
    /* one person alone, 4 pictures of him again and again */
    for (size_t i = 0; i < TOY_MAX; i++)
        memcpy(b->other.pixels + i * D, own[i % 4], D);
    score(b, &b->other.images, TOY_MAX);
    assert_true(number(b, "spread") < 0.5);
    assert_true(number(b, "recall") < 0.05);
    assert_float_equal(number(b, "repeats"), 1, 0);
    assert_float_equal(number(b, "repeats_real"), 0, 0);
    assert_true(cJSON_IsTrue(ib_at(b->out, "collapse")));
    assert_has(ib_at_text(b->out, "verdict"), "Mode collapse: ");
}

static void noise_is_unlike_rather_than_collapsed(void **state)
{
    struct bench *b = *state;
    struct ib_rng rng = ib_rng_stream(1, "test", 0, "noise");

    for (size_t i = 0; i < sizeof(b->other.pixels); i++)
        b->other.pixels[i] = (uint8_t)(ib_rng_below(&rng, 2) * 255);
    score(b, &b->other.images, TOY_MAX);
    assert_true(number(b, "precision") < 0.05);
    assert_true(cJSON_IsTrue(ib_at(b->out, "unlike")));
    assert_true(cJSON_IsFalse(ib_at(b->out, "collapse")));
    assert_has(ib_at_text(b->out, "verdict"), "unlike the public images");
}

static void few_images_give_nulls_with_reasons(void **state)
{
    struct bench *b = *state;

    score(b, &b->other.images, 100);
    assert_true(cJSON_IsNull(ib_at(ib_at(b->out, "scores"), "frechet")));
    assert_has(ib_at_text(ib_at(b->out, "reasons"), "frechet"), "160");
    assert_true(isfinite(number(b, "recall")));
    score(b, &b->other.images, 1);
    assert_true(cJSON_IsNull(ib_at(ib_at(b->out, "scores"), "recall")));
    assert_true(cJSON_IsNull(ib_at(ib_at(b->out, "scores"), "spread")));
    assert_true(cJSON_IsNull(ib_at(b->out, "collapse")));
    assert_has(ib_at_text(b->out, "verdict"), "cannot be told");
    score(b, &b->other.images, 0);
    assert_true(cJSON_IsNull(ib_at(ib_at(b->out, "scores"), "copies_real")));
    assert_float_equal(number(b, "copies"), 0, 0);
}

static void a_blind_evaluator_gives_nulls(void **state)
{
    struct bench *b = *state;
    const cJSON *scores;

    memset(ib_net_parameters(b->net), 0,
           ib_net_parameter_count(b->net) * sizeof(ib_real));
    scores = score(b, &b->other.images, TOY_MAX);
    assert_true(cJSON_IsNull(ib_at(scores, "frechet")));
    assert_true(cJSON_IsNull(ib_at(scores, "precision")));
    assert_true(cJSON_IsNull(ib_at(b->out, "collapse")));
    assert_has(ib_at_text(ib_at(b->out, "reasons"), "recall"), "the same");
    assert_int_equal(cJSON_GetArraySize(scores), 21);
}

/* --- a whole run ---------------------------------------------------------- */

static struct lab lab;
static struct ib_suite *suite;
static struct ib_plan *plan;

static const char suite_text[] =
    "{'schema':'invbench.suite/1','name':'priors','seeds':[1],"
    "'dataset':{'name':'synthfaces','size':32,'identities':3,'train':4,"
    "'holdout':2,'public_identities':50,'public_images':10},"
    "'models':[{'id':'m','name':'softmax','epochs':2}],"
    "'evaluators':[{'id':'e','name':'mlp','hidden':[8],'epochs':2},"
    "{'id':'c','name':'cnn','channels':[4],'dense':12,'epochs':4}],"
    "'defenses':[{'id':'none','stack':[]}],"
    "'attacks':[{'id':'a','name':'mi-face','alpha':2,'prior':{'name':'pca',"
    "'components':4}},{'id':'b','name':'mi-face','alpha':1,'prior':"
    "{'name':'pca','components':4}},{'id':'p','name':'mi-face','alpha':1}],"
    "'access':['gradients'],'metrics':['mse']}";

static int lab_setup(void **state)
{
    struct ib_run_options options = {.jobs = 1};

    (void)state;
    lab_open(&lab, NULL);
    if (ib_suite_parse(lab.registry, json_of(suite_text), "test", &suite,
                       &lab.err) ||
        ib_plan_make(suite, &lab.env, &plan, &lab.err) ||
        ib_run_plan(plan, &lab.env, &options, NULL, &lab.err))
        fail_msg("%s", lab.err.text);
    return 0;
}

static int lab_teardown(void **state)
{
    (void)state;
    ib_plan_free(plan);
    ib_suite_free(suite);
    lab_close(&lab);
    return 0;
}

static void attacks_with_the_same_prior_share_its_samples(void **state)
{
    (void)state;
    assert_int_equal(plan->n_priors, 1);
    assert_string_equal(plan->nodes[plan->priors[0].sample_node].label,
                        "sample pca/a/s1");
    assert_int_equal(plan->nodes[plan->priors[0].sample_node].outcome, IB_DONE);
}

static void the_nearest_image_is_one_that_the_prior_has_seen(void **state)
{
    const struct ib_prior_cell *c = &plan->priors[0];
    size_t d = (size_t)LAB_SIZE * LAB_SIZE;
    struct ib_open_data data;
    struct ib_public_parts parts;
    struct ib_artifact a;
    const cJSON *nearest;

    (void)state;
    assert_int_equal(ib_store_get(lab.env.store,
                                  plan->nodes[c->sample_node].key, &a,
                                  &lab.err),
                     IB_OK);
    assert_int_equal(ib_data_open(&lab.env, plan->nodes[plan->data_node[0]].key,
                                  &data, &lab.err),
                     IB_OK);
    assert_int_equal(
        ib_public_split(&data.set.split[IB_PUBLIC], 1, &parts, &lab.err),
        IB_OK);
    assert_int_equal(a.size, 160 * d);
    nearest = ib_at(ib_at(a.meta, "sample"), "nearest");
    assert_int_equal(cJSON_GetArraySize(nearest), 160);
    for (int i = 0; i < 160; i += 40) {
        const struct ib_rows x = {.n = 160, .bytes = a.data};
        const struct ib_rows y = {.n = parts.seen.n,
                                  .bytes = parts.seen.pixels};
        size_t best = 0;

        for (size_t j = 1; j < y.n; j++)
            if (ib_rows_distance2(d, &x, (size_t)i, &y, j) <
                ib_rows_distance2(d, &x, (size_t)i, &y, best))
                best = j;
        assert_int_equal(cJSON_GetArrayItem(nearest, i)->valueint,
                         parts.seen_index[best]);
    }
    ib_public_parts_free(&parts);
    ib_data_close(&data);
    ib_artifact_free(&a);
}

static void results_tell_of_priors(void **state)
{
    cJSON *results = NULL, *schema = NULL;
    struct schema_check c = {0};
    const cJSON *prior;

    (void)state;
    if (ib_results_make(plan, &lab.env, &results, &lab.err) ||
        ib_json_read("results/results.schema.json", &schema, &lab.err))
        fail_msg("%s", lab.err.text);
    c.root = schema;
    if (!schema_valid(&c, schema, results, "$"))
        fail_msg("%s", c.why);
    prior = cJSON_GetArrayItem(ib_at(results, "priors"), 0);
    assert_int_equal(cJSON_GetArraySize(ib_at(results, "priors")), 1);
    assert_int_equal(cJSON_GetArraySize(ib_at(prior, "attacks")), 2);
    assert_string_equal(ib_at_text(ib_at(prior, "sample"), "evaluator"), "c");
    assert_float_equal(ib_at_number(ib_at(prior, "numbers"), "components"), 4,
                       0);
    assert_float_equal(ib_at_number(ib_at(prior, "sample"), "seen"), 340, 0);
    /* every member is missed */
    for (const cJSON *m = prior->child; m; m = m->next) {
        cJSON *cut = cJSON_Duplicate(results, true);

        cJSON_DeleteItemFromObject(cJSON_GetArrayItem(ib_at(cut, "priors"), 0),
                                   m->string);
        c = (struct schema_check){.root = schema};
        assert_false(schema_valid(&c, schema, cut, "$"));
        cJSON_Delete(cut);
    }
    cJSON_Delete(results);
    cJSON_Delete(schema);
}

static void a_prior_that_learns_nothing_can_be_sampled_too(void **state)
{
    int node = -1;
    const struct ib_plan_node *n;

    (void)state;
    assert_int_equal(ib_plan_sample(plan, 2, &node, &lab.err), IB_OK);
    n = &plan->nodes[node];
    assert_string_equal(n->label, "sample pixels/p/s1");
    assert_int_equal(n->n_inputs, 2);
    assert_int_equal(ib_stage_sample(&lab.env, n->spec, n->key, &lab.err),
                     IB_OK);
    assert_true(ib_store_has(lab.env.store, n->key));
    /* the plan has that of cell 0 already */
    assert_int_equal(ib_plan_sample(plan, 0, &node, &lab.err), IB_OK);
    assert_int_equal(node, plan->priors[0].sample_node);
}

static void a_sheet_shows_them(void **state)
{
    const struct ib_sample_sheet sheet = {
        .sample_key = plan->nodes[plan->priors[0].sample_node].key,
        .data_key = plan->nodes[plan->data_node[0]].key,
        .n = 10,
        .title = "pca"};
    char path[PATH_MAX + 16];
    struct ib_picture p;

    (void)state;
    snprintf(path, sizeof(path), "%s/sheet.png", lab.dir);
    assert_int_equal(ib_sample_sheet(&lab.env, &sheet, path, &lab.err), IB_OK);
    assert_int_equal(ib_picture_read(path, &p, &lab.err), IB_OK);
    assert_int_equal(p.shape.w, 2 * 8 + 8 * 96 + 7 * 4);
    assert_true(p.shape.h > 3 * 96);
    ib_picture_free(&p);
}

int main(void)
{
#define T(name)                                                                \
    cmocka_unit_test_setup_teardown(name, bench_setup, bench_teardown)
    const struct CMUnitTest sets[] = {
        T(samples_like_real_images_are_neither_copies_nor_collapsed),
        T(copies_are_found_and_named),
        T(one_mode_is_a_collapse),
        T(noise_is_unlike_rather_than_collapsed),
        T(few_images_give_nulls_with_reasons),
        T(a_blind_evaluator_gives_nulls),
    };
    const struct CMUnitTest runs[] = {
        cmocka_unit_test(attacks_with_the_same_prior_share_its_samples),
        cmocka_unit_test(the_nearest_image_is_one_that_the_prior_has_seen),
        cmocka_unit_test(results_tell_of_priors),
        cmocka_unit_test(a_prior_that_learns_nothing_can_be_sampled_too),
        cmocka_unit_test(a_sheet_shows_them),
    };

    return cmocka_run_group_tests(sets, NULL, NULL) +
           cmocka_run_group_tests(runs, lab_setup, lab_teardown);
}
