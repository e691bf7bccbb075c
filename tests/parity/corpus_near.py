#!/usr/bin/env python3
"""Near deduplication against brute force, datatrove and datasketch, on one file of JSON lines.

    corpus_near.py DATA.jsonl [--documents 2000] [--planted]

Needs numpy, datatrove (with spacy, tokenizers, xxhash < 4) and datasketch; --planted, which stops after
the first table, needs none of them. llmtool is $LLMTOOL, else build/llmtool. Prints
0. for copies planted at five similarities how many are found, beside the theory, and how many of the
   pairs in one cluster are alike by brute force;
1. recall and precision of the candidates (14 bands x 8 rows, 5 words of simplify_text) by true
   Jaccard similarity, beside 1 - (1 - s^8)^14; a pair counts as found if it is in one cluster;
2. which documents are removed (the first of a cluster stays) beside datatrove and datasketch.
"""
import argparse
import json
import os
import random
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "bench"))
LLMTOOL = os.environ.get("LLMTOOL", str(Path(__file__).resolve().parents[2] / "build/llmtool"))


def read(path, count):
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line, _ in zip(f, range(count))]


def shingles(text):
    from datatrove.utils.text import simplify_text
    words = simplify_text(text).split()
    return {" ".join(words[i:i + 5]) for i in range(max(1, len(words) - 4))} if words else set()


def similar_pairs(sets):
    """{(i, j): Jaccard} of all pairs that share a shingle, by brute force over an inverted index."""
    holders, common = defaultdict(list), defaultdict(int)
    for i, s in enumerate(sets):
        for shingle in s:
            holders[shingle].append(i)
    for who in holders.values():
        if len(who) > 500:
            continue  # boilerplate of hundreds of documents makes no pair alike by itself
        for a in range(len(who)):
            for b in range(a):
                common[who[b], who[a]] += 1
    return {(a, b): c / (len(sets[a]) + len(sets[b]) - c) for (a, b), c in common.items()}


def run_llmtool(file, *flags):
    with tempfile.TemporaryDirectory() as folder:
        out, clusters = f"{folder}/out.jsonl", f"{folder}/clusters.jsonl"
        subprocess.run([LLMTOOL, "dedup", "near", file, "--keep", "first", "--clusters", clusters, "-o", out, "-q",
                        *flags], check=True, capture_output=True)
        cluster = {}
        for n, line in enumerate(open(clusters, encoding="utf-8")):
            c = json.loads(line)
            for id_ in [c["kept"], *c["removed"]]:
                cluster[id_] = n
        return {json.loads(line)["id"] for line in open(out, encoding="utf-8")}, cluster


def run_datatrove(file):
    import corpus_dedup
    kept = set()
    original = corpus_dedup.Path.rglob

    def remember(self, pattern):
        for p in original(self, pattern):
            kept.update(json.loads(line)["id"] for line in open(p, encoding="utf-8"))
            yield p
    corpus_dedup.Path.rglob = remember
    try:
        corpus_dedup.datatrove_minhash(file)
    finally:
        corpus_dedup.Path.rglob = original
    return kept


def run_datasketch(ids, sets):
    """Clusters by union-find over the candidates of datasketch's LSH; the first of each stays."""
    from datasketch import MinHash, MinHashLSH
    lsh, root = MinHashLSH(num_perm=112, params=(14, 8)), list(range(len(sets)))

    def find(i):
        while root[i] != i:
            i = root[i]
        return i
    for i, s in enumerate(sets):
        if not s:
            continue
        m = MinHash(num_perm=112)
        m.update_batch([x.encode() for x in s])
        for j in lsh.query(m):
            a, b = sorted((find(i), find(j)))
            root[b] = a
        lsh.insert(i, m)
    return {ids[i] for i in range(len(sets)) if find(i) == i}


def grams(words):
    return {" ".join(words[i:i + 5]) for i in range(max(1, len(words) - 4))}


def jaccard(a, b):
    common = len(a & b)
    return common / (len(a) + len(b) - common)


def planted_copy(rng, words, similarity):
    """The words with as many of them exchanged, one after another, as bring the similarity nearest."""
    original, copy, best = grams(words), list(words), list(words)
    for n, place in enumerate(rng.sample(range(len(words)), len(words))):
        copy[place] = "".join(chr(97 + int(d)) for d in f"{rng.randrange(10**9):09d}")
        now = jaccard(original, grams(copy))
        if abs(now - similarity) <= abs(jaccard(original, grams(best)) - similarity):
            best = list(copy)
        if now < similarity:
            break
    return best


