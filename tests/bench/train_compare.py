#!/usr/bin/env python3
"""llmtool's training speed beside PyTorch's on this machine: same model, batch and steps, in turns.

    python tests/bench/train_compare.py --llmtool build/llmtool --data TOKENS --config config.json

Each round runs `llmtool train`, then train_peer.py; the figures are medians of the rounds, of
tokens per second of the median step. The f32 peak (`llmtool bench peak`: multiply-adds on
registers) is measured in each round too. FLOPs per token are what `llmtool train --plan` says: 6 x parameters
of matmuls, and the causal half of attention. A table on stderr, one line of JSON on stdout.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
WARMUP = 3  # steps of a run that are not counted


def arguments():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--llmtool", required=True, help="the program")
    p.add_argument("--data", required=True, help="folder that llmtool tokenize wrote")
    p.add_argument("--config", required=True, help="config.json of the model")
    p.add_argument("--batch", type=int, default=4)
    p.add_argument("--seq-len", type=int, default=256)
    p.add_argument("--steps", type=int, default=30, help="measured steps of each run")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--dtype", choices=["fp32", "bf16"], default="fp32")
    p.add_argument("--cpu", help="level that llmtool uses: avx2, avx512, avx512_bf16, amx; left out: its choice")
    return p.parse_args()


def output_of(command, **environment):
    done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, check=True, text=True,
                          env=os.environ | environment)
    return done.stdout


class Ours:
    def __init__(self, args, scratch):
        self.args, self.scratch, self.runs = args, scratch, 0
        self.environment = {"LLMTOOL_CPU": args.cpu} if args.cpu else {}
        self.flags = [
            args.llmtool, "train", "--quiet", "--data", args.data, "--model-config", args.config,
            "--batch-size", args.batch, "--seq-len", args.seq_len, "--steps", args.steps + WARMUP,
            "--threads", args.threads, "--dtype", "bf16" if args.dtype == "bf16" else "f32",
            "--full-windows", "--eval-windows", 1]

    def plan(self):
        return json.loads(output_of([*self.flags, "--output", self.scratch / "plan", "--plan",
                                     "--json"]))

    def tokens_per_second(self):
        self.runs += 1
        folder = self.scratch / f"run{self.runs}"
        output_of([*self.flags, "--output", folder], **self.environment)
        lines = map(json.loads, (folder / "metrics.jsonl").read_text().splitlines())
        rates = [line["tokens_per_second"] for line in lines if "loss" in line]
        return statistics.median(rates[WARMUP:])


class Peer:
    def __init__(self, args, warmup=WARMUP, trial_steps=10):
        self.command = [
            sys.executable, HERE / "train_peer.py", "--config", args.config, "--batch", args.batch,
            "--seq-len", args.seq_len, "--steps", args.steps, "--warmup", warmup, "--threads",
            args.threads, "--dtype", args.dtype]
        self.setting, self.trial_steps = None, trial_steps

    def choose_setting(self):
        """The fastest of eager and compiled, threads bound and not; one trial of each."""
        trials = []
        for bind in ("cores", "none"):
            told = json.loads(output_of([*self.command, "--steps", self.trial_steps,
                                         "--bind", bind]))
            trials += [(rate, name, bind) for name, rate in told["tokens_per_second"].items()]
        print("PyTorch's settings:", ", ".join(f"{n} bind={b} {r:.0f}" for r, n, b in trials),
              file=sys.stderr)
        self.setting = max(trials)[1:]

    def tokens_per_second(self):
        name, bind = self.setting
        told = json.loads(output_of([*self.command, "--settings", name, "--bind", bind]))
        self.name = f"{told['peer']} {name} bind={bind}"
        return told["best"]


def peak_gflops(args):
    told = output_of([args.llmtool, "bench", "peak", "--threads", args.threads, "--json"])
    return json.loads(told)["peaks"]["f32_flops_per_second"] * 1e-9


def main():
    args = arguments()
    with tempfile.TemporaryDirectory() as folder:
        scratch = pathlib.Path(folder)
        ours, peer = Ours(args, scratch), Peer(args)
        plan = ours.plan()
        peer.choose_setting()
        rounds = [(peak_gflops(args), ours.tokens_per_second(), peer.tokens_per_second())
                  for _ in range(args.rounds)]
    peaks, us, them = ([r[i] for r in rounds] for i in range(3))
    gflops = plan["flops_per_token"] * 1e-9
    result = {
        "dtype": args.dtype, "threads": args.threads, "parameters": plan["parameters"],
        "batch": args.batch, "seq_len": args.seq_len, "steps": args.steps, "rounds": args.rounds,
        "llmtool": statistics.median(us), "peer": statistics.median(them), "peer_name": peer.name,
        "ratio": statistics.median(us) / statistics.median(them), "llmtool_rounds": us,
        "peer_rounds": them, "peak_fp32_gflops": max(peaks), "flops_per_token":
        plan["flops_per_token"], "llmtool_utilisation": statistics.median(us) * gflops / max(peaks),
        "peer_utilisation": statistics.median(them) * gflops / max(peaks)}
    print(f"{'':34}{'tokens/s':>10}{'GFLOP/s':>10}{'of fp32 peak':>14}", file=sys.stderr)
    for name, rate in (("llmtool", result["llmtool"]), (peer.name, result["peer"])):
        share = rate * gflops / max(peaks)
        print(f"{name:34}{rate:10.0f}{rate * gflops:10.1f}{share:14.1%}", file=sys.stderr)
    print(f"ratio {result['ratio']:.2f}; fp32 peak of {args.threads} threads "
          f"{max(peaks):.0f} GFLOP/s", file=sys.stderr)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
