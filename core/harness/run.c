/*
 * Running a plan. The orchestrator starts workers, listens, and decides; it
 * computes nothing itself.
 */
#include "run.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "progress.h"
#include "run_queue.h"
#include "run_worker.h"

enum { JOBS_MAX = 256, TICK_MS = 250 };

struct runner {
    struct ib_plan *plan;
    const struct ib_stage_env *env;
    const struct ib_run_options *options;
    struct ib_worker_setup setup;
    struct ib_timings *timings;
    struct ib_queue *queue;
    struct ib_progress progress;
    struct ib_worker *workers; /* jobs */
    int jobs, threads, running;
    int *first_cell, *next_cell; /* cells by score node; -1 ends */
    size_t cells, cells_over;    /* that are wanted; of those */
    double work;                 /* estimated seconds at the start */
    struct ib_error *err;
};

static bool stopped(const struct runner *r)
{
    return r->options->stop && *r->options->stop;
}

/* --- what is over ------------------------------------------------------- */

static void tell_cell(struct runner *r, size_t cell, const char *how,
                      double seconds)
{
    char name[160], line[1024];

    r->cells_over++;
    ib_cell_name(r->plan, &r->plan->cells[cell], name, sizeof(name));
    if (seconds > 0)
        snprintf(line, sizeof(line), "%zu/%zu %s %s %.1f s", r->cells_over,
                 r->cells, name, how, seconds);
    else
        snprintf(line, sizeof(line), "%zu/%zu %s %s", r->cells_over, r->cells,
                 name, how);
    if (r->progress.console && !r->progress.console->note_tty)
        ib_progress_line(&r->progress, line);
    if (r->options->cell_over)
        r->options->cell_over(r->options->ctx, cell);
}

static bool is_failure(enum ib_outcome o)
{
    return o == IB_FAILED || o == IB_CRASHED || o == IB_TIMEOUT || o == IB_OOM;
}

static void tell_failure(struct runner *r, const struct ib_plan_node *n)
{
    char line[1024];

    snprintf(line, sizeof(line), "%s: %s: %s", n->label,
             ib_outcome_names[n->outcome], n->reason);
    ib_progress_line(&r->progress, line);
}

static double cell_seconds(const struct runner *r, const struct ib_cell *c)
{
    return c->attack_node < 0 ? 0
                              : r->plan->nodes[c->attack_node].seconds +
                                    r->plan->nodes[c->score_node].seconds;
}

/* What became of a cell: of its attack, unless that went well. */
static const char *cell_outcome(const struct runner *r, const struct ib_cell *c)
{
    const struct ib_plan_node *nodes = r->plan->nodes;

    if (is_failure(nodes[c->attack_node].outcome))
        return ib_outcome_names[nodes[c->attack_node].outcome];
    return ib_outcome_names[nodes[c->score_node].outcome];
}

static void node_over(void *ctx, int node)
{
    struct runner *r = ctx;
    const struct ib_plan_node *n = &r->plan->nodes[node];

    if (is_failure(n->outcome))
        tell_failure(r, n);
    for (int c = r->first_cell[node]; c >= 0; c = r->next_cell[c])
        tell_cell(r, (size_t)c, cell_outcome(r, &r->plan->cells[c]),
                  cell_seconds(r, &r->plan->cells[c]));
}

/* Cells that are over before anything ran. */
static void count_early(struct runner *r)
{
    const struct ib_plan *p = r->plan;
    size_t skipped = 0;
    char line[128];

    for (size_t c = 0; c < p->n_cells; c++) {
        int node = p->cells[c].score_node;

        skipped += node < 0;
        if (node >= 0 && r->queue->state[node] == IB_Q_UNWANTED)
            continue;
        r->cells++;
        if (node < 0 || r->queue->state[node] == IB_Q_OVER)
            r->cells_over++;
    }
    snprintf(line, sizeof(line),
             "%zu cell%s: %zu to run, %zu there already, %zu skipped", r->cells,
             r->cells == 1 ? "" : "s", r->cells - r->cells_over,
             r->cells_over - skipped, skipped);
    if (r->cells > 0)
        ib_progress_line(&r->progress, line);
}

