"""`llmtool dedup substring --unit bytes` beside a suffix array of the whole corpus (libdivsufsort).

    python tests/parity/corpus_substring.py build/llmtool CORPUS.jsonl [MB]      (pip install pydivsufsort numpy)

The peer is what deduplicate-text-datasets and text-dedup do, in NumPy over libdivsufsort: the suffix array of all texts with
a separator between documents, common prefixes of neighbours (Kasai), runs of neighbours with at least 200 bytes in
common; of each run all but the first place repeat, if they do not overlap it. Prints whether the same bytes repeat, the
seconds and the peak memory of both.
"""
import json
import resource
import subprocess
import sys
import tempfile
import time

import numpy as np

LENGTH = 200
llmtool, corpus = sys.argv[1:3]
megabytes = float(sys.argv[3]) if len(sys.argv) > 3 else 20


def texts():
    out, size = [], 0
    for line in open(corpus):
        text = json.loads(line)["text"].encode().replace(b"\x00", b" ")
        size += len(text)
        if size > megabytes * 1e6:
            break
        out.append(text)
    return out


def peer(docs):
    import pydivsufsort
    data = np.frombuffer(b"\x00".join(docs) + b"\x00", dtype=np.uint8).copy()
    array = pydivsufsort.divsufsort(data).astype(np.int64)
    # A match ends at a separator: two windows are equal only if neither holds one.
    common = np.asarray(pydivsufsort.kasai(data, array.astype(np.int32)), dtype=np.int64)[:-1]
    ends = np.flatnonzero(data == 0)
    to_end = ends[np.searchsorted(ends, array)] - array
    common = np.minimum(common, np.minimum(to_end[:-1], to_end[1:]))
    run = np.concatenate(([0], np.cumsum(common < LENGTH)))
    first = np.full(run[-1] + 1, len(data), dtype=np.int64)
    np.minimum.at(first, run, array)
    size = np.bincount(run)
    places = array[(size[run] > 1) & (first[run] + LENGTH <= array) & (to_end >= LENGTH)]
    change = np.zeros(len(data) + 1, dtype=np.int64)
    np.add.at(change, places, 1)
    np.add.at(change, places + LENGTH, -1)
    return np.cumsum(change)[:-1] > 0


def kept_by_peer(docs, covered):
    out, at = [], 0
    for text in docs:
        keep = bytearray()
        gone = covered[at:at + len(text)]
        edges = np.flatnonzero(np.diff(np.concatenate(([0], gone.astype(np.int8), [0]))))
        done = 0
        for begin, end in zip(edges[::2], edges[1::2]):
            while begin < end and text[begin] & 0xC0 == 0x80:
                begin += 1
            while begin < end and end < len(text) and text[end] & 0xC0 == 0x80:
                end -= 1
            keep += text[done:begin]
            done = max(done, end)
        out.append(bytes(keep + text[done:]))
        at += len(text) + 1
    return out


def main():
    docs = texts()
    size = sum(map(len, docs)) / 1e6
    with tempfile.TemporaryDirectory() as d:
        with open(d + "/in.jsonl", "w") as f:
            for i, text in enumerate(docs):
                f.write(json.dumps({"id": i, "text": text.decode()}, ensure_ascii=False) + "\n")
        start = time.time()
        subprocess.run([llmtool, "dedup", "substring", d + "/in.jsonl", "--unit", "bytes", "--min-length", str(LENGTH), "--min-bytes",
                        "0", "--threads", "1", "-q", "-o", d + "/out.jsonl"], check=True, stdout=subprocess.DEVNULL)
        ours, our_peak = time.time() - start, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e3
        mine = [json.loads(line)["text"].encode() for line in open(d + "/out.jsonl")]
    start = time.time()
    covered = peer(docs)
    theirs, peak = time.time() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    expected = kept_by_peer(docs, covered)
    same = sum(a == b for a, b in zip(mine, expected))
    print(f"{len(docs)} documents, {size:.1f} MB; {sum(map(len, mine)) / 1e6:.1f} MB stay; {same} documents alike")
    print(f"llmtool (1 thread, with reading and writing JSON): {ours:.1f} s, {size / ours:.1f} MB/s, peak {our_peak:.0f} MB")
    print(f"suffix array in memory: {theirs:.1f} s, {size / theirs:.1f} MB/s, peak {peak:.0f} MB")
    for i, (a, b) in enumerate(zip(mine, expected)):
        if a != b:
            print("differs:", i, len(docs[i]), len(a), len(b))
    sys.exit(same != len(docs) or len(mine) != len(docs))


main()
