/* The oracle across two processes: rows and answers in shared memory, one byte
 * over a socket to say that they are there. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "oracle.h"

struct channel {
    struct ib_oracle base;
    int socket, memory;
};

/* 1 done, 0 the other end is gone, -1 an error. The oracle must not die of a
 * signal when the attack is gone; the attacker may (and must not use send). */
static int channel_send(int socket, bool oracle)
{
    const char byte = 0;
    ssize_t n;

    do
        n = oracle ? send(socket, &byte, 1, MSG_NOSIGNAL)
                   : write(socket, &byte, 1);
    while (n < 0 && errno == EINTR);
    return n == 1 ? 1 : n < 0 && errno == EPIPE ? 0 : -1;
}

static int channel_wait(int socket)
{
    char byte;
    ssize_t n;

    do
        n = read(socket, &byte, 1);
    while (n < 0 && errno == EINTR);
    return n == 1 ? 1 : n == 0 || errno == ECONNRESET ? 0 : -1;
}

static enum ib_status channel_ask(struct ib_oracle *o, struct ib_error *err)
{
    const struct channel *c = (struct channel *)(void *)o;
    bool last = o->buffer.control->ask == IB_ASK_DONE;

    if (channel_send(c->socket, false) == 1 &&
        (last || channel_wait(c->socket) == 1))
        return IB_OK;
    return ib_error_set(err, IB_E_INTERNAL, "the oracle is gone");
}

static void channel_close(struct ib_oracle *o)
{
    struct channel *c = (struct channel *)(void *)o;

    if (o->buffer.control)
        munmap(o->buffer.control, o->buffer.bytes);
    close(c->socket);
    close(c->memory);
    free(c);
}

static const struct ib_oracle_ops channel_ops = {channel_ask, channel_close};

static enum ib_status channel_map(struct channel *c, struct ib_error *err)
{
    struct ib_oracle_buffer *b = &c->base.buffer;
    enum ib_status status = ib_oracle_layout(&c->base.info, NULL, b, err);
    void *memory;

    if (status)
        return status;
    memory =
        mmap(NULL, b->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, c->memory, 0);
    if (memory == MAP_FAILED)
        return ib_error_set(err, IB_E_NOMEM,
                            "the oracle's buffer of %zu "
                            "bytes: %s",
                            b->bytes, strerror(errno));
    return ib_oracle_layout(&c->base.info, memory, b, err);
}

enum ib_status ib_oracle_open_channel(struct ib_oracle **out,
                                      const struct ib_oracle_link *l,
                                      struct ib_error *err)
{
    struct channel *c = calloc(1, sizeof(*c));
    enum ib_status status;

    *out = NULL;
    if (!c)
        return ib_error_set(err, IB_E_NOMEM, "no memory for an oracle");
    c->base.ops = &channel_ops;
    c->base.info = l->info;
    c->base.net = l->info.level == IB_WHITEBOX ? l->net : NULL;
    c->base.nodes = l->nodes;
    c->socket = l->socket;
    c->memory = l->memory;
    status = channel_map(c, err);
    if (status)
        channel_close(&c->base);
    else
        *out = &c->base;
    return status;
}

enum ib_status ib_oracle_serve(struct ib_oracle_core *c, int socket, bool *gone,
                               struct ib_error *err)
{
    int there;

    *gone = false;
    while ((there = channel_wait(socket)) == 1) {
        if (ib_oracle_core_serve(c, err))
            return err->status;
        there = channel_send(socket, true);
        if (there != 1)
            break;
    }
    *gone = true;
    return ib_error_set(err, IB_E_INTERNAL, "the attack is gone%s%s",
                        there < 0 ? ": " : "",
                        there < 0 ? strerror(errno) : "");
}
