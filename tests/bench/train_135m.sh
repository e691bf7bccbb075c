#!/usr/bin/env bash
# PyTorch's training step on the shape of SmolLM2 135M, T = 1024, in turns with `llmtool bench
# train`:
#   tests/bench/train_135m.sh PEERS.json [ROUNDS]
# bf16 autocast, the fastest of eager and torch.compile (train_peer.py). PEERS.json is for
# `llmtool bench train --peers`. $LLMTOOL is the program, $PYTHON a Python with PyTorch.
set -euo pipefail
output=${1:?usage: train_135m.sh PEERS.json [ROUNDS]}
rounds=${2:-3}
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
llmtool=${LLMTOOL:-$root/build/llmtool} python=${PYTHON:-python3}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cat >"$scratch/config.json" <<'JSON'
{"model_type": "llama", "vocab_size": 49152, "hidden_size": 576, "intermediate_size": 1536,
 "num_hidden_layers": 30, "num_attention_heads": 9, "num_key_value_heads": 3, "head_dim": 64,
 "max_position_embeddings": 8192, "rms_norm_eps": 1e-5, "rope_theta": 100000.0,
 "tie_word_embeddings": true, "hidden_act": "silu"}
JSON
: >"$scratch/ours"
: >"$scratch/theirs"
for ((round = 0; round < rounds; ++round)); do
  "$llmtool" bench train --json --rounds 1 >>"$scratch/ours"
  "$python" "$root/tests/bench/train_peer.py" --config "$scratch/config.json" --batch 1 \
    --seq-len 1024 --steps 3 --warmup 1 --threads "$(nproc)" --dtype bf16 >>"$scratch/theirs"
done
"$python" - "$scratch" "$output" <<'PYTHON'
import json, statistics, sys

read = lambda name: [json.loads(line) for line in open(f"{sys.argv[1]}/{name}")]
ours, theirs = read("ours"), read("theirs")
peer, case = f"{theirs[0]['peer']} {theirs[0]['setting']}", ours[0]["case"]
mine = statistics.median(t["step_seconds"] for t in ours)
seconds = statistics.median(1024 / t["best"] for t in theirs)
json.dump({peer: {case: seconds}}, open(sys.argv[2], "w"))
print(f"{case}: llmtool {1024 / mine:.0f} tokens/s, {peer} {1024 / seconds:.0f}: "
      f"{seconds / mine:.2f} x", file=sys.stderr)
PYTHON
