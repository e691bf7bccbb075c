#!/usr/bin/env bash
# Character-level tiny Shakespeare in nanoGPT's CPU setting: see README.md.
#   run.sh [--small] [--output FOLDER] [input.txt]
# input.txt: the text (also: SHAKESPEARE). LLMTOOL names the program (build/llmtool).
# --small is for tests: one seed, 50 steps, any text; without input.txt some of the quickstart's.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../recipe.sh"
usage='run.sh [--small] [--output FOLDER] [input.txt]'
begin_recipe "$@"
[[ ${#rest[@]} -le 1 && ${rest[0]:-} != -* ]] || {
  echo "run.sh: too many arguments, or an unknown flag; usage: $usage" >&2
  exit 2
}
text=${rest[0]:-${SHAKESPEARE:-}} seeds=(1 2 3) few=() bar=1.88
((${#small[@]})) && seeds=(1) few=(--steps 50 --warmup-steps 10) bar=

# ---- The text: the first 90% trains, the rest validates, as nanoGPT's prepare.py has it ----
if [[ -z $text && -z $bar ]]; then
  say "no input.txt: this tests the steps on text of the quickstart, NOT on Shakespeare"
  "$here/../quickstart/corpus.sh" --small "$out/corpus"
  text=$out/corpus/heldout.txt
fi
[[ -n $text ]] || die "which text?" \
  "run.sh input.txt: data/tinyshakespeare/input.txt of karpathy/char-rnn, which Debian lacks"
[[ -f $text ]] || die "there is no file '$text'" "run.sh input.txt"
bytes=$(wc -c <"$text")
[[ -z $bar || $bytes == 1115394 ]] ||
  say "warning: '$text' has $bytes bytes, tiny Shakespeare 1,115,394: the bar is for that text"
first=$((bytes * 9 / 10))
head -c "$first" "$text" | iconv -c -f UTF-8 -t UTF-8 >"$out/train.txt"
tail -c +$((first + 1)) "$text" | iconv -c -f UTF-8 -t UTF-8 >"$out/val.txt"

# ---- One token a character, then a training for each seed ----
config=(--config "$here/train.toml")
key=$(cat "$llmtool" "$here/train.toml" "$text" | sha256sum)
if [[ $(cat "$out/begun" 2>/dev/null) != "$key" ]]; then
  rm -rf "$out"/seed-*  # of another text, program or setting
  echo "$key" >"$out/begun"
fi
"$llmtool" tokenizer train "$text" -o "$out/tokenizer" "${config[@]}" --overwrite >&2
"$llmtool" tokenize "$out/train.txt" --val "$out/val.txt" -t "$out/tokenizer" -o "$out/tokens" \
  --overwrite >&2
for seed in "${seeds[@]}"; do
  if [[ ! -s $out/seed-$seed.json ]]; then
    say "seed $seed ..."
    "$llmtool" train --data "$out/tokens" -o "$out/seed-$seed" --seed "$seed" --resume --json \
      "${config[@]}" "${few[@]}" >"$out/seed.json"
    mv "$out/seed.json" "$out/seed-$seed.json"
  fi
done

# ---- The table ----
number() { sed -nE "s/.*\"$2\": ?([-+.e0-9]+).*/\1/p" "$out/seed-$1.json"; }
worst=0
{
  printf '\n  %-6s %-10s %-16s %s\n' seed steps 'validation loss' 'tokens a second'
  for seed in "${seeds[@]}"; do
    loss=$(number "$seed" validation_loss)
    worst=$(printf '%s\n' "$worst" "$loss" | sort -g | tail -n1)
    printf '  %-6s %-10s %-16.4f %.0f\n' "$seed" "$(number "$seed" steps)" "$loss" \
      "$(number "$seed" tokens_per_second)"
  done
  printf '  nanoGPT, the same setting: 1.88\n\n'
} >"$out/table.txt"
cat "$out/table.txt"
"$llmtool" generate -m "$out/seed-${seeds[0]}/model" "${config[@]}" -o "$out/sample.txt"
sed -nE 's/^prompt = "(.*)"/  the model goes on after "\1":/p' "$here/train.toml"
sed 's/^/    /' "$out/sample.txt"
printf '\n\n'
if [[ -z $bar ]]; then
  echo "  --small: a test of the steps, not of the model."
  exit 0
fi
awk -v loss="$worst" -v bar="$bar" 'BEGIN { exit !(loss <= bar) }' ||
  die "the validation loss $worst is above $bar" "see $out/seed-*/metrics.jsonl"
