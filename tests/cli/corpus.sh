#!/usr/bin/env bash
# The corpus commands as people type them: pipes, folders, shards, a TOML of steps, reports, and
# what they say when something is wrong.
set -euo pipefail
source "$SOURCE/tests/cli/expect.sh"

awk 'BEGIN { for (i = 0; i < 3000; i++)
  printf "{\"id\": \"d%d\", \"text\": \"document %d says %d\", \"metadata\": {\"url\": \"http://www.h%d.org/\"}, \"more\": [%d]}\n",
    i, i % 1500, i % 1500, i % 3, i }' >docs.jsonl

# Untouched documents come out byte for byte; a part of them by a seed, the same at any threads.
run "$LLMTOOL" sample docs.jsonl --fraction 1 -o same.jsonl && exits 0 && prints "100.00%"
cmp docs.jsonl same.jsonl
run "$LLMTOOL" sample docs.jsonl -n 100 --seed 3 -o a.jsonl --threads 1 && exits 0
[[ $(wc -l <a.jsonl) == 100 ]]
run bash -c "'$LLMTOOL' sample -n 100 --seed 3 --threads 3 -q <docs.jsonl >b.jsonl" && exits 0
cmp a.jsonl b.jsonl
tac docs.jsonl >tac.jsonl
"$LLMTOOL" sample tac.jsonl -n 100 --seed 3 -q 2>/dev/null | sed 's/.*"text": "\([^"]*\)".*/\1/' | sort -u >c
sed 's/.*"text": "\([^"]*\)".*/\1/' a.jsonl | sort -u | cmp - c  # in any order the same texts
run "$LLMTOOL" sample docs.jsonl -n 100 --seed 4 -o other.jsonl && exits 0
cmp -s a.jsonl other.jsonl && failed "another seed drew the same documents"

# Pipes, compressed outputs, and what was dropped.
run bash -c "'$LLMTOOL' sample docs.jsonl --fraction 0.5 -q | '$LLMTOOL' stats -q --json >stats.json"
exits 0
kept=$("$LLMTOOL" sample docs.jsonl --fraction 0.5 -q | wc -l)
python3 - "$kept" <<'END' || failed "stats counted other documents, or says so in words"
import json, sys
facts = json.load(open("stats.json"))["steps"][0]["facts"]
assert facts["documents"] == int(sys.argv[1]) == sum(facts["domains"].values()), facts
assert set(facts["domains"]) == {"h0.org", "h1.org", "h2.org"}, facts
assert facts["words_a_document"] == 4 and facts["distinct_ids_estimated"] > 0, facts
END
for ending in gz zst; do
  run "$LLMTOOL" sample docs.jsonl --fraction 0.5 -o half.jsonl.$ending --rejected rejected-$ending
  exits 0
  run "$LLMTOOL" sample half.jsonl.$ending rejected-$ending/01-sample.jsonl.zst --fraction 1 -q
  exits 0
  [[ $(wc -l <out) == 3000 ]] || failed "documents were lost between kept and rejected"
  [[ $(grep -c '"rule":"sample.not_drawn"' out) == $((3000 - kept)) ]] || failed "no reasons"
done
run "$LLMTOOL" verify half.jsonl.zst.run.json && exits 0

# Shards share the work.
for i in 0 1 2; do "$LLMTOOL" sample docs.jsonl --fraction 1 --shard $i/3 -o s$i.jsonl -q >/dev/null; done
sort s0.jsonl s1.jsonl s2.jsonl | cmp - <(sort docs.jsonl)
[[ -s s0.jsonl && -s s1.jsonl && -s s2.jsonl ]]
# Shards share a folder of what they drop, and each manifest has its own.
for i in 0 1 2; do
  "$LLMTOOL" sample docs.jsonl --fraction 0.5 --shard $i/3 -o half$i.jsonl --rejected half -q >s.log
done
[[ $(grep -c '"half/' half2.jsonl.run.json) == 1 ]] && grep -q '"half/01-sample.2of3.jsonl.zst"' half2.jsonl.run.json
"$LLMTOOL" verify half0.jsonl -q >verified
run "$LLMTOOL" sample docs.jsonl -n 1 --shard 3/3 && exits 2 && says "expected i/n with 0 <= i < n"

# A folder is a tree of texts; what lies in .git does not count.
mkdir -p tree/.git tree/sub && echo one >tree/b.txt && echo two >tree/sub/a.c && echo no >tree/.git/x
run "$LLMTOOL" sample tree --fraction 1 -q && exits 0
printf '%s\n' '{"id":"b.txt","text":"one\n","metadata":{"path":"b.txt"}}' \
  '{"id":"sub/a.c","text":"two\n","metadata":{"path":"sub/a.c"}}' | cmp - out

