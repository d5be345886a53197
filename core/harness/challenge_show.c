/* What came of a challenge, for machines and for people. */
#include <math.h>
#include <string.h>

#include "challenge.h"

enum { SHOWN = 20 };

static const cJSON *headline_of(const struct ib_challenge *c,
                                const struct ib_verify *v)
{
    static const char *const parts[] = {"model", "defense", "access"};
    const cJSON *h;

    cJSON_ArrayForEach(h,
                       ib_at(ib_at(v->entry->results, "summary"), "headline"))
    {
        size_t same = 0;
        for (size_t i = 0; i < IB_COUNT(parts); i++)
            same += strcmp(ib_at_text(h, parts[i]),
                           ib_at_text(c->json, parts[i])) == 0;
        if (same == IB_COUNT(parts))
            return h;
    }
    return NULL;
}

static const char *attack_id(const struct ib_challenge *c,
                             const struct ib_verify *v)
{
    return v->session->suite && c->against >= 0
               ? v->session->suite->attacks[c->against].id
               : NULL;
}

static const char *verdict(const struct ib_challenge *c,
                           const struct ib_verify *v)
{
    if (v->f.n)
        return "invalid";
    return ib_challenge_stands(c, v) ? "stronger" : "not shown to be stronger";
}

static void put_place(bool *ok, const struct ib_challenge *c,
                      const struct ib_verify *v, cJSON *o)
{
    cJSON *entry = ib_put_object(ok, o, "entry");

    ib_put_text(ok, entry, "name", v->entry->name);
    ib_put_text(ok, entry, "sha256", v->entry->hash);
    ib_put_text(ok, o, "challenge", c->hash);
    ib_put_copy(ok, o, "model", ib_at(c->json, "model"));
    ib_put_copy(ok, o, "defense", ib_at(c->json, "defense"));
    ib_put_copy(ok, o, "access", ib_at(c->json, "access"));
    ib_put_copy(ok, o, "queries", ib_at(c->json, "queries"));
    ib_put_copy(ok, o, "provenance", ib_at(c->json, "provenance"));
}

cJSON *ib_challenge_json(const struct ib_challenge *c,
                         const struct ib_verify *v)
{
    bool ok = true, done = c->seeds > 0 && v->f.n == 0;
    struct ib_interval none = {NAN, NAN, NAN, NAN, NAN, "not scored"};
    cJSON *o = cJSON_CreateObject();

    ib_put_text(&ok, o, "schema", "invbench.outcome/1");
    put_place(&ok, c, v, o);
    ib_put_number(&ok, o, "seeds", c->seeds);
    ib_put_text(&ok, o, "mode",
                v->entry->same_numerics ? "bits" : "equivalence");
    ib_put(&ok, o, "pinned_weights",
           v->entry->same_numerics ? cJSON_CreateNull()
                                   : cJSON_CreateBool(!v->own_weights));
    ib_put_leakage(&ok, o, "leakage", done ? &c->leakage.interval : &none,
                   done ? c->leakage.reason : none.reason,
                   *c->evaluator ? c->evaluator : NULL);
    ib_put_copy(&ok, o, "headline", ib_at(headline_of(c, v), "leakage"));
    ib_put_text(&ok, o, "against", attack_id(c, v));
    ib_put_estimate(&ok, o, "difference", done ? &c->difference : &none);
    ib_put(&ok, o, "findings",
           v->f.list ? cJSON_Duplicate(v->f.list, true) : cJSON_CreateArray());
    ib_put_text(&ok, o, "verdict", verdict(c, v));
    if (ok)
        return o;
    cJSON_Delete(o);
    return NULL;
}

static void add_interval(struct ib_text *t, const char *words, double value,
                         double low, double high)
{
    if (isnan(value))
        ib_text_add(t, "  %-32s n/a\n", words);
    else if (isnan(low) || isnan(high))
        ib_text_add(t, "  %-32s %6.3f\n", words, value);
    else
        ib_text_add(t, "  %-32s %6.3f [%.3f, %.3f]\n", words, value, low, high);
}

void ib_challenge_text(const struct ib_challenge *c, const struct ib_verify *v,
                       struct ib_text *t)
{
    const cJSON *h = ib_at(headline_of(c, v), "leakage");
    const struct ib_interval *d = &c->difference;
    const char *attack = ib_at_text(ib_at(c->json, "provenance"), "attack");

    ib_text_add(t, "%s challenges %s\n", attack ? attack : c->dir,
                v->entry->dir);
    if (v->f.n) {
        ib_findings_text(&v->f, SHOWN, t);
        ib_text_add(t, "invalid\n");
        return;
    }
    ib_text_add(t,
                "  %s behind %s, attacker sees %s; %d seed%s, scored with "
                "%s\n",
                ib_at_text(c->json, "model"), ib_at_text(c->json, "defense"),
                ib_at_text(c->json, "access"), c->seeds,
                c->seeds == 1 ? "" : "s",
                v->own_weights ? "evaluators trained here (the entry's weight "
                                 "files are not at hand)"
                               : "the entry's evaluators");
    add_interval(t, "leakage of the challenge", c->leakage.interval.value,
                 c->leakage.interval.low, c->leakage.interval.high);
    add_interval(t, "the entry's headline", ib_at_number(h, "value"),
                 ib_at_number(h, "low"), ib_at_number(h, "high"));
    add_interval(t, "more than the entry's best attack", d->value, d->low,
                 d->high);
    ib_text_add(t,
                "  (%s; paired by seed and identity; how the images were "
                "made is the challenger's word)\n%s\n",
                attack_id(c, v), verdict(c, v));
}
