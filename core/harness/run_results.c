/* Reading what a run left: see run_results.h. */
#include "run_results.h"

#include <limits.h>
#include <stdio.h>
#include <unistd.h>

enum ib_status ib_run_results(const char *dir, cJSON **out,
                              struct ib_error *err)
{
    char path[PATH_MAX], suite[PATH_MAX];

    if (snprintf(path, sizeof path, "%s/results.json", dir) >= PATH_MAX ||
        snprintf(suite, sizeof suite, "%s/suite.json", dir) >= PATH_MAX)
        return ib_error_set(err, IB_E_USAGE, "%.80s...: path is too long", dir);
    if (access(path, F_OK) != 0 && access(suite, F_OK) == 0)
        return ib_error_set(err, IB_E_DATA,
                            "%.200s: this run did not come to its end; give "
                            "the same `invbench run` again, it goes on",
                            dir);
    return ib_json_read(path, out, err);
}
