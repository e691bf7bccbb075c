#!/usr/bin/env python3
"""Makes tests/golden/samplers.json: what transformers' logits processors leave of rows of logits.

    python tests/golden/make_samplers.py

Needs torch and transformers (made with torch 2.15.0, transformers 5.23.0). Each case: logits (each
a number of f32), seen (ids of prompt and answer), options, and kept: [id, probability] of each token
that is left, by falling probability, computed in float64. No token is so near a limit that rounding
decides.
"""

import json
import pathlib

import torch
from transformers.generation.logits_process import (
    MinPLogitsWarper, RepetitionPenaltyLogitsProcessor, TemperatureLogitsWarper, TopKLogitsWarper,
    TopPLogitsWarper)

OFF = {"temperature": 1.0, "top_k": 0, "top_p": 1.0, "min_p": 0.0, "repetition_penalty": 1.0}
CASES = [  # size of the vocabulary, spread of the logits, options
    (1, 1.0, {}),
    (7, 2.0, {"temperature": 0.7}),
    (50, 3.0, {"top_k": 5}),
    (50, 3.0, {"top_k": 1}),
    (50, 3.0, {"top_k": 80}),
    (50, 3.0, {"top_p": 0.9}),
    (50, 3.0, {"top_p": 1e-6}),
    (50, 3.0, {"top_p": 0.999}),
    (50, 1.0, {"min_p": 0.05}),
    (50, 3.0, {"min_p": 1.0}),
    (50, 3.0, {"repetition_penalty": 1.3}),
    (50, 3.0, {"repetition_penalty": 0.8}),
    (90, 2.0, {"temperature": 0.8, "top_k": 40, "top_p": 0.95, "min_p": 0.05}),
    (90, 2.0, {"temperature": 1.7, "top_k": 30, "top_p": 0.8, "repetition_penalty": 1.2}),
    (90, 0.5, {"temperature": 0.2, "top_p": 0.8, "min_p": 0.1, "repetition_penalty": 1.1}),
    (90, 2.0, {"temperature": 3.0, "min_p": 0.2, "top_k": 60}),
]


def processors(o):
    """In transformers' own order (GenerationMixin._get_logits_processor)."""
    if o["repetition_penalty"] != 1:
        yield RepetitionPenaltyLogitsProcessor(o["repetition_penalty"])
    if o["temperature"] != 1:
        yield TemperatureLogitsWarper(o["temperature"])
    if o["top_k"] > 0:
        yield TopKLogitsWarper(o["top_k"])
    if o["top_p"] < 1:
        yield TopPLogitsWarper(o["top_p"])
    if o["min_p"] > 0:
        yield MinPLogitsWarper(o["min_p"])


def process(logits, seen, options):
    scores = logits.double()
    for processor in processors(options):
        scores = processor(seen, scores)
    return scores


def check_margin(logits, seen, options, kept):
    """Limits that differ by a millionth leave the same tokens."""
    for part in (1 - 1e-6, 1 + 1e-6):
        moved = options | {"min_p": min(1.0, options["min_p"] * part)}
        if options["top_p"] < 1:
            moved["top_p"] *= part
        assert int((process(logits, seen, moved) > -float("inf")).sum()) == kept, options


def main():
    generator = torch.Generator().manual_seed(11)
    cases = []
    for size, spread, options in CASES:
        options = OFF | options
        logits = torch.randn(1, size, generator=generator) * spread
        seen = torch.randint(0, size, (1, 12), generator=generator)
        scores = process(logits, seen, options)
        p = torch.softmax(scores, -1)[0]
        order = torch.argsort(p, descending=True)
        kept = [[int(i), float(p[i])] for i in order if scores[0, i] > -float("inf")]
        check_margin(logits, seen, options, len(kept))
        cases.append({"logits": [float(x) for x in logits[0]], "seen": seen[0].tolist(),
                      "options": options, "kept": kept})
        print(f"{size} tokens, {options}: {len(kept)} kept")
    path = pathlib.Path(__file__).resolve().parent / "samplers.json"
    path.write_text("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")


if __name__ == "__main__":
    main()
