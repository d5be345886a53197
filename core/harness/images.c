#include <invbench/images.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

const char *const ib_split_names[IB_SPLITS] = {"train", "holdout", "public",
                                               "aux"};

void ib_image_to_float(const uint8_t *pixels, size_t d, ib_real *row)
{
    for (size_t i = 0; i < d; i++)
        row[i] = (float)pixels[i] / 255.0f;
}

void ib_image_to_bytes(const float *row, size_t d, uint8_t *pixels)
{
    for (size_t i = 0; i < d; i++) {
        float x = row[i] > 0.0f ? row[i] : 0.0f; /* NaN too */
        x = x < 1.0f ? x : 1.0f;
        /* Adding 2^23 rounds to an integer, half to even. */
        float y = x * 255.0f + 8388608.0f;
        pixels[i] = (uint8_t)(y - 8388608.0f);
    }
}

enum ib_status ib_data_path(const struct ib_dataset_env *env, const char *path,
                            char out[IB_PATH_SIZE], struct ib_error *err)
{
    bool absolute = path[0] == '/';
    if (!absolute && env->data_dir == NULL)
        return ib_error_set(err, IB_E_USAGE,
                            "%s: there is no data folder to look in; name it "
                            "with --data DIR or INVBENCH_DATA",
                            path);
    int n = absolute
                ? snprintf(out, IB_PATH_SIZE, "%s", path)
                : snprintf(out, IB_PATH_SIZE, "%s/%s", env->data_dir, path);
    if (n < 0 || n >= IB_PATH_SIZE)
        return ib_error_set(err, IB_E_USAGE, "%.100s...: the path is too long",
                            path);
    return IB_OK;
}
