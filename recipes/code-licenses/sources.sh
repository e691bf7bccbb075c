#!/usr/bin/env bash
# Debian source packages as a folder of trees:
#   sources.sh [--small] FOLDER
# With an apt configuration of its own: the machine's is left as it is. apt checks the hashes.
set -euo pipefail

packages=(zlib bzip2 lz4 brotli expat jansson cjson popt dash libyaml leveldb snappy gflags
  tinyxml2 fmtlib libmd libbsd lua5.4 check memcached)
if [[ ${1-} == --small ]]; then
  packages=(lz4 cjson libmd)
  shift
fi
folder=$(mkdir -p "$1" && cd "$1" && pwd)

work=$(mktemp -d "$folder.apt.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{sources,lists/partial,cache/archives/partial}
codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
cat >"$work/sources/debian.sources" <<END
Types: deb-src
URIs: ${DEBIAN_MIRROR:-http://deb.debian.org/debian}
Suites: $codename
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
END
cat >"$work/apt.conf" <<END
Dir::Etc::SourceList "/dev/null";
Dir::Etc::SourceParts "$work/sources";
Dir::State::Lists "$work/lists";
Dir::Cache "$work/cache";
APT::Sandbox::User "";
END
export APT_CONFIG=$work/apt.conf
apt-get -qq update
for package in "${packages[@]}"; do
  [[ -d $folder/$package ]] && continue
  (cd "$work" && apt-get -qq source --download-only "$package" >/dev/null)
  dpkg-source -q --no-check -x "$work/$package"_*.dsc "$work/$package" >/dev/null
  rm -rf "$work/$package/.pc"
  mv "$work/$package" "$folder/$package"
done
