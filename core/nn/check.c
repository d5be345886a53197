/*
 * Checks of the trainer.
 */
#include "check.h"

#include <math.h>

static size_t node_size(const struct ib_training *t, ib_node x)
{
    return ib_shape_size(ib_graph_shape(ib_net_graph(t->net), x));
}

enum ib_status ib_training_check_phase(const struct ib_training *t,
                                       const struct ib_phase *p,
                                       struct ib_error *err)
{
    ib_node input = p->input == IB_NONE ? t->input : p->input;
    size_t want =
        p->loss == IB_RECONSTRUCTION ? node_size(t, input) : (size_t)t->classes;
    size_t size = node_size(t, p->output);
    if (size == want)
        return IB_OK;
    return ib_error_set(err, IB_E_USAGE,
                        "phase '%s': the output has %zu values a row, its "
                        "loss needs %zu",
                        p->name, size, want);
}

enum ib_status ib_training_check_data(const struct ib_training *t,
                                      struct ib_error *err)
{
    const struct ib_images *data = t->data;
    struct ib_shape s = data->shape;
    if (data->n == 0 || data->n > UINT32_MAX)
        return ib_error_set(err, IB_E_DATA,
                            "a training split of %zu images (allowed: 1 to "
                            "%u)",
                            data->n, UINT32_MAX);
    struct ib_shape want = ib_graph_shape(ib_net_graph(t->net), t->input);
    if (!ib_shape_equal(s, want))
        return ib_error_set(err, IB_E_USAGE,
                            "images of %dx%dx%d in a model for %dx%dx%d", s.c,
                            s.h, s.w, want.c, want.h, want.w);
    for (size_t i = 0; i < data->n; i++)
        if (data->identity[i] < 0 || data->identity[i] >= t->classes)
            return ib_error_set(err, IB_E_DATA,
                                "training image %zu has label %d (allowed: 0 "
                                "to %d)",
                                i, data->identity[i], t->classes - 1);
    return IB_OK;
}

bool ib_all_finite(const ib_real *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(x[i]))
            return false;
    return true;
}
