#!/usr/bin/env bash
# A model folder that is not whole, or not one that llmtool computes; prompts and documents that
# cannot be read: `generate` and `eval` say which file and why, and print nothing else.
set -euo pipefail
source "$SOURCE/tests/cli/expect.sh"

awk 'BEGIN { srand(1); split("the of and river stone light winter under never walks", word, " ")
  for (d = 0; d < 300; ++d) {
    s = ""
    for (i = 0; i < 20 + rand() * 40; ++i) s = s word[1 + int(rand() * 10)] " "
    printf "{\"text\": \"%s%d\"}\n", s, d } }' >docs.jsonl
run "$LLMTOOL" tokenizer train docs.jsonl -o tok --vocab-size 300 && exits 0
run "$LLMTOOL" tokenize docs.jsonl -t tok -o data && exits 0
run "$LLMTOOL" train --data data -o run --steps 3 --seq-len 32 --batch-size 2 --hidden-size 32 \
  --intermediate-size 64 --num-hidden-layers 1 --num-attention-heads 2 && exits 0
head -n 5 docs.jsonl >few.jsonl
find run tok data -type f -exec sha256sum {} + | sort >before

generate() { run "$LLMTOOL" generate -m "$1" --prompt "the river" -n 5 -q "${@:2}"; }
evaluate() { run "$LLMTOOL" eval -m "$1" --tasks perplexity --data few.jsonl -q "${@:2}"; }
# refused CODE MESSAGE...: both commands refuse the model in bad/.
refused() {
  local code=$1 command message
  shift
  for command in generate evaluate; do
    $command bad && exits "$code" && silent
    for message in "$@"; do says "$message"; done
  done
}
fresh() { rm -rf bad && cp -r run/model bad; }
# config KEY VALUE: one key of bad/config.json, anything after it on its line as it was.
config() {
  fresh
  sed -i -E "s|(\"$1\": ).*[^,](,?)$|\1$2\2|" bad/config.json
  grep -qF "\"$1\": $2" bad/config.json || failed "config.json has no $1"
}
# tensors PYTHON: changes bad/model.safetensors; there are `header` (parsed) and `data` (bytes).
tensors() {
  fresh
  python3 - "$1" <<'END'
import json, struct, sys
path = "bad/model.safetensors"
raw = open(path, "rb").read()
size = struct.unpack_from("<Q", raw)[0]
header, data = json.loads(raw[8 : 8 + size]), bytearray(raw[8 + size :])
exec(sys.argv[1])
text = json.dumps(header).encode()
open(path, "wb").write(struct.pack("<Q", len(text)) + text + data)
END
}

generate run/model && exits 0 && [[ -s out ]]
evaluate run/model && exits 0 && prints "bits_per_byte"

# ---- Files that are missing, empty or cut off ----
generate none && exits 4 && silent && says "none"
generate few.jsonl && exits 3 && says "few.jsonl: not a usable SentencePiece model"
fresh && rm bad/tokenizer.model && refused 3 "bad: holds no tokenizer.model"
generate run && exits 3 && says "run: holds no tokenizer.model" && says "there is one in run/model"
fresh && rm bad/config.json && refused 4 "bad/config.json: no such file"
fresh && rm bad/model.safetensors && refused 4 "bad/model.safetensors: no such file"
fresh && : >bad/tokenizer.model && refused 3 "bad/tokenizer.model"
fresh && : >bad/config.json && refused 3 "bad/config.json:1: invalid JSON"
fresh && : >bad/model.safetensors && refused 3 "bad/model.safetensors"
fresh && truncate -s -64 bad/model.safetensors
refused 3 "bad/model.safetensors: tensor '" "data_offsets"
fresh && truncate -s 100 bad/model.safetensors
refused 3 "bad/model.safetensors: the header" "truncated"
fresh && printf 'not weights, but some text' >bad/model.safetensors
refused 3 "bad/model.safetensors" "not a safetensors file"

