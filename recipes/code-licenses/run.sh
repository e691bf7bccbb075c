#!/usr/bin/env bash
# Source packages to code under LLaMA's licences: see README.md.
#   run.sh [--small] [--trees FOLDER]... [--output FOLDER]
# Without --trees, some of Debian's source packages (--small: three).
# LLMTOOL names the program (build/llmtool). A run that was killed goes on.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../recipe.sh"
usage='run.sh [--small] [--trees FOLDER]... [--output FOLDER]'
begin_recipe "$@"
trees=()
for ((i = 0; i < ${#rest[@]}; i += 2)); do
  [[ ${rest[i]} == --trees && -n ${rest[i + 1]:-} ]] || {
    echo "run.sh: what is '${rest[i]}'? usage: $usage" >&2
    exit 2
  }
  trees+=("${rest[i + 1]}")
done
if ((${#trees[@]} == 0)); then
  trees=("$out/sources")
  "$here/sources.sh" "${small[@]}" "$out/sources"
fi

again=(--overwrite)
[[ -e $out/code.jsonl.zst.work/checkpoint.json ]] && again=(--resume)
sed "s|^run = \"license scan\"|&\nnotices = \"$out/notices.jsonl\"|" "$here/code.toml" >"$out/code.toml"
"$llmtool" corpus run "$out/code.toml" "${trees[@]}" -o "$out/code.jsonl.zst" \
  --rejected "$out/rejected" --report "$out/report" "${again[@]}" >&2

# The table: files by licence, and how many were kept; nothing under the GPL alone may be among them.
licenses() { zstd -dcq "$@" | sed -nE 's/.*"license":"([^"]*)".*/\1/p'; }
licenses "$out/code.jsonl.zst" >"$out/kept.txt"
licenses "$out"/rejected/*.zst >"$out/dropped.txt"
awk '
  { ++all[$0] }
  FNR == NR { ++kept[$0]; if (/GPL/ && !/(^|[ (])(MIT|BSD-[23]-Clause|Apache-2.0)($|[ )])/) bad = 1 }
  END {
    for (license in all) printf "%7d %7d  %s\n", all[license], kept[license], license
    exit bad
  }' "$out/kept.txt" "$out/dropped.txt" | sort -k1,1nr -k3 >"$out/table.txt" ||
  die "a file under the GPL alone was kept" "$out/kept.txt has the licences of what was kept"
[[ -s $out/kept.txt ]] || die "nothing is left" "$out/report/report.html tells where documents went"
printf '%7s %7s  %s\n' files kept licence
cat "$out/table.txt"
say "documents: $out/code.jsonl.zst; licence files: $out/notices.jsonl; what went: $out/rejected/"
