"""SentencePiece models of every kind, trained by the wheel, for tests/bench/tokenize.sh.

python tests/bench/tokenize_models.py OUTPUT ENGLISH.jsonl MULTILINGUAL.jsonl CODE.jsonl
"""
import json
import pathlib
import sys

import sentencepiece

OUTPUT = pathlib.Path(sys.argv[1])
E, M, C = sys.argv[2:5]
CHARACTERS = 4_000_000  # of each corpus
MODELS = {
    "uni_nmt_32k": dict(files=[E, M], model_type="unigram", vocab_size=32000),
    "uni_nmt_64k": dict(files=[E, M, C], model_type="unigram", vocab_size=64000),
    "uni_nmt_250k": dict(files=[E, M, C], model_type="unigram", vocab_size=250000, hard_vocab_limit=False,
                         max_sentencepiece_length=20, seed_sentencepiece_size=1500000),
    "uni_cf_8k": dict(files=[E], model_type="unigram", vocab_size=8000, normalization_rule_name="nmt_nfkc_cf"),
    "uni_suffix_8k": dict(files=[E], model_type="unigram", vocab_size=8000, treat_whitespace_as_suffix=True),
    "uni_symbols_8k": dict(files=[E], model_type="unigram", vocab_size=8000, byte_fallback=True,
                           user_defined_symbols=["<mask>", "<|user|>", " the ", "\u2581\u2581", "http://", "e\u0301"]),
    "bpe_nmt_8k": dict(files=[E], model_type="bpe", vocab_size=8000, byte_fallback=True),
    "bpe_nmt_32k": dict(files=[E, M], model_type="bpe", vocab_size=32000),
    "bpe_nfkc_64k": dict(files=[E, M], model_type="bpe", vocab_size=64000, normalization_rule_name="nfkc",
                         byte_fallback=True),
    "bpe_llama_32k": dict(files=[E, M, C], model_type="bpe", vocab_size=32000, byte_fallback=True,
                          normalization_rule_name="identity", remove_extra_whitespaces=False, split_digits=True,
                          allow_whitespace_only_pieces=True),
    "bpe_suffix_8k": dict(files=[E], model_type="bpe", vocab_size=8000, treat_whitespace_as_suffix=True),
    "bpe_nosplit_8k": dict(files=[E], model_type="bpe", vocab_size=8000, split_by_whitespace=False),
    "char_nmt": dict(files=[M], model_type="char", vocab_size=4000),
}


def lines(files, limit):
    for name in files:
        size = 0
        with open(name, encoding="utf-8") as documents:
            for document in documents:
                for line in json.loads(document)["text"].split("\n"):
                    if line.strip():
                        yield line[:4000]
                        size += len(line)
                if size > limit:
                    break


OUTPUT.mkdir(parents=True, exist_ok=True)
for name, options in MODELS.items():
    files = options.pop("files")
    limit = 3 * CHARACTERS if options["vocab_size"] > 100_000 else CHARACTERS
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=lines(files, limit), model_prefix=str(OUTPUT / name), num_threads=1, minloglevel=2, **options)
    print(name, flush=True)
