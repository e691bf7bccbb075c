#!/usr/bin/env bash
# Web archives to head, middle and tail for each language: see README.md.
#   run.sh [--small] [--output FOLDER] [WARC...]
# Without archives, the pages of Debian's installation guide in the languages of the models.
# LLMTOOL names the program (build/llmtool).
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../recipe.sh"
usage='run.sh [--small] [--output FOLDER] [WARC...]'
begin_recipe "$@"
warcs=("${rest[@]}")
languages=(en de fr es it pt)
vocabulary=8000 order=5
((${#small[@]})) && languages=(en de fr) vocabulary=2000 order=4

if ((${#warcs[@]} == 0)); then
  warcs=("$out/crawl.warc.gz")
  if [[ ! -f ${warcs[0]} ]]; then
    unpack_debian "$out/debian" installation-guide-amd64
    say "writing the archive"
    rm -rf "$out/pages"
    mkdir "$out/pages"
    for language in "${languages[@]}"; do
      cp -rL "$out/debian/installation-guide-amd64/usr/share/doc/installation-guide-amd64/$language" \
        "$out/pages/$language"
    done
    warc_of_html "$out/pages" "${warcs[0]}"
  fi
fi

# A tokenizer and a language model of each language, from Debian's reference manual.
flags=()
for language in "${languages[@]}"; do
  model=$out/models/$language.bin
  flags+=(--model "$language=$model" --tokenizer "$language=$out/models/$language")
  [[ ! -f $model ]] || continue
  mkdir -p "$out/models"
  unpack_debian "$out/debian" "debian-reference-$language"
  warc_of_html "$out/debian/debian-reference-$language" "$out/models/$language.warc.gz"
  "$llmtool" extract html "$out/models/$language.warc.gz" -o "$out/models/$language.jsonl" --overwrite -q
  "$llmtool" tokenizer train "$out/models/$language.jsonl" --model unigram --vocab-size "$vocabulary" \
    -o "$out/models/$language" --overwrite -q >&2
  "$llmtool" ngram train "$out/models/$language.jsonl" -t "$out/models/$language" --order "$order" \
    --discount-fallback -o "$model" --overwrite -q >&2
done

"$llmtool" corpus run "$here/ccnet.toml" "${warcs[@]}" -o "$out/languages.jsonl.zst" \
  --report "$out/report" --skip-bad --overwrite >&2
"$llmtool" ngram score "$out/languages.jsonl.zst" "${flags[@]}" -o "$out/scored.jsonl.zst" \
  --report "$out/report-score" --overwrite >&2
rm -rf "$out/buckets"
mkdir "$out/buckets"
"$llmtool" ngram buckets "$out/scored.jsonl.zst" --write-cutoffs "$out/cutoff.csv" \
  -o "$out/buckets/{attributes.language}_{attributes.perplexity_bucket}.jsonl.zst" \
  --report "$out/report-buckets" --overwrite >&2

for language in "${languages[@]}"; do
  for bucket in head middle tail; do
    file=$out/buckets/${language}_$bucket.jsonl.zst
    [[ -s $file ]] || die "there is no '$file'" "$out/report/report.html tells where documents went"
    printf '%s %s %s\n' "$language" "$bucket" "$(zstd -dc "$file" | wc -l)"
  done
done
say "perplexities and their cut-offs: $out/report-buckets/report.html"
