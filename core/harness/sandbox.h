/*
 * The cell in which code from outside runs: an attack's process, and the child
 * that reads a module's descriptors.
 *
 * After ib_sandbox_enter the process can compute, allocate, use descriptors
 * that it already has, and read the system's libraries and the files named. It
 * cannot open anything else, make processes or sockets, trace, signal or read
 * another process, execute, mount, or raise its limits; capabilities are gone.
 * Enforced by seccomp (an allow list; what is not on it fails with EPERM) and,
 * where the kernel has it, by Landlock.
 */
#ifndef INVBENCH_HARNESS_SANDBOX_H
#define INVBENCH_HARNESS_SANDBOX_H

#include <invbench/base.h>

struct ib_sandbox {
    const char *const *files; /* may be read and mapped; NULL-terminated; NULL:
                                 none */
    bool no_landlock;         /* for tests of the second line of defense */
};

/* Landlock's ABI version in this kernel; 0: it has none. */
int ib_sandbox_landlock_abi(void);
/* For the rest of the process's life. IB_E_IO when the kernel refuses; the
 * caller must then not run what it wanted to lock in. *landlock (may be NULL)
 * is the version in force, 0 without. */
IB_CHECK enum ib_status ib_sandbox_enter(const struct ib_sandbox *s,
                                         int *landlock, struct ib_error *err);

/* Once everything is loaded: not even the system's libraries can be opened any
 * more, nor any path be looked at. After ib_sandbox_enter. */
IB_CHECK enum ib_status ib_sandbox_seal(struct ib_error *err);

#endif