# ---- A config.json of another model, or of none ----
config model_type '"gpt2"' && refused 3 'bad/config.json: "model_type" is "gpt2"' 'only "llama"'
config attention_bias true && refused 3 '"attention_bias" is true' "only false"
config mlp_bias true && refused 3 '"mlp_bias" is true'
config hidden_act '"gelu"' && refused 3 '"hidden_act" is "gelu"'
config rope_scaling '{"rope_type": "yarn", "factor": 2.0}'
refused 3 "bad/config.json: rope_scaling: rope type 'yarn'" "default, linear and llama3"
config hidden_size '"wide"' && refused 3 "bad/config.json" "hidden_size"
config hidden_size -32 && refused 3 "bad/config.json" "hidden_size"
config num_key_value_heads 3 && refused 3 "num_key_value_heads"
config vocab_size 1000000000000 && refused 3 "vocab_size"
fresh && sed -i '/"hidden_size"/d' bad/config.json && refused 3 '"hidden_size" is missing'

# ---- Tensors that are not what config.json says, and weights that are no numbers ----
config hidden_size 64
refused 3 "'model.embed_tokens.weight' is [300, 32], config.json says [300, 64]"
config num_hidden_layers 2 && refused 3 "the tensor 'model.layers.1." "is missing"
norm='header["model.norm.weight"]'
tensors "${norm}['shape'] = [16, 2]" && refused 3 "'model.norm.weight' is [16, 2]" "[32]"
tensors "${norm}['shape'] = [33]" && refused 3 "tensor 'model.norm.weight'" "[33]"
tensors "${norm}['shape'] = [-32]" && refused 3 "tensor 'model.norm.weight'"
tensors "${norm}['dtype'] = 'Q4'" && refused 3 "model.norm.weight" "'Q4'"
tensors "${norm}['data_offsets'] = [0, 1 << 60]"
refused 3 "tensor 'model.norm.weight'" "data_offsets"
tensors "del $norm" && refused 3 "the tensor 'model.norm.weight' is missing"
tensors "data[:] = struct.pack('<f', float('nan')) * (len(data) // 4)"
refused 3 "the model's" "the weights are damaged, or their training diverged"

# ---- A tokenizer of another model ----
run "$LLMTOOL" tokenizer train docs.jsonl -o larger --vocab-size 310 && exits 0
fresh && cp larger/tokenizer.model bad && refused 3 "310" "300"

# ---- Prompts and documents ----
model=run/model
printf '{"id": 1, "prompt": "a"}\n{"id": 2}\n' >prompts.jsonl
prompts() { run "$LLMTOOL" generate -m $model --input prompts.jsonl -n 2 -q; }
prompts && exits 3 && silent && says 'prompts.jsonl:2: has no "prompt"'
printf '{"prompt": "a"}\n{"prompt": \n' >prompts.jsonl
prompts && exits 3 && says "prompts.jsonl:2"
printf '{"prompt": "\377"}\n' >prompts.jsonl && prompts && exits 3 && says "prompts.jsonl:1"
: >prompts.jsonl && prompts && exits 3 && says "prompts.jsonl: holds no prompt"
rm prompts.jsonl && prompts && exits 4 && says "prompts.jsonl: no such file"
long=$(printf 'the river %.0s' {1..100})
run "$LLMTOOL" generate -m $model --prompt "$long"
exits 3 && silent && says "the context only 32"
run "$LLMTOOL" generate -m $model --prompt $'\377' && exits 3 && says "not valid UTF-8"
run "$LLMTOOL" generate -m $model --prompt x --temperature -1 && exits 2 && says "temperature"
run "$LLMTOOL" generate -m $model --prompt x -o none/answer && exits 4 && says "none"
run "$LLMTOOL" generate -m $model --prompt x --input few.jsonl
exits 2 && says "--prompt" && says "--input"
eval_on() { run "$LLMTOOL" eval -m $model --tasks perplexity -q "$@"; }
eval_on && exits 2 && says "--data"
eval_on --data none.jsonl && exits 4 && says "none.jsonl: no such file"
: >none.jsonl && eval_on --data none.jsonl && exits 3 && says "no document in none.jsonl"
printf '{"text": "a"}\n{"text": 3}\n' >mixed.jsonl
eval_on --data mixed.jsonl && exits 3 && silent && says "mixed.jsonl:2"
eval_on --data few.jsonl --context 64 && exits 2 && says "64" && says "32"
eval_on --data few.jsonl -o docs.jsonl && exits 4 && says "docs.jsonl is a file"
eval_on --data few.jsonl --tasks perplexitt && exits 2 && says "perplexitt"

# ---- Nothing of that touched what was there, or left anything half-written ----
find run tok data -type f -exec sha256sum {} + | sort >after
cmp before after
[[ -z $(find . -name '*.tmp.*') ]] || failed "a temporary file was left"
