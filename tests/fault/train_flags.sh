#!/usr/bin/env bash
# Flags of `llmtool train` that do not fit each other are named; none is silently without effect.
set -euo pipefail
source "$SOURCE/tests/cli/expect.sh"

awk 'BEGIN { srand(1); for (i = 0; i < 200; i++) { s = ""; for (j = 0; j < 20; j++)
       s = s sprintf("%c%c ", 97 + rand() * 26, 97 + rand() * 26)
     printf "{\"text\": \"%s\"}\n", s } }' >docs.jsonl
run "$LLMTOOL" tokenizer train docs.jsonl -o tokenizer --vocab-size 300 -q
exits 0
run "$LLMTOOL" tokenize docs.jsonl -t tokenizer -o data --val-fraction 0.2 -q
exits 0

shape=(--hidden-size 16 --intermediate-size 24 --num-hidden-layers 1 --num-attention-heads 2)
train() {
  run "$LLMTOOL" train -d data -q --threads 1 --seq-len 16 --batch-size 2 --steps 4 "$@"
}

train -o run "${shape[@]}" && exits 0

# Flags that would have no effect.
train -o x --init-from run/model --hidden-size 32 && exits 2 && says "--hidden-size has no effect"
train -o x --model-config run/model/config.json --rope-theta 5000 && exits 2
says "--rope-theta has no effect with --model-config"
train -o x "${shape[@]}" --sample-prompt x && exits 2 && says "without --sample-every"

# Sizes.
train -o x --hidden-size 130 --num-attention-heads 4 && exits 2
says "--hidden-size 130 is not a multiple of --num-attention-heads 4"
run "$LLMTOOL" train -d data --plan --batch-size 1099511627776 && exits 2 && says "--grad-accum makes larger steps"
run "$LLMTOOL" train -d data --plan --steps 1099511627776 --grad-accum 1099511627776 && exits 2
says "more tokens than can be counted"

# A config.json that is none, one of another model.
printf '{\n  "hidden_size": 1,\n  oops\n}\n' >bad.json
train --plan --model-config bad.json && exits 3 && says "bad.json:3: invalid JSON"
cp -r run/model other
sed -i 's/"intermediate_size": 24/"intermediate_size": 32/' other/config.json
train -o x --init-from other && exits 3 && says "config.json says [32, 16]"
# --plan needs the shape alone.
rm other/model.safetensors
train --plan --init-from other && exits 0 && prints "parameters"

# A run that is complete says so again; one of another shape does not go on.
train -o run "${shape[@]}" --resume --json && exits 0 && prints '"steps":4'
grep -q '"loss":null' out && failed "the loss of the last step was known"
train -o run --hidden-size 32 --num-attention-heads 2 --resume && exits 2
says "made with other options:" && says "hidden_size was 16, is 32"
[[ ! -e x ]] || failed "a run that did not begin left a folder"

# SIGTERM, in a run and in one that goes on: the last whole step is saved.
stopped=("$LLMTOOL" train -d data -o stopped -q --threads 1 --seq-len 16 --batch-size 2
  --steps 1000000 "${shape[@]}")
steps() { grep -c grad_norm stopped/metrics.jsonl 2>/dev/null || true; }
stop_after_some() {  # stop_after_some [FLAG...]
  local before now
  before=$(steps)
  "${stopped[@]}" "$@" >out 2>err &
  local pid=$!
  for _ in {1..600}; do
    now=$(steps)
    ((${now:-0} > ${before:-0} + 5)) && break
    sleep 0.1
  done
  kill -TERM "$pid"
  ran="${stopped[*]} $*" status=0
  wait "$pid" || status=$?
  exits 130 && says "go on with --resume"
  last=$(find stopped/checkpoints -name 'step-*' | sort | tail -n 1)
  [[ $last == *$(printf 'step-%08d' "$(steps)") ]] || failed "the last step was not saved"
}
stop_after_some
stop_after_some --resume
grep grad_norm stopped/metrics.jsonl | grep -o '"step":[0-9]*' | sort | uniq -d >twice
[[ ! -s twice ]] || failed "a step is in metrics.jsonl twice"
