"""Ids and shards of llmtool beside SentencePiece's Python wheel and Megatron's reading of shards.

python tests/parity/tokenizer.py build/llmtool SAMPLES [MODEL...]

SAMPLES is a folder with text (*.txt, *.jsonl, *.json.gz, searched deeply); MODELs are SentencePiece
.model files to try besides those that llmtool trains. Needs sentencepiece and numpy; transformers
(with protobuf) is tried if it is there. Not part of CI.

llmtool's ids are those of the SentencePiece it is built with (0.1.97; the tests in tests/text compare
them). The wheel (0.2) rounds the sums of unigram scores elsewhere, so a few segmentations of the same
total score differ: counted as ties.
"""
import gzip
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy
import sentencepiece

LLMTOOL = pathlib.Path(sys.argv[1]).resolve()
SAMPLES = pathlib.Path(sys.argv[2])
MODELS = [pathlib.Path(m) for m in sys.argv[3:]]
PARAGRAPH_CHARS = 20000
TIE = 0.05  # log-probability; float sums of whole documents are rounded to about 0.01


def run(*arguments, **options):
    return subprocess.run([LLMTOOL, *arguments], check=True, stdout=subprocess.PIPE, **options).stdout


def texts_of(path):
    if path.suffix == ".txt":
        text = path.read_bytes().decode()
        return [text[i : i + PARAGRAPH_CHARS] for i in range(0, len(text), PARAGRAPH_CHARS)]
    opened = gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else open(path, encoding="utf-8")
    with opened as lines:
        documents = (json.loads(line) for line in lines if line.strip())
        return [d["text"] for d in documents if isinstance(d, dict) and isinstance(d.get("text"), str)]


def collect():
    texts = []
    for path in sorted(SAMPLES.rglob("*")):
        if path.name.endswith((".txt", ".jsonl", ".json.gz")):
            try:
                texts += texts_of(path)
            except (UnicodeDecodeError, json.JSONDecodeError) as error:
                print(f"left out {path}: {error}")
    return [t for t in texts if t]


def read_shard(prefix):
    """As megatron/core/datasets/indexed_dataset.py does: memory maps and frombuffer."""
    index = memoryview(numpy.memmap(f"{prefix}.idx", mode="r", order="C"))
    assert bytes(index[:9]) == b"MMIDIDX\x00\x00"
    assert numpy.frombuffer(index, numpy.uint64, 1, 9)[0] == 1
    dtype = {4: numpy.int32, 8: numpy.uint16}[index[17]]
    sequences, documents = (int(n) for n in numpy.frombuffer(index, numpy.uint64, 2, 18))
    lengths = numpy.frombuffer(index, numpy.int32, sequences, 34)
    pointers = numpy.frombuffer(index, numpy.int64, sequences, 34 + lengths.nbytes)
    indices = numpy.frombuffer(index, numpy.int64, documents, 34 + lengths.nbytes + pointers.nbytes)
    assert lengths.shape[0] == indices[-1], "IndexedDataset asserts this"
    data = memoryview(numpy.memmap(f"{prefix}.bin", mode="r", order="C"))
    return [numpy.frombuffer(data, dtype, n, p).tolist() for n, p in zip(lengths, pointers)]


def score(library, ids):
    return sum(library.get_score(i) for i in ids)


def check_model(name, model, texts, corpus, folder):
    library = sentencepiece.SentencePieceProcessor(model_file=str(model))
    expected = [library.encode(t) for t in texts]
    lines = run("tokenizer", "encode", corpus, "-t", model).decode().splitlines()
    ids = [[int(i) for i in line.split()] for line in lines]
    assert len(ids) == len(expected)
    differ = [(a, b) for a, b in zip(ids, expected) if a != b]
    wrong = [1 for a, b in differ if "unigram" not in name or abs(score(library, a) - score(library, b)) > TIE]
    print(f"{name}: {len(texts)} documents, {sum(map(len, ids))} ids, {len(wrong)} documents differ, "
          f"{len(differ) - len(wrong)} in ties")
    decoded = run("tokenizer", "decode", "-t", model, "--json", input="\n".join(lines).encode())
    back = [json.loads(line)["text"] for line in decoded.decode().split("\n")[:-1]]
    lost = sum(a.replace("\u2581", " ") != b for a, b in zip(texts, back))
    print(f"{name}: {lost} documents do not come back")
    data = folder / f"data_{name}"
    info = json.loads(run("tokenize", corpus, "-t", model, "-o", data, "--json"))
    shards = [d for shard in info["train"]["shards"] for d in read_shard(data / shard)]
    eos = library.eos_id()
    same = shards == [i + [eos] for i in ids]
    print(f"{name}: shards as Megatron reads them {'equal' if same else 'DIFFER'}")
    return not wrong and not lost and same


def check_transformers(folder, texts):
    try:
        import google.protobuf
        import transformers
    except ImportError as error:
        return print(f"transformers is not tried: {error}")
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    library = sentencepiece.SentencePieceProcessor(model_file=str(folder / "tokenizer.model"))
    differ = sum(tokenizer.encode(t, add_special_tokens=False) != library.encode(t) for t in texts)
    print(f"transformers ({type(tokenizer).__name__}): {differ} of {len(texts)} documents differ")


def main():
    texts = collect()
    size = sum(len(t.encode()) for t in texts)
    print(f"{len(texts)} documents, {size} bytes; sentencepiece {sentencepiece.__version__}")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        corpus = folder / "corpus.jsonl"
        with open(corpus, "w", encoding="utf-8") as f:
            for text in texts:
                f.write(json.dumps({"text": text}) + "\n")
        models = {m.stem: m for m in MODELS}
        for kind in ("bpe", "unigram", "char"):
            run("tokenizer", "train", corpus, "-o", folder / kind, "--model", kind, "--vocab-size", "8000",
                "--sample-bytes", "5MB", "--quiet")
            models[kind] = folder / kind / "tokenizer.model"
        results = [check_model(name, model, texts, corpus, folder) for name, model in models.items()]
        check_transformers(folder / "bpe", texts[:300])
        sys.exit(0 if all(results) else 1)


main()
