/*
 * How often `invbench compare --fail leakage:+0.02` gives a false alarm, and
 * how often it catches a stack that leaks more: by resampling the people's
 * scores that runs have stored (the files of bench/gate.sh; make gate). Slow:
 * apart from the tests, quoted in docs/comparing.md.
 *
 * One experiment draws the seeds of a run from all seeds in the files, with the
 * people under them, and judges each target's line as `compare` does.
 *
 *  - Placebo: one stack under disjoint seeds, paired as they come (without
 *    replacement).
 *  - Power: two stacks under the same seeds (with replacement). The truth is
 *    what all seeds together show.
 *
 * usage: gate ATTACK EXPERIMENTS RESULTS...
 * ATTACK ran on every stack; all files have the same models, evaluators and
 * stacks, other seeds.
 */
#include <math.h>

#include <invbench/rng.h>

#include "compare.h"
#include "gate_pool.h"

enum { RUN = 20, SIZES = 6 };     /* seeds of a run of the suite; of a table */
static const double limit = 0.02; /* of the rule */

/* --- one experiment ------------------------------------------------------- */

static void task_make(const struct pool *p, int seeds,
                      struct ib_leakage_task *t)
{
    *t = (struct ib_leakage_task){.n = p->judges};
    for (int j = 0; j < p->judges; j++) {
        struct ib_leakage_evaluator *e = &t->evaluator[j];
        e->id = p->judge[j];
        e->accuracy = p->judge_accuracy[j];
        e->q = ib_panel_make(seeds, p->people);
        e->ceiling = ib_panel_make(seeds, p->people);
        for (int f = 0; f < IB_FLOORS; f++)
            e->floor[f] = ib_panel_make(seeds, p->people);
    }
}

static void task_free(struct ib_leakage_task *t)
{
    for (int j = 0; j < t->n; j++) {
        struct ib_leakage_evaluator *e = &t->evaluator[j];
        ib_panel_free(&e->q);
        ib_panel_free(&e->ceiling);
        for (int f = 0; f < IB_FLOORS; f++)
            ib_panel_free(&e->floor[f]);
    }
}

static void rows(const struct ib_panel *from, const int *seed,
                 struct ib_panel *to)
{
    for (int i = 0; i < to->seeds; i++)
        memcpy(to->v + i * to->identities, from->v + seed[i] * to->identities,
               (size_t)to->identities * sizeof *to->v);
}

static void task_fill(const struct pool *p, int model, int stack,
                      const int *seed, struct ib_leakage_task *t)
{
    for (int j = 0; j < p->judges; j++) {
        struct ib_leakage_evaluator *e = &t->evaluator[j];
        e->target_accuracy = p->model_accuracy[model];
        rows(&p->score[model][stack][j], seed, &e->q);
        rows(&p->control[model][j][0], seed, &e->ceiling);
        for (int f = 0; f < IB_FLOORS; f++)
            rows(&p->control[model][j][1 + f], seed, &e->floor[f]);
    }
}

struct contest {
    const struct pool *pool;
    int base, fresh, seeds;
    struct ib_leakage_task task[2];
};

/* Does the rule fail the line of a model? */
static bool caught(struct contest *c, int model, const int *seed,
                   const int *seed_fresh, double *rise)
{
    struct ib_interval d;
    struct ib_error err;
    task_fill(c->pool, model, c->base, seed, &c->task[0]);
    task_fill(c->pool, model, c->fresh, seed_fresh, &c->task[1]);
    must(ib_leakage_difference(&c->task[1], &c->task[0], &d, &err), &err);
    *rise = d.value;
    return ib_bound_low(&d, IB_GATE_LEVEL) > limit;
}

static int below(struct ib_rng *rng, int n)
{
    return (int)(ib_rng_uniform(rng) * n);
}

/* n of all seeds into both, the same; or 2 n different ones. */
static void draw(const struct pool *p, struct ib_rng *rng, int n, bool disjoint,
                 int *a, int *b)
{
    int all[SEEDS];
    for (int i = 0; i < p->seeds; i++)
        all[i] = i;
    for (int i = 0; i < (disjoint ? 2 * n : n); i++) {
        int at = disjoint ? i + below(rng, p->seeds - i) : below(rng, p->seeds);
        int x = all[at];
        if (disjoint) {
            all[at] = all[i];
            all[i] = x;
        }
        (i < n ? a : b)[i % n] = x;
    }
    if (!disjoint)
        memcpy(b, a, (size_t)n * sizeof *b);
}

struct rates {
    double line[MODELS], any; /* % */
};

