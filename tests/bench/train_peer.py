#!/usr/bin/env python3
"""PyTorch's training speed on this CPU for the model of a Hugging Face config.json.

    python tests/bench/train_peer.py --config DIR_OR_CONFIG --batch 8 --seq-len 256 --threads 2

Plain PyTorch with its fused attention and fused AdamW, eager and with torch.compile; each setting
is warmed up, measured in turns with the others, and the fastest is the peer's figure. One line of
JSON on stdout: tokens_per_second (median step) of each setting, and `best`. --dtype bf16 means
autocast with f32 weights. Ids are random: speed does not depend on them.
"""

import argparse
import json
import os
import pathlib
import statistics
import sys
import time


def arguments():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--config", required=True, help="config.json or a checkpoint folder")
    p.add_argument("--batch", type=int, default=4, help="rows of one step")
    p.add_argument("--seq-len", type=int, default=256)
    p.add_argument("--steps", type=int, default=20, help="measured steps of each setting")
    p.add_argument("--warmup", type=int, default=3)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--bind", choices=["cores", "none"], default="cores",
                   help="one OpenMP thread a core, as llmtool's own, or as the kernel likes")
    p.add_argument("--dtype", choices=["fp32", "bf16"], default="fp32")
    p.add_argument("--settings", default="eager,compile", help="of eager, compile")
    return p.parse_args()


def restart_with_threads(threads, bind):
    """OpenMP reads its environment once, before main. Bound, MKL would count the one core of the
    main thread's mask and use one thread: MKL_DYNAMIC=FALSE keeps all of them."""
    wanted = {"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads),
              "MKL_DYNAMIC": "FALSE", "OMP_PROC_BIND": "false",
              # Keeps freed activations instead of giving the pages back every step.
              "MALLOC_MMAP_THRESHOLD_": str(1 << 30), "MALLOC_TRIM_THRESHOLD_": str(1 << 40)}
    if bind:
        wanted |= {"OMP_PROC_BIND": "close", "OMP_PLACES": "cores"}
    if any(os.environ.get(k) != v for k, v in wanted.items()):
        os.environ.update(wanted)
        os.execv(sys.executable, [sys.executable, *sys.argv])


class Setting:
    """One way to run the same training step, with a model and an optimizer of its own."""

    def __init__(self, name, config, args, torch, torch_llama):
        torch.manual_seed(1)
        self.torch, self.bf16 = torch, args.dtype == "bf16"
        self.model = torch_llama.Llama(config)
        self.optimizer = torch_llama.make_optimizer(self.model, lr=1e-4)
        self.loss_of = torch.compile(self.model.loss) if name == "compile" else self.model.loss
        self.seconds = []

    def loss(self, ids, targets):
        with self.torch.autocast("cpu", dtype=self.torch.bfloat16, enabled=self.bf16):
            return self.loss_of(ids, targets)

    def step(self, ids, targets):
        begin = time.perf_counter()
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.loss(ids, targets)
        loss.backward()
        self.torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        loss.item()
        return time.perf_counter() - begin


def main():
    args = arguments()
    restart_with_threads(args.threads, args.bind == "cores")
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "parity"))
    import torch
    import torch_llama

    torch.set_num_threads(args.threads)
    torch.set_flush_denormal(True)
    config = torch_llama.load_config(args.config)
    config["max_position_embeddings"] = max(config["max_position_embeddings"], args.seq_len)
    text = torch.randint(config["vocab_size"], (args.batch, args.seq_len + 1))
    ids, targets = text[:, :-1].contiguous(), text[:, 1:].contiguous()
    settings = {name: Setting(name, config, args, torch, torch_llama)
                for name in args.settings.split(",")}
    for name, setting in settings.items():
        print(f"warming up {name}", file=sys.stderr)
        for _ in range(args.warmup):
            setting.step(ids, targets)
    for done in range(0, args.steps, 5):
        for setting in settings.values():
            setting.seconds += [setting.step(ids, targets)
                                for _ in range(min(5, args.steps - done))]
    tokens = args.batch * args.seq_len
    rates = {name: round(tokens / statistics.median(s.seconds), 1)
             for name, s in settings.items()}
    print(json.dumps({
        "peer": f"torch {torch.__version__}", "dtype": args.dtype,
        "threads": args.threads, "bind": args.bind,
        "parameters": sum(p.numel() for p in settings[next(iter(settings))].model.parameters()),
        "batch": args.batch, "seq_len": args.seq_len, "steps": args.steps,
        "tokens_per_second": rates, "setting": max(rates, key=rates.get),
        "best": max(rates.values())}))


if __name__ == "__main__":
    main()