/* Cells by their score node. */
static enum ib_status index_cells(struct runner *r)
{
    const struct ib_plan *p = r->plan;

    r->first_cell = malloc((p->n_nodes + 1) * sizeof(int));
    r->next_cell = malloc((p->n_cells + 1) * sizeof(int));
    if (!r->first_cell || !r->next_cell)
        return ib_error_set(r->err, IB_E_NOMEM, "run: no memory");
    for (size_t n = 0; n < p->n_nodes; n++)
        r->first_cell[n] = -1;
    for (size_t c = p->n_cells; c-- > 0;) {
        int node = p->cells[c].score_node;

        if (node >= 0) {
            r->next_cell[c] = r->first_cell[node];
            r->first_cell[node] = (int)c;
        }
    }
    count_early(r);
    return IB_OK;
}

/* --- one worker --------------------------------------------------------- */

static int chain_place(const struct ib_worker *w, const struct ib_plan *p,
                       const char *key)
{
    for (int i = 0; i < w->n_chain; i++)
        if (strcmp(p->nodes[w->chain[i]].key, key) == 0)
            return i;
    return -1;
}

static void node_failed(struct runner *r, int node, enum ib_outcome outcome,
                        const char *reason)
{
    struct ib_plan_node *n = &r->plan->nodes[node];

    if (ib_queue_revive(r->queue, node, r->env->store)) {
        char line[1024];

        snprintf(line, sizeof(line), "%s again: %s", n->label, reason);
        ib_progress_line(&r->progress, line);
        return;
    }
    n->outcome = outcome;
    snprintf(n->reason, sizeof(n->reason), "%s", reason);
    ib_queue_finish(r->queue, node, node_over, r);
}

static double number(const cJSON *line, const char *name)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(line, name);

    return cJSON_IsNumber(v) ? v->valuedouble : 0;
}

static const char *string(const cJSON *line, const char *name)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(line, name);

    return cJSON_IsString(v) ? v->valuestring : "";
}

/* Did the store refuse, whatever was to go there? */
static bool is_of_store(const struct runner *r, const char *reason)
{
    char start[PATH_MAX + 16];

    snprintf(start, sizeof(start), "store %s: ", r->setup.store);
    return strstr(reason, start) != NULL;
}

static void node_result(struct runner *r, struct ib_worker *w, int place,
                        const cJSON *line)
{
    int node = w->chain[place];
    struct ib_plan_node *n = &r->plan->nodes[node];
    const char *status = string(line, "status");
    char reason[512];

    if (r->queue->state[node] != IB_Q_RUNNING)
        return;
    n->seconds = number(line, "seconds");
    n->peak_mib = number(line, "peak_mib");
    w->started = ib_now();
    w->share = 0;
    if (strcmp(status, "ok") != 0) {
        enum ib_outcome o = ib_message_verdict(status, string(line, "text"),
                                               reason, sizeof(reason));
        n->no_store = strcmp(status, ib_status_name(IB_E_IO)) == 0 &&
                      is_of_store(r, reason);
        node_failed(r, node, o, reason);
        return;
    }
    n->outcome = IB_DONE;
    ib_timings_note(r->timings, r->queue->class[node], n -> seconds,
                    n -> peak_mib);
    ib_queue_finish(r->queue, node, node_over, r);
}

/* {"begin": key} | {"progress": share} | {"key", "status", ...} */
static void worker_line(struct runner *r, struct ib_worker *w,
                        const cJSON *line)
{
    int begun = chain_place(w, r->plan, string(line, "begin"));
    int ended = chain_place(w, r->plan, string(line, "key"));

    if (begun >= 0) {
        w->at = begun;
        w->started = ib_now();
    } else if (ended >= 0) {
        node_result(r, w, ended, line);
        w->at = ended + 1;
    } else {
        w->share = number(line, "progress");
    }
}

static void worker_read(struct runner *r, struct ib_worker *w)
{
    cJSON *line;

    while (ib_worker_line(w, &line)) {
        worker_line(r, w, line);
        cJSON_Delete(line);
    }
}

