#!/usr/bin/env python3
"""Golden values of tests/test_stats.c and tests/test_inference.c.

An independent computation of the two-way interval (core/harness/stats.h) on a
balanced panel, of Wilson's interval, and of tests on it: numpy 1.24, scipy 1.10.
Writes stats.inc beside this script.
"""
import os

import numpy as np
from scipy import stats

K, S = 12, 3


def panel(binary):
    """What the C test fills in: no random numbers, so that both agree."""
    y = np.empty((S, K))
    for s in range(S):
        for k in range(K):
            y[s, k] = np.sin(1.7 * k) + 0.5 * s * s + 0.3 * np.cos(5.0 * k * (s + 1))
    return (y > 0.2).astype(float) if binary else y


def parts(y):
    """Mean, and from mean squares of the two-way layout: identity, seed, rest."""
    n, m = y.size, y.mean()
    rows, columns = y.mean(1) - m, y.mean(0) - m
    rest = y - m - rows[:, None] - columns[None, :]
    return (m, (columns**2).sum() / (K * (K - 1)), (rows**2).sum() / (S * (S - 1)),
            (rest**2).sum() / ((K - 1) * (S - 1)) / n)


def interval(y, share):
    m, a, b, e = parts(y)
    v = max(a - e, 0) + b
    dfa = (K - 1) * (3 if share else 1)
    dfb = S - 1 + (1 / (S - 1) if share else 0)
    df = v * v / ((a * a if a > e else 0) / dfa + b * b / dfb)
    df = max(df, min(dfa, dfb))
    t = stats.t.ppf(0.975, df)
    if not share:
        return m, np.sqrt(v), df, m - t * np.sqrt(v), m + t * np.sqrt(v)
    n = m * (1 - m) / v
    middle = (m + t * t / (2 * n)) / (1 + t * t / n)
    half = t / (1 + t * t / n) * np.sqrt(m * (1 - m) / n + t * t / (4 * n * n))
    return m, np.sqrt(v), df, middle - half, middle + half


def write(f, name, values):
    f.write("static const double %s[] = {%s};\n" % (name, ", ".join("%.15g" % v for v in values)))


with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "stats.inc"), "w") as f:
    f.write("/* Made by make_stats.py. */\n")
    f.write("/* value, se, df, low, high */\n")
    write(f, "golden_mean", interval(panel(False), False))
    write(f, "golden_share", interval(panel(True), True))
    m, se, df, _, _ = interval(panel(False), False)
    f.write("/* of that mean: 99 % bounds, p of 0, p within 1.5, p below 1, power for 2, detectable */\n")
    t99, t80 = stats.t.ppf(0.99, df), stats.t.ppf(0.8, df)
    write(f, "golden_tests", [m - t99 * se, m + t99 * se, 2 * stats.t.cdf(-m / se, df),
                              max(stats.t.cdf((m - 1.5) / se, df), 1 - stats.t.cdf((m + 1.5) / se, df)),
                              stats.t.cdf((m - 1) / se, df), stats.t.cdf(2 / se - t99, df), (t99 + t80) * se])
