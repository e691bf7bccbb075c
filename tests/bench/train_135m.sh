#!/usr/bin/env bash
# PyTorch's training step on the shape of SmolLM2 135M, T = 1024, in turns with `llmtool bench
# train`:
#   tests/bench/train_135m.sh PEERS.json [ROUNDS]
# bf16 autocast, in the setting that a first trial of each finds fastest: eager or torch.compile,
# threads bound or not (train_compare.py). PEERS.json is for `llmtool bench train --peers`. $LLMTOOL
# is the program, $PYTHON a Python with PyTorch.
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
"$python" - "$llmtool" "$scratch/config.json" "$rounds" "$output" "$root/tests/bench" <<'PYTHON'
import json, os, statistics, sys, types

llmtool, config, rounds, output, here = sys.argv[1:]
sys.path.insert(0, here)
from train_compare import Peer, output_of

SEQ_LEN = 1024
peer = Peer(types.SimpleNamespace(config=config, batch=1, seq_len=SEQ_LEN, steps=3, dtype="bf16",
                                  threads=len(os.sched_getaffinity(0))), warmup=1, trial_steps=2)
peer.choose_setting()
ours, theirs = [], []
for _ in range(int(rounds)):
    ours.append(json.loads(output_of([llmtool, "bench", "train", "--json", "--rounds", 1])))
    theirs.append(SEQ_LEN / peer.tokens_per_second())
case, mine = ours[0]["case"], statistics.median(t["step_seconds"] for t in ours)
seconds = statistics.median(theirs)
with open(output, "w") as file:
    json.dump({peer.name: {case: seconds}}, file)
print(f"{case}: llmtool {SEQ_LEN / mine:.0f} tokens/s, {peer.name} {SEQ_LEN / seconds:.0f}: "
      f"{seconds / mine:.2f} x", file=sys.stderr)
PYTHON
