#!/usr/bin/env bash
# Speed and peak memory of every corpus step, and of the peers beside them:
#   tests/bench/corpus.sh OUTPUT
# OUTPUT is a folder for the data and the tables. $LLMTOOL (build/llmtool); $MEGABYTES of documents
# (300), made of this machine's documentation. $PYTHON with the peers (datatrove, datasketch, rensa,
# resiliparse, trafilatura, ...; see the scripts) adds theirs; without it they are left out, loudly.
set -euo pipefail
output=${1:?usage: corpus.sh OUTPUT}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
export LLMTOOL=${LLMTOOL:-$root/build/llmtool}
mkdir -p "$output"

documents=$output/documents.jsonl
[[ -f $documents ]] || python3 "$here/corpus_dedup_data.py" "${MEGABYTES:-300}" "$documents"
if [[ ! -f $output/crawl.warc.gz ]]; then
  source "$root/recipes/recipe.sh"
  unpack_debian "$output/debian" git-doc zsh-doc exim4-doc-html sqlite3-doc python-django-doc debian-faq maint-guide
  warc_of_html "$output/debian" "$output/crawl.warc.gz"
fi
python3 "$here/corpus_steps.py" "$LLMTOOL" "$documents" "$output/crawl.warc.gz" "$output/work" \
  --json "$output/steps.json" | tee "$output/steps.txt"

if [[ -z ${PYTHON:-} ]]; then
  echo "no peers: set PYTHON to one that has them" >&2
  exit 0
fi
"$PYTHON" "$here/corpus_dedup.py" "$documents" | tee "$output/dedup.txt"
"$PYTHON" "$here/corpus_filters.py" --llmtool "$LLMTOOL" --input "$documents" | tee "$output/filters.txt"
if [[ -n ${PAGES:-} ]]; then  # the folder that tests/parity/corpus_extract.py names
  "$PYTHON" "$here/corpus_extract.py" "$LLMTOOL" "$PAGES" | tee "$output/extract.txt"
fi
