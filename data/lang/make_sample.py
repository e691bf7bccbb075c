#!/usr/bin/env python3
"""A balanced sample of make_text.py's output, to train the language model on.

    make_sample.py TEXT-FOLDER OUT.jsonl [--characters 2000000]

Each language gives as many letters as the others, from as many of its sources as it has: a source
gives at most a fifth of what is asked, more only if there is nothing else. Languages with less text
come several times over, at most four. Of every sixth line only one to five words are taken, so that
the model knows short texts, too. The same input gives the same bytes.
"""
import argparse
import hashlib
import json
import pathlib
from collections import defaultdict


def order_of(line):
    return hashlib.md5(line.encode()).digest()


def shortened(line, index):
    words = line.split()
    if index % 6 or len(words) < 3:
        return line
    digest = order_of(line)
    count = 1 + digest[4] % 5
    start = digest[5] % max(1, len(words) - count)
    return " ".join(words[start:start + count])


def sample(path, wanted):
    sources = defaultdict(list)
    for line in path.read_text(encoding="utf-8").splitlines():
        source, kind, text = line.split("\t", 2)
        sources[kind if kind == "mozilla" else source + kind].append(text)
    for lines in sources.values():
        lines.sort(key=order_of)
    lists = sorted(sources.values(), key=lambda lines: (len(lines), lines[0]))
    taken, have, cap = [], 0, wanted / 5
    left = []
    for lines in lists:
        used = 0
        for number, line in enumerate(lines):
            if used >= cap:
                left.extend(lines[number:])
                break
            taken.append(line)
            used += len(line)
        have += used
    left.sort(key=order_of)
    for line in left:
        if have >= wanted:
            break
        taken.append(line)
        have += len(line)
    taken.sort(key=order_of)
    out, size = [], 0
    for _ in range(4):
        for line in taken:
            if size >= wanted:
                return out
            out.append(line)
            size += len(line)
    return out


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("text", type=pathlib.Path)
    arguments.add_argument("out", type=pathlib.Path)
    arguments.add_argument("--characters", type=int, default=2_000_000)
    options = arguments.parse_args()
    rows = []
    for path in sorted(options.text.glob("*.txt")):
        for number, line in enumerate(sample(path, options.characters)):
            text = shortened(line, number)
            rows.append((order_of(f"{number} {text}"), path.stem, text))
    rows.sort()
    with open(options.out, "w", encoding="utf-8") as out:
        for _, language, text in rows:
            out.write(json.dumps({"text": text, "metadata": {"language": language}},
                                 ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
