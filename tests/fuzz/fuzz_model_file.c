/*
 * libFuzzer target: model files. The first byte of an input chooses what the
 * rest is: 0 the whole file; 1 the same, with the hash put right; 2 a header,
 * for a file that is sound otherwise. make fuzz builds it; run it as
 * build/fuzz/fuzz_model_file tests/fuzz/corpus.
 */
#include "model_file_fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* How many parameters a header speaks of, within reason. */
static size_t promised(const uint8_t *header, size_t n)
{
    static const char word[] = "\"parameters\":";
    const char *at = memmem(header, n, word, sizeof(word) - 1);
    const char *end = (const char *)header + n;
    size_t sum = 0;

    if (!at)
        return 0;
    for (at += sizeof(word) - 1; at < end && *at >= '0' && *at <= '9'; at++)
        sum = sum < 100000 ? 10 * sum + (size_t)(*at - '0') : sum;
    return sum;
}

static struct file_bytes copy(const uint8_t *data, size_t n)
{
    struct file_bytes f = {malloc(n + 1), n};

    if (!f.data)
        abort();
    memcpy(f.data, data, n);
    return f;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct ib_registry *registry;
    struct ib_error err;
    struct file_bytes f;

    if (!registry && ib_registry_create(&registry, &err))
        abort();
    if (n < 1)
        return 0;
    if (data[0] % 3 == 2) {
        f = file_of((const char *)data + 1, n - 1, promised(data + 1, n - 1));
    } else {
        f = copy(data + 1, n - 1);
        if (data[0] % 3 == 1)
            sign(&f);
    }
    enum ib_status s = try_file(registry, &f, &err);
    if (s != IB_OK && s != IB_E_DATA && s != IB_E_NOMEM)
        abort();
    if (s != IB_OK && !err.text[0])
        abort();
    free(f.data);
    return 0;
}
