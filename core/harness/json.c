#include "json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json_check.h"

enum { JSON_MAX = 64 << 20 };

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int by_key(const void *a, const void *b)
{
    return strcmp((*(const cJSON *const *)a)->string,
                  (*(const cJSON *const *)b)->string);
}

static size_t count_of(const cJSON *v)
{
    size_t n = 0;

    for (const cJSON *c = v->child; c; c = c->next)
        n++;
    return n;
}

/* Canonical JSON is; then no key stands twice. */
static bool is_sorted(const cJSON *v)
{
    for (const cJSON *c = v->child; c && c->next; c = c->next)
        if (strcmp(c->string, c->next->string) >= 0)
            return false;
    return true;
}

static enum ib_status check_keys(const cJSON *v, const char *name,
                                 struct ib_error *err)
{
    enum ib_status s = IB_OK;
    size_t n, i = 0;
    const char **keys;

    if (is_sorted(v))
        return IB_OK;
    n = count_of(v);
    keys = malloc((n + 1) * sizeof *keys);
    if (!keys)
        return ib_error_set(err, IB_E_NOMEM, "%s: no memory", name);
    for (const cJSON *c = v->child; c; c = c->next)
        keys[i++] = c->string;
    qsort(keys, n, sizeof *keys, by_text);
    for (i = 1; i < n && s == IB_OK; i++)
        if (strcmp(keys[i - 1], keys[i]) == 0)
            s = ib_error_set(err, IB_E_DATA,
                             "%s: the key \"%.80s\" stands twice in one object",
                             name, keys[i]);
    free(keys);
    return s;
}

/* What a scan of the text does not see: duplicate keys, infinite numbers. */
static enum ib_status check_tree(const cJSON *v, const char *name,
                                 struct ib_error *err)
{
    enum ib_status s = IB_OK;

    if (cJSON_IsNumber(v) && !isfinite(v->valuedouble))
        return ib_error_set(err, IB_E_DATA, "%s: a number is out of range",
                            name);
    if (cJSON_IsObject(v))
        s = check_keys(v, name, err);
    for (const cJSON *c = v->child; c && s == IB_OK; c = c->next)
        s = check_tree(c, name, err);
    return s;
}

enum ib_status ib_json_parse(const char *text, size_t n, const char *name,
                             cJSON **out, struct ib_error *err)
{
    size_t line, column;
    const char *wrong;
    enum ib_status s;
    cJSON *v;

    *out = NULL;
    if (n > JSON_MAX)
        return ib_error_set(err, IB_E_DATA,
                            "%s: %zu bytes; up to 64 MiB are allowed", name, n);
    wrong = ib_json_check(text, n, &line, &column);
    if (wrong)
        return ib_error_set(err, IB_E_DATA, "%s:%zu:%zu: not JSON: %s", name,
                            line, column, wrong);
    v = cJSON_ParseWithLength(text, n);
    if (!v)
        return ib_error_set(err, IB_E_NOMEM, "%s: no memory", name);
    s = check_tree(v, name, err);
    if (s == IB_OK)
        *out = v;
    else
        cJSON_Delete(v);
    return s;
}

enum ib_status ib_json_read(const char *path, cJSON **out, struct ib_error *err)
{
    struct ib_text text = {0};
    enum ib_status s = ib_file_read(path, JSON_MAX, &text, err);

    *out = NULL;
    if (s == IB_OK)
        s = ib_json_parse(ib_text_string(&text), text.size, path, out, err);
    ib_text_free(&text);
    return s;
}

cJSON *ib_json_number(double x)
{
    return isfinite(x) ? cJSON_CreateNumber(x) : cJSON_CreateNull();
}

/* --- writing ------------------------------------------------------------ */

struct writer {
    struct ib_text *out;
    bool canonical;
};

/* Without printf: most numbers of results are small and whole. */
static void write_whole(struct ib_text *out, double x)
{
    char digits[24];
    size_t at = sizeof digits;
    uint64_t left = (uint64_t)fabs(x);

    do {
        digits[--at] = (char)('0' + left % 10);
        left /= 10;
    } while (left);
    if (x < 0)
        digits[--at] = '-';
    ib_text_put(out, digits + at, sizeof digits - at);
}

/* The fewest digits that read back as x; "1e-05" becomes "1e-5". Up to 15
 * digits survive the way there and back by themselves, except in subnormals.
 */
static void write_number(struct ib_text *out, double x)
{
    char digits[40], *e;

    if (!isfinite(x)) {
        ib_text_add(out, "null");
        return;
    }
    if (x == floor(x) && fabs(x) <= 9007199254740992.0) {
        write_whole(out, x);
        return;
    }
    for (int precision = fabs(x) < 1e-300 ? 1 : 15; precision <= 17;
         precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, x);
        if (strtod(digits, NULL) == x)
            break;
    }
    e = strchr(digits, 'e');
    if (!e) {
        ib_text_put(out, digits, strlen(digits));
        return;
    }
    ib_text_put(out, digits, (size_t)(e - digits));
    ib_text_add(out, "e%d", atoi(e + 1));
}

