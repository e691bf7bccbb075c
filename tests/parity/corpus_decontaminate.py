"""`llmtool decontaminate` on planted contamination, and its datatrove rule beside datatrove's own code.

    python tests/parity/corpus_decontaminate.py build/llmtool SAMPLES      (pip install datatrove spacy)

Plants items of GSM8K, MMLU and ARC in C4 documents: whole, with words changed, in part, with other case, punctuation
and line breaks. The first table says how many of each kind the rules find; the second compares the verdicts of
datatrove's NGramsDecontIndexer.compute_hashes and the look-up of its filter with `--rule datatrove`.
"""
import csv
import glob
import json
import random
import re
import subprocess
import sys
import tempfile
import types

r = random.Random(5)
llmtool, samples = sys.argv[1:3]


def items():
    out = []
    for line in open(samples + "/eval/gsm8k/test.jsonl"):
        d = json.loads(line)
        out.append((d["question"], d["answer"]))
    for path in sorted(glob.glob(samples + "/eval/mmlu/test/*.csv"))[:12]:
        for row in csv.DictReader(open(path)):
            out.append((row["question"], row["choice" + row["answer"]]))
    return out


def corpus():
    docs = []
    for path in sorted(glob.glob(samples + "/text/pretrain/c*.jsonl")):
        docs += [json.loads(line)["text"] for line in open(path)]
    return docs


def changed(text, share):
    words = text.split(" ")
    for i in r.sample(range(len(words)), round(share * len(words))):
        words[i] = "".join(r.choice("abcdefghij") for _ in range(6))
    return " ".join(words)


def restyled(text):
    text = text.upper() if r.random() < 0.5 else text.lower()
    return re.sub(r" ", lambda m: r.choice([" ", "\n", "  ", ", ", " - "]), text)


KINDS = {
    "question": lambda q, a: q,
    "question, 2% of the words changed": lambda q, a: changed(q, 0.02),
    "question, 10% changed": lambda q, a: changed(q, 0.10),
    "question, 30% changed": lambda q, a: changed(q, 0.30),
    "first half of the question": lambda q, a: " ".join(q.split(" ")[: len(q.split(" ")) // 2]),
    "question, case and punctuation": lambda q, a: restyled(q),
    "question and answer": lambda q, a: q + "\n" + a,
    "answer": lambda q, a: a,
    "nothing": lambda q, a: "",
}


def planted():
    base, pool, docs = corpus(), [i for i in items() if len(i[0].split()) >= 30], []
    for kind, make in KINDS.items():
        for q, a in r.sample(pool, 150):
            text = r.choice(base)
            at = text.find(" ", r.randrange(len(text)))
            at = len(text) if at < 0 else at
            docs.append((kind, text[:at] + " " + make(q, a) + " " + text[at:]))
    return docs


def run(docs, sets, *flags):
    with tempfile.TemporaryDirectory() as d:
        with open(d + "/docs.jsonl", "w") as f:
            for i, (_, text) in enumerate(docs):
                f.write(json.dumps({"id": i, "text": text}) + "\n")
        with open(d + "/set.jsonl", "w") as f:
            for q, a in sets:
                f.write(json.dumps({"question": q, "answer": a}) + "\n")
        out = subprocess.run([llmtool, "decontaminate", d + "/docs.jsonl", "--against", d + "/set.jsonl", "--mode", "mark",
                              "-q", *flags], check=True, stdout=subprocess.PIPE, text=True).stdout
    marks = [json.loads(line).get("attributes", {}).get("contamination") for line in out.splitlines()]
    assert len(marks) == len(docs)
    return marks


def datatrove_verdicts(docs, sets):
    from datatrove.pipeline.decont.n_grams import NGramsDecontConfig, NGramsDecontIndexer
    from datatrove.utils.hashing import create_hash_func
    from datatrove.utils.text import ngrams, simplify_text
    from datatrove.utils.word_tokenizers import load_word_tokenizer
    config = NGramsDecontConfig()
    xxhash = create_hash_func(config.hash_config)  # newer wheels of xxhash refuse str
    indexer = types.SimpleNamespace(  # the class itself asks for lighteval
        config=config, tokenizer=load_word_tokenizer("eng"), hash_func=lambda text: xxhash(text.encode()))
    known = set()
    for q, a in sets:
        known.update(NGramsDecontIndexer.compute_hashes(indexer, a, q))
    verdicts = []
    for _, text in docs:
        tokens = indexer.tokenizer.word_tokenize(simplify_text(text, config.norm_config))
        verdicts.append(next((g for g in map(" ".join, ngrams(tokens, config.n_grams)) if indexer.hash_func(g) in known), None))
    return verdicts


def main():
    docs, sets = planted(), items()
    rules = ["decon", "datatrove", "gpt3", "palm"]
    found = {rule: run(docs, sets, "--rule", rule) for rule in rules}
    print("| planted (150 each) | " + " | ".join(rules) + " |\n|---|" + "---|" * len(rules))
    for kind in KINDS:
        row = [sum(bool(m) for (k, _), m in zip(docs, found[rule]) if k == kind) for rule in rules]
        print(f"| {kind} | " + " | ".join(map(str, row)) + " |")
    theirs = datatrove_verdicts(docs, sets)
    both = sum(bool(a) and bool(b) for a, b in zip(theirs, found["datatrove"]))
    only = [(k, a, b) for (k, _), a, b in zip(docs, theirs, found["datatrove"]) if bool(a) != bool(b)]
    print(f"\nof {len(docs)} documents: both {both}, neither {len(docs) - both - len(only)}, only one {len(only)}")
    for kind, a, b in only:
        print("only", "datatrove" if a else "llmtool", kind, a or b[0]["text"])


main()
