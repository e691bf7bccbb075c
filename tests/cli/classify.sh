#!/usr/bin/env bash
# llmtool lang and llmtool classify as programs: attributes, thresholds, the same bytes at any number
# of threads, models of other programs' form, reports, and what is refused.
set -euo pipefail
source "$SOURCE/tests/cli/expect.sh"

refused() {  # refused CODE TEXT COMMAND...
  run "${@:3}"
  exits "$1"
  says "$2"
}

python3 - <<'END_OF_DATA'
import json, random
rng = random.Random(5)
ours = "explain example because therefore method result theory consider figure proof".split()
theirs = "buy cheap click offer sale discount price order now shipping".split()
both = [f"w{i}" for i in range(60)]
def text(own):
  return " ".join(rng.choice(own if rng.random() < 0.25 else both) for _ in range(rng.randint(8, 60)))
for name, own in ("good", ours), ("bad", theirs):
  with open(name + ".jsonl", "w") as f:
    for i in range(1500):
      f.write(json.dumps({"id": f"{name}{i}", "text": text(own) + ".\n",
                          "metadata": {"kind": name}}) + "\n")
with open("tongues.jsonl", "w") as f:
  for i, text in enumerate(["The weather was fine and we walked along the river.",
                            "Das Wetter war schön und wir gingen am Fluss entlang.",
                            "Il faisait beau et nous avons marché le long de la rivière.", "1 2 3"] * 50):
    f.write(json.dumps({"id": str(i), "text": text}) + "\n")
END_OF_DATA

# ---- lang ----
"$LLMTOOL" lang tongues.jsonl -o one.jsonl --threads 1 --report report -q
"$LLMTOOL" lang tongues.jsonl -o many.jsonl --threads 3 -q
cmp one.jsonl many.jsonl
"$LLMTOOL" lang tongues.jsonl --keep en,fr --min-score 0.5 -o kept.jsonl -q
[[ $(wc -l <kept.jsonl) == 100 ]]
python3 - <<'END_OF_CHECK'
import json
want = ["en", "de", "fr", "und"]
for i, line in enumerate(open("one.jsonl")):
  d = json.loads(line)["attributes"]
  assert d["language"] == want[i % 4], (i, d)
  assert (d["language_score"] > 0.5) == (i % 4 < 3), d
step = json.load(open("report/report.json"))["steps"][0]
assert "language_score" in json.dumps(step)
END_OF_CHECK
"$LLMTOOL" lang tongues.jsonl --like ccnet -o ccnet.jsonl -q
[[ $(wc -l <ccnet.jsonl) == 150 ]]
refused 2 "the model has no language 'xx'" "$LLMTOOL" lang tongues.jsonl --keep xx -o no.jsonl
head -c 1000 one.jsonl >no-model.bin
refused 3 "this is no fastText model" "$LLMTOOL" lang tongues.jsonl --model no-model.bin -o no.jsonl
refused 4 "missing.bin" "$LLMTOOL" lang tongues.jsonl --model missing.bin -o no.jsonl

# ---- classify ----
flags=(--dim 8 --epochs 20 --held-out 0.2 -q)
"$LLMTOOL" classify train --label good=good.jsonl --label bad=bad.jsonl "${flags[@]}" -o model >said
grep -q "largest F1" said
"$LLMTOOL" classify train --label good=good.jsonl --label bad=bad.jsonl "${flags[@]}" -o again \
  --threads 3 >/dev/null
cmp model/model.bin again/model.bin
"$LLMTOOL" classify train good.jsonl bad.jsonl --label-member metadata.kind --target good \
  "${flags[@]}" --word-ngrams 2 --buckets 5000 --quantize -o small --at-precision 0.95 >/dev/null
"$LLMTOOL" verify model >/dev/null
python3 - <<'END_OF_CHECK'
import json
for folder in "model", "small":
  r = json.load(open(folder + "/report.json"))
  assert r["learnt"] + r["held_out"] == 3000 and r["held_out"] > 450, r["held_out"]
  assert r["target"] == "good" and r["area_under_roc"] > 0.95, r["area_under_roc"]
  assert r["chosen"]["precision"] > 0.9 and r["chosen"]["recall"] > 0.8, r["chosen"]
  page = open(folder + "/report.html").read()
  assert "area under ROC" in page and "chosen" in page
assert r["chosen"]["precision"] >= 0.95
END_OF_CHECK

# A folder is the files below it, each a document.
mkdir -p folder/good/deeper folder/bad
for i in {1..40}; do
  echo "because the proof follows from result $((i % 7)) of part $i" >folder/good/deeper/$i.txt
  echo "buy now for a price of $((i % 7)) and shipping of $i" >folder/bad/$i
done
"$LLMTOOL" classify train --label good=folder/good --label bad=folder/bad,bad.jsonl \
  "${flags[@]}" -o from-folders >/dev/null
"$LLMTOOL" verify from-folders >/dev/null
python3 - <<'END_OF_CHECK'
import json
r = json.load(open("from-folders/report.json"))
assert r["learnt"] + r["held_out"] == 1580, r
assert [l["learnt"] + l["held_out"] for l in r["labels"]] == [40, 1540], r["labels"]
inputs = {i["path"] for i in json.load(open("from-folders/run.json"))["inputs"]}
assert sum("/folder/good/deeper/" in i or i.startswith("folder/good/deeper/") for i in inputs) == 40
END_OF_CHECK
refused 2 "lies in 'folder/good'" "$LLMTOOL" classify train --label good=folder/good \
  --label bad=bad.jsonl -o folder/good/model

for threads in 1 3; do
  "$LLMTOOL" classify score good.jsonl bad.jsonl --model model/model.bin --name hq --threads $threads \
    -o scored$threads.jsonl -q
done
cmp scored1.jsonl scored3.jsonl
"$LLMTOOL" classify score good.jsonl bad.jsonl --model model/model.bin --name hq --use-threshold \
  -o kept.jsonl --overwrite -q
python3 - <<'END_OF_CHECK'
import json
threshold = json.load(open("model/report.json"))["chosen"]["threshold"]
scores = {d["id"]: d["attributes"]["hq"] for d in map(json.loads, open("scored1.jsonl"))}
kept = {json.loads(line)["id"] for line in open("kept.jsonl")}
assert len(scores) == 3000 and kept == {i for i, s in scores.items() if s >= threshold}
good = sum(i.startswith("good") for i in kept)
assert good > 0.85 * len(kept) and good > 1200, (good, len(kept))
END_OF_CHECK

refused 2 "already" "$LLMTOOL" classify train --label a=good.jsonl --label b=bad.jsonl -o model
refused 2 "texts need labels" "$LLMTOOL" classify train good.jsonl -o other
refused 3 "texts of two labels" "$LLMTOOL" classify train --label a=good.jsonl -o other
refused 2 "has no label 'best'" "$LLMTOOL" classify score good.jsonl --model model/model.bin \
  --label best -o no.jsonl
refused 2 "of --memory" "$LLMTOOL" classify train --label a=good.jsonl \
  --label b=bad.jsonl --word-ngrams 2 --buckets 100000000 -o other
