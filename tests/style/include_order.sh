#!/usr/bin/env bash
# The rooms have one order; a file includes its own room and rooms to the left of it.
set -euo pipefail

order='base kernels tensor text io report net sandbox corpus model infer eval train rl serve cmd'

# check_tree ROOT: prints each #include that runs backwards, and fails if there is one.
check_tree() (
  cd "$1"
  find lib kernels cmd -name '*.h' -o -name '*.cuh' -o -name '*.cpp' -o -name '*.cu' | LC_ALL=C sort |
    xargs awk -v order="$order" '
    function room(path, parts) {
      split(path, parts, "/")
      return parts[1] == "lib" ? parts[2] : parts[1]
    }
    function report(why) {
      printf "%s:%d: %s includes \"%s\": %s\n", FILENAME, FNR, room(FILENAME), target, why
      bad = 1
    }
    BEGIN { n = split(order, names, " "); for (i = 1; i <= n; ++i) place[names[i]] = i }
    FNR == 1 && !(room(FILENAME) in place) {
      printf "%s: the room %s has no place in the order\n", FILENAME, room(FILENAME)
      bad = 1
    }
    match($0, /^[ \t]*#[ \t]*include[ \t]*"[^"]+"/) {
      target = $0
      sub(/^[^"]*"/, "", target)
      sub(/".*/, "", target)
      if (target !~ /^(lib|kernels|cmd)\//) report("write it from the root of the tree")
      else if (!(room(target) in place)) report("no such room")
      else if (place[room(target)] > place[room(FILENAME)]) report("against the order")
    }
    END { exit bad }'
)

# expect pass|fail FILE TEXT
expect() {
  local tree=$SCRATCH/planted got=pass
  rm -rf "$tree"
  mkdir -p "$tree/lib" "$tree/kernels" "$tree/cmd" "$(dirname "$tree/$2")"
  printf '%s\n' "$3" >"$tree/$2"
  check_tree "$tree" >/dev/null || got=fail
  if [[ $got != "$1" ]]; then
    echo "self-test: $2 with $3: $got, expected $1" >&2
    exit 1
  fi
}

mkdir -p "$SCRATCH"
expect pass lib/model/a.h '#include "lib/base/error.h"'
expect pass lib/model/a.h '#include "kernels/norm/rms_norm.h"'
expect pass lib/model/a.h '#include "lib/model/b.h"'
expect pass lib/model/a.h '#include <vector>'
expect pass cmd/a.cpp '#include "lib/train/loop.h"'
expect fail lib/base/a.h '#include "kernels/norm/rms_norm.h"'
expect fail kernels/norm/a_cpu.cpp '#include "lib/tensor/tensor.h"'
expect fail lib/model/a.h '#include "lib/train/loop.h"'
expect fail lib/train/a.cpp '  #  include "cmd/command.h"'
expect fail lib/model/a.h '#include "config.h"'
expect fail lib/model/a.h '#include "lib/utils/a.h"'
expect fail lib/utils/a.h 'int x;'

check_tree "$SOURCE"
