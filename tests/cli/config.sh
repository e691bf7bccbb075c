#!/usr/bin/env bash
# --config file.toml: flags from a file, checked as those of the command line.
set -euo pipefail
source "$SOURCE/tests/cli/expect.sh"

config() { printf '%s\n' "$@" >run.toml; }
list() { run "$LLMTOOL" list "$@" --config run.toml; }

# At the top, in the command's table (which wins), and what is required.
config 'what = "ops"' && list && exits 0 && prints "cpu"
config '[list]' 'what = "ops"' && list && exits 0 && prints "cpu"
config 'what = "ops"' '[list]' 'what = "commands"' && list && exits 0 && prints "summary"
config 'list.what = "ops"' 'json = true' && list && exits 0 && prints '"cpu"'
config 'json = true' && list ops && exits 0 && prints '"cpu"'
config 'json = false' && list ops && exits 0 && ! grep -q '"cpu"' out
# The command line wins.
config 'what = "ops"' && list commands && exits 0 && prints "summary"
config 'json = false' && list ops --json && exits 0 && prints '"cpu"'
# Tables of other commands are theirs.
config 'what = "ops"' '[verify]' 'path = "x"' && list && exits 0

# Unknown keys, with their line and a suggestion.
config '' 'jsno = true' && list ops && exits 2 && silent && says "run.toml:2: 'jsno'" && says "did you mean 'json'?"
config '[list]' 'jsno = true' && list ops && exits 2 && says "run.toml:2: 'jsno'" && says "did you mean 'json'?"
config '[lst]' 'json = true' && list ops && exits 2 && says "run.toml:2: 'lst.json'"
config 'help = true' && list ops && exits 2 && says "'help' is no flag"
config 'config = "other.toml"' && list ops && exits 2 && says "'config' is no flag"

# Values of the wrong type or out of range, with their line and what was expected.
config 'json = 3' && list ops && exits 2 && says "run.toml:1: 'json' expects true or false, not an integer (3)"
config 'what = 3' && list && exits 2 && says "run.toml:1: 'what' expects text, not an integer (3)"
config 'what = ["ops"]' && list && exits 2 && says "run.toml:1: 'what' expects text, not a list"
config '' '' 'what = "opz"' && list && exits 2 && says "run.toml:3: what expects one of" && says "did you mean 'ops'?"

# Files that are no TOML, or not there.
config 'json = ' && list ops && exits 2 && says "run.toml:1:"
config 'what = "ops"' 'what = "ops"' && list && exits 2 && says "run.toml:2:"
printf 'json = tr\377ue\n' >run.toml && list ops && exits 2 && says "run.toml:1:"
run "$LLMTOOL" list ops --config none.toml && exits 4 && says "cannot read none.toml: no such file"
run "$LLMTOOL" list ops --config . && exits 4 && says "it is a folder"
run "$LLMTOOL" list ops --config && exits 2
config 'broken' && list --help && exits 0 && prints "Usage:"