def planted(data, count):
    """Texts of small letters only, which every normalisation leaves as they are, so that sets of
    shingles need no library."""
    rng = random.Random(5)
    pool = []
    for d in read(data, 20 * count):
        words = re.findall("[a-z]+", d["text"])
        if d["metadata"]["kind"] == "new" and len(words) >= 150:
            pool.append(words[:300])
    pool = rng.sample(pool, min(count, len(pool)))
    print("| Jaccard | planted | theory | found | found, verified | pairs joined | alike | joined, verified | alike |")
    print("| --- | --: | --: | --: | --: | --: | --: | --: | --: |")
    for similarity in (0.5, 0.6, 0.7, 0.8, 0.9):
        texts = [(f"a{i}", words) for i, words in enumerate(pool)]
        texts += [(f"b{i}", planted_copy(rng, words, similarity)) for i, words in enumerate(pool)]
        ids, sets = [i for i, _ in texts], [grams(words) for _, words in texts]
        true = similar_pairs(sets)
        n = len(pool)
        theory = sum(1 - (1 - true.get((i, n + i), 0)**8)**14 for i in range(n)) / n
        # A pair at the level planted, or one of the real text that is as much alike.
        alike = similarity - 0.05
        cells = []
        with tempfile.TemporaryDirectory() as folder:
            file = f"{folder}/planted.jsonl"
            Path(file).write_text("".join(json.dumps({"id": i, "text": " ".join(w)}) + "\n" for i, w in texts))
            for flags in ([], ["--verify", str(alike)]):
                _, cluster = run_llmtool(file, *flags)
                found = sum(cluster.get(f"a{i}", -1) == cluster.get(f"b{i}", -2) for i in range(n)) / n
                members = defaultdict(list)
                for i, id_ in enumerate(ids):
                    if id_ in cluster:
                        members[cluster[id_]].append(i)
                joined = [(a, b) for m in members.values() for x, a in enumerate(m) for b in m[x + 1:]]
                precise = sum(true.get(p, 0) >= alike for p in joined) / max(1, len(joined))
                cells.append((found, len(joined), precise))
        (found, joined, precise), (v_found, v_joined, v_precise) = cells
        print(f"| {similarity} | {n} | {theory:.3f} | {found:.3f} | {v_found:.3f} | {joined} | {precise:.3f} | "
              f"{v_joined} | {v_precise:.3f} |", flush=True)
    print()


def main():
    args = argparse.ArgumentParser()
    args.add_argument("data")
    args.add_argument("--documents", type=int, default=2000)
    args.add_argument("--planted", action="store_true")
    o = args.parse_args()
    planted(o.data, o.documents // 2)
    if o.planted:
        return
    docs = read(o.data, o.documents)
    ids, sets = [d["id"] for d in docs], [shingles(d["text"]) for d in docs]
    pairs = similar_pairs(sets)
    with tempfile.TemporaryDirectory() as folder:
        file = f"{folder}/documents.jsonl"
        Path(file).write_text("".join(json.dumps(d) + "\n" for d in docs))
        kept, cluster = run_llmtool(file)
        verified, verified_cluster = run_llmtool(file, "--verify", "0.7")
        print(f"{len(docs)} documents; {len(docs) - len(kept)} removed\n")
        print("| Jaccard | pairs | theory | found | found, verified at 0.7 |\n| --- | --: | --: | --: | --: |")
        for low in (0.05, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0):
            high = {0.05: 0.3, 0.9: 1.0, 1.0: 1.1}.get(low, low + 0.1)
            inside = {p: s for p, s in pairs.items() if low <= s < high}
            if not inside:
                continue
            theory = sum(1 - (1 - s**8)**14 for s in inside.values()) / len(inside)
            same = [sum(c.get(ids[a], -1) == c.get(ids[b], -2) for a, b in inside) / len(inside)
                    for c in (cluster, verified_cluster)]
            print(f"| {low:.2f}-{min(high, 1):.2f} | {len(inside)} | {theory:.3f} | {same[0]:.3f} | {same[1]:.3f} |")
        members = defaultdict(list)
        for i, id_ in enumerate(ids):
            if id_ in cluster:
                members[cluster[id_]].append(i)
        joined = [(a, b) for m in members.values() for x, a in enumerate(m) for b in m[x + 1:]]
        precise = sum(pairs.get(p, 0) >= 0.5 for p in joined)
        print(f"\nof {len(joined)} pairs in one cluster {precise} have a similarity of 0.5 or more")
        print("\n| removed by | llmtool and it | llmtool only | it only |\n| --- | --: | --: | --: |")
        for name, run in (("datatrove", lambda: run_datatrove(file)), ("datasketch", lambda: run_datasketch(ids, sets)),
                          ("llmtool --verify 0.7", lambda: verified)):
            theirs = set(ids) - run()
            ours = set(ids) - kept
            print(f"| {name} | {len(ours & theirs)} | {len(ours - theirs)} | {len(theirs - ours)} |", flush=True)


if __name__ == "__main__":
    main()
