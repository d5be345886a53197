/* Checkpoints in the store's directory: see the header. */
#include "checkpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096, SLOT_HEADER = 48 };

static const char magic[8] = "IBCKPT1\n";

struct slot_header {
    uint64_t number, size;
    uint8_t hash[SHA256_DIGEST_SIZE];
};

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static size_t total_size(const struct ib_region *r, int n)
{
    size_t total = 0;

    for (int i = 0; i < n; i++)
        total += r[i].size;
    return total;
}

static off_t slot_at(size_t size, uint64_t number)
{
    size_t slot = (size + SLOT_HEADER + PAGE - 1) / PAGE * PAGE;

    return (off_t)(PAGE + (number % 2) * slot);
}

static bool write_all(int fd, const void *data, size_t n, off_t at)
{
    const char *p = data;

    while (n > 0) {
        ssize_t done = pwrite(fd, p, n, at);

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        p += done;
        at += done;
        n -= (size_t)done;
    }
    return true;
}

static bool read_all(int fd, void *data, size_t n, off_t at)
{
    char *p = data;

    while (n > 0) {
        ssize_t done = pread(fd, p, n, at);

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        p += done;
        at += done;
        n -= (size_t)done;
    }
    return true;
}

static void hash_of(uint64_t number, const struct ib_region *r, int n,
                    uint8_t out[SHA256_DIGEST_SIZE])
{
    struct sha256_ctx ctx;

    sha256_init(&ctx);
    sha256_update(&ctx, sizeof(number), (const uint8_t *)&number);
    for (int i = 0; i < n; i++)
        if (r[i].size)
            sha256_update(&ctx, r[i].size, r[i].data);
    sha256_digest(&ctx, SHA256_DIGEST_SIZE, out);
}

static bool due(void *ctx)
{
    struct ib_checkpoint_file *f = ctx;

    return f->fd >= 0 && seconds() - f->last >= f->every;
}

static void save(void *ctx, const struct ib_region *r, int n)
{
    struct ib_checkpoint_file *f = ctx;
    struct slot_header head = {.number = f->number + 1,
                               .size = total_size(r, n)};
    off_t at = slot_at(head.size, head.number);
    uint64_t size = head.size;
    bool ok = f->fd >= 0;

    if (ok && f->number == 0)
        ok = write_all(f->fd, magic, sizeof(magic), 0) &&
             write_all(f->fd, &size, sizeof(size), sizeof(magic));
    hash_of(head.number, r, n, head.hash);
    ok = ok && write_all(f->fd, &head, sizeof(head), at);
    at += SLOT_HEADER;
    for (int i = 0; i < n && ok; i++) {
        ok = write_all(f->fd, r[i].data, r[i].size, at);
        at += (off_t)r[i].size;
    }
    if (ok && fdatasync(f->fd) == 0)
        f->number = head.number;
    f->last = seconds();
}

/* The payload of one slot, or NULL where it is not whole. */
static void *read_slot(int fd, size_t size, uint64_t parity, uint64_t *number)
{
    struct slot_header head;
    off_t at = slot_at(size, parity);
    uint8_t hash[SHA256_DIGEST_SIZE];
    void *payload = malloc(size + 1);
    struct ib_region all = {payload, size};

    if (!payload || !read_all(fd, &head, sizeof(head), at) ||
        head.size != size || head.number % 2 != parity || head.number == 0 ||
        !read_all(fd, payload, size, at + SLOT_HEADER))
        goto none;
    hash_of(head.number, &all, 1, hash);
    if (memcmp(hash, head.hash, sizeof(hash)) != 0)
        goto none;
    *number = head.number;
    return payload;
none:
    free(payload);
    return NULL;
}

static bool load(void *ctx, const struct ib_region *r, int n)
{
    struct ib_checkpoint_file *f = ctx;
    char found[sizeof(magic)];
    uint64_t size, number[2] = {0};
    void *payload[2] = {NULL};
    const char *from;

    if (f->fd < 0 || !read_all(f->fd, found, sizeof(found), 0) ||
        memcmp(found, magic, sizeof(magic)) != 0 ||
        !read_all(f->fd, &size, sizeof(size), sizeof(magic)) ||
        size != total_size(r, n))
        return false;
    for (uint64_t i = 0; i < 2; i++)
        payload[i] = read_slot(f->fd, (size_t)size, i, &number[i]);
    from = payload[number[1] > number[0]];
    for (int i = 0; from && i < n; i++) {
        memcpy(r[i].data, from, r[i].size);
        from += r[i].size;
    }
    f->number = number[0] > number[1] ? number[0] : number[1];
    free(payload[0]);
    free(payload[1]);
    return from != NULL;
}

void ib_checkpoint_use(struct ib_checkpoint_file *f, int fd, double every)
{
    *f = (struct ib_checkpoint_file){.hooks = {f, due, load, save},
                                     .fd = fd,
                                     .every = every,
                                     .last = seconds()};
}

void ib_checkpoint_open(struct ib_checkpoint_file *f, const struct ib_store *s,
                        const char *key, double every)
{
    memset(f, 0, sizeof(*f));
    f->hooks = (struct ib_checkpoint){f, due, load, save};
    f->every = every;
    f->last = seconds();
    f->fd = -1;
    snprintf(f->path, sizeof(f->path), "%.3900s/partial", ib_store_dir(s));
    mkdir(f->path, 0777);
    snprintf(f->path, sizeof(f->path), "%.3900s/partial/%.64s", ib_store_dir(s),
             key);
    f->fd = open(f->path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (f->fd >= 0 && flock(f->fd, LOCK_EX | LOCK_NB) != 0) {
        close(f->fd);
        f->fd = -1;
    }
}

void ib_checkpoint_close(struct ib_checkpoint_file *f, bool done)
{
    if (f->fd < 0)
        return;
    if (done || f->number == 0)
        unlink(f->path);
    close(f->fd);
    f->fd = -1;
}
