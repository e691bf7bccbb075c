#!/usr/bin/env python3
"""`llmtool bench kernels` beside oneDNN, in turns.

    python tests/bench/kernels_compare.py --llmtool build/llmtool --peer build/kernels_peer \
        [--torch] --output peers.json [-- flags of bench kernels]

Each round runs `llmtool bench kernels --rounds 1`, then every peer once on the same matrix products;
figures are medians of the rounds. --torch adds the oneDNN inside the PyTorch of this Python, called
through torch.mm (bf16, 2 dimensions), as a stand-in for the newest one. A table on stderr; --output
is for `llmtool bench kernels --peers`.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time


def arguments():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--llmtool", required=True)
    p.add_argument("--peer", action="append", default=[], help="a built kernels_peer.cpp")
    p.add_argument("--torch", action="store_true")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--threads", type=int, default=os.cpu_count())
    p.add_argument("--memory-mib", type=int, default=256)
    p.add_argument("--output", required=True)
    p.add_argument("flags", nargs="*", help="of bench kernels")
    return p.parse_args()


def environment(threads):
    return os.environ | {"OMP_NUM_THREADS": str(threads), "OMP_PROC_BIND": "true",
                         "OMP_PLACES": ",".join(f"{{{i}}}" for i in range(threads))}


def run_ours(args):
    done = subprocess.run(
        [args.llmtool, "bench", "kernels", "--json", "--rounds", "1", "--threads",
         str(args.threads), "--memory-mib", str(args.memory_mib), *args.flags],
        stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(done.stdout)


def run_peer(command, args, cases):
    lines = "".join("\t".join(str(c[k]) for k in ("case", "form", "dtype", "m", "k", "n")) + "\n"
                    for c in cases)
    done = subprocess.run([*command, "1", str(args.memory_mib)], input=lines, check=True, text=True,
                          stdout=subprocess.PIPE, env=environment(args.threads))
    return json.loads(done.stdout)


def torch_peer():
    """This file as a peer: the protocol of kernels_peer.cpp, products by torch.mm."""
    import torch

    memory_bytes = int(sys.argv[3]) << 20
    told = {}
    for line in sys.stdin:
        name, form, dtype, *sizes = line.rstrip("\n").split("\t")
        m, k, n = map(int, sizes)
        kind = torch.bfloat16 if dtype == "bf16" else torch.float32
        x, dy = torch.rand(m, k).to(kind) - 0.5, torch.rand(m, n).to(kind) - 0.5
        copies = max(1, memory_bytes // (n * k * x.element_size())) if form == "decode" else 1
        weights = [torch.rand(n, k).to(kind) - 0.5 for _ in range(copies)]
        calls = {"forward": lambda i: torch.mm(x, weights[0].t()),
                 "decode": lambda i: torch.mm(x, weights[i % copies].t()),
                 "input_gradient": lambda i: torch.mm(dy, weights[0]),
                 "weight_gradient": lambda i: torch.mm(dy.t(), x)}
        call = calls[form]

        def seconds(repeats):
            start = time.perf_counter()
            for i in range(repeats):
                call(i)
            return (time.perf_counter() - start) / repeats

        with torch.no_grad():
            seconds(1)
            told[name] = [seconds(int(min(max(4e-3 / seconds(1), 1), 1000)))]
    print(json.dumps({"peer": f"torch {torch.__version__}", "seconds": told}))


def main():
    args = arguments()
    commands = [[p] for p in args.peer]
    if args.torch:
        commands.append([sys.executable, __file__, "--as-torch-peer"])
    ours, theirs, rates = {}, {}, {}
    for done in range(args.rounds):
        told = run_ours(args)
        for t in told["timings"]:
            ours.setdefault(t["case"], []).append(t["seconds"])
            rates.setdefault(t["case"], []).append(t["ceiling_share"])
        products = [t for t in told["timings"] if "form" in t]
        for command in commands:
            peer = run_peer(command, args, products)
            for case, seconds in peer["seconds"].items():
                theirs.setdefault(peer["peer"], {}).setdefault(case, []).extend(seconds)
        print(f"round {done + 1} of {args.rounds}", file=sys.stderr)
    medians = {peer: {case: statistics.median(s) for case, s in cases.items()}
               for peer, cases in theirs.items()}
    with open(args.output, "w") as out:
        json.dump(medians, out, indent=1)
    print(f"{'ms, ours and theirs; x: how much faster ours is':50}{'ours':>10}{'of ceiling':>12}"
          + "".join(f"{peer:>26}" for peer in medians), file=sys.stderr)
    for case, seconds in ours.items():
        mine = statistics.median(seconds)
        line = f"{case:50}{mine * 1e3:10.4f}{statistics.median(rates[case]):12.1%}"
        for cases in medians.values():
            line += (f"{cases[case] * 1e3:16.4f}{cases[case] / mine:9.2f}x"
                     if case in cases else f"{'':26}")
        print(line, file=sys.stderr)


if __name__ == "__main__":
    torch_peer() if sys.argv[1:2] == ["--as-torch-peer"] else main()
