/* Batches of images, and shifts that gradients can follow. */
#include <invbench/parts/batches.h>

#include <string.h>

bool ib_batches_init(struct ib_batches *b, uint64_t seed,
                     struct ib_scratch *scratch)
{
    b->order_rng = ib_rng_stream(seed, "prior", -1, "order");
    b->shift_rng = ib_rng_stream(seed, "prior", -1, "shift");
    b->order = ib_scratch_take(scratch, b->images->n, sizeof(*b->order));
    b->row = ib_scratch_take(scratch, ib_shape_size(b->images->shape),
                             sizeof(*b->row));
    for (size_t i = 0; b->order && i < b->images->n; i++)
        b->order[i] = (uint32_t)i;
    return b->order && b->row;
}

void ib_batches_load(struct ib_batches *b, size_t n, size_t stride, ib_real *to,
                     uint32_t *place)
{
    size_t d = ib_shape_size(b->images->shape);

    for (size_t i = 0; i < n; i++) {
        struct ib_shift a = ib_shift_draw(&b->shift_rng, &b->options);
        const uint8_t *from;

        if (b->at == 0)
            ib_rng_shuffle(&b->order_rng, b->order, b->images->n);
        place[i] = b->order[b->at];
        b->at = (b->at + 1) % b->images->n;
        from = b->images->pixels + place[i] * d;
        for (size_t j = 0; j < d; j++)
            b->row[j] = (ib_real)from[j] / 255;
        ib_shift_row(a, b->images->shape, b->row, to + i * stride);
    }
}

int ib_batches_regions(struct ib_batches *b, struct ib_region *r)
{
    r[0] = (struct ib_region){b->order, b->images->n * sizeof(*b->order)};
    r[1] = (struct ib_region){&b->at, sizeof(b->at)};
    r[2] = (struct ib_region){&b->order_rng, sizeof(b->order_rng)};
    r[3] = (struct ib_region){&b->shift_rng, sizeof(b->shift_rng)};
    return 4;
}

/* The first place whose identity is not less. */
static size_t place_of(const struct ib_labels *l, int32_t identity)
{
    size_t low = 0, high = l->n;

    while (low < high) {
        size_t mid = (low + high) / 2;

        if (l->identity[mid] < identity)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

enum ib_status ib_labels_find(struct ib_labels *l,
                              const struct ib_images *images,
                              struct ib_scratch *scratch, struct ib_error *err)
{
    *l = (struct ib_labels){
        .identity = ib_scratch_take(scratch, IB_LABELS_MAX, sizeof(int32_t))};
    if (!l->identity)
        return ib_error_set(err, IB_E_NOMEM, "no memory for classes");
    for (size_t i = 0; i < images->n; i++) {
        size_t k = place_of(l, images->identity[i]);

        if (k < l->n && l->identity[k] == images->identity[i])
            continue;
        if (l->n == IB_LABELS_MAX)
            return ib_error_set(err, IB_E_USAGE,
                                "more than %d public identities as classes",
                                IB_LABELS_MAX);
        memmove(l->identity + k + 1, l->identity + k,
                (l->n++ - k) * sizeof(int32_t));
        l->identity[k] = images->identity[i];
    }
    return IB_OK;
}

size_t ib_labels_at(const struct ib_labels *l, int32_t identity)
{
    return place_of(l, identity);
}

struct ib_shift ib_shift_draw(struct ib_rng *rng,
                              const struct ib_batches_options *o)
{
    int most = (int)o->shift;
    uint32_t range = 2 * (uint32_t)most + 1;
    struct ib_shift a = {.dy = (int)ib_rng_below(rng, range) - most,
                         .dx = (int)ib_rng_below(rng, range) - most};

    a.flip = ib_rng_below(rng, 2) == 1 && o->flip;
    return a;
}

static int clamp(int x, int n)
{
    return x < 0 ? 0 : x < n ? x : n - 1;
}

/* The pixel of the input that pixel (y, x) of the output shows. */
static size_t source(struct ib_shift a, struct ib_shape s, int y, int x)
{
    int column = a.flip ? s.w - 1 - x : x;

    return (size_t)clamp(y - a.dy, s.h) * (size_t)s.w +
           (size_t)clamp(column - a.dx, s.w);
}

void ib_shift_row(struct ib_shift a, struct ib_shape s, const ib_real *in,
                  ib_real *out)
{
    size_t plane = (size_t)s.h * (size_t)s.w;

    for (int c = 0; c < s.c; c++, in += plane, out += plane)
        for (int y = 0; y < s.h; y++)
            for (int x = 0; x < s.w; x++)
                out[y * s.w + x] = in[source(a, s, y, x)];
}

void ib_shift_back(struct ib_shift a, struct ib_shape s, const ib_real *dout,
                   ib_real *din)
{
    size_t plane = (size_t)s.h * (size_t)s.w;

    memset(din, 0, ib_shape_size(s) * sizeof(*din));
    for (int c = 0; c < s.c; c++, din += plane, dout += plane)
        for (int y = 0; y < s.h; y++)
            for (int x = 0; x < s.w; x++)
                din[source(a, s, y, x)] += dout[y * s.w + x];
}
