#!/usr/bin/env python3
"""Writes tests/fixtures/results.json: a small results file of the right form.

The figures are drawn from a seeded generator, not measured: the file exists so
that readers of the format can be tested. Usage: make_results.py > FILE
"""
import hashlib
import json
import random

R = random.Random(1)
K = 10
EV = ["eval-cnn", "eval-mlp"]
BASE = [("ssim", None, "higher-leaks", -1, 1), ("ssim_mean", None, "higher-leaks", -1, 1),
        ("psnr", "dB", "higher-leaks", 0, None), ("mse", None, "lower-leaks", 0, 1),
        ("dist_own", "RMS", "lower-leaks", 0, 1), ("id_top1", None, "higher-leaks", 0, 1),
        ("id_rank", "rank", "lower-leaks", 1, None)]
PER = [("acc1", None, "higher-leaks", 0, 1), ("acc5", None, "higher-leaks", 0, 1),
       ("confidence", None, "higher-leaks", 0, 1)]


def key(text):
    return hashlib.sha256(text.encode()).hexdigest()


def columns():
    out = []
    for n, unit, d, lo, hi in BASE:
        out.append(dict(name=n, metric="identification" if n[:2] == "id" else n.split("_")[0],
                        evaluator=None, unit=unit, direction=d, min=lo, max=hi,
                        definition="the definition of " + n))
    for e in EV:
        for n, unit, d, lo, hi in PER:
            out.append(dict(name=n + "@" + e, metric="accuracy", evaluator=e, unit=unit,
                            direction=d, min=lo, max=hi, definition="share of " + n))
    return out


def identities(q, s):
    rows = []
    for k in range(K):
        hit = R.random() < q
        sc = {"ssim": round(s + 0.1 * R.random(), 4), "ssim_mean": round(s - 0.05, 4),
              "psnr": round(12 + 6 * q, 3), "mse": 0.04, "dist_own": 0.2,
              "id_top1": float(hit), "id_rank": 1.0 if hit else float(R.randint(2, 10))}
        for e in EV:
            sc["acc1@" + e] = float(hit)
            sc["acc5@" + e] = float(hit or R.random() < .3)
            sc["confidence@" + e] = round(0.9 if hit else 0.1, 3)
        rows.append({"class": k, "name": "person-%d" % k, "answer": round(min(1, q + .05), 4),
                     "scores": sc})
    return rows


def means(rows):
    out = {}
    for c in (rows[0]["scores"] if rows else []):
        v = [r["scores"][c] for r in rows]
        out[c] = {"value": sum(v) / len(v), "n": len(v)}
    return out


def evaluators(scores):
    return {e: {n: scores[n + "@" + e]["value"] for n, *_ in PER} for e in EV} if scores else {}


QUERIES = dict(forward=0, label=0, gradient=0, repeated=0, denied=0, shared=0, simulated_seconds=0)
cells, controls, utility, rows = [], [], [], []
QUALITY = {("none", "mi-face", "gradients"): .8, ("none", "mi-face-blackbox", "scores"): .5,
           ("round", "mi-face-blackbox", "scores"): .1, ("label-only", "mi-face-blackbox", "scores"): 0}
