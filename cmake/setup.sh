#!/usr/bin/env bash
# Makes a Debian machine ready to build llmtool:
#   cmake/setup.sh [build|all]
# 1. installs the Debian packages that the build ("all": the tests, too) needs and the machine lacks;
# 2. builds what Debian carries only as shared libraries into static ones, from Debian's own source
#    packages (apt checks their hashes and signatures), in $LLMTOOL_DEPS
#    (default ~/.cache/llmtool/deps). A second run finds its stamp there and does nothing.
# Only step 1 needs root, and only if a package is missing.
set -euo pipefail

what=${1:-all}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
deps=${LLMTOOL_DEPS:-${XDG_CACHE_HOME:-$HOME/.cache}/llmtool/deps}
jobs=${JOBS:-$(nproc)}

build_packages=(g++ cmake ninja-build make patch dpkg-dev libcli11-dev libtomlplusplus-dev
  nlohmann-json3-dev libzstd-dev zlib1g-dev libxxhash-dev libutf8proc-dev libuchardet-dev doctest-dev
  python3 xz-utils zstd)
test_packages=(clang-format cppcheck binutils qemu-user)

say() { printf 'setup: %s\n' "$*" >&2; }
die() {
  say "error: $1"
  say "hint: $2"
  exit 1
}

# ---- 1. Debian packages ----
packages=("${build_packages[@]}")
case $what in
  build) ;;
  all) packages+=("${test_packages[@]}") ;;
  *) die "unknown argument '$what'" "cmake/setup.sh [build|all]" ;;
esac
command -v apt-get >/dev/null ||
  die "this machine has no apt-get" "llmtool is built on Debian 12 or newer; see README.md"

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true)
  [[ $status == *"ok installed" ]] || missing+=("$package")