/* The verdict is on what it was computing; the rest of its chain is ready
 * again, or blocked by then. */
static void worker_over(struct runner *r, struct ib_worker *w, int status)
{
    char reason[512];
    enum ib_outcome o = ib_worker_verdict(w, status, r->setup.cpu_limit, reason,
                                          sizeof(reason));

    r->running--;
    worker_read(r, w);
    if (w->at < w->n_chain &&
        r->queue->state[w->chain[w->at]] == IB_Q_RUNNING) {
        if (w->n_words > 0 && r->progress.console) {
            ib_progress_end(&r->progress);
            ib_console_note(r->progress.console, "%.*s\n", (int)w->n_words,
                            w->words);
        }
        node_failed(r, w->chain[w->at], o, reason);
    }
    for (int i = 0; i < w->n_chain; i++)
        ib_queue_put_back(r->queue, w->chain[i]);
    ib_worker_clear(w);
}

/* Threads of the next worker. Results do not depend on it. */
static int spare_threads(const struct runner *r)
{
    int wanted = (int)r->queue->n_heap;

    if (r->threads > 0)
        return r->threads;
    for (int i = 0; i < r->jobs; i++)
        wanted += ib_worker_busy(&r->workers[i]);
    return wanted < r->jobs ? r->jobs / wanted : 1;
}

static enum ib_status start_workers(struct runner *r)
{
    for (int i = 0; i < r->jobs && r->queue->n_heap > 0; i++) {
        struct ib_worker *w = &r->workers[i];
        enum ib_status s;

        if (w->pid > 0)
            continue;
        r->setup.threads = spare_threads(r);
        w->n_chain = ib_queue_take(r->queue, w->chain, IB_CHAIN_MAX);
        s = ib_worker_start(w, &r->setup, r->plan, r->err);
        if (s)
            return s;
        r->running++;
    }
    return IB_OK;
}

/* --- the loop ----------------------------------------------------------- */

static void draw(struct runner *r)
{
    struct ib_progress_state s = {
        .now = ib_now(), .cells = r->cells, .cells_over = r->cells_over};
    char running[256] = "";
    size_t n = 0;

    if (!r->progress.console || !r->progress.console->note_tty)
        return;
    s.left = ib_queue_seconds(r->queue);
    for (int i = 0; i < r->jobs && n < sizeof(running); i++) {
        const struct ib_worker *w = &r->workers[i];
        const struct ib_plan_node *node;

        if (w->pid <= 0 || w->at >= w->n_chain)
            continue;
        node = &r->plan->nodes[w->chain[w->at]];
        n += (size_t)snprintf(running + n, sizeof(running) - n, "%s%s",
                              n ? ", " : "", node->label);
        if (w->share > 0 && n < sizeof(running))
            n += (size_t)snprintf(running + n, sizeof(running) - n, " %.0f %%",
                                  100 * w->share);
        double whole =
            ib_timings_estimate(r->timings, r->queue->class[w->chain[w->at]]);
        double gone = w->share > 0 ? w->share * whole : s.now - w->started;

        s.left -= gone < whole ? gone : whole;
    }
    s.share =
        r->work > 0 ? 1 - s.left / (r->work > s.left ? r->work : s.left) : 1;
    s.left /= r->jobs;
    s.running = running;
    ib_progress_draw(&r->progress, &s);
}

static void wait_for_news(struct runner *r)
{
    struct pollfd fds[2 * JOBS_MAX];
    nfds_t n = 0;

    for (int i = 0; i < r->jobs; i++)
        if (r->workers[i].pid > 0) {
            fds[n++] = (struct pollfd){.fd = r->workers[i].result_fd,
                                       .events = POLLIN};
            fds[n++] =
                (struct pollfd){.fd = r->workers[i].error_fd, .events = POLLIN};
        }
    /* A pipe at its end is always ready: the worker is about to be reaped. */
    if (poll(fds, n, TICK_MS) > 0)
        for (nfds_t i = 0; i < n; i++)
            if ((fds[i].revents & (POLLHUP | POLLIN)) == POLLHUP) {
                poll(NULL, 0, 1);
                break;
            }
}