/* only: one model; -1: all. */
static struct rates rates_of(const struct pool *p, int base, int fresh,
                             int seeds, int only, int experiments)
{
    struct contest c = {p, base, fresh, seeds, {{0}}};
    struct ib_rng rng =
        ib_rng_stream((uint64_t)(base * STACKS + fresh), "gate", seeds, "draw");
    struct rates r = {{0}, 0};
    double rise;
    task_make(p, seeds, &c.task[0]);
    task_make(p, seeds, &c.task[1]);
    for (int i = 0; i < experiments; i++) {
        int a[SEEDS], b[SEEDS];
        bool any = false;
        draw(p, &rng, seeds, base == fresh, a, b);
        for (int m = 0; m < p->models; m++) {
            bool hit = (only < 0 || only == m) && caught(&c, m, a, b, &rise);
            r.line[m] += hit;
            any |= hit;
        }
        r.any += any;
    }
    for (int m = 0; m < p->models; m++)
        r.line[m] *= 100.0 / experiments;
    r.any *= 100.0 / experiments;
    task_free(&c.task[0]);
    task_free(&c.task[1]);
    return r;
}

/* What all seeds together show. */
static double true_rise(const struct pool *p, int model, int base, int fresh)
{
    struct contest c = {p, base, fresh, p->seeds, {{0}}};
    int all[SEEDS];
    double rise;
    for (int i = 0; i < p->seeds; i++)
        all[i] = i;
    task_make(p, p->seeds, &c.task[0]);
    task_make(p, p->seeds, &c.task[1]);
    caught(&c, model, all, all, &rise);
    task_free(&c.task[0]);
    task_free(&c.task[1]);
    return rise;
}

/* --- tables --------------------------------------------------------------- */

static void placebo(const struct pool *p, int experiments)
{
    printf("\nplacebo: one stack under %d and %d other seeds; alarms in 100\n",
           RUN, RUN);
    printf("%-24s", "stack");
    for (int m = 0; m < p->models; m++)
        printf(" %9s", p->model[m]);
    printf("  any line\n");
    for (int d = 0; d < p->stacks; d++) {
        struct rates r = rates_of(p, d, d, RUN, -1, experiments);
        printf("%-24s", p->stack[d]);
        for (int m = 0; m < p->models; m++)
            printf(" %9.1f", r.line[m]);
        printf(" %9.1f\n", r.any);
        fflush(stdout);
    }
}

/* One stack after another that leaks more. */
struct step {
    int base, fresh;
    double rise[MODELS];
    struct rates caught; /* with RUN seeds */
};

static int by_first_rise(const void *a, const void *b)
{
    const struct step *x = a, *y = b;
    return (x->rise[0] > y->rise[0]) - (x->rise[0] < y->rise[0]);
}

static void show_step(const struct pool *p, const struct step *x)
{
    printf("%-16s %-16s", p->stack[x->base], p->stack[x->fresh]);
    for (int m = 0; m < p->models; m++)
        printf("  %+.3f %6.1f", x->rise[m], x->caught.line[m]);
    printf(" %9.1f\n", x->caught.any);
}

/* All pairs of stacks of which the second leaks more. */
static int power(const struct pool *p, int experiments, struct step *out)
{
    int n = 0;
    for (int a = 0; a < p->stacks; a++)
        for (int b = 0; b < p->stacks; b++) {
            struct step *x = &out[n];
            *x = (struct step){.base = a, .fresh = b};
            for (int m = 0; a != b && m < p->models; m++)
                x->rise[m] = true_rise(p, m, a, b);
            if (a == b || !(x->rise[0] > 0))
                continue;
            x->caught = rates_of(p, a, b, RUN, -1, experiments);
            n++;
        }
    qsort(out, (size_t)n, sizeof *out, by_first_rise);
    printf("\npower: the same %d seeds; true rise, and caught in 100 by the "
           "line of\n%-33s",
           RUN, "BASE             NEW");
    for (int m = 0; m < p->models; m++)
        printf(" %14s", p->model[m]);
    printf("  any line\n");
    for (int i = 0; i < n; i++)
        show_step(p, &out[i]);
    fflush(stdout);
    return n;
}

/* Caught by a model's own line at that rise, between the two measured rises
 * that enclose it. */