for d in ("none", "round", "label-only"):
    for a, lv in (("mi-face", "gradients"), ("mi-face", "scores"), ("mi-face-blackbox", "scores")):
        name = "/".join(("softmax", d, a, lv, "s1"))
        q = QUALITY.get((d, a, lv))
        cell = dict(name=name, dataset="synthfaces", model="softmax", defense=d, attack=a, access=lv,
                    budget=10000, seed=1, status="ok", reason=None,
                    gradient_path="direct" if lv == "gradients" else "none", same_as=None,
                    key=key(name), score_key=key(name + "s"),
                    reconstructions="reconstructions/" + name.replace("/", "__") + ".npy",
                    identities=[], scores={}, evaluators={}, queries=None, output=None, curve=[])
        row = dict(model="softmax", defense=d, attack=a, access=lv, status="ok", reason=None, same_as=None,
                   seeds=0, identities=0,
                   leakage=dict(value=None, low=None, high=None, reason=None, evaluator=None),
                   difference=None, evaluators={}, columns={}, queries=None, flags=[])
        if q is None:
            what, why, same = ("bypass", "round does not stand between gradients and the attacker", True)
            if lv == "scores":
                what, why, same = ("skipped", "needs gradients; the oracle grants scores", False)
            cell.update(status=what, reason=why, key=None, score_key=None, reconstructions=None)
            row.update(status=what, reason=why)
            if same:
                cell.update(gradient_path="bypass", same_as="softmax/none/mi-face/gradients/s1")
                row["same_as"] = "softmax/none/mi-face/gradients"
            row["leakage"]["reason"] = why
        elif d == "label-only":
            cell.update(status="timeout", reason="attack: no answer within 60 s of CPU time", key=None,
                        score_key=None, reconstructions=None)
            row.update(status="timeout", reason=cell["reason"])
            row["leakage"]["reason"] = "no cell of this row came about"
            row["flags"] = [dict(name="missing-cells", text="1 of 1 cells is missing")]
        else:
            ids = identities(q, .25 + .3 * q)
            sc = means(ids)
            cell.update(identities=ids, scores=sc, evaluators=evaluators(sc),
                        queries=dict(QUERIES, **({"gradient": 400} if lv == "gradients" else {"forward": 9800})),
                        output=dict(distinct=10, spread=.12, contrast=.2))
            cell["curve"] = [dict(queries=n, reached=1.0, scores={
                "ssim": round(.2 + .3 * q * f, 4), **{"acc1@" + e: round(q * f, 3) for e in EV}})
                for n, f in ((10, 0), (30, .1), (100, .3), (300, .8), (1000, 1), (3000, 1))]
            lk = {e: (sc["acc1@" + e]["value"] - .1) / .8 for e in EV}
            lo = min(lk, key=lambda e: (lk[e], e))
            row.update(seeds=1, identities=K, queries=cell["queries"])
            row["leakage"] = dict(value=lk[lo], low=lk[lo] - .2, high=lk[lo] + .2, reason=None, evaluator=lo)
            row["evaluators"] = {e: dict(acc1=sc["acc1@" + e]["value"], floor=.1, floor_control="public-best",
                                         ceiling=.9, leakage=lk[e], accuracy=.92, counts=True, reason=None)
                                 for e in EV}
            row["columns"] = {c: dict(value=v["value"], low=v["value"] - .1, high=v["value"] + .1,
                                      control="public-mean", control_value=.3) for c, v in sc.items()}
            row["flags"] = [dict(name="few-seeds", text="1 seed: intervals do not know how training varies")]
            if d == "round":
                row["difference"] = dict(against="softmax/none/mi-face-blackbox/scores", pairs=K,
                                         leakage=dict(value=-.4, low=-.6, high=-.2),
                                         columns={"ssim": dict(value=-.1, low=-.2, high=-.05)})
        cells.append(cell)
        rows.append(row)
for n, q, s in (("holdout", .9, .5), ("noise", 0, .02), ("other", .02, .3), ("public-best", .1, .32),
                ("public-mean", .05, .4)):
    ids = identities(q, s)
    sc = means(ids)
    controls.append(dict(name=n, model="softmax", seed=1, status="ok", reason=None, key=key(n), identities=ids,
                         scores=sc, evaluators=evaluators(sc),
                         queries=dict(QUERIES, shared=100 if n == "public-best" else 0),
                         output=dict(distinct=1 if n == "public-mean" else 10, spread=.1, contrast=.2)))
for d, acc in (("none", .93), ("round", .93), ("label-only", .93)):
    utility.append(dict(model="softmax", defense=d, seed=1, status="ok", reason=None, n=50, accuracy=acc, ece=.05,
                        distortion=0 if d == "none" else .02, correct=[5] * 6 + [4] * 4, total=[5] * 10))