done
if ((${#missing[@]})); then
  as_root=()
  if ((EUID)); then
    sudo -n true 2>/dev/null ||
      die "missing packages, and no root to install them: ${missing[*]}" \
        "run 'sudo apt-get install ${missing[*]}', then this again"
    as_root=(sudo)
  fi
  say "installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  "${as_root[@]}" apt-get -qq update
  "${as_root[@]}" apt-get -qq -y --no-install-recommends install "${missing[@]}" >&2
fi

# ---- 2. Static libraries from source packages ----
sources=(fmtlib spdlog simdjson sentencepiece libxml2 fasttext)
# The stamp holds a hash of this part of the script, and the compiler.
recipe=$(sed -n '/^# ---- 2/,$p' "${BASH_SOURCE[0]}" | sha256sum | cut -d' ' -f1)
stamp_text="$recipe $(${CXX:-g++} --version | head -n1)"
if [[ -f $deps/stamp && $(head -n1 "$deps/stamp") == "$stamp_text" ]]; then
  say "ready: $deps"
  exit 0
fi

# The folder is replaced as a whole: it has to be one of ours.
if [[ -d $deps && ! -f $deps/stamp && -n $(ls -A "$deps") ]]; then
  die "'$deps' has files that this script did not make" "set LLMTOOL_DEPS to a new folder"
fi
mkdir -p "$(dirname "$deps")"
exec 9>"$deps.lock"
flock 9  # another clone may be building the same folder
if [[ -f $deps/stamp && $(head -n1 "$deps/stamp") == "$stamp_text" ]]; then exit 0; fi

work=$(mktemp -d "$deps.work.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{apt/sources,apt/lists/partial,apt/cache/archives/partial,src}

# The machine's own Debian entries, as source entries, in an apt configuration of our own: the
# machine's is left as it is.
codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
shopt -s nullglob
for list in /etc/apt/sources.list.d/*.sources; do
  awk -v RS= -v ORS='\n\n' -v code="$codename" '
    /(^|\n)URIs:[^\n]*debian/ && $0 ~ "(^|\n)Suites:[^\n]*" code &&
    /(^|\n)Components:[^\n]*main/ && !/(^|\n)Enabled: *no/ {
      gsub(/(^|\n)Types:[^\n]*/, "\nTypes: deb-src"); sub(/^\n/, ""); print
    }' "$list"
done >"$work/apt/sources/debian.sources"
for list in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
  [[ -f $list ]] || continue
  sed -nE "s/^deb (.*debian[^ ]* +$codename[^ ]* .*main.*)\$/deb-src \1/p" "$list"
done >"$work/apt/sources/debian.list"
cat >"$work/apt/apt.conf" <<END
Dir::Etc::SourceList "/dev/null";
Dir::Etc::SourceParts "$work/apt/sources";
Dir::State::Lists "$work/apt/lists";
Dir::Cache "$work/apt/cache";
APT::Sandbox::User "";
END
export APT_CONFIG=$work/apt/apt.conf
say "fetching the sources of ${sources[*]}"
apt-get -qq update
(cd "$work/src" && apt-get -qq source "${sources[@]}" >"$work/source.log" 2>&1) || {
  cat "$work/source.log" >&2
  die "the Debian sources of ${sources[*]} could not be fetched" \
    "check the network, and that /etc/apt has a Debian entry for '$codename main'"
}

out=$work/deps
mkdir -p "$out"/{include,lib,copyright}
build() {  # build NAME SOURCE-DIR TARGETS CMAKE-OPTIONS...: leaves $work/NAME
  local name=$1 source=$2 targets=$3
  shift 3
  say "building $name"
  {
    cmake -S "$source" -B "$work/$name" -G Ninja -DCMAKE_BUILD_TYPE=Release \
      -DCMAKE_POSITION_INDEPENDENT_CODE=ON -DBUILD_SHARED_LIBS=OFF -DBUILD_TESTING=OFF \
      -DCMAKE_INSTALL_PREFIX="$out" -DCMAKE_INSTALL_LIBDIR=lib "$@" &&
      cmake --build "$work/$name" -j "$jobs" --target $targets
  } >"$work/$name.log" 2>&1 || {
    tail -n 40 "$work/$name.log" >&2
    die "$name did not build" "the lines above are the end of its log"
  }
}

cd "$work/src"
build fmt fmtlib-* install -DFMT_TEST=OFF -DFMT_DOC=OFF
build spdlog spdlog-* install -DSPDLOG_FMT_EXTERNAL=ON -DSPDLOG_BUILD_EXAMPLE=OFF \
  -DCMAKE_PREFIX_PATH="$out"
build simdjson simdjson-* install
# Debian's package drops the static libraries; everything else of its patches stays.
patch -d sentencepiece-* -p1 -R -s -i debian/patches/disable-static-library.patch
build sentencepiece sentencepiece-* "sentencepiece-static sentencepiece_train-static" \
  -DSPM_ENABLE_SHARED=OFF -DSPM_ENABLE_TCMALLOC=OFF -DSPM_USE_BUILTIN_PROTOBUF=ON
cp "$work"/sentencepiece/src/libsentencepiece*.a "$out/lib/"
# Only the HTML parser: Debian's static library would bring ICU's 30 MB of tables and liblzma.
xml_without=()
for part in C14N CATALOG DEBUG DOCB FTP HTTP ICONV ICU ISO8859X LEGACY LZMA MODULES OUTPUT PATTERN \
  PROGRAMS PYTHON READER REGEXPS SAX1 SCHEMAS SCHEMATRON TESTS VALID WRITER XINCLUDE XPATH XPTR \
  ZLIB; do
  xml_without+=("-DLIBXML2_WITH_$part=OFF")
done
build libxml2 libxml2-* LibXml2 "${xml_without[@]}"
cp "$work/libxml2/libxml2.a" "$out/lib/"
mkdir -p "$out/include/libxml"
cp libxml2-*/include/libxml/*.h "$out/include/libxml/"
cp "$work/libxml2/libxml/xmlversion.h" "$out/include/libxml/"  # of this configuration
# No flags of fastText's own (-march=native), and the same floats as everywhere in llmtool.
build fasttext fasttext-* fasttext-static_pic -DCMAKE_CXX_STANDARD=11 \
  -DCMAKE_CXX_FLAGS="-march=x86-64-v2 -ffp-contract=off"
cp "$work/fasttext/libfasttext_pic.a" "$out/lib/libfasttext.a"
mkdir -p "$out/include/fasttext"
cp fasttext-*/src/*.h "$out/include/fasttext/"
cp sentencepiece-*/src/sentencepiece_{processor,trainer}.h "$out/include/"
# The classes of the model's own format, for reading and changing a .model file.
mkdir -p "$out/include/sentencepiece_model"
cp sentencepiece-*/src/builtin_pb/sentencepiece_model.pb.h "$out/include/sentencepiece_model/"
cp -r sentencepiece-*/third_party/protobuf-lite/google "$out/include/sentencepiece_model/"
for source in "${sources[@]}"; do
  cp "$source"-*/debian/copyright "$out/copyright/$source"
done

{
  echo "$stamp_text"
  for dsc in *.dsc; do echo "${dsc%.dsc}"; done
} >"$out/stamp"
rm -rf "$deps"
mv "$out" "$deps"
say "ready: $deps"
