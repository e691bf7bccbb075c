#!/usr/bin/env python3
"""Repeats a run of `llmtool train` in PyTorch f32 and compares the losses step by step.

    python tests/parity/train_curve.py --run RUN --data TOKENS [--steps 500] [--limit 0.01]

RUN was made from the token folder TOKENS with --dtype f32 --save-initial and keeps its step-0
checkpoint: PyTorch starts from its weights. Batches, document masks, schedule, AdamW and clipping
follow the options in its trainer_state.json, the order of the data is computed anew
(token_data.py). tests/parity/train_curve.sh makes such a run of the quickstart model.

Prints one line of JSON; exit code 1 unless the first 20 losses agree to 1e-5, and the curves, as
running means over 20 steps, to `limit`. Single steps are reported too, but not judged: at a high
learning rate training is chaotic, and PyTorch parts from itself after a change in the last bit of
one weight (--nudge makes that change, to see how far).
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

SHOWN = (1, 10, 20, 50, 100, 200, 300, 400, 500)
SPAN = 20  # steps of a running mean
EARLY_LIMIT = 1e-5


def arguments():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--run", type=pathlib.Path, required=True, help="folder of the run")
    p.add_argument("--data", type=pathlib.Path, required=True, help="its token folder")
    p.add_argument("--steps", type=int, help="compare only the first so many")
    p.add_argument("--limit", type=float, default=0.01, help="largest relative difference")
    p.add_argument("--nudge", type=float, default=0.0,
                   help="change one of PyTorch's matrices by this share of itself at the start")
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


def running_means(losses):
    return [statistics.mean(losses[i:i + SPAN]) for i in range(max(1, len(losses) - SPAN + 1))]


def relative_differences(ours, theirs):
    return [abs(a - b) / b for a, b in zip(ours, theirs)]


def compare(ours, theirs):
    single = relative_differences(ours, theirs)
    return {
        "steps": len(ours), "last_loss": {"llmtool": ours[-1], "torch": theirs[-1]},
        "early_difference": max(single[:SPAN]),
        "curve_difference": max(relative_differences(running_means(ours), running_means(theirs))),
        "mean_loss": {"llmtool": statistics.mean(ours), "torch": statistics.mean(theirs)},
        "largest_single_difference": max(single),
        "single_difference_at": {step: single[step - 1] for step in SHOWN if step <= len(single)}}


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
    if args.nudge:
        with torch.no_grad():
            reference.model.model.layers[0].mlp.down_proj.weight.mul_(1 + args.nudge)
    steps = args.steps or max(ours)
    theirs = []
    for step in range(1, steps + 1):
        loss, norm = reference.step(step)
        theirs.append(loss)
        if step == 1 or step % 25 == 0:
            print(f"step {step}: llmtool {ours[step]['loss']:.5f}, PyTorch {loss:.5f}; gradient "
                  f"norm {ours[step]['grad_norm']:.4f}, {norm:.4f}", file=sys.stderr)
    result = compare([ours[step]["loss"] for step in range(1, steps + 1)], theirs)
    result |= {"parameters": sum(p.numel() for p in reference.model.parameters()),
               "limit": args.limit, "nudge": args.nudge, "torch": torch.__version__}
    print(json.dumps(result))
    within = result["curve_difference"] <= args.limit
    sys.exit(0 if within and result["early_difference"] <= EARLY_LIMIT else 1)


if __name__ == "__main__":
    main()
