/* Member "membership": the attacks, and how many shadow models they have. */
#include <stdio.h>
#include <string.h>

#include "suite_parts.h"

enum { SHADOWS = 16, SHADOWS_LEAST = 4, SHADOWS_MOST = 256 };

static const unsigned default_attacks = 1u << IB_MEMBERSHIP_LOSS |
                                        1u << IB_MEMBERSHIP_CONFIDENCE |
                                        1u << IB_MEMBERSHIP_LIRA;
static const unsigned shadow_attacks =
    1u << IB_MEMBERSHIP_LIRA | 1u << IB_MEMBERSHIP_LIRA_OFFLINE;

static enum ib_status take_attack(struct ib_suite_draft *d, const cJSON *v,
                                  int index)
{
    const char *name = cJSON_IsString(v) ? v->valuestring : "";
    struct ib_text hint = {0};

    for (int a = 0; a < IB_MEMBERSHIP_ATTACKS; a++) {
        if (strcmp(ib_membership_names[a], name) != 0)
            continue;
        if (d->s.membership.attacks & 1u << a)
            return ib_suite_wrong(
                d, "membership.attacks[%d]: \"%s\" stands twice", index, name);
        d->s.membership.attacks |= 1u << a;
        return IB_OK;
    }
    ib_text_suggest(&hint, name, ib_membership_names);
    ib_suite_wrong(d, "membership.attacks[%d]: \"%.60s\" is no such attack%s",
                   index, name, ib_text_string(&hint));
    ib_text_free(&hint);
    return IB_E_USAGE;
}

static enum ib_status take_attacks(struct ib_suite_draft *d, const cJSON *v)
{
    enum ib_status s = IB_OK;
    int i = 0;

    d->s.membership.attacks = v ? 0 : default_attacks;
    if (!v)
        return IB_OK;
    if (!cJSON_IsArray(v) || !v->child)
        return ib_suite_wrong(d, "membership.attacks: not a list with at "
                                 "least one name");
    for (v = v->child; v && s == IB_OK; v = v->next)
        s = take_attack(d, v, i++);
    return s;
}

static enum ib_status take_shadows(struct ib_suite_draft *d, const cJSON *v)
{
    bool needed = d->s.membership.attacks & shadow_attacks;
    uint64_t n = SHADOWS;

    if (!needed && v)
        return ib_suite_wrong(d, "membership.shadows: none of the attacks "
                                 "asks for shadow models");
    if (!needed)
        return IB_OK;
    if (ib_suite_integer(d, v, "membership.shadows", SHADOWS_MOST, &n) != IB_OK)
        return IB_E_USAGE;
    if (n < SHADOWS_LEAST || n % 2)
        return ib_suite_wrong(d,
                              "membership.shadows: %d; an even number from %d "
                              "to %d is wanted",
                              (int)n, SHADOWS_LEAST, SHADOWS_MOST);
    d->s.membership.shadows = (int)n;
    return IB_OK;
}

enum ib_status ib_suite_membership_read(struct ib_suite_draft *d)
{
    static const char *const allowed[] = {"attacks", "shadows", NULL};
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(d->root, "membership");
    enum ib_status s;

    if (!v)
        return IB_OK;
    s = ib_suite_members(d, v, "membership", allowed);
    if (s == IB_OK)
        s = take_attacks(d, cJSON_GetObjectItemCaseSensitive(v, "attacks"));
    return s == IB_OK
               ? take_shadows(d, cJSON_GetObjectItemCaseSensitive(v, "shadows"))
               : s;
}

cJSON *ib_membership_names_json(const struct ib_suite *s)
{
    cJSON *list = cJSON_CreateArray();

    for (int a = 0; a < IB_MEMBERSHIP_ATTACKS; a++)
        if (s->membership.attacks & 1u << a)
            cJSON_AddItemToArray(list,
                                 cJSON_CreateString(ib_membership_names[a]));
    return list;
}
