/* Reading members of checked results (report_view.h). */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report_view.h"

const char *ib_view_text(const cJSON *o, const char *member)
{
    const cJSON *m = cJSON_GetObjectItemCaseSensitive(o, member);

    return cJSON_IsString(m) ? m->valuestring : "";
}

double ib_view_number(const cJSON *o, const char *member)
{
    const cJSON *m = cJSON_GetObjectItemCaseSensitive(o, member);

    return cJSON_IsNumber(m) && isfinite(m->valuedouble) ? m->valuedouble : NAN;
}

const cJSON *ib_view_array(const cJSON *o, const char *member)
{
    const cJSON *m = cJSON_GetObjectItemCaseSensitive(o, member);

    return cJSON_IsArray(m) ? m : NULL;
}

const cJSON *ib_view_object(const cJSON *o, const char *member)
{
    const cJSON *m = cJSON_GetObjectItemCaseSensitive(o, member);

    return cJSON_IsObject(m) ? m : NULL;
}

struct ib_estimate ib_view_estimate(const cJSON *o)
{
    return (struct ib_estimate){
        .value = ib_view_number(o, "value"),
        .low = ib_view_number(o, "low"),
        .high = ib_view_number(o, "high"),
        .reason = ib_view_text(o, "reason"),
        .control = ib_view_text(o, "control"),
        .control_value = ib_view_number(o, "control_value"),
    };
}

const struct ib_view_row *ib_view_find(const struct ib_view *v, int model,
                                       int defense, const struct ib_line *l)
{
    for (size_t i = 0; i < v->n_rows; i++) {
        const struct ib_view_row *r = &v->rows[i];
        if (r->model == model && r->defense == defense &&
            r->attack == l->attack && strcmp(r->access, l->access) == 0)
            return r;
    }
    return NULL;
}

bool ib_view_is(const struct ib_view_row *r, const char *status)
{
    return strcmp(r->status, status) == 0;
}

struct ib_estimate ib_view_column(const struct ib_view_row *r,
                                  const char *column)
{
    const cJSON *columns = ib_view_object(r->json, "columns");

    return ib_view_estimate(ib_view_object(columns, column));
}

const cJSON *ib_view_evaluator(const struct ib_view_row *r, const char **id)
{
    const cJSON *all = ib_view_object(r->json, "evaluators"), *e;
    const cJSON *best = cJSON_GetObjectItemCaseSensitive(
        all, ib_view_text(ib_view_object(r->json, "leakage"), "evaluator"));

    for (int counting = 1; counting >= 0 && !best; counting--) {
        cJSON_ArrayForEach(e, all)
        {
            bool counts =
                cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(e, "counts"));
            double acc = ib_view_number(e, "acc1");
            if (isnan(acc) || (counting && !counts))
                continue;
            if (!best || acc < ib_view_number(best, "acc1"))
                best = e;
        }
    }
    if (best && id)
        *id = best->string;
    return best;
}

struct ib_estimate ib_view_margin(const struct ib_view_row *r,
                                  const char *column)
{
    struct ib_estimate e = ib_view_column(r, column);

    e.value -= e.control_value;
    e.low -= e.control_value;
    e.high -= e.control_value;
    return e;
}

const cJSON *ib_view_utility(const struct ib_view *v, int model, int defense)
{
    const cJSON *u;

    cJSON_ArrayForEach(u, ib_view_array(v->summary, "utility"))
    {
        if (strcmp(ib_view_text(u, "model"), v->models.at[model]) == 0 &&
            strcmp(ib_view_text(u, "defense"), v->defenses.at[defense]) == 0)
            return u;
    }
    return NULL;
}

bool ib_view_calibrated(const struct ib_view *v, int model)
{
    for (size_t i = 0; i < v->n_rows; i++)
        if ((model < 0 || v->rows[i].model == model) &&
            !isnan(v->rows[i].leakage.value))
            return true;
    return false;
}

int ib_view_undefended(const struct ib_view *v)
{
    const cJSON *d;
    int i = 0;

    cJSON_ArrayForEach(d, ib_view_array(v->root, "defenses"))
    {
        if (cJSON_GetArraySize(ib_view_array(d, "stack")) == 0)
            return i;
        i++;
    }
    return 0;
}

double ib_view_asked(const cJSON *queries)
{
    static const char *const kinds[] = {"forward", "label", "gradient"};
    double sum = 0;

    for (size_t i = 0; i < IB_COUNT(kinds); i++)
        sum += ib_view_number(queries, kinds[i]);
    return sum;
}

double ib_view_queries(const struct ib_view_row *r)
{
    return ib_view_asked(ib_view_object(r->json, "queries"));
}

const char *ib_view_format(char out[IB_NUMBER_SIZE], double x)
{
    if (isnan(x))
        snprintf(out, IB_NUMBER_SIZE, "n/a");
    else if (fabs(x) < 0.005)
        snprintf(out, IB_NUMBER_SIZE, "0.00");
    else
        snprintf(out, IB_NUMBER_SIZE, fabs(x) < 1000 ? "%.2f" : "%.3g", x);
    return out;
}

const char *ib_view_count(char out[IB_NUMBER_SIZE], double x)
{
    static const char *const unit[] = {"", "k", "M", "G", "T"};
    size_t u = 0;

    if (isnan(x) || x < 0) {
        snprintf(out, IB_NUMBER_SIZE, "n/a");
        return out;
    }
    while (x >= 999.5 && u + 1 < IB_COUNT(unit)) {
        x /= 1000;
        u++;
    }
    bool whole = u == 0 ? floor(x) == x : x >= 99.5;
    snprintf(out, IB_NUMBER_SIZE, whole ? "%.0f%s" : "%.3g%s", x, unit[u]);
    return out;
}
