/* Optimisers and schedules against PyTorch in float64: see
 * tests/golden/make_optim.py. */
#include "cmocka_all.h"

#include <invbench/math.h>
#include <invbench/optim.h>

#include <math.h>
#include <string.h>

#include "golden/optim.inc"

enum { N = 8, STEPS = 10, LONG = 1003 };

static void numbers(size_t count, uint32_t seed, ib_real *out)
{
    for (size_t i = 0; i < count; i++) {
        seed = seed * 1664525u + 1013904223u;
        out[i] = (ib_real)(-2 + 4 * (double)(seed >> 20) / 4096);
    }
}

struct run {
    struct ib_optim o;
    double decay, clip;
};

static void one_step(struct run *r, ib_real *w)
{
    ib_real g[N];
    int64_t t = r->o.step++;
    numbers(N, 100 + (uint32_t)t, g);
    for (size_t i = 0; i < N; i++)
        g[i] = ((ib_real)0.5 * w[i] + g[i]) * (ib_real)(t < 3 ? 1 : 0.125);
    r->o.scale = ib_clip_scale(sqrt(ib_dot(N, g, g)), r->clip);
    ib_optim_apply(&r->o, w, g, 0, N, r->decay);
}

static void check(struct run r, const double gold[N * STEPS])
{
    ib_real w[N], moments[3 * N] = {0};
    double worst = 0;
    r.o.rate = 0.1;
    ib_optim_use(&r.o, moments, N);
    numbers(N, 99, w);
    for (size_t t = 0; t < STEPS; t++) {
        double off = 0, norm = 0;
        one_step(&r, w);
        for (size_t i = 0; i < N; i++) {
            double want = gold[t * N + i], d = (double)w[i] - want;
            off += d * d;
            norm += want * want;
        }
        worst = fmax(worst, sqrt(off / norm));
    }
    if (!(worst <= 1e-6))
        fail_msg("off by %g of the norm", worst);
}

static void sgd_follows_pytorch(void **state)
{
    (void)state;
    check((struct run){{.optimiser = IB_SGD}}, gold_sgd);
    struct run r = {{.optimiser = IB_SGD, .momentum = 0.9}};
    check(r, gold_momentum);
    r.decay = 0.3;
    check(r, gold_momentum_decay);
    r.o.optimiser = IB_NESTEROV;
    check(r, gold_nesterov);
}

static void clipping_follows_pytorch(void **state)
{
    (void)state;
    struct run r = {{.optimiser = IB_SGD, .momentum = 0.9}, .clip = 1.5};
    check(r, gold_clipped);
    assert_true(ib_clip_scale(3, 0) == 1 && ib_clip_scale(3, 4) == 1);
    assert_true(fabs(ib_clip_scale(3, 1.5) - 0.5) < 1e-6);
}

static void the_adam_family_follows_pytorch(void **state)
{
    (void)state;
    struct run r = {{.optimiser = IB_ADAM, .momentum = 0.9}};
    check(r, gold_adam);
    r.decay = 0.3;
    check(r, gold_adam_decay);
    r.o.optimiser = IB_ADAMW;
    check(r, gold_adamw);
    r.o.optimiser = IB_AMSGRAD;
    r.o.beta2 = 0.5;
    check(r, gold_amsgrad);
    r = (struct run){
        {.optimiser = IB_ADAM, .momentum = 0.1, .beta2 = 0.2, .epsilon = 0.01}};
    check(r, gold_adam_options);
}

/* The first step of Adam is the rate, whatever the gradient's size. */
static void first_steps_by_hand(void **state)
{
    (void)state;
    ib_real w[2] = {1, 2}, g[2] = {0.5f, -400}, moments[4] = {0};
    struct ib_optim o = {
        .optimiser = IB_ADAM, .rate = 0.25, .momentum = 0.9, .step = 1};
    ib_optim_use(&o, moments, 2);
    ib_optim_apply(&o, w, g, 0, 2, 0);
    assert_true(fabs((double)w[0] - 0.75) < 1e-6);
    assert_true(fabs((double)w[1] - 2.25) < 1e-6);
    o = (struct ib_optim){.optimiser = IB_SGD, .rate = 0.5};
    w[0] = w[1] = 2;
    g[0] = g[1] = 0;
    ib_optim_apply(&o, w, g, 0, 1, 0.1);
    ib_optim_apply(&o, w, g, 1, 1, 0);
    assert_true(fabs((double)w[0] - 1.9) < 1e-6 && w[1] == 2);
}

