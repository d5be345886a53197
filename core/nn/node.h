/*
 * Inside the engine: nodes of a graph, and what an op is.
 *
 * A new op is a row of ops.def, a builder in ops.h, and a file (or a place in
 * one) with its shape rule, forward pass, backward pass and builder next to
 * each other.
 *
 * How a run goes (run.c). The nodes on the path are cut into stretches of
 * consecutive row-wise ops. A stretch is run block by block: a block is a few
 * consecutive rows, small enough that what its ops hand to each other stays in
 * the second-level cache, and goes through all ops of the stretch before the
 * next one begins. Blocks are dealt to a fixed number of parts; parts run on
 * any number of threads, each sums parameter gradients and batch sums of its
 * own, and the sums are joined in the order of the parts. A `whole` op is a
 * stretch of its own and sees all rows at once.
 */
#ifndef INVBENCH_NN_NODE_H
#define INVBENCH_NN_NODE_H

#include <invbench/ops.h>

struct ib_pool;

#define IB_OP(id, name) IB_OP_##id,
enum ib_op_id {
#include "ops.def"
    IB_OP_COUNT,
};
#undef IB_OP

enum { IB_OP_INPUTS = 4 };

/* What the builder was told; each op reads its own members. */
struct ib_op_config {
    int channels, kernel, stride, pad; /* dense: channels = units */
    int groups;                        /* convolutions, group norm; 0: 1 */
    int out_pad;                       /* transposed convolution */
    int top, left, h, w;               /* crop, resize; pad: h and w are what
                                          is added below and to the right */
    int first, count;                  /* slice of channels */
    int mode;                          /* enum ib_over, enum ib_border */
    bool ta, tb;                       /* matmul: transposed */
    bool no_bias;                      /* dense, convolutions */
    bool no_affine;                    /* norms: neither scale nor shift */
    bool spectral;                     /* weights divided by their norm */
    double scale, shift;               /* affine; leaky: slope = scale;
                                          pad: value = shift */
    double rate;                       /* dropout; running statistics */
    double epsilon;                    /* norms */
    ib_node of;                        /* whose parameters are read */
    struct ib_shape shape;             /* input, reshape */
};

struct ib_graph_node {
    enum ib_op_id op;
    char name[IB_NAME_MAX];
    struct ib_op_config config;
    int n_inputs;
    ib_node input[IB_OP_INPUTS];
    struct ib_shape shape;
    int misfit;             /* which input its shape rule refused */
    size_t weights, biases; /* how many parameters it uses */
    ib_node owner;          /* whose they are; itself unless shared */
    bool kept;              /* has a gradient of its own: ib_graph_keep */
    size_t first;           /* where they start */
    size_t state;           /* numbers that training keeps, but no gradient
                               moves: running statistics, singular vectors */
    size_t first_state;     /* where they start (an owner's) */
};

struct ib_graph {
    struct ib_graph_node *node;
    int n, capacity;
    size_t parameters, states;
    struct ib_error error; /* IB_OK: none */
};

/* One op on n rows. Arrays are n x size of their node. In the hooks that are
 * called once for all rows, n is all rows and `scratch` is NULL. */
struct ib_op_run {
    const struct ib_graph_node *node;
    size_t n, first_row; /* of the batch's rows, these are first_row.. */
    struct ib_shape in[IB_OP_INPUTS];
    const ib_real *x[IB_OP_INPUTS];
    ib_real *y;
    const ib_real *dy;
    ib_real *dx[IB_OP_INPUTS]; /* NULL: not wanted */
    bool add[IB_OP_INPUTS];    /* dx is added to, not overwritten */
    const ib_real *w, *b;
    ib_real *dw, *db;     /* NULL: not wanted */
    ib_real keep;         /* 1: dw, db are added to; 0: overwritten */
    bool training;        /* batch statistics, dropout */
    void *saved;          /* n x saved(): what forward leaves for backward */
    ib_real *shared;      /* what prepare leaves for all rows */
    ib_real *state;       /* node->state numbers */
    double *sums;         /* see below */
    ib_real *scratch;     /* of this thread */
    struct ib_rng *rng;   /* prepare alone; NULL in inference */
    struct ib_pool *pool; /* whole ops and once-hooks alone; may be NULL */
};

