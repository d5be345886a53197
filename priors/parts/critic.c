/* A discriminator with spectral norms. */
#include <invbench/parts/critic.h>

#include <invbench/parts/ladder.h>

ib_node ib_critic_split(struct ib_graph *g, ib_node input, int size,
                        int classes, ib_node *condition)
{
    *condition = classes ? ib_graph_slice(g, input, size, classes) : IB_NONE;
    return classes ? ib_graph_slice(g, input, 0, size) : input;
}

struct ib_graph *ib_critic_build(const struct ib_critic *c, ib_node *input,
                                 ib_node *score)
{
    struct ib_graph *g = ib_graph_create();
    const struct ib_dense phi = {.units = c->features, .spectral = true};
    const struct ib_dense one = {.units = 1, .spectral = true};
    int d = (int)ib_shape_size(c->image);
    struct ib_ladder ladder;
    ib_node x, condition;

    if (!g)
        return NULL;
    ib_ladder_init(&ladder, c->image, c->channels, c->most);
    *input =
        ib_graph_input(g, (struct ib_shape){d + c->classes, 1, 1}, "image");
    x = ib_critic_split(g, *input, d, c->classes, &condition);
    x = ib_graph_affine(g, ib_graph_reshape(g, x, c->image), 2, -1);
    x = ib_ladder_down(g, x, &ladder, true, "discriminator");
    x = ib_graph_dense_with(g, x, phi, "discriminator-features");
    x = ib_graph_leaky_relu(g, x, 0.2);
    *score = ib_graph_dense_with(g, x, one, "discriminator-score");
    if (c->classes)
        *score = ib_graph_plus(
            g, *score,
            ib_graph_projection(g, x, condition, true, "discriminator-class"));
    return g;
}
