/*
 * Coverage of the intervals and false positives of the tests, by simulation.
 * Slow: run apart from the tests (make coverage), and quoted in
 * docs/results.md.
 *
 * Each experiment draws effects of identities and of seeds and a rest, all
 * normal, that share the variance 1: seed : identity : rest =
 * s : (1-s)/2 : (1-s)/2. Continuous scores are the sum; shares are 1 where the
 * sum lies below the quantile of p, so that p is the truth. Leakage: two
 * evaluators that agree in part on reconstructions, on real images and on two
 * floor controls.
 *
 * usage: coverage [EXPERIMENTS [EXPERIMENTS OF LEAKAGE]]
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <invbench/rng.h>

#include "inference.h"
#include "leakage.h"

struct layout {
    int identities, seeds;
};
static const struct layout layouts[] = {{40, 5}, {10, 3}};
static const double seed_shares[] = {0, 0.1, 0.5};

struct tally {
    int n, held, above, below, low99;
    double width;
};

static void must(enum ib_status status)
{
    if (status) {
        fprintf(stderr, "coverage: no memory\n");
        exit(2);
    }
}

static struct ib_panel panel_of(const struct layout *l)
{
    struct ib_panel p = ib_panel_make(l->seeds, l->identities);
    if (!p.v)
        must(IB_E_NOMEM);
    return p;
}

/* Quantile of the normal distribution, by halving. */
static double probit(double p)
{
    double low = -8, high = 8;
    for (int i = 0; i < 60; i++) {
        double mid = (low + high) / 2;
        if (erfc(-mid / sqrt(2)) / 2 < p)
            low = mid;
        else
            high = mid;
    }
    return high;
}

struct effects {
    double seed[64], identity[256];
    double rest; /* standard deviation */
};

static void draw_effects(struct ib_rng *rng, const struct layout *l, double s,
                         struct effects *e)
{
    double sd = sqrt((1 - s) / 2);
    for (int i = 0; i < l->seeds; i++)
        e->seed[i] = sqrt(s) * ib_rng_normal(rng);
    for (int k = 0; k < l->identities; k++)
        e->identity[k] = sd * ib_rng_normal(rng);
    e->rest = sd;
}

/* share 0: continuous. */
static void draw_panel(struct ib_rng *rng, double s, double share,
                       struct ib_panel *p)
{
    struct layout l = {p->identities, p->seeds};
    struct effects e;
    double cut = share > 0 ? probit(share) : 0;
    draw_effects(rng, &l, s, &e);
    for (int i = 0; i < l.seeds * l.identities; i++) {
        double x = e.seed[i / l.identities] + e.identity[i % l.identities] +
                   e.rest * ib_rng_normal(rng);
        p->v[i] = share > 0 ? x < cut : x;
    }
}

static void count(struct tally *t, const struct ib_interval *i, double truth)
{
    if (isnan(i->low))
        return;
    t->n++;
    t->held += i->low <= truth && truth <= i->high;
    t->above += i->low > truth;
    t->below += i->high < truth;
    t->low99 += ib_bound_low(i, 0.99) <= truth;
    t->width += i->high - i->low;
}

static void show(const char *what, const struct layout *l, double s,
                 const struct tally *t)
{
    printf("%-22s %2d x %d  %4.1f   %5.1f   %4.1f   %4.1f   %6.2f  %5d\n", what,
           l->identities, l->seeds, s, 100.0 * t->held / t->n,
           100.0 * t->above / t->n, 100.0 * t->below / t->n, t->width / t->n,
           t->n);
    fflush(stdout);
}

static void simulate_means(const struct layout *l, double s, int n)
{
    static const double shares[] = {0, 0.5, 0.7};
    static const char *const names[] = {"continuous score", "share, truth 0.5",
                                        "share, truth 0.7"};
    struct ib_panel p = panel_of(l);
    for (size_t k = 0; k < IB_COUNT(shares); k++) {
        struct ib_rng rng =
            ib_rng_stream((uint64_t)(k + 1), "coverage", -1, "means");
        double range = shares[k] > 0 ? 1 : INFINITY;
        struct tally t = {0};
        for (int i = 0; i < n; i++) {
            struct ib_interval x;
            draw_panel(&rng, s, shares[k], &p);
            must(ib_interval_mean(&p, shares[k] > 0 ? 0 : -INFINITY, range, &x,
                                  NULL));
            count(&t, &x, shares[k]);
        }
        show(names[k], l, s, &t);
    }
    ib_panel_free(&p);
}

