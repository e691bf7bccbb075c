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

# timed COMMAND...: runs it, and sets $seconds.
timed() {
  local begin=$EPOCHREALTIME
  run "$@"
  seconds=$(awk -v a="$begin" -v b="$EPOCHREALTIME" 'BEGIN { print b - a }')
}

# killed_at PART TRIES COMMAND...: starts the command up to TRIES times, each killed after PART of the
# $seconds that it took once, which hits it under way on a fast machine and on a slow one. Adds to
# $kills, of which a script checks that there were some.
kills=0
killed_at() {
  local after try
  after=$(awk -v part="$1" -v seconds="$seconds" 'BEGIN { printf "%.4f", part * seconds }')
  for ((try = 0; try < $2; ++try)); do
    # Not by timeout(1): it dies beside what it kills, and the next run would meet its lock.
    "${@:3}" >killed.log 2>&1 &
    sleep "$after"
    kill -KILL $! 2>kill.err || true
    status=0
    wait $! 2>kill.err || status=$?
    ((status != 0)) || break
    if ((status != 128 + 9)); then
      echo "exit code $status before it was killed: ${*:3}" >&2
      cat killed.log >&2
      exit 1
    fi
    kills=$((kills + 1))
  done
}
some_killed() { ((kills > 0)) || { echo "no run was killed: this test showed nothing" >&2; exit 1; }; }

# same_bytes NAME INPUT COMMAND...: writes NAME.jsonl and NAME.rejected, which have to be the same at
# any number of threads and any memory, from a pipe, and after kills at any time.
same_bytes() {
  local name=$1 input=$2 part
  shift 2
  whole() {  # whole OUTPUT REJECTED
    cmp "$name.jsonl" "$1" || failed "$name: other documents"
    diff -r "$name.rejected" "$2" || failed "$name: others are rejected"
  }
  timed "$LLMTOOL" "$@" "$input" --threads 1 -o "$name.jsonl" --rejected "$name.rejected"
  exits 0
  run "$LLMTOOL" "$@" "$input" --threads 5 --memory 1M -o "$name.5.jsonl" --rejected "$name.5.rejected"
  exits 0 && whole "$name.5.jsonl" "$name.5.rejected"
  run bash -c 'input=$1; shift; "$@" <"$input"' _ "$input" "$LLMTOOL" "$@"
  exits 0
  cmp "$name.jsonl" out || failed "$name: other documents through a pipe"
  for part in 0.15 0.35 0.6; do
    rm -rf "$name".killed*
    local flow=("$LLMTOOL" "$@" "$input" --threads 2 --checkpoint-every 0 --resume
      -o "$name.killed.jsonl" --rejected "$name.killed.rejected")
    killed_at "$part" 2 "${flow[@]}"
    run "${flow[@]}"
    exits 0
    whole "$name.killed.jsonl" "$name.killed.rejected"
  done
}
