#!/usr/bin/env bash
# llmtool filter as a program: presets, thresholds, marks and attributes, lists, the same bytes at
# any number of threads and after a kill, and what is refused.
set -euo pipefail
source "$SOURCE/tests/cli/expect.sh"

# 2,000 documents: prose with stop words, lists, repeated lines, pages with cookies and brackets.
python3 - >in.jsonl <<'END'
import json, random
rng = random.Random(3)
common = "the be to of and that have with a in is was for on it".split()
names = [f"{a}{b}" for a in ("river", "stone", "cloud", "market") for b in ("side", "ford", "s", "")]
def sentence():
    words = [rng.choice(common if rng.random() < 0.5 else names) for _ in range(rng.randint(4, 16))]
    return " ".join(words).capitalize() + rng.choice([".", ".", "?", "!", "...", ""])
for i in range(2000):
    lines = [" ".join(sentence() for _ in range(rng.randint(1, 4))) for _ in range(rng.randint(2, 30))]
    kind = i % 10
    if kind == 1:
        lines = ["- " + rng.choice(names) for _ in lines]
    if kind == 2:
        lines += [rng.choice(lines)] * rng.randint(5, 40)
    if kind == 3:
        lines.insert(0, "We use cookies on this page of ours.")
    if kind == 4:
        lines.append("It is { a thing that they have here }.")
    print(json.dumps({"id": f"d{i}", "text": "\n".join(lines),
                      "metadata": {"url": f"http://{rng.choice(names)}.com/{i}"},
                      "attributes": {"lang": rng.choice(["en", "de"]), "score": i % 100 / 100}}))
END

# The same bytes whatever the threads, and after a kill.
for preset in c4 gopher fineweb; do
  run "$LLMTOOL" filter in.jsonl --preset $preset --threads 1 -o $preset.jsonl --rejected $preset.out \
    --report $preset.report
  exits 0
  [[ -s $preset.jsonl && $(wc -l <$preset.jsonl) -lt 2000 ]] || failed "some of 2000 documents stay"
  run "$LLMTOOL" filter in.jsonl --preset $preset --threads 5 -o $preset.5.jsonl --rejected $preset.5.out
  exits 0
  cmp $preset.jsonl $preset.5.jsonl
  diff -r $preset.out $preset.5.out >/dev/null || failed "the rejected documents differ"
  for after in 0.03 0.08; do
    rm -rf killed.jsonl killed.jsonl.work
    (timeout --foreground -s KILL $after "$LLMTOOL" filter in.jsonl --preset $preset \
      --checkpoint-every 0 -o killed.jsonl || true) >/dev/null 2>&1
    if [[ ! -e killed.jsonl ]]; then
      run "$LLMTOOL" filter in.jsonl --preset $preset --checkpoint-every 0 -o killed.jsonl --resume
      exits 0
    fi
    cmp $preset.jsonl killed.jsonl
  done
done

# A marked document keeps its text; its figures can be judged later, with the same result.
run "$LLMTOOL" filter in.jsonl --rules gopher.words,gopher.top_2gram --mark -o marked.jsonl
exits 0
[[ $(wc -l <marked.jsonl) == 2000 ]] || failed "marking drops nothing"
run "$LLMTOOL" filter in.jsonl --rules gopher.words,gopher.top_2gram --max gopher.words=400 \
  --min gopher.words=90 --max gopher.top_2gram=0.1 -o direct.jsonl
exits 0
run "$LLMTOOL" filter marked.jsonl --attribute 'attributes.gopher.words >= 90' \
  --attribute 'attributes.gopher.words <= 400' --attribute 'attributes.gopher.top_2gram <= 0.1' \
  -o later.jsonl
exits 0
python3 - <<'END'
import json
ids = [[json.loads(line)["id"] for line in open(name)] for name in ("direct.jsonl", "later.jsonl")]
assert ids[0] == ids[1] and 100 < len(ids[0]) < 1900, [len(i) for i in ids]
END

