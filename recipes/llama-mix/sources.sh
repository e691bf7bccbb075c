#!/usr/bin/env bash
# The raw text of each source, from Debian's packages: see README.md. run.sh calls it.
#   sources.sh [--small] [--output FOLDER]
# leaves in FOLDER: crawl.warc.gz, c4.warc.gz, books.warc.gz, code/, encyclopedia.jsonl, latex/,
# qa.jsonl. Nothing is installed.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../recipe.sh"
begin_recipe "$@"
debian=$out/debian

if ((${#small[@]})); then
  crawl=(zsh-doc)
  c4=(debian-faq maint-guide)
  code=(python3-attr python3-requests python3-gpg libcli11-dev golang-github-spf13-cobra-dev)
  dictionaries=(dict-jargon)
  books=(developers-reference)
  papers=(gretl-doc)
else
  crawl=(git-doc zsh-doc exim4-doc-html sqlite3-doc)
  c4=(python-django-doc debian-faq maint-guide)
  code=(python3-attr python3-requests python3-gpg libcli11-dev golang-github-spf13-cobra-dev
    python3-django python3-sphinx python3-numpy python3-scapy libeigen3-dev
    nlohmann-json3-dev rapidjson-dev librust-serde-dev librust-regex-dev golang-golang-x-text-dev
    golang-golang-x-net-dev)
  dictionaries=(dict-jargon dict-foldoc dict-gcide dict-vera)
  books=(developers-reference anarchism)
  papers=(gretl-doc libtheora-doc expeyes)
fi

pages() {  # pages SOURCE PACKAGE...: a web archive of their HTML
  local source=$1 package
  rm -rf "${debian:?}/$source"
  mkdir -p "$debian/$source"
  for package in "${@:2}"; do
    unpack_debian "$debian" "$package"
    cp -rL "$debian/$package/usr/share" "$debian/$source/$package" 2>/dev/null || true
  done
  warc_of_html "$debian/$source" "$out/$source.warc.gz"
  rm -rf "${debian:?}/$source"
}
escape() { tr -d '\000-\010\013-\037' | sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/\t/\\t/g'; }

say "web pages"
pages crawl "${crawl[@]}"
pages c4 "${c4[@]}"
pages books "${books[@]}"

say "code"
# Each package is a tree: its files, and Debian's account of their licences where a source has it.
rm -rf "$out/code"
for package in "${code[@]}"; do
  unpack_debian "$debian" "$package"
  mkdir -p "$out/code/$package/debian"
  for folder in lib/python3/dist-packages include share/gocode/src share/cargo/registry; do
    [[ ! -d $debian/$package/usr/$folder ]] ||
      cp -r "$debian/$package/usr/$folder/." "$out/code/$package/"
  done
  find "$out/code/$package" \( -type l -o -name '*.so' -o -name '*.egg-info' \) -exec rm -rf {} +
  cp "$debian/$package/usr/share/doc/$package/copyright" "$out/code/$package/debian/"
done

say "encyclopedia"
# A dictionary of dictd is gzip of plain text: a headword at the margin, its article indented.
for package in "${dictionaries[@]}"; do
  unpack_debian "$debian" "$package"
  for file in "$debian/$package"/usr/share/dictd/*.dict.dz; do
    gzip -dc <"$file" | escape | awk -v name="$(basename "$file" .dict.dz)" '
      function finish() {
        gsub(/^(\\n)+|(\\n)+$/, "", text)
        if (indented) printf "{\"id\": \"%s-%d\", \"text\": \"%s\"}\n", name, ++count, text
        text = ""; indented = 0
      }
      /^[^ ]/ && blank && indented { finish() }
      { blank = /^ *$/; indented = indented || /^ +[^ ]/; sub(/^ +/, ""); text = text $0 "\\n" }
      END { finish() }'
  done
done >"$out/encyclopedia.jsonl.partial"
mv "$out/encyclopedia.jsonl.partial" "$out/encyclopedia.jsonl"

say "papers"
rm -rf "$out/latex"
mkdir -p "$out/latex"
for package in "${papers[@]}"; do
  unpack_debian "$debian" "$package"
  find "$debian/$package" -type f \( -name '*.tex' -o -name '*.tex.gz' \) | LC_ALL=C sort |
    while IFS= read -r file; do
      cp "$file" "$out/latex/$package-$(basename "$file")"
    done
done
find "$out/latex" -name '*.gz' -exec gzip -df {} +

say "questions and answers"
# Perl's FAQ: a question is a =head2, and its answer what follows.
unpack_debian "$debian" perl-doc
sed -E 's/[BCEFIL]<([^<>|]*\|)?([^<>]*)>/\2/g' "$debian"/perl-doc/usr/share/perl/*/pod/perlfaq?.pod |
  escape | awk '
    function finish() {
      gsub(/(\\n)+$/, "", text)
      if (text) printf "{\"id\": \"perlfaq-%d\", \"text\": \"Q: %s\"}\n", ++count, text
      text = ""
    }
    /^=head1/ { finish(); next }
    /^=head2 / { finish(); text = substr($0, 8) "\\n\\nA:"; next }
    /^=/ { next }
    text { text = text "\\n" $0 }
    END { finish() }' >"$out/qa.jsonl.partial"
mv "$out/qa.jsonl.partial" "$out/qa.jsonl"
