#!/usr/bin/env bash
# The commands of `llmtool bench` on tiny shapes: what they print, peers beside it, and what they
# refuse.
set -euo pipefail
source "$SOURCE/tests/cli/expect.sh"

cat >config.json <<'JSON'
{"model_type": "llama", "vocab_size": 64, "hidden_size": 32, "intermediate_size": 48,
 "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8,
 "max_position_embeddings": 32, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
 "tie_word_embeddings": true, "hidden_act": "silu"}
JSON
quick=(--rounds 1 --memory-mib 1 --threads 2)

run env LLMTOOL_CPU=avx2 "$LLMTOOL" bench peak "${quick[@]}"
exits 0 && prints "avx2, 2 threads" && prints "f32 multiply-add" && prints "memory update"
run env LLMTOOL_CPU=avx2 "$LLMTOOL" bench peak "${quick[@]}" --json
exits 0 && prints '"isa":"avx2"' && prints '"f32_flops_per_second":' && prints '"update_bytes_per_second":'

kernels=("$LLMTOOL" bench kernels --model-config config.json --rows 4 --few-rows 1 --head-rows 8
  --seq-len 16 "${quick[@]}")
run "${kernels[@]}"
exits 0 && prints "of ceiling" && prints "model qkv input_gradient bf16 4x32x64" &&
  prints "model attention backward f32 T16 4/2x8" && prints "adamw bf16"

echo '{"other": {"model qkv forward bf16 4x32x64": 1000}}' >peers.json
run "${kernels[@]}" --only "qkv forward" --peers peers.json
exits 0 && prints "x of other" && [[ $(grep -c "qkv forward" out) == 2 ]] || failed "two cases expected"
run "${kernels[@]}" --only "qkv forward" --peers peers.json --json
exits 0
python3 - out <<'PYTHON' || failed "the JSON lacks something"
import json, sys
told = json.load(open(sys.argv[1]))
first, second = told["timings"]
assert first["case"] == "model qkv forward bf16 4x32x64" and first["form"] == "forward", first
assert (first["m"], first["k"], first["n"]) == (4, 32, 64), first
assert first["flops_per_second"] > 0 and 0 < first["ceiling_share"], first
assert first["peers"]["other"]["seconds"] == 1000 and first["peers"]["other"]["times_faster"] > 1
assert "peers" not in second and told["peaks"]["f32_flops_per_second"] > 0
PYTHON

run "${kernels[@]}" --only nothing && exits 2 && silent && says "no case has 'nothing'"
echo '{"other": {"case": -1}}' >bad.json
run "${kernels[@]}" --peers bad.json && exits 3 && says "'case': -1 is no time"
echo '[' >bad.json
run "${kernels[@]}" --peers bad.json && exits 3 && says "bad.json" && says "is not JSON"
run "${kernels[@]}" --peers absent.json && exits 4 && says "absent.json"

train=("$LLMTOOL" bench train --model-config config.json --seq-len 16 "${quick[@]}")
run "${train[@]}"
exits 0 && prints "linear_weight_gradient" && prints "  cross_entropy" &&
  prints "outside operations" && prints "of the bf16 peak"
run "${train[@]}" --dtype f32 --json
exits 0
python3 - out <<'PYTHON' || failed "the JSON lacks something"
import json, sys
told = json.load(open(sys.argv[1]))
top = [o for o in told["operations"] if o["depth"] == 0]
assert {"adamw", "attention", "attention_backward", "embedding"} <= {o["operation"] for o in top}
inside = sum(o["seconds"] for o in top)
assert abs(inside + told["outside_seconds"] - told["profiled_step_seconds"]) < 1e-6, told
assert told["dtype"] == "f32" and told["model_flop_utilisation"] > 0
json.dump({"other": {told["case"]: 2 * told["step_seconds"]}}, open("peers.json", "w"))
PYTHON
run "${train[@]}" --dtype f32 --peers peers.json && exits 0 && prints "x the speed of other"
