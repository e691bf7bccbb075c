#!/usr/bin/env python3
"""Compares `llmtool filter` with datatrove, Dolma and the code of C4, rule by rule.

    python tests/parity/corpus_filters.py [--llmtool build/llmtool] [--samples ../shared/samples]
                                          [--debian FOLDER] [--limit BYTES] [--out table.md]

Needs datatrove, nltk, spacy, tldextract, fasteners, pyahocorasick and dolma from PyPI. The documents
are the C4 and Common Crawl samples, the text of the crawled pages, of the WARC and of the manuals in eight
languages, 48 languages of sentences, books and articles, LaTeX, and Debian's documentation (text
and HTML below FOLDER, by default /usr/share/doc; spread over its files). For each rule it prints on
how many documents both decide alike, and the greatest difference of the figures. The decision is
that of the peer's own filter with only that rule switched on. corpus_filters.md explains what
differs.
"""
import argparse
import gzip
import html
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np
from datatrove.data import Document
from datatrove.pipeline.filters import (C4QualityFilter, FineWebQualityFilter, GopherQualityFilter,
                                        GopherRepetitionFilter)
from datatrove.pipeline.filters import gopher_repetition_filter as repetition
from datatrove.pipeline.filters.c4_filters import (CITATION_REGEX, POLICY_SUBSTRINGS,
                                                   C4ParagraphFilter)
from datatrove.utils.text import PUNCTUATION_SET, split_into_sentences, split_into_words

ROOT = Path(__file__).resolve().parents[2]


# ---- documents ----

def plain(page):
    page = re.sub(r"(?is)<(script|style)\b.*?</\1>", " ", page)
    page = re.sub(r"(?i)<(p|br|div|li|tr|h\d|pre)\b[^>]*>", "\n", page)
    return html.unescape(re.sub(r"(?s)<[^>]*>", "", page))


