#!/usr/bin/env python3
"""Fits the weights by which copydesk decides whether two articles are one story (crates/dedup/weights).

    fit.py --out WEIGHTS.toml [--version N] SOURCE...

SOURCE is NAME:TOTAL[/RELATED]:GROUPS:FILE. FILE is what the example pair_signs wrote; TOTAL is what all its pairs together count, RELATED what
a related pair counts beside a different one (0.75: the label is a matter of taste). GROUPS says which of them are left out together when a figure is measured: `later` (five spans by the later article), `half`,
`kind` (a third of the kinds of edit of the later article), or `all` (the source as a whole).

Logistic regression with L2, in which a sign may count only in its own sense (crates/dedup/src/signs.rs). Every figure that is printed,
and written into the file as a comment, is of pairs that were left out of the fit that it is measured with. The weights in the file
are fitted to everything.
"""
import argparse
import csv
import sys

import numpy as np
from scipy.optimize import minimize

RELATED = 0.75
# Pairs of one source that are drawn at most: more change nothing.
MOST = 6_000
L2 = 2.0


class Source:
    def __init__(self, spec, seed=1):
        self.name, total, self.groups, path = spec.split(":", 3)
        total, _, related = total.partition("/")
        with open(path, newline="") as f:
            senses = f.readline().rstrip("\n").split(",")[7:]
            rows = list(csv.DictReader(f))
        self.senses = senses
        self.signs = list(rows[0])[7:]
        if len(rows) > MOST:
            rows = [rows[i] for i in sorted(np.random.default_rng(seed).choice(len(rows), MOST, replace=False))]
        self.x = np.array([[float(r[s]) for s in self.signs] for r in rows])
        self.label = np.array([r["label"] for r in rows])
        self.same = (self.label == "same").astype(float)
        self.stands_for = np.array([float(r["weight"]) for r in rows])
        # The root: a stratum that stands for a thousand pairs is known from a few of them all the same.
        weight = np.sqrt(self.stands_for) * np.where(self.label == "related", float(related or RELATED), 1.0)
        self.weight = weight / weight.sum() * float(total)
        self.candidate = np.array([r["candidate"] == "1" for r in rows])
        later = np.array([float(r["b"]) for r in rows])
        if self.groups == "later":
            self.group = np.digitize(later, np.quantile(later, [0.2, 0.4, 0.6, 0.8]))
        elif self.groups == "half":
            self.group = (later > np.median(later)).astype(int)
        elif self.groups == "kind":
            kinds = sorted({r["kind_b"] for r in rows})
            self.group = np.array([kinds.index(r["kind_b"]) % 3 for r in rows])
        else:
            self.group = np.zeros(len(rows), int)


def fit(sources, leave_out=None):
    """Weights and constant. `leave_out`: {source name: group number} that is not looked at."""
    x, y, w = [], [], []
    for s in sources:
        keep = np.ones(len(s.same), bool)
        if leave_out and s.name in leave_out:
            keep = s.group != leave_out[s.name]
        x.append(s.x[keep]), y.append(s.same[keep]), w.append(s.weight[keep])
    x, y, w = np.vstack(x), np.concatenate(y), np.concatenate(w)
    mean, spread = x.mean(0), x.std(0) + 1e-9
    z = (x - mean) / spread
    bounds = [{"for": (0, None), "against": (None, 0)}.get(sense, (None, None)) for sense in sources[0].senses] + [(None, None)]

    def loss(t):
        m = z @ t[:-1] + t[-1]
        p = 1 / (1 + np.exp(-np.clip(m, -50, 50)))
        value = (w * np.logaddexp(0, np.where(y > 0, -m, m))).sum() + 0.5 * L2 * (t[:-1] ** 2).sum()
        error = w * (p - y)
        return value, np.append(z.T @ error + L2 * t[:-1], error.sum())

    t = minimize(loss, np.zeros(len(bounds)), jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 5000, "maxfun": 50000}).x
    # A spread of nothing: the sign never varies.
    weights = np.where(x.std(0) > 1e-6, t[:-1] / spread, 0.0)
    return weights, t[-1] - (weights * mean).sum()


def figures(source, score, threshold):
    """Precision and recall of the pairs, weighted by what they stand for; of related pairs the share that is joined."""
    joined = (score > threshold) & source.candidate
    w, known = source.stands_for, source.label != "related"
    tp = w[joined & (source.same > 0)].sum()
    fp = w[joined & known & (source.same == 0)].sum()
    text = f"P {tp / max(tp + fp, 1e-9):.3f} R {tp / max(w[source.same > 0].sum(), 1e-9):.3f}" if source.same.any() else (
        f"joined wrongly {fp / w[known].sum():.4f}")
    related = ~known
    return text + (f" related {w[joined & related].sum() / w[related].sum():.3f}" if related.any() else "")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True)
    parser.add_argument("--version", type=int, default=1)
    parser.add_argument("--threshold", type=float, default=1.0, help="above the even odds of the fit: precision comes first")
    parser.add_argument("--quick", action="store_true", help="leave nothing out: figures are of what was fitted to")
    parser.add_argument("source", nargs="+")
    args = parser.parse_args()
    sources = [Source(s) for s in args.source]
    weights, constant = fit(sources)
    lines = []
    around = [args.threshold + d for d in (-1, -0.5, 0, 0.5, 1)]
    found = {}
    for s in sources:
        if args.quick:
            score = s.x @ weights + constant
        else:
            # Sources of the same pairs (one site, many sites) leave the same ones out.
            alike = [o for o in sources if o.groups == s.groups and o.name.rstrip("0123456789") == s.name.rstrip("0123456789")]
            score = np.zeros(len(s.same))
            for g in np.unique(s.group):
                left_out = tuple(sorted((o.name, int(g)) for o in alike))
                if left_out not in found:
                    found[left_out] = fit(sources, dict(left_out))
                w, c = found[left_out]
                score[s.group == g] = s.x[s.group == g] @ w + c
        how = "fitted to" if args.quick else f"left out by {s.groups}"
        line = f"{s.name}, {how}: {figures(s, score, args.threshold)}"
        lines.append(line)
        print(line, "|", *(f"{t:.1f}: {figures(s, score, t)};" for t in around), flush=True)
    senses = dict(zip(sources[0].signs, sources[0].senses))
    with open(args.out, "w") as f:
        print("# Weights of the signs of near-copies (docs/near-copies.md), written by benches/weights/fit.py.", file=f)
        print("# Figures of pairs, and whether the fit that they are measured with had seen them:", file=f)
        for line in lines:
            print(f"# {line}", file=f)
        print(f"version = {args.version}\nthreshold = {args.threshold - constant:.4f}\n\n[weights]", file=f)
        for sign, weight in sorted(zip(sources[0].signs, weights), key=lambda p: -abs(p[1])):
            if abs(weight) >= 0.0005:
                print(f"{sign} = {weight:.4f} # {senses[sign]}", file=f)


if __name__ == "__main__":
    sys.exit(main())
