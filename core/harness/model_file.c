/* Model files: bytes, sizes, hash; what the header says is checked next door
 * (model_file_header.c). */
#include "model_file.h"

#include <errno.h>
#include <fcntl.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "json_put.h"

static const uint8_t MAGIC[8] = {0x89, 'I', 'B', 'M', '\r', '\n', 0x1a, '\n'};

static void put_number(uint8_t *p, uint64_t v, int bytes)
{
    for (int i = 0; i < bytes; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

static uint64_t get_number(const uint8_t *p, int bytes)
{
    uint64_t v = 0;

    for (int i = bytes - 1; i >= 0; i--)
        v = v << 8 | p[i];
    return v;
}

/* Where the numbers begin, and the size of the whole file; false where it
 * cannot be addressed. */
struct layout {
    size_t header, numbers; /* bytes; count */
    size_t at_numbers, at_hash, total;
};

static bool lay_out(size_t header, size_t numbers, struct layout *out)
{
    const size_t align = IB_MODEL_FILE_ALIGN;
    size_t end, bytes;

    *out = (struct layout){.header = header, .numbers = numbers};
    if (!ib_size_add(header, IB_MODEL_FILE_FIXED + align - 1, &end) ||
        !ib_size_mul(numbers, sizeof(float), &bytes))
        return false;
    out->at_numbers = end / align * align;
    return ib_size_add(out->at_numbers, bytes, &out->at_hash) &&
           ib_size_add(out->at_hash, IB_MODEL_FILE_HASH, &out->total);
}

static void hash_of(const uint8_t *bytes, size_t n,
                    uint8_t out[IB_MODEL_FILE_HASH])
{
    struct sha256_ctx ctx;

    sha256_init(&ctx);
    sha256_update(&ctx, n, bytes);
    sha256_digest(&ctx, IB_MODEL_FILE_HASH, out);
}

/* --- writing -------------------------------------------------------------- */

static void fill(uint8_t *bytes, const struct layout *l, const char *header,
                 struct ib_net *net)
{
    memcpy(bytes, MAGIC, sizeof(MAGIC));
    put_number(bytes + 8, IB_MODEL_FILE_VERSION, 4);
    put_number(bytes + 16, l->header, 8);
    put_number(bytes + 24, l->numbers, 8);
    memcpy(bytes + IB_MODEL_FILE_FIXED, header, l->header);
    ib_model_save(net, (float *)(void *)(bytes + l->at_numbers));
    hash_of(bytes, l->at_hash, bytes + l->at_hash);
}

enum ib_status ib_model_file_write(const char *path,
                                   const struct ib_loaded_model *m,
                                   const cJSON *spec, const cJSON *origin,
                                   struct ib_error *err)
{
    cJSON *header = ib_model_header_make(m, spec, origin);
    struct ib_text text = {0};
    struct layout l;
    uint8_t *bytes = NULL;
    enum ib_status s =
        header ? ib_json_canonical(header, &text, err)
               : ib_error_set(err, IB_E_NOMEM, "%s: no memory", path);

    if (s)
        goto done;
    if (text.size > IB_MODEL_FILE_HEADER_MAX) {
        s = ib_error_set(err, IB_E_USAGE,
                         "%s: a header of %zu bytes; %d are allowed", path,
                         text.size, IB_MODEL_FILE_HEADER_MAX);
        goto done;
    }
    if (lay_out(text.size, ib_model_numbers(m->net), &l))
        bytes = calloc(1, l.total);
    if (!bytes) {
        s = ib_error_set(err, IB_E_NOMEM, "%s: no memory for the file", path);
        goto done;
    }
    fill(bytes, &l, ib_text_string(&text), m->net);
    s = ib_file_write(path, bytes, l.total, err);
done:
    free(bytes);
    ib_text_free(&text);
    cJSON_Delete(header);
    return s;
}

/* --- reading -------------------------------------------------------------- */

static enum ib_status check_sizes(const uint8_t *bytes, size_t n,
                                  const char *name, struct layout *l,
                                  struct ib_error *err)
{
    uint64_t header = get_number(bytes + 16, 8);
    uint64_t numbers = get_number(bytes + 24, 8);

    if (header < 2 || header > IB_MODEL_FILE_HEADER_MAX)
        return ib_error_set(err, IB_E_DATA,
                            "%s: bytes 16..23: a header of %llu bytes; 2..%d "
                            "are allowed",
                            name, (unsigned long long)header,
                            IB_MODEL_FILE_HEADER_MAX);
    if (numbers > SIZE_MAX || !lay_out((size_t)header, (size_t)numbers, l) ||
        l->total != n)
        return ib_error_set(err, IB_E_DATA,
                            "%s: bytes 16..31: a header of %llu bytes and "
                            "%llu numbers; the file has %zu bytes: %s",
                            name, (unsigned long long)header,
                            (unsigned long long)numbers, n,
                            numbers > n || l->total > n ? "it was cut short"
                                                        : "it is too long");
    return IB_OK;
}

static enum ib_status check_fixed(const uint8_t *bytes, size_t n,
                                  const char *name, struct layout *l,
                                  struct ib_error *err)
{
    const size_t least = IB_MODEL_FILE_ALIGN + IB_MODEL_FILE_HASH;
    uint64_t version, zero;

    if (n < sizeof(MAGIC) || memcmp(bytes, MAGIC, sizeof(MAGIC)) != 0)
        return ib_error_set(err, IB_E_DATA,
                            "%s: bytes 0..7: not those that a model file "
                            "begins with (89 49 42 4d 0d 0a 1a 0a)",
                            name);
    if (n < least)
        return ib_error_set(
            err, IB_E_DATA,
            "%s: %zu bytes: it was cut short; a model file has at "
            "least %zu",
            name, n, least);
    version = get_number(bytes + 8, 4);
    zero = get_number(bytes + 12, 4);
    if (version != IB_MODEL_FILE_VERSION)
        return ib_error_set(err, IB_E_DATA,
                            "%s: bytes 8..11: version %llu; this program "
                            "reads version %d",
                            name, (unsigned long long)version,
                            IB_MODEL_FILE_VERSION);
    if (zero)
        return ib_error_set(err, IB_E_DATA,
                            "%s: bytes 12..15: %llu; 0 is allowed", name,
                            (unsigned long long)zero);
    return check_sizes(bytes, n, name, l, err);
}

static enum ib_status check_hash(const uint8_t *bytes, const struct layout *l,
                                 const char *name, struct ib_error *err)
{
    uint8_t hash[IB_MODEL_FILE_HASH];
    char there[17], here[17];

    hash_of(bytes, l->at_hash, hash);
    if (memcmp(hash, bytes + l->at_hash, sizeof(hash)) == 0)
        return IB_OK;
    for (int i = 0; i < 8; i++) {
        snprintf(there + 2 * i, 3, "%02x", bytes[l->at_hash + (size_t)i]);
        snprintf(here + 2 * i, 3, "%02x", hash[i]);
    }
    return ib_error_set(err, IB_E_DATA,
                        "%s: bytes %zu..%zu: SHA-256 %s...; the bytes before "
                        "it have %s...: the file was damaged or changed",
                        name, l->at_hash, l->total - 1, there, here);
}

static enum ib_status check_padding(const uint8_t *bytes,
                                    const struct layout *l, const char *name,
                                    struct ib_error *err)
{
    for (size_t i = IB_MODEL_FILE_FIXED + l->header; i < l->at_numbers; i++)
        if (bytes[i])
            return ib_error_set(err, IB_E_DATA,
                                "%s: byte %zu, between header and numbers: "
                                "%u; 0 is allowed",
                                name, i, bytes[i]);
    return IB_OK;
}

static enum ib_status check_numbers(const struct ib_model_file *f,
                                    const char *name, size_t n,
                                    struct ib_error *err)
{
    size_t sum = f->parameters + f->state;

    if (sum == n)
        return IB_OK;
    return ib_error_set(err, IB_E_DATA,
                        "%s: header: %zu parameters and %zu numbers of state; "
                        "bytes 24..31 say %zu numbers",
                        name, f->parameters, f->state, n);
}

enum ib_status ib_model_file_parse(const void *data, size_t n, const char *name,
                                   struct ib_model_file *out,
                                   struct ib_error *err)
{
    const uint8_t *bytes = data;
    const char *header = (const char *)data + IB_MODEL_FILE_FIXED;
    struct layout l = {0};
    struct ib_text place = {0};
    enum ib_status s;

    *out = (struct ib_model_file){.bytes = n};
    ib_text_add(&place, "%s: header", name);
    s = check_fixed(bytes, n, name, &l, err);
    if (!s)
        s = check_hash(bytes, &l, name, err);
    if (!s)
        s = check_padding(bytes, &l, name, err);
    if (!s)
        s = ib_json_parse(header, l.header, ib_text_string(&place),
                          &out->header, err);
    if (!s)
        s = ib_model_header_check(out->header, name, out, err);
    if (!s)
        s = check_numbers(out, name, l.numbers, err);
    ib_text_free(&place);
    if (s) {
        ib_model_file_close(out);
        return s;
    }
    out->numbers = (const float *)(const void *)(bytes + l.at_numbers);
    for (int i = 0; i < IB_MODEL_FILE_HASH; i++)
        snprintf(out->hash + 2 * i, 3, "%02x", bytes[l.at_hash + (size_t)i]);
    return IB_OK;
}

/* Regular files alone: their size is known before anything is read. */
static enum ib_status take_file(const char *path, uint8_t **out, size_t *n,
                                struct ib_error *err)
{
    struct stat st;
    size_t done = 0;
    ssize_t got = 1;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    enum ib_status s = IB_OK;

    *out = NULL;
    if (fd < 0 || fstat(fd, &st) != 0) {
        s = ib_error_set(err, IB_E_IO, "%s: %s", path, strerror(errno));
        goto done;
    }
    if (!S_ISREG(st.st_mode)) {
        s = ib_error_set(err, IB_E_DATA, "%s: not a regular file", path);
        goto done;
    }
    *n = (size_t)st.st_size;
    *out = malloc(*n + 1);
    if (!*out) {
        s = ib_error_set(err, IB_E_NOMEM, "%s: no memory for %zu bytes", path,
                         *n);
        goto done;
    }
    while (done < *n && got > 0) {
        got = read(fd, *out + done, *n - done);
        if (got < 0 && errno == EINTR)
            got = 1;
        else
            done += got > 0 ? (size_t)got : 0;
    }
    if (got < 0)
        s = ib_error_set(err, IB_E_IO, "%s: %s", path, strerror(errno));
    *n = done;
done:
    if (fd >= 0)
        close(fd);
    return s;
}

enum ib_status ib_model_file_read(const char *path, struct ib_model_file *out,
                                  struct ib_error *err)
{
    uint8_t *bytes = NULL;
    size_t n = 0;
    enum ib_status s;

    *out = (struct ib_model_file){0};
    s = take_file(path, &bytes, &n, err);
    if (!s)
        s = ib_model_file_parse(bytes, n, path, out, err);
    if (s)
        free(bytes);
    else
        out->owned = bytes;
    return s;
}

void ib_model_file_close(struct ib_model_file *f)
{
    cJSON_Delete(f->header);
    free(f->owned);
    *f = (struct ib_model_file){0};
}

/* --- with the plugin ------------------------------------------------------ */

/* {"name", options...}, as in a suite, from {"name", "version", "code",
 * "options"}. NULL: no memory. */
static cJSON *suite_form(const cJSON *plugin)
{
    cJSON *o = cJSON_Duplicate(ib_at(plugin, "options"), true);
    cJSON *name = cJSON_CreateString(ib_at_text(plugin, "name"));

    if (o && name && cJSON_AddItemToObject(o, "name", name))
        return o;
    cJSON_Delete(name);
    cJSON_Delete(o);
    return NULL;
}

static enum ib_status same_version(const struct ib_plugin *have,
                                   const cJSON *plugin, const char *where,
                                   struct ib_error *err)
{
    const char *version = ib_at_text(plugin, "version");

    if (strcmp(have->version, version) == 0)
        return IB_OK;
    return ib_error_set(err, IB_E_DATA,
                        "%s.version: \"%.60s\"; this program has \"%s\" of %s",
                        where, version, have->version, have->name);
}

/* One plugin of the file; code that differs is noted. */
static enum ib_status take_plugin(const struct ib_registry *r,
                                  enum ib_kind kind, const cJSON *plugin,
                                  const char *where, struct ib_use *out,
                                  struct ib_error *err)
{
    cJSON *o = suite_form(plugin);
    enum ib_status s;

    if (!o)
        return ib_error_set(err, IB_E_NOMEM, "%s: no memory", where);
    s = ib_use_parse(r, kind, o, &(struct ib_place){.path = where}, out, err);
    cJSON_Delete(o);
    return s ? s : same_version(out->plugin, plugin, where, err);
}

static bool is_code(const struct ib_registry *r, const struct ib_use *use,
                    const cJSON *plugin)
{
    return strcmp(ib_registry_code_hash(r, use->plugin),
                  ib_at_text(plugin, "code")) == 0;
}

static enum ib_status take_recipe(const struct ib_model_file *f,
                                  const struct ib_registry *r, const char *name,
                                  struct ib_model_recipe *out,
                                  struct ib_error *err)
{
    const cJSON *plugin = ib_at(f->header, "plugin"), *d;
    struct ib_stack *stack = &out->stack;
    char where[256];
    enum ib_status s;

    *out = (struct ib_model_recipe){.same_code = true};
    snprintf(where, sizeof(where), "%.200s: header.plugin", name);
    s = take_plugin(r, IB_KIND_MODEL, plugin, where, &out->use, err);
    if (s)
        return s;
    out->same_code = is_code(r, &out->use, plugin);
    cJSON_ArrayForEach(d, ib_at(f->header, "defenses"))
    {
        struct ib_use *use = &stack->use[stack->n];

        snprintf(where, sizeof(where), "%.200s: header.defenses[%d]", name,
                 stack->n);
        s = take_plugin(r, IB_KIND_DEFENSE, d, where, use, err);
        stack->n++;
        if (s)
            return s;
        out->same_code = out->same_code && is_code(r, use, d);
        if (ib_stack_at(stack, stack->n - 1)->stage != IB_STAGE_TRAIN)
            return ib_error_set(err, IB_E_DATA,
                                "%s.name: \"%s\" does nothing in training",
                                where, use->plugin->name);
    }
    return IB_OK;
}

void ib_model_recipe_free(struct ib_model_recipe *x)
{
    ib_use_free(&x->use);
    ib_stack_free(&x->stack);
}

enum ib_status ib_model_file_check(const struct ib_model_file *f,
                                   const struct ib_registry *r,
                                   const char *name,
                                   struct ib_model_recipe *out,
                                   struct ib_error *err)
{
    struct ib_model_nodes nodes;
    struct ib_graph *g = NULL;
    enum ib_status s = take_recipe(f, r, name, out, err);

    if (!s)
        s = ib_model_graph(&out->use, &out->stack, &f->task, &g, &nodes, err);
    if (!s && ib_graph_error(g))
        s = ib_error_set(err, IB_E_DATA, "%s: model %s: %s", name,
                         out->use.plugin->name, ib_graph_error(g)->text);
    if (!s)
        s = ib_model_header_match(f->header, g, name, err);
    ib_graph_free(g);
    if (s == IB_E_USAGE) /* it is the file that asks for it */
        s = err->status = IB_E_DATA;
    return s;
}

enum ib_status ib_model_file_load(const struct ib_model_file *f,
                                  const struct ib_registry *r, const char *name,
                                  int max_batch, struct ib_loaded_model *out,
                                  struct ib_error *err)
{
    size_t bytes = (f->parameters + f->state) * sizeof(float);
    struct ib_model_recipe recipe;
    enum ib_status s = ib_model_file_check(f, r, name, &recipe, err);

    *out = (struct ib_loaded_model){.use = recipe.use};
    recipe.use = (struct ib_use){0};
    if (!s)
        s = ib_model_build(&out->use, &recipe.stack, &f->task, max_batch, out,
                           err);
    if (!s)
        s = ib_model_load(out->net, f->numbers, bytes, name, err);
    ib_model_recipe_free(&recipe);
    if (s)
        ib_model_close(out);
    return s;
}
