#!/usr/bin/env python3
"""Compares `llmtool eval --tasks perplexity` and greedy `llmtool generate` with transformers.

    python tests/parity/perplexity.py build/llmtool [--text FILE]

Needs torch, transformers, safetensors and sentencepiece. Makes a small Llama with random weights
and a SentencePiece tokenizer of the text (made-up words without --text), both as a Hugging Face
folder, in a temporary folder. Documents are shorter and longer than the context. The reference
computes each window by itself in float64. Allowed: 1e-5 of the nats of a document; greedy answers
are the same ids up to where the two largest logits of the reference are within 1e-3.
"""

import argparse
import json
import math
import pathlib
import random
import subprocess
import tempfile

import sentencepiece
import torch
from transformers import LlamaConfig, LlamaForCausalLM

CONTEXT, STRIDE = 48, 20
ALLOWED = 1e-5


def made_text(rng):
    syllables = ["ba", "ko", "ti", "ra", "sel", "mun", "é", "th", "in", "ou", "ми", "and", "水"]
    words = ["".join(rng.choices(syllables, k=rng.randint(1, 3))) for _ in range(300)]
    return "\n".join(" ".join(rng.choices(words, k=rng.randint(1, 200))) for _ in range(60))


def make_folder(folder, text, dummy_prefix):
    (folder / "text.txt").write_text(text)
    sentencepiece.SentencePieceTrainer.train(
        input=str(folder / "text.txt"), model_prefix=str(folder / "tokenizer"), vocab_size=400,
        model_type="bpe", byte_fallback=True, split_digits=True, add_dummy_prefix=dummy_prefix,
        normalization_rule_name="identity", remove_extra_whitespaces=False, minloglevel=2)
    config = LlamaConfig(
        vocab_size=400, hidden_size=48, intermediate_size=80, num_hidden_layers=3,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=CONTEXT,
        bos_token_id=1, eos_token_id=2, tie_word_embeddings=True)
    model = LlamaForCausalLM(config)
    with torch.no_grad():
        for p in model.parameters():
            if p.dim() > 1:
                p.normal_(0, 0.35)
    model.save_pretrained(folder)
    return model.double().eval()


def window_nats(model, ids):
    """Sum of -log p of ids[1:], windows as lib/eval/rolling_loss.h describes them."""
    total, done, count = 0.0, 0, len(ids) - 1
    while done < count:
        scored = min(CONTEXT if done == 0 else STRIDE, count - done)
        end = done + scored
        begin = max(0, end - CONTEXT)
        logits = model(torch.tensor([ids[begin:end]])).logits[0, -scored:]
        log_p = torch.log_softmax(logits, -1)
        total -= log_p.gather(1, torch.tensor(ids[end - scored + 1:end + 1])[:, None]).sum().item()
        done = end
    return total


def run(program, *arguments):
    return subprocess.run([program, *map(str, arguments)], check=True, stdout=subprocess.PIPE).stdout


def compare_perplexity(program, folder, model, tokenizer, documents):
    data = folder / "documents.jsonl"
    data.write_text("".join(json.dumps({"id": i, "text": d}) + "\n" for i, d in enumerate(documents)))
    command = ["eval", "-q", "-m", folder, "--tasks", "perplexity", "--data", data, "--json",
               "--stride", STRIDE, "--output", folder / "result"]
    total = json.loads(run(program, *command))["tasks"]["perplexity"]["metrics"]
    lines = (folder / "result/perplexity.jsonl").read_text().splitlines()
    assert len(lines) == len(documents)
    worst, sums = 0.0, {"nats": 0.0, "tokens": 0, "bytes": 0, "words": 0}
    for text, line in zip(documents, map(json.loads, lines)):
        ids = [1, *tokenizer.encode(text), 2]
        nats = window_nats(model, ids)
        worst = max(worst, abs(line["nats"] - nats) / nats)
        expected = {"tokens": len(ids) - 1, "bytes": len(text.encode()), "words": len(text.split())}
        assert {k: line[k] for k in expected} == expected, (line, expected)
        for key, value in (expected | {"nats": nats}).items():
            sums[key] += value
    expected = {
        "token_perplexity": math.exp(sums["nats"] / sums["tokens"]),
        "byte_perplexity": math.exp(sums["nats"] / sums["bytes"]),
        "word_perplexity": math.exp(sums["nats"] / sums["words"]),
        "bits_per_byte": sums["nats"] / math.log(2) / sums["bytes"],
    }
    for key, value in expected.items():
        print(f"  {key}: llmtool {total[key]:.6f}, reference {value:.6f}")
        assert abs(total[key] - value) <= 1e-4 * value, key
    print(f"  {len(documents)} documents, {sums['tokens']} tokens: worst difference of a document's "
          f"nats {worst:.1e} (allowed {ALLOWED:.0e})")
    assert worst <= ALLOWED


def compare_greedy(program, folder, model, tokenizer, prompts):
    data = folder / "prompts.jsonl"
    data.write_text("".join(json.dumps({"prompt": p}) + "\n" for p in prompts))
    lines = run(program, "generate", "-q", "-m", folder, "--input", data, "--temperature", 0,
                "--max-tokens", 30, "--logprobs", "--ignore-eos").decode().splitlines()
    same = steps = 0
    for prompt, line in zip(prompts, map(json.loads, lines)):
        ids = [1, *tokenizer.encode(prompt)]
        for got, log_p in zip(line["token_ids"], line["logprobs"]):
            row = torch.log_softmax(model(torch.tensor([ids])).logits[0, -1], -1)
            best = row.topk(2)
            assert abs(float(row[got]) - log_p) < 1e-3, (prompt, got)
            if float(best.values[0] - best.values[1]) > 1e-3:
                assert got == int(best.indices[0]), (prompt, got, best)
                same += 1
            steps += 1
            ids.append(got)
    print(f"  greedy: {same} of {steps} tokens are the reference's, the others near ties")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--text", type=pathlib.Path)
    arguments = parser.parse_args()
    torch.manual_seed(7)
    rng = random.Random(7)
    text = arguments.text.read_text()[:200_000] if arguments.text else made_text(rng)
    documents = [text[at:at + size] for size in (1, 2, 7, 40, 150, 151, 400, 1500, 3000)
                 for at in (rng.randrange(max(1, len(text) - size)),)] + ["", " ", "\n", "a  b\n"]
    for dummy_prefix in (False, True):
        print(f"add_dummy_prefix {dummy_prefix}")
        with tempfile.TemporaryDirectory() as name, torch.no_grad():
            folder = pathlib.Path(name)
            model = make_folder(folder, text, dummy_prefix)
            tokenizer = sentencepiece.SentencePieceProcessor(str(folder / "tokenizer.model"))
            compare_perplexity(arguments.program, folder, model, tokenizer, documents)
            compare_greedy(arguments.program, folder, model, tokenizer, ["", "a", documents[4][:30]])


if __name__ == "__main__":
    main()
