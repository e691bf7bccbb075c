#!/usr/bin/env python3
"""Writes tests/golden/normalised.jsonl: texts as CCNet, datatrove and text-dedup normalise them.

    python tests/parity/corpus_normaliser.py > tests/golden/normalised.jsonl

datatrove (PyPI) is asked itself. CCNet is not on PyPI and text-dedup's expression is one line: both
are written down here from their definitions (cc_net/text_normalizer.py, normalize_for_dedup;
text_dedup, NON_ALPHA).
"""
import json
import random
import re
import sys
import unicodedata

from datatrove.utils.text import simplify_text

CCNET = re.compile("[，。、„”“«»１」「《》´∶：？！（）；–—．～’…━〈〉【】％►"
                   + "".join(map(chr, [*range(32), *range(127, 160)])) + "]")


def ccnet(text):
    return CCNET.sub("", re.sub(r"\d", "0", text.strip().lower())) if text.strip() else ""


def text_dedup(text):
    return re.sub(r"\W", " ", text.lower())


def random_texts():
    rng = random.Random(4)
    assigned = [c for c in map(chr, range(0x20, 0x20000)) if unicodedata.category(c) not in ("Cn", "Cs", "Co")]
    marks = [c for c in assigned if unicodedata.category(c) in ("Mn", "Nd", "Zs", "Po", "Pd", "Lu", "Lt")]
    ascii_ = [chr(c) for c in range(0x20, 0x7F)]
    for n in range(400):
        pools = [assigned, marks, ascii_][n % 3:] + [ascii_]
        yield "".join(rng.choice(rng.choice(pools)) for _ in range(rng.randint(1, 40)))


TEXTS = [
    "", " ", "\t\n", "Hello, World!", "  PAGE 12 of 340\u00a0", "naïve Café — déjà vu…", "１２３ ٣٤٥ 3.14 2,5",
    "1.2.3.4", "1,000,000.5", "v1..2", "3. Next", "x3.y", "10.", "a\u0301b\u0301", "ΑΣ ΣΑΣ. Σ ὈΔΥΣΣΕΎΣ ΣΑΣ'Σ", "İSTANBUL Iı",
    "Straße ẞ", "Ǆ ǅ ǆ", "snake_case and kebab-case", "日本語。テスト、です", "क्षत्रिय ३", "tab\there", "a\u200bb\u00adc",
    "line\u2028sep\u2029", "\x1cfile\x1dgroup\x1e", "\x85next", "emoji 😀 x", "a  b   c", "#!/bin/sh", "«quoted» „text“",
    "한국어", "５.６ ７،８ 1٫5", "9⎖9⎗9⎘9",
]


def main():
    for text in [*TEXTS, *random_texts()]:
        line = {"text": text, "lower": text.lower(), "ccnet": ccnet(text), "datatrove": simplify_text(text),
                "text-dedup": text_dedup(text)}
        sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
