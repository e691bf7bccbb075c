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
