/* The oracle in the attack's own process: tests, and nothing to keep apart. */
#include <stdlib.h>

#include "oracle.h"

struct local {
    struct ib_oracle base;
    struct ib_oracle_core *core;
    void *memory;
};

static enum ib_status local_ask(struct ib_oracle *o, struct ib_error *err)
{
    struct local *l = (struct local *)(void *)o;
    (void)ib_oracle_core_serve(l->core, err);
    return IB_OK;
}

static void local_close(struct ib_oracle *o)
{
    struct local *l = (struct local *)(void *)o;
    ib_oracle_core_free(l->core);
    free(l->memory);
    free(l);
}

static const struct ib_oracle_ops local_ops = {local_ask, local_close};

static enum ib_status local_open(struct local *l,
                                 const struct ib_oracle_params *p,
                                 struct ib_error *err)
{
    struct ib_oracle_buffer *b = &l->base.buffer;
    enum ib_status status = ib_oracle_describe(p, &l->base.info, err);
    char *aligned;

    if (!status)
        status = ib_oracle_layout(&l->base.info, NULL, b, err);
    if (status)
        return status;
    l->memory = calloc(1, b->bytes + 64);
    if (!l->memory)
        return ib_error_set(err, IB_E_NOMEM,
                            "no memory for an oracle of %zu "
                            "bytes",
                            b->bytes);
    aligned = (char *)l->memory + 64 - (uintptr_t)l->memory % 64;
    status = ib_oracle_layout(&l->base.info, aligned, b, err);
    if (!status)
        status = ib_oracle_core_create(&l->core, p, b, err);
    return status;
}

enum ib_status ib_oracle_open_local(struct ib_oracle **out,
                                    const struct ib_oracle_params *p,
                                    struct ib_error *err)
{
    struct local *l = calloc(1, sizeof(*l));
    enum ib_status status;

    *out = NULL;
    if (!l)
        return ib_error_set(err, IB_E_NOMEM, "no memory for an oracle");
    l->base.ops = &local_ops;
    l->base.nodes = p->nodes;
    l->base.net = p->level == IB_WHITEBOX ? p->net : NULL;
    status = local_open(l, p, err);
    if (status) {
        local_close(&l->base);
        return status;
    }
    *out = &l->base;
    return IB_OK;
}

struct ib_oracle_core *ib_oracle_local_core(struct ib_oracle *o)
{
    return ((struct local *)(void *)o)->core;
}