struct ib_op {
    const char *name;
    bool alias; /* the value is the input's: nothing is computed */
    bool whole; /* forward and backward see all rows, and use the pool */
    bool batch; /* rows influence each other while training */
    /* dx[0] may be the very array dy: set where dx[i] depends on row values
     * x, y and on dy[i] alone. */
    bool in_place;
    bool no_decay; /* its weights are no target of weight decay */
    /* For the first weights (init.c): it cuts off what is negative, wholly or
     * mostly; a layer that feeds it feeds what reads it. */
    bool rectifies, passes;
    /* Fills node->shape, weights, biases, state (the shape also when it is not
     * possible, for the message; then misfit too, unless the first input is
     * what does not fit). NULL, or why the node cannot be. */
    const char *(*shape)(struct ib_graph_node *node, const struct ib_shape *in);
    /* Optional, each: bytes that forward keeps per row; numbers of scratch for
     * a run of n rows; numbers that prepare leaves; numbers of sums. in: the
     * shapes of the node's inputs. */
    size_t (*saved)(const struct ib_graph_node *node);
    size_t (*scratch)(const struct ib_graph_node *node,
                      const struct ib_shape *in, size_t n);
    size_t (*shared)(const struct ib_graph_node *node,
                     const struct ib_shape *in);
    size_t (*sums)(const struct ib_graph_node *node);
    /* Optional: initial weights, biases and state (w, b are writable here);
     * without it see init.c. */
    void (*init)(const struct ib_graph_node *node, ib_real *w, ib_real *state,
                 struct ib_rng *rng);
    /* Optional: once before the rows of a forward or of a backward run:
     * draws random numbers (into saved), packs weights (into shared). */
    void (*prepare)(const struct ib_op_run *r);
    void (*prepare_backward)(const struct ib_op_run *r);
    /* Optional, with sums(): adds what these rows contribute to r->sums (of
     * this part, zeroed before the first rows); then, once, with the parts'
     * sums joined in r->sums: e.g. mean and deviation into shared. n is then
     * the number of all rows. Forward reads the input's rows, backward dy and
     * what forward left. Backward sums also run when dx is not wanted; dw and
     * db are filled by backward_join. */
    void (*forward_sums)(const struct ib_op_run *r);
    void (*forward_join)(const struct ib_op_run *r);
    void (*backward_sums)(const struct ib_op_run *r);
    void (*backward_join)(const struct ib_op_run *r);
    void (*forward)(const struct ib_op_run *r);
    void (*backward)(const struct ib_op_run *r);
    /* Optional: adds to norm2[i] the squared norm of row i's own gradient of
     * the parameters, without keeping it (ghost norms: Goodfellow 2015; Li et
     * al., ICLR 2022). Ops with parameters but without it are no layers for
     * per-sample clipping. */
    void (*norms)(const struct ib_op_run *r, double *norm2);
};

/* Indexed by enum ib_op_id. */
extern const struct ib_op *const ib_ops[IB_OP_COUNT];

#define IB_OP(id, name) extern const struct ib_op ib_op_##name;
#include "ops.def"
#undef IB_OP

/* Adds a node whose op, config and inputs are filled in; name NULL: made from
 * the op's. IB_NONE after an error. */
ib_node ib_graph_add(struct ib_graph *g, struct ib_graph_node *node,
                     const char *name);
/* The same for one input. config may be NULL. */
ib_node ib_graph_add_unary(struct ib_graph *g, enum ib_op_id op, ib_node x,
                           const struct ib_op_config *config, const char *name);
/* Keeps the first error: a mistake of the calling code. Returns IB_NONE. */
ib_node ib_graph_fail(struct ib_graph *g, enum ib_status s, const char *text);
/* The same with the node, its input and both shapes in the text. */
ib_node ib_graph_misfit(struct ib_graph *g, const struct ib_graph_node *node,
                        const char *reason);

/* Right after x was added: its parameters and state are those of the node `of`,
 * which has as many. */
void ib_graph_share(struct ib_graph *g, ib_node x, ib_node of);

/* Gradients of parameters are computed for nodes first..last alone until this
 * is called again; IB_NONE, IB_NONE: for all. */
void ib_net_train_range(struct ib_net *net, ib_node first, ib_node last);
/* Nodes that ib_net_forward computes for f: mark[i] != 0. */
void ib_net_path(const struct ib_net *net, ib_node from, ib_node to,
                 uint8_t *mark);

/* Before a loop in which iteration i touches index i of every array alone,
 * though two arrays may be one (ops marked in_place). */
#ifdef __clang__
#define IB_SAME_INDEX _Pragma("clang loop vectorize(assume_safety)")
#else
#define IB_SAME_INDEX _Pragma("GCC ivdep")
#endif

/* Row `row` of an array of rows of shape s; NULL stays NULL. */
static inline ib_real *ib_op_row(ib_real *p, size_t row, struct ib_shape s)
{
    return p ? p + row * ib_shape_size(s) : NULL;
}

#endif
