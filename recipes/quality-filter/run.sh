#!/usr/bin/env bash
# Two quality filters, LLaMA's and DCLM's, from Debian's documentation: see README.md.
#   run.sh [--small] [--output FOLDER]
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../recipe.sh"
begin_recipe "$@"
need awk zcat

# An entry of a dictionary begins in the first column. Entries of 300 letters and more become files;
# marks that no page has (<subject>, {reference}, the entry's date) would give them away.
entries() {  # entries DICTIONARY FOLDER
  mkdir -p "$2"
  zcat "$1" | awk -v folder="$2" '
    function put() {
      if (length(text) < 300) return
      file = sprintf("%s/%05d.txt", folder, ++n)
      printf "%s", text >file
      close(file)
    }
    /^[^ \t]/ { put(); text = "" }
    { sub(/^[ \t]+/, ""); sub(/^<[^>]*> */, ""); gsub(/[{}]/, "") }
    !/^\([0-9-]+\)$/ { text = text $0 "\n" }
    END { put() }'
}

# The parts of a changelog, each from one unindented line to the next, in groups of ten.
changes() {  # changes CHANGELOG.gz FOLDER PREFIX
  mkdir -p "$2"
  zcat "$1" | awk -v base="$2/$3" '
    /^[^ \t]/ && ++parts % 10 == 1 {
      if (file) close(file)
      file = sprintf("%s-%05d.txt", base, ++n)
    }
    file { print >file }'
}

# pages NAME KIND PATH...: the main text of the English pages below the packages' paths, those of
# $explained left out of what is not of this kind: NAME-KIND.jsonl.
pages() {
  local name=$1-$2 kind=$2
  shift 2
  mkdir -p "$out/pages/$name"
  (cd "$out/debian" && cp -r --parents "$@" "$out/pages/$name")
  if [[ $kind != explained ]]; then
    (cd "$out/debian" && ls -d "${explained[@]}") | (cd "$out/pages/$name" && xargs rm -rf)
  fi
  warc_of_html "$out/pages/$name" "$out/$name.warc.gz"
  "$llmtool" extract html "$out/$name.warc.gz" --skip-bad -q |
    "$llmtool" lang - --keep en --min-score 0.5 -q -o "$out/$name.jsonl" --overwrite >"$out/$name.log"
}

guides=(maint-guide debian-faq)
manuals=(zsh-doc)
if ((! ${#small[@]})); then
  guides+=(developers-reference apt-doc debian-reference-en)
  manuals+=(exim4-doc-html sqlite3-doc)
fi
both=(git-doc python-django-doc) # manuals with chapters that explain
never_seen=python3.11-doc
logs=(dpkg apt perl-base bash)
git=git-doc/usr/share/doc/git-doc
django=python-django-doc/usr/share/doc/python-django-doc/html
python=$never_seen/usr/share/doc/python3.11/html
explained=(
  $git/{howto,gitfaq.html,gitglossary.html,gitworkflows.html,user-manual.html}
  $git/{gittutorial,gittutorial-2,gitcore-tutorial,giteveryday,gitcvs-migration}.html
  $django/{intro,topics,howto,faq} $python/{tutorial,howto,faq}
)
of_both=() of_python=()
for path in "${explained[@]}"; do
  if [[ $path == $never_seen/* ]]; then of_python+=("$path"); else of_both+=("$path"); fi
done

unpack_debian "$out/debian" dict-foldoc "${guides[@]}" "${manuals[@]}" "${both[@]}" $never_seen \
  "${logs[@]}"
if [[ ! -f $out/texts.done ]]; then
  say "cutting the texts"
  rm -rf "$out/lists" "$out/encyclopedia" "$out/pages"
  entries "$out/debian/dict-foldoc/usr/share/dictd/foldoc.dict.dz" "$out/encyclopedia"
  for package in "${logs[@]}"; do
    for file in "$out/debian/$package/usr/share/doc/$package"/changelog*.gz; do
      changes "$file" "$out/lists" "$package-$(basename "$file" .gz)"
    done
  done
  pages seen explained "${guides[@]}" "${of_both[@]}"
  pages seen other "${manuals[@]}" "${both[@]}"
  pages unseen explained "${of_python[@]}"
  pages unseen other $python/{library,c-api,reference,distutils,extending,whatsnew}
  touch "$out/texts.done"
fi

say "LLaMA's filter: encyclopedia against pages and lists"
"$llmtool" classify train --config "$here/wiki.toml" --label "reference=$out/encyclopedia" \
  --label "web=$out/seen-explained.jsonl,$out/seen-other.jsonl,$out/lists" -o "$out/wiki" \
  --overwrite -q
say "DCLM's filter: what explains against manuals and lists"
"$llmtool" classify train --config "$here/dclm.toml" \
  --label "explained=$out/seen-explained.jsonl" --label "other=$out/seen-other.jsonl,$out/lists" \
  -o "$out/dclm" --overwrite -q

kept() {  # kept FILTER KIND: how many pages of the site that was never seen the filter keeps
  "$llmtool" classify score "$out/unseen-$2.jsonl" --model "$out/$1/model.bin" --use-threshold \
    --name quality -o "$out/$1-$2.jsonl" --overwrite -q >"$out/$1-$2.log"
  wc -l <"$out/$1-$2.jsonl"
}
echo "of a site that was never seen ($never_seen):"
for filter in wiki dclm; do
  for kind in explained other; do
    echo "  $filter keeps $(kept $filter $kind) of $(wc -l <"$out/unseen-$kind.jsonl") pages '$kind'"
  done
done

# The bar, on held-out documents at the chosen threshold.
reaches() {  # reaches FILTER FIGURE BAR
  local value
  value=$(sed -n "/\"chosen\"/,/}/ s/.*\"$2\": \([0-9.e-]*\).*/\1/p" "$out/$1/report.json")
  awk -v value="$value" -v bar="$3" 'BEGIN { exit !(value != "" && value + 0 >= bar) }' ||
    die "the $1 filter has a $2 of ${value:-nothing}, below $3" "see $out/$1/report.html"
}
reaches wiki precision 0.95
reaches wiki recall 0.95
reaches dclm precision 0.6
reaches dclm recall 0.6
say "curves and thresholds: $out/wiki/report.html, $out/dclm/report.html"