# Steps from a file.
cat >mix.toml <<'END'
inputs = ["docs.jsonl"]
output = "mixed.jsonl"
report = "report"
rejected = "mixed-rejected"
[[step]]
run = "sample"
fraction = 0.9
seed = 1
[[step]]
run = "stats"
[[step]]
run = "sample"
count = 50
END
run "$LLMTOOL" corpus run mix.toml && exits 0
[[ $(wc -l <mixed.jsonl) == 50 ]]
"$LLMTOOL" sample docs.jsonl --fraction 0.9 --seed 1 -q | "$LLMTOOL" sample -n 50 -q | cmp - mixed.jsonl
grep -q '"step": "stats"' report/report.json
grep -q '<svg' report/report.html
! grep -qE 'https?://[^"]*"[^>]*(src|href)|<(script|link|img)[^>]*(src|href)=' report/report.html
[[ -s mixed-rejected/01-sample.jsonl.zst && -s mixed-rejected/03-sample.jsonl.zst ]]
[[ ! -e mixed-rejected/02-stats.jsonl.zst && ! -e mixed.jsonl.work ]]
run "$LLMTOOL" corpus run mix.toml && exits 2 && says "is already there"
# The same command with --resume has nothing to do, and says what it said; another one has no run to go on with.
cp mixed.jsonl.run.json first.json
run "$LLMTOOL" corpus run mix.toml --resume --json && exits 0 && says "this run has ended already"
python3 -c 'import json, sys; assert json.load(open("out")) == json.load(open("first.json"))["result"]'
cmp first.json mixed.jsonl.run.json
run "$LLMTOOL" corpus run mix.toml --resume --report elsewhere && exits 2 && says "is already there"
mkdir mixed.jsonl.work && : >mixed.jsonl.work/run.lock && : >mixed.jsonl.work/rest  # killed while it removed these
run "$LLMTOOL" corpus run mix.toml --resume && exits 0
[[ ! -e mixed.jsonl.work ]]
run "$LLMTOOL" corpus run mix.toml --resume --text-field content && exits 2 && says "is already there"
cp mixed.jsonl whole.jsonl && truncate -s -1 mixed.jsonl
run "$LLMTOOL" corpus run mix.toml --resume && exits 2 && says "is already there"
mv whole.jsonl mixed.jsonl
# Samples of documents are in the report and not in the manifest.
run "$LLMTOOL" filter docs.jsonl --rules length.words --min length.words=5 -o long.jsonl --report long && exits 0
grep -q 'document 1' long/report.json
! grep -q 'document 1' long.jsonl.run.json || failed "documents are in the manifest"
run "$LLMTOOL" corpus run mix.toml --overwrite --threads 1 -o again.jsonl && exits 0
cmp mixed.jsonl again.jsonl

bad_toml() { printf '%s\n' "$1" >bad.toml; run "$LLMTOOL" corpus run bad.toml && exits 2 && says "$2"; }
bad_toml 'inputs = ["docs.jsonl"]' "has no [[step]]"
bad_toml '[[step]]
run = "sampel"' "bad.toml:2: there is no step 'sampel'"
says "did you mean 'sample'?"
bad_toml '[[step]]
run = "sample"
cuont = 3' "bad.toml:3: 'cuont' is no flag of llmtool sample"
says "did you mean 'count'"
bad_toml 'outptu = "x"
[[step]]
run = "stats"' "bad.toml:1: 'outptu' is no flag"
bad_toml '[[step]]
count = 3' "needs \`run\`"
bad_toml '[[step]]
run = "sample"
count = "three"' "'count' expects"

# Wrong use.
run "$LLMTOOL" sample docs.jsonl && exits 2 && says "either a count or a fraction"
run "$LLMTOOL" sample docs.jsonl -n 5 -o docs.jsonl --overwrite && exits 2 && says "is an input and the output"
run "$LLMTOOL" sample docs.jsonl -n 5 --json && exits 2 && says "give --output"
run "$LLMTOOL" sample none.jsonl -n 5 && exits 4 && says "none.jsonl"
run "$LLMTOOL" sample 'none*.jsonl' -n 5 && exits 4 && says "no file matches"
run "$LLMTOOL" sample - -n 5 --resume -o x.jsonl </dev/null && exits 2 && says "--resume needs inputs"
run "$LLMTOOL" sample docs.jsonl -n 5 --resume && exits 2 && says "--resume needs inputs"
: >empty.jsonl
run "$LLMTOOL" sample empty.jsonl -n 5 -o none.jsonl.zst && exits 0
zstd -dc none.jsonl.zst | cmp - empty.jsonl

