"""Image folders and IDX files, sound and damaged, below the folder given."""
import gzip
import os
import random
import struct
import sys
import zlib

os.chdir(sys.argv[1])
rng = random.Random(1)


def put(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(data)


def noise(n):
    return bytes(rng.randrange(256) for _ in range(n))


def pgm(w=12, h=12):
    return b"P5\n%d %d\n255\n" % (w, h) + noise(w * h)


def chunk(kind, data):
    crc = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)


def png(w=12, h=12, claim=None):
    rows = b"".join(b"\0" + noise(w) for _ in range(h))
    head = struct.pack(">IIBBBBB", *(claim or (w, h)), 8, 0, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head)
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def folder(name, people=5, picture=pgm, kind="pgm", odd=None):
    for i in range(people):
        for j in range(4):
            put(f"{name}/p{i}/{j}.{kind}", picture())
    if odd is not None:
        put(f"{name}/p2/1.{kind}", odd)


def images(n, w=12, claim=None):
    size = claim or (n, w, w)
    return struct.pack(">IIII", 0x803, *size) + noise(n * w * w)


def labels(values):
    return struct.pack(">II", 0x801, len(values)) + bytes(values)


HUGE = 0xFFFFFFFF
folder("pgm")
folder("png", picture=png, kind="png")
folder("one-identity", people=1)
folder("cut-pgm", odd=pgm()[:80])
folder("cut-png", picture=png, kind="png", odd=png()[:80])
folder("huge-pgm", odd=b"P5\n4294967295 4294967295\n255\nxxx")
folder("huge-png", picture=png, kind="png", odd=png(claim=(HUGE >> 1, HUGE >> 1)))
folder("sizes", odd=pgm(12, 13))
os.makedirs("empty")

three = [i % 3 for i in range(24)]
put("idx/images", images(24))
put("idx/labels", labels(three))
put("idx/holdout-images", images(12))
put("idx/holdout-labels", labels(three[:12]))
put("idx/images.gz", gzip.compress(images(24)))
put("idx/cut", images(24)[:1000])
put("idx/cut.gz", gzip.compress(images(24))[:1000])
put("idx/huge", images(1, claim=(HUGE, HUGE, HUGE)))
put("idx/cut-labels", labels(three)[:20])
put("idx/few-labels", labels(three[:20]))
put("idx/far-label", labels([200] + three[1:]))
put("idx/beyond", labels([3] + three[1:12]))
put("idx/one-label", labels([0] * 24))
put("idx/one-holdout", labels([0] * 12))
put("idx/wide", images(12, 13))
