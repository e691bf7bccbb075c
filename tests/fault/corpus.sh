#!/usr/bin/env bash
# Corpus commands on bad inputs and in bad times: named, counted, survived.
set -euo pipefail
source "$SOURCE/tests/cli/expect.sh"

awk 'BEGIN { srand(2); for (i = 0; i < 40000; i++) { s = ""; n = 5 + rand() * 60
  for (j = 0; j < n; j++) s = s sprintf("%c%c%c ", 97 + rand() * 26, 97 + rand() * 26, 97 + rand() * 26)
  printf "{\"id\": \"d%d\", \"text\": \"%s\"}\n", i, i % 7 == 3 ? "the same text again" : s } }' >docs.jsonl
head -n 200 docs.jsonl >few.jsonl

# Lines that are no documents: an error with the place, or counted and kept aside.
{
  head -n 2 few.jsonl
  echo '{"id": "x", "text": "cut off'
  printf '{"id": "x", "text": "\xff\xfe"}\n'
  echo '{"id": "x", "text": "lone \ud800 surrogate"}'
  echo '[1, 2]'
  echo '{"id": "no text"}'
  echo '{"id": "x", "text": 5}'
  tail -n 2 few.jsonl
} >bad.jsonl
run "$LLMTOOL" sample bad.jsonl --fraction 1 -q && exits 3 && says "bad.jsonl:3: " && says "--skip-bad"
run "$LLMTOOL" sample bad.jsonl --fraction 1 --skip-bad -o good.jsonl --rejected aside && exits 0
says "6 records that cannot be read left out; the first: bad.jsonl:3"
{ head -n 2 few.jsonl; tail -n 2 few.jsonl; } | cmp - good.jsonl
zstd -dc aside/00-unreadable.jsonl.zst >unreadable.jsonl
[[ $(wc -l <unreadable.jsonl) == 6 ]]
grep -q 'is not valid UTF-8' unreadable.jsonl && grep -q 'lone surrogate' unreadable.jsonl

# Broken and truncated streams: everything before the damage, and after it where a new member begins.
split -n l/4 few.jsonl part.
gzip -k part.a? && cat part.a?.gz >members.jsonl.gz
size=$(stat -c %s part.aa.gz)
printf 'XXXXXXXX' | dd of=members.jsonl.gz bs=1 seek=$((size + 200)) conv=notrunc status=none
run "$LLMTOOL" sample members.jsonl.gz --fraction 1 -q && exits 3 && says "gzip stream is broken at byte"
run "$LLMTOOL" sample members.jsonl.gz --fraction 1 --skip-bad -q && exits 0 && says "gzip stream is broken at byte"
for part in part.aa part.ac part.ad; do
  grep -qF "$(tail -n 1 $part)" out || failed "$part is whole and was not read"
done
zstd -q few.jsonl -o few.jsonl.zst && head -c 3000 few.jsonl.zst >cut.jsonl.zst
run "$LLMTOOL" sample cut.jsonl.zst --fraction 1 -q && exits 3 && says "zstd stream is truncated"
run "$LLMTOOL" sample cut.jsonl.zst --fraction 1 --skip-bad -q && exits 0 && says "truncated"
for size in 0 1; do  # of a download, say, that never began
  for ending in gz zst; do
    head -c $size few.jsonl.zst >begun.jsonl.$ending
    run "$LLMTOOL" stats begun.jsonl.$ending -q && exits 3 && says "begun.jsonl.$ending: the ${ending/gz/gzip}" && says "stream is truncated at byte 0"
    run "$LLMTOOL" stats few.jsonl begun.jsonl.$ending --skip-bad -q && exits 0 && says "truncated" && prints "200"
  done
done

# Ids that are not unique are counted and named; no document is lost to them.
cat few.jsonl few.jsonl >twice.jsonl
run "$LLMTOOL" sample twice.jsonl --fraction 1 -o twice-out.jsonl --report twice-report -q && exits 0
says "200 documents have the id of an earlier one; the first: twice.jsonl:201: the id 'd0'"
cmp twice.jsonl twice-out.jsonl
grep -q '"repeated_id_count": 200' twice-report/report.json
grep -q "twice.jsonl:300: the id &#39;d99&#39;\|twice.jsonl:300: the id 'd99'" twice-report/report.html

# A line of 100 MB between others, within bounded memory.
{
  head -n 3 few.jsonl
  printf '{"id": "long", "text": "'
  head -c 100000000 /dev/zero | tr '\0' 'x'
  echo '"}'
  tail -n 3 few.jsonl
} >long.jsonl
run "$LLMTOOL" sample long.jsonl --fraction 1 -o long-out.jsonl -q && exits 0
cmp long.jsonl long-out.jsonl
rm long.jsonl long-out.jsonl