# Another name for the text, also where the documents are read twice or wait in between.
sed 's/"text"/"content"/' docs.jsonl >named.jsonl
for flow in "-n 40" "--fraction 0.5"; do
  run "$LLMTOOL" sample named.jsonl $flow --text-field content -q && exits 0
  grep -c '"content"' out >/dev/null || failed "no documents"
  run bash -c "'$LLMTOOL' sample $flow --text-field content -q <named.jsonl >piped" && exits 0
  "$LLMTOOL" sample named.jsonl $flow --text-field content -q 2>/dev/null | cmp - piped
done

# Origins go with the documents through passes: copies of one file only.
cp docs.jsonl copy.jsonl
cat >scope.toml <<'END'
[[step]]
run = "sample"
count = 5000
[[step]]
run = "dedup exact"
scope = "file"
END
run "$LLMTOOL" corpus run scope.toml docs.jsonl copy.jsonl -q && exits 0
count=$(wc -l <out)
((count > 1500)) || failed "$count documents: copies were looked for across files"

# What is no work folder of a run is left alone.
mkdir -p precious/kept.jsonl.work && echo mine >precious/p.txt && echo mine >precious/kept.jsonl.work/p.txt
run "$LLMTOOL" sample docs.jsonl -n 5 -o kept2.jsonl --work precious && exits 0
[[ $(cat precious/p.txt) == mine ]]
run "$LLMTOOL" sample docs.jsonl -n 5 -o kept.jsonl --work precious --overwrite && exits 2
says "has files that no stopped run left"
[[ $(cat precious/kept.jsonl.work/p.txt) == mine ]]

# An output inside the folder that is read is no input, and two runs do not share what they write.
mkdir -p inside && cp docs.jsonl inside/
(cd inside && "$LLMTOOL" sample . -n 7 --format jsonl -o out.jsonl --rejected r -q >/dev/null &&
  "$LLMTOOL" sample . -n 7 --format jsonl -o out.jsonl --rejected r -q --overwrite >/dev/null)
[[ $(wc -l <inside/out.jsonl) == 7 ]]
run "$LLMTOOL" sample docs.jsonl -n 5 -o new.jsonl --rejected inside/r && exits 2 && says "is already there"
(flock 9 && run "$LLMTOOL" sample docs.jsonl -n 5 -o new.jsonl && exits 2 && says "another process") \
  9>new.jsonl.partial

# A file that is a document is named by its path, given by itself or found in a folder.
run "$LLMTOOL" sample tree/b.txt --fraction 1 -q && exits 0
prints '"id":"tree/b.txt"' && prints '"metadata":{"path":"tree/b.txt"}'
run "$LLMTOOL" sample tree/sub/a.c --fraction 1 -q --format text && exits 0
prints '"id":"tree/sub/a.c"'
run "$LLMTOOL" sample tree/sub/a.c --fraction 1 -q && exits 3
says "tree/sub/a.c:1: invalid JSON" && says "--format text reads a document a file"
run "$LLMTOOL" sample - --fraction 1 -q --format text <tree/b.txt && exits 0 && prints '{"text":"one\n"}'
mkdir -p nothing && run "$LLMTOOL" stats nothing && exits 0 && says "folder 'nothing' has no files"

# What a run leaves beside its output is no input of the next one.
mkdir -p again/old.jsonl.work && run "$LLMTOOL" sample docs.jsonl -n 5 -o again/a.jsonl -q && exits 0
: >again/old.jsonl.work/checkpoint.json && echo x >again/old.jsonl.work/x.txt && echo y >again/b.jsonl.partial
for inputs in again 'again/*'; do
  run "$LLMTOOL" sample "$inputs" --fraction 1 -q && exits 0 && cmp out again/a.jsonl
done
printf '{"text":"t"}\n' >again/run.json
run "$LLMTOOL" sample again --fraction 1 -q && exits 0 && [[ $(wc -l <out) == 6 ]]

# A name through a folder that is not there yet is still the name of the input.
cp docs.jsonl own.jsonl
run "$LLMTOOL" dedup exact own.jsonl -o new_folder/../own.jsonl && exits 2 && says "is an input and the output"
cmp docs.jsonl own.jsonl
run "$LLMTOOL" sample docs.jsonl -n 1 -o place --rejected place && exits 2 && says "is a folder and a file"

# Counts have no sign; a size is written as on the command line; an empty list is no standard input.
for flags in "sample docs.jsonl -n -1" "dedup exact docs.jsonl --min-chars=-1" "stats docs.jsonl --memory=-1"; do
  # shellcheck disable=SC2086
  run "$LLMTOOL" $flags && exits 2 && says "0 or more"
