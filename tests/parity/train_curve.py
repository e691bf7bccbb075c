#!/usr/bin/env python3
"""Repeats a run of `llmtool train` in PyTorch f32 and compares the losses step by step.

    python tests/parity/train_curve.py --run RUN --data TOKENS [--steps 500] [--limit 0.01]

RUN was made from the token folder TOKENS with --dtype f32 --save-initial and keeps its step-0
checkpoint: PyTorch starts from its weights. Batches, document masks, schedule, AdamW and clipping
follow the options in its trainer_state.json, the order of the data is computed anew
(token_data.py). Prints one line of JSON; exit code 1 if any step's loss is further than `limit`
of the reference's. tests/parity/train_curve.sh makes such a run of the quickstart model.
"""

import argparse
import json
import math
import pathlib
import statistics
import sys

import torch

from token_data import DataOrder, TokenDataset
from torch_llama import document_mask, load_model, make_optimizer, train_step


def arguments():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--run", type=pathlib.Path, required=True, help="folder of the run")
    p.add_argument("--data", type=pathlib.Path, required=True, help="its token folder")
    p.add_argument("--steps", type=int, help="compare only the first so many")
    p.add_argument("--limit", type=float, default=0.01, help="largest relative difference")
    p.add_argument("--threads", type=int, default=2)
    return p.parse_args()


def read_losses(path):
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return {line["step"]: line for line in lines if "loss" in line}


def learning_rate(options, step):
    """lib/train/schedule.h, steps from 1."""
    if options["schedule"] != "cosine":
        raise ValueError(f"schedule {options['schedule']}: only cosine is repeated here")
    warmup, steps, left = options["warmup_steps"], options["steps"], options["min_lr_ratio"]
    if step <= warmup:
        return options["lr"] * step / warmup
    progress = min(1.0, (step - warmup) / (steps - warmup))
    return options["lr"] * (left + (1 - left) * 0.5 * (1 + math.cos(math.pi * progress)))


class Reference:
    def __init__(self, checkpoint, data, options):
        self.options = options
        self.model = load_model(checkpoint)
        self.optimizer = make_optimizer(
            self.model, weight_decay=options["weight_decay"],
            betas=(options["beta1"], options["beta2"]), eps=options["eps"])
        self.tokens = TokenDataset(data / "train").tokens
        if len(self.tokens) != options["train_tokens"]:
            raise ValueError(f"{data}: {len(self.tokens)} training tokens, the run had "
                             f"{options['train_tokens']}")
        self.order = DataOrder(len(self.tokens), options["seq_len"], options["seed"])

    def batch(self, step):
        """All windows of a step (from 1): a mean over it is a mean over its micro-batches."""
        rows, context = self.options["batch_size"] * self.options["grad_accum"], self.order.context
        begins = [self.order.window_begin((step - 1) * rows + r) for r in range(rows)]
        text = torch.stack([torch.from_numpy(self.tokens[b:b + context + 1]) for b in begins])
        ids, targets = text[:, :-1].contiguous(), text[:, 1:].contiguous()
        end = self.options["document_end"]
        return (ids, targets) + (document_mask(ids == end) if end >= 0 else ())

    def step(self, step):
        clip = self.options["clip"] or math.inf
        loss, norm = train_step(self.model, self.optimizer, self.batch(step),
                                learning_rate(self.options, step), clip)
        return loss.item(), norm.item()


def main():
    args = arguments()
    torch.set_num_threads(args.threads)
    torch.set_flush_denormal(True)
    checkpoint = args.run / "checkpoints" / "step-00000000"
    options = json.loads((checkpoint / "trainer_state.json").read_text())["options"]
    ours = read_losses(args.run / "metrics.jsonl")
    reference = Reference(checkpoint, args.data, options)
    off, worst = [], (0.0, 0)
    for step in range(1, (args.steps or max(ours)) + 1):
        loss, norm = reference.step(step)
        off.append(abs(ours[step]["loss"] - loss) / loss)
        worst = max(worst, (off[-1], step))
        if step == 1 or step % 25 == 0:
            print(f"step {step}: llmtool {ours[step]['loss']:.5f}, PyTorch {loss:.5f}; gradient "
                  f"norm {ours[step]['grad_norm']:.4f}, {norm:.4f}; worst so far {worst[0]:.2e} at "
                  f"step {worst[1]}", file=sys.stderr)
    print(json.dumps({
        "steps": len(off), "parameters": sum(p.numel() for p in reference.model.parameters()),
        "last_loss": {"llmtool": ours[len(off)]["loss"], "torch": loss},
        "max_relative_difference": worst[0], "at_step": worst[1],
        "mean_relative_difference": statistics.mean(off), "limit": args.limit,
        "torch": torch.__version__}))
    sys.exit(0 if worst[0] <= args.limit else 1)


if __name__ == "__main__":
    main()
