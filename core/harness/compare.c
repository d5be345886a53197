#include "compare.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "compare_parts.h"
#include "run_results.h"

#define SCHEMA "invbench.results/1"

const char *const ib_side_names[] = {"BASE", "NEW"};
const char *const ib_verdict_words[] = {"pass", "fail", "undecided"};
const char *const ib_outcome_words[] = {"ok", "regression",
                                        "nothing to compare", "not comparable"};

static enum ib_status read_side(struct ib_compare *c, enum ib_side side,
                                const char *path, struct ib_error *err)
{
    struct ib_compare_side *s = &c->side[side];
    struct stat st;
    char file[4200];
    bool folder = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
    snprintf(file, sizeof file, folder ? "%.4000s/results.json" : "%.4000s",
             path);
    enum ib_status status = folder ? ib_run_results(path, &s->root, err)
                                   : ib_json_read(file, &s->root, err);
    if (status)
        return status;
    const char *schema = ib_view_text(s->root, "schema");
    if (!strncmp(schema, "invbench.results/", 17) && strcmp(schema, SCHEMA))
        return ib_compare_say(c->incompatible, err,
                              "other schema: %s has %.60s; this version "
                              "compares " SCHEMA,
                              ib_side_names[side], schema);
    return ib_view_open(s->root, file, &s->view, err);
}

static bool has_seed(const cJSON *results, double seed)
{
    const cJSON *s;
    cJSON_ArrayForEach(s, ib_view_array(results, "seeds"))
    {
        if (cJSON_IsNumber(s) && s->valuedouble == seed)
            return true;
    }
    return false;
}

/* Seeds that one run lacks are not missing cells: it was not asked for them. */
static enum ib_status pair_seeds(struct ib_compare *c, struct ib_error *err)
{
    const cJSON *s;
    int alone = 0;
    cJSON_ArrayForEach(s, ib_view_array(c->side[IB_BASE].root, "seeds"))
    {
        if (!cJSON_IsNumber(s) || c->seeds == IB_COMPARE_SEEDS)
            continue;
        if (has_seed(c->side[IB_NEW].root, s->valuedouble))
            c->seed[c->seeds++] = s->valuedouble;
        else
            alone++;
    }
    cJSON_ArrayForEach(s, ib_view_array(c->side[IB_NEW].root, "seeds")) alone +=
        cJSON_IsNumber(s) && !has_seed(c->side[IB_BASE].root, s->valuedouble);
    if (!alone)
        return IB_OK;
    return ib_compare_say(c->warnings, err, "%d seed%s only one run: left out",
                          alone, alone == 1 ? " is in" : "s are in");
}

static int index_of(const struct ib_names *names, const char *id)
{
    for (size_t i = 0; i < names->n; i++)
        if (!strcmp(names->at[i], id))
            return (int)i;
    return -1;
}

/* By id; where that is gone, by place, if what stands there is new too. */
static enum ib_status pair_defenses(struct ib_compare *c, struct ib_error *err)
{
    const struct ib_names *a = &c->side[IB_BASE].view.defenses;
    const struct ib_names *b = &c->side[IB_NEW].view.defenses;
    c->defense_new = calloc(a->n + 1, sizeof *c->defense_new);
    if (!c->defense_new)
        return ib_error_set(err, IB_E_NOMEM, "no memory for a comparison");
    for (size_t i = 0; i < a->n; i++) {
        int at = index_of(b, a->at[i]);
        if (at < 0 && i < b->n && index_of(a, b->at[i]) < 0)
            at = (int)i;
        c->defense_new[i] = at;
    }
    return IB_OK;
}

static bool is_measured(const struct ib_compare *c, const char *metric,
                        const cJSON **column)
{
    static const char *const known[] = {"leakage", "headline", "accuracy",
                                        "ece", "distortion"};
    const cJSON *o;
    *column = NULL;
    for (size_t i = 0; i < IB_COUNT(known); i++)
        if (!strcmp(known[i], metric))
            return true;
    for (int s = 0; s < 2; s++)
        cJSON_ArrayForEach(o, ib_view_array(c->side[s].root, "columns"))
        {
            if (strcmp(ib_view_text(o, "name"), metric))
                continue;
            *column = o;
            return true;
        }
    return false;
}

static int known_direction(const char *metric, const cJSON *column)
{
    const char *direction = ib_view_text(column, "direction");
    if (!strcmp(metric, "accuracy") || !strcmp(direction, "lower-leaks"))
        return -1;
    return column && strcmp(direction, "higher-leaks") ? 0 : 1;
}

