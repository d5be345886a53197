#!/usr/bin/env python3
"""Writes tests/golden/ssim.inc: SSIM of 20 pairs of images by scikit-image.

Images come from a small generator that tests/test_ssim.c repeats in C.
Needs numpy and skimage (Debian: python3-skimage). Usage: make_ssim.py > FILE
"""
import numpy as np
import skimage
from skimage.metrics import structural_similarity

SIZES = [(1, 11, 11), (1, 16, 16), (1, 28, 28), (1, 32, 32), (1, 32, 47), (1, 64, 64), (1, 13, 80), (1, 112, 92),
         (1, 65, 64), (1, 19, 83), (3, 11, 12), (3, 16, 16), (3, 32, 32), (3, 40, 31), (3, 64, 64), (3, 17, 90)]


def noise(n, seed):
    """Blocks of 4 equal values with jitter: some structure, some noise."""
    x, out = seed, []
    for i in range(n):
        x = (x * 1664525 + 1013904223) & 0xFFFFFFFF
        if i % 4 == 0:
            base = x >> 24
        out.append((base * 3 + (x >> 24)) // 4)
    return np.array(out, dtype=np.int64)


def pair(shape, seed, mix):
    n = shape[0] * shape[1] * shape[2]
    a, b = noise(n, seed), noise(n, seed + 1000)
    b = (a * mix + b * (256 - mix)) // 256
    return a.reshape(shape), b.reshape(shape)


def ssim(a, b):
    a, b = (x.transpose(1, 2, 0) / 255.0 for x in (a, b))
    args = dict(gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=1)
    if a.shape[2] == 1:
        return structural_similarity(a[..., 0], b[..., 0], **args)
    return structural_similarity(a, b, channel_axis=2, **args)


print("/* Made by tests/golden/make_ssim.py with scikit-image %s. */" % skimage.__version__)
print("/* c, h, w, seed, mix, SSIM */")
rows = [(s, i + 1, m) for i, (s, m) in enumerate(zip(SIZES, [0, 40, 90, 128, 160, 200, 230, 250] * 2))]
rows += [((1, 32, 32), 77, 256), ((3, 32, 32), 78, 256), ((1, 64, 64), 79, 255), ((1, 24, 24), 80, 10)]
for shape, seed, mix in rows:
    print("{%d, %d, %d, %d, %d, %.17g}," % (*shape, seed, mix, ssim(*pair(shape, seed, mix))))
