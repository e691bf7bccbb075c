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

python3 - "$out" <<'END'
import collections, glob, io, json, subprocess, sys
def documents(pattern):
    for path in sorted(glob.glob(sys.argv[1] + pattern)):
        with subprocess.Popen(["zstd", "-dcq", path], stdout=subprocess.PIPE) as zstd:
            yield from map(json.loads, io.TextIOWrapper(zstd.stdout, encoding="utf-8"))
kept = collections.Counter(d["attributes"]["license"] for d in documents("/code.jsonl.zst"))
all = kept + collections.Counter(d["attributes"]["license"] for d in documents("/rejected/*.zst")
                                 if "license" in d.get("attributes", {}))
print(f"{'files':>7} {'kept':>7}  licence")
for license, files in all.most_common():
    print(f"{files:7} {kept[license]:7}  {license}")
allowed = {"MIT", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0"}
if not kept or any("GPL" in l and not allowed & set(l.replace("(", " ").replace(")", " ").split())
                   for l in kept):
    sys.exit("code-licenses: error: nothing is left, or what should not be")
END
say "documents: $out/code.jsonl.zst; licence files: $out/notices.jsonl; what went: $out/rejected/"
