#!/usr/bin/env bash
# Commands of a group: `llmtool tokenizer train` and its like.
set -euo pipefail
source "$SOURCE/tests/cli/expect.sh"

run "$LLMTOOL" tokenizer && exits 2 && says "llmtool tokenizer needs a command"
run "$LLMTOOL" tokenizer --help && exits 0 && prints "train"
run "$LLMTOOL" tokenizer trian && exits 2 && says "did you mean 'train'?"
run "$LLMTOOL" encode && exits 2 && says "did you mean 'tokenizer encode'?"
run "$LLMTOOL" tokenizer train --help && exits 0 && prints "Usage: llmtool tokenizer train"

printf '[tokenizer.train]\nanything = 1\n' >others.toml
run "$LLMTOOL" list ops --config others.toml && exits 0
run "$LLMTOOL" tokenizer train --config others.toml && exits 2 && says "others.toml:2: 'anything'"

"$LLMTOOL" completion bash >completion.bash
source completion.bash
offers() {  # offers WORD LINE...
  COMP_WORDS=("${@:2}")
  COMP_CWORD=$(($# - 2))
  _llmtool || true  # compgen fails when it has nothing to offer
  [[ " ${COMPREPLY[*]} " == *" $1 "* ]] ||
    { echo "'${*:2}' should offer $1: ${COMPREPLY[*]}" >&2; exit 1; }
}
offers tokenizer llmtool tok
offers encode llmtool tokenizer ''
offers train llmtool tokenizer tr
offers --config llmtool tokenizer train --