/* The parameters after three steps, each in slices of `slice`. */
static void run_in_slices(int optimiser, size_t slice, ib_real *w)
{
    static ib_real g[LONG], moments[3 * LONG];
    struct ib_optim o = {.optimiser = optimiser, .rate = 0.1, .momentum = 0.9};
    memset(moments, 0, sizeof moments);
    ib_optim_use(&o, moments, LONG);
    numbers(LONG, 1, w);
    for (uint32_t t = 0; t < 3; t++) {
        o.step++;
        numbers(LONG, 2 + t, g);
        for (size_t i = 0; i < LONG; i += slice) {
            size_t first = LONG > i + slice ? LONG - i - slice : 0;
            size_t n = LONG - i - first;
            ib_optim_apply(&o, w, g, first, n, 0.01);
        }
    }
}

static void slices_in_any_order_give_the_whole(void **state)
{
    (void)state;
    static ib_real whole[LONG], sliced[LONG];
    for (int o = IB_SGD; o <= IB_ADAMW; o++) {
        run_in_slices(o, LONG, whole);
        run_in_slices(o, 7, sliced);
        assert_memory_equal(whole, sliced, sizeof whole);
        run_in_slices(o, 64, sliced);
        assert_memory_equal(whole, sliced, sizeof whole);
    }
}

static void check_rates(struct ib_rate_plan p, const double *gold)
{
    p.rate = 0.3;
    for (int64_t i = 0; i < p.steps; i++)
        if (fabs(ib_rate_at(&p, i) - gold[i]) > 1e-9)
            fail_msg("step %d: %g, not %g", (int)i, ib_rate_at(&p, i), gold[i]);
}

static void schedules_follow_pytorch(void **state)
{
    (void)state;
    check_rates((struct ib_rate_plan){.schedule = IB_COSINE, .steps = 12},
                gold_cosine);
    check_rates((struct ib_rate_plan){.schedule = IB_LINEAR, .steps = 12},
                gold_linear);
    check_rates((struct ib_rate_plan){.schedule = IB_MILESTONES,
                                      .steps = 12,
                                      .milestones = {2, {50, 75}},
                                      .gamma = 0.1},
                gold_milestones);
    check_rates((struct ib_rate_plan){.schedule = IB_ONE_CYCLE, .steps = 20},
                gold_one_cycle);
}

static void the_rate_rises_in_the_warmup_then_follows_its_schedule(void **state)
{
    (void)state;
    struct ib_rate_plan p = {
        .schedule = IB_CONSTANT, .rate = 1, .steps = 20, .warmup = 0.2};
    assert_true(ib_rate_at(&p, 0) == 0.25 && ib_rate_at(&p, 3) == 1);
    assert_true(ib_rate_at(&p, 4) == 1 && ib_rate_at(&p, 19) == 1);
    p.schedule = IB_LINEAR;
    assert_true(ib_rate_at(&p, 1) == 0.5 && ib_rate_at(&p, 4) == 1);
    assert_true(fabs(ib_rate_at(&p, 12) - 0.5) < 1e-12);
    p.schedule = IB_COSINE;
    assert_true(fabs(ib_rate_at(&p, 12) - 0.5) < 1e-12);
    p = (struct ib_rate_plan){.schedule = IB_ONE_CYCLE, .rate = 1, .steps = 1};
    assert_true(isfinite(ib_rate_at(&p, 0)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sgd_follows_pytorch),
        cmocka_unit_test(clipping_follows_pytorch),
        cmocka_unit_test(the_adam_family_follows_pytorch),
        cmocka_unit_test(first_steps_by_hand),
        cmocka_unit_test(slices_in_any_order_give_the_whole),
        cmocka_unit_test(schedules_follow_pytorch),
        cmocka_unit_test(
            the_rate_rises_in_the_warmup_then_follows_its_schedule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
