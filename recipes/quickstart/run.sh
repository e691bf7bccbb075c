#!/usr/bin/env bash
# Text to a trained model, from nothing: see README.md.
#   run.sh [--small] [--output FOLDER]
# --small is for tests: every step on little text, in seconds; the model learns next to nothing.
# LLMTOOL names the program (build/llmtool). A step is not done again unless its inputs changed, and
# a training that was killed goes on from its last checkpoint.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../recipe.sh"
begin_recipe "$@"
config=$here/quickstart.toml
((${#small[@]})) && config=$here/small.toml
need xz zstd

# step NAME OUTPUT COMMAND...: skipped if OUTPUT is there and the same inputs made it. What other
# inputs left there goes first.
step() {
  local name=$1 output=$2 start=$SECONDS
  shift 2
  key=$(printf '%s\n' "$key" "$@" | sha256sum)
  if [[ -e $output && $(cat "$out/$name.done" 2>/dev/null) == "$key" ]]; then
    say "$name: done before"
    return
  fi
  rm -f "$out/$name.done"
  if [[ $(cat "$out/$name.begun" 2>/dev/null) != "$key" ]]; then
    rm -rf "$output"
    echo "$key" >"$out/$name.begun"
  fi
  say "$name ..."
  "$@" >&2 || die "$name failed, see above" "run this again: it goes on from here"
  echo "$key" >"$out/$name.done"
  say "$name: $((SECONDS - start)) s"
}

tokenizer() {
  "$llmtool" tokenizer train "$out/corpus/train.jsonl.zst" -o "$out/tokenizer" --config "$config" \
    --overwrite
}
tokens() {
  "$llmtool" tokenize "$out/corpus/train.jsonl.zst" --val "$out/corpus/heldout.jsonl.zst" \
    -t "$out/tokenizer" -o "$out/tokens" --config "$config" --overwrite
}
train() {
  "$llmtool" train --data "$out/tokens" -o "$out/train" --config "$config" --resume --json \
    >"$out/train.json"
}
evaluate() {
  "$llmtool" eval -m "$out/train/model" --data "$out/corpus/heldout.jsonl.zst" -o "$out/eval" \
    --config "$config"
}
sample() { "$llmtool" generate -m "$out/train/model" -o "$out/sample.txt" --config "$config"; }

begun=$SECONDS
key=$(sha256sum <"$here/corpus.sh")
step corpus "$out/corpus/corpus.txt" "$here/corpus.sh" "${small[@]}" "$out/corpus"
key=$(echo "$key" | cat - "$llmtool" "$config" | sha256sum)
step tokenizer "$out/tokenizer" tokenizer
step tokens "$out/tokens" tokens
step train "$out/train" train
step eval "$out/eval" evaluate
step sample "$out/sample.txt" sample

# ---- The table ----
number() { sed -nE "s/.*\"$2\": ?([-+.e0-9]+).*/\1/p" "$out/$1" | head -n1; }
counted() { awk -v name="$1" '$1 == name { print $2 }' "$out/corpus/corpus.txt"; }
compressed() { "$@" -c "$out/corpus/heldout.txt" | wc -c; }
bytes=$(counted heldout_bytes)
bits() { awk -v c="$1" -v bytes="$bytes" 'BEGIN { printf "%.3f", 8 * c / bytes }'; }
row() { printf '  %-34s %s\n' "$@"; }
whole() { printf '%.0f' "$1"; }

[[ $(number eval/results.json bytes) == "$bytes" ]] ||
  die "the model was measured on another text than zstd and xz" "remove $out and run this again"
ours=$(number eval/results.json bits_per_byte)
xz_bits=$(bits "$(compressed xz -9)")
zstd_bits=$(bits "$(compressed zstd -q -19)")
{
  echo
  row "training text" "$(counted train_documents) documents, $(counted train_bytes) bytes"
  row "held-out text" "$(counted heldout_documents) documents, $bytes bytes"
  row "  removed from it, as also trained on" \
    "$(($(counted heldout_bytes_before) - bytes)) bytes, $(counted documents_dropped) documents"
  row "tokens trained on" "$(number train.json tokens)"
  row "validation loss" "$(printf '%.4f' "$(number eval/results.json loss)") nats a token"
  row "bits per byte: llmtool" "$(printf '%.3f' "$ours")"
  row "bits per byte: xz -9" "$xz_bits"
  row "bits per byte: zstd -19" "$zstd_bits"
  row "training speed" "$(whole "$(number train.json tokens_per_second)") tokens a second"
  row "time of this run" "$((SECONDS - begun)) s"
  echo
  echo "  the model goes on after a prompt:"
  { sed -nE 's/^prompt = "(.*)"/\1/p' "$config" | tr -d '\n' && cat "$out/sample.txt"; } |
    fold -s -w 96 | sed 's/^/    /'
  printf '\n\n'
} | tee "$out/table.txt"
if ((${#small[@]})); then
  echo "  --small: a test of the steps, not of the model; it need not beat xz."
  exit 0
fi
awk -v ours="$ours" -v xz="$xz_bits" 'BEGIN { exit !(ours < xz) }' ||
  die "the model does not beat xz -9" "was it trained to the end? See $out/train/metrics.jsonl"
