#!/usr/bin/env python3
"""Makes tests/golden/ngram_train.json: n-gram models by the definition, in double precision.

    python tests/golden/make_ngram_train.py

Interpolated modified Kneser-Ney smoothing written down from Chen and Goodman (1998) and the paper of
lmplz (Heafield et al. 2013), with dictionaries; tests/parity/ngram_train.py compares llmtool with lmplz
itself. Each case: order, prune, fallback, limit, and orders: for each order lines "words\tlog10 p\tlog10 b".
"""
import collections
import json
import math
import pathlib
import random

HERE = pathlib.Path(__file__).resolve().parent
F = [0.5, 1, 1.5]  # of orders for which the formula fails
CASES = [  # order, prune, fallback, limited vocabulary
    (1, [], F, None), (2, [], F, None), (3, [], F, None), (4, [0, 0, 1], F, None),
    (3, [0, 1, 1], F, None), (3, [1], F, None), (6, [], [0.4, 0.9, 1.2], None),
    (3, [0, 0, 1], F, ["a", "be", "c", "dog", "e"]),
]


def sentences():
    rng = random.Random(3)
    words = ["a", "be", "c", "dog", "e", "été", "gg", "h", "i", "jay", "k", "l", "mm", "n", "o"]
    weights = [1 / (i + 1) for i in range(len(words))]
    lines = [rng.choices(words, weights, k=rng.randint(0, 7)) for _ in range(70)]
    return lines + [["a"] * 9, ["rare"], []]


def count(lines, order):
    raw = [collections.Counter() for _ in range(order + 1)]
    for line in lines:
        padded = ["<s>"] * (order - 1) + line + ["</s>"]
        for end in range(order, len(padded) + 1):
            for k in range(1, order + 1):
                gram = tuple(padded[end - k:end])
                if "<s>" not in gram[1:]:
                    raw[k][gram] += 1
    return raw


def discounts(adjusted, fallback):
    n = collections.Counter(adjusted)
    if all(n[j] for j in (1, 2, 3)):
        y = n[1] / (n[1] + 2 * n[2])
        d = [j - (j + 1) * y * n[j + 1] / n[j] for j in (1, 2, 3)]
        if all(0 <= d[j] <= j + 1 for j in range(3)):
            return d
    assert fallback is not None
    return fallback


def estimate(lines, order, prune, fallback, limit):
    raw = count(lines, order)
    numbers = {"<unk>": 0, "<s>": 1, "</s>": 2}
    for line in lines:
        for word in line:
            numbers.setdefault(word, len(numbers))
    last = max(raw[order], key=lambda gram: [numbers[w] for w in reversed(gram)])
    raw[1].update({("<unk>",): 0, ("<s>",): 0})
    prune = prune + [prune[-1] if prune else 0] * (order - len(prune))
    p, b, kept = {(): 1.0}, {}, {}
    for k in range(1, order + 1):
        adjusted = dict(raw[k])
        if k < order:
            lefts = collections.Counter(gram[1:] for gram in raw[k + 1])
            for gram in adjusted:
                if gram[0] != "<s>" and gram != ("<unk>",):
                    adjusted[gram] = lefts[gram]
        # lmplz files the last n-gram of each lower order under its occurrences.
        filed = dict(adjusted)
        if k < order and "<s>" not in last[order - k + 1:]:
            filed[last[order - k:]] = raw[k][last[order - k:]]
        d = discounts(filed.values(), fallback)
        cut = lambda c: d[min(c, 3) - 1] if c else 0

        def marked(gram):
            if k == 1 and gram[0] in ("<unk>", "<s>", "</s>"):
                return False
            out = limit is not None and any(w not in limit and w not in numbers_special for w in gram)
            return out or raw[k][gram] <= prune[k - 1]
        total, weight = collections.Counter(), collections.Counter()
        for gram, c in adjusted.items():
            total[gram[:-1]] += c
            weight[gram[:-1]] += c if marked(gram) else cut(c)
        kept[k] = [gram for gram in adjusted if not marked(gram)]
        if k == 1:
            p[()] = 1 / (len(kept[1]) - 1)
        for context in total:
            if k > 1:
                b[context] = weight[context] / total[context]
        for gram in adjusted:
            context = gram[:-1]
            p[gram] = ((adjusted[gram] - cut(adjusted[gram])) + weight[context] * p[gram[1:]]) / total[context]
        if k == 1:
            p[("<s>",)] = 1.0
    show = lambda x: f"{math.log10(x):.7f}"
    return [[f"{' '.join(g)}\t{show(p[g])}\t{show(b.get(g, 1.0) if k < order else 1.0)}"
             for g in sorted(kept[k])] for k in range(1, order + 1)]


numbers_special = {"<unk>", "<s>", "</s>"}


def main():
    lines = sentences()
    cases = [{"order": o, "prune": pr, "fallback": f, "limit": li, "orders": estimate(lines, o, pr, f, li)}
             for o, pr, f, li in CASES]
    text = "".join(" ".join(line) + "\n" for line in lines)
    out = json.dumps({"text": text, "cases": cases}, indent=0, ensure_ascii=False)
    (HERE / "ngram_train.json").write_text(out + "\n")


main()