/* Two paired sides with the same effects of seeds and identities; the rest is
 * their own in part. */
static void draw_sides(struct ib_rng *rng, double s, double share,
                       struct ib_panel *a, struct ib_panel *b)
{
    struct layout l = {a->identities, a->seeds};
    struct effects e;
    double cut = share > 0 ? probit(share) : 0, half = sqrt(0.5);
    draw_effects(rng, &l, s, &e);
    for (int i = 0; i < l.seeds * l.identities; i++) {
        double both = e.seed[i / l.identities] + e.identity[i % l.identities] +
                      half * e.rest * ib_rng_normal(rng);
        double x = both + half * e.rest * ib_rng_normal(rng);
        double y = both + half * e.rest * ib_rng_normal(rng);
        a->v[i] = share > 0 ? x < cut : x;
        b->v[i] = share > 0 ? y < cut : y;
    }
}

/* Two sides alike: how often each test finds a difference at 5 %. */
static void simulate_tests(const struct layout *l, double s, int n)
{
    struct ib_panel a = panel_of(l), b = panel_of(l);
    for (int binary = 0; binary < 2; binary++) {
        struct ib_rng rng = ib_rng_stream(7, "coverage", binary, "tests");
        int permuted = 0, student = 0;
        for (int i = 0; i < n; i++) {
            struct ib_interval x;
            double p;
            int pairs;
            draw_sides(&rng, s, binary ? 0.5 : 0, &a, &b);
            must(ib_permutation_mean(&a, &b, &p, NULL));
            must(ib_interval_difference(&a, &b, &x, &pairs, NULL));
            permuted += p <= 0.05;
            student += ib_p_different(&x) <= 0.05;
        }
        printf("%-22s %2d x %d  %4.1f   %5.1f   %5.1f   %5d\n",
               binary ? "shares" : "continuous scores", l->identities, l->seeds,
               s, 100.0 * permuted / n, 100.0 * student / n, n);
        fflush(stdout);
    }
    ib_panel_free(&a);
    ib_panel_free(&b);
}

/* --- leakage ------------------------------------------------------------- */

struct scene {
    const char *name;
    double q[2], ceiling[2], floor[2]; /* floor: of two controls */
};
static const struct scene scenes[] = {
    {"leakage 0.49", {0.5, 0.7}, {0.92, 0.92}, {0.1, 0.03}},
    {"leakage 0.49, tied", {0.5, 0.5}, {0.92, 0.92}, {0.1, 0.03}},
    {"leakage 0.91", {0.85, 0.9}, {0.92, 0.92}, {0.1, 0.03}},
};

/* One kind of image, judged by both evaluators: they share effects and half of
 * the rest. */
static void draw_judged(struct ib_rng *rng, double s, const double *share,
                        struct ib_panel *a, struct ib_panel *b)
{
    struct layout l = {a->identities, a->seeds};
    struct effects e;
    double cut[] = {probit(share[0]), probit(share[1])}, half = sqrt(0.5);
    draw_effects(rng, &l, s, &e);
    for (int i = 0; i < l.seeds * l.identities; i++) {
        double both = e.seed[i / l.identities] + e.identity[i % l.identities] +
                      half * e.rest * ib_rng_normal(rng);
        a->v[i] = both + half * e.rest * ib_rng_normal(rng) < cut[0];
        b->v[i] = both + half * e.rest * ib_rng_normal(rng) < cut[1];
    }
}

