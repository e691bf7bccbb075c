#!/usr/bin/env bash
# A web archive to clean, deduplicated documents: see README.md.
#   run.sh [--small] [--output FOLDER] [WARC...]
# Without archives, the pages of some of Debian's documentation packages (--small: of two).
# LLMTOOL names the program (build/llmtool). A run that was killed goes on.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../recipe.sh"
usage='run.sh [--small] [--output FOLDER] [WARC...]'
begin_recipe "$@"
warcs=("${rest[@]}")

if ((${#warcs[@]} == 0)); then
  warcs=("$out/crawl.warc.gz")
  if [[ ! -f ${warcs[0]} ]]; then
    packages=(git-doc zsh-doc exim4-doc-html sqlite3-doc python-django-doc debian-faq maint-guide)
    ((${#small[@]})) && packages=(zsh-doc maint-guide)
    unpack_debian "$out/debian" "${packages[@]}"
    say "writing the archive"
    warc_of_html "$out/debian" "${warcs[0]}"
  fi
fi

again=(--overwrite)
[[ -e $out/clean.jsonl.zst.work/checkpoint.json ]] && again=(--resume)
"$llmtool" corpus run "$here/web.toml" "${warcs[@]}" -o "$out/clean.jsonl.zst" \
  --rejected "$out/rejected" --report "$out/report" --skip-bad "${again[@]}"
documents=$(zstd -dc "$out/clean.jsonl.zst" | wc -l)
((documents > 0)) ||
  die "no document is left" "$out/report/report.html tells why each one went"
say "documents: $out/clean.jsonl.zst; what went and why: $out/report/report.html, $out/rejected/"
