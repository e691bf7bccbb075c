# Text to a tokenizer, ids and shards and back, through the program.
set -euo pipefail
rm -rf "$SCRATCH" && mkdir -p "$SCRATCH" && cd "$SCRATCH"

fail() { echo "FAILED: $*" >&2; exit 1; }

# 400 documents of words, lines, numbers and a few characters that no vocabulary has.
awk 'BEGIN {
  srand(1); split("the of and river stone light winter under never walks", w, " ")
  for (d = 0; d < 400; ++d) {
    text = ""
    for (i = 0; i < 5 + rand() * 60; ++i)
      text = text w[1 + int(rand() * 10)] (rand() < 0.1 ? ".\\n\\n    " : rand() < 0.1 ? " " int(rand() * 1000) ", " : " ")
    printf "{\"id\": \"%d\", \"text\": \"%s\\ud83d\\ude00\\u00e9\"}\n", d, text
  }
}' > docs.jsonl

"$LLMTOOL" tokenizer train docs.jsonl -o tok --vocab-size 320 --json > train.json
grep -q '"vocab_size": 320' train.json || fail "train.json"
[ -f tok/tokenizer.model ] && [ -f tok/run.json ] || fail "files of the tokenizer"
for threads in 1 3; do
  for model in bpe unigram; do
    "$LLMTOOL" tokenizer train docs.jsonl -o "tok_$model$threads" --vocab-size 310 --model $model \
      --threads $threads > /dev/null
  done
done
cmp tok_bpe1/tokenizer.model tok_bpe3/tokenizer.model
cmp tok_unigram1/tokenizer.model tok_unigram3/tokenizer.model

# Bytes in, the same bytes out.
printf ' two  spaces\n\n\ttab\r\n\303\251\360\237\230\200 end ' > text.txt
"$LLMTOOL" tokenizer encode text.txt -t tok > ids.txt
"$LLMTOOL" tokenizer decode ids.txt -t tok | cmp - text.txt
"$LLMTOOL" tokenizer encode -t tok < text.txt | cmp - ids.txt
"$LLMTOOL" tokenizer encode --text 'the river' --json -t tok | grep -q '"pieces":\[' || fail "pieces"
[ "$("$LLMTOOL" tokenizer encode --lines docs.jsonl -t tok | wc -l)" = 400 ] || fail "--lines"
"$LLMTOOL" tokenizer inspect -t tok --pieces docs.jsonl | grep -q 'bytes_per_token: ' || fail inspect

# Shards: as an independent reader sees them, and the same at any number of threads.
"$LLMTOOL" tokenize 'docs*.jsonl' -t tok -o data --val-fraction 0.1 --threads 1 \
  --val-documents val.jsonl.zst --shard-bytes 16kB --json > data.json
cmp data.json data/dataset.json
"$LLMTOOL" tokenize - -t tok -o data2 --val-fraction 0.1 --threads 3 --shard-bytes 16kB \
  < docs.jsonl > /dev/null
for file in $(cd data && find train val -type f); do cmp "data/$file" "data2/$file"; done
[ "$(find data/train -name '*.bin' | wc -l)" -gt 1 ] || fail "several shards"
here=$(dirname "$0"); [ -f "$here/read_shards.py" ] || here="$SOURCE/tests/cli"
python3 "$here/read_shards.py" $(find data/train data/val -name '*.idx' | sed 's/\.idx$//') \
  | sed 's/ 2$//' | sort > seen.txt
"$LLMTOOL" tokenizer encode docs.jsonl -t tok | sort > expected.txt
cmp seen.txt expected.txt
"$LLMTOOL" verify data > /dev/null

expect() {  # exit code, part of the message, command
  local code=$1 part=$2 got=0
  shift 2
  "$@" > out.txt 2> err.txt || got=$?
  [ "$got" = "$code" ] || fail "exit code $got, expected $code: $*: $(cat err.txt)"
  grep -q -- "$part" err.txt || fail "'$part' not in: $(cat err.txt)"
}
expect 2 "already holds a dataset" "$LLMTOOL" tokenize docs.jsonl -t tok -o data
"$LLMTOOL" tokenize docs.jsonl -t tok -o data --overwrite > /dev/null
# A missing input is found before the old dataset goes.
if "$LLMTOOL" tokenize docs.jsonl none.jsonl -t tok -o data --overwrite > /dev/null 2> err; then
  echo "a missing input was passed over" && exit 1
fi
grep -q "none.jsonl" err && [[ -e data/dataset.json ]]
expect 2 "is there already" "$LLMTOOL" tokenizer train docs.jsonl -o tok
expect 3 "is too large for this text: it gives" \
  "$LLMTOOL" tokenizer train docs.jsonl -o none --vocab-size 30000
expect 4 "no file matches" "$LLMTOOL" tokenize 'nothing*.jsonl' -t tok -o none
expect 4 "nothing.jsonl" "$LLMTOOL" tokenize nothing.jsonl -t tok -o none
printf '{"text": "a"}\n{"text": 3}\n' > bad.jsonl
expect 3 'bad.jsonl:2: "text" is a number' "$LLMTOOL" tokenize bad.jsonl -t tok -o none
"$LLMTOOL" tokenize bad.jsonl -t tok -o some --skip-bad --json 2> /dev/null \
  | grep -q '"bad_lines": 1' || fail "--skip-bad"
: > empty.jsonl
expect 3 "no document for training" "$LLMTOOL" tokenize empty.jsonl -t tok -o none
expect 3 "holds no text" "$LLMTOOL" tokenizer train empty.jsonl -o none2
head -c 2000 tok/tokenizer.model > cut.model
expect 3 "cut.model: not a usable SentencePiece model" "$LLMTOOL" tokenizer inspect -t cut.model
printf '5 99999\n' > ids.txt
expect 3 "ids.txt:1: id 99999" "$LLMTOOL" tokenizer decode ids.txt -t tok
printf '5 x\n' > ids.txt
expect 3 "'x' is no token id" "$LLMTOOL" tokenizer decode ids.txt -t tok
[ ! -e none/dataset.json ] || fail "a dataset after an error"
