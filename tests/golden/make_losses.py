#!/usr/bin/env python3
"""Writes tests/golden/losses.inc and dependence.inc: values and gradients of losses by PyTorch in float64.

Inputs come from a small generator that tests/loss_fixture.h repeats in C; they are multiples of 1/1024, so that floats
hold them exactly. Needs torch (Debian: python3-torch). Usage: make_losses.py losses|dependence > FILE
"""
import sys
import textwrap

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)


def numbers(count, seed, low=-2.0, width=4.0):
    x, out = seed, []
    for _ in range(count):
        x = (x * 1664525 + 1013904223) & 0xFFFFFFFF
        out.append(low + width * (x >> 20) / 4096)
    return torch.tensor(out)


def leaf(shape, seed, low=-2.0, width=4.0):
    n = 1
    for s in shape:
        n *= s
    return numbers(n, seed, low, width).reshape(shape).requires_grad_()


def show(name, value, *inputs):
    print("static const double gold_%s = %.17g;" % (name, value.item()))
    for i, g in enumerate(torch.autograd.grad(value, inputs, retain_graph=True)):
        text = textwrap.fill(", ".join("%.10g" % v for v in g.flatten().tolist()), 118)
        print("static const double gold_%s_%d[] = {\n%s};" % (name, i, text))


N, K = 2, 66  # more than one block of columns
LABEL = torch.tensor([0, 65])


def classification():
    z = leaf((N, K), 1, -8, 16)
    t = numbers(N * K, 2, -0.5, 1.5).reshape(N, K)
    show("cross_entropy", -(t * torch.log_softmax(z, 1)).sum(1).mean(), z)
    a = -0.05
    nll = F.nll_loss(torch.log_softmax(z, 1), LABEL)
    show("smoothed", (1 - a) * nll + a * (-torch.log_softmax(z, 1)).mean(1).mean(), z)
    real = z.gather(1, LABEL[:, None]).squeeze(1)
    others = z.clone()
    others[torch.arange(N), LABEL] = -float("inf")
    show("max_margin", (others.max(1).values - real).mean(), z)
    show("logit", F.nll_loss(z, LABEL), z)
    u = z / torch.norm(z, p=1, dim=-1)[:, None]
    v = torch.clip(torch.eye(K)[LABEL] - 1e-4, 0, 1)
    delta = 2 * ((u - v) ** 2).sum(1) / ((1 - (u**2).sum(1)) * (1 - (v**2).sum(1)))
    show("poincare", torch.arccosh(1 + delta).mean(), z)


def values():
    y, t = leaf((N, K), 3), numbers(N * K, 4).reshape(N, K)
    show("mse", F.mse_loss(y, t), y)
    show("l1", F.l1_loss(y, t), y)
    p, z = leaf((N, K), 5, 0.001, 0.998), leaf((N, K), 6, -20, 40)
    share = numbers(N * K, 7, 0, 1).reshape(N, K)
    show("bce", F.binary_cross_entropy(p, share), p)
    show("bce_logits", F.binary_cross_entropy_with_logits(z, share), z)
    s = leaf((K,), 8)
    show("hinge_real", torch.relu(1 - s).mean(), s)
    show("hinge_fake", torch.relu(1 + s).mean(), s)
    show("hinge_generator", -s.mean(), s)
    row = numbers(K, 9)
    show("feature_rows", ((y - row) ** 2).mean(), y)
    show("feature_mean", ((y.mean(0) - row) ** 2).sum(), y)
    show("feature_mean_l1", (y.mean(0) - row).abs().mean(), y)


def normals():
    m, v = leaf((N, K), 10), leaf((N, K), 11)
    o, s = leaf((N, K), 12), leaf((N, K), 13, 0.25, 2)
    show("kl_standard", (-0.5 * (1 + v - m**2 - v.exp())).sum(1).mean(), m, v)
    show("kl_standard_deviation", (-0.5 * (1 + 2 * s.log() - m**2 - s**2)).sum(1).mean(), m, s)
    q = torch.distributions.Normal(m, (0.5 * v).exp())
    p = torch.distributions.Normal(o, s)
    show("kl", torch.distributions.kl_divergence(q, p).sum(1).mean(), m, v, o, s)


M = 8


def kernel(x, sigma):
    if sigma is None:
        return x @ x.T
    d = ((x[:, None] - x[None]) ** 2).sum(2)
    if sigma == 0:
        pairs = [d[i, j].item() ** 0.5 for i in range(M) for j in range(i)]
        sigma = float(torch.quantile(torch.tensor(pairs), 0.5))
    return torch.exp(-d / (2 * sigma**2))


def dependence():
    x, y = leaf((M, 5), 14), leaf((M, 3), 15)
    h = torch.eye(M) - 1.0 / M
    for name, sx, sy in [("fixed", 1.5, 2.0), ("median", 0, None)]:
        k, l = kernel(x, sx), kernel(y, sy)
        show("hsic_" + name, torch.trace(k @ h @ l @ h) / (M - 1) ** 2, x, y)
        p = (h @ k @ h) @ (h @ l @ h)
        show("frobenius_" + name, torch.sqrt(torch.norm(p)) / M, x, y)
        show("spectral_" + name, torch.sqrt(torch.linalg.matrix_norm(p, 2)) / M, x, y)
    for name, sx, sy in [("fixed", 1.5, 2.0), ("bido", 5 * 5**0.5, None)]:
        k, l = kernel(x, sx), kernel(y, sy)
        # BiDO's code centres on the right alone: the same number, but its gradient loses digits to rounding.
        rx, ry = (c @ torch.inverse(c + 1e-5 * M * torch.eye(M)) for c in (k @ h, l @ h))
        official = (rx * ry.T).sum()
        rx, ry = (c @ torch.inverse(c + 1e-5 * M * torch.eye(M)) for c in (h @ k @ h, h @ l @ h))
        assert abs(official - (rx * ry.T).sum()) < 1e-6
        show("normalised_" + name, (rx * ry.T).sum(), x, y)


def variation():
    x = leaf((2, 1, 3, 67), 16)  # wider than one block
    dx = torch.zeros_like(x)
    dy = torch.zeros_like(x)
    dx[..., :-1] = x[..., 1:] - x[..., :-1]
    dy[..., :-1, :] = x[..., 1:, :] - x[..., :-1, :]
    show("variation_l1", (dx.abs() + dy.abs()).sum() / 2, x)
    show("variation_l2", (dx**2 + dy**2).sum() / 2, x)
    show("variation_smooth", (torch.sqrt(dx**2 + dy**2 + 0.1**2) - 0.1).sum() / 2, x)


print("/* Made by tests/golden/make_losses.py with PyTorch %s. */" % torch.__version__)
if sys.argv[1] == "dependence":
    dependence()
else:
    classification()
    values()
    normals()
    variation()
