/* A net and its optimiser. */
#include <invbench/parts/learner.h>

#include <math.h>

#include <invbench/graph.h>

enum ib_status ib_learner_open(struct ib_learner *l,
                               const struct ib_learner_setup *setup,
                               const struct ib_prior_fit *fit,
                               struct ib_error *err)
{
    struct ib_rng rng = ib_rng_stream(fit->seed, "prior", -1, setup->stream);
    ib_real *moments;
    enum ib_status s;

    if (!setup->graph)
        return ib_error_set(err, IB_E_NOMEM, "no memory for a net");
    s = ib_net_create(&l->net, setup->graph, (int)setup->rows, err);
    if (!s)
        s = ib_net_use_pool(l->net, fit->pool, err);
    if (s)
        return s;
    ib_net_init(l->net, &rng);
    l->parameters = ib_net_parameter_count(l->net);
    moments =
        ib_scratch_take(fit->scratch, l->parameters * ib_optim_arrays(IB_ADAM),
                        sizeof(*moments));
    if (!moments)
        return ib_error_set(err, IB_E_NOMEM,
                            "no memory to train a net of %zu parameters",
                            l->parameters);
    l->optim = setup->adam;
    l->optim.optimiser = IB_ADAM;
    ib_optim_use(&l->optim, moments, l->parameters);
    return IB_OK;
}

size_t ib_learner_bytes(struct ib_graph *graph, size_t rows)
{
    size_t net = graph ? ib_graph_bytes(graph, (int)rows) : 0;
    size_t moments = graph ? ib_graph_parameters(graph) * sizeof(ib_real) *
                                 ib_optim_arrays(IB_ADAM)
                           : 0;

    ib_graph_free(graph);
    return net ? net + moments : 0;
}

void ib_learner_close(struct ib_learner *l)
{
    ib_net_free(l->net);
    l->net = NULL;
}

int ib_learner_regions(struct ib_learner *l, struct ib_region *r)
{
    size_t arrays = ib_optim_arrays(l->optim.optimiser);

    r[0] = (struct ib_region){ib_net_parameters(l->net),
                              l->parameters * sizeof(ib_real)};
    r[1] = (struct ib_region){ib_net_state(l->net),
                              ib_net_state_count(l->net) * sizeof(ib_real)};
    r[2] = (struct ib_region){l->optim.m,
                              arrays * l->parameters * sizeof(ib_real)};
    r[3] = (struct ib_region){&l->optim.step, sizeof(l->optim.step)};
    return 4;
}

void ib_learner_apply(struct ib_learner *l)
{
    l->optim.step++;
    ib_optim_apply(&l->optim, ib_net_parameters(l->net),
                   ib_net_parameter_gradients(l->net), 0, l->parameters, 0);
}

enum ib_status ib_learner_train(const struct ib_learner_loop *l,
                                struct ib_error *err)
{
    const struct ib_checkpoint *kept = l->fit->checkpoint;
    enum ib_status s = IB_OK;

    if (kept)
        (void)kept->load(kept->ctx, l->region, l->regions);
    while (*l->step < l->steps && !s) {
        s = l->run(l->ctx, err);
        ++*l->step;
        ib_report_progress(l->fit->reporter,
                           (double)*l->step / (double)l->steps);
        if (kept && !s && kept->due(kept->ctx))
            kept->save(kept->ctx, l->region, l->regions);
    }
    return s;
}

static const char *culprit(const struct ib_learner *l)
{
    const struct ib_graph *g = ib_net_graph(l->net);
    const ib_real *w = ib_net_parameters(l->net);

    for (ib_node x = 0; x < ib_graph_count(g); x++) {
        struct ib_node_info info = ib_graph_info(g, x);

        for (size_t i = 0; i < info.weights + info.biases; i++)
            if (!isfinite(w[info.first + i]))
                return info.name;
    }
    return NULL;
}

enum ib_status ib_learner_check(const struct ib_learner *const *l, int n,
                                int64_t step, double loss, struct ib_error *err)
{
    const char *name = NULL;

    if (isfinite(loss))
        return IB_OK;
    for (int i = 0; i < n && !name; i++)
        name = culprit(l[i]);
    return ib_error_set(err, IB_E_NUMERIC,
                        "training stopped in step %lld: the values of layer "
                        "'%s' are not finite; a smaller rate may help",
                        (long long)step + 1, name ? name : "loss");
}
