#!/usr/bin/env python3
"""Speed and memory of deduplication beside the peers: one table.

    corpus_dedup_data.py 250 data.jsonl
    corpus_dedup.py data.jsonl [--peer-megabytes 20] [--repeat 3] [--only NAME ...]

Runs with the Python that has datatrove, datasketch, rensa and numpy (PyPI); a peer that is missing is
named (datatrove wants spacy, tokenizers and xxhash < 4). Every run is a process of its own and reads JSON lines; ours and datatrove write what stays,
the libraries only say how many. Peers read the first megabytes of the data (their speed does not
depend on more). llmtool is $LLMTOOL, else build/llmtool. The best of --repeat runs counts.
MB/s: bytes of input over wall time; per core: over processor time (user and system).
"""
import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LLMTOOL = os.environ.get("LLMTOOL", str(Path(__file__).resolve().parents[2] / "build/llmtool"))
OURS = [
    ("exact documents", ["dedup", "exact"]),
    ("exact documents, normalised", ["dedup", "exact", "--normalise", "datatrove", "--keep", "first"]),
    ("exact lines", ["dedup", "exact", "--unit", "line"]),
    ("CCNet paragraphs, first stays", ["dedup", "exact", "--unit", "paragraph", "--keep", "first"]),
    ("CCNet paragraphs, all go", ["dedup", "exact", "--unit", "paragraph"]),
    ("bloom lines", ["dedup", "bloom", "--unit", "line", "--expected-items", "4000000"]),
    ("bloom 13-grams", ["dedup", "bloom", "--unit", "ngram", "--expected-items", "30000000"]),
    ("MinHash 14x8, 5 words", ["dedup", "near"]),
    ("MinHash 14x8, verified", ["dedup", "near", "--verify", "0.7"]),
    ("MinHash 20x13, 24 characters", ["dedup", "near", "--preset", "nemo"]),
]


# ---- peers: each is called in a process of its own with the file and returns how many stay ----
def documents(path):
    with open(path, encoding="utf-8") as f:
        for line in f:
            yield json.loads(line)["text"]


def run_stages(path, stages):
    path = os.path.abspath(path)
    from datatrove.executor import LocalPipelineExecutor
    from datatrove.pipeline.readers import JsonlReader
    from datatrove.pipeline.writers.jsonl import JsonlWriter
    from datatrove.utils.logging import logger
    logger.remove()
    folder = tempfile.mkdtemp()
    try:
        reader = lambda: JsonlReader(os.path.dirname(path), glob_pattern=os.path.basename(path))
        writer = JsonlWriter(folder + "/out", compression=None)
        for i, stage in enumerate(stages(folder, reader, writer)):
            LocalPipelineExecutor(pipeline=stage, tasks=1, logging_dir=f"{folder}/log{i}").run()
        return sum(sum(1 for _ in open(p)) for p in Path(folder, "out").rglob("*.jsonl"))
    finally:
        shutil.rmtree(folder)


def datatrove_exact(path):
    from datatrove.pipeline.dedup.exact_dedup import (ExactDedupConfig, ExactDedupFilter, ExactDedupSignature,
                                                      ExactFindDedups)
    config = ExactDedupConfig(content_getter=lambda d: d.text, only_dedup_in_index=False)
    return run_stages(path, lambda f, reader, writer: [
        [reader(), ExactDedupSignature(f + "/sigs", config)],
        [ExactFindDedups(f + "/sigs", f + "/dups", config)],
        [reader(), ExactDedupFilter(f + "/dups", config), writer]])


def datatrove_lines(path):
    from datatrove.pipeline.dedup import SentenceDedupFilter, SentenceDedupSignature, SentenceFindDedups
    from datatrove.pipeline.dedup.sentence_dedup import SentDedupConfig
    config = SentDedupConfig(n_sentences=1, split_sentences=False, only_dedup_in_index=False, min_doc_words=0,
                             min_num_sentences=0)
    return run_stages(path, lambda f, reader, writer: [
        [reader(), SentenceDedupSignature(f + "/sigs", config=config)],
        [SentenceFindDedups(f + "/sigs", f + "/dups", config=config)],
        [reader(), SentenceDedupFilter(f + "/dups", config), writer]])


def datatrove_bloom(path):
    from datatrove.pipeline.dedup.bloom_filter import BloomFilterConfig, SingleBloomFilter
    config = BloomFilterConfig(m_bytes=(1 << 26) - 1, expected_elements=30000000)
    return run_stages(path, lambda f, reader, writer: [[reader(), SingleBloomFilter(f + "/bloom", config), writer]])


def datatrove_minhash(path):
    from datatrove.pipeline.dedup import (MinhashDedupBuckets, MinhashDedupCluster, MinhashDedupFilter,
                                          MinhashDedupSignature)
    from datatrove.pipeline.dedup.minhash import MinhashConfig
    config = MinhashConfig(n_grams=5, num_buckets=14, hashes_per_bucket=8)

    def stages(f, reader, writer):
        yield [reader(), MinhashDedupSignature(f + "/sigs", config)]
        for bucket in [MinhashDedupBuckets(f + "/sigs", f + "/buckets", config=config)]:
            from datatrove.executor import LocalPipelineExecutor
            LocalPipelineExecutor(pipeline=[bucket], tasks=14, logging_dir=f + "/logb").run()
        yield [MinhashDedupCluster(f + "/buckets", f + "/remove", config=config)]
        yield [reader(), MinhashDedupFilter(f + "/remove"), writer]
    return run_stages(path, stages)