static enum ib_status unknown_metric(const struct ib_compare *c,
                                     const struct ib_rule *r,
                                     struct ib_error *err)
{
    const cJSON *columns = ib_view_array(c->side[IB_BASE].root, "columns"), *o;
    size_t n = 0, size = (size_t)cJSON_GetArraySize(columns) + 6;
    const char **names = calloc(size, sizeof *names);
    static const char *const known[] = {"leakage", "headline", "accuracy",
                                        "ece", "distortion"};
    struct ib_text text = {0};
    if (!names)
        return ib_error_set(err, IB_E_NOMEM, "no memory for a comparison");
    for (; n < IB_COUNT(known); n++)
        names[n] = known[n];
    cJSON_ArrayForEach(o, columns) names[n++] = ib_view_text(o, "name");
    ib_text_suggest(&text, r->metric, names);
    enum ib_status s = ib_error_set(
        err, IB_E_USAGE, "rule \"%.80s\": neither run measured \"%.80s\"%.500s",
        r->text, r->metric, ib_text_string(&text));
    ib_text_free(&text);
    free(names);
    return s;
}

static enum ib_status check_rules(const struct ib_compare *c,
                                  struct ib_error *err)
{
    for (size_t i = 0; i < c->n_rules; i++) {
        const struct ib_rule *r = &c->rules[i];
        const cJSON *column;
        if (!is_measured(c, r->metric, &column))
            return unknown_metric(c, r, err);
        int worse = known_direction(r->metric, column);
        if (worse && worse != r->worse)
            return ib_error_set(err, IB_E_USAGE,
                                "rule \"%.80s\": %.80s is worse when it %s: "
                                "write %s:%c%g",
                                r->text, r->metric,
                                worse > 0 ? "rises" : "falls", r->metric,
                                worse > 0 ? '+' : '-', r->threshold);
    }
    return IB_OK;
}

static enum ib_status lists_make(struct ib_compare *c, struct ib_error *err)
{
    c->incompatible = cJSON_CreateArray();
    c->changed = cJSON_CreateArray();
    c->warnings = cJSON_CreateArray();
    c->unpaired = cJSON_CreateArray();
    if (c->incompatible && c->changed && c->warnings && c->unpaired)
        return IB_OK;
    return ib_error_set(err, IB_E_NOMEM, "no memory for a comparison");
}

static enum ib_status prepare(struct ib_compare *c, struct ib_error *err)
{
    enum ib_status s = check_rules(c, err);
    if (!s)
        s = pair_seeds(c, err);
    if (!s)
        s = pair_defenses(c, err);
    for (int i = 0; !s && i < 2; i++)
        s = ib_side_index(&c->side[i], err);
    if (!s)
        s = ib_compare_people(c, err);
    return s ? s : ib_compare_check(c, err);
}

enum ib_status ib_compare_make(const char *base, const char *fresh,
                               const struct ib_rule *rules, size_t n_rules,
                               struct ib_compare *c, struct ib_error *err)
{
    *c = (struct ib_compare){.rules = rules, .n_rules = n_rules};
    enum ib_status s = lists_make(c, err);
    if (!s)
        s = read_side(c, IB_BASE, base, err);
    if (!s)
        s = read_side(c, IB_NEW, fresh, err);
    if (!s && !cJSON_GetArraySize(c->incompatible))
        s = prepare(c, err);
    if (!s && cJSON_GetArraySize(c->incompatible))
        c->outcome = IB_OUTCOME_INCOMPATIBLE;
    else if (!s)
        s = ib_compare_lines(c, err);
    if (!s && c->outcome != IB_OUTCOME_INCOMPATIBLE)
        s = ib_compare_judge(c, err);
    if (s)
        ib_compare_free(c);
    return s;
}

void ib_compare_free(struct ib_compare *c)
{
    for (int i = 0; i < 2; i++) {
        ib_view_close(&c->side[i].view);
        cJSON_Delete(c->side[i].root);
        free(c->side[i].by_place);
        free(c->side[i].by_name);
    }
    free(c->defense_new);
    free(c->people);
    free(c->lines);
    free(c->judgements);
    cJSON_Delete(c->incompatible);
    cJSON_Delete(c->changed);
    cJSON_Delete(c->warnings);
    cJSON_Delete(c->unpaired);
    *c = (struct ib_compare){0};
}
