#!/usr/bin/env bash
# Mixes of sources: shares, seeds, budgets, the table, and shards made without the copy.
set -euo pipefail
source "$SOURCE/tests/cli/expect.sh"

awk 'BEGIN { srand(5); for (s = 0; s < 3; s++) for (i = 0; i < 300; i++) {
  t = ""; n = 3 + exp(rand() * 5); for (j = 0; j < n; j++) t = t sprintf("%c%c%c ", 97 + rand() * 26, 97 + rand() * 9, 97 + rand() * 26)
  printf "{\"id\": \"%d-%d\", \"text\": \"%s\", \"attributes\": {\"language\": \"%s\"}}\n", s, i, t, i % 10 ? "en" : "fi" > ("s" s ".jsonl") } }'
gzip s2.jsonl
cat >mix.toml <<'END'
bytes = 200_000
seed = 3
[[source]]
name = "web"
inputs = ["s0.jsonl"]
share = 0.6
[[source]]
name = "code"
inputs = ["s1.*"]
weight = 1
[[source]]
name = "books"
inputs = ["s2.jsonl.gz"]
weight = 2
by = "attributes.language"
temperature = 3
END
run "$LLMTOOL" mix mix.toml -o mix.jsonl --report report --json -q && exits 0
python3 - <<'END'
import json
report = json.load(open("out"))
assert report == json.load(open("report/report.json"))
asked = {"web": .6, "code": .4 / 3, "books": .8 / 3}
text = dict.fromkeys(asked, 0)
languages = {}
for line in open("mix.jsonl"):
    document = json.loads(line)
    source = document["attributes"]["mix_source"]
    text[source] += len(document["text"].encode())
    if source == "books":
        key = document["attributes"]["language"]
        languages[key] = languages.get(key, 0) + len(document["text"])
total = sum(text.values())
assert abs(total - 200_000) < 1500, total
for source in report["sources"]:
    assert abs(source["share_asked"] - asked[source["name"]]) < 1e-9, source
    assert abs(text[source["name"]] / total - source["share_given"]) < 1e-6, source
    assert abs(source["share_given"] - source["share_asked"]) < .005, source
fi = [p for p in report["sources"][2]["parts"] if p["value"] == "fi"][0]
size = {p["value"]: p["text_bytes"] for p in report["sources"][2]["parts"]}
share = size["fi"] ** (1 / 3) / (size["fi"] ** (1 / 3) + size["en"] ** (1 / 3))
assert abs(languages["fi"] / text["books"] - share) < .01, (languages, share)
END
grep -q 'Sampling prop.' report/report.html

# The same bytes at any threads and memory; others with another seed.
run "$LLMTOOL" mix mix.toml -o again.jsonl --threads 1 --memory 64K -q && exits 0 && prints "Sampling prop."
cmp mix.jsonl again.jsonl
"$LLMTOOL" mix mix.toml --threads 3 -q >piped.jsonl 2>err && cmp mix.jsonl piped.jsonl
run "$LLMTOOL" mix mix.toml -o other.jsonl.zst --seed 4 -q && exits 0
zstd -dc other.jsonl.zst >other.jsonl && ! cmp -s mix.jsonl other.jsonl
run "$LLMTOOL" mix mix.toml -o mix.jsonl -q && exits 2 && says "already there"

# Shards made from the recipe are those of the mix; what is held out is no part of it.
"$LLMTOOL" tokenizer train s0.jsonl s1.jsonl -o tok --vocab-size 400 -q >/dev/null
run "$LLMTOOL" mix mix.toml -o tokens.jsonl -t tok --tokens 90k -q && exits 0
"$LLMTOOL" tokenize tokens.jsonl -t tok -o copied -q >/dev/null
run "$LLMTOOL" tokenize --mix mix.toml --tokens 90k -t tok -o direct --memory 64K -q && exits 0 && prints "Sampling prop."
for file in bin idx; do cmp copied/train/train_00000.$file direct/train/train_00000.$file; done
run "$LLMTOOL" tokenize --mix mix.toml -t tok -o split --val-fraction 0.2 --val-documents val.jsonl -q && exits 0
[[ $(sort val.jsonl | uniq -d | wc -l) == 0 && -s val.jsonl ]]
"$LLMTOOL" tokenize val.jsonl -t tok -o val -q >/dev/null && cmp val/train/train_00000.bin split/val/val_00000.bin

# Files to hold out: as if they were tokenised by themselves, beside what the hash holds out.
"$LLMTOOL" tokenize s1.jsonl -t tok -o val -q --overwrite >/dev/null
run "$LLMTOOL" tokenize s0.jsonl --val s1.jsonl -t tok -o split -q --overwrite && exits 0
cmp val/train/train_00000.bin split/val/val_00000.bin
run "$LLMTOOL" tokenize --mix mix.toml --val s1.jsonl -t tok -o split -q --overwrite && exits 0
cmp val/train/train_00000.bin split/val/val_00000.bin
run "$LLMTOOL" tokenize s0.jsonl --val none.jsonl -t tok -o split -q --overwrite && exits 4 && says "none.jsonl"
[[ -s split/dataset.json ]]

