# Tokenizing speed beside SentencePiece's, in one run, the contestants taking turns.
#   bash tests/bench/tokenize.sh BUILD CORPUS.jsonl [PYTHON]
# BUILD is a build folder, CORPUS plain JSON lines of 20 MB and more, PYTHON an interpreter with the
# sentencepiece wheel. llmtool's time is all of `llmtool tokenize`: start, reading, parsing, encoding,
# writing. The peers' is encoding alone.
set -euo pipefail
build=$1 corpus=$2 python=${3:-}
rounds=${ROUNDS:-5} vocab=${VOCAB:-8192}
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
deps=${LLMTOOL_DEPS:-${XDG_CACHE_HOME:-$HOME/.cache}/llmtool/deps}
c++ -std=c++20 -O2 -isystem "$deps/include" "$here/tokenize_peer.cpp" \
  "$deps/lib/libsentencepiece.a" "$deps/lib/libsimdjson.a" -pthread -o "$work/tokenize_peer"

ours() {  # model threads
  local start end
  start=$(date +%s.%N)
  "$build/llmtool" tokenize "$corpus" -t "$work/$1" -o "$work/data" --overwrite --quiet --json \
    --threads "$2" > "$work/info.json"
  end=$(date +%s.%N)
  awk -v s="$start" -v e="$end" '/"text_bytes"/ && !b { b = $2 + 0 } /"tokens"/ && !t { t = $2 + 0 }
    END { printf "%d %d %.4f\n", b, t, e - s }' "$work/info.json"
}
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

for model in bpe unigram; do
  "$build/llmtool" tokenizer train "$corpus" -o "$work/$model" --model $model --vocab-size "$vocab" \
    --sample-bytes 5MB --quiet > /dev/null
  for ((round = 0; round < rounds; ++round)); do
    ours $model 1 >> "$work/$model.llmtool_1_thread"
    ours $model 2 >> "$work/$model.llmtool_2_threads"
    "$work/tokenize_peer" "$work/$model/tokenizer.model" "$corpus" >> "$work/$model.library_1_thread"
    [ -z "$python" ] && continue
    for threads in 1 2; do
      "$python" "$here/tokenize_peer.py" "$work/$model/tokenizer.model" "$corpus" $threads \
        >> "$work/$model.wheel_${threads}_threads"
    done
  done
done
printf '%-8s %-20s %10s %12s\n' model contestant MB/s Mtokens/s
for file in "$work"/bpe.* "$work"/unigram.*; do
  name=$(basename "$file")
  printf '%-8s %-20s %10.1f %12.2f\n' "${name%%.*}" "${name#*.}" \
    "$(awk '{ print $1 / 1e6 / $3 }' "$file" | median)" \
    "$(awk '{ print $2 / 1e6 / $3 }' "$file" | median)"
done
