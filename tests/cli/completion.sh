#!/usr/bin/env bash
# The completion scripts work: bash's by calling its function, the others by their own parsers where
# these are installed.
set -euo pipefail
source "$SOURCE/tests/cli/expect.sh"

"$LLMTOOL" completion bash >completion.bash
source completion.bash

complete_line() {  # the words so far; sets $COMPREPLY
  COMP_WORDS=("$@")
  COMP_CWORD=$(($# - 1))
  _llmtool || true  # compgen fails when it has nothing to offer
}

offers() {  # offers WORD... -- LINE...
  local wanted=()
  while [[ $1 != -- ]]; do wanted+=("$1") && shift; done
  shift
  complete_line "$@"
  for word in "${wanted[@]}"; do
    [[ " ${COMPREPLY[*]} " == *" $word "* ]] ||
      { echo "'$*' should offer $word: ${COMPREPLY[*]}" >&2; exit 1; }
  done
}

offers list verify --help -- llmtool ''
offers verify -- llmtool ver
offers ops commands -- llmtool list ''
offers --json -- llmtool list --j
offers bash zsh fish -- llmtool completion ''
touch some.toml
offers some.toml -- llmtool list ops --config so
offers some.toml -- llmtool verify some
complete_line llmtool no-such-command --
[[ ${#COMPREPLY[@]} == 0 ]] || { echo "an unknown command should offer nothing" >&2; exit 1; }

for shell in zsh fish; do
  "$LLMTOOL" completion "$shell" >"completion.$shell"
  grep -q verify "completion.$shell"
  if command -v "$shell" >/dev/null; then "$shell" -n "completion.$shell"; fi
done
run "$LLMTOOL" completion tcsh && exits 2 && says "expects one of"
