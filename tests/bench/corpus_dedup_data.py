#!/usr/bin/env python3
"""Makes a JSONL of real text with planted duplicates, for the benchmarks of deduplication.

    corpus_dedup_data.py MEGABYTES OUTPUT [SEED]

The text is this machine's documentation (/usr/share/doc, man pages, POD, Python's sources), cut into
documents of 1 to 9 KB. Where that is not enough it is taken again, each turn with two letters of its
own behind every word, which leaves no near duplicate of an earlier turn. One document in ten is then an exact copy of an earlier one, two in ten are copies
with 1 to 10% of the words exchanged.
"""
import gzip
import json
import random
import sys
from pathlib import Path

ROOTS = ["/usr/share/doc", "/usr/share/man", "/usr/share/perl", "/usr/share/info", "/usr/lib/python3",
         "/usr/lib/python3.11", "/usr/share/perl5"]


def files():
    for root in ROOTS:
        for path in sorted(Path(root).rglob("*")):
            if path.is_file() and not path.is_symlink() and path.stat().st_size > 1500:
                yield path


def texts():
    for path in files():
        try:
            data = path.read_bytes()
            if path.suffix == ".gz":
                data = gzip.decompress(data)
            yield data.decode("utf-8")
        except (OSError, UnicodeDecodeError, EOFError):
            continue


def documents(rng):
    for text in texts():
        at = 0
        while at + 500 < len(text):
            size = rng.randint(1000, 9000)
            yield text[at:at + size]
            at += size


def exchanged(rng, text, share, words):
    """Words (with the white space around them kept) exchanged for others."""
    parts = text.split(" ")
    for _ in range(max(1, int(len(parts) * share))):
        parts[rng.randrange(len(parts))] = rng.choice(words)
    return " ".join(parts)


def marked(text, turn):
    """Every word (before a space) with two letters that stand for the turn behind it."""
    letters = "bcdfghjklmnpqrstvwxz"
    return text.replace(" ", letters[turn % 20] + letters[turn // 20 % 20] + " ")


def main():
    wanted, out = int(float(sys.argv[1]) * 1e6), sys.argv[2]
    rng = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    base = list(documents(rng))
    words = [w for text in rng.sample(base, min(2000, len(base))) for w in text.split() if w.isalpha()]
    recent, written, number = [], 0, 0
    with open(out, "w", encoding="utf-8") as f:
        turn = 0
        while written < wanted:
            for text in base:
                text = text if turn == 0 else marked(text, turn)
                kind = "new"
                chance = rng.random()
                if recent and chance < 0.3:
                    text = rng.choice(recent)
                    kind = "copy"
                    if chance >= 0.1:
                        share = rng.choice([0.01, 0.02, 0.05, 0.1])
                        text = exchanged(rng, text, share, words)
                        kind = f"edited {share}"
                elif len(recent) < 20000:
                    recent.append(text)
                else:
                    recent[rng.randrange(len(recent))] = text
                line = json.dumps({"id": f"d{number}", "text": text, "metadata": {"kind": kind}},
                                  ensure_ascii=False) + "\n"
                number += 1
                f.write(line)
                written += len(line)
                if written >= wanted:
                    break
            turn += 1
    print(f"{number} documents, {written} characters, {len(base)} of them at first hand", file=sys.stderr)


if __name__ == "__main__":
    main()
