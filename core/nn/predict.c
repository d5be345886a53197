/*
 * 8-bit images through a net, batch by batch.
 */
#include <invbench/trainer.h>

#include <string.h>

void ib_predict(struct ib_net *net, ib_node input, ib_node output,
                const struct ib_images *images, ib_real *out)
{
    size_t d = ib_shape_size(images->shape),
           batch = (size_t)ib_net_max_batch(net);
    size_t k = ib_shape_size(ib_graph_shape(ib_net_graph(net), output));
    for (size_t from = 0; from < images->n; from += batch) {
        size_t n = images->n - from < batch ? images->n - from : batch;
        ib_image_to_float(images->pixels + from * d, n * d,
                          ib_net_value(net, input));
        ib_net_forward(net, &(struct ib_forward){
                                .n = (int)n, .from = input, .to = output});
        memcpy(out + from * k, ib_net_value(net, output), n * k * sizeof *out);
    }
}
