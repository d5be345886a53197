#!/usr/bin/env python3
"""Writes tests/golden/ops.inc: ops and whole nets by PyTorch in float64.

The subjects are those of tests/golden/ops.def, which the C side builds
with the engine. Both sides make inputs, weights, state and output gradients by
one integer formula (noise), so that only results are kept: of the output, of
each input's gradient, of the gradient of all parameters in the engine's order,
and of the state after the run.

A result v of up to 16 numbers is kept whole. Of a longer one are kept its norm
and its products p_k = s_k . v with 16 vectors of pseudo-random signs. With e
the difference of two results, s_k . e has the mean square |e|^2, so that
sqrt(mean_k (s_k . e)^2) estimates |e|: if signs were random, an estimate from
16 products below half of |e| would have a chance of about 1 in 900.

Needs numpy and torch (Debian: python3-torch; written with torch 1.13.0 and
numpy 1.24.2). Usage: make_ops.py > FILE
"""
import numpy as np
import torch
import torch.nn.functional as F

ROWS = 3
KEEP = 16  # numbers of a result
SUBJECTS = []


def mix(n, seed):
    """n 32-bit numbers: a hash of place and seed."""
    with np.errstate(over="ignore"):
        x = np.arange(n, dtype=np.uint32) * np.uint32(0x9E3779B9) + np.uint32(seed * 0x85EBCA6B & 0xFFFFFFFF)
        x = (x ^ x >> np.uint32(16)) * np.uint32(0x7FEB352D)
        x = (x ^ x >> np.uint32(15)) * np.uint32(0x846CA68B)
        return x ^ x >> np.uint32(16)


def noise(n, seed):
    """Multiples of 1/1024 from [-2, 2): exact in float."""
    return torch.tensor((mix(n, seed) >> np.uint32(20)).astype(np.float64) / 1024 - 2)


def signs(n, k):
    return torch.tensor(1 - 2 * (mix(n, 1000 + k) >> np.uint32(31)).astype(np.float64))


