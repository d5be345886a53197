/* Rules held against lines, and what comes of it. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compare_parts.h"

static enum ib_status adjust(struct ib_compare *c, struct ib_error *err)
{
    double *p = calloc(c->n_lines + 1, sizeof *p);
    enum ib_status s =
        p ? IB_OK : ib_error_set(err, IB_E_NOMEM, "no memory for a comparison");
    for (size_t i = 0; !s && i < c->n_lines; i++)
        p[i] = c->lines[i].p;
    if (!s)
        s = ib_holm(p, c->n_lines, err);
    for (size_t i = 0; !s && i < c->n_lines; i++)
        c->lines[i].p_holm = p[i];
    free(p);
    return s;
}

static const char *moved(double x)
{
    return x > 0 ? "rose" : x < 0 ? "fell" : "did not change";
}

/* What was measured, then how sure it is that it is worse than allowed. */
static void say_bound(const struct ib_rule *r, const struct ib_comparison *l,
                      bool holds, struct ib_judgement *j)
{
    const char *way = r->worse > 0 ? "rose" : "fell";
    char by[64] = "";
    if (l->d.value != 0)
        snprintf(by, sizeof by, " by %.3f", fabs(l->d.value));
    size_t at = (size_t)snprintf(j->text, sizeof j->text,
                                 "%.100s %s%s (%.3f to %.3f); ", l->metric,
                                 moved(l->d.value), by, l->base, l->fresh);
    char *out = j->text + at;
    size_t room = sizeof j->text - at;
    double level = 100 * (r->noninferior ? IB_CLAIM_LEVEL : IB_GATE_LEVEL);
    if (holds && r->noninferior)
        snprintf(out, room,
                 "at %.0f %% confidence it %s by less than %.3f; %.3f is "
                 "allowed",
                 level, way, fmax(j->bound, 0), r->threshold);
    else if (r->noninferior)
        snprintf(out, room,
                 "that it %s by less than %.3f is not shown: at %.0f %% "
                 "confidence by less than %.3f",
                 way, r->threshold, level, j->bound);
    else if (holds)
        snprintf(out, room,
                 "that it %s by more than %.3f is not shown at %.0f %% "
                 "confidence",
                 way, r->threshold, level);
    else
        snprintf(out, room,
                 "at %.0f %% confidence it %s by more than %.3f; %.3f is "
                 "allowed",
                 level, way, j->bound, r->threshold);
}

static void judge(const struct ib_rule *r, const struct ib_comparison *l,
                  struct ib_judgement *j)
{
    struct ib_interval d = l->d;
    double level = r->noninferior ? IB_CLAIM_LEVEL : IB_GATE_LEVEL;
    j->verdict = IB_UNDECIDED;
    j->worsening = j->bound = j->noise = j->detectable = NAN;
    if (isnan(d.se)) {
        snprintf(j->text, sizeof j->text, "cannot be judged: %.255s",
                 l->reason);
        return;
    }
    d.value *= r->worse;
    j->worsening = d.value;
    j->noise = ib_student_quantile(level, d.df) * d.se;
    j->detectable = ib_detectable(&d, level, IB_GATE_POWER) +
                    (r->noninferior ? 0 : r->threshold);
    j->bound =
        r->noninferior ? ib_bound_high(&d, level) : ib_bound_low(&d, level);
    bool holds = r->noninferior ? j->bound < r->threshold
                                : j->bound <= r->threshold + 1e-12;
    say_bound(r, l, holds, j);
    if (!holds)
        j->verdict = IB_FAIL;
    else if (!*l->reason)
        j->verdict = IB_PASS;
    else
        snprintf(j->text, sizeof j->text, "cannot be judged: %.255s",
                 l->reason);
}

static enum ib_status judge_all(struct ib_compare *c, struct ib_error *err)
{
    c->judgements = calloc(c->n_rules * c->n_lines + 1, sizeof *c->judgements);
    if (!c->judgements)
        return ib_error_set(err, IB_E_NOMEM, "no memory for a comparison");
    for (size_t r = 0; r < c->n_rules; r++)
        for (size_t i = 0; i < c->n_lines; i++) {
            struct ib_comparison *l = &c->lines[i];
            if (strcmp(l->metric, c->rules[r].metric) || !l->planned)
                continue;
            struct ib_judgement *j = &c->judgements[c->n_judgements++];
            j->rule = r;
            j->line = i;
            l->worse = c->rules[r].worse;
            judge(&c->rules[r], l, j);
        }
    return IB_OK;
}

/* The limit of a rule under what two such runs can tell from nothing. */
static enum ib_status warn_noise(struct ib_compare *c, size_t rule,
                                 struct ib_error *err)
{
    const struct ib_judgement *worst = NULL;
    char name[512], more[40];
    int n = 0;
    for (size_t i = 0; i < c->n_judgements; i++) {
        const struct ib_judgement *j = &c->judgements[i];
        if (j->rule != rule || !(c->rules[rule].threshold < j->noise))
            continue;
        n++;
        if (!worst || j->noise > worst->noise)
            worst = j;
    }
    if (!worst)
        return IB_OK;
    ib_line_name(&c->lines[worst->line], name, sizeof name);
    snprintf(more, sizeof more, " and %d more line%s", n - 1,
             n == 2 ? "" : "s");
    return ib_compare_say(
        c->warnings, err,
        "%.80s lies under the noise floor of these runs on %.200s%s: a change "
        "of less than %.3f is not told from chance there, one of %.3f is "
        "caught 4 times in 5; more people or seeds see less",
        c->rules[rule].text, name, n > 1 ? more : "", worst->noise,
        worst->detectable);
}

static size_t count(const struct ib_compare *c, size_t rule,
                    enum ib_verdict verdict)
{
    size_t n = 0;
    for (size_t i = 0; i < c->n_judgements; i++)
        if (c->judgements[i].rule == rule &&
            c->judgements[i].verdict == verdict)
            n++;
    return n;
}

static size_t comparable(const struct ib_compare *c)
{
    size_t n = 0;
    for (size_t i = 0; i < c->n_lines; i++)
        n += isnan(c->lines[i].d.se) ? 0 : 1;
    return n;
}

enum ib_status ib_compare_judge(struct ib_compare *c, struct ib_error *err)
{
    bool idle = false, failed = false;
    enum ib_status s = adjust(c, err);
    if (!s)
        s = judge_all(c, err);
    for (size_t r = 0; !s && r < c->n_rules; r++) {
        size_t pass = count(c, r, IB_PASS), fail = count(c, r, IB_FAIL),
               open = count(c, r, IB_UNDECIDED);
        failed |= fail || open;
        if (pass + fail + open == 0) {
            idle = true;
            s = ib_compare_say(c->warnings, err,
                               "%.80s: no line has this metric",
                               c->rules[r].text);
        }
        if (!s && !c->rules[r].noninferior)
            s = warn_noise(c, r, err);
    }
    c->outcome = !comparable(c) ? IB_OUTCOME_NOTHING
                 : failed       ? IB_OUTCOME_REGRESSION
                 : idle         ? IB_OUTCOME_NOTHING
                                : IB_OUTCOME_OK;
    return s;
}
