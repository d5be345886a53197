/* The artifact file: 56 bytes of header, meta, padding, data. */
#include "store_file.h"

#include <errno.h>
#include <fcntl.h>
#include <nettle/sha2.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const char MAGIC[8] = "IBART1\n";

static void put_u64(uint8_t *p, uint64_t v)
{
    for (int i = 0; i < 8; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

static uint64_t get_u64(const uint8_t *p)
{
    uint64_t v = 0;

    for (int i = 7; i >= 0; i--)
        v = v << 8 | p[i];
    return v;
}

static void hash_parts(const struct ib_artifact_parts *p, uint8_t out[32])
{
    struct sha256_ctx ctx;

    sha256_init(&ctx);
    sha256_update(&ctx, p->meta_size, (const uint8_t *)p->meta);
    if (p->data_size)
        sha256_update(&ctx, p->data_size, p->data);
    sha256_digest(&ctx, 32, out);
}

/* Where the data begins; false on overflow. */
static bool data_offset(size_t meta_size, size_t *out)
{
    size_t end;

    if (!ib_size_add(meta_size, IB_ARTIFACT_HEADER + IB_ARTIFACT_ALIGN - 1,
                     &end))
        return false;
    *out = end / IB_ARTIFACT_ALIGN * IB_ARTIFACT_ALIGN;
    return true;
}

bool ib_artifact_file_size(size_t meta_size, size_t data_size, size_t *out)
{
    size_t offset;

    return data_offset(meta_size, &offset) &&
           ib_size_add(offset, data_size, out);
}

static bool write_all(int fd, const void *data, size_t n)
{
    const char *p = data;

    while (n) {
        size_t piece = n < ((size_t)1 << 30) ? n : (size_t)1 << 30;
        ssize_t done = write(fd, p, piece);

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0) {
            errno = done == 0 ? ENOSPC : errno;
            return false;
        }
        p += done;
        n -= (size_t)done;
    }
    return true;
}

bool ib_artifact_write(int fd, const struct ib_artifact_parts *p)
{
    uint8_t header[IB_ARTIFACT_HEADER], zeros[IB_ARTIFACT_ALIGN] = {0};
    size_t offset;

    if (!data_offset(p->meta_size, &offset)) {
        errno = EOVERFLOW;
        return false;
    }
    memcpy(header, MAGIC, sizeof(MAGIC));
    put_u64(header + 8, p->meta_size);
    put_u64(header + 16, p->data_size);
    hash_parts(p, header + 24);
    return write_all(fd, header, sizeof(header)) &&
           write_all(fd, p->meta, p->meta_size) &&
           write_all(fd, zeros, offset - sizeof(header) - p->meta_size) &&
           (p->data_size == 0 || write_all(fd, p->data, p->data_size));
}

/* The header against the file's size. */
static enum ib_status check_sizes(const uint8_t *map, size_t size,
                                  const char *path,
                                  struct ib_artifact_parts *out, size_t *offset,
                                  struct ib_error *err)
{
    uint64_t meta = get_u64(map + 8), data = get_u64(map + 16);
    size_t total;

    if (memcmp(map, MAGIC, sizeof(MAGIC)) != 0)
        return ib_error_set(err, IB_E_DATA, "%s: not an artifact file", path);
    if (meta > size || data > size ||
        !ib_artifact_file_size((size_t)meta, (size_t)data, &total) ||
        !data_offset((size_t)meta, offset) || total != size)
        return ib_error_set(err, IB_E_DATA,
                            "%s: the header says %llu bytes of meta and %llu "
                            "of data, the file has %zu in all",
                            path, (unsigned long long)meta,
                            (unsigned long long)data, size);
    out->meta = (const char *)map + IB_ARTIFACT_HEADER;
    out->meta_size = (size_t)meta;
    out->data = map + *offset;
    out->data_size = (size_t)data;
    return IB_OK;
}

static enum ib_status check_content(const uint8_t *map, size_t size,
                                    const char *path, bool verify,
                                    struct ib_artifact *out,
                                    struct ib_error *err)
{
    struct ib_artifact_parts p;
    uint8_t hash[32];
    size_t offset;
    enum ib_status s = check_sizes(map, size, path, &p, &offset, err);

    if (s)
        return s;
    if (verify) {
        hash_parts(&p, hash);
        if (memcmp(hash, map + 24, sizeof(hash)) != 0)
            return ib_error_set(err, IB_E_DATA,
                                "%s: the content does not match its hash",
                                path);
    }
    s = ib_json_parse(p.meta, p.meta_size, path, &out->meta, err);
    if (s)
        return s == IB_E_NOMEM ? s
                               : ib_error_set(err, IB_E_DATA,
                                              "%s: the meta block is not "
                                              "JSON",
                                              path);
    out->size = p.data_size;
    out->data = p.data_size ? p.data : NULL;
    return IB_OK;
}

/* Opens a regular file that is large enough to hold a header. */
static enum ib_status open_file(const char *path, int *fd, size_t *size,
                                struct ib_error *err)
{
    struct stat st;

    *fd = open(path, O_RDONLY | O_CLOEXEC);
    if (*fd < 0 || fstat(*fd, &st) != 0)
        return ib_error_set(err, IB_E_IO, "%s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode) || st.st_size < IB_ARTIFACT_HEADER)
        return ib_error_set(err, IB_E_DATA,
                            "%s: %lld bytes are too few for an artifact", path,
                            (long long)st.st_size);
    *size = (size_t)st.st_size;
    return IB_OK;
}

enum ib_status ib_artifact_map(const char *path, bool verify,
                               struct ib_artifact *out, struct ib_error *err)
{
    enum ib_status s;
    size_t size = 0;
    void *map;
    int fd = -1;

    memset(out, 0, sizeof(*out));
    s = open_file(path, &fd, &size, err);
    if (s)
        goto done;
    map = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (map == MAP_FAILED) {
        s = ib_error_set(err, errno == ENOMEM ? IB_E_NOMEM : IB_E_IO,
                         "%s: %zu bytes cannot be mapped: %s", path, size,
                         strerror(errno));
        goto done;
    }
    out->map = map;
    out->map_size = size;
    s = check_content(map, size, path, verify, out, err);
    if (s)
        ib_artifact_free(out);
done:
    if (fd >= 0)
        close(fd);
    return s;
}

void ib_artifact_free(struct ib_artifact *a)
{
    if (!a)
        return;
    cJSON_Delete(a->meta);
    if (a->map)
        munmap(a->map, a->map_size);
    memset(a, 0, sizeof(*a));
}
