#!/usr/bin/env python3
"""PyTorch's side of bench_torch: a process that measures on command.

Reads one command a line on standard input and answers each with one line of
JSON. The nets are those of core/harness/bench_nets.c, from the very weights
that invbench writes; so that both sides do the same work, `check` compares
losses and input gradients.

  info                            versions, kernels, threads
  net NAME DIR                    DIR/parameters, images, labels: raw arrays
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


NETS = {
    "cnn32": lambda: cnn(32),
    "cnn64": lambda: cnn(64),
    "mlp": lambda: ((1, 112, 92), nn.Sequential(
        nn.Flatten(), nn.Linear(112 * 92, 3000), nn.Sigmoid(),
        nn.Linear(3000, CLASSES))),
    "softmax": lambda: ((1, 112, 92), nn.Sequential(
        nn.Flatten(), nn.Linear(112 * 92, CLASSES))),
}


class Row:
    def __init__(self, name, folder):
        shape, self.net = NETS[name]()
        self.x = torch.from_numpy(
            np.fromfile(f"{folder}/images", np.float32).reshape(-1, *shape))
        self.y = torch.from_numpy(
            np.fromfile(f"{folder}/labels", np.int32).astype(np.int64))
        self.start = torch.from_numpy(
            np.fromfile(f"{folder}/parameters", np.float32))
        self.reset()

    def reset(self):
        at = 0
        with torch.no_grad():
            for p in self.net.parameters():
                p.copy_(self.start[at:at + p.numel()].view_as(p))
                p.requires_grad_(True)
                at += p.numel()
        assert at == self.start.numel(), (at, self.start.numel())
        self.net.train()
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
            rows[word[1]] = Row(word[1], word[2])
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