def shingles(text):
    words = text.lower().split()
    return [" ".join(words[i:i + 5]) for i in range(max(1, len(words) - 4))]


def datasketch_lsh(path):
    from datasketch import MinHash, MinHashLSH
    lsh, kept = MinHashLSH(num_perm=112, params=(14, 8)), 0
    for i, text in enumerate(documents(path)):
        m = MinHash(num_perm=112)
        m.update_batch([s.encode() for s in shingles(text)])
        if not lsh.query(m):
            lsh.insert(i, m)
            kept += 1
    return kept


def rensa_lsh(path):
    from rensa import RMinHash, RMinHashLSH
    lsh, kept = RMinHashLSH(threshold=0.72, num_perm=112, num_bands=14), 0
    for i, text in enumerate(documents(path)):
        m = RMinHash(num_perm=112, seed=1)
        m.update(shingles(text))
        if not lsh.query(m):
            lsh.insert(i, m)
            kept += 1
    return kept


def python_set(path):
    import hashlib
    return len({hashlib.sha1(t.encode()).digest() for t in documents(path)})


PEERS = [
    ("exact documents", "datatrove", datatrove_exact),
    ("exact documents", "Python set of SHA-1", python_set),
    ("exact lines", "datatrove", datatrove_lines),
    ("bloom 13-grams", "datatrove", datatrove_bloom),
    ("MinHash 14x8, 5 words", "datatrove", datatrove_minhash),
    ("MinHash 14x8, 5 words", "datasketch", datasketch_lsh),
    ("MinHash 14x8, 5 words", "rensa", rensa_lsh),
]


# ---- runs ----
def measure(command, repeat):
    """The best wall and processor seconds, the peak in MB, and the standard output."""
    best = None
    for _ in range(repeat):
        start = time.monotonic()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        out, err = process.communicate()
        wall = time.monotonic() - start
        if process.returncode != 0:
            return None, err.strip().splitlines()[-1:] or ["failed"]
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        best = min(best or (9e9,), (wall, out))
    return best, usage


def run_alone(command, repeat):
    """measure() in a process of its own, whose only children are the runs."""
    code = ("import sys, json; sys.path.insert(0, %r); import corpus_dedup as b; import resource\n"
            "best, u = b.measure(%r, %d)\n"
            "print(json.dumps([best, u if best is None else [u.ru_utime + u.ru_stime, u.ru_maxrss / 1024]]))"
            % (str(Path(__file__).parent), command, repeat))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else [None, [done.stderr[-200:]]]


def head(path, megabytes, folder):
    out = os.path.join(folder, "head.jsonl")
    with open(path, "rb") as f, open(out, "wb") as g:
        left = int(megabytes * 1e6)
        for line in f:
            g.write(line)
            left -= len(line)
            if left <= 0:
                break
    return out


def row(*cells):
    print("| " + " | ".join(str(c) for c in cells) + " |", flush=True)


def main():
    args = argparse.ArgumentParser()
    args.add_argument("data")
    args.add_argument("--peer-megabytes", type=float, default=20)
    args.add_argument("--repeat", type=int, default=3)
    args.add_argument("--only", nargs="*", default=[])
    o = args.parse_args()
    size = os.path.getsize(o.data) / 1e6
    row("step", "tool", "cores", "input MB", "MB/s", "MB/s per core", "peak MB", "documents left")
    row("---", "---", "--:", "--:", "--:", "--:", "--:", "--:")
    with tempfile.TemporaryDirectory() as folder:
        for step, flags in OURS:
            if o.only and not any(n in step for n in o.only):
                continue
            for cores in (1, min(2, os.cpu_count())):
                out = os.path.join(folder, "out.jsonl")
                command = ["taskset", "-c", "0" if cores == 1 else f"0-{cores - 1}", LLMTOOL, *flags, o.data,
                           "--threads", str(cores), "-q", "--overwrite", "-o", out]
                best, usage = run_alone(command, o.repeat)
                if best is None:
                    row(step, "llmtool", cores, "failed: " + usage[0], "", "", "", "")
                    continue
                left = sum(1 for _ in open(out, "rb"))
                row(step, "**llmtool**", cores, round(size), round(size / best[0]),
                    round(size * o.repeat / usage[0]), round(usage[1]), left)
            for name, tool, peer in (p for p in PEERS if p[0] == step):
                sample = head(o.data, o.peer_megabytes / (20 if peer is datatrove_bloom else 1), folder)
                mb = os.path.getsize(sample) / 1e6
                command = ["taskset", "-c", "0", sys.executable, __file__, "--peer", tool, step, sample]
                best, usage = run_alone(command, 1)
                if best is None:
                    row(step, tool, 1, "not run: " + usage[0], "", "", "", "")
                else:
                    row(step, tool, 1, f"{mb:.1f}", f"{mb / best[0]:.2f}", f"{mb / usage[0]:.2f}", round(usage[1]),
                        best[1].split()[-1])


if __name__ == "__main__":
    if sys.argv[1:2] == ["--peer"]:
        tool, step, file = sys.argv[2:]
        print(next(f for s, t, f in PEERS if (s, t) == (step, tool))(file))
    else:
        main()
