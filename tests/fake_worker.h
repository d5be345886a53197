/*
 * A worker for tests of the scheduler: the test program plays it when it is
 * executed as "PROGRAM worker --store DIR ...". Each spec's "do" says what
 * becomes of its node.
 */
#ifndef INVBENCH_TESTS_FAKE_WORKER_H
#define INVBENCH_TESTS_FAKE_WORKER_H

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "store.h"

static inline const char *fake_text(const cJSON *o, const char *name)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, name);

    return cJSON_IsString(v) ? v->valuestring : "";
}

static inline int fake_put(struct ib_store *store, const cJSON *node)
{
    cJSON *meta = cJSON_CreateObject();
    enum ib_status s;

    cJSON_AddItemReferenceToObject(
        meta, "spec", cJSON_GetObjectItemCaseSensitive(node, "spec"));
    s = ib_store_put(store, fake_text(node, "key"), meta, NULL, 0, NULL);
    cJSON_Delete(meta);
    return s;
}

static inline void fake_behave(const char *what)
{
    volatile double sum = 0;

    if (strcmp(what, "segfault") == 0) {
        signal(SIGSEGV, SIG_DFL); /* also under ASan */
        raise(SIGSEGV);
    }
    if (strcmp(what, "loop") == 0)
        for (;;)
            sum += 1;
    if (strcmp(what, "sleep") == 0)
        sleep(60);
    if (strcmp(what, "killed") == 0)
        raise(SIGKILL);
    if (strcmp(what, "exit") == 0)
        _exit(7);
}

/* threads: the worker's argument. */
static inline void fake_work(struct ib_store *store, const cJSON *node,
                             const char *threads)
{
    const char *what =
        fake_text(cJSON_GetObjectItemCaseSensitive(node, "spec"), "do");
    const char *key = fake_text(node, "key");
    const char *status = "ok", *text = "";

    dprintf(3, "{\"begin\":\"%s\"}\n", key);
    fake_behave(what);
    if (strncmp(what, "needs ", 6) == 0 && !ib_store_has(store, what + 6)) {
        status = "data";
        text = "corrupt artifact";
    } else if (strcmp(what, "two threads") == 0 && strcmp(threads, "2") != 0) {
        status = "usage";
        text = threads;
    } else if (strcmp(what, "fail") == 0) {
        status = "numeric";
        text = "not a number";
    } else if (strcmp(what, "denied") == 0) {
        status = ib_status_name(IB_E_DENIED);
        text = "no public split";
    } else if (strcmp(what, "nomem") == 0) {
        status = ib_status_name(IB_E_NOMEM);
        text = "no memory";
    } else if (strcmp(what, "attacker") == 0) {
        status = "internal";
        text = "crashed: SIGBUS";
    } else if (fake_put(store, node)) {
        status = "io";
        text = "put";
    }
    dprintf(3,
            "{\"key\":\"%s\",\"status\":\"%s\",\"text\":\"%s\","
            "\"seconds\":0.5,\"peak_mib\":12}\n",
            key, status, text);
    if (strcmp(status, "ok") != 0)
        _exit(0);
    if (strcmp(what, "linger") == 0)
        sleep(1);
}

static inline int fake_worker(int argc, char **argv)
{
    struct ib_text text = {0};
    struct ib_store *store = NULL;
    cJSON *job = NULL, *node;
    const char *threads = "";
    char piece[65536];
    ssize_t n;

    while ((n = read(0, piece, sizeof(piece))) > 0)
        ib_text_put(&text, piece, (size_t)n);
    for (int i = 4; i + 1 < argc; i++)
        if (strcmp(argv[i], "--threads") == 0)
            threads = argv[i + 1];
    if (argc < 4 || ib_store_open(&store, argv[3], NULL) ||
        ib_json_parse(text.data, text.size, "job", &job, NULL))
        return 9;
    cJSON_ArrayForEach(node, cJSON_GetObjectItemCaseSensitive(job, "nodes"))
        fake_work(store, node, threads);
    cJSON_Delete(job);
    ib_text_free(&text);
    ib_store_close(store);
    return 0;
}

#endif
