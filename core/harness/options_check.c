/* The self-check of options tables, and how they are shown. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "options_io.h"

static const size_t field_sizes[] = {
    [IB_INT] = sizeof(int64_t), [IB_REAL] = sizeof(double),
    [IB_BOOL] = sizeof(bool),   [IB_CHOICE] = sizeof(int),
    [IB_TEXT] = IB_TEXT_MAX,    [IB_INTS] = sizeof(struct ib_ints),
};

static const size_t field_aligns[] = {
    [IB_INT] = _Alignof(int64_t),
    [IB_REAL] = _Alignof(double),
    [IB_BOOL] = _Alignof(bool),
    [IB_CHOICE] = _Alignof(int),
    [IB_TEXT] = 1,
    [IB_INTS] = _Alignof(struct ib_ints),
};

const char *ib_options_type(const struct ib_option *o)
{
    static const char *const names[] = {
        [IB_INT] = "int",       [IB_REAL] = "real", [IB_BOOL] = "bool",
        [IB_CHOICE] = "choice", [IB_TEXT] = "text", [IB_INTS] = "ints",
    };
    return names[o->type];
}

void ib_options_range(const struct ib_option *o, struct ib_text *out)
{
    switch (o->type) {
    case IB_INT:
    case IB_REAL:
    case IB_INTS:
        if (isinf(o->min) && isinf(o->max))
            ib_text_add(out, "any number");
        else if (isinf(o->max))
            ib_text_add(out, "%.15g or more", o->min);
        else if (isinf(o->min))
            ib_text_add(out, "%.15g or less", o->max);
        else
            ib_text_add(out, "%.15g..%.15g", o->min, o->max);
        return;
    case IB_BOOL:
        ib_text_add(out, "true or false");
        return;
    case IB_CHOICE:
        for (int i = 0; o->choices[i].name; i++)
            ib_text_add(out, "%s%s", i ? " | " : "", o->choices[i].name);
        return;
    case IB_TEXT:
        ib_text_add(out, "up to %d bytes", IB_TEXT_MAX - 1);
        return;
    }
}

static bool is_name(const char *name)
{
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");

    return n > 0 && name[n] == '\0' && n < IB_NAME_MAX;
}

static const char *wrong_field(const struct ib_option *o, size_t size)
{
    size_t end;

    if (o->type < IB_INT || o->type > IB_INTS)
        return "its type is unknown";
    if (!ib_size_add(o->offset, field_sizes[o->type], &end) || end > size)
        return "its field lies outside the options struct";
    if (o->offset % field_aligns[o->type])
        return "its field is not aligned";
    return NULL;
}

static const char *wrong_option(const struct ib_option *o, size_t size)
{
    const char *wrong = wrong_field(o, size);
    bool number = o->type == IB_INT || o->type == IB_REAL;

    if (wrong)
        return wrong;
    if (!is_name(o->name))
        return "a name has lower-case letters, digits and '_' only";
    if ((number || o->type == IB_INTS) && !(o->min < o->max))
        return "its range is empty: min must be less than max";
    if (o->type == IB_CHOICE && (!o->choices || !o->choices[0].name))
        return "it has no choices";
    if (!o->value && o->type != IB_TEXT && o->type != IB_INTS)
        return "it has no default";
    return o->help && *o->help ? NULL : "it has no help";
}

enum ib_status ib_options_check(const struct ib_option *table, size_t size,
                                struct ib_error *err)
{
    enum ib_status s = IB_OK;
    void *scratch;

    for (const struct ib_option *o = table; o && o->name; o++) {
        const char *wrong = wrong_option(o, size);
        for (const struct ib_option *p = table; p < o && !wrong; p++)
            if (strcmp(p->name, o->name) == 0)
                wrong = "its name stands twice in the table";
        if (wrong)
            return ib_error_set(err, IB_E_INTERNAL, "option %.60s: %s", o->name,
                                wrong);
    }
    scratch = malloc(size + 1);
    if (!scratch)
        return ib_error_set(err, IB_E_NOMEM, "no memory for options");
    s = ib_options_parse(table, size, NULL,
                         &(struct ib_place){.path = "defaults"}, scratch, err);
    free(scratch);
    return s;
}
