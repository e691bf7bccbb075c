#!/usr/bin/env bash
# llmtool verify: a run's files are checked against its run.json.
set -euo pipefail
source "$SOURCE/tests/cli/expect.sh"

mkdir made
printf 'hello' >made/a.txt
printf '' >made/empty
printf 'input' >in.txt
manifest() {  # manifest CHECKSUM-OF-A: as a run would have written it
  cat >made/run.json <<END
{"llmtool": "0.1.0", "command": "train", "command_line": ["llmtool", "train"], "started": "2026-01-01T00:00:00Z",
 "outputs": [{"path": "a.txt", "bytes": 5, "xxh3_128": "$1"},
             {"path": "empty", "bytes": 0, "xxh3_128": "99aa06d3014798d86001c324468d497f"}],
 "inputs": [{"path": "-"}, {"path": "$PWD/in.txt", "bytes": 5, "xxh3_128": "76c2c063261390e5474ac66e76452867"}],
 "parents": [{"path": "$PWD/gone/run.json", "xxh3_128": "00"}]}
END
}
good=b5e9c1ad071b3e7fc779cfaa5e523818  # xxh128sum of "hello"

manifest $good
run "$LLMTOOL" verify made && exits 0 && prints "same  output" && prints "same  input"
prints "Lineage:" && prints "llmtool train" && prints "$PWD/gone/run.json  missing"
run "$LLMTOOL" verify made/run.json && exits 0
run "$LLMTOOL" verify made --json && exits 0 && prints '"state": "same"'

# Found and expected, by size and by content.
printf 'hellO' >made/a.txt
run "$LLMTOOL" verify made && exits 3 && prints "changed  output" && prints "expected 5 bytes, $good"
prints "found    5 bytes, " && says "1 of 3 files"
printf 'hello!' >made/a.txt
run "$LLMTOOL" verify made && exits 3 && prints "found    6 bytes, "
rm made/a.txt
run "$LLMTOOL" verify made && exits 3 && prints "missing  output" && prints "no such file"
printf 'hello' >made/a.txt
run "$LLMTOOL" verify made && exits 0

# An input that is gone is told, an input that changed is an error.
printf 'INPUT' >in.txt
run "$LLMTOOL" verify made && exits 3 && prints "changed  input"
rm in.txt
run "$LLMTOOL" verify made && exits 0 && prints "missing  input"

# No manifest, or none of llmtool's.
run "$LLMTOOL" verify none && exits 4 && silent && says "there is no run.json for none"
mkdir bare
run "$LLMTOOL" verify bare && exits 4
for text in '' '{' '{}' '{"llmtool": "1"}' '{"llmtool": 1, "outputs": 2, "inputs": []}'; do
  printf '%s' "$text" >made/run.json
  run "$LLMTOOL" verify made && exits 3 && says "made/run.json"
done
