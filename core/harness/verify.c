/* Computing what was drawn, then holding it against the entry. */
#include "verify.h"

#include <stdlib.h>
#include <string.h>

const char *const ib_verdict_names[] = {"verified", "refuted", "inconclusive"};

enum ib_status ib_verify_data(struct ib_verify *v, struct ib_error *err)
{
    struct ib_diff d = {
        .file = IB_ENTRY_FILE, .here = "the data here", .f = &v->f};
    cJSON *files = NULL;
    enum ib_status s = ib_plan_files(v->session->plan, &files, err);

    if (!s)
        ib_json_diff(&d, files,
                     ib_at(ib_at(v->entry->manifest, "data"), "files"),
                     "data.files");
    cJSON_Delete(files);
    return s;
}

/* What a drawn cell's numbers stand beside: its seed's evaluators and its
 * model's controls; its own utility. */
static void want_around(const struct ib_verify *v, const struct ib_cell *c,
                        bool *want)
{
    const struct ib_plan *p = v->session->plan;

    /* the frame of the results names the data of every seed */
    for (int i = 0; i < p->suite->n_seeds; i++)
        want[p->data_node[i]] = true;
    if (c->attack_node >= 0)
        want[c->attack_node] = want[c->score_node] = true;
    if (c->utility_node >= 0)
        want[c->utility_node] = true;
    for (size_t i = 0; i < p->n_controls; i++) {
        const struct ib_control_cell *k = &p->controls[i];
        if (k->seed == c->seed && k->model == c->model && !k->reason)
            want[k->recon_node] = want[k->score_node] = true;
    }
    for (size_t i = 0; i < p->n_evaluators; i++)
        if (p->evaluators[i].seed == c->seed)
            want[p->evaluators[i].model_node] =
                want[p->evaluators[i].utility_node] = true;
}

/* A drawn attack is run again, whatever the store holds. */
static void ask_anew(struct ib_verify *v, const bool *want)
{
    struct ib_plan *p = v->session->plan;

    for (size_t i = 0; i < p->n_cells; i++) {
        const struct ib_cell *c = &p->cells[i];
        if (!v->drawn[i] || c->attack_node < 0)
            continue;
        p->nodes[c->attack_node].outcome = IB_PENDING;
        p->nodes[c->score_node].outcome = IB_PENDING;
    }
    for (size_t i = 0; i < p->n_nodes; i++)
        v->reused += (!want || want[i]) && p->nodes[i].outcome == IB_CACHED;
}

struct making {
    struct ib_verify *v;
    cJSON *own;
};

static enum ib_status make(void *ctx, struct ib_error *err)
{
    struct making *m = ctx;
    const struct ib_session *s = m->v->session;

    cJSON_Delete(m->own);
    m->own = NULL;
    return ib_results_make(s->plan, &s->env, &m->own, err);
}

static bool any(const bool *which, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (which[i])
            return true;
    return false;
}

/* Bit for bit; pictures that differ are scored as they are, so that the
 * verdict tells whether the numbers are theirs. */
static enum ib_status compare_bits(struct ib_verify *v, cJSON *own,
                                   bool *stopped, struct ib_error *err)
{
    size_t n = v->session->plan->n_cells;
    bool *differ = calloc(n + 1, sizeof *differ);
    enum ib_status s = IB_E_NOMEM;

    if (!differ)
        return ib_error_set(err, s, "no memory to compare");
    ib_verify_results(v, own);
    s = ib_verify_pictures(v, differ, err);
    if (!s && v->all)
        s = ib_verify_sheets(v, err);
    if (!s && any(differ, n))
        s = ib_verify_rescore(v, differ, stopped, err);
    free(differ);
    return s;
}

static enum ib_status compare_equivalence(struct ib_verify *v, cJSON *own,
                                          bool *stopped, struct ib_error *err)
{
    enum ib_status s;

    ib_verify_results(v, own);
    s = ib_verify_rescore(v, v->drawn, stopped, err);
    return s || *stopped ? s : ib_verify_equivalence(v, own, err);
}

static enum ib_verdict verdict_of(const struct ib_verify *v)
{
    if (v->f.n > 0)
        return IB_REFUTED;
    if (v->entry->same_numerics)
        return IB_VERIFIED;
    for (size_t i = 0; i < v->n_equivalence; i++)
        if (v->equivalence[i].verdict != IB_VERIFIED)
            return IB_INCONCLUSIVE;
    return v->n_equivalence ? IB_VERIFIED : IB_INCONCLUSIVE;
}

static enum ib_status compute(struct ib_verify *v, const bool *want,
                              bool *stopped, struct ib_error *err)
{
    struct ib_session *s = v->session;
    struct making m = {.v = v};
    enum ib_status status;

    ask_anew(v, want);
    s->options.want = want;
    status = ib_session_run(s, stopped, make, &m, err);
    s->options.want = NULL;
    for (size_t i = 0; i < s->plan->n_nodes; i++)
        v->computed += s->plan->nodes[i].outcome == IB_DONE;
    if (!status && !*stopped)
        status = v->entry->same_numerics
                     ? compare_bits(v, m.own, stopped, err)
                     : compare_equivalence(v, m.own, stopped, err);
    if (!status && v->f.failed)
        status = ib_error_set(err, IB_E_NOMEM, "no memory for findings");
    v->verdict = verdict_of(v);
    cJSON_Delete(m.own);
    return status;
}

enum ib_status ib_verify_run(struct ib_verify *v, bool *stopped,
                             struct ib_error *err)
{
    const struct ib_plan *p = v->session->plan;
    bool *want = NULL;
    enum ib_status s;

    if (!v->all) {
        want = calloc(p->n_nodes + 1, sizeof *want);
        if (!want)
            return ib_error_set(err, IB_E_NOMEM, "no memory to verify");
        for (size_t i = 0; i < p->n_cells; i++)
            if (v->drawn[i])
                want_around(v, &p->cells[i], want);
    }
    s = compute(v, want, stopped, err);
    free(want);
    return s;
}

void ib_verify_free(struct ib_verify *v)
{
    free(v->drawn);
    free(v->equivalence);
    ib_findings_free(&v->f);
    memset(v, 0, sizeof *v);
}
