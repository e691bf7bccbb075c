#!/usr/bin/env bash
# LLaMA's Table 1 from Debian's packages: see README.md.
#   run.sh [--small] [--output FOLDER]
# LLMTOOL names the program (build/llmtool). Sources that are ready are not made again.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../recipe.sh"
begin_recipe "$@"
need zstd gzip

if [[ ! -f $out/raw/done ]]; then
  "$here/sources.sh" "${small[@]}" --output "$out/raw"
  touch "$out/raw/done"
fi

clean() {  # clean SOURCE STEPS INPUT [FLAGS...]
  local output=$out/$1.jsonl.zst
  [[ ! -f $output || -e $output.work ]] || return 0
  say "$1"
  "$llmtool" corpus run "$here/$2.toml" "$out/raw/$3" -o "$output" --rejected "$out/rejected/$1" \
    --report "$out/reports/$1" --skip-bad --overwrite "${@:4}" >&2
}
clean crawl crawl crawl.warc.gz
clean c4 c4 c4.warc.gz
clean code code code --format text
clean encyclopedia text encyclopedia.jsonl
clean books books books.warc.gz
clean latex latex latex --format raw
clean qa text qa.jsonl

cd "$out"  # mix.toml names the sources from here
budget=()
((${#small[@]})) && budget=(--bytes 3MB)
say "tokenizer"
"$llmtool" tokenizer train ./*.jsonl.zst -o tokenizer --config "$here/train.toml" --overwrite >&2
say "tokens"
"$llmtool" tokenize --mix "$here/mix.toml" "${budget[@]}" -t tokenizer -o tokens \
  --val-fraction 0.02 --report reports/mix --overwrite | tee table.txt
say "a few steps of training"
rm -rf train
"$llmtool" train --data tokens -o train --config "$here/train.toml" --json >train.json
loss=$(sed -nE 's/.*"validation_loss": ?([0-9.]+).*/\1/p' train.json)
[[ -n $loss ]] || die "the training gave no validation loss" "$out/train.json has what it gave"
awk -v loss="$loss" 'BEGIN { exit !(loss < 8.2) }' ||
  die "the loss is $loss nats a token: no better than chance" "see $out/train/report.html"
say "the mix: $out/table.txt, $out/reports/mix/report.html; its shards: $out/tokens"
say "validation loss after a few steps: $loss nats a token (chance: 8.32)"