# Attributes: language and score; one that is missing is an error, not a pass.
run "$LLMTOOL" filter in.jsonl --attribute 'attributes.lang in en' --attribute 'attributes.score<0.5'
exits 0
python3 - <<'END'
import json
kept = [json.loads(line)["attributes"] for line in open("out")]
assert kept and all(a["lang"] == "en" and a["score"] < 0.5 for a in kept)
END
run "$LLMTOOL" filter in.jsonl --attribute 'attributes.language in en'
exits 3
says "attributes.language"
says "in.jsonl:1"
run "$LLMTOOL" filter in.jsonl --attribute 'attributes.lang <= 3'
exits 3
says "needs a number"

# Lists.
printf 'riverside.com\n' >domains
printf '# places\nMarketford\n' >words
run "$LLMTOOL" filter in.jsonl --rules url.domain,words.count --domain-list domains --word-list words
exits 0
python3 - <<'END'
import json, re
documents = [json.loads(line) for line in open("in.jsonl")]
wanted = [d["id"] for d in documents if not re.search(r"\bmarketford\b", d["text"].lower())
          and "//riverside.com/" not in d["metadata"]["url"]]
assert wanted and wanted == [json.loads(line)["id"] for line in open("out")]
END

# The flags stand in a TOML file, too.
cat >mix.toml <<'END'
[[step]]
run = "filter"
preset = ["gopher"]
max = ["gopher.top_2gram=0.3", "gopher.duplicate_5grams=none"]
END
run "$LLMTOOL" corpus run mix.toml in.jsonl -o mixed.jsonl
exits 0
run "$LLMTOOL" filter in.jsonl --preset gopher --max gopher.top_2gram=0.3 \
  --max gopher.duplicate_5grams=none -o flags.jsonl
exits 0
cmp mixed.jsonl flags.jsonl

# What is refused.
refuses() {  # refuses MESSAGE FLAGS...
  local message=$1
  shift
  run "$LLMTOOL" filter in.jsonl "$@"
  exits 2
  says "$message"
  silent
}
refuses "no rule to filter by"
refuses "did you mean 'gopher.words'" --rules gopher.word
refuses "did you mean 'gopher.words'" --rules length.words --min gopher.word=3
refuses "is not a finite number" --rules length.words --min length.words=nan
refuses "'many' is not a number" --rules length.words --min length.words=many
refuses "expected RULE=NUMBER" --rules length.words --min length.words
refuses "not among the rules" --rules length.words --min gopher.words=3
refuses "let nothing through" --rules length.words --min length.words=3 --max length.words=2
refuses "has no comparison" --attribute attributes.lang
refuses "needs a --word-list" --rules words.count
refuses "it is not among the rules" --preset gopher --without c4.policy
refuses "gofer" --preset gofer
run "$LLMTOOL" filter in.jsonl --rules words.count --word-list nowhere
exits 4
says "nowhere"
printf 'x\n\xff\n' >bytes
run "$LLMTOOL" filter in.jsonl --rules words.count --word-list bytes
exits 3
says "bytes:2"

# A list does not switch its rule on: what would do nothing is refused.
printf 'the\n' >words
refuses "--word-list is for the rules words.*, and none such is chosen" --preset c4 --word-list words
refuses "--domain-list is for the rule url.domain" --preset gopher --domain-list words
refuses "--extensions is for the rule code.extension" --preset c4 --extensions py
refuses "--gopher-variant is for the rules gopher.*" --preset c4 --gopher-variant dolma
run "$LLMTOOL" filter in.jsonl --preset c4 --rules words.count --word-list words -q
exits 0

# Numbers are compared as numbers, however they are spelt.
printf '{"text":"%s","attributes":{"n":%s}}\n' a 5 b 5.0 c 0.5 d 0.50 e '"5"' >numbers.jsonl
kept() { "$LLMTOOL" filter numbers.jsonl --attribute "$1" -q | sed 's/.*"text":"\(.\)".*/\1/' | tr -d '\n'; }
[[ $(kept 'attributes.n == 5') == abe && $(kept 'attributes.n != 0.5') == abe ]]
[[ $(kept 'attributes.n in 0.5,7') == cd && $(kept 'attributes.n not in 5.00') == cde ]]
run "$LLMTOOL" filter numbers.jsonl --attribute 'attributes.n => 0.3'
exits 2
says "'=>' in the condition"
