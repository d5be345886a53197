/* Priors whose decode is a net. */
#include <invbench/parts/generator.h>

#include <math.h>
#include <string.h>

enum { DARK_DRAWS = 64, PARAMETERS_MAX = 1 << 28 };
#define Z_MAX 3.0f

struct header {
    char magic[8];
    uint32_t classes, zero;
    uint64_t parameters, states;
};
static const char magic[8] = "IBGEN1\n";

/* --- keeping ------------------------------------------------------------- */

enum ib_status ib_generator_keep(struct ib_prior_fit *fit,
                                 const struct ib_generator_part *part,
                                 struct ib_error *err)
{
    size_t p = ib_net_parameter_count(part->net) - part->first_parameter;
    size_t s = ib_net_state_count(part->net) - part->first_state;
    struct header head = {
        .classes = (uint32_t)part->classes, .parameters = p, .states = s};
    size_t size = sizeof(head) + (p + s) * sizeof(float);
    char *to = ib_scratch_take(fit->scratch, 1, size);
    float *numbers;

    if (!to)
        return ib_error_set(err, IB_E_NOMEM, "no memory for %zu parameters", p);
    memcpy(head.magic, magic, sizeof(magic));
    memcpy(to, &head, sizeof(head));
    numbers = (float *)(void *)(to + sizeof(head));
    for (size_t i = 0; i < p; i++)
        numbers[i] =
            (float)ib_net_parameters(part->net)[part->first_parameter + i];
    for (size_t i = 0; i < s; i++)
        numbers[p + i] = (float)ib_net_state(part->net)[part->first_state + i];
    fit->data = to;
    fit->size = size;
    return IB_OK;
}

/* --- opening ------------------------------------------------------------- */

static enum ib_status wrong(const struct ib_prior_env *env, const char *what,
                            struct ib_error *err)
{
    return ib_error_set(err, IB_E_DATA, "the %zu bytes kept of a fit: %s",
                        env->fitted_size, what);
}

static enum ib_status read_header(const struct ib_prior_env *env,
                                  struct header *head, struct ib_error *err)
{
    if (env->fitted_size < sizeof(*head))
        return wrong(env, "they are too short", err);
    memcpy(head, env->fitted, sizeof(*head));
    if (memcmp(head->magic, magic, sizeof(magic)) != 0 || head->zero)
        return wrong(env, "they are of another kind", err);
    if (head->parameters > PARAMETERS_MAX || head->states > PARAMETERS_MAX ||
        env->fitted_size !=
            sizeof(*head) +
                (size_t)(head->parameters + head->states) * sizeof(float))
        return wrong(env, "their length is not what they say", err);
    return IB_OK;
}

enum ib_status ib_generator_classes(const struct ib_prior_env *env,
                                    size_t *classes, struct ib_error *err)
{
    struct header head;
    enum ib_status s = read_header(env, &head, err);

    *classes = s == IB_OK ? head.classes : 0;
    return s;
}

static enum ib_status load(struct ib_generator *g,
                           const struct ib_prior_env *env, struct ib_error *err)
{
    struct header head;
    const float *from;
    enum ib_status s = read_header(env, &head, err);

    if (s)
        return s;
    if (head.parameters != ib_net_parameter_count(g->net) ||
        head.states != ib_net_state_count(g->net) || head.classes != g->classes)
        return wrong(env, "they are of another net", err);
    from =
        (const float *)(const void *)((const char *)env->fitted + sizeof(head));
    for (size_t i = 0; i < head.parameters + head.states; i++) {
        if (!isfinite(from[i]))
            return wrong(env, "not all of their numbers are finite", err);
        if (i < head.parameters)
            ib_net_parameters(g->net)[i] = from[i];
        else
            ib_net_state(g->net)[i - head.parameters] = from[i];
    }
    return IB_OK;
}

static void draw(const struct ib_generator *g, struct ib_rng *rng, float *z)
{
    size_t own = g->latent - g->classes;

    memset(z, 0, g->latent * sizeof(*z));
    ib_rng_fill_normal(rng, z, own, 1);
    if (g->classes)
        z[own + ib_rng_below(rng, (uint32_t)g->classes)] = 1;
    ib_generator_project(g, 1, z);
}

/* Black is hardly ever an image of a generator: the darkest of a few samples
 * stands for it. */
static bool find_black(struct ib_generator *g, struct ib_scratch *scratch)
{
    struct ib_rng rng = ib_rng_stream(0, "prior", -1, "black");
    float *z = ib_scratch_take(scratch, DARK_DRAWS, g->latent * sizeof(*z));
    float *x = ib_scratch_take(scratch, DARK_DRAWS, g->d * sizeof(*x));
    double least = INFINITY;

    g->black = ib_scratch_take(scratch, g->latent, sizeof(*g->black));
    if (!z || !x || !g->black)
        return false;
    for (size_t i = 0; i < DARK_DRAWS; i++)
        draw(g, &rng, z + i * g->latent);
    ib_generator_decode(g, DARK_DRAWS, z, x);
    for (size_t i = 0; i < DARK_DRAWS; i++) {
        double sum = 0;

        for (size_t j = 0; j < g->d; j++)
            sum += (double)x[i * g->d + j];
        if (sum < least) {
            least = sum;
            memcpy(g->black, z + i * g->latent, g->latent * sizeof(*z));
        }
    }
    return true;
}

