#!/usr/bin/env bash
# Makes a web archive of the HTML pages in Debian's documentation packages:
#   crawl.sh [--small] FOLDER
# leaves FOLDER/crawl.warc.gz: one response record for each page, each a gzip member of its own, as
# crawlers write them. Nothing is installed: the packages are downloaded and unpacked into FOLDER,
# without root. The same packages give the same bytes.
set -euo pipefail
export LC_ALL=C

packages=(git-doc zsh-doc exim4-doc-html sqlite3-doc python-django-doc debian-faq maint-guide)
if [[ ${1:-} == --small ]]; then
  packages=(zsh-doc maint-guide)
  shift
fi
out=${1:?usage: crawl.sh [--small] FOLDER}
mkdir -p "$out/packages"
out=$(cd "$out" && pwd)

say() { printf 'crawl: %s\n' "$*" >&2; }
die() {
  say "error: $1"
  say "hint: $2"
  exit 1
}
for tool in apt-get dpkg-deb gzip; do
  command -v "$tool" >/dev/null ||
    die "'$tool' is missing" "this makes its example from Debian's packages; give your own with --warc"
done

work=$(mktemp -d "$out/work.XXXXXX")
trap 'rm -rf "$work"' EXIT
for package in "${packages[@]}"; do
  deb=("$out/packages/$package"_*.deb)
  if [[ ! -f ${deb[0]} ]]; then
    say "downloading $package"
    # apt checks what it downloads against the signed lists.
    (cd "$out/packages" && apt-get -qq -o APT::Sandbox::User= download "$package") ||
      die "the Debian package '$package' could not be downloaded" \
        "check the network; 'apt-get update', as root, renews apt's lists of packages"
    deb=("$out/packages/$package"_*.deb)
  fi
  mkdir "$work/$package"
  dpkg-deb --fsys-tarfile "${deb[0]}" | tar -x -C "$work/$package" --wildcards '*.html' '*.html.gz' \
    2>/dev/null || true  # a pattern that fits nothing
done
find "$work" -name '*.html.gz' -exec gzip -d {} +

say "writing the archive"
cd "$work"
header='HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n'
header_bytes=$(printf "$header" | wc -c)
find . -type f -name '*.html' | sed 's|^\./||' | sort | while IFS= read -r page; do
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
done >crawl.partial
mv crawl.partial "$out/crawl.warc.gz"