static double interpolated(const struct step *x, int n, int model, double rise)
{
    const struct step *low = NULL, *high = NULL;
    for (int i = 0; i < n; i++) {
        double here = x[i].rise[model];
        if (here <= rise && (!low || here > low->rise[model]))
            low = &x[i];
        if (here > rise && (!high || here < high->rise[model]))
            high = &x[i];
    }
    if (!low || !high)
        return NAN;
    double part =
        (rise - low->rise[model]) / (high->rise[model] - low->rise[model]);
    return low->caught.line[model] +
           part * (high->caught.line[model] - low->caught.line[model]);
}

static const struct step *nearest(const struct step *x, int n, int model,
                                  double rise)
{
    const struct step *best = x;
    for (int i = 1; i < n; i++)
        if (fabs(x[i].rise[model] - rise) < fabs(best->rise[model] - rise))
            best = &x[i];
    return best;
}

/* The step nearest to that rise under more and more seeds. */
static void seeds_needed(const struct pool *p, const struct step *x, int n,
                         double rise, int experiments)
{
    static const int seeds[SIZES] = {10, 20, 40, 60, 80, 100};
    printf("\nseeds it takes, of the step nearest to a rise of %.2f; caught in "
           "100\n%-10s %7s",
           rise, "model", "rise");
    for (int i = 0; i < SIZES; i++)
        printf(" %4dx%d", seeds[i], p->people);
    printf("\n");
    for (int m = 0; m < p->models; m++) {
        const struct step *best = nearest(x, n, m, rise);
        printf("%-10s %+7.3f", p->model[m], best->rise[m]);
        for (int i = 0; i < SIZES; i++) {
            struct rates r =
                rates_of(p, best->base, best->fresh, seeds[i], m, experiments);
            printf(" %7.1f", r.line[m]);
            fflush(stdout);
        }
        printf("\n");
    }
}

/* The runs as they were, RUN seeds each: every stack against itself in the next
 * run, and the step nearest to a rise of 0.1. */
static void whole_runs(const struct pool *p, const struct step *x, int n)
{
    int runs = p->seeds / RUN, alarms = 0, hits[MODELS + 1] = {0};
    int seed[SEEDS], next[SEEDS];
    const struct step *best = nearest(x, n, 0, 0.1);
    double rise;
    for (int r = 0; r < runs; r++) {
        struct contest c = {p, best->base, best->fresh, RUN, {{0}}};
        bool any = false;
        for (int i = 0; i < RUN; i++) {
            seed[i] = r * RUN + i;
            next[i] = (r + 1) % runs * RUN + i;
        }
        task_make(p, RUN, &c.task[0]);
        task_make(p, RUN, &c.task[1]);
        for (int m = 0; m < p->models; m++) {
            bool hit = caught(&c, m, seed, seed, &rise);
            hits[m] += hit;
            any |= hit;
        }
        hits[MODELS] += any;
        for (int d = 0; d < p->stacks; d++) {
            c.base = c.fresh = d;
            any = false;
            for (int m = 0; m < p->models; m++)
                any |= caught(&c, m, seed, next, &rise);
            alarms += any;
        }
        task_free(&c.task[0]);
        task_free(&c.task[1]);
    }
    printf("\n%d runs as they are: %d alarms in %d placebos (a stack in a run "
           "and in the next one); %s -> %s caught in",
           runs, alarms, runs * p->stacks, p->stack[best->base],
           p->stack[best->fresh]);
    for (int m = 0; m < p->models; m++)
        printf(" %d (%s, %+.3f)", hits[m], p->model[m], best->rise[m]);
    printf(", by any line in %d\n", hits[MODELS]);
}

int main(int argc, char **argv)
{
    static struct pool p;
    static struct step step[STACKS * STACKS];
    int experiments = argc > 3 ? atoi(argv[2]) : 0;
    if (experiments < 1)
        fail("usage: gate ATTACK EXPERIMENTS RESULTS...");
    pool_read(&p, argv[1], argc - 3, argv + 3);
    if (p.seeds < 2 * RUN)
        fail("two runs of 20 seeds are the least");
    printf("%d seeds x %d people in the files; rule leakage:+%.2f; %d "
           "experiments a figure\n",
           p.seeds, p.people, limit, experiments);
    placebo(&p, experiments);
    int n = power(&p, experiments, step);
    for (int m = 0; m < p.models; m++)
        printf("%s: of a rise of 0.05 %.0f, of 0.10 %.0f in 100 (interpolated)"
               "\n",
               p.model[m], interpolated(step, n, m, 0.05),
               interpolated(step, n, m, 0.1));
    whole_runs(&p, step, n);
    seeds_needed(&p, step, n, 0.1, experiments);
    seeds_needed(&p, step, n, 0.05, experiments);
    return 0;
}