static enum ib_status open_net(struct ib_generator *g,
                               const struct ib_generator_graph *from,
                               const struct ib_prior_env *env,
                               struct ib_error *err)
{
    const struct ib_graph *graph;
    enum ib_status s =
        ib_net_create(&g->net, from->graph, IB_GENERATOR_ROWS, err);

    if (!s)
        s = ib_net_use_pool(g->net, env->pool, err);
    if (s)
        return s;
    graph = ib_net_graph(g->net);
    g->latent = ib_shape_size(ib_graph_shape(graph, g->input));
    g->d = ib_shape_size(ib_graph_shape(graph, g->output));
    return load(g, env, err);
}

size_t ib_generator_open(const struct ib_generator_graph *from,
                         const struct ib_prior_env *env, void **state,
                         struct ib_error *err)
{
    struct ib_generator *g = ib_scratch_take(env->scratch, 1, sizeof(*g));

    if (!g) {
        ib_graph_free(from->graph);
        ib_error_set(err, IB_E_NOMEM, "no memory for a generator");
        return 0;
    }
    g->input = from->input;
    g->output = from->output;
    g->classes = from->classes;
    if (open_net(g, from, env, err) == IB_OK) {
        if (find_black(g, env->scratch)) {
            *state = g;
            return g->latent;
        }
        ib_error_set(err, IB_E_NOMEM, "no memory for a generator");
    }
    ib_net_free(g->net);
    return 0;
}

/* --- hooks --------------------------------------------------------------- */

enum ib_status ib_generator_start(const void *state, enum ib_start start,
                                  struct ib_rng *rng, float *z,
                                  struct ib_error *err)
{
    const struct ib_generator *g = state;
    size_t own = g->latent - g->classes;

    (void)err;
    if (start == IB_START_RANDOM)
        draw(g, rng, z);
    if (start == IB_START_BLACK)
        memcpy(z, g->black, g->latent * sizeof(*z));
    for (size_t i = 0; start == IB_START_MEAN && i < g->latent; i++)
        z[i] = i < own ? 0 : 1 / (float)g->classes;
    return IB_OK;
}

static struct ib_forward forward(const struct ib_generator *g, size_t n,
                                 const float *z)
{
    struct ib_forward f = {.n = (int)n, .from = g->input, .to = g->output};
    ib_real *to = ib_net_value(g->net, g->input);

    for (size_t i = 0; i < n * g->latent; i++)
        to[i] = z[i];
    ib_net_forward(g->net, &f);
    return f;
}

static void copy_out(size_t n, const ib_real *from, float *to)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (float)from[i];
}

static size_t rows_at(size_t n, size_t at)
{
    return n - at < IB_GENERATOR_ROWS ? n - at : IB_GENERATOR_ROWS;
}

void ib_generator_decode(const void *state, size_t n, const float *z, float *x)
{
    const struct ib_generator *g = state;

    for (size_t at = 0; at < n; at += IB_GENERATOR_ROWS) {
        size_t rows = rows_at(n, at);

        forward(g, rows, z + at * g->latent);
        copy_out(rows * g->d, ib_net_value(g->net, g->output), x + at * g->d);
    }
}

void ib_generator_vjp(const void *state, size_t n, const float *z,
                      const float *dx, float *dz)
{
    const struct ib_generator *g = state;

    for (size_t at = 0; at < n; at += IB_GENERATOR_ROWS) {
        size_t rows = rows_at(n, at);
        struct ib_forward f = forward(g, rows, z + at * g->latent);
        ib_real *gradient = ib_net_gradient(g->net, g->output);

        for (size_t i = 0; i < rows * g->d; i++)
            gradient[i] = dx[at * g->d + i];
        ib_net_backward(g->net, &f, IB_WRT_INPUT);
        copy_out(rows * g->latent, ib_net_gradient(g->net, g->input),
                 dz + at * g->latent);
    }
}

void ib_generator_project(const void *state, size_t n, float *z)
{
    const struct ib_generator *g = state;
    size_t own = g->latent - g->classes;

    for (size_t i = 0; i < n; i++, z += g->latent)
        for (size_t j = 0; j < g->latent; j++)
            z[j] = j < own ? fminf(fmaxf(z[j], -Z_MAX), Z_MAX)
                           : fminf(fmaxf(z[j], 0), 1);
}

void ib_generator_close(void *state)
{
    struct ib_generator *g = state;

    ib_net_free(g->net);
}