static void hear_workers(struct runner *r)
{
    double now = ib_now();

    for (int i = 0; i < r->jobs; i++) {
        struct ib_worker *w = &r->workers[i];
        int status;

        if (w->pid <= 0)
            continue;
        ib_worker_listen(w);
        worker_read(r, w);
        if (now > w->deadline && !w->late) {
            w->late = true;
            ib_worker_kill(w);
        }
        if (ib_worker_ended(w, &status))
            worker_over(r, w, status);
    }
}

/* Nothing of a stopped run is lost: what was stored stays. */
static void kill_workers(struct runner *r)
{
    for (int i = 0; i < r->jobs; i++) {
        struct ib_worker *w = &r->workers[i];
        int status;

        if (w->pid <= 0)
            continue;
        ib_worker_kill(w);
        while (!ib_worker_ended(w, &status))
            poll(NULL, 0, 2);
        ib_worker_clear(w);
    }
}

static enum ib_status loop(struct runner *r)
{
    enum ib_status s = IB_OK;

    while (!s && !stopped(r) && r->queue->n_open > 0) {
        s = start_workers(r);
        if (s)
            break;
        if (r->running == 0)
            return ib_error_set(r->err, IB_E_INTERNAL,
                                "run: %zu artifacts are open and none is ready",
                                r->queue->n_open);
        draw(r);
        wait_for_news(r);
        hear_workers(r);
    }
    kill_workers(r);
    return s;
}

/* Nothing is computed for a store that cannot take it. */
static enum ib_status check_store(const struct runner *r)
{
    size_t n = r->queue->n_open;
    enum ib_status s = n ? ib_store_probe(r->env->store, r->err) : IB_OK;

    if (s)
        ib_error_prefix(r->err,
                        "%zu artifacts are to be computed (give another "
                        "--store DIR)",
                        n);
    return s;
}

static void set_up(struct runner *r)
{
    const struct ib_run_options *o = r->options;

    r->threads = o->threads;
    r->jobs = o->jobs < 1 ? 1 : o->jobs > JOBS_MAX ? JOBS_MAX : o->jobs;
    r->setup = (struct ib_worker_setup){
        .program = r->env->program ? r->env->program : "/proc/self/exe",
        .store = ib_store_dir(r->env->store),
        .data_dir = r->env->data_dir,
        .modules =
            r->env->registry ? ib_registry_modules(r->env->registry) : NULL,
        .cpu_limit = o->cpu_limit > 0 ? o->cpu_limit : 3600,
        .memory_limit = o->memory_limit ? o->memory_limit : (size_t)4 << 30};
}

enum ib_status ib_run_plan(struct ib_plan *plan, const struct ib_stage_env *env,
                           const struct ib_run_options *options,
                           const struct ib_console *console,
                           struct ib_error *err)
{
    struct runner r = {.plan = plan,
                       .env = env,
                       .options = options,
                       .progress = {.console = console},
                       .err = err};
    enum ib_status s;

    set_up(&r);
    r.workers = calloc((size_t)r.jobs, sizeof(*r.workers));
    r.timings = ib_timings_open(r.setup.store);
    if (!r.workers || !r.timings) {
        s = ib_error_set(err, IB_E_NOMEM, "run: no memory");
        goto done;
    }
    s = ib_queue_create(&r.queue, plan, r.timings, options->want, err);
    if (!s)
        s = index_cells(&r);
    if (s)
        goto done;
    s = check_store(&r);
    if (s)
        goto done;
    r.work = ib_queue_seconds(r.queue);
    s = loop(&r);
    ib_queue_settle(r.queue);
    ib_progress_end(&r.progress);
    ib_timings_save(r.timings, r.setup.store);
done:
    ib_queue_free(r.queue);
    ib_timings_free(r.timings);
    free(r.workers);
    free(r.first_cell);
    free(r.next_cell);
    return s;
}
