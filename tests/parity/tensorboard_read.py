"""Reads the event file of a run with TensorBoard's own reader and compares it with metrics.jsonl.

    pip install tensorboard
    python3 tests/parity/tensorboard_read.py RUN

Every scalar and text of metrics.jsonl has to be there with its step and time, and nothing else.
"""

import argparse
import json
import pathlib
import struct
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

TAGS = {
    "loss": "train/loss",
    "validation_loss": "eval/loss",
    "lr": "train/learning_rate",
    "grad_norm": "train/grad_norm",
    "epoch": "train/epoch",
    "tokens": "train/tokens",
    "tokens_per_second": "train/tokens_per_second",
    "mfu": "train/mfu",
    "data_wait": "train/data_wait",
    "memory_bytes": "machine/memory_bytes",
    "energy_joules": "machine/energy_joules",
}


def f32(value):
    return struct.unpack("f", struct.pack("f", value))[0]


def expected(path):
    scalars, texts = {}, []
    for line in path.read_text().splitlines():
        row = json.loads(line)
        if "event" in row:
            continue
        for key, tag in TAGS.items():
            if row.get(key) is not None:
                scalars.setdefault(tag, []).append((row["step"], row["time"], f32(row[key])))
        if "sample" in row:
            texts.append((row["step"], row["time"], row["sample"]))
    return scalars, texts


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=pathlib.Path)
    run = parser.parse_args().run
    scalars, texts = expected(run / "metrics.jsonl")
    reader = EventAccumulator(str(run / "tensorboard"), size_guidance={"scalars": 0, "tensors": 0})
    reader.Reload()
    tags = reader.Tags()
    wrong = sorted(set(tags["scalars"]) ^ set(scalars))
    for tag in set(tags["scalars"]) & set(scalars):
        found = [(e.step, e.wall_time, e.value) for e in reader.Scalars(tag)]
        if found != scalars[tag]:
            wrong.append(tag)
    found = []
    if "sample" in tags["tensors"]:
        found = [(e.step, e.wall_time, e.tensor_proto.string_val[0].decode())
                 for e in reader.Tensors("sample")]
    if found != texts:
        wrong.append("sample")
    count = sum(len(points) for points in scalars.values())
    if wrong:
        sys.exit(f"differ: {', '.join(wrong)}")
    print(f"{len(scalars)} tags, {count} scalars, {len(texts)} texts: as in metrics.jsonl")


if __name__ == "__main__":
    main()
