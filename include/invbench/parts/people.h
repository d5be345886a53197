/* A folder with one sub-folder an identity, as it stands on the disk. */
#ifndef INVBENCH_PARTS_PEOPLE_H
#define INVBENCH_PARTS_PEOPLE_H

#include <invbench/images.h>

struct ib_person {
    const char *name;
    const char *const *files; /* n names of PGM, PPM and PNG files */
    uint32_t n;
};

struct ib_people {
    const char *path; /* as ib_data_path takes it */
    struct ib_person *person;
    uint32_t n;
};

/* Folders and files in natural order (s2 before s10); what starts with a point
 * and files that end otherwise are passed over. Memory comes from
 * env->scratch; path must outlive *out. */
IB_CHECK enum ib_status ib_people_scan(const struct ib_dataset_env *env,
                                       const char *path, struct ib_people *out,
                                       struct ib_error *err);
/* The path of one file, as ib_data_path takes it. */
IB_CHECK enum ib_status ib_people_file(const struct ib_people *p,
                                       uint32_t person, uint32_t file,
                                       char out[IB_PATH_SIZE],
                                       struct ib_error *err);

#endif
