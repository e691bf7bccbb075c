#!/usr/bin/env python3
"""Models of `llmtool ngram train` beside those of KenLM's lmplz, number for number.

    python3 tests/parity/ngram_train.py build/llmtool LMPLZ TEXT [LMPLZ_MAX_ORDER]

Prints a Markdown table: n-grams, those that only one model has, the largest difference of a probability
or a back-off (log10), and the n-grams whose two floats are the same. Both number words as they come and
write n-grams in the same order, so the ARPA files are read side by side in bounded memory. The KenLM
reader of PyPI (pip install kenlm), where it is there, loads our ARPA and our binary and scores the text.
"""
import subprocess
import sys
import tempfile
from pathlib import Path

TINY = "a b c\na b\n\nb c a a a a a a a\nx x x x\n"


def cases(max_order):
    for order in range(1, max_order + 1):
        yield order, [], order > 6, "text"
    yield 3, [0, 0, 1], False, "text"
    yield 5, [0, 1, 2, 3, 4], False, "text"
    yield 5, [0, 0, 1], True, "text"
    yield 4, [1], False, "text"
    yield 1, [2], False, "text"
    yield 3, [], False, "limit"
    yield 3, [0, 1, 1], False, "limit"
    for order in range(2, max_order + 1):
        yield order, [], True, "tiny"
    yield 3, [0, 1], True, "tiny"
    yield 6, [0, 0, 1, 1], True, "tiny"


def ngrams(path):
    order = 0
    with open(path, encoding="utf8", newline="\n") as lines:
        for line in lines:
            line = line.rstrip("\n")
            if line.startswith("\\"):
                order = int(line[1:-7]) if line.endswith("-grams:") else 0
            elif order and line:
                fields = line.split("\t")
                yield order, fields[1], float(fields[0]), float(fields[2]) if len(fields) > 2 else 0.0


def compare(ours, theirs):
    """Numbers of n-grams, of those that differ in words, of equal ones, and the largest difference."""
    count = different = equal = 0
    worst = 0.0
    theirs = ngrams(theirs)
    for a in ngrams(ours):
        b = next(theirs, None)
        count += 1
        if b is None or a[:2] != b[:2]:
            different += 1
            continue
        difference = max(abs(a[2] - b[2]), abs(a[3] - b[3]))
        equal += difference == 0
        worst = max(worst, difference)
    return count, different + sum(1 for _ in theirs), equal, worst


def kenlm_reads(folder, llmtool, text):
    try:
        import kenlm
    except ImportError:
        print("\nno kenlm in this Python: not read back", file=sys.stderr)
        return
    scores = []
    for name in ("model.arpa", "model.klm"):
        subprocess.run([llmtool, "ngram", "train", text, "-o", folder / name, "--skip-symbols", "-q"],
                       check=True, stdout=subprocess.DEVNULL)
        model = kenlm.Model(str(folder / name))
        with open(text, encoding="utf8", newline="\n") as lines:
            scores.append(sum(model.score(line.strip()) for line, _ in zip(lines, range(20000))))
    print(f"\nPyPI kenlm, log10 of 20,000 lines: {scores[0]:.2f} (our ARPA), {scores[1]:.2f} (our binary)")


def main():
    llmtool, lmplz, text = sys.argv[1:4]
    max_order = int(sys.argv[4]) if len(sys.argv) > 4 else 6
    print("| text | order | prune | fallback | n-grams | only in one | largest difference | equal |")
    print("|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "tiny.txt").write_text(TINY)
        words = {}
        with open(text, encoding="utf8", newline="\n") as lines:
            for line in lines:
                for word in line.split():
                    words[word] = words.get(word, 0) + 1
        top = sorted(words, key=lambda w: (-words[w], w))[:500]
        (folder / "limit").write_text("\n".join(top))
        for order, prune, fallback, kind in cases(max_order):
            source = folder / "tiny.txt" if kind == "tiny" else text
            ours = [llmtool, "ngram", "train", source, "-o", folder / "a", "--order", order, "--skip-symbols",
                    "--overwrite", "-q"]
            theirs = [lmplz, "-o", order, "--skip_symbols", "-S", "1G"]
            if prune:
                ours += ["--prune", *prune]
                theirs += ["--prune", *prune]
            if fallback:
                ours.append("--discount-fallback")
                theirs.append("--discount_fallback")
            if kind == "limit":
                ours += ["--limit-vocab", folder / "limit"]
                theirs += ["--limit_vocab_file", folder / "limit"]
            subprocess.run([str(a) for a in ours], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            with open(source) as lines, open(folder / "b", "w") as out:
                subprocess.run([str(a) for a in theirs], check=True, stdin=lines, stdout=out, stderr=subprocess.DEVNULL)
            count, different, equal, worst = compare(folder / "a", folder / "b")
            print(f"| {kind} | {order} | {' '.join(map(str, prune)) or '-'} | {'yes' if fallback else 'no'} | "
                  f"{count:,} | {different} | {worst:.1g} | {equal:,} |", flush=True)
        kenlm_reads(folder, llmtool, text)


main()
