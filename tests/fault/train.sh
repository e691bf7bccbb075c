#!/usr/bin/env bash
# Bad input for `llmtool train` is named; a training that is stopped, killed or out of disk goes on
# with --resume and ends in the bytes of one that was never interrupted.
set -euo pipefail
if [[ -z ${IN_OWN_MOUNTS:-} ]] && unshare -m true 2>/dev/null; then
  exec unshare -m env IN_OWN_MOUNTS=1 bash "${BASH_SOURCE[0]}"
fi
source "$SOURCE/tests/cli/expect.sh"

awk 'BEGIN { srand(1); split("the of and river stone light winter under never walks", word, " ")
  for (d = 0; d < 1500; ++d) {
    s = ""
    for (i = 0; i < 20 + rand() * 40; ++i) s = s word[1 + int(rand() * 10)] " "
    printf "{\"text\": \"%s%d\"}\n", s, d } }' >docs.jsonl
run "$LLMTOOL" tokenizer train docs.jsonl -o tok --vocab-size 300 && exits 0
run "$LLMTOOL" tokenize docs.jsonl -t tok -o data --val-fraction 0.5 && exits 0
cat >run.toml <<'END'
[train]
data = "data"
hidden-size = 32
intermediate-size = 64
num-hidden-layers = 1
num-attention-heads = 2
seq-len = 32
batch-size = 8
steps = 300
eval-windows = 8
END
train=("$LLMTOOL" train --config run.toml)
train() { run "${train[@]}" -o "$@"; }
nothing() { [[ ! -e $1 ]] || failed "$1 should not be there"; }  # nothing FOLDER
no_leftovers() {  # no_leftovers FOLDER
  [[ -z $(find "$1" -name '*.tmp.*' -o -name '.unfinished*') ]] ||
    failed "$1 holds half a checkpoint"
}
last() { find "$1/checkpoints" -mindepth 1 -maxdepth 1 | sort | tail -n 1; }  # last RUN
same_model() {  # same_model RUN RUN: weights, optimizer and where training stands
  [[ $(basename "$(last "$1")") == $(basename "$(last "$2")") ]] || failed "$1, $2: other steps"
  diff -r "$(last "$1")" "$(last "$2")" && diff -r "$1/model" "$2/model"
}

# ---- Data that is not there, empty, cut off, too short ----
train x --data none && exits 4 && says "none: no such file"
mkdir empty && train x --data empty && exits 3 && says "empty" && says "tokenizer"
cp tok/tokenizer* empty && train x --data empty && exits 4 && says "empty/train"
: >empty.jsonl
run "$LLMTOOL" tokenize empty.jsonl -t tok -o no_data && exits 3 && says "no document"
for file in train_00000.bin train_00000.idx; do
  rm -rf cut && cp -r data cut && truncate -s 1000 "cut/train/$file"
  train x --data cut && exits 3 && says "cut/train/train_00000"
  truncate -s 0 "cut/train/$file"
  train x --data cut && exits 3 && says "cut/train/train_00000"
done
train x --seq-len 1000000
exits 3 && says "--seq-len 1000000" && says "more data or a shorter context"
run "$LLMTOOL" tokenizer train docs.jsonl -o x --vocab-size 60000
exits 3 && says "60000" && says "too large for this text" && says "--vocab-size"

# ---- Flags and files that do not fit ----
train x --seq-len 64 --max-position-embeddings 32 && exits 2 && says "--seq-len 64" && says "32"
train x --num-attention-heads 3 && exits 2 && says "--hidden-size 32 is not a multiple"
train x --steps 1 --steps 2 && exits 2 && says "--steps is given 2 times"
train x --steps && exits 2 && says "--steps needs a value"
train x --steps 0 && exits 2 && says "--steps"
run "$LLMTOOL" train -d data -o x --model-config none.json && exits 4 && says "none.json"
run "$LLMTOOL" train -d data -o x --init-from tok && exits 4 && says "tok/config.json"
train docs.jsonl && exits 4 && says "docs.jsonl is a file"
train docs.jsonl/x && exits 4 && says "docs.jsonl is a file"
printf '[train]\n\nhiden-size = 32\n' >bad.toml
run "$LLMTOOL" train --config bad.toml -d data -o x
exits 2 && says "bad.toml:3: 'hiden-size'" && says "did you mean 'hidden-size'?"
printf '[train]\nlr = "fast"\n' >bad.toml
run "$LLMTOOL" train --config bad.toml -d data -o x
exits 2 && says "bad.toml:2: 'lr' expects a number"
nothing x && silent

# ---- One thread and two; a run that is through; another run in its folder ----
train calm --threads 2 --save-every 50 && exits 0
train one_thread --threads 1 --save-every 50 && exits 0
same_model calm one_thread
train calm && exits 2 && says "calm: there is a run in this folder" && says "--resume"
train calm --resume --steps 299 && exits 2 && says "other options: steps was 300, is 299"
train calm --resume --hidden-size 64 && exits 2 && says "hidden_size was 32, is 64"
train calm --resume && exits 0
same_model calm one_thread

# ---- More steps: the same as at once where the schedule does not know the end ----
train short --steps 20 --schedule constant && exits 0
train short --steps 40 --schedule constant --resume && exits 0 && says "40 steps instead of 20"
train long --steps 40 --schedule constant && exits 0
same_model short long
train cosine --steps 20 && exits 0
train cosine --steps 40 --resume && exits 0 && says "40 steps instead of 20: the cosine schedule"
says "not that of a run of so many steps from the start"

