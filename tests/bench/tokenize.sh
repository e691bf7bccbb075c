# Tokenizing speed beside SentencePiece's, in one run, the contestants taking turns.
#   bash tests/bench/tokenize.sh BUILD PYTHON MODEL... -- CORPUS.jsonl...
# BUILD is a build folder, PYTHON an interpreter with the sentencepiece wheel, MODEL a .model file
# (tests/bench/tokenize_models.py trains one with each option), CORPUS plain JSON lines.
# Prints MB of text for each second of processor time, the median of $ROUNDS: what a core does, also
# where other work shares it. llmtool's is all of `llmtool tokenize`: start, reading, parsing,
# encoding, writing; "encode" is that less the start (loading the model). The peers' is encoding
# alone: the library that llmtool is built with, and the wheel.
set -euo pipefail
build=$1 python=$2
shift 2
models=()
while [[ $1 != -- ]]; do models+=("$1") && shift; done
shift
rounds=${ROUNDS:-3}
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
deps=${LLMTOOL_DEPS:-${XDG_CACHE_HOME:-$HOME/.cache}/llmtool/deps}
c++ -std=c++20 -O2 -isystem "$deps/include" "$here/tokenize_peer.cpp" \
  "$deps/lib/libsentencepiece.a" "$deps/lib/libsimdjson.a" -pthread -o "$work/tokenize_peer"

seconds() {  # of processor time of a command
  local TIMEFORMAT='%U %S'
  { time "$@" >"$work/out" 2>"$work/err"; } 2>&1 | awk '{ print $1 + $2 }'
}
ours() {  # model corpus threads
  rm -rf "$work/data"
  seconds "$build/llmtool" tokenize "$2" -t "$1" -o "$work/data" --quiet --json --threads "$3"
}
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

printf '%-16s %-10s %9s %9s %9s %9s %9s %7s %7s\n' model corpus llmtool encode '2 threads' library \
  wheel x-lib x-wheel
for model in "${models[@]}"; do
  for corpus in "$@"; do
    rm -f "$work"/*.times
    for ((round = 0; round < rounds; ++round)); do
      ours "$model" "$corpus" 1 >>"$work/one.times"
      seconds "$build/llmtool" tokenizer encode --text x -t "$model" >>"$work/start.times"
      ours "$model" "$corpus" 2 >>"$work/two.times"
      "$work/tokenize_peer" "$model" "$corpus" >"$work/peer"
      awk '{ print $3 }' "$work/peer" >>"$work/library.times"
      "$python" "$here/tokenize_peer.py" "$model" "$corpus" 1 | awk '{ print $3 }' >>"$work/wheel.times"
    done
    bytes=$(awk '{ print $1 }' "$work/peer")
    for times in one start two library wheel; do
      declare "$times=$(median <"$work/$times.times")"
    done
    awk -v name="$(basename "$model" .model)" -v corpus="$(basename "$corpus" .jsonl)" -v b="$bytes" \
      -v one="$one" -v start="$start" -v two="$two" -v library="$library" -v wheel="$wheel" 'BEGIN {
        b /= 1e6; encode = one - start
        printf "%-16s %-10s %9.1f %9.1f %9.1f %9.2f %9.2f %7.1f %7.1f\n", name, corpus, b / one,
          b / encode, b / two, b / library, b / wheel, library / encode, wheel / encode }'
  done
done