# Killed at any moment, a run goes on to the same bytes: with a step that decides in order, and with
# one that sees every document twice.
cat >two.toml <<'END'
[[step]]
run = "sample"
fraction = 0.8
[[step]]
run = "stats"
[[step]]
run = "sample"
count = 9000
END
for i in 1 2 3; do cat docs.jsonl; done >more.jsonl
gzip -k docs.jsonl
flow=("$LLMTOOL" corpus run two.toml more.jsonl docs.jsonl.gz --rejected whole-rejected -q)
timed "${flow[@]}" -o whole.jsonl.zst --work w
exits 0
for part in 0.1 0.2 0.3 0.4 0.5 0.6 0.7 0.8; do
  rm -rf w killed.jsonl.zst killed-rejected
  flow=("$LLMTOOL" corpus run two.toml more.jsonl docs.jsonl.gz --rejected killed-rejected
    -q -o killed.jsonl.zst --work w --checkpoint-every 0)
  killed_at "$part" 3 "${flow[@]}" --resume
  run "${flow[@]}" --resume && exits 0
  cmp whole.jsonl.zst killed.jsonl.zst
  for file in whole-rejected/*; do cmp "$file" "killed-rejected/${file#*/}"; done
done
some_killed

# Ctrl-C says how to go on. In the foreground: else timeout(1) signals the group as well, and twice is
# at once.
rm -rf w killed-rejected killed.jsonl.zst
timeout --foreground -s INT "$(awk -v s="$seconds" 'BEGIN { print s / 4 }')" "${flow[@]}" >out 2>err && failed "it should have been stopped" || status=$?
if [[ -e w/killed.jsonl.zst.work/checkpoint.json ]]; then
  says "--resume goes on"
  run "${flow[@]}" && exits 2 && says "holds a run that has not ended"
  run "${flow[@]}" --resume && exits 0
  cmp whole.jsonl.zst killed.jsonl.zst
fi

# One file for each value of a member: what a single file would hold, in its order, also after kills.
awk 'NR % 3 == 0 { sub(/"text"/, "\"metadata\": {\"lang\": \"" (NR % 2 ? "en" : "../de") "\", \"n\": " NR % 5 "}, \"text\""); print }' docs.jsonl >named.jsonl
run "$LLMTOOL" sample named.jsonl --fraction 0.9 -q -o 'by/{metadata.lang}/{metadata.n}.jsonl.zst' && exits 0
"$LLMTOOL" sample named.jsonl --fraction 0.9 -q >one.jsonl 2>err
[[ $(cd by && echo */*.zst) == "___de/0.jsonl.zst ___de/1.jsonl.zst ___de/2.jsonl.zst ___de/3.jsonl.zst ___de/4.jsonl.zst en/0.jsonl.zst en/1.jsonl.zst en/2.jsonl.zst en/3.jsonl.zst en/4.jsonl.zst" ]]
for n in 0 3; do grep "\"en\", \"n\": $n}" one.jsonl | cmp - <(zstd -dc "by/en/$n.jsonl.zst"); done
"$LLMTOOL" verify by -q >out
run "$LLMTOOL" sample named.jsonl --fraction 0.9 -q -o 'by/{metadata.lang}/{metadata.n}.jsonl.zst' && exits 2 && says "already there"
touch by/en/9.jsonl.zst
run "$LLMTOOL" sample named.jsonl --fraction 0.9 -q -o 'by/{metadata.lang}/{metadata.n}.jsonl.zst' --overwrite && exits 0 && says "en/9.jsonl.zst' was there before"
run "$LLMTOOL" sample by named.jsonl --fraction 0.9 -q -o 'by/{metadata.lang}/{metadata.n}.jsonl.zst' --overwrite && exits 0
run "$LLMTOOL" sample by/en/0.jsonl.zst --fraction 0.9 -q -o 'by/{metadata.lang}/{metadata.n}.jsonl.zst' --overwrite && exits 2 && says "is an input"
run "$LLMTOOL" sample few.jsonl --fraction 1 -o 'x/{metadata.lang}.jsonl' && exits 3 && says "metadata.lang"
run "$LLMTOOL" sample named.jsonl --fraction 1 -o 'x/{id}.jsonl' && exits 3 && says "more than 900 files"
rm -rf x
flow=("$LLMTOOL" sample named.jsonl named.jsonl named.jsonl --fraction 0.9 -q --work w --checkpoint-every 0 --resume
  -o 'again/{metadata.lang}/{metadata.n}.jsonl.zst')
timed "${flow[@]}"
exits 0
kills=0
for part in 0.2 0.4 0.6; do
  rm -rf again w
  killed_at "$part" 3 "${flow[@]}"
  run "${flow[@]}" && exits 0
  [[ -z $(find w -mindepth 1) ]] || failed "a work folder is left"
  for n in 0 4; do
    cmp <(zstd -dc again/en/$n.jsonl.zst) <(for i in 1 2 3; do zstd -dc by/en/$n.jsonl.zst; done)
  done
  [[ -z $(find again -name '*.partial') ]]
done
some_killed