# What is wrong is said.
run "$LLMTOOL" mix mix.toml -o x.jsonl --tokens 90k && exits 2 && says "needs a tokenizer"
run "$LLMTOOL" tokenize -t tok -o x && exits 2 && says "--mix"
run "$LLMTOOL" tokenize s0.jsonl -t tok -o x --tokens 5k && exits 2 && says "--mix"
sed 's/weight = 1/wieght = 1/' mix.toml >bad.toml
run "$LLMTOOL" mix bad.toml -o x.jsonl && exits 2 && says "bad.toml:10" && says "did you mean 'weight'"
sed 's/weight = [12]/share = 0.1/' mix.toml >bad.toml
run "$LLMTOOL" mix bad.toml -o x.jsonl && exits 2 && says "the shares are 0.8 of the whole"
sed 's/"attributes.language"/"attributes.lang"/' mix.toml >bad.toml
run "$LLMTOOL" mix bad.toml -o x.jsonl && exits 3 && says "attributes.lang"
sed 's/s0.jsonl/missing.jsonl/' mix.toml >bad.toml
run "$LLMTOOL" mix bad.toml -o x.jsonl && exits 4 && says "missing.jsonl"
sed 's/"code"/"web"/' mix.toml >bad.toml
run "$LLMTOOL" mix bad.toml -o x.jsonl && exits 2 && says "a second source 'web'"
: >s3.jsonl
sed 's/s0.jsonl/s3.jsonl/' mix.toml >bad.toml
run "$LLMTOOL" mix bad.toml -o x.jsonl && exits 3 && says "'web' has no text"
[[ ! -e x.jsonl ]]
head -c 3000 s2.jsonl.gz >cut.jsonl.gz
sed 's/s2.jsonl.gz/cut.jsonl.gz/' mix.toml >bad.toml
run "$LLMTOOL" mix bad.toml -o x.jsonl && exits 3 && says "cut.jsonl.gz"
run "$LLMTOOL" mix bad.toml -o x.jsonl --skip-bad -q && exits 0 && says "cut.jsonl.gz"
run "$LLMTOOL" tokenize --mix bad.toml -t tok -o cut --skip-bad -q && exits 0 && says "cut.jsonl.gz"
run "$LLMTOOL" tokenize cut.jsonl.gz -t tok -o cut --skip-bad --overwrite -q && exits 0 && says "cut.jsonl.gz"
sed 's/\[\[source\]\]/[source]/; 7,$d' mix.toml >bad.toml
run "$LLMTOOL" mix bad.toml -o y.jsonl && exits 2 && says "[[source]], in two brackets"
run "$LLMTOOL" mix mix.toml -o y.jsonl --bytes 0 && exits 2 && says "--bytes expects more than 0"
run "$LLMTOOL" mix mix.toml -o y.jsonl --work none/there --overwrite -q && exits 0
TMPDIR=/nonexistent run "$LLMTOOL" mix mix.toml && exits 4 && says TMPDIR

# More epochs than anybody wants fail before anything is written.
sed 's/bytes = 200_000/bytes = 5_000_000_000_000_000/' mix.toml >bad.toml
run "$LLMTOOL" mix bad.toml -o big.jsonl -q && exits 2 && says "'web' would be gone through"
[[ ! -e big.jsonl ]]

# What a run writes is no input: an error by its name, passed over in a folder. A file read twice is told of.
cp s0.jsonl own.jsonl
sed 's/s0.jsonl/own.jsonl/' mix.toml >bad.toml
run "$LLMTOOL" mix bad.toml -o own.jsonl --overwrite -q && exits 2 && says "'own.jsonl' is an input of 'web' and an output"
cmp s0.jsonl own.jsonl
mkdir folder && cp s0.jsonl folder
sed 's/s0.jsonl/folder/' mix.toml >bad.toml
for overwrite in '' --overwrite; do
  run "$LLMTOOL" mix bad.toml -o folder/mix.jsonl $overwrite -q && exits 0
  cmp mix.jsonl folder/mix.jsonl
done
sed 's/"s0.jsonl"/"s0.jsonl", ".\/s1.jsonl"/' mix.toml >bad.toml
run "$LLMTOOL" mix bad.toml -o twice.jsonl -q && exits 0 && says "'s1.jsonl' is an input of 'web' and again of 'code'"
sed 's/s0.jsonl/-/; s/s1.\*/-/' mix.toml >bad.toml
run "$LLMTOOL" mix bad.toml -o twice.jsonl --overwrite && exits 2 && says "standard input is an input of 'web' and of 'code'"

# Values of documents do not move the cursor.
printf '{"text": "a", "attributes": {"language": "\\u001b[2Ja\\nb"}}\n' >hostile.jsonl
printf '[[source]]\nname = "a"\ninputs = ["hostile.jsonl"]\nweight = 1\nby = "attributes.language"\n' >bad.toml
run "$LLMTOOL" mix bad.toml -o hostile-mix.jsonl -q && exits 0 && prints "?[2Ja?b"
