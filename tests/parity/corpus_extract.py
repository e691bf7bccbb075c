#!/usr/bin/env python3
"""Token F1 of `llmtool extract html` beside resiliparse and trafilatura.

    PYTHON tests/parity/corpus_extract.py build/llmtool FOLDER

PYTHON has resiliparse, trafilatura, lxml_html_clean and pip. FOLDER keeps the pages, 100 MB, that
corpus_extract_pages.py fetches. Comments of readers count as text for `phrases` (its authors took
them so) and are left out for the other sets, by every program. Prints a table.
"""
import json
import subprocess
import sys
import tempfile

import corpus_extract_pages
import trafilatura
from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.encoding import bytes_to_str, detect_encoding


def by_llmtool(program, pages, flags):
    with tempfile.TemporaryDirectory() as folder:
        with open(f"{folder}/in.jsonl", "w", encoding="utf-8") as file:
            for i, page in enumerate(pages):
                file.write(json.dumps({"id": str(i), "text": page}, ensure_ascii=False) + "\n")
        subprocess.run([program, "extract", "html", f"{folder}/in.jsonl", "-o",
                        f"{folder}/out.jsonl", "-q", *flags],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        lines = open(f"{folder}/out.jsonl", encoding="utf-8").read().split("\n")[:-1]
        texts = {document["id"]: document["text"] for document in map(json.loads, lines)}
        return [texts.get(str(i), "") for i in range(len(pages))]


def all_texts(program, files, comments):
    data = [open(path, "rb").read() for path in files]
    pages = [bytes_to_str(d, detect_encoding(d)) for d in data]
    more = ["--include-comments"] if comments else []
    result = {"llmtool": by_llmtool(program, pages, more)}
    for favour in ("precision", "recall"):
        result[f"llmtool --favour {favour}"] = by_llmtool(program, pages, [*more, "--favour", favour])
    result["resiliparse"] = [extract_plain_text(p, main_content=True, alt_texts=False,
                                                comments=comments) for p in pages]
    for name, fast in (("trafilatura, fast", True), ("trafilatura", False)):
        result[name] = [trafilatura.extract(p, fast=fast, include_comments=comments) or ""
                        for p in pages]
    return result


def main():
    program, folder = sys.argv[1:]
    corpus_extract_pages.fetch(folder, [sys.executable, "-m", "pip"])
    pages = corpus_extract_pages.load(folder)
    table = {}
    for comments in (False, True):
        part = [p for p in pages if (p["set"] == "phrases") == comments]
        for system, texts in all_texts(program, [p["path"] for p in part], comments).items():
            table.setdefault(system, {}).update(corpus_extract_pages.scores(part, texts))
    keys = sorted(next(iter(table.values())))
    count = lambda key: sum((p["set"], p["split"]) == key for p in pages)
    print("| F1 (precision, recall) | " + " | ".join(f"{a}, {b} ({count((a, b))})" for a, b in keys)
          + " |\n" + "|---" * (len(keys) + 1) + "|")
    for system, row in table.items():
        cells = [f"{row[k][2]:.3f} ({row[k][0]:.2f}, {row[k][1]:.2f})" for k in keys]
        print(f"| {system} | " + " | ".join(cells) + " |")


main()