def pretrain(samples):
    for path in sorted((samples / "text/pretrain").glob("*.json*")):
        opener = gzip.open if path.suffix == ".gz" else open
        with opener(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                record = json.loads(line)
                text = record.get("text") or record.get("raw_content")
                if text:
                    yield "pretrain", text


def warc(samples):
    for path in sorted((samples / "web/warc").glob("*.warc.gz")):
        data = gzip.open(path).read()
        for record in re.split(rb"WARC/1\.\d\r\n", data):
            if b"text/html" in record:
                yield "warc", plain(record.split(b"\r\n\r\n", 2)[-1].decode("utf-8", "replace"))


def pages(samples):
    for path in sorted((samples / "web/html").glob("*.html")):
        yield "pages", plain(path.read_bytes().decode("utf-8", "replace"))


def manuals(samples, pages=12):
    """A dozen pages of each language."""
    for path in sorted((samples / "web/multilingual").glob("*.tar.gz")):
        with tarfile.open(path) as tar:
            members = [m for m in tar.getmembers() if m.isfile() and ".html" in m.name]
            for member in members[:pages]:
                yield "manuals", plain(tar.extractfile(member).read().decode("utf-8", "replace"))


def languages(samples):
    for path in sorted((samples / "text/langid").rglob("*")):
        if path.is_file() and path.suffix in (".txt", ""):
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
            for first in range(0, min(len(lines), 200), 40):
                yield "languages", "\n".join(lines[first:first + 40])


def books(samples, lines=120):
    """Shakespeare, a novel and Wikipedia's articles, so many lines a document."""
    for path in sorted([*(samples / "text/tinyshakespeare").glob("*.txt"),
                        *(samples / "text/wikitext2").glob("*.txt")]):
        all_lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        parts = ["".join(all_lines[first:first + lines]) for first in range(0, len(all_lines), lines)]
        for part in parts[:60]:
            yield "books", part


def latex(samples):
    with open(samples / "text/latex/arxiv.jsonl", encoding="utf-8") as papers:
        for paper in papers:
            yield "latex", json.loads(paper)["text"]


def debian(folder, size):
    """Every n-th of all files that fit, for about so many bytes: markup is most of a page."""
    fitting = []
    for path in sorted(folder.rglob("*")):
        name = path.name.lower()
        if not name.endswith((".gz", ".html", ".txt", ".md", ".rst")) and "." in name:
            continue
        if "changelog" not in name and path.is_file() and path.stat().st_size <= 300_000:
            fitting.append(path)
    for path in fitting[::1 + sum(path.stat().st_size for path in fitting) // (3 * size)]:
        data = path.read_bytes()
        if path.suffix == ".gz":
            try:
                data = gzip.decompress(data)
            except (OSError, EOFError):
                continue
        text = data.decode("utf-8", "replace")
        yield "debian", plain(text) if path.suffix == ".html" else text


def documents(samples, debian_folder, limit):
    """Each source gives an eighth of the limit at most."""
    found, size = [], defaultdict(int)
    for source in (pretrain(samples), pages(samples), warc(samples), manuals(samples),
                   languages(samples), books(samples), latex(samples), debian(debian_folder, limit // 8)):
        for name, text in source:
            text = text.encode("utf-8", "replace").decode()
            if size[name] > limit // 8:
                break
            if text:
                size[name] += len(text.encode())
                found.append((name, text))
    return found, size


# ---- the figures of the peers ----

def share(part, whole):
    return part / whole if whole else 0.0


def gopher_quality(text):
    words = split_into_words(text)
    counted = [w for w in words if any(c not in PUNCTUATION_SET for c in w)]
    lines = text.splitlines()
    return {
        "gopher.words": len(counted),
        "gopher.mean_word_length": float(np.mean([len(w) for w in counted])) if counted else 0.0,
        "gopher.hash_ratio": share(text.count("#"), len(words)),
        "gopher.ellipsis_ratio": share(text.count("...") + text.count("…"), len(words)),
        "gopher.bullet_lines": share(sum(s.lstrip().startswith(("•", "-")) for s in lines), len(lines)),
        "gopher.ellipsis_lines": share(sum(s.rstrip().endswith(("...", "…")) for s in lines), len(lines)),
        "gopher.alphabetic_words": share(sum(any(c.isalpha() for c in w) for w in words), len(words)),
        "gopher.stop_words": len({"the", "be", "to", "of", "and", "that", "have", "with"} & set(words)),
    }


def gopher_repetition(text):
    paragraphs = re.compile(r"\n{2,}").split(text.strip())
    lines = re.compile("\n+").split(text)
    p, p_characters = repetition.find_duplicates(paragraphs)
    l, l_characters = repetition.find_duplicates(lines)
    words = split_into_words(text)
    figures = {
        "gopher.duplicate_paragraphs": p / len(paragraphs),
        "gopher.duplicate_paragraph_characters": p_characters / len(text),
        "gopher.duplicate_lines": l / len(lines),
        "gopher.duplicate_line_characters": l_characters / len(text),
    }
    for n in (2, 3, 4):
        ngrams = repetition.get_n_grams(words, n)
        figures[f"gopher.top_{n}gram"] = (repetition.find_top_duplicate(ngrams) / len(text)
                                          if ngrams else 0.0)
    for n in range(5, 11):
        figures[f"gopher.duplicate_{n}grams"] = repetition.find_all_duplicate(words, n) / len(text)
    return figures


def fineweb(text):
    lines = [line for line in text.split("\n") if line.strip() != ""]
    stop = FineWebQualityFilter().stop_chars
    characters = len(text.replace("\n", ""))
    return {
        "fineweb.line_end": share(sum(line.endswith(stop) for line in lines), len(lines)),
        "fineweb.short_lines": share(sum(len(line) <= 30 for line in lines), len(lines)),
        "fineweb.duplicate_line_characters": share(repetition.find_duplicates(lines)[1], characters),
        "fineweb.newlines_per_word": share(text.count("\n"), len(split_into_words(text))),
    }


def code(text):
    lengths = [len(line) for line in text.splitlines()]
    tokens = re.findall(r"\w+|[^\w\s]", text)
    return {
        "code.max_line_length": max(lengths, default=0),
        "code.mean_line_length": float(np.mean(lengths)) if lengths else 0.0,
        "code.alphanumeric_share": share(sum(c.isalnum() for c in text), len(text)),
        "code.alphabetic_per_token": share(sum(c.isalpha() for c in text), len(tokens)),
    }


def dolma(text):
    from dolma.taggers.gopher import get_attributes
    a = get_attributes(text)
    words = text.split()
    figures = {
        "gopher.words": a.word_count,
        "gopher.mean_word_length": a.median_word_length,
        "gopher.hash_ratio": share(sum("#" in w for w in words), len(words)),
        "gopher.ellipsis_ratio": share(sum("…" in w for w in words), len(words)),
        "gopher.bullet_lines": a.fraction_of_lines_starting_with_bullet_point,
        "gopher.ellipsis_lines": a.fraction_of_lines_ending_with_ellipsis,
        "gopher.alphabetic_words": a.fraction_of_words_with_alpha_character,
        "gopher.stop_words": a.required_word_count,
        "gopher.duplicate_lines": a.fraction_of_duplicate_lines,
        "gopher.duplicate_line_characters": a.fraction_of_characters_in_duplicate_lines,
    }
    for n in (2, 3, 4):
        figures[f"gopher.top_{n}gram"] = 0.0
    for n in range(5, 11):
        figures[f"gopher.duplicate_{n}grams"] = 0.0
    for n, value in a.fraction_of_characters_in_most_common_ngram:
        figures[f"gopher.top_{n}gram"] = value
    for n, value in a.fraction_of_characters_in_duplicate_ngrams:
        figures[f"gopher.duplicate_{n}grams"] = value
    return figures


def c4_code(text, min_words=5, min_sentences=3):
    """clean_page of tensorflow/datasets c4_utils.py, sentences counted by datatrove."""
    kept, sentences = [], 0
    for line in text.splitlines():
        line = line.strip()
        if any(len(word) > 1000 for word in line.split()):
            continue
        line = CITATION_REGEX.sub("", line)
        if not line.endswith((".", "?", "!", '"')) or line.endswith("..."):
            continue
        if len(line.split()) < min_words:
            continue
        lower = line.lower()
        if "lorem ipsum" in lower:
            return None
        if "javascript" in lower:
            continue
        if "{" in line:
            return None
        if any(p in lower for p in POLICY_SUBSTRINGS):
            continue
        sentences += len(split_into_sentences(line))
        kept.append(line)
    return "\n".join(kept).strip() if sentences >= min_sentences else None


def c4_datatrove(text):
    document = Document(text=text, id="")
    return document.text if C4QualityFilter().filter(document) is True else None


# Each rule alone in the peer's own filter.
def alone(make, off, **on):
    one = make(**{**off, **on})
    return lambda text: one.filter(Document(text=text, id="")) is True


QUALITY_OFF = dict(min_doc_words=None, max_doc_words=None, min_avg_word_length=None,
                   max_avg_word_length=None, max_symbol_word_ratio=None, max_bullet_lines_ratio=None,
                   max_ellipsis_lines_ratio=None, max_non_alpha_words_ratio=None, min_stop_words=None)
REPETITION_OFF = dict(dup_line_frac=None, dup_para_frac=None, dup_line_char_frac=None,
                      dup_para_char_frac=None, top_n_grams=(), dup_n_grams=())
FINEWEB_OFF = dict(line_punct_thr=0, short_line_thr=1, char_duplicates_ratio=1, new_line_ratio=1e9)


def deciders():
    q = lambda **on: alone(GopherQualityFilter, QUALITY_OFF, **on)
    r = lambda **on: alone(GopherRepetitionFilter, REPETITION_OFF, **on)
    f = lambda **on: alone(FineWebQualityFilter, FINEWEB_OFF, **on)
    found = {
        "gopher.words": q(min_doc_words=50, max_doc_words=100000),
        "gopher.mean_word_length": q(min_avg_word_length=3, max_avg_word_length=10),
        "gopher.bullet_lines": q(max_bullet_lines_ratio=0.9),
        "gopher.ellipsis_lines": q(max_ellipsis_lines_ratio=0.3),
        "gopher.alphabetic_words": q(max_non_alpha_words_ratio=0.8),
        "gopher.stop_words": q(min_stop_words=2),
        "gopher.duplicate_paragraphs": r(dup_para_frac=0.3),
        "gopher.duplicate_paragraph_characters": r(dup_para_char_frac=0.2),
        "gopher.duplicate_lines": r(dup_line_frac=0.3),
        "gopher.duplicate_line_characters": r(dup_line_char_frac=0.2),
        "fineweb.line_end": f(line_punct_thr=0.12),
        "fineweb.short_lines": f(short_line_thr=0.67),
        "fineweb.duplicate_line_characters": f(char_duplicates_ratio=0.01),
        "fineweb.newlines_per_word": f(new_line_ratio=0.3),
    }
    symbols = q(max_symbol_word_ratio=0.1)  # both symbols in one rule
    found["gopher.hash_ratio"] = found["gopher.ellipsis_ratio"] = symbols
    for n, limit in ((2, 0.2), (3, 0.18), (4, 0.16)):
        found[f"gopher.top_{n}gram"] = r(top_n_grams=((n, limit),))
    for n, limit in ((5, .15), (6, .14), (7, .13), (8, .12), (9, .11), (10, .10)):
        found[f"gopher.duplicate_{n}grams"] = r(dup_n_grams=((n, limit),))
    paragraphs = C4ParagraphFilter()
    found["c4.paragraphs"] = lambda text: paragraphs.filter(Document(text=text, id="")) is True
    return found


# ---- lists ----

def bad_words(path):
    """The expression of datatrove's C4BadWordsFilter, with the words of a file."""
    words = {line.strip() for line in open(path, encoding="utf-8")}
    expression = re.compile(r"(?:\W|^)({})(?:\W|$)".format("|".join(map(re.escape, words))))
    return lambda text: expression.search(text.lower()) is None


def urls(samples):
    """Addresses: those of the samples, and some with words of datatrove's own lists."""
    from datatrove.utils._import_utils import ASSETS_PATH
    lists = {name: Path(ASSETS_PATH) / f"{name}.txt"
             for name in ("banned_words", "banned_subwords", "soft_banned_words")}
    found = set()
    for path in sorted((samples / "text/pretrain").glob("*.json*")):
        opener = gzip.open if path.suffix == ".gz" else open
        with opener(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                found.update(re.findall(r"https?://[^\s\"'<>\\)]+", line))
    page = re.compile(r"https?://[^\s\"'<>\\)]+")
    for path in sorted((samples / "web/warc").glob("*.warc.gz")):
        found.update(page.findall(gzip.open(path).read().decode("utf-8", "replace")))
    found = sorted(found)
    for name, path in lists.items():
        words = [w.strip() for w in open(path) if w.strip() and w[0] != "#"]
        for i, word in enumerate(words):
            found.append(f"http://site{i}.example.com/{word}/page")
            found.append(f"http://{word}{i}.example.co.uk/a-{words[i - 1]}_{word}.html")
            found.append(f"http://Site{i}.org/My-{word.title()}")
    return found, lists


# ---- llmtool ----

class Llmtool:
    def __init__(self, program, texts, folder):
        self.program, self.folder = program, Path(folder)
        self.input = self.folder / "documents.jsonl"
        with open(self.input, "w", encoding="utf-8") as out:
            for i, text in enumerate(texts):
                out.write(json.dumps({"id": str(i), "text": text}, ensure_ascii=False) + "\n")
        self.count = len(texts)

    def run(self, *flags):
        out = self.folder / "out.jsonl"
        subprocess.run([self.program, "filter", self.input, "-q", "--overwrite", "-o", out, *flags],
                       check=True)
        with open(out, encoding="utf-8") as lines:
            return {int(r["id"]): r for r in map(json.loads, lines)}

    def figures(self, *flags):
        kept = self.run("--mark", *flags)
        return [kept[i]["attributes"] for i in range(self.count)]

    def kept(self, rule, *flags):
        kept = self.run("--rules", rule, *flags)
        return [i in kept for i in range(self.count)]

    def kept_of(self, records, *flags):
        source = self.folder / "records.jsonl"
        with open(source, "w", encoding="utf-8") as out:
            for i, record in enumerate(records):
                out.write(json.dumps({"id": str(i), **record}, ensure_ascii=False) + "\n")
        mine = Llmtool.__new__(Llmtool)
        mine.program, mine.folder, mine.input, mine.count = self.program, self.folder, source, 0
        kept = mine.run(*flags)
        return [i in kept for i in range(len(records))]

    def texts(self, *flags):
        kept = self.run(*flags)
        return [kept[i]["text"] if i in kept else None for i in range(self.count)]


class Table:
    def __init__(self):
        self.rows = []

    def figures(self, peer, ours, theirs, decisions=None, names=None):
        for rule in theirs[0]:
            differences = [abs(a[rule] - b[rule]) for a, b in zip(ours, theirs)]
            row = [rule, peer, len(theirs), sum(d == 0 for d in differences), max(differences)]
            if decisions and rule in decisions:
                mine, other = decisions[rule]
                row.append(sum(a == b for a, b in zip(mine, other)))
                row.append(sum(not b for b in other))
                for i, (a, b) in enumerate(zip(mine, other)):
                    if a != b and names:
                        print(f"{rule}: document {i} ({names[i]}): llmtool "
                              f"{'keeps' if a else 'drops'}, {peer} {'keeps' if b else 'drops'}; "
                              f"figures {ours[i][rule]} {theirs[i][rule]}", file=sys.stderr)
            else:
                row += ["", ""]
            self.rows.append(row)

    def decisions(self, rule, peer, ours, theirs, shown):
        for text, a, b in zip(shown, ours, theirs):
            if a != b:
                print(f"{rule}: llmtool {'keeps' if a else 'drops'}: {text[:100]!r}", file=sys.stderr)
        self.rows.append([rule, peer, len(ours), "", "", sum(a == b for a, b in zip(ours, theirs)),
                          sum(not b for b in theirs)])

    def texts(self, rule, peer, ours, theirs):
        same = sum(a == b for a, b in zip(ours, theirs))
        decided = sum((a is None) == (b is None) for a, b in zip(ours, theirs))
        for i, (a, b) in enumerate(zip(ours, theirs)):
            if a != b:
                print(f"{rule} {peer}: document {i}: {a!r:.200} | {b!r:.200}", file=sys.stderr)
        self.rows.append([rule, peer, len(ours), same, "(text)", decided, sum(b is None for b in theirs)])

    def __str__(self):
        head = ["rule", "peer", "documents", "same figure", "greatest difference", "same decision",
                "dropped by peer"]
        lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
        for row in self.rows:
            cells = [f"{c:.2g}" if isinstance(c, float) else str(c) for c in row]
            lines.append("| " + " | ".join(cells) + " |")
        return "\n".join(lines)


def compare_lists(table, llmtool, texts, samples):
    from datatrove.pipeline.filters import URLFilter
    words = samples / "text/pretrain/naughty_words_en.txt"
    decide = bad_words(words)
    table.decisions("words.count", "datatrove",
                    llmtool.kept("words.count", "--word-list", str(words)),
                    [decide(text) for text in texts], texts)
    addresses, lists = urls(samples)
    records = [{"text": "x", "metadata": {"url": url}} for url in addresses]
    domains = Path(llmtool.folder) / "domains"
    hosts = sorted({re.sub(r"^https?://|[/:?#].*$", "", url) for url in addresses})[::7]
    domains.write_text("\n".join(hosts) + "\n")
    entries = lambda name: [line.strip() for line in open(lists[name]) if line.strip()]
    for rule, flags, on in (
            ("url.domain", ["--domain-list", domains], {"extra_domains": hosts}),
            ("url.words", ["--url-word-list", lists["banned_words"]],
             {"banned_words": entries("banned_words")}),
            ("url.soft_words", ["--url-soft-word-list", lists["soft_banned_words"]],
             {"soft_banned_words": entries("soft_banned_words")}),
            ("url.substrings", ["--url-substring-list", lists["banned_subwords"]],
             {"banned_subwords": entries("banned_subwords")})):
        one = URLFilter(use_integrated_lists=False, **on)
        theirs = [one.filter(Document(text="x", id="", metadata={"url": url})) is True
                  for url in addresses]
        ours = llmtool.kept_of(records, "--rules", rule, *map(str, flags))
        table.decisions(rule, "datatrove", ours, theirs, addresses)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--llmtool", default=str(ROOT / "build/llmtool"))
    parser.add_argument("--samples", type=Path,
                        default=Path(os.environ.get("LLMTOOL_SAMPLES", ROOT / "../shared/samples")))
    parser.add_argument("--debian", type=Path, default=Path("/usr/share/doc"))
    parser.add_argument("--limit", type=int, default=20_000_000)
    parser.add_argument("--out")
    args = parser.parse_args()
    if not args.samples.is_dir():
        sys.exit(f"no samples in '{args.samples}': give --samples or LLMTOOL_SAMPLES")

    found, sizes = documents(args.samples, args.debian, args.limit)
    texts = [text for _, text in found]
    names = [name for name, _ in found]
    print(f"{len(texts)} documents: " +
          ", ".join(f"{name} {names.count(name)} ({size / 1e6:.1f} MB)" for name, size in sizes.items()))
    table = Table()
    with tempfile.TemporaryDirectory() as folder:
        llmtool = Llmtool(args.llmtool, texts, folder)
        ours = llmtool.figures("--preset", "gopher,fineweb,llama-code", "--without",
                               "code.extension", "--without", ",".join(C4_LINES))
        decide = deciders()
        decisions = {}
        for rule, decider in decide.items():
            theirs = []
            for text in texts:
                try:
                    theirs.append(decider(text))
                except ZeroDivisionError:  # no line, or no word
                    theirs.append(None)
            kept = llmtool.kept(rule)
            if rule in ("gopher.hash_ratio", "gopher.ellipsis_ratio"):
                kept = llmtool.kept("gopher.hash_ratio,gopher.ellipsis_ratio")
            decisions[rule] = ([k for k, t in zip(kept, theirs) if t is not None],
                               [t for t in theirs if t is not None])
            if len(decisions[rule][0]) < len(texts):
                print(f"{rule}: datatrove divides by zero on {theirs.count(None)} documents",
                      file=sys.stderr)
        for name, measure in (("datatrove", gopher_repetition), ("datatrove", gopher_quality),
                              ("datatrove", fineweb), ("RedPajama", code)):
            table.figures(name, ours, [measure(text) for text in texts], decisions, names)
        mine, other = decisions["c4.paragraphs"]
        table.rows.append(["c4.paragraphs", "datatrove", len(mine), "", "",
                           sum(a == b for a, b in zip(mine, other)), sum(not b for b in other)])
        lines = ",".join(C4_LINES + ["c4.line_end"])
        table.texts("c4", "TFDS code", llmtool.texts("--rules", lines), [c4_code(t) for t in texts])
        table.texts("c4", "paper", llmtool.texts("--rules", lines, "--c4-variant", "paper"),
                    [c4_code(t, 3, 5) for t in texts])
        table.texts("c4", "datatrove",
                    llmtool.texts("--rules", lines, "--c4-variant", "datatrove"),
                    [c4_datatrove(t) for t in texts])
        compare_lists(table, llmtool, texts, args.samples)
        ours = llmtool.figures("--preset", "gopher", "--gopher-variant", "dolma")
        table.figures("Dolma", ours, [dolma(text) for text in texts])
    print(table)
    if args.out:
        Path(args.out).write_text(str(table) + "\n", encoding="utf-8")


C4_LINES = ["c4.line_word_length", "c4.citations", "c4.line_words", "c4.lorem_ipsum", "c4.javascript",
            "c4.curly_bracket", "c4.policy", "c4.sentences"]

if __name__ == "__main__":
    main()