# ---- Other data of the same size; data without a manifest is compared by its size alone ----
cp -r data other_data
sed -i 's/"xxh3_128": "[0-9a-f]\{8\}/"xxh3_128": "00000000/' other_data/run.json
train calm --resume --data other_data && exits 2 && says "train_checksum was" && says "other options"
rm other_data/run.json
train calm --resume --data other_data && exits 0

# ---- Stopped by Ctrl-C and SIGTERM, then killed: the same bytes in the end ----
lines() { if [[ -e $1 ]]; then grep -c '"grad_norm"' "$1" || true; else echo 0; fi; }
# stop SIGNAL STEPS RUN [FLAG...]: sends the signal when the training has done so many steps more.
stop() {
  local signal=$1 goal folder=$3
  goal=$(($(lines "$folder/metrics.jsonl") + $2))
  shift 2
  ran="${train[*]} -o $*, stopped by $signal"
  "${train[@]}" -o "$@" >out 2>err &
  until (($(lines "$folder/metrics.jsonl") >= goal)); do
    kill -0 $! 2>/dev/null || failed "it ended before it was stopped"
    sleep 0.01
  done
  kill "-$signal" $!
  status=0
  wait $! 2>/dev/null || status=$?  # without the notice of a kill
}
for signal in INT TERM; do
  stop $signal 5 stopped --resume --save-every 1000
  exits 130 && says "stopping at the next safe point" && says "--resume"
  no_leftovers stopped && nothing stopped/model
  run "$LLMTOOL" verify stopped && exits 0
done
train stopped --resume && exits 0 && says "going on from stopped/checkpoints/step-"
same_model calm stopped
[[ $(grep -c '"loss"' stopped/metrics.jsonl) == 300 ]] || failed "metrics.jsonl: not a line a step"

# ---- A second process does not train into the same folder ----
"${train[@]}" -o busy --steps 100000 >busy.out 2>busy.err &
first=$!
until (($(lines busy/metrics.jsonl) >= 2)); do
  kill -0 $first 2>/dev/null || failed "the first training ended"
  sleep 0.01
done
before=$(lines busy/metrics.jsonl)
train busy --steps 100000 --resume
exits 2 && says "busy: another process (process $first) is writing into this folder"
(($(lines busy/metrics.jsonl) >= before)) || failed "the second process changed metrics.jsonl"
kill -KILL $first
wait $first 2>/dev/null || true
train busy --steps 2 --resume && exits 0
[[ ! -e busy/run.lock ]] || failed "the lock is still there"

RANDOM=${LLMTOOL_SEED:-1}
for _ in 1 2 3; do
  stop KILL $((1 + RANDOM % 50)) killed --resume --save-every 7
  exits 137
done
train killed --resume --save-every 7 && exits 0
same_model calm killed && no_leftovers killed

# In the middle of an evaluation: step 10 is saved, its validation is not there.
stop TERM 10 evaluated --eval-every 10 --eval-windows 0
exits 130 && says "stopped at step 10"
! grep -q validation_loss evaluated/metrics.jsonl || failed "the evaluation was through"
train evaluated --resume && exits 0
same_model calm evaluated
# And of the last one: going on makes up for it.
stop TERM 10 end --steps 10 --eval-windows 0
exits 130 && nothing end/model
train end --steps 10 --eval-windows 0 --resume && exits 0 && prints "validation loss"
[[ -e end/model/model.safetensors ]] || failed "there is no model"

# ---- A checkpoint that is damaged is named; without it the one before it is gone on from ----
cut=$(last killed)/optimizer.safetensors
truncate -s -100 "$cut" && train killed --resume && exits 3 && says "$cut: tensor"
rm -r "$(last killed)" killed/model
train killed --resume --save-every 7 && exits 0
same_model calm killed

# Weights that are not numbers change nothing and leave nothing to go on from.
cp -r calm/model nan
python3 - nan/model.safetensors <<'END'
import struct, sys
data = bytearray(open(sys.argv[1], "rb").read())
begin = 8 + struct.unpack_from("<Q", data)[0]
data[begin:] = struct.pack("<f", float("nan")) * ((len(data) - begin) // 4)
open(sys.argv[1], "wb").write(data)
END
run "$LLMTOOL" train -d data -o x --init-from nan --seq-len 32 --batch-size 8 --steps 3
exits 1 && says "step 1: the loss" && says "not finite" && nothing x/model
[[ -z $(find x -name 'step-*') ]] || failed "a checkpoint of NaN was saved"

# ---- A disk that is full, and one that cannot be written ----
[[ -n ${IN_OWN_MOUNTS:-} ]] || { echo "no right to mount: the disk's faults are skipped"; exit 77; }
mkdir small && mount -t tmpfs -o size=900k tmpfs small
train small/run --save-every 50 --keep-last 9
exits 4 && says "no space left on device" && says "free some space"
no_leftovers small && nothing small/run/model
[[ -d $(last small/run) ]] || failed "no checkpoint before the disk was full"
mount -o remount,size=9m small
train small/run --save-every 50 --keep-last 9 --resume && exits 0
same_model calm small/run
mount -o remount,ro small
train small/other && exits 4 && says "small/other" && says "ead-only file system"
train small/run --resume && exits 4 && says "ead-only file system"
same_model calm small/run
