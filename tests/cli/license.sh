#!/usr/bin/env bash
# llmtool license scan and filter as programs: trees of files, JSON lines of several repositories, a
# pipeline, the same bytes at any number of threads and after a kill, and what is refused.
set -euo pipefail
source "$SOURCE/tests/cli/expect.sh"

tag='SPDX-License-''Identifier:'
mkdir -p one/src one/vendor/zip two
printf 'Copyright (c) 2020 A B\n%s MIT\n' "$tag" >one/LICENSE
printf 'int main() { return 0; }\n' | tee one/src/main.c one/vendor/zip/z.c >two/main.c
printf '%s GPL-2.0+\n' "$tag" >one/vendor/zip/COPYING
printf '// %s ISC OR GPL-2.0\nint x;\n' "$tag" >one/src/own.c
printf '{"license": "Apache-2.0"}\n' >two/package.json

licenses() { python3 -c '
import json, sys
for line in open(sys.argv[1]):
    d = json.loads(line)
    a = d["attributes"]
    print(d["metadata"].get("tree", "-"), d["id"], a["license"], a["license_source"], sep="|")
' "$1"; }

# A tree, and two.
run "$LLMTOOL" license scan --format text one -o one.jsonl
exits 0
licenses one.jsonl >got
diff got - <<'END' || failed "licences of a tree"
-|LICENSE|MIT|tag
-|src/main.c|MIT|inherited:LICENSE
-|src/own.c|GPL-2.0-only OR ISC|tag
-|vendor/zip/COPYING|GPL-2.0-or-later|tag
-|vendor/zip/z.c|GPL-2.0-or-later|inherited:vendor/zip/COPYING
END
run "$LLMTOOL" license scan --format text one two -o both.jsonl --notices notices.jsonl
exits 0
licenses both.jsonl >got
tail -n 2 got | cut -d'|' -f1-3 | diff - <(printf '%s\n' 'two|main.c|Apache-2.0' \
  'two|package.json|Apache-2.0') || failed "licences of two trees"
grep -qF 'two|main.c|Apache-2.0|inherited:package.json' got || failed "inherited from the manifest"
[[ $(wc -l <notices.jsonl) == 2 ]] || failed "two licence files"
grep -qF '"tree":"one","path":"LICENSE","license":"MIT"' notices.jsonl || failed "notices"

# What a policy keeps, and why not.
run "$LLMTOOL" license filter both.jsonl --policy llama --overwrite -o kept.jsonl --rejected rejected
exits 0
[[ $(wc -l <kept.jsonl) == 4 ]] || failed "four files under MIT and Apache"
zstd -dcq rejected/*.zst | grep -F '"GPL-2.0-or-later"' | grep -qF 'license.policy' ||
  failed "the licence is the reason"
run "$LLMTOOL" license filter both.jsonl --policy permissive --overwrite -o kept.jsonl
exits 0
[[ $(wc -l <kept.jsonl) == 5 ]] || failed "ISC OR GPL-2.0 is permissive"
run "$LLMTOOL" license filter both.jsonl --policy permissive --deny ISC --allow GPL-2.0 --overwrite -o kept.jsonl
exits 0
[[ $(wc -l <kept.jsonl) == 7 ]] || failed "GPL-2.0 allowed: all"
printf 'ISC # ours\n' >allowed
run "$LLMTOOL" license filter both.jsonl --policy none --allow-file allowed --overwrite -o kept.jsonl
exits 0
[[ $(wc -l <kept.jsonl) == 1 ]] || failed "a list of one's own"

# JSON lines of 60 repositories, mixed: whatever the threads, in a pipeline, after a kill.
python3 - <<'END'
import json, random
rng = random.Random(4)
files = []
tag = "SPDX-License-" + "Identifier: "
for repo in range(60):
    license = ["MIT", "GPL-3.0-or-later", "Apache-2.0", ""][repo % 4]
    if license:
        files.append((repo, "LICENSE", tag + license))
    for i in range(30):
        own = "# " + tag + "ISC\n" if i % 10 == 0 else ""
        files.append((repo, f"src/{i % 3}/f{i}.py", own + f"print({repo}, {rng.random()})\n" * 20))
rng.shuffle(files)
with open("stack.jsonl", "w") as f:
    for repo, path, text in files:
        print(json.dumps({"id": f"{repo}/{path}", "text": text, "repo": repo, "path": path}), file=f)
END
flags=(--path-field path --repo-field repo)
run "$LLMTOOL" license scan stack.jsonl "${flags[@]}" --threads 1 -o scanned.jsonl
exits 0
python3 - <<'END' || failed "licences of repositories"
import json
for line in open("scanned.jsonl"):
    d = json.loads(line)
    tree = ["MIT", "GPL-3.0-or-later", "Apache-2.0", "NOASSERTION"][d["repo"] % 4]
    assert d["attributes"]["license"] == ("ISC" if "Identifier: ISC" in d["text"] else tree), d
END
run "$LLMTOOL" license scan stack.jsonl "${flags[@]}" --threads 5 -o scanned.5.jsonl
exits 0
cmp scanned.jsonl scanned.5.jsonl
for after in 0.03 0.1; do
  rm -rf killed.jsonl killed.jsonl.work
  (timeout --foreground -s KILL $after "$LLMTOOL" license scan stack.jsonl "${flags[@]}" \
    --checkpoint-every 0 -o killed.jsonl || true) >/dev/null 2>&1
  if [[ ! -e killed.jsonl ]]; then
    run "$LLMTOOL" license scan stack.jsonl "${flags[@]}" --checkpoint-every 0 -o killed.jsonl --resume
    exits 0
  fi
  cmp scanned.jsonl killed.jsonl
done
cat >mix.toml <<'END'
[[step]]
run = "sample"
fraction = 0.9
[[step]]
run = "license scan"
path-field = "path"
repo-field = "repo"
[[step]]
run = "license filter"
policy = "llama"
END
run "$LLMTOOL" corpus run mix.toml stack.jsonl -o mixed.jsonl
exits 0
run bash -c "'$LLMTOOL' sample stack.jsonl --fraction 0.9 |
  '$LLMTOOL' license scan --format jsonl ${flags[*]} | '$LLMTOOL' license filter --policy llama"
exits 0
cmp mixed.jsonl out
[[ -s mixed.jsonl ]] || failed "some are kept"

# What is refused.
run "$LLMTOOL" license scan one --format text --shard 0/2 -o x.jsonl
exits 2
says "has to see all documents"
run "$LLMTOOL" license filter both.jsonl --policy none
exits 2
says "allows nothing"
run "$LLMTOOL" license filter both.jsonl
exits 2
says "no --policy"
run "$LLMTOOL" license filter both.jsonl --policy llama --allow MTI
exits 2
says "'MTI' is not on the SPDX list"
run "$LLMTOOL" license filter both.jsonl --policy none --allow-file nowhere
exits 4
says "nowhere"
run "$LLMTOOL" license filter stack.jsonl --policy llama
exits 3
says "the document has no 'attributes.license'"
