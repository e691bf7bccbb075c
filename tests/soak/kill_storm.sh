#!/usr/bin/env bash
# kill -9 at random moments, again and again: a run that is resumed until it is through leaves the
# bytes of one that was never interrupted, and an output of a corpus command is whole or not there.
# $LLMTOOL_SOAK_ROUNDS (20) storms of each.
set -euo pipefail
rounds=${LLMTOOL_SOAK_ROUNDS:-20}
rm -rf "$SCRATCH" && mkdir -p "$SCRATCH" && cd "$SCRATCH"

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

# killed SECONDS COMMAND...: 0 if the command was through before it was killed.
killed() {
  local seconds=$1 status=0
  shift
  timeout --signal=KILL "$seconds" "$@" >out.txt 2>err.txt || status=$?
  ((status == 0 || status == 137)) || fail "exit code $status: $*: $(cat err.txt)"
  return $((status != 0))
}

# A moment in [0, $1) seconds, from bash's generator: a storm can be repeated from its seed.
RANDOM=${LLMTOOL_SOAK_SEED:-1}
moment() { awk -v r=$RANDOM -v most="$1" 'BEGIN { printf "%.3f", 0.01 + most * r / 32768 }'; }

awk 'BEGIN {
  srand(1); split("the of and river stone light winter under never walks", word, " ")
  for (d = 0; d < 3000; ++d) {
    text = ""
    for (i = 0; i < 20 + rand() * 100; ++i) text = text word[1 + int(rand() * 10)] " "
    printf "{\"text\": \"%s%d\"}\n", text, d
  }
}' >docs.jsonl
"$LLMTOOL" tokenizer train docs.jsonl -o tok --vocab-size 300 >out.txt

tokenize=("$LLMTOOL" tokenize docs.jsonl -t tok --val-fraction 0.1 --overwrite -o)
begin=$EPOCHREALTIME
"${tokenize[@]}" data >out.txt
whole=$(awk -v a="$begin" -v b="$EPOCHREALTIME" 'BEGIN { print b - a }')
for ((round = 1; round <= rounds; ++round)); do
  rm -rf storm
  until killed "$(moment "$(awk -v w="$whole" 'BEGIN { print 2 * w }')")" "${tokenize[@]}" storm; do
    [[ ! -e storm/run.json ]] || "$LLMTOOL" verify storm >out.txt || fail "round $round: half a dataset"
  done
  for file in $(cd data && find train val -type f); do
    cmp "data/$file" "storm/$file" || fail "round $round: tokenize"
  done
done
echo "tokenize: $rounds storms, the same bytes"

train=("$LLMTOOL" train --data data --steps 60 --seq-len 64 --batch-size 4 --save-every 7 --keep-last 2
  --hidden-size 64 --intermediate-size 128 --num-hidden-layers 2 --num-attention-heads 4
  --eval-every 20 --resume -o)
begin=$EPOCHREALTIME
"${train[@]}" calm >out.txt
whole=$(awk -v a="$begin" -v b="$EPOCHREALTIME" 'BEGIN { print b - a }')
kills=0
for ((round = 1; round <= rounds; ++round)); do
  rm -rf storm
  until killed "$(moment "$whole")" "${train[@]}" storm; do kills=$((kills + 1)); done
  for file in $(cd calm/checkpoints/step-00000060 && find . -type f); do
    cmp "calm/checkpoints/step-00000060/$file" "storm/checkpoints/step-00000060/$file" ||
      fail "round $round: train"
  done
done
((kills > 0)) || fail "no run was killed"
echo "train: $rounds storms, $kills kills, the same bytes"
