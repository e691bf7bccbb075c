#!/usr/bin/env python3
"""Pages and MB a second of `llmtool extract html` beside resiliparse and trafilatura, one core each,
and the token F1 of the same run.

    PYTHON tests/bench/corpus_extract.py build/llmtool FOLDER [ROUNDS]

PYTHON and FOLDER as for tests/parity/corpus_extract.py. The programs take turns on the same pages,
each bound to one core; the medians count. llmtool's time is all of the program on JSON lines of the
pages: start, reading, parsing JSON, extracting, writing; the peers' is their call on a page that is
in memory as text already (trafilatura parses a page once, as its own benchmark has it).
"""
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "parity"))
import corpus_extract_pages
import trafilatura
from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.encoding import bytes_to_str, detect_encoding


def run_llmtool(program, path, out):
    start = time.perf_counter()
    subprocess.run([program, "extract", "html", path, "-o", out, "--overwrite", "--threads", "1", "-q"],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def run_peer(call, pages):
    start = time.perf_counter()
    texts = [call(page) or "" for page in pages]
    return time.perf_counter() - start, texts


def main():
    program, folder = sys.argv[1:3]
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 3
    core = sorted(os.sched_getaffinity(0))[-1]
    os.sched_setaffinity(0, {core})
    corpus_extract_pages.fetch(folder, [sys.executable, "-m", "pip"])
    known = [p for p in corpus_extract_pages.load(folder) if p["set"] != "phrases"]
    data = [open(p["path"], "rb").read() for p in known]
    pages = [bytes_to_str(d, detect_encoding(d)) for d in data]
    size = sum(len(page.encode()) for page in pages)
    peers = {
        "resiliparse": lambda p: extract_plain_text(p, main_content=True, alt_texts=False,
                                                    comments=False),
        "trafilatura, fast": lambda p: trafilatura.extract(p, fast=True, include_comments=False),
        "trafilatura": lambda p: trafilatura.extract(p, include_comments=False),
    }
    seconds = {name: [] for name in ["llmtool", *peers]}
    texts = {}
    with tempfile.TemporaryDirectory() as work:
        path, out = f"{work}/pages.jsonl", f"{work}/out.jsonl"
        repeats = max(1, 40_000_000 // size)  # so that llmtool's start does not count for much
        with open(path, "w", encoding="utf-8") as file:
            for _ in range(repeats):
                for i, page in enumerate(pages):
                    file.write(json.dumps({"id": str(i), "text": page}, ensure_ascii=False) + "\n")
        for _ in range(rounds):
            seconds["llmtool"].append(run_llmtool(program, path, out) / repeats)
            for name, call in peers.items():
                spent, texts[name] = run_peer(call, pages)
                seconds[name].append(spent)
        by_id = {d["id"]: d["text"] for d in map(json.loads, open(out, encoding="utf-8"))}
        texts["llmtool"] = [by_id.get(str(i), "") for i in range(len(pages))]
    print(f"{len(pages)} pages, {size / 1e6:.1f} MB, {rounds} rounds\n")
    print("| one core | pages/s | MB/s | F1 dev docs, news | F1 held docs, news |\n|---|---|---|---|---|")
    for name, spent in seconds.items():
        s = statistics.median(spent)
        f1 = {key: value[2] for key, value in corpus_extract_pages.scores(known, texts[name]).items()}
        cells = [f"{f1['docs', split]:.3f}, {f1['news', split]:.3f}" for split in ("dev", "held")]
        print(f"| {name} | {len(pages) / s:.0f} | {size / s / 1e6:.1f} | " + " | ".join(cells) + " |")


main()
