/* A comparison for programs: JSON, JUnit XML, GitHub's annotations. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "compare_parts.h"
#include "html.h"

static void put_side(bool *ok, const struct ib_compare_side *s, cJSON *o,
                     const char *name)
{
    cJSON *x = ib_put_object(ok, o, name);
    const cJSON *suite = ib_view_object(s->root, "suite");
    ib_put_text(ok, x, "suite", ib_view_text(suite, "name"));
    ib_put_text(ok, x, "sha256", ib_view_text(suite, "sha256"));
    ib_put_text(ok, x, "numerics", ib_view_text(s->root, "numerics"));
}

static void put_line(bool *ok, const struct ib_comparison *l, cJSON *list)
{
    bool there = !isnan(l->d.se);
    cJSON *o = ib_put_object(ok, list, NULL);
    ib_put_text(ok, o, "metric", l->metric);
    ib_put_text(ok, o, "model", l->model);
    ib_put_text(ok, o, "defense", l->defense);
    ib_put_text(ok, o, "defense_new", l->defense_new);
    ib_put_text(ok, o, "attack", l->attack);
    ib_put_text(ok, o, "access", l->access);
    ib_put_number(ok, o, "base", l->base);
    ib_put_number(ok, o, "new", l->fresh);
    ib_put_number(ok, o, "change", l->d.value);
    ib_put_number(ok, o, "low", l->d.low);
    ib_put_number(ok, o, "high", l->d.high);
    ib_put_number(ok, o, "se", l->d.se);
    ib_put_number(ok, o, "df", l->d.df);
    ib_put_number(ok, o, "p", l->p);
    ib_put_number(ok, o, "p_holm", l->p_holm);
    ib_put_number(ok, o, "p_permutation", l->p_permuted);
    ib_put_number(ok, o, "detectable",
                  there ? ib_detectable(&l->d, IB_GATE_LEVEL, IB_GATE_POWER)
                        : NAN);
    ib_put_number(ok, o, "pairs", l->pairs);
    ib_put_number(ok, o, "identities", l->identities);
    ib_put_number(ok, o, "seeds", l->seeds);
    ib_put_number(ok, o, "missing", l->missing);
    ib_put_text(ok, o, "reason", *l->reason ? l->reason : NULL);
}

static void put_judgement(bool *ok, const struct ib_compare *c,
                          const struct ib_judgement *j, cJSON *list)
{
    char name[512];
    cJSON *o = ib_put_object(ok, list, NULL);
    ib_line_name(&c->lines[j->line], name, sizeof name);
    ib_put_text(ok, o, "rule", c->rules[j->rule].text);
    ib_put_text(ok, o, "where", name);
    ib_put_text(ok, o, "verdict", ib_verdict_words[j->verdict]);
    ib_put_number(ok, o, "worsening", j->worsening);
    ib_put_number(ok, o, "bound", j->bound);
    ib_put_number(ok, o, "noise_floor", j->noise);
    ib_put_number(ok, o, "detectable", j->detectable);
    ib_put_text(ok, o, "text", j->text);
}

static void put_rules(bool *ok, const struct ib_compare *c, cJSON *o)
{
    cJSON *list = ib_put_array(ok, o, "rules");
    for (size_t i = 0; i < c->n_rules; i++) {
        const struct ib_rule *r = &c->rules[i];
        cJSON *x = ib_put_object(ok, list, NULL);
        ib_put_text(ok, x, "rule", r->text);
        ib_put_text(ok, x, "kind", r->noninferior ? "noninferior" : "fail");
        ib_put_text(ok, x, "metric", r->metric);
        ib_put_text(ok, x, "worse", r->worse > 0 ? "higher" : "lower");
        ib_put_number(ok, x, "limit", r->threshold);
        ib_put_number(ok, x, "confidence",
                      r->noninferior ? IB_CLAIM_LEVEL : IB_GATE_LEVEL);
    }
}

cJSON *ib_compare_json(const struct ib_compare *c)
{
    bool ok = true;
    cJSON *o = cJSON_CreateObject();
    ib_put_text(&ok, o, "schema", "invbench.comparison/1");
    ib_put_text(&ok, o, "outcome", ib_outcome_words[c->outcome]);
    put_side(&ok, &c->side[IB_BASE], o, "base");
    put_side(&ok, &c->side[IB_NEW], o, "new");
    cJSON *seeds = ib_put_array(&ok, o, "seeds");
    for (int i = 0; i < c->seeds; i++)
        ib_put_number(&ok, seeds, NULL, c->seed[i]);
    ib_put_number(&ok, o, "people", (double)c->n_people);
    put_rules(&ok, c, o);
    cJSON *list = ib_put_array(&ok, o, "judgements");
    for (size_t i = 0; i < c->n_judgements; i++)
        put_judgement(&ok, c, &c->judgements[i], list);
    list = ib_put_array(&ok, o, "lines");
    for (size_t i = 0; i < c->n_lines; i++)
        if (c->lines[i].planned)
            put_line(&ok, &c->lines[i], list);
    ib_put_copy(&ok, o, "incompatible", c->incompatible);
    ib_put_copy(&ok, o, "changed", c->changed);
    ib_put_copy(&ok, o, "warnings", c->warnings);
    ib_put_copy(&ok, o, "unpaired", c->unpaired);
    if (ok)
        return o;
    cJSON_Delete(o);
    return NULL;
}

/* --- JUnit --------------------------------------------------------------- */

