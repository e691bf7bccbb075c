#!/usr/bin/env python3
"""Every corpus step of llmtool on one file: MB/s of uncompressed JSON lines read, on one core and on
two, and the peak of memory.

    corpus_steps.py LLMTOOL DOCUMENTS.jsonl PAGES.warc.gz WORK [--rounds 3] [--json FILE]

Steps and thread counts take turns; the figures are medians of the rounds. Nothing but Python's own
library is needed.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

STEPS = {
    "read and write": ["sample", "--fraction", "1"],
    "stats": ["stats"],
    "dedup exact, documents": ["dedup", "exact"],
    "dedup exact, lines": ["dedup", "exact", "--unit", "line"],
    "dedup exact, CCNet's paragraphs": ["dedup", "exact", "--unit", "paragraph"],
    "dedup bloom": ["dedup", "bloom", "--expected-items", "10000000"],
    "dedup near": ["dedup", "near"],
    "dedup near --verify 0.8": ["dedup", "near", "--verify", "0.8"],
    "dedup substring": ["dedup", "substring"],
    "filter code.*": ["filter", "--rules",
                      "code.max_line_length,code.mean_line_length,code.alphanumeric_share"],
    "filter --preset c4": ["filter", "--preset", "c4"],
    "filter --preset gopher-quality": ["filter", "--preset", "gopher-quality"],
    "filter --preset gopher-repetition": ["filter", "--preset", "gopher-repetition"],
    "filter --preset fineweb": ["filter", "--preset", "fineweb"],
    "pii": ["pii"],
}


def run(command):
    """Seconds and peak memory in MB of one process."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    message = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"failed: {' '.join(command)}\n{message.decode()}")
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("llmtool")
    parser.add_argument("documents")
    parser.add_argument("pages")
    parser.add_argument("work", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json")
    parser.add_argument("--evaluation", nargs="*", default=[], help="files for decontaminate")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)

    cases = {name: (arguments, options.documents) for name, arguments in STEPS.items()}
    cases["extract html"] = (["extract", "html"], options.pages)
    if options.evaluation:
        cases["decontaminate"] = (["decontaminate", "--against", *options.evaluation],
                                  options.documents)
    measured = {(name, threads): [] for name in cases for threads in (1, 2)}
    for _ in range(options.rounds):
        for name, threads in measured:
            arguments, source = cases[name]
            command = [options.llmtool, *arguments, source, "-q", "--threads", str(threads)]
            if arguments[0] != "stats":
                command += ["--overwrite", "-o", str(options.work / "out.jsonl")]
            measured[name, threads].append(run(command))

    rows = []
    print(f"{'step':36} {'1 core':>10} {'2 cores':>10} {'memory':>9}")
    for name, (_, source) in cases.items():
        # Of an archive, the bytes of the pages in it, as the command itself counts them.
        size = os.path.getsize(source)
        if name == "extract html":
            report = subprocess.run([options.llmtool, "stats", source, "--json", "-q"],
                                    capture_output=True, check=True).stdout
            size = json.loads(report)["read"]["bytes"]
        speeds = [size / 1e6 / statistics.median(s for s, _ in measured[name, t]) for t in (1, 2)]
        peak = max(m for t in (1, 2) for _, m in measured[name, t])
        print(f"{name:36} {speeds[0]:5.0f} MB/s {speeds[1]:5.0f} MB/s {peak:6.0f} MB")
        rows.append({"step": name, "mb_per_s": speeds, "peak_mb": peak})
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(rows, indent=1) + "\n")


main()
