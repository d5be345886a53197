#!/usr/bin/env python3
"""Writes tests/golden/augment.inc: augmented images and their vector-Jacobian products by PyTorch in float64.

Bilinear sampling is grid_sample's; colours are changed as torchvision.transforms.functional does it, in that order and
clamped. tests/test_augment.c repeats inputs and draws in C. Needs torch (Debian: python3-torch). Usage: make_augment.py
> FILE
"""
import math
import textwrap

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)


def numbers(count, seed, low, width):
    x, out = seed, []
    for _ in range(count):
        x = (x * 1664525 + 1013904223) & 0xFFFFFFFF
        out.append(low + width * (x >> 20) / 4096)
    return torch.tensor(out)


def show(name, values):
    text = textwrap.fill(", ".join("%.10g" % v for v in values.flatten().tolist()), 118)
    print("static const double gold_%s[] = {\n%s};" % (name, text))


def move(x, mirror, shift, crop):
    c, h, w = x.shape
    if mirror:
        x = x.flip(2)
    rows = (torch.arange(h) - shift[0]).clamp(0, h - 1)
    columns = (torch.arange(w) - shift[1]).clamp(0, w - 1)
    x = x[:, rows][:, :, columns]
    big = F.pad(x, (w, w, h, h))
    return big[:, h - crop[0] : 2 * h - crop[0], w - crop[1] : 2 * w - crop[1]]


def sample(x, degrees, part):
    c, h, w = x.shape
    a = math.radians(degrees)
    i, j = torch.meshgrid(torch.arange(h) - (h - 1) / 2, torch.arange(w) - (w - 1) / 2, indexing="ij")
    px = math.cos(a) * j - math.sin(a) * i + (w - 1) / 2
    py = math.sin(a) * j + math.cos(a) * i + (h - 1) / 2
    px = part[1] + (px + 0.5) * part[3] / w - 0.5
    py = part[0] + (py + 0.5) * part[2] / h - 0.5
    grid = torch.stack((2 * px / (w - 1) - 1, 2 * py / (h - 1) - 1), 2)
    mode = "zeros" if degrees else "border"
    return F.grid_sample(x[None], grid[None], "bilinear", mode, align_corners=True)[0]


def grey(x):
    if x.shape[0] == 1:
        return x
    return (torch.tensor([0.2989, 0.587, 0.114])[:, None, None] * x).sum(0, keepdim=True)


def colour(x, brightness, contrast, saturation):
    x = (brightness * x).clamp(0, 1)
    x = (contrast * x + (1 - contrast) * grey(x).mean()).clamp(0, 1)
    if x.shape[0] == 3:
        x = (saturation * x + (1 - saturation) * grey(x)).clamp(0, 1)
    return x


def case(name, shape, change):
    n = shape[0] * shape[1] * shape[2]
    x = numbers(n, 1, 0, 1).reshape(shape).requires_grad_()
    dy = numbers(n, 2, -1, 2).reshape(shape)
    y = change(x)
    show(name, y)
    show(name + "_vjp", torch.autograd.grad((y * dy).sum(), x)[0])


def cut(x, top, left, h, w):
    m = torch.ones_like(x)
    m[:, top : top + h, left : left + w] = 0
    return x * m


print("/* Made by tests/golden/make_augment.py with PyTorch %s. */" % torch.__version__)
case("turned", (3, 7, 9), lambda x: colour(sample(x, 20, (1.5, 0.5, 5, 8)), 1.5, 0.75, 1.75))
case("zoomed", (1, 6, 5), lambda x: colour(sample(x, 0, (0, 1.25, 4.5, 3.75)), 0.75, 1.75, 3))
case("all", (3, 5, 6), lambda x: cut(sample(move(x, True, (1, -2), (-1, 2)), -70, (0, 0, 5, 6)), 1, 2, 2, 3))
