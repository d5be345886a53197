/*
 * Reverse sigmoid: an example of a defense from outside the tree.
 *
 *   make -C examples
 *   ./invbench describe defense reverse-sigmoid \
 *       --plugin build/examples/reverse_sigmoid.so
 *
 * Lee, Edwards, Molloy, Su, "Defending Against Neural Network Model Stealing
 * Attacks Using Deceptive Perturbations", IEEE S&P Workshops 2019. Each score p
 * becomes p - beta * (sigmoid(gamma * logit(p)) - 1/2), clipped to [0, 1], and
 * the row is scaled to sum to 1. Defaults as there: beta 1, gamma 0.1.
 *
 * The largest score need not stay the largest; at beta = gamma = 1 every row
 * becomes uniform. The label is left as it is: at access level labels this
 * defense changes nothing.
 */

/* Everything that a plugin may use is declared in this one header (or in the
 * single headers that it includes). */
#include <invbench/invbench.h>

/* 1. Options: a struct, and a table that says how suites set it. The harness
 *    parses, checks ranges, documents and echoes them; respond() gets a struct
 *    that is already valid. */
struct reverse_options {
    double beta, gamma;
};

static const struct ib_option reverse_table[] = {
    {.name = "beta",
     .type = IB_REAL,
     .value = "1", /* the default, as text */
     .min = 0,
     .max = 10,
     .offset = offsetof(struct reverse_options, beta),
     .help = "size of the perturbation"},
    {.name = "gamma",
     .type = IB_REAL,
     .value = "0.1",
     .min = 0,
     .max = 100,
     .offset = offsetof(struct reverse_options, gamma),
     .help = "how fast it grows with the score's logit"},
    {0}, /* ends the table */
};

/* 2. The work: one answer on its way out, changed in place. It must depend on
 *    this row alone (and, if it is stochastic, on r->rng). ib_exp and ib_log
 *    instead of libm's keep results the same on every machine. */
static double reverse_one(const struct reverse_options *o, double p)
{
    const double edge = 1e-9;
    double q = p < edge ? edge : p > 1 - edge ? 1 - edge : p;
    double logit = ib_log(q / (1 - q));
    double x = p - o->beta * (1 / (1 + ib_exp(-o->gamma * logit)) - 0.5);

    return x < 0 ? 0 : x > 1 ? 1 : x;
}

static void reverse_respond(const void *options, struct ib_response *r)
{
    const struct reverse_options *o = options;
    double sum = 0;

    for (int i = 0; i < r->classes; i++) {
        r->scores[i] = (float)reverse_one(o, r->scores[i]);
        sum += r->scores[i];
    }
    for (int i = 0; i < r->classes; i++)
        r->scores[i] = (float)(sum > 0 ? r->scores[i] / sum : 1.0 / r->classes);
}

/* 3. The descriptor: who it is, and its hooks. */
static const struct ib_defense reverse_sigmoid = {
    .plugin = {.kind = IB_KIND_DEFENSE,
               .name = "reverse-sigmoid",
               .summary = "bends scores so that they mislead, not the label",
               .citation = "Lee, Edwards, Molloy, Su, Defending Against "
                           "Neural Network Model Stealing Attacks Using "
                           "Deceptive Perturbations, IEEE S&P Workshops 2019",
               .license = "MIT",
               .version = "1",
               .options = reverse_table,
               .options_size = sizeof(struct reverse_options)},
    .stage = IB_STAGE_RESPOND,
    .adaptive = "a score attack that trains on bent answers",
    .respond = reverse_respond,
};

/* 4. The module: what this file brings (it may be several plugins), and the
 *    block by which the harness sees that both were built for each other. The
 *    code hash is empty: the SHA-256 of the .so takes its place, so results of
 *    an edited plugin are never mistaken for those of the old one. */
static const struct ib_plugin *const plugins[] = {&reverse_sigmoid.plugin,
                                                  NULL};

static const struct ib_module module = {
    .magic = IB_MODULE_MAGIC,
    .name = "reverse-sigmoid",
    .version = "1",
    .license = "MIT",
    .summary = "an example of a defense",
    .code_hash = "",
    .plugins = plugins,
};

const struct ib_module *ib_module_entry(void)
{
    return &module;
}