class Engine:
    """Hands out parameters and state in the engine's order, and has its layers."""

    def __init__(self, training):
        self.training, self.leaves, self.layers = training, [], 0
        self.states = []  # after the run

    def parameters(self, shape, units, biases):
        """Weights scaled down by about the root of their fan-in, and biases."""
        count = int(np.prod(shape))
        scale = 2.0 ** -(int(count // units).bit_length() // 2)
        w = (noise(count, 100 + self.layers) * scale).reshape(shape).requires_grad_()
        b = (noise(biases, 200 + self.layers) / 4).requires_grad_() if biases else None
        self.leaves += [w] + ([b] if biases else [])
        self.layers += 1
        return w, b

    def state(self, n):
        self.states.append(0.5 + noise(n, 300 + len(self.states)).abs())
        return self.states[-1]

    def spectral(self, w, units):
        m = w.reshape(units, -1)
        s = self.state(sum(m.shape))
        u, v = s[:units], s[units:]
        with torch.no_grad():
            if self.training:
                v[:] = F.normalize(m.T @ u, dim=0, eps=1e-12)
                u[:] = F.normalize(m @ v, dim=0, eps=1e-12)
            u, v = u.clone(), v.clone()
        return w / (u @ m @ v)

    def dense(self, x, units, bias=True, spectral=False):
        x = x.flatten(1)
        w, b = self.parameters((units, x.shape[1]), units, units * bias)
        return F.linear(x, self.spectral(w, units) if spectral else w, b)

    def conv(self, x, channels, kernel, stride=1, pad=0, groups=1, bias=True, spectral=False):
        w, b = self.parameters((channels, x.shape[1] // groups, kernel, kernel), channels, channels * bias)
        return F.conv2d(x, self.spectral(w, channels) if spectral else w, b, stride, pad, groups=groups)

    def deconv(self, x, channels, kernel, stride=1, pad=0, out_pad=0, groups=1, bias=True):
        w, b = self.parameters((x.shape[1], channels // groups, kernel, kernel), channels, channels * bias)
        return F.conv_transpose2d(x, w, b, stride, pad, out_pad, groups)

    def batchnorm(self, x, affine=True):
        c = x.shape[1]
        w, b = self.parameters((c,), c, c) if affine else (None, None)
        s = self.state(2 * c)
        return F.batch_norm(x, s[:c], s[c:], w, b, self.training, 0.1, 1e-5)

    def groupnorm(self, x, groups):
        w, b = self.parameters((x.shape[1],), x.shape[1], x.shape[1])
        return F.group_norm(x, groups, w, b, 1e-5)

    def invconv(self, x):
        c = x.shape[1]
        w, _ = self.parameters((c, c), c, 0)
        return torch.einsum("ij,njhw->nihw", w, x), w


def subject(name, *shapes, rows=ROWS, training=False, positive=False):
    def add(f):
        SUBJECTS.append((name, shapes, rows, training, positive, f))
        return f
    return add


def op(name, f, *shapes, **more):
    subject(name, *shapes, **more)(lambda e, *x: f(*x))


def layer(name, f, *shapes, **more):
    subject(name, *shapes, **more)(f)


# --- ops ---------------------------------------------------------------------

IMAGE = (3, 6, 5)
op("reshape", lambda x: x.reshape(-1, 5, 3, 6), IMAGE)
op("relu", F.relu, IMAGE)
op("leaky_relu", lambda x: F.leaky_relu(x, 0.2), IMAGE)
op("sigmoid", torch.sigmoid, IMAGE)
op("tanh", torch.tanh, IMAGE)
op("softplus", F.softplus, IMAGE)
op("silu", F.silu, IMAGE)
op("exp", torch.exp, IMAGE)
op("log", torch.log, IMAGE, positive=True)
op("affine", lambda x: -2.5 * x + 0.75, IMAGE)
op("dropout", lambda x: x, IMAGE)
op("softmax", lambda x: F.softmax(x.flatten(1), 1).reshape(x.shape), IMAGE)
op("log_softmax", lambda x: F.log_softmax(x.flatten(1), 1).reshape(x.shape), IMAGE)

for what, other in (("", IMAGE), (" channels", (3, 1, 1)), (" plane", (1, 6, 5)), (" value", (1, 1, 1))):
    op("plus" + what, torch.add, IMAGE, other)
    op("minus" + what, torch.sub, IMAGE, other)
    op("times" + what, torch.mul, IMAGE, other)
op("matmul", torch.matmul, (2, 3, 4), (2, 4, 5))
op("matmul, first transposed", lambda a, b: a.transpose(2, 3) @ b, (2, 4, 3), (2, 4, 5))
op("matmul, second transposed", lambda a, b: a @ b.transpose(2, 3), (2, 3, 4), (2, 5, 4))
op("matmul, both transposed", lambda a, b: a.transpose(2, 3) @ b.transpose(2, 3), (2, 4, 3), (2, 5, 4))

op("concat", lambda a, b, c: torch.cat((a, b, c), 1), (2, 3, 4), (1, 3, 4), (3, 3, 4))
op("slice", lambda x: x[:, 1:3], (4, 3, 4))
op("crop", lambda x: x[:, :, 1:5, 2:4], IMAGE)
op("pad", lambda x: F.pad(x, (3, 4, 1, 2), value=0.5), IMAGE)
op("pad, edge", lambda x: F.pad(x, (3, 4, 1, 2), mode="replicate"), IMAGE)
op("pad, reflect", lambda x: F.pad(x, (3, 4, 1, 2), mode="reflect"), IMAGE)
op("upsample 2", lambda x: F.interpolate(x, scale_factor=2, mode="nearest"), IMAGE)
op("upsample 3", lambda x: F.interpolate(x, scale_factor=3, mode="nearest"), IMAGE)
for h, w in ((12, 10), (9, 13), (3, 2), (7, 3)):
    op("resize %dx%d" % (h, w),
       lambda x, h=h, w=w: F.interpolate(x, size=(h, w), mode="bilinear", align_corners=False), IMAGE)

OVER = (("row", (1, 2, 3)), ("plane", (2, 3)), ("channels", (1,)))
for what, dims in OVER:
    op("sum, " + what, lambda x, d=dims: x.sum(d, keepdim=True), IMAGE)
    op("mean, " + what, lambda x, d=dims: x.mean(d, keepdim=True), IMAGE)
    op("max, " + what, lambda x, d=dims: x.amax(d, keepdim=True), IMAGE)
    op("log_sum_exp, " + what, lambda x, d=dims: x.logsumexp(d, keepdim=True), IMAGE)
op("maxpool 2", lambda x: F.max_pool2d(x, 2, 2), IMAGE)
op("maxpool 3", lambda x: F.max_pool2d(x, 3, 2), (2, 7, 8))
op("avgpool 2", lambda x: F.avg_pool2d(x, 2, 2), IMAGE)
op("avgpool 3", lambda x: F.avg_pool2d(x, 3, 1), (2, 7, 8))

layer("dense", lambda e, x: e.dense(x, 7), IMAGE)
layer("dense, spectral", lambda e, x: e.dense(x, 7, spectral=True), IMAGE, training=True)
layer("conv 3x3", lambda e, x: e.conv(x, 4, 3, 1, 1), (3, 9, 8))
layer("conv 3x3, one channel", lambda e, x: e.conv(x, 5, 3, 1, 1), (1, 10, 9))
layer("conv 4x4, stride 2", lambda e, x: e.conv(x, 4, 4, 2, 1), (3, 8, 10))
layer("conv 5x5, stride 2", lambda e, x: e.conv(x, 4, 5, 2, 2), (3, 9, 11))
layer("conv 1x1", lambda e, x: e.conv(x, 6, 1), (5, 4, 7))
layer("conv, groups", lambda e, x: e.conv(x, 6, 3, 1, 1, groups=2), (4, 6, 6))
layer("conv, depthwise", lambda e, x: e.conv(x, 4, 3, 1, 1, groups=4, bias=False), (4, 6, 6))
layer("conv, spectral", lambda e, x: e.conv(x, 6, 3, 1, 1, spectral=True), (4, 6, 6), training=True)
layer("deconv 4x4, stride 2", lambda e, x: e.deconv(x, 4, 4, 2, 1), (3, 5, 4))
layer("deconv 3x3, out_pad", lambda e, x: e.deconv(x, 4, 3, 2, 1, 1), (3, 5, 4))
layer("deconv, groups", lambda e, x: e.deconv(x, 6, 3, 2, 0, 0, 2, bias=False), (4, 3, 5))

layer("batchnorm", lambda e, x: e.batchnorm(x), IMAGE)
layer("batchnorm, training", lambda e, x: e.batchnorm(x), IMAGE, training=True)
layer("groupnorm", lambda e, x: e.groupnorm(x, 2), (4, 5, 3))
op("film", lambda x, a, b: (1 + a) * x + b, IMAGE, (3, 1, 1), (3, 1, 1))
op("inner", lambda a, b: (a * b).sum((1, 2, 3)), IMAGE, IMAGE)


@subject("invconv", (3, 4, 5))
def invconv(e, x):
    return e.invconv(x)[0]


@subject("invconv, there and back and its log-determinant", (3, 4, 5))
def invconv_inverse(e, x):
    y, w = e.invconv(x)
    back = torch.einsum("ij,njhw->nihw", torch.linalg.inv(w), F.relu(y))
    return back + 20 * torch.linalg.slogdet(w)[1]


# --- nets --------------------------------------------------------------------


@subject("mlp", (1, 14, 12), rows=5)
def mlp(e, x):
    return e.dense(torch.sigmoid(e.dense(x, 40)), 10)


@subject("cnn", (1, 16, 16), rows=4)
def cnn(e, x):
    x = F.max_pool2d(F.relu(e.conv(x, 8, 3, 1, 1)), 2)
    x = F.max_pool2d(F.relu(e.conv(x, 16, 3, 1, 1)), 2)
    return e.dense(F.relu(e.dense(x, 32)), 10)


def block(e, x, channels, stride):
    y = F.relu(e.batchnorm(e.conv(x, channels, 3, stride, 1, bias=False)))
    y = e.batchnorm(e.conv(y, channels, 3, 1, 1, bias=False))
    if stride > 1:
        x = e.batchnorm(e.conv(x, channels, 1, stride, 0, bias=False))
    return F.relu(y + x)


def resnet(e, x):
    x = F.relu(e.batchnorm(e.conv(x, 6, 3, 1, 1, bias=False)))
    x = block(e, block(e, x, 6, 1), 8, 2)
    return F.log_softmax(e.dense(x.mean((2, 3)), 5), 1)


layer("resnet", resnet, (3, 12, 12), rows=4)
layer("resnet, training", resnet, (3, 12, 12), rows=4, training=True)


def generator(e, z):
    x = F.relu(e.batchnorm(e.dense(z, 128).reshape(-1, 8, 4, 4)))
    x = F.relu(e.batchnorm(e.deconv(x, 6, 4, 2, 1, bias=False)))
    return torch.tanh(e.deconv(x, 3, 4, 2, 1))


layer("generator", generator, (10, 1, 1), rows=4)
layer("generator, training", generator, (10, 1, 1), rows=4, training=True)


def discriminator(e, x, classes):
    x = F.leaky_relu(e.conv(x, 6, 3, 1, 1, spectral=True), 0.1)
    x = F.leaky_relu(e.conv(x, 8, 4, 2, 1, spectral=True), 0.1)
    x = F.leaky_relu(e.conv(x, 10, 4, 2, 1, spectral=True), 0.1).sum((2, 3))
    y = e.dense(x, 1, spectral=True)
    return y + (x * e.dense(classes, 10, bias=False, spectral=True)).sum(1, keepdim=True)


layer("discriminator", discriminator, (3, 16, 16), (4, 1, 1), rows=4)
layer("discriminator, training", discriminator, (3, 16, 16), (4, 1, 1), rows=4, training=True)


@subject("autoencoder", (1, 12, 12), (6, 1, 1), rows=4)
def autoencoder(e, x, draws):
    h = F.silu(e.conv(x, 4, 4, 2, 1))
    mean, spread = e.dense(h, 6), e.dense(h, 6)
    z = mean + torch.exp(0.5 * spread) * draws.flatten(1)
    y = F.softplus(e.dense(z, 144)).reshape(-1, 4, 6, 6)
    y = e.conv(F.interpolate(y, scale_factor=2, mode="nearest"), 1, 3, 1, 1)
    return torch.sigmoid(y)


# --- writing -----------------------------------------------------------------


def write(name, what, v):
    v = v.detach().flatten()
    n = len(v)
    kept = v if n <= KEEP else torch.stack([signs(n, k) @ v for k in range(KEEP)])
    numbers = ", ".join("%.9g" % x for x in kept.tolist())
    print('GOLDEN("%s", "%s", %d, %.9g, %s)' % (name, what, n, v.norm(), numbers))


def main():
    print("/* Written by tests/golden/make_ops.py with torch %s. */" % torch.__version__)
    for name, shapes, rows, training, positive, f in SUBJECTS:
        x = []
        for k, s in enumerate(shapes):
            v = noise(rows * int(np.prod(s)), k)
            x.append((v.abs() + 0.125 if positive else v).reshape(rows, *s).requires_grad_())
        e = Engine(training)
        y = f(e, *x)
        y.backward(noise(y.numel(), 50).reshape(y.shape))
        write(name, "y", y)
        for k, v in enumerate(x):
            write(name, "x%d" % k, v.grad)
        if e.leaves:
            write(name, "w", torch.cat([w.grad.flatten() for w in e.leaves]))
        if e.states:
            write(name, "s", torch.cat(e.states))


if __name__ == "__main__":
    main()
