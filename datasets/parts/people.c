#include <invbench/parts/people.h>

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

static int is_name(const struct dirent *e)
{
    return e->d_name[0] != '.';
}

static int is_picture(const struct dirent *e)
{
    const char *dot = strrchr(e->d_name, '.');
    return e->d_name[0] != '.' && dot != NULL &&
           (strcasecmp(dot, ".pgm") == 0 || strcasecmp(dot, ".ppm") == 0 ||
            strcasecmp(dot, ".png") == 0);
}

static enum ib_status join(const char *a, const char *b, char *out,
                           struct ib_error *err)
{
    int n = snprintf(out, IB_PATH_SIZE, "%s/%s", a, b);
    if (n < 0 || n >= IB_PATH_SIZE)
        return ib_error_set(err, IB_E_DATA, "%.100s/%.100s: path too long", a,
                            b);
    return IB_OK;
}

/* Sorted names in the folder `path` (as options give it). */
static enum ib_status names_in(const struct ib_dataset_env *env,
                               const char *path,
                               int (*wanted)(const struct dirent *),
                               const char ***out, uint32_t *n,
                               struct ib_error *err)
{
    char full[IB_PATH_SIZE];
    struct dirent **entry = NULL;
    enum ib_status s = ib_data_path(env, path, full, err);
    if (s != IB_OK)
        return s;
    int count = scandir(full, &entry, wanted, versionsort);
    if (count < 0)
        return ib_error_set(err, IB_E_IO, "%s: %s", full, strerror(errno));
    const char **name =
        ib_scratch_take(env->scratch, (size_t)count + 1, sizeof *name);
    for (int i = 0; i < count; i++) {
        size_t size = strlen(entry[i]->d_name) + 1;
        char *copy = name ? ib_scratch_take(env->scratch, size, 1) : NULL;
        if (copy != NULL)
            name[i] = memcpy(copy, entry[i]->d_name, size);
        else
            s = ib_error_set(err, IB_E_NOMEM, "%s: no memory for %d names",
                             full, count);
        free(entry[i]);
    }
    free(entry);
    *out = name;
    *n = (uint32_t)count;
    return s;
}

static bool is_folder(const struct ib_dataset_env *env, const char *path)
{
    char full[IB_PATH_SIZE];
    struct stat st;
    return ib_data_path(env, path, full, NULL) == IB_OK &&
           stat(full, &st) == 0 && S_ISDIR(st.st_mode);
}

enum ib_status ib_people_scan(const struct ib_dataset_env *env,
                              const char *path, struct ib_people *out,
                              struct ib_error *err)
{
    struct ib_people all = {.path = path};
    const char **name = NULL;
    uint32_t n = 0;
    char below[IB_PATH_SIZE];
    enum ib_status s = names_in(env, path, is_name, &name, &n, err);
    if (s != IB_OK)
        return s;
    all.person =
        ib_scratch_take(env->scratch, (size_t)n + 1, sizeof *all.person);
    if (all.person == NULL)
        return ib_error_set(err, IB_E_NOMEM, "no memory for %u names", n);
    for (uint32_t i = 0; i < n && s == IB_OK; i++) {
        struct ib_person p = {.name = name[i]};
        const char **files = NULL;
        s = join(path, name[i], below, err);
        if (s != IB_OK || !is_folder(env, below))
            continue;
        s = names_in(env, below, is_picture, &files, &p.n, err);
        p.files = files;
        all.person[all.n++] = p;
    }
    *out = all;
    return s;
}

enum ib_status ib_people_file(const struct ib_people *p, uint32_t person,
                              uint32_t file, char out[IB_PATH_SIZE],
                              struct ib_error *err)
{
    char folder[IB_PATH_SIZE];
    enum ib_status s = join(p->path, p->person[person].name, folder, err);
    return s == IB_OK ? join(folder, p->person[person].files[file], out, err)
                      : s;
}
