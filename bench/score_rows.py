#!/usr/bin/env python3
"""score_rows.py BENCH_SCORE [ROUNDS]: SSIM against scikit-image.

First 1000 random pairs of many sizes, grey and RGB: the largest difference is
printed, and must be below 1e-6. Then speed, in turns within this run, on one
core: the same pairs, by scikit-image one after the other, by invbench one after
the other, and by invbench as a matrix (each image prepared once), which is how
it scores. CPU time, medians of rounds, median ratio; the matrix is to be at
least 20 times as fast.
"""
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
import numpy as np
import skimage
from skimage.metrics import structural_similarity

PAIRS = 1000
SIZES = [(1, 28, 28, 16, 16), (1, 32, 32, 16, 16), (3, 32, 32, 12, 12), (1, 64, 64, 10, 10), (3, 64, 64, 8, 8),
         (1, 112, 92, 8, 8)]


def image(rng, c, h, w):
    """Between noise and a few blurred blots."""
    x = rng.random((c, h, w))
    y, z = np.mgrid[0:h, 0:w]
    for _ in range(rng.integers(0, 6)):
        cy, cx, r = rng.random() * h, rng.random() * w, 1 + rng.random() * h / 2
        x += 3 * rng.random((c, 1, 1)) * np.exp(-((y - cy) ** 2 + (z - cx) ** 2) / r ** 2)
    return np.round(255 * (x - x.min()) / (x.max() - x.min())).astype(np.uint8)


def like(rng, a):
    """A second image: the first one, something of it, or another."""
    share = rng.choice([0, 0.1, 0.5, 0.9, 0.99, 1])
    b = share * a + (1 - share) * image(rng, *a.shape)
    return np.clip(np.round(b + rng.integers(-20, 21)), 0, 255).astype(np.uint8)


def ssim(a, b):
    args = dict(gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=1)
    if a.shape[2] == 1:
        return structural_similarity(a[..., 0], b[..., 0], **args)
    return structural_similarity(a, b, channel_axis=2, **args)


def prepare(x):
    return x.transpose(1, 2, 0) / 255.0


class Program:
    def __init__(self, path, folder):
        self.p = subprocess.Popen([path, "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.file = os.path.join(folder, "images")

    def ask(self, a, b):
        with open(self.file, "wb") as f:
            f.write(b"".join(x.tobytes() for x in a + b))
        self.p.stdin.write("%s %d %d %d %d %d\n" % (self.file, *a[0].shape, len(a), len(b)))
        self.p.stdin.flush()
        return json.loads(self.p.stdout.readline())


def check(program):
    rng = np.random.default_rng(1)
    worst = 0
    for _ in range(PAIRS):
        a = image(rng, int(rng.choice([1, 3])), int(rng.integers(11, 129)), int(rng.integers(11, 129)))
        b = like(rng, a)
        got, want = program.ask([a], [b]), ssim(prepare(a), prepare(b))
        worst = max(worst, abs(got["pairs"][0] - want), abs(got["matrix"][0] - want))
    print("SSIM, %d random pairs of 11 to 128 pixels a side, grey and RGB: at most %.1e from scikit-image %s (below "
          "1e-6)" % (PAIRS, worst, skimage.__version__))
    return worst < 1e-6


def compare(program, size, rounds):
    c, h, w, n, m = size
    rng = np.random.default_rng(2)
    a, b = [image(rng, c, h, w) for _ in range(n)], [image(rng, c, h, w) for _ in range(m)]
    x, y = [prepare(i) for i in a], [prepare(i) for i in b]
    times = []
    for _ in range(rounds):
        start = time.process_time()
        want = [ssim(i, j) for i in x for j in y]
        theirs = time.process_time() - start
        got = program.ask(a, b)
        assert max(abs(np.array(want) - got["matrix"])) < 1e-6
        times.append((theirs, got["pairs_seconds"], got["matrix_seconds"]))
    pair, matrix = (statistics.median(t[0] / t[k] for t in times) for k in (1, 2))
    us = [statistics.median(t[k] for t in times) / (n * m) * 1e6 for k in range(3)]
    print("SSIM %dx%dx%d: scikit-image %.0f us a pair, invbench %.1f one by one (%.1f times as fast), %.1f as a matrix "
          "(%.1f times)" % (c, h, w, us[0], us[1], pair, us[2], matrix))
    return matrix >= 20


def main():
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    with tempfile.TemporaryDirectory() as folder:
        program = Program(sys.argv[1], folder)
        good = check(program)
        good = all([compare(program, s, rounds) for s in SIZES]) and good
        program.p.stdin.close()
        program.p.wait()
    return not good


sys.exit(main())
