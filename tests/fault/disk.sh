#!/usr/bin/env bash
# A full disk, a read-only folder, a killed run: an error that names the file, and what was there
# before is still whole. Needs the right to mount a small file system (root, as in CI).
set -euo pipefail
if [[ -z ${IN_OWN_MOUNTS:-} ]]; then
  unshare -m true 2>/dev/null || { echo "no right to mount: skipped"; exit 77; }
  exec unshare -m env IN_OWN_MOUNTS=1 bash "${BASH_SOURCE[0]}"
fi
source "$SOURCE/tests/cli/expect.sh"

# Text and a tokenizer on a disk with room.
awk 'BEGIN { srand(1); for (i = 0; i < 2000; i++) { s = ""; for (j = 0; j < 40; j++)
       s = s sprintf("%c%c ", 97 + rand() * 26, 97 + rand() * 26)
     printf "{\"id\": \"%d\", \"text\": \"%s\"}\n", i, s } }' >docs.jsonl
run "$LLMTOOL" tokenizer train docs.jsonl -o tokenizer --vocab-size 400 -q
exits 0
head -n 3 docs.jsonl >few.jsonl

mkdir small
mount -t tmpfs -o size=192k tmpfs small
tokenize() { run "$LLMTOOL" tokenize "$1" -t tokenizer -o small/tokens --overwrite -q; }

tokenize few.jsonl && exits 0
run "$LLMTOOL" verify small/tokens && exits 0
find small -type f -exec sha256sum {} + | sort >before

no_leftovers() { [[ -z $(find small -name '*.tmp.*') ]] || failed "a temporary file was left"; }

# Full: the old dataset is whole, or `verify` tells what is gone; no temporary file is left.
tokenize docs.jsonl && exits 4 && says "no space left on device" && says "free some space"
no_leftovers
run "$LLMTOOL" verify small/tokens && [[ $status != 0 ]] || {
  find small -type f -exec sha256sum {} + | sort >after
  cmp before after
}
# Read-only.
tokenize few.jsonl && exits 0
find small -type f -exec sha256sum {} + | sort >before
mount -o remount,ro small
tokenize few.jsonl && exits 4 && says "read-only file system" && says "check the permissions"
find small -type f -exec sha256sum {} + | sort >after
cmp before after
mount -o remount,rw small

# A folder where a file should be, and the other way round.
mkdir in_the_way
run "$LLMTOOL" generate -m none --prompt x && exits 4
run "$LLMTOOL" tokenize docs.jsonl -t tokenizer -o few.jsonl && [[ $status == 4 || $status == 2 ]]
says "few.jsonl"
run "$LLMTOOL" tokenize in_the_way -t tokenizer -o x && exits 4 && says "in_the_way"
run "$LLMTOOL" tokenize none.jsonl -t tokenizer -o x && exits 4 && says "none.jsonl: no such file"

# A disk that fills up while checkpoints are saved: the last whole one is left, nothing half-written
# beside it, and the run goes on from there when there is room.
run "$LLMTOOL" tokenize docs.jsonl -t tokenizer -o tokens -q
exits 0
mkdir run_disk
mount -t tmpfs -o size=600k tmpfs run_disk
train() {
  run "$LLMTOOL" train -d tokens -o run_disk/run -q --threads 1 --hidden-size 16 \
    --intermediate-size 24 --num-hidden-layers 1 --num-attention-heads 2 --seq-len 16 \
    --batch-size 2 --steps 20 --save-every 2 --keep-last 100 "$@"
}
train && exits 4 && says "no space left on device" && says "free some space"
[[ -z $(find run_disk -name '.unfinished*' -o -name '*.tmp.*') ]] || failed "half a checkpoint is left"
last=$(find run_disk/run/checkpoints -name 'step-*' | sort | tail -n 1)
[[ -s $last/trainer_state.json && -s $last/optimizer.safetensors ]] || failed "no checkpoint is left"
mount -o remount,size=8m run_disk
train --resume && exits 0 && prints "steps                        20"
[[ $(grep -c grad_norm run_disk/run/metrics.jsonl) == 20 ]] || failed "20 lines of metrics expected"

# A corpus run that fills the disk stops with an error, and goes on from there when there is room.
for i in 1 2 3 4 5 6 7 8 9; do cat docs.jsonl; done >corpus.jsonl
"$LLMTOOL" sample corpus.jsonl --fraction 0.9 -o whole.jsonl -q >/dev/null
mkdir corpus_disk
mount -t tmpfs -o size=1200k tmpfs corpus_disk
run "$LLMTOOL" sample corpus.jsonl --fraction 0.9 -o corpus_disk/out.jsonl -q --checkpoint-every 0
exits 4 && says "no space left on device"
[[ ! -e corpus_disk/out.jsonl ]] || failed "half an output got its name"
mount -o remount,size=8m corpus_disk
run "$LLMTOOL" sample corpus.jsonl --fraction 0.9 -o corpus_disk/out.jsonl -q --resume && exits 0
cmp whole.jsonl corpus_disk/out.jsonl

# A mix on a full disk: the old one stays, nothing is left beside it, temporary files go elsewhere.
mkdir mix_disk
mount -t tmpfs -o size=300k tmpfs mix_disk
printf 'bytes = 2_000_000\n[[source]]\nname = "a"\ninputs = ["docs.jsonl"]\nshare = 1\n' >mix.toml
run "$LLMTOOL" mix mix.toml --bytes 20k -o mix_disk/mix.jsonl --work . -q && exits 0
find mix_disk -type f -exec sha256sum {} + | sort >before
run "$LLMTOOL" mix mix.toml -o mix_disk/mix.jsonl --overwrite -q && exits 4 && says "no space left on device"
run "$LLMTOOL" mix mix.toml -o mix_disk/mix.jsonl --work . --overwrite -q && exits 4 && says "mix_disk/mix.jsonl"
find mix_disk -type f -exec sha256sum {} + | sort >after
cmp before after
run "$LLMTOOL" mix mix.toml --bytes 20k -o mix_disk/mix.jsonl --work . --overwrite -q && exits 0
