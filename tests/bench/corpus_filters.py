#!/usr/bin/env python3
"""MB/s of `llmtool filter`, beside datatrove's filters on the same documents.

    python tests/bench/corpus_filters.py [--llmtool build/llmtool] [--input web.jsonl]
                                         [--bytes 64000000] [--peer-bytes 4000000] [--rounds 5]

Needs datatrove, nltk and spacy from PyPI. MB/s are bytes of text by processor time (user and
system, of everything the command does: reading, parsing, writing) for one thread, and by time on
the clock for two. Rounds take turns; the table has medians. datatrove is timed on the filter alone,
documents already in memory, its words cut anew for each filter; it gets the first --peer-bytes of
the same documents. Without --input the documents are those of tests/parity/corpus_filters.py,
repeated.
"""
import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/parity"))

CODE = "code.max_line_length,code.mean_line_length,code.alphanumeric_share,code.alphabetic_per_token"
FINEWEB = ("fineweb.line_end,fineweb.short_lines,fineweb.duplicate_line_characters,"
           "fineweb.newlines_per_word")
STEPS = [
    ("length.bytes", ["--rules", "length.bytes"]),
    ("code (4 rules)", ["--rules", CODE]),
    ("c4", ["--preset", "c4"]),
    ("fineweb's own (4 rules)", ["--rules", FINEWEB]),
    ("gopher-quality", ["--preset", "gopher-quality"]),
    ("gopher-repetition", ["--preset", "gopher-repetition"]),
    ("gopher", ["--preset", "gopher"]),
    ("fineweb (all)", ["--preset", "fineweb"]),
]


def peers():
    from datatrove.pipeline.filters import (C4QualityFilter, FineWebQualityFilter,
                                            GopherQualityFilter, GopherRepetitionFilter)
    c4, own = C4QualityFilter(), FineWebQualityFilter()
    quality, repetition = GopherQualityFilter(), GopherRepetitionFilter()
    own_c4 = C4QualityFilter(filter_no_terminal_punct=False)
    return {
        "c4": [c4], "fineweb's own (4 rules)": [own], "gopher-quality": [quality],
        "gopher-repetition": [repetition], "gopher": [repetition, quality],
        "fineweb (all)": [repetition, quality, own_c4, own],
    }


def run_llmtool(program, source, out, flags, threads):
    """Seconds on the clock, and of processor time."""
    started = time.monotonic()
    child = subprocess.Popen([program, "filter", source, "-q", "--overwrite", "-o", out,
                              "--threads", str(threads), *flags], stderr=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    if status != 0:
        sys.exit(f"llmtool filter {' '.join(flags)} failed")
    return time.monotonic() - started, usage.ru_utime + usage.ru_stime


def run_peer(filters, texts):
    """Seconds of processor time; what one filter rejects the next does not see."""
    from datatrove.data import Document
    from datatrove.utils.text import split_into_parts
    documents = [Document(text=text, id="") for text in texts]
    split_into_parts.cache_clear()
    started = time.process_time()
    for document in documents:
        for one in filters:
            if one.filter(document) is not True:
                break
    return time.process_time() - started


def read_texts(args):
    if args.input:
        with open(args.input, encoding="utf-8") as lines:
            return [json.loads(line)["text"] for line in lines]
    import corpus_filters
    samples = Path(os.environ.get("LLMTOOL_SAMPLES", ROOT / "../shared/samples"))
    if not samples.is_dir():
        sys.exit(f"no samples in '{samples}': give --input or LLMTOOL_SAMPLES")
    return [text for _, text in corpus_filters.documents(samples, Path("/usr/share/doc"), 8_000_000)[0]]


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--llmtool", default=str(ROOT / "build/llmtool"))
    parser.add_argument("--input")
    parser.add_argument("--bytes", type=int, default=64_000_000)
    parser.add_argument("--peer-bytes", type=int, default=4_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    texts = read_texts(args)
    size = sum(len(text.encode()) for text in texts)
    peer_texts, peer_size = [], 0
    for text in texts:
        if peer_size < args.peer_bytes and text:
            peer_texts.append(text)
            peer_size += len(text.encode())
    filters = peers()
    with tempfile.TemporaryDirectory() as folder:
        source, out = f"{folder}/in.jsonl", f"{folder}/out.jsonl"
        written = 0
        with open(source, "w", encoding="utf-8") as lines:
            while written < args.bytes:
                for text in texts:
                    lines.write(json.dumps({"text": text}, ensure_ascii=False) + "\n")
                written += size
        times = {name: {"one": [], "two": [], "peer": []} for name, _ in STEPS}
        for _ in range(args.rounds):
            for name, flags in STEPS:
                _, processor = run_llmtool(args.llmtool, source, out, flags, 1)
                clock, _ = run_llmtool(args.llmtool, source, out, flags, 2)
                times[name]["one"].append(written / processor / 1e6)
                times[name]["two"].append(written / clock / 1e6)
                if name in filters:
                    times[name]["peer"].append(peer_size / run_peer(filters[name], peer_texts) / 1e6)
    print(f"{written / 1e6:.0f} MB of text, datatrove {peer_size / 1e6:.1f} MB; "
          f"medians of {args.rounds} rounds; datatrove's process: "
          f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3:.0f} MB at most")
    print("| rules | MB/s, one core | MB/s, two cores | datatrove MB/s | times |")
    print("|---|---|---|---|---|")
    for name, row in times.items():
        one = statistics.median(row["one"])
        peer = statistics.median(row["peer"]) if row["peer"] else None
        beside = f"{peer:.2f} | {one / peer:.0f}" if peer else "|"
        print(f"| {name} | {one:.0f} | {statistics.median(row['two']):.0f} | "
              f"{beside} |")


if __name__ == "__main__":
    main()
