/*
 * Cells: attack x access level on one model behind one stack. A cell runs, or
 * is skipped with its reason, or bypasses the respond stage and then shares
 * the nodes of the stack without it.
 */
#include <stdio.h>
#include <string.h>

#include "plan_making.h"

enum { REASON_MAX = 512 };

/* "labels", "labels or scores", ... */
static void level_list(unsigned levels, char *out, size_t n)
{
    int left = __builtin_popcount(levels);

    *out = '\0';
    for (int l = 0; l < IB_LEVELS; l++) {
        size_t used = strlen(out);

        if (!(levels & IB_GRANTS(l)))
            continue;
        left--;
        snprintf(out + used, n - used, "%s%s", ib_level_names[l],
                 left > 1    ? ", "
                 : left == 1 ? " or "
                             : "");
    }
}

static const char *skip_reason(struct ib_making *m, unsigned levels,
                               enum ib_level access)
{
    char list[96], text[REASON_MAX];
    bool beyond = levels < IB_GRANTS(access);

    level_list(levels, list, sizeof(list));
    snprintf(text, sizeof(text), "%s %s; the oracle grants %s",
             beyond ? "asks for" : "needs", list, ib_level_names[access]);
    return ib_plan_text(m->b, text);
}

static const char *bypass_reason(struct ib_making *m, enum ib_level access)
{
    const struct ib_stack *stack = &m->suite->defenses[m->defense].stack;
    char text[REASON_MAX];
    const char *comma = "";
    size_t n;

    n = (size_t)snprintf(text, sizeof(text), "%s access bypasses ",
                         ib_level_names[access]);
    for (int i = 0; i < stack->n && n < sizeof(text); i++)
        if (ib_stack_at(stack, i)->stage == IB_STAGE_RESPOND) {
            n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s", comma,
                                  stack->use[i].plugin->name);
            comma = ", ";
        }
    return ib_plan_text(m->b, text);
}

static int add_attack(struct ib_making *m, const struct ib_cell *cell,
                      const char *name)
{
    int inputs[] = {m->target, m->data, IB_PRIOR_UNFITTED};
    const struct ib_plan_node *nodes;

    if (ib_making_prior(m, cell->attack, &inputs[2]))
        return -1;
    nodes = m->b->plan.nodes;
    const struct ib_spec_attack spec = {
        .attack = cell->attack,
        .level = cell->access,
        .seed = ib_making_seed(m),
        .data = ib_making_data_key(m),
        .model = nodes[m->target].key,
        .fitted = inputs[2] >= 0 ? nodes[inputs[2]].key : NULL,
        .respond = cell->access >= IB_GRADIENTS ? m->specs.none
                                                : m->specs.respond[m->defense]};
    char label[160];

    snprintf(label, sizeof(label), "attack %s", name);
    return ib_plan_add(
        m->b,
        &(struct ib_plan_new){.kind = IB_NODE_ATTACK,
                              .spec = ib_spec_attack(m->b, &m->specs, &spec),
                              .label = label,
                              .inputs = inputs,
                              .n_inputs = inputs[2] >= 0 ? 3 : 2},
        m->err);
}

/* attack and score of a cell that runs, or of the one that it points at */
static enum ib_status plan_nodes(struct ib_making *m, struct ib_cell *cell)
{
    char name[140];

    ib_cell_name(&m->b->plan, cell, name, sizeof(name));
    cell->attack_node = add_attack(m, cell, name);
    if (cell->attack_node < 0)
        return m->err->status;
    cell->score_node = ib_making_score(m, cell->attack_node, name);
    return ib_making_status(m, cell->score_node);
}

static enum ib_status plan_cell(struct ib_making *m, int attack,
                                enum ib_level access, int utility)
{
    const struct ib_attack *plugin =
        (const struct ib_attack *)m->suite->attacks[attack].use.plugin;
    struct ib_cell *cell = ib_plan_add_cell(m->b);

    if (!cell)
        return ib_making_no_memory(m);
    *cell = (struct ib_cell){.seed = m->seed,
                             .model = m->model,
                             .defense = m->defense,
                             .attack = attack,
                             .access = access,
                             .plan = IB_CELL_RUN,
                             .attack_node = -1,
                             .score_node = -1,
                             .utility_node = utility};
    if (!(plugin->levels & IB_GRANTS(access))) {
        cell->plan = IB_CELL_SKIP;
        cell->reason = skip_reason(m, plugin->levels, access);
        return cell->reason ? IB_OK : ib_making_no_memory(m);
    }
    if (access >= IB_GRADIENTS &&
        ib_stack_has(&m->suite->defenses[m->defense].stack, IB_STAGE_RESPOND)) {
        cell->plan = IB_CELL_BYPASS;
        cell->reason = bypass_reason(m, access);
        if (!cell->reason)
            return ib_making_no_memory(m);
    }
    return plan_nodes(m, cell);
}

static bool listed(const char *const *ids, const char *id)
{
    if (!ids)
        return true;
    for (; *ids; ids++)
        if (strcmp(*ids, id) == 0)
            return true;
    return false;
}

enum ib_status ib_making_attacks(struct ib_making *m, int utility)
{
    enum ib_status s = IB_OK;

    for (int a = 0; a < m->suite->n_attacks; a++) {
        const struct ib_suite_attack *attack = &m->suite->attacks[a];

        if (!listed(attack->models, m->suite->models[m->model].id) ||
            !listed(attack->defenses, m->suite->defenses[m->defense].id))
            continue;
        for (int level = 0; level < IB_LEVELS && !s; level++)
            if (attack->access & IB_GRANTS(level))
                s = plan_cell(m, a, (enum ib_level)level, utility);
        if (s)
            return s;
    }
    return IB_OK;
}

void ib_cell_name(const struct ib_plan *p, const struct ib_cell *c, char *out,
                  size_t n)
{
    const struct ib_suite *s = p->suite;

    snprintf(out, n, "%s/%s/%s/%s/s%llu", s->models[c->model].id,
             s->defenses[c->defense].id, s->attacks[c->attack].id,
             ib_level_names[c->access], (unsigned long long)s->seeds[c->seed]);
}
