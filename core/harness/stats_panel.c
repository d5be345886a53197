/* Panels: values by seed and identity. */
#include <math.h>
#include <stdlib.h>

#include "stats.h"

struct ib_panel ib_panel_make(int seeds, int identities)
{
    size_t n = (size_t)seeds * (size_t)identities;
    struct ib_panel p = {seeds, identities, calloc(n + 1, sizeof *p.v)};
    for (size_t i = 0; p.v && i < n; i++)
        p.v[i] = NAN;
    return p;
}

void ib_panel_free(struct ib_panel *p)
{
    free(p->v);
    *p = (struct ib_panel){0};
}

static size_t panel_size(const struct ib_panel *p)
{
    return (size_t)p->seeds * (size_t)p->identities;
}

double ib_panel_mean(const struct ib_panel *p, const double *w)
{
    double sum = 0, total = 0;
    for (size_t i = 0; i < panel_size(p); i++) {
        double k = w ? w[i] : 1;
        if (isnan(p->v[i]) || k == 0)
            continue;
        sum += k * p->v[i];
        total += k;
    }
    return total > 0 ? sum / total : NAN;
}

static bool seed_there(const struct ib_panel *p, int s)
{
    for (int k = 0; k < p->identities; k++)
        if (!isnan(p->v[(size_t)s * (size_t)p->identities + (size_t)k]))
            return true;
    return false;
}

static bool identity_there(const struct ib_panel *p, int k)
{
    for (int s = 0; s < p->seeds; s++)
        if (!isnan(p->v[(size_t)s * (size_t)p->identities + (size_t)k]))
            return true;
    return false;
}

int ib_panel_seeds(const struct ib_panel *p)
{
    int n = 0;
    for (int s = 0; s < p->seeds; s++)
        n += seed_there(p, s);
    return n;
}

int ib_panel_identities(const struct ib_panel *p)
{
    int n = 0;
    for (int k = 0; k < p->identities; k++)
        n += identity_there(p, k);
    return n;
}

double *ib_panel_support(const struct ib_panel *p)
{
    double *w = calloc(panel_size(p) + 1, sizeof *w);
    for (int k = 0; w && k < p->identities; k++) {
        if (!identity_there(p, k))
            continue;
        for (int s = 0; s < p->seeds; s++)
            w[s * p->identities + k] = seed_there(p, s);
    }
    return w;
}

struct ib_panel ib_panel_both(const struct ib_panel *a,
                              const struct ib_panel *b)
{
    struct ib_panel d = ib_panel_make(a->seeds, a->identities);
    for (size_t i = 0; d.v && i < panel_size(&d); i++)
        d.v[i] = a->v[i] - b->v[i];
    return d;
}