done
printf 'memory = "64M"\nunit = "line"\n' >size.toml
run "$LLMTOOL" dedup exact docs.jsonl --config size.toml -q && exits 0
printf 'memory = true\n' >size.toml
run "$LLMTOOL" dedup exact docs.jsonl --config size.toml -q && exits 2 && says "a size such as 512M or 2G"
printf 'inputs = []\n' >empty.toml
run "$LLMTOOL" stats --config empty.toml && exits 2 && says "is an empty list"

# Past a limit of the shell a run says so, and goes on later.
for ((i = 0; i < 20000; ++i)); do echo "{\"text\":\"line $i\"}"; done >many.jsonl
run bash -c 'ulimit -f 64 && exec "$0" sample many.jsonl --fraction 1 -o limited.jsonl' "$LLMTOOL"
exits 4 && says "file too large"
run "$LLMTOOL" sample many.jsonl --fraction 1 -o limited.jsonl --resume && exits 0 && cmp many.jsonl limited.jsonl

# Two runs that make an index at once: one after the other, or one is told.
for i in 1 2 3 4; do
  rm -rf shared_index one.jsonl* two.jsonl*
  "$LLMTOOL" dedup exact docs.jsonl --index shared_index -o one.jsonl -q >one.out 2>one.err &
  run "$LLMTOOL" dedup exact many.jsonl --index shared_index -o two.jsonl -q
  first=0 && wait $! || first=$?
  ((first == 0 || status == 0)) || failed "neither of two runs could write the index: $first"
  ((first == 0)) || grep -q "another run has changed the index" one.err || failed "$(cat one.err)"
  ((status == 0)) || says "another run has changed the index"
done

# --overwrite of a run whose documents its index has would drop them all.
run "$LLMTOOL" dedup exact many.jsonl --index own_index -o kept.jsonl -q && exits 0 && cp kept.jsonl kept.copy
run "$LLMTOOL" dedup exact many.jsonl --index own_index -o kept.jsonl -q --overwrite
exits 2 && says "would be dropped as copies" && cmp kept.jsonl kept.copy
run "$LLMTOOL" dedup exact docs.jsonl --index own_index -o kept.jsonl -q --overwrite && exits 0

# Closed standard streams are not the first files that are opened.
run bash -c '"$0" sample docs.jsonl --fraction 1 -o closed.jsonl --overwrite <&- >&- 2>&-' "$LLMTOOL"
exits 0 && cmp docs.jsonl closed.jsonl

# Links in a folder are not followed, and counted.
mkdir -p links && cp docs.jsonl links/a.jsonl && ln -s ../many.jsonl links/b.jsonl
run "$LLMTOOL" sample links --fraction 1 -q && exits 0 && cmp out docs.jsonl && says "1 link in it not followed"

# Numbers of any size pass as they stand.
printf '{"text":"t","n":%s,"m":1e999}\n' 123456789012345678901234567890 >large.jsonl
run "$LLMTOOL" sample large.jsonl --fraction 1 -q && exits 0 && cmp out large.jsonl

# Bytes that are no text are named, or counted and left out before anything is decided by them.
mkdir -p pages && for i in 1 2 3 4 5; do echo "<p>page $i" >pages/$i.html; done
printf '<p>caf\xe9' >pages/0.html
run "$LLMTOOL" sample pages -n 5 && exits 3 && says "0.html:1: the text is not valid UTF-8"
run "$LLMTOOL" sample pages -n 5 --skip-bad -o paged.jsonl && exits 0
says "1 records that cannot be read left out"
[[ $(wc -l <paged.jsonl) == 5 ]]
printf 'name' >"pages/$(printf 'a\xff').txt"
run "$LLMTOOL" sample pages --fraction 1 --skip-bad -q && exits 0
"$LLMTOOL" stats -q <out >/dev/null

# One file for each value: a value names neither a folder, nor an ending, nor what the run writes besides.
printf '{"text": "t", "attributes": {"language": "%s"}}\n' en ../../evil .. run.json x.partial language.work '' >values.jsonl
run "$LLMTOOL" sample values.jsonl --fraction 1 -o 'values/{attributes.language}.jsonl' -q && exits 0
[[ $(cd values && ls -A | LC_ALL=C sort | xargs) == "_.jsonl __.jsonl ______evil.jsonl en.jsonl language_work.jsonl run.json run_json.jsonl x_partial.jsonl" ]]
[[ $(cat values/*.jsonl | wc -l) == 7 ]]
for name in '{attributes.language}' '{attributes.language}.json'; do
  run "$LLMTOOL" sample values.jsonl --fraction 1 -o "other/$name" -q && exits 2 && says "other/run.json"
done
