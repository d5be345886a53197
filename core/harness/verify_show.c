/* What a verification says, for people and for machines. */
#include <math.h>
#include <string.h>

#include "verify.h"

enum { SHOWN = 20 };

static const char *mode(const struct ib_verify *v)
{
    return v->entry->same_numerics ? "bits" : "equivalence";
}

static void put_draw(bool *ok, const struct ib_verify *v, cJSON *o)
{
    const struct ib_plan *p = v->session->plan;
    cJSON *draw = ib_put_object(ok, o, "draw");
    char name[512];

    ib_put(ok, draw, "all", cJSON_CreateBool(v->all));
    ib_put_text(ok, draw, "nonce", v->all ? NULL : v->nonce);
    ib_put_text(ok, draw, "seed", v->all ? NULL : v->seed);
    ib_put_number(ok, draw, "of", (double)v->n_cells);
    cJSON *cells = ib_put_array(ok, draw, "cells");
    for (size_t i = 0; v->drawn && i < p->n_cells; i++) {
        if (!v->drawn[i])
            continue;
        ib_cell_name(p, &p->cells[i], name, sizeof name);
        ib_put_text(ok, cells, NULL, name);
    }
}

static void put_equivalence(bool *ok, const struct ib_verify *v, cJSON *o)
{
    cJSON *all = ib_put_array(ok, o, "equivalence");

    for (size_t i = 0; i < v->n_equivalence; i++) {
        const struct ib_equivalence *e = &v->equivalence[i];
        cJSON *x = ib_put_object(ok, all, NULL);
        ib_put_text(ok, x, "column", e->column);
        ib_put_number(ok, x, "identities", e->identities);
        ib_put_number(ok, x, "cells", e->cells);
        ib_put_number(ok, x, "difference", e->difference);
        ib_put_number(ok, x, "low", e->low);
        ib_put_number(ok, x, "high", e->high);
        ib_put_number(ok, x, "p", e->p);
        ib_put_text(ok, x, "verdict", ib_verdict_names[e->verdict]);
    }
}

cJSON *ib_verify_json(const struct ib_verify *v, const char *version)
{
    bool ok = true;
    cJSON *o = cJSON_CreateObject();

    ib_put_text(&ok, o, "schema", "invbench.verification/1");
    cJSON *entry = ib_put_object(&ok, o, "entry");
    ib_put_text(&ok, entry, "name", v->entry->name);
    ib_put_text(&ok, entry, "sha256", v->entry->hash);
    ib_put_text(&ok, o, "program", version);
    ib_put_text(&ok, o, "numerics", ib_numerics(v->session->env.registry));
    ib_put_text(&ok, o, "mode", mode(v));
    ib_put(&ok, o, "same_code", cJSON_CreateBool(v->entry->same_code));
    ib_put_copy(&ok, o, "other_code", v->entry->other_code);
    put_draw(&ok, v, o);
    ib_put_number(&ok, o, "computed", (double)v->computed);
    ib_put_number(&ok, o, "reused", (double)v->reused);
    ib_put_number(&ok, o, "numbers", (double)v->numbers);
    ib_put_number(&ok, o, "images", (double)v->images);
    ib_put_number(&ok, o, "rescored", (double)v->rescored);
    ib_put(&ok, o, "pinned_weights",
           v->entry->same_numerics ? cJSON_CreateNull()
                                   : cJSON_CreateBool(!v->own_weights));
    put_equivalence(&ok, v, o);
    ib_put_number(&ok, o, "differences", (double)v->f.n);
    ib_put(&ok, o, "findings",
           v->f.list ? cJSON_Duplicate(v->f.list, true) : cJSON_CreateArray());
    ib_put_text(&ok, o, "verdict", ib_verdict_names[v->verdict]);
    if (ok)
        return o;
    cJSON_Delete(o);
    return NULL;
}

static void add_draw(const struct ib_verify *v, struct ib_text *t)
{
    const struct ib_plan *p = v->session->plan;
    char name[512];

    if (v->all) {
        ib_text_add(t,
                    "  all %zu cells, their controls and all that is "
                    "summed up from them\n",
                    v->n_cells);
        return;
    }
    ib_text_add(t, "  drawn: %zu of %zu cells, with the nonce %s\n", v->n_drawn,
                v->n_cells, v->nonce);
    for (size_t i = 0; i < p->n_cells; i++) {
        if (!v->drawn[i])
            continue;
        ib_cell_name(p, &p->cells[i], name, sizeof name);
        ib_text_add(t, "    %s\n", name);
    }
}

static void add_bits(const struct ib_verify *v, struct ib_text *t)
{
    const cJSON *item;

    ib_text_add(t, "  the same numerics as here: recomputed bit for bit\n");
    cJSON_ArrayForEach(item, v->entry->other_code) ib_text_add(
        t, "%s%s",
        item == v->entry->other_code->child ? "  other code than here: " : ", ",
        item->valuestring);
    if (!v->entry->same_code)
        ib_text_add(t, "; keys are not compared, values are\n");
    ib_text_add(t, "  compared: %zu values, %zu images\n", v->numbers,
                v->images);
    if (v->rescored)
        ib_text_add(t, "  %zu cell%s of other pictures rescored as submitted\n",
                    v->rescored, v->rescored == 1 ? "" : "s");
}

static void add_equivalence(const struct ib_verify *v, struct ib_text *t)
{
    ib_text_add(t,
                "  other numerics than here (%s):\n    rescored: %zu cell%s, "
                "to %g, with %s\n    recomputed: equivalence by two one-sided "
                "t tests at %g, margin %g\n",
                ib_at_text(v->entry->manifest, "numerics"), v->rescored,
                v->rescored == 1 ? "" : "s", IB_RESCORE_TOLERANCE,
                v->own_weights ? "evaluators trained here (the entry's weight "
                                 "files are not at hand)"
                               : "the entry's evaluators",
                IB_EQUIVALENCE_ALPHA, IB_EQUIVALENCE_MARGIN);
    for (size_t i = 0; i < v->n_equivalence; i++) {
        const struct ib_equivalence *e = &v->equivalence[i];
        ib_text_add(t, "    %-24s %+.4f [%+.4f, %+.4f] p %.4f, %d identities: ",
                    e->column, e->difference, e->low, e->high, e->p,
                    e->identities);
        ib_text_add(t, "%s\n",
                    e->verdict == IB_VERIFIED ? "equivalent"
                    : e->verdict == IB_REFUTED
                        ? "different"
                        : "inconclusive: more --cells are needed");
    }
}

void ib_verify_text(const struct ib_verify *v, struct ib_text *t)
{
    ib_text_add(t, "%s (%.12s)\n", v->entry->dir, v->entry->hash);
    if (v->drawn) {
        add_draw(v, t);
        ib_text_add(t,
                    "  computed for this: %zu artifacts; from the store: "
                    "%zu\n",
                    v->computed, v->reused);
        if (v->entry->same_numerics)
            add_bits(v, t);
        else
            add_equivalence(v, t);
    }
    if (v->f.n) {
        ib_text_add(t, "  %zu difference%s:\n", v->f.n, v->f.n == 1 ? "" : "s");
        ib_findings_text(&v->f, SHOWN, t);
    }
    ib_text_add(t, "%s\n", ib_verdict_names[v->verdict]);
}
