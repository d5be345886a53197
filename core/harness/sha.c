#include "json.h"

#include <errno.h>
#include <fcntl.h>
#include <nettle/sha2.h>
#include <string.h>
#include <unistd.h>

static void key_of(struct sha256_ctx *ctx, char key[IB_KEY_SIZE])
{
    static const char digit[] = "0123456789abcdef";
    uint8_t hash[SHA256_DIGEST_SIZE];

    sha256_digest(ctx, sizeof hash, hash);
    for (size_t i = 0; i < sizeof hash; i++) {
        key[2 * i] = digit[hash[i] >> 4];
        key[2 * i + 1] = digit[hash[i] & 15];
    }
    key[2 * sizeof hash] = '\0';
}

void ib_sha256(const void *data, size_t n, char key[IB_KEY_SIZE])
{
    struct sha256_ctx ctx;

    sha256_init(&ctx);
    if (n)
        sha256_update(&ctx, n, data);
    key_of(&ctx, key);
}

enum ib_status ib_sha256_file(const char *path, char key[IB_KEY_SIZE],
                              struct ib_error *err)
{
    struct sha256_ctx ctx;
    uint8_t block[1 << 15];
    ssize_t n;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return ib_error_set(err, IB_E_IO, "%s: %s", path, strerror(errno));
    sha256_init(&ctx);
    while ((n = read(fd, block, sizeof block)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            int why = errno;
            close(fd);
            return ib_error_set(err, IB_E_IO, "%s: %s", path, strerror(why));
        }
        sha256_update(&ctx, (size_t)n, block);
    }
    close(fd);
    key_of(&ctx, key);
    return IB_OK;
}

enum ib_status ib_json_key(const cJSON *v, char key[IB_KEY_SIZE],
                           struct ib_error *err)
{
    struct ib_text text = {0};
    enum ib_status s = ib_json_canonical(v, &text, err);

    if (s == IB_OK)
        ib_sha256(text.data, text.size, key);
    ib_text_free(&text);
    return s;
}