static void task_make(const struct layout *l, struct ib_leakage_task *t)
{
    *t = (struct ib_leakage_task){.n = 2};
    for (int i = 0; i < 2; i++)
        t->evaluator[i] =
            (struct ib_leakage_evaluator){.id = "e",
                                          .q = panel_of(l),
                                          .ceiling = panel_of(l),
                                          .floor = {panel_of(l), panel_of(l)},
                                          .accuracy = 1,
                                          .target_accuracy = 1};
}

static void task_free(struct ib_leakage_task *t)
{
    for (int i = 0; i < 2; i++) {
        ib_panel_free(&t->evaluator[i].q);
        ib_panel_free(&t->evaluator[i].ceiling);
        ib_panel_free(&t->evaluator[i].floor[0]);
        ib_panel_free(&t->evaluator[i].floor[1]);
    }
}

static void draw_task(struct ib_rng *rng, double s, const struct scene *scene,
                      struct ib_leakage_task *t)
{
    struct ib_leakage_evaluator *e = t->evaluator;
    draw_judged(rng, s, scene->q, &e[0].q, &e[1].q);
    draw_judged(rng, s, scene->ceiling, &e[0].ceiling, &e[1].ceiling);
    for (int f = 0; f < 2; f++) {
        double share[] = {scene->floor[f], scene->floor[f]};
        draw_judged(rng, s, share, &e[0].floor[f], &e[1].floor[f]);
    }
}

static void simulate_leakage(const struct layout *l, double s, int n)
{
    struct ib_leakage_task t;
    task_make(l, &t);
    for (size_t k = 0; k < IB_COUNT(scenes); k++) {
        const struct scene *c = &scenes[k];
        struct ib_rng rng =
            ib_rng_stream((uint64_t)(k + 1), "coverage", -1, "leakage");
        double truth =
            fmin((c->q[0] - c->floor[0]) / (c->ceiling[0] - c->floor[0]),
                 (c->q[1] - c->floor[0]) / (c->ceiling[1] - c->floor[0]));
        struct tally tally = {0};
        for (int i = 0; i < n; i++) {
            struct ib_leakage x;
            draw_task(&rng, s, c, &t);
            must(ib_leakage_make(&t, &x, NULL));
            count(&tally, &x.interval, truth);
        }
        show(c->name, l, s, &tally);
    }
    task_free(&t);
}

/* --- time ---------------------------------------------------------------- */

static void time_table(void)
{
    const struct layout l = {40, 5};
    struct ib_leakage_task t;
    struct ib_rng rng = ib_rng_stream(1, "coverage", -1, "time");
    struct timespec a, b;
    enum { ROWS = 20 };
    task_make(&l, &t);
    draw_task(&rng, 0.1, &scenes[0], &t);
    clock_gettime(CLOCK_MONOTONIC, &a);
    for (int i = 0; i < ROWS; i++) {
        struct ib_leakage x;
        must(ib_leakage_make(&t, &x, NULL));
    }
    clock_gettime(CLOCK_MONOTONIC, &b);
    printf("\na table of %d leakages, 40 identities, 5 seeds, 2 evaluators, "
           "%d resamples of each: %.2f s\n",
           ROWS, IB_RESAMPLES,
           (double)(b.tv_sec - a.tv_sec) +
               1e-9 * (double)(b.tv_nsec - a.tv_nsec));
    task_free(&t);
}

int main(int argc, char **argv)
{
    int n = argc > 1 ? atoi(argv[1]) : 10000;
    int leakages = argc > 2 ? atoi(argv[2]) : n;
    printf(
        "95 %% intervals          K x S  seed  held %%  above  below    width  "
        "   n\n");
    for (size_t l = 0; l < IB_COUNT(layouts); l++)
        for (size_t s = 0; s < IB_COUNT(seed_shares); s++) {
            simulate_means(&layouts[l], seed_shares[s], n);
            simulate_leakage(&layouts[l], seed_shares[s], leakages);
        }
    printf("\nfalse positives at 5 %%  K x S  seed  permut. %%  t %%      n\n");
    for (size_t l = 0; l < IB_COUNT(layouts); l++)
        for (size_t s = 0; s < IB_COUNT(seed_shares); s++)
            simulate_tests(&layouts[l], seed_shares[s], n);
    time_table();
    return 0;
}
