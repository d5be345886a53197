/*
 * Label only: no score leaves, just the answered label as a one-hot vector.
 *
 * The baseline defense of label-only attacks (Kahla et al., "Label-Only Model
 * Inversion Attacks via Boundary Repulsion", CVPR 2022). Each row gets the
 * label of that row: one-hot vectors of other rows of a batch never mix in.
 *
 * The label is the stack's: the undefended one unless a defense before this
 * one changed it.
 */
#include <invbench/defense.h>

static void label_only_respond(const void *options, struct ib_response *r)
{
    (void)options;
    r->label_only = true;
    for (int i = 0; i < r->classes; i++)
        r->scores[i] = i == r->label ? 1.0f : 0.0f;
}

const struct ib_defense ib_defense_label_only = {
    .plugin = {.kind = IB_KIND_DEFENSE,
               .name = "label-only",
               .summary = "lets only the label out, as a one-hot vector",
               .citation = "Kahla, Chen, Just, Jia, Label-Only Model "
                           "Inversion Attacks via Boundary Repulsion, CVPR "
                           "2022",
               .license = "MIT",
               .version = "1"},
    .stage = IB_STAGE_RESPOND,
    .adaptive = "label-only attacks by boundary distance (BREP-MI)",
    .respond = label_only_respond,
};
