#!/usr/bin/env python3
"""Writes tests/golden/norms.inc: outputs and gradients by PyTorch in float64.

Subjects, shapes and numbers are those of tests/norm_fixture.h and
tests/test_norm_golden.c. Needs numpy and torch (Debian: python3-torch).
Usage: make_norms.py > FILE
"""
import numpy as np
import torch
import torch.nn.functional as F

ROWS = 3
IMAGE = (4, 3, 3)


def noise(n, seed):
    x, out = (seed * 7919 + 1) & 0xFFFFFFFF, []
    for _ in range(n):
        x = (x * 1664525 + 1013904223) & 0xFFFFFFFF
        out.append((x >> 20) / 1024 - 2)
    return torch.tensor(out, dtype=torch.float64)


def positive(n, seed):
    return 0.5 + noise(n, seed).abs()


def batchnorm(training, affine=True, epsilon=1e-5):
    def f(x, w, s):
        c = x[0].shape[1]
        scale, shift = (w[:c], w[c:]) if affine else (None, None)
        return F.batch_norm(x[0], s[:c], s[c:], scale, shift, training, 0.1, epsilon)
    return f


def groupnorm(groups, affine=True):
    def f(x, w, s):
        c = x[0].shape[1]
        return F.group_norm(x[0], groups, w[:c] if affine else None, w[c:] if affine else None, 1e-5)
    return f


def instancenorm(affine):
    def f(x, w, s):
        return F.instance_norm(x[0], weight=w[:4] if affine else None, bias=w[4:] if affine else None, eps=1e-5)
    return f


def modulate(x, scale, shift):
    view = scale.shape + (1,) * (x.dim() - 2)
    return (1 + scale.view(view)) * x + shift.view(view)


def conditional(training):
    def f(x, w, s):
        y = F.batch_norm(x[0], s[:4], s[4:], None, None, training, 0.1, 1e-5)
        return modulate(y, x[1] @ w[:12].view(4, 3).T, x[1] @ w[12:].view(4, 3).T)
    return f


def spectral(x, w, s):
    m = w[:30].view(5, 6)
    return x[0] @ (m / (s[:5] @ m @ s[5:])).T + w[30:]


def mix(m, x):
    return F.conv2d(x, m.view(4, 4, 1, 1))


# name, shapes of the inputs, parameters, state, function
SUBJECTS = [
    ("batchnorm_training", [IMAGE], 8, 8, batchnorm(True)),
    ("batchnorm_features_training", [(5,)], 10, 10, batchnorm(True)),
    ("batchnorm_plain_training", [IMAGE], 0, 8, batchnorm(True, False, 0.1)),
    ("batchnorm", [IMAGE], 8, 8, batchnorm(False)),
    ("batchnorm_features", [(5,)], 10, 10, batchnorm(False)),
    ("groupnorm", [IMAGE], 8, 0, groupnorm(2)),
    ("layernorm", [(7,)], 14, 0, groupnorm(1)),
    ("instancenorm", [IMAGE], 8, 0, instancenorm(True)),
    ("instancenorm_plain", [IMAGE], 0, 0, instancenorm(False)),
    ("film", [IMAGE, (4,), (4,)], 0, 0, lambda x, w, s: modulate(*x)),
    ("film_features", [(4,), (4,), (4,)], 0, 0, lambda x, w, s: modulate(*x)),
    ("inner", [IMAGE, (36,)], 0, 0, lambda x, w, s: (x[0].flatten(1) * x[1]).sum(1)),
    ("embedding", [(3,)], 15, 0, lambda x, w, s: x[0] @ w.view(5, 3).T),
    ("conditional_training", [IMAGE, (3,)], 24, 8, conditional(True)),
    ("conditional", [IMAGE, (3,)], 24, 8, conditional(False)),
    ("projection", [(6,), (3,)], 18, 0, lambda x, w, s: (x[0] * (x[1] @ w.view(6, 3).T)).sum(1)),
    ("spectral", [(6,)], 35, 11, spectral),
    ("invconv", [IMAGE], 16, 0, lambda x, w, s: mix(w, x[0])),
    ("invconv_inverse", [IMAGE], 16, 0, lambda x, w, s: mix(torch.linalg.inv(w.view(4, 4)), x[0])),
    ("logdet", [], 16, 0, lambda x, w, s: 9 * torch.linalg.slogdet(w.view(4, 4))[1].expand(ROWS)),
]


def write(name, what, values):
    text = ", ".join("%.9g" % v for v in values.detach().flatten().tolist())
    print('{"%s", "%s", %d, (const double[]){%s}},' % (name, what, values.numel(), text))


def subject(name, shapes, parameters, state, f):
    x = [noise(ROWS * int(np.prod(s)), 30 + i).view(ROWS, *s).requires_grad_() for i, s in enumerate(shapes)]
    w, s = noise(parameters, 10).requires_grad_(), positive(state, 20)
    y = f(x, w, s)
    (y.flatten() * noise(y.numel(), 40)).sum().backward()
    write(name, "y", y)
    for i, v in enumerate(x):
        write(name, "dx%d" % i, v.grad)
    if parameters:
        write(name, "dw", w.grad)
    if "training" in name:
        write(name, "state", s)  # PyTorch has moved it in place


def matching():
    """Statistics of two batch norms in inference: Yin et al., CVPR 2020, eq. 4."""
    x, w, s = noise(ROWS * 36, 30).view(ROWS, 4, 3, 3).requires_grad_(), noise(32, 10), positive(16, 20)
    means, variances = [], []

    def norm(v, w, s):
        means.append((v.mean((0, 2, 3)) - s[:4]).norm())
        variances.append((v.var((0, 2, 3), unbiased=False) - s[4:]).norm())
        return F.batch_norm(v, s[:4], s[4:], w[:4], w[4:], False, 0.1, 1e-5)

    y = norm(mix(w[8:24], F.relu(norm(x, w[:8], s[:8]))), w[24:], s[8:])
    loss = [m + v for m, v in zip(means, variances)]
    ((y.flatten() * noise(y.numel(), 40)).sum() + 0.7 * loss[0] + 3 * loss[1]).backward()
    write("matching", "loss", torch.stack(loss))
    write("matching", "dx0", x.grad)


print("/* Made by tests/golden/make_norms.py with PyTorch %s, numpy %s. */" % (torch.__version__, np.__version__))
for row in SUBJECTS:
    subject(*row)
matching()
write("spectral", "sigma", torch.tensor(np.linalg.svd(noise(240, 60).view(12, 20).numpy())[1][:1]))
