# What every run.sh begins with, and what several recipes do. A run.sh says
#     set -euo pipefail
#     source "$(dirname "${BASH_SOURCE[0]}")/../recipe.sh"
#     begin_recipe "$@"
# and has $recipe (its name) and $here (of the recipe), $root (of the tree), $llmtool (the program: LLMTOOL, or
# build/llmtool), $small (an array: empty, or --small), $out (the folder of --output, or
# runs/<recipe>[-small]; it is there) and $rest (an array: the other arguments; an error if there are
# any and $usage does not tell of them).
here=$(cd "$(dirname "${BASH_SOURCE[1]}")" && pwd)
root=$(cd "$here/../.." && pwd)
recipe=$(basename "$here")
llmtool=${LLMTOOL:-$root/build/llmtool}
small=() rest=()

say() { printf '%s: %s\n' "$recipe" "$*" >&2; }
die() {  # die MESSAGE WHAT-TO-DO
  say "error: $1"
  say "hint: $2"
  exit 1
}

begin_recipe() {
  out=
  while (($#)); do
    case $1 in
      --small) small=(--small) ;;
      --output) out=${2:?run.sh: --output needs a folder} && shift ;;
      *)
        [[ -n ${usage:-} ]] || {
          echo "run.sh: unknown argument '$1'; usage: run.sh [--small] [--output FOLDER]" >&2
          exit 2
        }
        rest+=("$1")
        ;;
    esac
    shift
  done
  out=${out:-$root/runs/$recipe${small:+-small}}
  mkdir -p "$out"
  out=$(cd "$out" && pwd)
  [[ -x $llmtool ]] || die "there is no program '$llmtool'" "run 'make build', or set LLMTOOL"
}

need() {  # need TOOL...
  local tool
  for tool in "$@"; do
    command -v "$tool" >/dev/null || die "'$tool' is missing" "'make setup' installs it, on Debian"
  done
}

# unpack_debian FOLDER PACKAGE...: the files of Debian packages, in FOLDER/PACKAGE each. Nothing is
# installed, and no root is needed; what was unpacked before stays.
unpack_debian() {
  local folder=$1 package deb
  shift
  need apt-get dpkg-deb
  mkdir -p "$folder/packages"
  for package in "$@"; do
    [[ ! -e $folder/$package ]] || continue
    deb=("$folder/packages/$package"_*.deb)
    if [[ ! -f ${deb[0]} ]]; then
      say "downloading $package"
      # apt checks what it downloads against the signed lists.
      (cd "$folder/packages" && apt-get -qq -o APT::Sandbox::User= download "$package") ||
        die "the Debian package '$package' could not be downloaded" \
          "check the network; 'apt-get update', as root, renews apt's lists of packages"
      deb=("$folder/packages/$package"_*.deb)
    fi
    rm -rf "$folder/$package.partial"
    dpkg-deb -x "${deb[0]}" "$folder/$package.partial"
    mv "$folder/$package.partial" "$folder/$package"
  done
}

# warc_of_html FOLDER FILE: all *.html and *.html.gz below FOLDER as a web archive, one response
# record for each page, each a gzip member of its own, as crawlers write them. The same pages give
# the same bytes.
warc_of_html() {
  local folder=$1 warc=$2 header='HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n' header_bytes url
  header_bytes=$(printf "$header" | wc -c)
  find "$folder" -type f -name '*.html.gz' -exec gzip -df {} +
  (
    cd "$folder"
    find . -type f -name '*.html' | sed 's|^\./||' | LC_ALL=C sort | while IFS= read -r page; do
      url="http://docs.example.org/$page"
      {
        printf 'WARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: <%s>\r\n' "$url"
        printf 'WARC-Date: 2024-01-01T00:00:00Z\r\nWARC-Target-URI: %s\r\n' "$url"
        printf 'Content-Type: application/http; msgtype=response\r\nContent-Length: %d\r\n\r\n' \
          $(($(stat -c %s "$page") + header_bytes))
        printf "$header"
        cat "$page"
        printf '\r\n\r\n'
      } | gzip -n -1
    done
  ) >"$warc.partial"
  mv "$warc.partial" "$warc"
}
