#!/usr/bin/env python3
"""Makes tests/golden/perplexity.json: the loss of every token of some texts in sliding windows.

    python tests/golden/make_perplexity.py

Needs torch and transformers (made with torch 2.15.0, transformers 5.23.0), and the models that
make_llama_tiny.py made. Each case: the model, context and stride, ids, and nats: of each of ids[1:],
in float64. A window by itself, as lm-evaluation-harness rolls them (get_rolling_token_windows) with
stride = context - context_len + 1, but with the text's own token in front of later windows.
"""

import json
import pathlib

import torch
from transformers import LlamaForCausalLM

HERE = pathlib.Path(__file__).resolve().parent
CASES = [  # model, context, stride, number of ids
    ("llama_tiny", 64, 32, 1), ("llama_tiny", 64, 32, 2), ("llama_tiny", 64, 32, 65),
    ("llama_tiny", 64, 32, 66), ("llama_tiny", 64, 32, 200), ("llama_tiny", 64, 64, 200),
    ("llama_tiny", 16, 5, 50), ("llama_tiny", 9, 1, 20), ("llama_tiny", 1, 1, 6),
    ("llama_tiny_untied", 128, 64, 300), ("llama_tiny_llama3", 128, 100, 300),
]


def rolling_nats(model, ids, context, stride):
    nats = []
    while len(nats) < len(ids) - 1:
        scored = min(stride if nats else context, len(ids) - 1 - len(nats))
        end = len(nats) + scored
        shown = ids[max(0, end - context):end]
        log_p = torch.log_softmax(model(torch.tensor([shown])).logits[0, -scored:], -1)
        nats += (-log_p.gather(1, torch.tensor(ids[end - scored + 1:end + 1])[:, None]))[:, 0].tolist()
    return nats


def main():
    generator = torch.Generator().manual_seed(5)
    cases = []
    for name, context, stride, count in CASES:
        model = LlamaForCausalLM.from_pretrained(HERE / name, dtype=torch.float64).eval()
        ids = [1, *torch.randint(3, 97, (count - 1,), generator=generator).tolist()]
        with torch.no_grad():
            nats = [round(x, 7) for x in rolling_nats(model, ids, context, stride)]
        cases.append({"model": name, "context": context, "stride": stride, "ids": ids, "nats": nats})
        print(f"{name}: context {context}, stride {stride}, {count} ids: {sum(nats):.6f} nats")
    (HERE / "perplexity.json").write_text("[\n" + ",\n".join(map(json.dumps, cases)) + "\n]\n")


if __name__ == "__main__":
    main()
