#!/usr/bin/env bash
# Makes documents of English prose from Debian's documentation packages:
#   corpus.sh [--small] FOLDER
# leaves in FOLDER
#   train.jsonl.zst, heldout.jsonl.zst   documents: {"id", "text", "metadata": {"source"}}
#   heldout.txt                          the texts of heldout.jsonl.zst, for zstd and xz
#   corpus.txt                           the packages, and what was counted and removed
# Nothing is installed: the packages are downloaded and unpacked into FOLDER, without root. The same
# packages give the same bytes.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../recipe.sh"
export LC_ALL=C

packages=(python3-doc python-django-doc postgresql-doc sqlite3-doc git-doc exim4-doc-html zsh-doc)
share=8  # of 256: the documents held out, by the first byte of their page's SHA-256
if [[ ${1:-} == --small ]]; then
  packages=(git-doc zsh-doc)
  shift
fi
out=${1:?usage: corpus.sh [--small] FOLDER}
mkdir -p "$out"
out=$(cd "$out" && pwd)

# ---- 1. Packages -> pages ----
# python3-doc and postgresql-doc only depend on the package of the release's own version.
versioned() {
  case $1 in
    python3-doc | postgresql-doc)
      apt-cache depends "$1" |
        sed -nE 's/.*Depends: (python3\.[0-9]+-doc|postgresql-doc-[0-9]+)$/\1/p'
      ;;
    *) echo "$1" ;;
  esac
}

