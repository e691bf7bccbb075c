#!/usr/bin/env bash
# The rules of the tree that a compiler does not check: see `rules` below. Every rule is first shown
# to find a planted violation.
set -euo pipefail

# check_tree ROOT: prints "file:line: rule: text" for each violation, and fails if there is one.
check_tree() (
  cd "$1"
  find lib kernels cmd -name '*.h' -o -name '*.cuh' -o -name '*.cpp' -o -name '*.cu' | LC_ALL=C sort |
    xargs awk '
    function report(rule) {
      printf "%s:%d: %s: %s\n", FILENAME, FNR, rule, line
      bad = 1
    }
    FNR == 1 {
      in_base = FILENAME ~ /^lib\/base\//
      in_cmd = FILENAME ~ /^cmd\//
      header = FILENAME ~ /\.(h|cuh)$/
      in_error = FILENAME == "lib/base/error.cpp"
      in_child = FILENAME == "lib/base/child_process.cpp"
    }
    {
      line = $0
      code = $0
      gsub(/\\./, "", code)      # escapes, then string literals, then comments
      gsub(/"[^"]*"/, "\"\"", code)
      sub(/\/\/.*/, "", code)
    }
    !in_base && code ~ /^[ \t]*#[ \t]*(if|ifdef|ifndef|elif|else)([ \t(!]|$)/ {
      report("conditional compilation outside lib/base")
    }
    !in_cmd && !in_child && code ~ /(^|[^A-Za-z0-9_.>])(exit|_exit|_Exit|quick_exit)[ \t]*\(/ {
      report("exit below cmd/ (only a forked child in lib/base/child_process.cpp may)")
    }
    !in_cmd && !in_error && code ~ /(^|[^A-Za-z0-9_.>])(abort|terminate)[ \t]*\(/ {
      report("abort below cmd/ (only assertion_failed in lib/base/error.cpp may)")
    }
    !in_cmd && !in_error && code ~ /(^|[^A-Za-z0-9_])((f|v|vf)?printf|f?puts|putchar|perror)[ \t]*\(/ {
      report("printing below cmd/")
    }
    !in_cmd && code ~ /std::(cout|cerr|clog)/ { report("printing below cmd/") }
    header && line ~ /^[ \t]*#[ \t]*include[ \t]*[<"](CLI|spdlog|nlohmann|toml\+\+|fmt)\// {
      report("a heavy library in a header")
    }
    line ~ /(TODO|FIXME|XXX)/ { report("an unfinished note") }
    END { exit bad }'
)

# plant NAME FILE TEXT: the rule has to find TEXT in FILE.
plant() {
  local tree=$SCRATCH/planted
  rm -rf "$tree"
  mkdir -p "$tree"/{lib/base,lib/model,kernels/norm,cmd}
  echo "int clean();" >"$tree/cmd/clean.cpp"
  if ! check_tree "$tree" >/dev/null; then
    echo "self-test: a clean tree was refused" >&2
    exit 1
  fi
  printf '%s\n' "$3" >"$tree/$2"
  if check_tree "$tree" >/dev/null; then
    echo "self-test: '$1' was not found in $2" >&2
    exit 1
  fi
}

# allow NAME FILE TEXT: the rules have to let TEXT in FILE pass.
allow() {
  local tree=$SCRATCH/allowed
  rm -rf "$tree"
  mkdir -p "$tree"/{lib/base,lib/model,kernels/norm,cmd}
  printf '%s\n' "$3" >"$tree/$2"
  if ! check_tree "$tree"; then
    echo "self-test: '$1' was refused in $2" >&2
    exit 1
  fi
}

mkdir -p "$SCRATCH"
plant "#ifdef" kernels/norm/a_cpu.cpp '#ifdef __AVX512F__'
plant "#if" lib/model/a.h '#if defined(__CUDACC__)'
plant "exit" lib/model/a.cpp '  std::exit(1);'
plant "abort" lib/base/a.cpp '  abort();'
plant "printf" lib/model/a.cpp '  std::printf("%d", 1);'
plant "fprintf" kernels/norm/a_cuda.cu '  fprintf(stderr, "x");'
plant "cout" lib/model/a.cpp '  std::cout << 1;'
plant "CLI11 in a header" cmd/a.h '#include <CLI/CLI.hpp>'
plant "toml++ in a header" lib/base/a.h '#include <toml++/toml.h>'
plant "a note" lib/base/a.h '// TODO: finish'
allow "#if in lib/base" lib/base/a.h '#if defined(__CUDACC__)'
allow "a comment" lib/model/a.cpp '  int x;  // printf() would do'
allow "a string" lib/model/a.cpp '  fail("exit(1) and \" abort()");'
allow "a member" lib/model/a.cpp '  file.abort();'
allow "snprintf" lib/model/a.cpp '  snprintf(b, n, "x");'
allow "CLI11 in a command" cmd/a.cpp '#include <CLI/CLI.hpp>'

check_tree "$SOURCE"
