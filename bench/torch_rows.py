#!/usr/bin/env python3
"""PyTorch's side of bench_torch: a process that measures on command.

Reads one command a line on standard input and answers each with one line of
JSON. The nets are those of core/harness/bench_nets.c, from the very weights
that invbench writes; so that both sides do the same work, `check` compares
losses and input gradients.

  info                            versions, kernels, threads
  net NAME DIR                    DIR/parameters, images, input, labels: raw
  check NAME STEPS GRADIENT       losses before and after STEPS steps; how far
                                  the input gradient is from the file GRADIENT
  kernels NAME                    oneDNN kernels that a training step ran
  train NAME STEPS                seconds of a step, median of STEPS
  gradient NAME STEPS             the same for the input gradient
"""
import ctypes
import json
import os
import re
import sys
import tempfile
import time

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

THREADS = int(sys.argv[1])
CLASSES = 40
ATTACK = 40
torch.set_num_threads(THREADS)
clock = time.process_time if THREADS == 1 else time.perf_counter


def cnn(side):
    return (1, side, side), nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(64 * (side // 4) ** 2, 128), nn.ReLU(),
        nn.Linear(128, CLASSES))


def conv_norm(c_in, c_out, kernel, stride):
    return nn.Sequential(
        nn.Conv2d(c_in, c_out, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(c_out))


class Block(nn.Module):
    """A basic block; parameters in the order of invbench's nodes."""

    def __init__(self, c_in, c_out, stride):
        super().__init__()
        self.cut = conv_norm(c_in, c_out, 1, stride) if stride > 1 else None
        self.first = conv_norm(c_in, c_out, 3, stride)
        self.second = conv_norm(c_out, c_out, 3, 1)

    def forward(self, x):
        cut = self.cut(x) if self.cut is not None else x
        return F.relu(self.second(F.relu(self.first(x))) + cut)


def resnet():
    layers = [conv_norm(3, 16, 3, 1), nn.ReLU()]
    width = 16
    for block in range(8):
        channels = 16 << block // 2
        layers.append(Block(width, channels,
                            2 if block and block % 2 == 0 else 1))
        width = channels
    return (3, 32, 32), nn.Sequential(
        *layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(width, CLASSES))


def generator():
    layers = [nn.ConvTranspose2d(100, 256, 4, bias=False), nn.BatchNorm2d(256),
              nn.ReLU()]
    for c in (128, 64, 32):
        layers += [nn.ConvTranspose2d(2 * c, c, 4, 2, 1, bias=False),
                   nn.BatchNorm2d(c), nn.ReLU()]
    return nn.Sequential(
        *layers, nn.ConvTranspose2d(32, 3, 4, 2, 1, bias=False), nn.Tanh())


def critic():
    layers = [nn.Conv2d(3, 32, 4, 2, 1, bias=False), nn.LeakyReLU(0.2)]
    for c in (64, 128, 256):
        layers += [nn.Conv2d(c // 2, c, 4, 2, 1, bias=False),
                   nn.BatchNorm2d(c), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, nn.Conv2d(256, 1, 4, bias=False))


NETS = {
    "resnet": resnet,
    "cnn32": lambda: cnn(32),
    "cnn64": lambda: cnn(64),
    "mlp": lambda: ((1, 112, 92), nn.Sequential(
        nn.Flatten(), nn.Linear(112 * 92, 3000), nn.Sigmoid(),
        nn.Linear(3000, CLASSES))),
    "softmax": lambda: ((1, 112, 92), nn.Sequential(
        nn.Flatten(), nn.Linear(112 * 92, CLASSES))),
}


def take(path, dtype, *shape):
    return torch.from_numpy(np.fromfile(path, dtype).reshape(-1, *shape))


def fill(nets, start):
    """Sets parameters from one array, in order, and norms to their start."""
    at = 0
    with torch.no_grad():
        for net in nets:
            for p in net.parameters():
                p.copy_(start[at:at + p.numel()].view_as(p))
                p.requires_grad_(True)
                at += p.numel()
            for m in net.modules():
                if isinstance(m, nn.BatchNorm2d):
                    m.reset_running_stats()
            net.train()
    assert at == start.numel(), (at, start.numel())


class Row:
    def __init__(self, name, folder):
        shape, self.net = NETS[name]()
        self.x = take(f"{folder}/images", np.float32, *shape)
        self.y = take(f"{folder}/labels", np.int32).long()
        self.start = take(f"{folder}/parameters", np.float32)
        self.reset()

    def reset(self):
        fill([self.net], self.start)
        self.optimiser = torch.optim.SGD(self.net.parameters(), lr=1e-3,
                                         momentum=0.9)

    def step(self):
        self.optimiser.zero_grad(set_to_none=True)
        loss = F.cross_entropy(self.net(self.x), self.y)
        loss.backward()
        self.optimiser.step()
        return loss

    def input_gradient(self):
        x = self.x[:ATTACK].detach().requires_grad_(True)
        z = self.net(x)
        return torch.autograd.grad(z, x, torch.ones_like(z))[0]

    def freeze(self):
        self.net.eval()
        for p in self.net.parameters():
            p.requires_grad_(False)


class GanRow(Row):
    def __init__(self, folder):
        self.net, self.critic = generator(), critic()
        self.real = take(f"{folder}/images", np.float32, 3, 64, 64)
        self.x = take(f"{folder}/input", np.float32, 100, 1, 1)
        self.start = take(f"{folder}/parameters", np.float32)
        self.reset()

    def reset(self):
        fill([self.net, self.critic], self.start)
        self.optimisers = [
            torch.optim.Adam(n.parameters(), lr=2e-4, betas=(0.5, 0.999))
            for n in (self.net, self.critic)]

    def judge(self, images, real):
        score = self.critic(images)
        target = torch.full_like(score, real)
        return F.binary_cross_entropy_with_logits(score, target)

    def step(self):
        of_net, of_critic = self.optimisers
        of_critic.zero_grad(set_to_none=True)
        made = self.net(self.x)
        real = self.judge(self.real, 1.0)
        real.backward()
        fake = self.judge(made.detach(), 0.0)
        fake.backward()
        of_critic.step()
        of_net.zero_grad(set_to_none=True)
        for p in self.critic.parameters():  # as invbench: to the image alone
            p.requires_grad_(False)
        fooled = self.judge(made, 1.0)
        fooled.backward()
        for p in self.critic.parameters():
            p.requires_grad_(True)
        of_net.step()
        return real.detach() + fake.detach() + fooled.detach()


def median(x):
    x = sorted(x)
    n = len(x)
    return x[n // 2] if n % 2 else (x[n // 2 - 1] + x[n // 2]) / 2


def timed(what, steps):
    what()
    seconds = []
    for _ in range(steps):
        begin = clock()
        what()
        seconds.append(clock() - begin)
    return median(seconds)


def library(pattern):
    """A library that this process has loaded, by its file name."""
    with open("/proc/self/maps") as maps:
        for line in maps:
            path = line.split()[-1]
            if re.search(pattern, os.path.basename(path)):
                return ctypes.CDLL(path)
    return None


def openblas_core():
    blas = library(r"^libopenblas")
    if not blas:
        return None
    name = blas.openblas_get_corename
    name.restype = ctypes.c_char_p
    return name().decode()


def info():
    config = torch.__config__.show()
    capability = re.search(r"CPU capability usage: (\S+)", config)
    set_ = {k: os.environ[k] for k in (
        "OPENBLAS_CORETYPE", "ONEDNN_MAX_CPU_ISA", "ATEN_CPU_CAPABILITY",
        "MKL_ENABLE_INSTRUCTIONS") if k in os.environ}
    return {"torch": torch.__version__, "set": set_,
            "aten": capability.group(1) if capability else None,
            "openblas": openblas_core(), "onednn": torch.backends.mkldnn.is_available(),
            "mkl": torch.backends.mkl.is_available(),
            "threads": torch.get_num_threads()}


def kernels(row):
    """oneDNN's own words on what it ran: its verbose mode, for one step."""
    dnnl = library(r"^libdnnl")
    if not dnnl:
        return None
    sys.stdout.flush()
    keep = os.dup(1)
    with tempfile.TemporaryFile() as log:
        os.dup2(log.fileno(), 1)
        dnnl.dnnl_set_verbose(1)
        row.step()
        dnnl.dnnl_set_verbose(0)
        ctypes.CDLL(None).fflush(None)
        os.dup2(keep, 1)
        log.seek(0)
        text = log.read().decode(errors="replace")
    os.close(keep)
    found = set()
    for line in text.splitlines():
        part = line.split(",")
        if len(part) > 5 and part[1] == "exec" and part[3] != "reorder":
            found.add(f"{part[3]} {part[4]}")
    return sorted(found)


def check(row, steps, path):
    row.reset()
    losses = [row.step().item() for _ in range(steps + 1)]
    row.reset()
    row.freeze()
    mine = row.input_gradient().numpy().astype(np.float64).ravel()
    other = np.fromfile(path, np.float32).astype(np.float64)
    error = np.linalg.norm(mine - other) / np.linalg.norm(mine)
    row.reset()
    return {"first": losses[0], "last": losses[-1], "gradient": float(error)}


def main():
    rows = {}
    out = os.fdopen(os.dup(1), "w")
    for line in sys.stdin:
        word = line.split()
        if word[0] == "info":
            answer = info()
        elif word[0] == "net":
            rows[word[1]] = (GanRow(word[2]) if word[1] == "dcgan"
                             else Row(word[1], word[2]))
            answer = "ok"
        elif word[0] == "check":
            answer = check(rows[word[1]], int(word[2]), word[3])
        elif word[0] == "kernels":
            answer = kernels(rows[word[1]])
        elif word[0] == "train":
            rows[word[1]].reset()
            answer = timed(rows[word[1]].step, int(word[2]))
        elif word[0] == "gradient":
            rows[word[1]].freeze()
            answer = timed(rows[word[1]].input_gradient, int(word[2]))
        else:
            answer = f"no command {word[0]}"
        print(json.dumps(answer), file=out, flush=True)


main()
