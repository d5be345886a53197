/* --only coordinate=value: a part of a suite. */
#include <stdio.h>
#include <string.h>

#include "suite_parts.h"

enum coordinate { MODEL, DEFENSE, ATTACK, ACCESS, SEED, COORDINATES };
static const char *const coordinate_names[] = {"model",  "defense", "attack",
                                               "access", "seed",    NULL};

struct filter {
    struct ib_suite_draft *d;
    const char *const *only;
    bool used[COORDINATES];
};

static bool splits(const char *text, enum coordinate c, const char **word)
{
    size_t n = strlen(coordinate_names[c]);

    if (strncmp(text, coordinate_names[c], n) != 0 || text[n] != '=')
        return false;
    *word = text + n + 1;
    return true;
}

/* Does the filter let this id of this coordinate through? */
static bool passes(const struct filter *f, enum coordinate c, const char *id)
{
    const char *word;

    if (!f->used[c])
        return true;
    for (const char *const *o = f->only; *o; o++)
        if (splits(*o, c, &word) && ib_suite_means(word, id))
            return true;
    return false;
}

static const char *seed_text(uint64_t seed, char text[24])
{
    snprintf(text, 24, "%llu", (unsigned long long)seed);
    return text;
}

/* The ids of a coordinate, one by one; NULL after the last. */
static const char *id_at(const struct ib_suite_draft *d, enum coordinate c,
                         int i, char text[24])
{
    switch (c) {
    case MODEL:
        return i < d->s.n_models ? d->models[i].id : NULL;
    case DEFENSE:
        return i < d->s.n_defenses ? d->defenses[i].id : NULL;
    case ATTACK:
        return i < d->s.n_attacks ? d->attacks[i].id : NULL;
    case ACCESS:
        return i < IB_LEVELS ? ib_level_names[i] : NULL;
    default:
        return i < d->s.n_seeds ? seed_text(d->seeds[i], text) : NULL;
    }
}

static enum ib_status names_nothing(const struct filter *f, enum coordinate c,
                                    const char *word)
{
    const char *ids[101] = {0};
    char text[24];
    struct ib_text hint = {0};

    for (int i = 0; i < 100 && c != SEED; i++)
        if (!(ids[i] = id_at(f->d, c, i, text)))
            break;
    if (c != SEED)
        ib_text_suggest(&hint, word, ids);
    ib_error_set(f->d->err, IB_E_USAGE, "--only %s=%.60s names nothing%s",
                 coordinate_names[c], word, ib_text_string(&hint));
    ib_text_free(&hint);
    return IB_E_USAGE;
}

static enum ib_status check_one(struct filter *f, const char *text)
{
    const char *word = NULL, *id;
    struct ib_text hint = {0};
    char number[24];

    for (int c = 0; c < COORDINATES; c++) {
        if (!splits(text, (enum coordinate)c, &word))
            continue;
        f->used[c] = true;
        for (int i = 0; (id = id_at(f->d, (enum coordinate)c, i, number)); i++)
            if (ib_suite_means(word, id))
                return IB_OK;
        return names_nothing(f, (enum coordinate)c, word);
    }
    ib_text_suggest(&hint, text, coordinate_names);
    ib_error_set(f->d->err, IB_E_USAGE,
                 "--only %.80s: not of the form coordinate=value%s", text,
                 ib_text_string(&hint));
    ib_text_free(&hint);
    return IB_E_USAGE;
}

static void keep_models(const struct filter *f)
{
    struct ib_suite_draft *d = f->d;
    int kept = 0;

    for (int i = 0; i < d->s.n_models; i++)
        if (passes(f, MODEL, d->models[i].id))
            d->models[kept++] = d->models[i];
        else
            ib_use_free(&d->models[i].use);
    d->s.n_models = kept;
}

static void keep_defenses(const struct filter *f)
{
    struct ib_suite_draft *d = f->d;
    int kept = 0;

    for (int i = 0; i < d->s.n_defenses; i++)
        if (passes(f, DEFENSE, d->defenses[i].id))
            d->defenses[kept++] = d->defenses[i];
        else
            ib_stack_free(&d->defenses[i].stack);
    d->s.n_defenses = kept;
}

/* Drops from an attack's own filter what is gone; false when nothing is left.
 */
static bool prune(const struct filter *f, enum coordinate c,
                  const char *const *ids)
{
    const char **list = (const char **)ids;
    int kept = 0;

    if (!list)
        return true;
    for (int i = 0; list[i]; i++)
        if (passes(f, c, list[i]))
            list[kept++] = list[i];
    list[kept] = NULL;
    return kept > 0;
}

static unsigned keep_levels(const struct filter *f, unsigned access)
{
    for (int i = 0; i < IB_LEVELS; i++)
        if (!passes(f, ACCESS, ib_level_names[i]))
            access &= ~IB_GRANTS(i);
    return access;
}

static void keep_attacks(const struct filter *f)
{
    struct ib_suite_draft *d = f->d;
    int kept = 0;

    d->s.access = keep_levels(f, d->s.access);
    for (int i = 0; i < d->s.n_attacks; i++) {
        struct ib_suite_attack *a = &d->attacks[i];
        a->access = keep_levels(f, a->access);
        if (passes(f, ATTACK, a->id) && a->access &&
            prune(f, MODEL, a->models) && prune(f, DEFENSE, a->defenses)) {
            d->attacks[kept++] = *a;
            continue;
        }
        ib_use_free(&a->use);
        ib_use_free(&a->prior);
    }
    d->s.n_attacks = kept;
}

static void keep_seeds(const struct filter *f)
{
    struct ib_suite_draft *d = f->d;
    char text[24];
    int kept = 0;

    for (int i = 0; i < d->s.n_seeds; i++)
        if (passes(f, SEED, seed_text(d->seeds[i], text)))
            d->seeds[kept++] = d->seeds[i];
    d->s.n_seeds = kept;
}

enum ib_status ib_suite_only(struct ib_suite_draft *d, const char *const *only)
{
    struct filter f = {.d = d, .only = only};
    enum ib_status s = IB_OK;

    for (const char *const *o = only; o && *o && s == IB_OK; o++)
        s = check_one(&f, *o);
    if (s != IB_OK || !only || !*only)
        return s;
    keep_models(&f);
    keep_defenses(&f);
    keep_attacks(&f);
    keep_seeds(&f);
    if (ib_suite_cells(&d->s) == 0)
        return ib_suite_wrong(d, "--only leaves no cell of this suite");
    return IB_OK;
}
