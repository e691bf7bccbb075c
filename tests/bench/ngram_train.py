#!/usr/bin/env python3
"""Times `llmtool ngram train` beside KenLM's lmplz, in turns, and compares the ARPA files.

    python3 tests/bench/ngram_train.py build/llmtool LMPLZ TEXT [ORDER] [ROUNDS]

TEXT: plain text, its last line ended; e.g. the lines of tests/bench/corpus_dedup_data.py. Prints for each
run the wall time, CPU seconds and peak memory, and the load of the machine before it.
"""
import filecmp
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def run(command, stdin, stdout):
    load = os.getloadavg()[0]
    begin = time.time()
    process = subprocess.Popen(command, stdin=stdin, stdout=stdout, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, command
    return f"{time.time() - begin:.1f} | {usage.ru_utime + usage.ru_stime:.1f} | {usage.ru_maxrss / 1e6:.2f} | {load:.0f}"


def main():
    llmtool, lmplz, text = sys.argv[1:4]
    order = sys.argv[4] if len(sys.argv) > 4 else "5"
    rounds = int(sys.argv[5]) if len(sys.argv) > 5 else 1
    print("| | wall s | CPU s | peak GB | load before |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(dir=Path(text).resolve().parent) as name:
        ours, theirs = Path(name) / "ours.arpa", Path(name) / "theirs.arpa"
        for _ in range(rounds):
            command = [llmtool, "ngram", "train", text, "-o", ours, "--order", order, "--skip-symbols",
                       "--overwrite", "--discount-fallback", "-q"]
            print("| llmtool |", run(command, subprocess.DEVNULL, subprocess.DEVNULL), "|", flush=True)
            command = [lmplz, "-o", order, "--skip_symbols", "--discount_fallback"]
            with open(text, "rb") as source, open(theirs, "wb") as out:
                print("| lmplz |", run(command, source, out), "|", flush=True)
        print("the same bytes" if filecmp.cmp(ours, theirs, shallow=False) else "the models differ")


main()
