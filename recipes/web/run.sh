#!/usr/bin/env bash
# A web archive to clean, deduplicated documents: see README.md.
#   run.sh [--small] [--warc FILE]... [--output FOLDER]
# Without --warc, the pages of some of Debian's documentation packages (--small: of two).
# LLMTOOL names the program (build/llmtool). A run that was killed goes on.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
llmtool=${LLMTOOL:-$root/build/llmtool}

small=() warcs=() out=$root/runs/web
while (($#)); do
  case $1 in
    --small) small=(--small) out=$root/runs/web-small ;;
    --warc) warcs+=("${2:?run.sh: --warc needs a file}") && shift ;;
    --output) chosen=${2:?run.sh: --output needs a folder} && shift ;;
    *)
      echo "run.sh: unknown argument '$1'; usage: run.sh [--small] [--warc FILE]... [--output FOLDER]" >&2
      exit 2
      ;;
  esac
  shift
done
out=${chosen:-$out}
mkdir -p "$out"

say() { printf 'web: %s\n' "$*" >&2; }
[[ -x $llmtool ]] || {
  say "error: there is no program '$llmtool'"
  say "hint: run 'make build', or set LLMTOOL"
  exit 1
}
if ((${#warcs[@]} == 0)); then
  warcs=("$out/crawl.warc.gz")
  [[ -f ${warcs[0]} ]] || "$here/crawl.sh" "${small[@]}" "$out"
fi

again=(--overwrite)
[[ -e $out/clean.jsonl.zst.work/checkpoint.json ]] && again=(--resume)
"$llmtool" corpus run "$here/web.toml" "${warcs[@]}" -o "$out/clean.jsonl.zst" \
  --rejected "$out/rejected" --report "$out/report" --skip-bad "${again[@]}"
documents=$(zstd -dc "$out/clean.jsonl.zst" | wc -l)
((documents > 0)) || {
  say "error: no document is left"
  say "hint: $out/report/report.html tells why each one went"
  exit 1
}
say "documents: $out/clean.jsonl.zst; what went and why: $out/report/report.html, $out/rejected/"
