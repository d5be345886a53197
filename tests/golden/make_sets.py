#!/usr/bin/env python3
"""Writes tests/golden/sets.inc: Frechet distances by SciPy's matrix square root
(as pytorch-fid combines it), and precision, recall, density, coverage by the
formulas of Naeem et al.'s code, of rows that tests/test_sets.c makes too.

Needs numpy and scipy. Usage: make_sets.py > sets.inc
"""
import numpy as np
import scipy
from scipy.linalg import sqrtm


def uniform(n, seed):
    x, out = seed, []
    for _ in range(n):
        x = (x * 1664525 + 1013904223) & 0xFFFFFFFF
        out.append((x >> 8) / 2.0 ** 24)
    return out


def rows(n, d, seed, scale, shift):
    """Sums of neighbours, so that columns are correlated; float32 like ours."""
    u = np.array(uniform(n * (d + 3), seed)).reshape(n, d + 3)
    x = u[:, :d] + 0.5 * u[:, 1:d + 1] - u[:, 2:d + 2] + 0.25 * u[:, 3:]
    x = x * (1 + np.arange(d)) * scale + shift * (np.arange(d) % 3)
    return x.astype(np.float32)


def frechet(a, b):
    a, b = a.astype(np.float64), b.astype(np.float64)
    ca, cb = (np.atleast_2d(np.cov(x, rowvar=False)) for x in (a, b))
    root = sqrtm(ca.dot(cb))
    gap = a.mean(axis=0) - b.mean(axis=0)
    return gap.dot(gap) + np.trace(ca) + np.trace(cb) - 2 * np.trace(root).real


def distances(a, b):
    return np.sqrt(((a[:, None, :].astype(np.float64) - b[None, :, :]) ** 2).sum(axis=2))


def radius(x, k):
    return np.sort(distances(x, x), axis=1)[:, k]


def prdc(real, fake, k):
    d, r, f = distances(real, fake), radius(real, k), radius(fake, k)
    return ((d < r[:, None]).any(axis=0).mean(), (d < f[None, :]).any(axis=1).mean(),
            (d < r[:, None]).sum(axis=0).mean() / k, (d.min(axis=1) < r).mean())


def inversion(real, fake, k):
    d, r, f = distances(real, fake), radius(real, k), radius(fake, k)
    near, mine = d.argmin(axis=0), d.argmin(axis=1)
    return (np.mean([d[near[j], j] <= r[near[j]] for j in range(len(fake))]),
            np.mean([d[i, mine[i]] <= f[mine[i]] for i in range(len(real))]),
            (d <= r[:, None]).sum() / (k * len(real)), (d.min(axis=1) <= r).mean())


SETS = [(200, 160, 1, 1.0, 0.0), (300, 170, 4, 1.1, 0.1), (160, 400, 7, 0.7, 0.5), (250, 250, 16, 1.0, 0.02)]
print("/* Made by tests/golden/make_sets.py with numpy %s, scipy %s. */" % (np.__version__, scipy.__version__))
print("/* rows a, rows b, d, scale b, shift b, Frechet distance */\n#ifdef FRECHET")
for n, m, d, scale, shift in SETS:
    print("{%d, %d, %d, %.17g, %.17g, %.17g}," % (n, m, d, scale, shift, frechet(
        rows(n, d, 11, 1, 0), rows(m, d, 12, scale, shift))))
print("#endif\n/* real rows, fake rows, d, scale, shift, k, inversion, p, r, d, c */\n#ifdef PRDC")
for n, m, d, scale, shift in [(60, 25, 2, 0.6, 0.3), (25, 60, 3, 1.3, 0.2), (40, 40, 8, 1.0, 0.0)]:
    for k in (1, 3, 5):
        real, fake = rows(n, d, 21, 1, 0), rows(m, d, 22, scale, shift)
        for variant, f in ((0, prdc), (1, inversion)):
            print("{%d, %d, %d, %.17g, %.17g, %d, %d, %.17g, %.17g, %.17g, %.17g}," % (
                n, m, d, scale, shift, k, variant, *f(real, fake, k)))
print("#endif")
