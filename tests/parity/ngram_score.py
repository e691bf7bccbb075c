"""Perplexities of `llmtool ngram score` beside those of PyPI's kenlm and of CCNet's rules.

    python3 tests/parity/ngram_score.py TEXT MODEL... [--tokenizer sp.model] [--normaliser NAME]

TEXT: a line a document. Each MODEL (KenLM binary, ARPA) is scored by both, and the table says how
many documents have the same log10 probability, words, unknown words and perplexity. Needs kenlm (and sentencepiece with
--tokenizer) from PyPI; $LLMTOOL is the program.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import unicodedata

import kenlm

# CCNet's rules (cc_net/text_normalizer.py), written down from their description.
PUNCTUATION = dict(
    zip(
        "，。、„”“«»１」「《》´∶：？！（）；–—．～’…━〈〉【】％►",
        [",", ".", ",", '"', '"', '"', '"', '"', '"', '"', '"', '"', '"', "'", ":", ":", "?", "!",
         "(", ")", ";", "-", " - ", ". ", "~", "'", "...", "-", "<", ">", "[", "]", "%", "-"],
    )
)
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")


def ccnet(text, fixed=False):
    text = text.strip().lower()
    text = "".join(
        c for c in unicodedata.normalize("NFD", text) if unicodedata.category(c) != "Mn"
    )
    text = re.sub(r"\d", "0", text)
    text = "".join(PUNCTUATION.get(c, c) for c in text)
    return CONTROL.sub(lambda m: " " if fixed and m[0].isspace() else "", text)


def sentences(text, normaliser):
    if normaliser == "none":
        return [line for line in text.split("\n") if line.split()]
    return [ccnet(text, normaliser == "ccnet-fixed")]


def expected(model, tokenizer, text, normaliser):
    total, words, unknown, count = 0.0, 0, 0, 0
    for sentence in sentences(text, normaliser):
        if tokenizer is not None:
            sentence = " ".join(tokenizer.encode(sentence, out_type=str))
        total += model.score(sentence)
        words += len(sentence.encode().split())
        unknown += sum(oov for _, _, oov in model.full_scores(sentence)) - 0
        count += 1
    return total, words, unknown, round(10.0 ** (-total / (words + count)), 1)


def ours(model, arguments, texts):
    with tempfile.TemporaryDirectory() as folder:
        source = os.path.join(folder, "in.jsonl")
        with open(source, "w") as f:
            for text in texts:
                f.write(json.dumps({"text": text}) + "\n")
        command = [os.environ.get("LLMTOOL", "build/llmtool"), "ngram", "score", source, "-q",
                   "--model", model, "--normaliser", arguments.normaliser, "--details", "-o", "-"]
        if arguments.tokenizer:
            command += ["--tokenizer", arguments.tokenizer]
        lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        return [json.loads(line).get("attributes", {}) for line in lines.split("\n") if line]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("text")
    parser.add_argument("models", nargs="+")
    parser.add_argument("--tokenizer")
    parser.add_argument("--normaliser", default="none")
    parser.add_argument("--documents", type=int, default=4000)
    arguments = parser.parse_args()
    tokenizer = None
    if arguments.tokenizer:
        import sentencepiece

        tokenizer = sentencepiece.SentencePieceProcessor(model_file=arguments.tokenizer)
    lines = [l for l in open(arguments.text, newline="\n").read().split("\n") if l.split()]
    # Three lines to a document, so that line breaks matter.
    texts = ["\n".join(lines[i : i + 3]) for i in range(0, len(lines), 3)][: arguments.documents]
    print("| model | documents | same log10 p | words | unknown | perplexity | largest difference |")
    print("|---|---|---|---|---|---|---|")
    failed = False
    for path in arguments.models:
        model = kenlm.Model(path)
        same = [0, 0, 0, 0]
        largest = 0.0
        for text, got in zip(texts, ours(path, arguments, texts), strict=True):
            total, words, unknown, perplexity = expected(
                model, tokenizer, text, arguments.normaliser
            )
            pairs = ((got["log10_probability"], total), (got["ngram_words"], words),
                     (got["ngram_unknown"], unknown), (got["perplexity"], perplexity))
            for i, (a, b) in enumerate(pairs):
                same[i] += a == b
            largest = max(largest, abs(got["log10_probability"] - total) / abs(total))
        failed |= min(same) < len(texts)
        print(f"| {os.path.basename(path)} | {len(texts)} | {same[0]} | {same[1]} | {same[2]} | "
              f"{same[3]} | {largest:.1e} |", flush=True)
    sys.exit(failed)


main()