static void add_case(const struct ib_compare *c, const struct ib_judgement *j,
                     struct ib_text *out)
{
    static const char *const tag[] = {NULL, "failure", "error"};
    char name[512];
    ib_line_name(&c->lines[j->line], name, sizeof name);
    ib_html_add(out, "  <testcase classname=\"%s\" name=\"%s\"",
                c->rules[j->rule].text, name);
    if (j->verdict == IB_PASS)
        ib_html_add(out, "><system-out>%s</system-out></testcase>\n", j->text);
    else
        ib_html_add(out, "><%s message=\"%s\"/></testcase>\n", tag[j->verdict],
                    j->text);
}

/* What stands in the way of any verdict is an error of its own. */
static void add_general(const struct ib_compare *c, struct ib_text *out)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, c->incompatible)
        ib_html_add(out,
                    "  <testcase classname=\"compare\" name=\"comparable\">"
                    "<error message=\"%s\"/></testcase>\n",
                    item->valuestring);
    if (c->outcome == IB_OUTCOME_NOTHING)
        ib_html_add(out,
                    "  <testcase classname=\"compare\" name=\"comparable\">"
                    "<error message=\"%s\"/></testcase>\n",
                    "nothing to compare");
}

void ib_compare_junit(const struct ib_compare *c, struct ib_text *out)
{
    int n[3] = {0}, general = cJSON_GetArraySize(c->incompatible) +
                              (c->outcome == IB_OUTCOME_NOTHING);
    for (size_t i = 0; i < c->n_judgements; i++)
        n[c->judgements[i].verdict]++;
    ib_html_add(out,
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                "<testsuites>\n<testsuite name=\"invbench compare\" "
                "tests=\"%d\" failures=\"%d\" errors=\"%d\">\n",
                n[IB_PASS] + n[IB_FAIL] + n[IB_UNDECIDED] + general, n[IB_FAIL],
                n[IB_UNDECIDED] + general);
    add_general(c, out);
    for (size_t i = 0; i < c->n_judgements; i++)
        add_case(c, &c->judgements[i], out);
    ib_html_add(out, "</testsuite>\n</testsuites>\n");
}

/* --- annotations --------------------------------------------------------- */

/* GitHub's own escapes; a property also has its colon and comma escaped. */
static void add_escaped(struct ib_text *out, const char *text, bool property)
{
    for (const char *s = text; *s; s++) {
        unsigned char x = (unsigned char)*s;
        if (x == '%' || x < 0x20 || (property && (x == ':' || x == ',')))
            ib_text_add(out, "%%%02X", x);
        else
            ib_text_put(out, s, 1);
    }
}

static void annotate(struct ib_text *out, const char *level, const char *title,
                     const char *where, const char *text)
{
    ib_text_add(out, "::%s title=", level);
    add_escaped(out, title, true);
    ib_text_add(out, "::");
    if (*where) {
        add_escaped(out, where, false);
        ib_text_add(out, ": ");
    }
    add_escaped(out, text, false);
    ib_text_add(out, "\n");
}

void ib_compare_annotations(const struct ib_compare *c, struct ib_text *out)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, c->incompatible) annotate(
        out, "error", "invbench: not comparable", "", item->valuestring);
    if (c->outcome == IB_OUTCOME_NOTHING)
        annotate(out, "error", "invbench", "", "nothing to compare");
    for (size_t i = 0; i < c->n_judgements; i++) {
        const struct ib_judgement *j = &c->judgements[i];
        char name[512], title[IB_TEXT_MAX];
        if (j->verdict == IB_PASS)
            continue;
        ib_line_name(&c->lines[j->line], name, sizeof name);
        snprintf(title, sizeof title, "invbench %s: %.150s",
                 ib_verdict_words[j->verdict], c->rules[j->rule].text);
        annotate(out, "error", title, name, j->text);
    }
    cJSON_ArrayForEach(item, c->warnings)
        annotate(out, "warning", "invbench", "", item->valuestring);
    cJSON_ArrayForEach(item, c->unpaired)
        annotate(out, "notice", "invbench: not paired", "", item->valuestring);
}
