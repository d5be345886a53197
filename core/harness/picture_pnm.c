/* PGM and PPM, plain and raw (the Netpbm formats). */
#include "picture_io.h"

struct reader {
    const uint8_t *at, *end;
};

static bool is_space(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static void skip_space(struct reader *r)
{
    while (r->at < r->end) {
        if (*r->at == '#')
            while (r->at < r->end && *r->at != '\n')
                r->at++;
        else if (is_space(*r->at))
            r->at++;
        else
            return;
    }
}

static enum ib_status number(struct reader *r, const char *what, uint32_t max,
                             uint32_t *out, struct ib_error *err)
{
    skip_space(r);
    if (r->at == r->end)
        return ib_error_set(err, IB_E_DATA, "cut short before its %s", what);
    uint64_t v = 0;
    const uint8_t *start = r->at;
    while (r->at < r->end && *r->at >= '0' && *r->at <= '9' && v <= max)
        v = 10 * v + (uint64_t)(*r->at++ - '0');
    if (r->at == start)
        return ib_error_set(err, IB_E_DATA,
                            "byte 0x%02x where its %s should be a number",
                            *start, what);
    if (v > max)
        return ib_error_set(err, IB_E_DATA,
                            "its %s is over %u, the most that is allowed", what,
                            max);
    if (r->at < r->end && !is_space(*r->at) && *r->at != '#')
        return ib_error_set(err, IB_E_DATA, "byte 0x%02x in its %s", *r->at,
                            what);
    *out = (uint32_t)v;
    return IB_OK;
}

static uint8_t scale(uint32_t v, uint32_t maxval)
{
    return (uint8_t)((v * 255u + maxval / 2) / maxval);
}

static enum ib_status raw_samples(struct reader *r, uint32_t maxval,
                                  struct ib_picture *p, struct ib_error *err)
{
    size_t wide = maxval > 255 ? 2 : 1, c = (size_t)p->shape.c;
    size_t plane = (size_t)p->shape.h * (size_t)p->shape.w;
    size_t n = c * plane;
    if ((size_t)(r->end - r->at) < n * wide)
        return ib_error_set(err, IB_E_DATA,
                            "cut short: %zu bytes of samples where %zu are "
                            "needed",
                            (size_t)(r->end - r->at), n * wide);
    for (size_t i = 0; i < n; i++, r->at += wide) {
        uint32_t v = wide == 2 ? (uint32_t)r->at[0] << 8 | r->at[1] : r->at[0];
        if (v > maxval)
            return ib_error_set(err, IB_E_DATA,
                                "sample %zu is %u, over its maxval %u", i, v,
                                maxval);
        p->pixels[i % c * plane + i / c] = scale(v, maxval);
    }
    return IB_OK;
}

static enum ib_status text_samples(struct reader *r, uint32_t maxval,
                                   struct ib_picture *p, struct ib_error *err)
{
    size_t c = (size_t)p->shape.c;
    size_t plane = (size_t)p->shape.h * (size_t)p->shape.w;
    for (size_t i = 0; i < c * plane; i++) {
        uint32_t v = 0;
        enum ib_status s = number(r, "sample", maxval, &v, err);
        if (s != IB_OK)
            return s;
        p->pixels[i % c * plane + i / c] = scale(v, maxval);
    }
    return IB_OK;
}

/* One white space ends the header of a raw picture. */
static enum ib_status end_header(struct reader *r, struct ib_error *err)
{
    if (r->at == r->end || !is_space(*r->at))
        return ib_error_set(err, IB_E_DATA, "cut short after its maxval");
    r->at++;
    return IB_OK;
}

enum ib_status ib_picture_decode_pnm(const uint8_t *data, size_t n,
                                     struct ib_picture *out,
                                     struct ib_error *err)
{
    struct reader r = {data + 2, data + n};
    bool raw = data[1] >= '5';
    int c = data[1] == '3' || data[1] == '6' ? 3 : 1;
    uint32_t w = 0, h = 0, maxval = 0;
    enum ib_status s = number(&r, "width", UINT32_MAX, &w, err);
    if (s == IB_OK)
        s = number(&r, "height", UINT32_MAX, &h, err);
    if (s == IB_OK)
        s = number(&r, "maxval", 65535, &maxval, err);
    if (s == IB_OK && maxval == 0)
        s = ib_error_set(err, IB_E_DATA,
                         "its maxval is 0; 1 to 65535 is allowed");
    if (s == IB_OK)
        s = ib_picture_alloc(out, c, w, h, err);
    if (s == IB_OK && raw)
        s = end_header(&r, err);
    if (s == IB_OK)
        s = raw ? raw_samples(&r, maxval, out, err)
                : text_samples(&r, maxval, out, err);
    return s;
}
