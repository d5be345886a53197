/* Directories: making them with their parents, removing them with all. */
#ifndef INVBENCH_HARNESS_TREE_H
#define INVBENCH_HARNESS_TREE_H

#include <limits.h>

#include <invbench/base.h>

IB_CHECK enum ib_status ib_tree_make(const char *dir, struct ib_error *err);
/* What is not there is no error; links are removed, not followed. */
IB_CHECK enum ib_status ib_tree_remove(const char *dir, struct ib_error *err);
/* A fresh directory under $TMPDIR or /tmp. */
IB_CHECK enum ib_status ib_tree_temporary(char out[PATH_MAX],
                                          struct ib_error *err);

#endif
