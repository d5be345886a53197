/* A heap of ready nodes over the plan's DAG, ordered by critical path. */
#include "run_queue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TRIES_MAX = 3 };

static bool available(const struct ib_plan_node *n)
{
    return n->outcome == IB_CACHED || n->outcome == IB_DONE;
}

/* --- heap --------------------------------------------------------------- */

static bool before(const struct ib_queue *q, int a, int b)
{
    return q->path[a] > q->path[b] || (!(q->path[a] < q->path[b]) && a < b);
}

static void heap_push(struct ib_queue *q, int node)
{
    size_t i = q->n_heap++;

    while (i > 0 && before(q, node, q->heap[(i - 1) / 2])) {
        q->heap[i] = q->heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    q->heap[i] = node;
    q->state[node] = IB_Q_READY;
}

static int heap_pop(struct ib_queue *q)
{
    int top = q->heap[0], last = q->heap[--q->n_heap];
    size_t i = 0, child;

    while ((child = 2 * i + 1) < q->n_heap) {
        if (child + 1 < q->n_heap &&
            before(q, q->heap[child + 1], q->heap[child]))
            child++;
        if (!before(q, q->heap[child], last))
            break;
        q->heap[i] = q->heap[child];
        i = child;
    }
    q->heap[i] = last;
    return top;
}

/* --- graph -------------------------------------------------------------- */

static enum ib_status allocate(struct ib_queue *q, size_t n, size_t edges,
                               struct ib_error *err)
{
    q->class = calloc(n + 1, sizeof(int));
    q->first = calloc(n + 2, sizeof(int));
    q->next = calloc(edges + 1, sizeof(int));
    q->missing = calloc(n + 1, sizeof(int));
    q->path = calloc(n + 1, sizeof(double));
    q->state = calloc(n + 1, 1);
    q->tries = calloc(n + 1, 1);
    q->heap = calloc(n + 1, sizeof(int));
    if (q->class && q->first && q->next && q->missing && q->path && q->state &&
        q->tries && q->heap)
        return IB_OK;
    return ib_error_set(err, IB_E_NOMEM, "run: no memory for %zu nodes", n);
}

/* Compressed rows: counts, then starts, then entries. */
static void link_dependants(struct ib_queue *q)
{
    const struct ib_plan *p = q->plan;

    for (size_t n = 0; n < p->n_nodes; n++)
        for (int i = 0; i < p->nodes[n].n_inputs; i++)
            q->first[p->nodes[n].input[i] + 2]++;
    for (size_t n = 2; n < p->n_nodes + 2; n++)
        q->first[n] += q->first[n - 1];
    for (size_t n = 0; n < p->n_nodes; n++)
        for (int i = 0; i < p->nodes[n].n_inputs; i++)
            q->next[q->first[p->nodes[n].input[i] + 1]++] = (int)n;
}

/* Inputs come before their dependants, so one pass from the end will do. */
static void find_paths(struct ib_queue *q)
{
    for (size_t n = q->plan->n_nodes; n-- > 0;) {
        double longest = 0;

        for (int e = q->first[n]; e < q->first[n + 1]; e++)
            if (q->path[q->next[e]] > longest)
                longest = q->path[q->next[e]];
        q->class[n] = ib_timings_class(q->timings, &q->plan->nodes[n]);
        q->path[n] = longest + ib_timings_estimate(q->timings, q->class[n]);
    }
}

static int count_missing(const struct ib_queue *q, int node)
{
    const struct ib_plan_node *n = &q->plan->nodes[node];
    int missing = 0;

    for (int i = 0; i < n->n_inputs; i++)
        missing += !available(&q->plan->nodes[n->input[i]]);
    return missing;
}

static void open_node(struct ib_queue *q, int node)
{
    q->n_open++;
    q->missing[node] = count_missing(q, node);
    q->state[node] = IB_Q_IDLE;
    if (q->missing[node] == 0)
        heap_push(q, node);
}

static void block(struct ib_plan_node *n, const struct ib_plan_node *by)
{
    if (by->outcome == IB_NOT_APPLICABLE) {
        n->outcome = IB_NOT_APPLICABLE;
        snprintf(n->reason, sizeof(n->reason), "%s", by->reason);
        return;
    }
    n->outcome = IB_BLOCKED;
    if (by->outcome == IB_BLOCKED)
        snprintf(n->reason, sizeof(n->reason), "%s", by->reason);
    else
        snprintf(n->reason, sizeof(n->reason), "needs %s: %s (%.300s)",
                 by->label, ib_outcome_names[by->outcome], by->reason);
}

/* Failures of an earlier run block what needs them from the start. */
static void open_nodes(struct ib_queue *q)
{
    struct ib_plan *p = q->plan;

    for (size_t n = 0; n < p->n_nodes; n++) {
        struct ib_plan_node *node = &p->nodes[n];

        for (int i = 0; i < node->n_inputs; i++) {
            const struct ib_plan_node *input = &p->nodes[node->input[i]];

            if (node->outcome == IB_PENDING && !available(input) &&
                input->outcome != IB_PENDING)
                block(node, input);
        }
        if (node->outcome != IB_PENDING)
            q->state[n] = IB_Q_OVER;
        else if (q->state[n] != IB_Q_UNWANTED)
            open_node(q, (int)n);
    }
}

/* What is wanted needs its inputs. */
static void mark_wanted(struct ib_queue *q, const bool *want)
{
    const struct ib_plan *p = q->plan;

    for (size_t n = 0; n < p->n_nodes; n++)
        q->state[n] = want && !want[n] ? IB_Q_UNWANTED : IB_Q_IDLE;
    for (size_t n = p->n_nodes; n-- > 0;)
        if (q->state[n] == IB_Q_IDLE && !available(&p->nodes[n]))
            for (int i = 0; i < p->nodes[n].n_inputs; i++)
                q->state[p->nodes[n].input[i]] = IB_Q_IDLE;
}

enum ib_status ib_queue_create(struct ib_queue **out, struct ib_plan *plan,
                               struct ib_timings *timings, const bool *want,
                               struct ib_error *err)
{
    struct ib_queue *q = calloc(1, sizeof(*q));
    size_t edges = 0;
    enum ib_status s;

    if (!q)
        return ib_error_set(err, IB_E_NOMEM, "run: no memory");
    q->plan = plan;
    q->timings = timings;
    for (size_t n = 0; n < plan->n_nodes; n++)
        edges += (size_t)plan->nodes[n].n_inputs;
    s = allocate(q, plan->n_nodes, edges, err);
    if (s) {
        ib_queue_free(q);
        return s;
    }
    link_dependants(q);
    find_paths(q);
    mark_wanted(q, want);
    open_nodes(q);
    *out = q;
    return IB_OK;
}

void ib_queue_free(struct ib_queue *q)
{
    if (!q)
        return;
    free(q->class);
    free(q->first);
    free(q->next);
    free(q->missing);
    free(q->path);
    free(q->state);
    free(q->tries);
    free(q->heap);
    free(q);
}

double ib_queue_seconds(const struct ib_queue *q)
{
    double sum = 0;

    for (size_t n = 0; n < q->plan->n_nodes; n++)
        if (q->state[n] != IB_Q_OVER && q->state[n] != IB_Q_UNWANTED)
            sum += ib_timings_estimate(q->timings, q->class[n]);
    return sum;
}

/* --- taking and finishing ----------------------------------------------- */

static bool in_chain(const int *chain, int n, int node)
{
    for (int i = 0; i < n; i++)
        if (chain[i] == node)
            return true;
    return false;
}

/* Could node run right after this chain? Only what is quick rides along. */
static bool rides(const struct ib_queue *q, int node, const int *chain, int n)
{
    const struct ib_plan_node *p = &q->plan->nodes[node];
    int missing = q->missing[node];

    if (q->state[node] != IB_Q_IDLE ||
        (p->kind != IB_NODE_SCORE && p->kind != IB_NODE_UTILITY))
        return false;
    for (int i = 0; i < p->n_inputs; i++)
        missing -= in_chain(chain, n, p->input[i]);
    return missing == 0;
}

int ib_queue_take(struct ib_queue *q, int *chain, int max)
{
    int n = 0;

    if (q->n_heap == 0)
        return 0;
    chain[n++] = heap_pop(q);
    q->state[chain[0]] = IB_Q_RUNNING;
    for (int e = q->first[chain[0]]; e < q->first[chain[0] + 1]; e++)
        if (n < max && rides(q, q->next[e], chain, n)) {
            chain[n] = q->next[e];
            q->state[chain[n++]] = IB_Q_RUNNING;
        }
    return n;
}

void ib_queue_put_back(struct ib_queue *q, int node)
{
    if (q->state[node] != IB_Q_RUNNING)
        return;
    q->state[node] = IB_Q_IDLE;
    q->missing[node] = count_missing(q, node);
    if (q->missing[node] == 0)
        heap_push(q, node);
}

static void release(struct ib_queue *q, int node)
{
    if (q->state[node] == IB_Q_OVER)
        return;
    q->state[node] = IB_Q_OVER;
    q->n_open--;
}

void ib_queue_finish(struct ib_queue *q, int node, ib_queue_over over,
                     void *ctx)
{
    const struct ib_plan_node *done = &q->plan->nodes[node];

    release(q, node);
    over(ctx, node);
    for (int e = q->first[node]; e < q->first[node + 1]; e++) {
        int d = q->next[e];

        if (q->plan->nodes[d].outcome != IB_PENDING ||
            q->state[d] == IB_Q_UNWANTED || q->state[d] == IB_Q_READY)
            continue;
        if (!available(done)) {
            block(&q->plan->nodes[d], done);
            ib_queue_finish(q, d, over, ctx);
        } else if (q->state[d] == IB_Q_IDLE && --q->missing[d] == 0) {
            heap_push(q, d);
        }
    }
}

void ib_queue_settle(struct ib_queue *q)
{
    struct ib_plan *p = q->plan;

    for (size_t n = 0; n < p->n_nodes; n++) {
        struct ib_plan_node *node = &p->nodes[n];
        const struct ib_plan_node *by = NULL;

        for (int i = 0; i < node->n_inputs && !by; i++)
            if (!available(&p->nodes[node->input[i]]))
                by = &p->nodes[node->input[i]];
        if (by && by->outcome != IB_PENDING &&
            (node->outcome == IB_BLOCKED || node->outcome == IB_NOT_APPLICABLE))
            block(node, by);
    }
}

/* --- what went missing --------------------------------------------------- */

/* An input that the store lost; its own inputs first. Others that wait for it
 * notice when they fail in their turn. */
static void reopen(struct ib_queue *q, int node, const struct ib_store *store)
{
    struct ib_plan_node *n = &q->plan->nodes[node];

    if (!available(n) || ib_store_has(store, n->key))
        return;
    for (int i = 0; i < n->n_inputs; i++)
        reopen(q, n->input[i], store);
    n->outcome = IB_PENDING;
    for (int e = q->first[node]; e < q->first[node + 1]; e++)
        if (q->state[q->next[e]] == IB_Q_IDLE)
            q->missing[q->next[e]]++;
    open_node(q, node);
}

/* Is the artifact whole? A get moves it away where it is not. */
static bool whole(struct ib_store *store, const struct ib_plan_node *n)
{
    struct ib_artifact a;
    struct ib_error ignored;
    bool ok = ib_store_get(store, n->key, &a, &ignored) == IB_OK;

    ib_artifact_free(&a);
    return ok;
}

bool ib_queue_revive(struct ib_queue *q, int node, struct ib_store *store)
{
    struct ib_plan_node *n = &q->plan->nodes[node];
    bool lost = false;

    if (q->tries[node] == TRIES_MAX)
        return false;
    for (int i = 0; i < n->n_inputs; i++) {
        const struct ib_plan_node *input = &q->plan->nodes[n->input[i]];

        lost = lost || input->outcome == IB_PENDING ||
               (available(input) && !ib_store_has(store, input->key));
    }
    for (int i = 0; i < n->n_inputs && lost; i++)
        if (!whole(store, &q->plan->nodes[n->input[i]]))
            reopen(q, n->input[i], store);
    if (!lost)
        return false;
    q->tries[node]++;
    n->outcome = IB_PENDING;
    ib_queue_put_back(q, node);
    return true;
}
