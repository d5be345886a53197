#!/usr/bin/env python3
"""Writes tests/golden/optim.inc: ten steps of PyTorch's optimisers and its learning rates, in float64.

The gradient of step t is 0.5 w + numbers(8, 100 + t), smaller from the fourth step on; tests/test_optim.c repeats it in
C. Needs torch (Debian: python3-torch). Usage: make_optim.py > FILE
"""
import textwrap
import warnings

import torch

warnings.simplefilter("ignore")
torch.set_default_dtype(torch.float64)


def numbers(count, seed, low=-2.0, width=4.0):
    x, out = seed, []
    for _ in range(count):
        x = (x * 1664525 + 1013904223) & 0xFFFFFFFF
        out.append(low + width * (x >> 20) / 4096)
    return torch.tensor(out)


def show(name, values):
    text = textwrap.fill(", ".join("%.12g" % v for v in values), 118)
    print("static const double gold_%s[] = {\n%s};" % (name, text))


def trajectory(name, make, clip=0):
    w = numbers(8, 99).requires_grad_()
    o = make([w])
    out = []
    for t in range(10):
        w.grad = (0.5 * w + numbers(8, 100 + t)).detach() * (1 if t < 3 else 0.125)
        if clip:
            torch.nn.utils.clip_grad_norm_([w], clip)
        o.step()
        out += w.tolist()
    show(name, out)


def rates(name, make, steps):
    o = torch.optim.SGD([torch.zeros(1, requires_grad=True)], 0.3)
    s = make(o)
    out = []
    for _ in range(steps):
        out.append(o.param_groups[0]["lr"])
        o.step()
        s.step()
    show(name, out)


print("/* Made by tests/golden/make_optim.py with PyTorch %s. */" % torch.__version__)
T = torch.optim
trajectory("sgd", lambda p: T.SGD(p, 0.1))
trajectory("momentum", lambda p: T.SGD(p, 0.1, momentum=0.9))
trajectory("momentum_decay", lambda p: T.SGD(p, 0.1, momentum=0.9, weight_decay=0.3))
trajectory("nesterov", lambda p: T.SGD(p, 0.1, momentum=0.9, nesterov=True, weight_decay=0.3))
trajectory("clipped", lambda p: T.SGD(p, 0.1, momentum=0.9), clip=1.5)
trajectory("adam", lambda p: T.Adam(p, 0.1))
trajectory("adam_decay", lambda p: T.Adam(p, 0.1, weight_decay=0.3))
trajectory("adam_options", lambda p: T.Adam(p, 0.1, betas=(0.1, 0.2), eps=0.01))
trajectory("amsgrad", lambda p: T.Adam(p, 0.1, betas=(0.9, 0.5), amsgrad=True, weight_decay=0.3))
trajectory("adamw", lambda p: T.AdamW(p, 0.1, weight_decay=0.3))
S = torch.optim.lr_scheduler
rates("cosine", lambda o: S.CosineAnnealingLR(o, 12), 12)
rates("linear", lambda o: S.LinearLR(o, 1.0, 0.0, 12), 12)
rates("milestones", lambda o: S.MultiStepLR(o, [6, 9], 0.1), 12)
rates("one_cycle", lambda o: S.OneCycleLR(o, 0.3, total_steps=20), 20)
