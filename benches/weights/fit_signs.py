#!/usr/bin/env python3
"""Fits the weights by which copydesk takes prose out of a page (crates/clean/src/signs/weights.toml).

    fit_signs.py DOUBTED.csv --weights WEIGHTS.toml [--out WEIGHTS.toml]

DOUBTED.csv is what the example doubted_blocks wrote. Logistic regression that is drawn to the weights in the file; no sign may speak
for keeping a block, so that more signs never save it. Publishers are left out in five groups (by their host): every figure of "left out" is of blocks whose
publisher the fit had not seen. Beside them stand the figures of the weights in the file.

A figure is of words: "lost" is the share of the doubted words that gold has and that would go, "leaked" the share of those that it
has not and that would stay; "right" is the share of all doubted words that are judged as gold has them.
"""
import argparse
import csv
import re
import sys
import zlib

import numpy as np
from scipy.optimize import minimize

# A paragraph lost costs as much as so many kept that should have gone.
LOST = 1.0
# How sure a sum is that is 1 above what is needed.
STEEP = 3.0
# A long block counts no more than this, in words.
LONGEST = 120
GROUPS = 5
SURE = 0.5


def fit(x, article, weight, prior, needed, pull):
    """Weights (0 or more), drawn to those in the file as hard as `pull` says: there are few doubted blocks, and each publisher has its own."""

    def loss(w):
        margin = STEEP * (x @ w - needed)
        value = (weight * np.logaddexp(0, np.where(article, margin, -margin))).sum() + 0.5 * pull * ((w - prior) ** 2).sum()
        error = STEEP * weight * (1 / (1 + np.exp(-np.clip(margin, -50, 50))) - ~article)
        return value, x.T @ error + pull * (w - prior)

    bounds = [(0, None)] * x.shape[1]
    return minimize(loss, prior, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 5000}).x


def figures(gone, article, words):
    lost = words[gone & article].sum() / max(words[article].sum(), 1)
    leaked = words[~gone & ~article].sum() / max(words[~article].sum(), 1)
    right = words[gone != article].sum() / words.sum()
    return f"right {right:.4f} lost {lost:.4f} leaked {leaked:.4f} ({len(words)} blocks, {int(words.sum())} words)"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("doubted")
    parser.add_argument("--weights", required=True, help="the weights to compare with; their comments are kept")
    parser.add_argument("--out", help="write the fitted weights there")
    parser.add_argument("--pull", type=float, nargs="+", default=[100, 300, 1000], help="how hard the fit is drawn to the weights; the last one is written")
    args = parser.parse_args()
    with open(args.doubted, newline="") as f:
        rows = list(csv.DictReader(f))
    signs = list(rows[0])[5:]
    with open(args.weights) as f:
        file = f.read()
    now = np.array([float(re.search(rf"^{sign} = ([0-9.]+)", file, re.M).group(1)) for sign in signs])
    needed = float(re.search(r"^needed = ([0-9.]+)", file, re.M).group(1))
    x = np.array([[float(r[s]) for s in signs] for r in rows])
    share = np.array([float(r["gold"]) for r in rows])
    article = share >= SURE
    words = np.minimum(np.array([float(r["words"]) for r in rows]), LONGEST)
    sets = np.array([r["set"] for r in rows])
    site = np.array([r["site"].removeprefix("www.") for r in rows])
    group = np.array([zlib.crc32(s.encode()) % GROUPS for s in site])
    # A page with many doubted blocks counts less for each: the root.
    counts = {s: words[site == s].sum() for s in np.unique(site)}
    weight = words / np.sqrt(np.array([counts[s] for s in site])) * np.where(article, LOST, 1.0)
    weight *= len(weight) / weight.sum()
    today = x @ now >= needed - 1e-3
    everything = np.ones(len(rows), bool)

    def show(how, gone):
        for name in [*np.unique(sets), "all"]:
            of = sets == name if name != "all" else everything
            print(f"{how:28} {name:8} {figures(gone[of], article[of], words[of])}")

    show("in the file", today)
    for pull in args.pull:
        gone = np.zeros(len(rows), bool)
        for g in range(GROUPS):
            seen = group != g
            w = fit(x[seen], article[seen], weight[seen], now, needed, pull)
            gone[~seen] = x[~seen] @ w >= needed - 1e-3
        show(f"fitted, pull {pull:g}, left out", gone)
    w = fit(x, article, weight, now, needed, args.pull[-1])
    show(f"fitted, pull {args.pull[-1]:g}, seen", x @ w >= needed - 1e-3)
    for sign, old, new in zip(signs, now, w):
        print(f"{sign:14} {old:5.2f} -> {new:5.2f}   in {int(x[:, signs.index(sign)].sum())} blocks")
    if args.out:
        for sign, new in zip(signs, w):
            file = re.sub(rf"^{sign} = [0-9.]+", f"{sign} = {min(new, 9.99):.2f}", file, flags=re.M)
        with open(args.out, "w") as f:
            f.write(file)


if __name__ == "__main__":
    sys.exit(main())
