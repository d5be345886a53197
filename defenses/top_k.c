/*
 * Top-k truncation: the k largest scores leave, the others become 0.
 *
 * Common practice of prediction interfaces; evaluated against inversion by
 * Fredrikson et al., CCS 2015 (as coarser answers) and Yang et al., "Neural
 * Network Inversion in Adversarial Setting via Background Knowledge Alignment",
 * CCS 2019 (truncated prediction vectors).
 *
 * Ties go to the lower index, so exactly k scores leave; a NaN never does. With
 * renormalise the row is scaled to sum to 1; by default what leaves is what the
 * model said.
 */
#include <invbench/defense.h>

struct top_k_options {
    int64_t k;
    bool renormalise;
};

static const struct ib_option top_k_table[] = {
    {.name = "k",
     .type = IB_INT,
     .value = "3",
     .min = 1,
     .max = 1000000,
     .unit = "classes",
     .offset = offsetof(struct top_k_options, k),
     .help = "how many of the largest scores leave"},
    {.name = "renormalise",
     .type = IB_BOOL,
     .value = "false",
     .offset = offsetof(struct top_k_options, renormalise),
     .help = "scale the scores that leave to sum to 1"},
    {0},
};

/* Does score j stand before score i in the order of who leaves? */
static bool top_k_before(const float *p, int j, int i)
{
    return p[j] > p[i] || (p[j] == p[i] && j < i);
}

/* The last of the k that leave: each turn finds the next one in order. */
static int top_k_last(const float *p, int classes, int64_t k)
{
    int last = -1;

    for (int64_t turn = 0; turn < k; turn++) {
        int next = -1;
        for (int i = 0; i < classes; i++) {
            if (last >= 0 && (i == last || !top_k_before(p, last, i)))
                continue;
            if (next < 0 || top_k_before(p, i, next))
                next = i;
        }
        last = next;
    }
    return last;
}

static void top_k_respond(const void *options, struct ib_response *r)
{
    const struct top_k_options *o = options;
    float *p = r->scores, edge;
    double sum = 0;
    int last;

    for (int i = 0; i < r->classes; i++)
        p[i] = p[i] == p[i] ? p[i] : 0; /* not a number */
    if (o->k < r->classes) {
        last = top_k_last(p, r->classes, o->k);
        edge = last >= 0 ? p[last] : 0;
        for (int i = 0; i < r->classes; i++)
            if (!(p[i] > edge || (p[i] == edge && i <= last)))
                p[i] = 0;
    }
    for (int i = 0; i < r->classes; i++)
        sum += p[i];
    for (int i = 0; o->renormalise && sum > 0 && i < r->classes; i++)
        p[i] = (float)(p[i] / sum);
}

const struct ib_defense ib_defense_top_k = {
    .plugin = {.kind = IB_KIND_DEFENSE,
               .name = "top-k",
               .summary = "lets only the k largest scores out",
               .citation = "Yang, Zhang, Chang, Liang, Neural Network "
                           "Inversion in Adversarial Setting via Background "
                           "Knowledge Alignment, CCS 2019",
               .license = "MIT",
               .version = "1",
               .options = top_k_table,
               .options_size = sizeof(struct top_k_options)},
    .stage = IB_STAGE_RESPOND,
    .adaptive = "mi-face-blackbox from a start that is already among the k "
                "(mean, or a public image that the target likes)",
    .respond = top_k_respond,
};
