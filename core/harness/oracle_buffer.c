#include "oracle.h"

struct part {
    size_t count, size;
    void **place;
};

static bool layout_parts(const struct part *part, size_t n, char *base,
                         size_t *bytes)
{
    for (size_t i = 0; i < n; i++) {
        size_t size, padded;
        if (!ib_size_mul(part[i].count, part[i].size, &size) ||
            !ib_size_add(size, 63, &padded))
            return false;
        *part[i].place = base ? base + *bytes : NULL;
        if (!ib_size_add(*bytes, padded / 64 * 64, bytes))
            return false;
    }
    return true;
}

enum ib_status ib_oracle_layout(const struct ib_oracle_info *info, void *base,
                                struct ib_oracle_buffer *out,
                                struct ib_error *err)
{
    size_t d = ib_shape_size(info->shape), k = (size_t)info->classes;
    size_t targets = (size_t)info->targets, rows = info->capacity;
    size_t in = 0, scores = 0, guess = 0, deep = info->level >= IB_GRADIENTS;
    void *place[9] = {0};
    bool ok = ib_size_mul(rows, d, &in) && ib_size_mul(rows, k, &scores) &&
              ib_size_mul(targets, (size_t)info->images, &guess) &&
              ib_size_mul(guess, d, &guess);
    const struct part part[] = {
        {1, sizeof(struct ib_oracle_control), &place[0]},
        {targets + 1, sizeof(uint64_t), &place[1]},
        {rows, sizeof(int32_t), &place[2]},
        {rows, 1, &place[3]},
        {in, sizeof(float), &place[4]},
        {scores, sizeof(float), &place[5]},
        {scores * deep, sizeof(float), &place[6]},
        {in * deep, sizeof(float), &place[7]},
        {guess, sizeof(float), &place[8]},
    };

    *out = (struct ib_oracle_buffer){0};
    if (!ok || !layout_parts(part, IB_COUNT(part), base, &out->bytes))
        return ib_error_set(err, IB_E_NOMEM,
                            "%zu rows of %zu numbers for %zu targets do not "
                            "fit into memory",
                            rows, d, targets);
    out->control = place[0];
    out->left = place[1];
    out->slot = place[2];
    out->denied = place[3];
    out->input = place[4];
    out->output = place[5];
    out->cotangent = place[6];
    out->gradient = place[7];
    out->guess = place[8];
    return IB_OK;
}