work=$(mktemp -d "$out/work.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir "$work/pages"
for wanted in "${packages[@]}"; do
  package=$(versioned "$wanted")
  package=${package:-$wanted}
  unpack_debian "$out/debian" "$package"
  deb=("$out/debian/packages/$package"_*.deb)
  # shellcheck disable=SC2016  # dpkg-deb's own variables
  dpkg-deb --show --showformat 'package ${Package} ${Version}\n' "${deb[0]}" >>"$work/packages.txt"
  ln -s "$out/debian/$package" "$work/pages/$package"
done

# Indexes, lists of links, and pages that hold the text of other pages are left out.
cd "$work/pages"
find -L . -type f -name '*.html' | sed 's|^\./||' | sort | grep -Ev \
  '/(genindex[^/]*|py-modindex|contents|search|bookindex|requirements|.*crossref)\.html$|/matrix/' \
  >"$work/pages.txt"

# ---- 2. Pages -> paragraphs, one a line, after a line "\036id" for each page ----
cat >"$work/html.awk" <<'AWK'
BEGIN {
  RS = "<"  # so a record is "tag>text"
  list = "p div li dt dd h1 h2 h3 h4 h5 h6 br tr td th ul ol dl table blockquote section article"
  n = split(list " body hr", names, " ")
  for (i = 1; i <= n; i++) breaks[names[i]] = 1
  n = split("head script style pre nav footer header form select textarea svg table", names, " ")
  for (i = 1; i <= n; i++) drops[names[i]] = 1
}
function paragraph() {
  gsub(/[ \t\r\n\036]+/, " ", text)
  if (text ~ /[A-Za-z][a-z]/) print text
  text = ""
}
FNR == 1 { paragraph(); printf "\036%s\n", FILENAME; comment = depth = 0; next }
comment { if (index($0, "-->")) comment = 0; next }
/^!--/ { if (!index($0, "-->")) comment = 1; next }
!index($0, ">") { next }
{
  end = index($0, ">")
  match($0, /^\/?[A-Za-z0-9]+/)
  name = tolower(substr($0, 1, RLENGTH))
  closing = sub(/^\//, "", name)
  if (name in breaks || name in drops) paragraph()
  if (depth) {
    if (name == dropped) depth += closing ? -1 : 1
    if (depth) next
  } else if (name in drops && !closing) {
    dropped = name
    depth = 1
    next
  }
  text = text substr($0, end + 1)
}
END { paragraph() }
AWK
cat >"$work/entities.sed" <<'END'
s/&lt;/</g; s/&gt;/>/g; s/&quot;/"/g; s/&#39;/'/g
s/&#64;/@/g; s/&#94;/^/g; s/&#91;/[/g; s/&#93;/]/g
s/&mdash;\|&#8212;\|&#151;/—/g; s/&ndash;\|&#8211;/–/g
s/&hellip;\|&#8230;/…/g; s/&rarr;\|&#8594;/→/g
s/&lsquo;\|&#8216;/‘/g; s/&rsquo;\|&#8217;/’/g
s/&ldquo;\|&#8220;/“/g; s/&rdquo;\|&#8221;/”/g
s/&nbsp;\|&#160;\|\xc2\xa0\|&#8201;/ /g; s/&para;\|¶\|&[lr]aquo;\|&#187;/ /g
s/&amp;/\&/g
s/  */ /g; s/^ //; s/ $//; /^$/d
END
convert() {
  xargs awk -f "$work/html.awk" | iconv -c -f UTF-8 -t UTF-8 | tr -d '\000-\011\013-\035\037\177' |
    sed -f "$work/entities.sed"
}
half=$((($(wc -l <"$work/pages.txt") + 1) / 2))
head -n "$half" "$work/pages.txt" | convert >"$work/text.1" &
tail -n +"$((half + 1))" "$work/pages.txt" | convert >"$work/text.2"
wait $!

# ---- 3. Page furniture goes, long paragraphs stay once, documents are held out by hash ----
xargs sha256sum <"$work/pages.txt" | awk -v share="$share" '
  function digit(at) { return index("0123456789abcdef", substr($1, at, 1)) - 1 }
  { print (16 * digit(1) + digit(2) < share ? "heldout" : "train"), $2 }' >"$work/split.txt"
cd "$work"
rm -r pages
cat text.1 text.2 >text
# A line that stands more than ten times is a menu, a footer, or a heading that every page has.
awk 'NR == FNR { count[$0]++; next } count[$0] <= 10' text text >prose
awk '
  FILENAME == "split.txt" { side[$2] = $1; next }
  /^\036/ { file = side[substr($0, 2)] ".text"; print >file; next }
  length($0) < 40 || !seen[$0]++ { print >file }' split.txt prose

# ---- 4. A held-out paragraph that shares 13 words in a row with a training document goes (the rule
# of GPT-3, arXiv:2005.14165, appendix C); so does a document that is left with less than half ----
cat >shared.awk <<'AWK'
# The runs of 13 words of a line, lower case, to run[1..]; a shorter line is one run.
function runs(line,    n, i, at) {
  line = tolower(line)
  gsub(/[^a-z0-9]+/, " ", line)
  sub(/^ /, "", line)
  sub(/ $/, "", line)
  n = split(line, word, " ")
  if (n <= 13) {
    run[1] = line
    return 1
  }
  at = 1
  for (i = 1; i <= n; i++) {
    begin[i] = at
    at += length(word[i]) + 1
  }
  begin[n + 1] = at
  for (i = 1; i + 12 <= n; i++) run[i] = substr(line, begin[i], begin[i + 13] - begin[i] - 1)
  return n - 12
}
function document() {
  if (kept * 2 >= whole && kept >= 200) {
    printf "%s", text
    documents++
    bytes += kept
  } else {
    dropped += kept
  }
  all += whole
  whole = kept = 0
  text = ""
}
/^\036/ { if (pass == "filter") { document(); text = $0 "\n"; pages++ } next }
{ n = runs($0) }
pass == "collect" { for (i = 1; i <= n; i++) shared[run[i]] = 0; next }
pass == "mark" { for (i = 1; i <= n; i++) if (run[i] in shared) shared[run[i]] = 1; next }
{
  whole += length($0) + 1
  for (i = 1; i <= n; i++) if (shared[run[i]]) next
  kept += length($0) + 1
  text = text $0 "\n"
}
END {
  document()
  print "heldout_pages", pages >"counts.removed"
  print "heldout_bytes_before", all >"counts.removed"
  print "shared_bytes_removed", all - bytes - dropped >"counts.removed"
  print "documents_dropped", pages - documents >"counts.removed"
  print "bytes_dropped_with_them", dropped >"counts.removed"
}
AWK
awk -f shared.awk pass=collect heldout.text pass=mark train.text pass=filter heldout.text \
  >heldout.kept

# ---- 5. Documents ----
cat >documents.awk <<'AWK'
# A document to a line of JSON; shorter ones than 200 bytes are not worth one.
function document() {
  if (size >= 200) {
    printf "{\"id\":\"%s\",\"text\":\"%s\",\"metadata\":{\"source\":\"%s\"}}\n", id, text, source
    documents++
    bytes += size
  }
  text = ""
  size = 0
}
/^\036/ { document(); id = source = substr($0, 2); sub(/\/.*/, "", source); next }
{ size += length($0) + 1; gsub(/["\\]/, "\\\\&"); text = text $0 "\\n" }
END {
  document()
  print side "_documents", documents >"counts." side
  print side "_bytes", bytes >"counts." side
}
AWK
awk -f documents.awk -v side=train train.text >train.jsonl
awk -f documents.awk -v side=heldout heldout.kept >heldout.jsonl
grep -av $'^\036' heldout.kept >heldout.txt
zstd -q -6 train.jsonl heldout.jsonl
mv train.jsonl.zst heldout.jsonl.zst heldout.txt "$out/"
cat packages.txt counts.train counts.heldout counts.removed >"$out/corpus.txt"
