/* METRIC:+0.02, METRIC:-1pp. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "compare.h"

static enum ib_status refuse(const char *text, const char *why,
                             struct ib_error *err)
{
    return ib_error_set(err, IB_E_USAGE,
                        "rule \"%.80s\": %s; write METRIC:+LIMIT where a rise "
                        "is worse, METRIC:-LIMIT where a fall is, as in "
                        "leakage:+0.02 or accuracy:-1pp",
                        text, why);
}

enum ib_status ib_rule_parse(const char *text, bool noninferior,
                             struct ib_rule *out, struct ib_error *err)
{
    const char *colon = strrchr(text, ':');
    size_t n = colon ? (size_t)(colon - text) : 0;
    char *end;
    *out = (struct ib_rule){.text = text, .noninferior = noninferior};
    if (!colon || n == 0)
        return refuse(text, "it names no metric or has no colon", err);
    if (n >= sizeof out->metric)
        return refuse(text, "the metric's name is too long", err);
    memcpy(out->metric, text, n);
    if (colon[1] != '+' && colon[1] != '-')
        return refuse(text, "the limit has no sign", err);
    out->worse = colon[1] == '+' ? 1 : -1;
    if (!strchr("0123456789.", colon[2]) || !colon[2])
        return refuse(text, "the limit is not a number", err);
    out->threshold = strtod(colon + 2, &end);
    if (!strcmp(end, "pp"))
        out->threshold /= 100;
    else if (*end)
        return refuse(text, "after the limit only pp (points) may stand", err);
    if (!isfinite(out->threshold))
        return refuse(text, "the limit is not a number", err);
    if (noninferior && out->threshold == 0)
        return refuse(text, "a margin of 0 can never be shown", err);
    return IB_OK;
}