EST = dict(low=None, high=None, reason="fewer than 10 identities or seeds to judge from")
results = {
    "schema": "invbench.results/1",
    "suite": {"name": "sample", "sha256": key("suite"), "summary": "A sample for tests; figures are invented."},
    "numerics": "engine 1; OpenBLAS 0.3.21 Haswell; x86-64-v3",
    "dataset": {"name": "synthfaces", "options": {"identities": K, "size": 32}, "shape": [1, 32, 32], "classes": K,
                "identities": 20, "counts": {"train": 100, "holdout": 50, "public": 100, "aux": 0}, "license": "MIT",
                "sha256": [key("data")]},
    "models": [dict(id="softmax", name="softmax", version="1", family="linear", options={"epochs": 30})],
    "evaluators": [dict(id="eval-cnn", name="cnn", version="1", family="convolutional", options={}),
                   dict(id="eval-mlp", name="mlp", version="1", family="mlp", options={})],
    "defenses": [dict(id="none", stack=[]),
                 dict(id="round", stack=[dict(name="round", version="1", options={"step": .05})]),
                 dict(id="label-only", stack=[dict(name="label-only", version="1", options={})])],
    "attacks": [dict(id=a, name=a, version="1", options={"alpha": 5000},
                     prior=dict(name="pixels", version="1", options={}), max_queries=10000)
                for a in ("mi-face", "mi-face-blackbox")],
    "access": ["gradients", "scores"], "seeds": [1],
    "budget": {"max_queries": 10000, "latency": 0, "rate_limit": 0},
    "columns": columns(), "cells": sorted(cells, key=lambda c: c["name"]), "controls": controls, "utility": utility,
    "evaluators_utility": [dict(evaluator=e, seed=1, status="ok", reason=None, n=50, accuracy=.92, ece=.04,
                                key="0" * 64, weights="1" * 64) for e in EV],
    "summary": {
        "rows": rows,
        "headline": [dict(model="softmax", defense=d, access=lv, attacks=at, left_out=[], missing=ms, seeds=1, identities=K,
                          leakage=dict(value=v, low=lo, high=hi, reason=None, evaluator="eval-cnn"),
                          best=dict(value=v, low=lo, high=hi, reason=None, evaluator="eval-cnn"),
                          mean=dict(value=v, low=lo, high=hi, reason=None, evaluator="eval-cnn"),
                          dominated_by=[] if v is not None else None)
                     for d, lv, at, ms, v, lo, hi in (
                         ("none", "gradients", ["mi-face"], 0, .8, .6, 1.0),
                         ("none", "scores", ["mi-face-blackbox"], 0, .5, .3, .7),
                         ("round", "scores", ["mi-face-blackbox"], 0, .1, -.1, .3),
                         ("label-only", "scores", ["mi-face-blackbox"], 1, None, -.1, 1.1))],
        "controls": [dict(model="softmax", name=c["name"], seeds=1, identities=K,
                          columns={n: dict(value=v["value"], low=None, high=None, reason="sample")
                                   for n, v in c["scores"].items()}) for c in controls],
        "utility": [dict(model="softmax", defense=u["defense"], seeds=1, accuracy=dict(value=u["accuracy"], **EST),
                         ece=dict(value=u["ece"], **EST), distortion=dict(value=u["distortion"], **EST))
                    for u in utility],
        "matched": [dict(model="softmax", access="scores", family="round", drop=d, accuracy=.93 - d,
                         leakage=dict(value=None, low=None, high=None,
                                      reason="none of the family costs as much accuracy"), between=[])
                    for d in (0, .01, .02, .05)],
        "cells": {"ok": 3, "skipped": 3, "bypass": 2, "timeout": 1},
        "method": "95 %: a sample"},
    "provenance": {"program": "0.1.0", "compiler": "gcc", "cpu": "a CPU", "nodes": [
        dict(label="attack softmax/none/mi-face/gradients/s1", outcome="done", seconds=1.5, peak_mib=80)]},
}
for h in results["summary"]["headline"]:
    if h["missing"]:
        for w in ("leakage", "best", "mean"):
            h[w]["reason"] = "1 cell is missing: low counts it as 0, high as 1"
            h[w]["evaluator"] = None
# Scores of sets and membership inference, which a suite need not have.
NONE = dict(value=None, low=None, high=None)
results["set_columns"] = [dict(name="recall@" + e, metric="prdc", evaluator=e, unit=None, direction="higher-leaks", min=0,
                               max=1, definition="share of private images near a picture") for e in EV]
for c in results["cells"] + results["controls"]:
    if c["status"] == "ok":
        c["set_scores"] = {"recall@eval-cnn": dict(value=.25), "recall@eval-mlp": dict(value=None, reason="too few")}
for c in results["summary"]["rows"] + results["summary"]["controls"]:
    if c.get("status", "ok") == "ok":
        c["set_scores"] = {"recall@eval-cnn": dict(value=.25, low=None, high=None, reason="no interval under 3 seeds"),
                           "recall@eval-mlp": dict(NONE, reason="too few")}
        if "attack" in c:
            c["set_scores"]["recall@eval-cnn"].update(control="other", control_value=.5)
results["membership"] = [dict(
    model="softmax", defense=d, seed=1, status=s, reason=None if s == "ok" else "no memory", shadows=16,
    members=100 if s == "ok" else None, non_members=50 if s == "ok" else None,
    attacks={"lira": {"auc": dict(value=.7, low=.6, high=.8), "tpr_0.001": dict(NONE, reason="few"),
                      "tpr_0.01": dict(value=.125, low=.1, high=.2)}} if s == "ok" else None)
    for d, s in (("none", "ok"), ("round", "failed"))]
print(json.dumps(results, indent=0, separators=(",", ":")).replace("\n", ""))
