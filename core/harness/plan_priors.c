/* What priors learn: one node for all attacks that use the same prior. */
#include <stdio.h>

#include "plan_making.h"

enum ib_status ib_making_prior(struct ib_making *m, int attack, int *node)
{
    const struct ib_suite_attack *a = &m->suite->attacks[attack];
    const struct ib_prior *prior = (const struct ib_prior *)a->prior.plugin;
    char label[160];

    if (m->prior[attack] == IB_PRIOR_UNKNOWN && !prior->fitted)
        m->prior[attack] = IB_PRIOR_UNFITTED;
    if (m->prior[attack] == IB_PRIOR_UNKNOWN) {
        snprintf(label, sizeof(label), "prior %s/%s/%s", prior->plugin.name,
                 a->id, m->s);
        *node = ib_plan_add(
            m->b,
            &(struct ib_plan_new){
                .kind = IB_NODE_PRIOR,
                .spec = ib_spec_prior(m->b, m->specs.priors[attack],
                                      ib_making_seed(m), ib_making_data_key(m)),
                .label = label,
                .inputs = &m->data,
                .n_inputs = 1},
            m->err);
        if (*node < 0)
            return m->err->status;
        m->prior[attack] = *node;
    }
    *node = m->prior[attack];
    return IB_OK;
}
