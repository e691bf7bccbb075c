#!/usr/bin/env bash
# llmtool ngram build-binary, score and buckets as programs: numbers, languages, the same bytes at
# any number of threads, and what is refused.
set -euo pipefail
source "$SOURCE/tests/cli/expect.sh"

printf '%b' '\\data\\\nngram 1=5\nngram 2=3\n\n\\1-grams:\n-2\t<unk>\n-99\t<s>\t-0.25\n-1\t</s>\n' \
  '-0.5\ta\t-0.125\n-0.75\tb\t-0.0625\n\n\\2-grams:\n-0.25\t<s> a\n-0.5\ta b\n-0.125\tb </s>\n\n\\end\\\n' >m.arpa
gzip -k m.arpa
run "$LLMTOOL" ngram build-binary m.arpa.gz -o m.bin
exits 0
run "$LLMTOOL" ngram build-binary m.arpa -o m.bin
exits 2
says "is there already"

python3 - >in.jsonl <<'END'
import json
for i in range(3000):
    text = "\n".join(["a b", "b a x", "", "a a a b"][: i % 4 + 1]) if i % 50 else " \n"
    attributes = {"language": ["en", "de", "xx"][i % 3]}
    print(json.dumps({"id": f"d{i}", "text": text, "attributes": attributes}))
END
for model in m.arpa m.bin; do
  for threads in 1 4; do
    run "$LLMTOOL" ngram score in.jsonl --model en=$model --model de=$model --details --lines \
      --threads $threads -o $model.$threads.jsonl
    exits 0
  done
done
cmp m.arpa.1.jsonl m.arpa.4.jsonl
cmp m.arpa.1.jsonl m.bin.1.jsonl
cmp m.arpa.1.jsonl m.bin.4.jsonl
python3 - <<'END'
import json
for i, line in enumerate(open("m.bin.1.jsonl")):
    attributes = json.loads(line)["attributes"]
    assert ("perplexity" in attributes) == (i % 3 != 2 and i % 50 != 0), line
    if i % 3 != 2 and i % 4 == 0 and i % 50:  # "a b": -0.25 - 0.5 - 0.125
        assert attributes["log10_probability"] == -0.875, line
        assert attributes["perplexity"] == round(10 ** (0.875 / 3), 1), line
        assert attributes["line_perplexity"] == [attributes["perplexity"]], line
END

run "$LLMTOOL" ngram score in.jsonl --model m.bin --max-perplexity 2 --rejected away -o low.jsonl
exits 0
[[ $(wc -l <low.jsonl) -lt 3000 ]] || failed "documents above 2 are dropped"

for threads in 1 4; do
  run "$LLMTOOL" ngram buckets m.bin.1.jsonl --threads $threads --write-cutoffs $threads.csv \
    -o $threads.buckets.jsonl --report report.$threads
  exits 0
done
cmp 1.buckets.jsonl 4.buckets.jsonl
cmp 1.csv 4.csv
[[ $(head -1 1.csv) == percentile,de,en && $(wc -l <1.csv) == 102 ]] || failed "a table of cut-offs"
grep -q "Perplexity, en" report.1/report.html || failed "the report has a histogram of each language"
run "$LLMTOOL" ngram buckets m.bin.1.jsonl --cutoffs 1.csv -o again.jsonl
exits 0
cmp 1.buckets.jsonl again.jsonl
python3 - <<'END'
import collections, json
seen = collections.Counter()
for line in open("again.jsonl"):
    attributes = json.loads(line)["attributes"]
    bucket = attributes["perplexity_bucket"]
    assert (bucket == "all") == ("perplexity" not in attributes), line
    seen[attributes["language"], bucket] += 1
assert seen["xx", "all"] == 1000 and seen["en", "tail"] > 0, seen
END

run "$LLMTOOL" ngram score in.jsonl --model in.jsonl -o no.jsonl
exits 3
says 'expected \data\'
head -c 200 m.bin >short.bin
run "$LLMTOOL" ngram score in.jsonl --model short.bin -o no.jsonl
exits 3
says "short.bin"
run "$LLMTOOL" ngram score in.jsonl --model en=m.bin --tokenizer de=m.bin -o no.jsonl
exits 2
run "$LLMTOOL" ngram buckets in.jsonl --percentiles 60,30 -o no.jsonl
exits 2
run "$LLMTOOL" ngram buckets in.jsonl --cutoffs in.jsonl -o no.jsonl
exits 3

# What is no piece of the tokenizer is a word as it stands, when a model is made and when it is asked.
for i in $(seq 200); do echo "the $((i % 7)) cats and $((i % 5)) dogs sat"; done >plain.txt
"$LLMTOOL" tokenizer train plain.txt -o tok --vocab-size 40 --no-byte-fallback -q >/dev/null
sed 's/cats/ж cats/' plain.txt >odd.txt
run "$LLMTOOL" ngram train odd.txt -t tok --order 2 --discount-fallback -o odd.arpa -q && exits 0
grep -qP '\tж\t' odd.arpa || failed "the unknown character is no word of the model"
run "$LLMTOOL" ngram score odd.txt --format lines --model odd.arpa --tokenizer tok --details -o scored.jsonl -q && exits 0
python3 - <<'END'
import json
for line in open("scored.jsonl"):
    attributes = json.loads(line)["attributes"]
    assert attributes["ngram_unknown"] == 0 and attributes["ngram_words"] > 5, attributes
END
