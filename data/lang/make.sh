#!/usr/bin/env bash
# Makes data/lang/languages.ftz anew:
#   data/lang/make.sh WORK-FOLDER [LLMTOOL]
# fetches about 1 GB of Debian packages into WORK/packages (none is installed), takes their text
# (make_text.py) and a balanced sample of it (make_sample.py), and trains. The same packages give the
# same model.
set -euo pipefail

work=${1:?usage: data/lang/make.sh WORK-FOLDER [LLMTOOL]}
llmtool=${2:-build/llmtool}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

names() { apt-cache search -n "$1" | cut -d' ' -f1; }

mkdir -p "$work/packages"
{
  names '^libreoffice-(l10n|help)-' | grep -vE 'common|in$|en-za|help-dz|zh-tw'
  names '^(firefox-esr|thunderbird)-l10n-' | grep -v -- '-all$'
  names '^manpages-' | grep -vE 'manpages-(dev|posix.*)$'
  names '^(hunspell|myspell)-[a-z]' | grep -vE 'tools|doc$|-med|medical|classical'
  names '^fortunes-' | grep -vE -- '-off$|eo-ascii|eo-iso3'
  tr ' ' '\n' <<<"installation-guide-amd64 gnome-user-docs gnome-getting-started-docs dasher-data
mate-user-guide vim-runtime vlc-l10n gimp-data evolution-common kdenlive-data freeciv-data
libgtk-3-common libglib2.0-data gnome-control-center-data nautilus-data gnumeric-common
abiword-common scribus-data shotwell-common tasksel-data krita-l10n kstars-data wesnoth-1.16-data
iso-codes tuxtype-data gnucash-common hplip-data apt dpkg aptitude-common libc-l10n audacity-data
inkscape calibre gramps digikam-data marble-data kate5-data debian-handbook gnome-software-common
deja-dup pidgin-data ktouch-data klavaro gcompris-qt-data stellarium-data parley-data"
} | sort -u >"$work/packages.txt"
(cd "$work/packages" && while read -r name; do
  compgen -G "${name}_*.deb" >/dev/null || echo "$name"
done <../packages.txt | xargs -r -n 40 apt-get -qq download)

"$here/make_text.py" "$work/packages" "$work/text"
"$here/make_sample.py" "$work/text" "$work/sample.jsonl" --characters 500000
"$llmtool" classify train "$work/sample.jsonl" --label-member metadata.language --text letters \
  --held-out 0.02 --min-chars 2 --max-chars 4 --buckets 2000000 --dim 16 --min-count 1000000000 \
  --epochs 2 --lr 0.5 --quantize --cutoff 55000 --retrain -o "$work/model" --overwrite
cp "$work/model/model.ftz" "$here/languages.ftz"
