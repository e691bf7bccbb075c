#!/usr/bin/env bash
# What is mistyped gets a suggestion and exit code 2; results go to stdout, the rest to stderr.
set -euo pipefail
source "$SOURCE/tests/cli/expect.sh"

run "$LLMTOOL" --help && exits 0 && prints "in the order of the work" && [[ ! -s err ]]
run "$LLMTOOL" -h && exits 0 && prints "Usage: llmtool COMMAND"
run "$LLMTOOL" --version && exits 0 && prints "llmtool 0."
run "$LLMTOOL" help list && exits 0 && prints "Usage: llmtool list"
run "$LLMTOOL" list --help && exits 0 && prints "Example:" && prints "--config"

run "$LLMTOOL" && exits 2 && silent && says "which command?"
run "$LLMTOOL" lst ops && exits 2 && silent && says "there is no command 'lst'" && says "did you mean 'list'?"
run "$LLMTOOL" xyzzy && exits 2 && says 'llmtool --help'
run "$LLMTOOL" --versoin && exits 2 && says "did you mean '--version'?"
run "$LLMTOOL" --quiet list ops && exits 2 && says "flags go behind the command"
run "$LLMTOOL" list ops --jsno && exits 2 && silent && says "no flag --jsno" && says "did you mean '--json'?"
run "$LLMTOOL" list ops --jsno=3 && exits 2 && says "did you mean '--json'?"
run "$LLMTOOL" list --jsno && exits 2 && says "did you mean '--json'?"  # and not: what is required
run "$LLMTOOL" list && exits 2 && says "what is required" && says 'llmtool list --help'
run "$LLMTOOL" list opz && exits 2 && says "not 'opz'" && says "did you mean 'ops'?"
run "$LLMTOOL" list ops more && exits 2 && says "unexpected argument 'more'"
run "$LLMTOOL" list ops --json=perhaps && exits 2 && says "--json"

# NaN is in no range, though nothing is below or above it; also from a file.
run "$LLMTOOL" sample - -o x --fraction nan && exits 2 && says "--fraction expects a number from 0 to 1, not 'nan'"
run "$LLMTOOL" bench kernels --patience=-NaN && exits 2 && says "--patience expects a number from 0 to 3600"
run "$LLMTOOL" generate -m x --temperature nan && exits 2 && says "nan is no number"
printf '[sample]\nfraction = nan\n' >nan.toml
run "$LLMTOOL" sample - -o x --config nan.toml && exits 2 && says "nan.toml:2: --fraction expects a number"

# Standard output that is full is an error; one that nobody reads is the end, quietly.
for closed in "list ops" "--help"; do
  status=0
  # shellcheck disable=SC2086
  "$LLMTOOL" $closed >/dev/full 2>err || status=$?
  ran="llmtool $closed >/dev/full" && : >out
  exits 4 && says "no space left on device"
done
(
  sleep 0.3  # until the reader has gone
  "$LLMTOOL" list ops 2>err && echo 0 >code || echo $? >code
) | true
ran="llmtool list ops | true" && status=$(cat code) && : >out
exits 141
[[ ! -s err ]] || failed "a closed pipe should end quietly"
