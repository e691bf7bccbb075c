# Sourced by the tests here: run a command, then say what has to be true of it.
rm -rf "$SCRATCH" && mkdir -p "$SCRATCH"
cd "$SCRATCH"

run() {  # run COMMAND...: sets $status, and the files out and err
  ran="$*"
  status=0
  "$@" >out 2>err || status=$?
}

failed() {
  echo "FAILED: $1" >&2
  echo "  command: $ran (exit code $status)" >&2
  sed 's/^/  out: /' out >&2
  sed 's/^/  err: /' err >&2
  exit 1
}

exits() { [[ $status == "$1" ]] || failed "exit code $1 expected"; }
prints() { grep -qF -- "$1" out || failed "standard output lacks: $1"; }
says() { grep -qF -- "$1" err || failed "standard error lacks: $1"; }
silent() { [[ ! -s out ]] || failed "standard output should be empty"; }

# same_bytes NAME INPUT COMMAND...: writes NAME.jsonl and NAME.rejected, which have to be the same at
# any number of threads and any memory, from a pipe, and after kills at any time. $kills counts the
# runs that were killed: a script that uses this checks that there were some.
kills=0
same_bytes() {
  local name=$1 input=$2 after try
  shift 2
  whole() {  # whole OUTPUT REJECTED
    cmp "$name.jsonl" "$1" || failed "$name: other documents"
    diff -r "$name.rejected" "$2" || failed "$name: others are rejected"
  }
  run "$LLMTOOL" "$@" "$input" --threads 1 -o "$name.jsonl" --rejected "$name.rejected"
  exits 0
  run "$LLMTOOL" "$@" "$input" --threads 5 --memory 1M -o "$name.5.jsonl" --rejected "$name.5.rejected"
  exits 0 && whole "$name.5.jsonl" "$name.5.rejected"
  run bash -c 'input=$1; shift; "$@" <"$input"' _ "$input" "$LLMTOOL" "$@"
  exits 0
  cmp "$name.jsonl" out || failed "$name: other documents through a pipe"
  for after in 0.03 0.06 0.12; do
    rm -rf "$name".killed*
    local flow=("$LLMTOOL" "$@" "$input" --threads 2 --checkpoint-every 0 --resume
      -o "$name.killed.jsonl" --rejected "$name.killed.rejected")
    for try in 1 2; do
      # Not by timeout(1): it dies beside what it kills, and the next run would meet its lock.
      "${flow[@]}" >killed.log 2>&1 &
      sleep "$after"
      kill -KILL $! 2>killed.log || true
      wait $! 2>killed.log && break
      kills=$((kills + 1))
    done
    if [[ ! -e $name.killed.jsonl ]]; then
      run "${flow[@]}"
      exits 0
    fi
    whole "$name.killed.jsonl" "$name.killed.rejected"
  done
}
