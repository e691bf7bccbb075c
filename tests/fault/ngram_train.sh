#!/usr/bin/env bash
# ngram train on a disk that fills up: an error that says so, the old model whole, nothing left.
set -euo pipefail
if [[ -z ${IN_OWN_MOUNTS:-} ]]; then
  unshare -m true 2>/dev/null || { echo "no right to mount: skipped"; exit 77; }
  exec unshare -m env IN_OWN_MOUNTS=1 bash "${BASH_SOURCE[0]}"
fi
source "$SOURCE/tests/cli/expect.sh"

awk 'BEGIN { srand(3); for (i = 0; i < 20000; i++) { s = ""; for (j = 0; j < 12; j++)
       s = s sprintf("w%d ", 2000 * rand() * rand() * rand()); print s } }' >text.txt
head -n 20 text.txt >few.txt
mkdir small
mount -t tmpfs -o size=3m tmpfs small
train() { run "$LLMTOOL" ngram train "$@" --discount-fallback --overwrite -q; }
train few.txt -o small/model.arpa && exits 0
sha256sum small/model.arpa >before

unchanged() {
  sha256sum -c --quiet before || failed "the old model is gone"
  [[ -z $(find small -name '*.tmp.*') ]] || failed "a temporary file was left"
}
# Full of temporary files, then of the model itself; KenLM's binary, too.
train text.txt -o small/model.arpa && exits 4 && says "no space left on device"
unchanged
mkdir room
train text.txt -o small/model.arpa --work room && exits 4 && says "no space left on device"
unchanged
train text.txt -o small/model.klm --work room && exits 4
[[ ! -e small/model.klm ]] || failed "half a binary"
unchanged