static void write_string(struct ib_text *out, const char *text)
{
    static const char plain[] = "\b\f\n\r\t", letter[] = "bfnrt";

    ib_text_put(out, "\"", 1);
    for (const char *p = text; *p; p++) {
        unsigned char c = (unsigned char)*p;
        if (c >= 0x20 && c != '"' && c != '\\') {
            const char *end = p + 1;
            while ((unsigned char)*end >= 0x20 && *end != '"' && *end != '\\')
                end++;
            ib_text_put(out, p, (size_t)(end - p));
            p = end - 1;
            continue;
        }
        const char *named = strchr(plain, c);
        if (c == '"' || c == '\\')
            ib_text_add(out, "\\%c", c);
        else if (named)
            ib_text_add(out, "\\%c", letter[named - plain]);
        else
            ib_text_add(out, "\\u%04x", c);
    }
    ib_text_put(out, "\"", 1);
}

static void line_break(const struct writer *w, int depth)
{
    if (w->canonical)
        return;
    ib_text_put(w->out, "\n", 1);
    for (int i = 0; i < depth; i++)
        ib_text_put(w->out, "  ", 2);
}

static enum ib_status write_value(const struct writer *w, const cJSON *v,
                                  int depth, struct ib_error *err);

/* Short lists of numbers stay on one line. */
static bool is_flat(const cJSON *v)
{
    size_t n = 0;

    for (const cJSON *c = v->child; c; c = c->next)
        if (!cJSON_IsNumber(c) || ++n > 16)
            return false;
    return true;
}

static enum ib_status write_array(const struct writer *w, const cJSON *v,
                                  int depth, struct ib_error *err)
{
    bool flat = w->canonical || is_flat(v);
    enum ib_status s = IB_OK;

    ib_text_put(w->out, "[", 1);
    for (const cJSON *c = v->child; c && s == IB_OK; c = c->next) {
        if (!flat)
            line_break(w, depth + 1);
        s = write_value(w, c, depth + 1, err);
        if (c->next)
            ib_text_put(w->out, ", ", flat && !w->canonical ? 2 : 1);
    }
    if (!flat)
        line_break(w, depth);
    ib_text_put(w->out, "]", 1);
    return s;
}

static enum ib_status write_object(const struct writer *w, const cJSON *v,
                                   int depth, struct ib_error *err)
{
    enum ib_status s = IB_OK;
    size_t n = count_of(v), i = 0;
    const cJSON **member = malloc((n + 1) * sizeof *member);

    if (!member)
        return ib_error_set(err, IB_E_NOMEM, "no memory to write JSON");
    for (const cJSON *c = v->child; c; c = c->next)
        member[i++] = c;
    if (w->canonical)
        qsort(member, n, sizeof *member, by_key);
    ib_text_put(w->out, "{", 1);
    for (i = 0; i < n && s == IB_OK; i++) {
        line_break(w, depth + 1);
        write_string(w->out, member[i]->string);
        ib_text_put(w->out, ": ", w->canonical ? 1 : 2);
        s = write_value(w, member[i], depth + 1, err);
        if (i + 1 < n)
            ib_text_put(w->out, ",", 1);
    }
    if (n)
        line_break(w, depth);
    ib_text_put(w->out, "}", 1);
    free(member);
    return s;
}

static enum ib_status write_value(const struct writer *w, const cJSON *v,
                                  int depth, struct ib_error *err)
{
    if (depth > 2 * IB_JSON_DEPTH)
        return ib_error_set(err, IB_E_INTERNAL, "JSON is nested too deep");
    if (cJSON_IsObject(v))
        return write_object(w, v, depth, err);
    if (cJSON_IsArray(v))
        return write_array(w, v, depth, err);
    if (cJSON_IsString(v))
        write_string(w->out, v->valuestring);
    else if (cJSON_IsNumber(v))
        write_number(w->out, v->valuedouble);
    else
        ib_text_add(w->out, "%s",
                    cJSON_IsTrue(v)    ? "true"
                    : cJSON_IsFalse(v) ? "false"
                                       : "null");
    return IB_OK;
}

enum ib_status ib_json_canonical(const cJSON *v, struct ib_text *out,
                                 struct ib_error *err)
{
    struct writer w = {.out = out, .canonical = true};
    enum ib_status s = write_value(&w, v, 0, err);

    return s == IB_OK ? ib_text_status(out, err) : s;
}

enum ib_status ib_json_pretty(const cJSON *v, struct ib_text *out,
                              struct ib_error *err)
{
    struct writer w = {.out = out};
    enum ib_status s = write_value(&w, v, 0, err);

    ib_text_put(out, "\n", 1);
    return s == IB_OK ? ib_text_status(out, err) : s;
}
