#include "lib/corpus/license/license_source.h"

#include <doctest/doctest.h>

#include "lib/base/rng.h"
#include "lib/corpus/license/verdict.h"
#include "tests/fuzz_rounds.h"

namespace llmtool {
namespace {

using Kind = LicenseSource::Kind;
using Style = PatternRules::Style;

const LicenseMatcher& matcher() {
  return LicenseMatcher::shipped();
}

std::string said_for(std::string_view path) {
  const auto source = read_license_source(path, "SPDX-License-Identifier: MIT\n", matcher());
  return source ? source->folder : "(none)";
}

std::string manifest(std::string_view name, std::string_view text) {
  return license_of_manifest(name, text, matcher());
}

LicenseFinding finding(LicenseFinding::Kind kind, std::string expression, double confidence = 1) {
  return {std::move(expression), kind, confidence, 0, 0};
}

}  // namespace

TEST_CASE("licence sources: names") {
  for (const char* path :
       {"LICENSE",          "a/LICENSE.txt", "LICENCE.md",       "COPYING",       "COPYING.LESSER",
        "COPYING3",         "license-mit",   "LICENSE-APACHE",   "UNLICENSE",     "COPYRIGHT",
        "MIT-LICENSE.txt",  "NOTICE",        "debian/copyright", "a/.reuse/dep5", "REUSE.toml",
        "LICENSES/MIT.txt", "x.png.license", "package.json",     "Cargo.toml",    "pyproject.toml",
        "setup.cfg",        "pom.xml",       "DESCRIPTION"}) {
    INFO(path);
    CHECK(is_license_source(path));
  }
  for (const char* path : {"main.c", "license.py", "copyright.h", "licensed.txt", "copyingfile",
                           "NOTICES.java", "LICENSE/x.c", "description", ".license", "", "/"}) {
    INFO(path);
    CHECK_FALSE(is_license_source(path));
  }
  CHECK(said_for("a/b/LICENSE") == "a/b");
  CHECK(said_for("LICENSE") == "");
  CHECK(said_for("./a//LICENSES/own.txt") == "a");
  CHECK(said_for("a/licenses/LICENSE-zlib") == "a");
  CHECK(said_for("a/x.png.license") == "a/x.png");
  CHECK(said_for("a/main.c") == "(none)");
  CHECK(clean_path("/./a//b/./c/") == "a/b/c");
}

TEST_CASE("licence sources: a licence file that nobody knows is not passed over") {
  const std::string own(300, 'x');
  CHECK(read_license_source("LICENSE", own + " words", matcher())->expression == kUnknownLicense);
  CHECK(read_license_source("LICENSE", "see elsewhere", matcher())->expression.empty());
  // A list of holders is none.
  CHECK(read_license_source("COPYRIGHT", own + " words", matcher())->expression.empty());
  CHECK(read_license_source("LICENSES/Zlib.txt", "", matcher())->expression == "Zlib");
}

TEST_CASE("licence sources: manifests") {
  CHECK(manifest("package.json", R"x({"license": "(MIT OR GPL-2.0)"})x") == "GPL-2.0-only OR MIT");
  CHECK(manifest("package.json", R"({"license": {"type": "ISC", "url": "x"}})") == "ISC");
  CHECK(manifest("package.json", R"({"licenses": [{"type": "MIT"}, {"type": "Zlib"}]})") ==
        "MIT OR Zlib");
  CHECK(manifest("package.json", R"({"license": "UNLICENSED"})") == kProprietaryLicense);
  CHECK(manifest("package.json", R"({"license": "SEE LICENSE IN x.txt"})") == "");
  CHECK(manifest("package.json", R"({"license": "Our very own"})") == kUnknownLicense);
  CHECK(manifest("package.json", R"({"license": 3})") == "");
  CHECK(manifest("package.json", R"({"license": )") == "");
  CHECK(manifest("package.json", std::string(100000, '[')) == "");
  CHECK(manifest("Cargo.toml", "[package]\nlicense = \"MIT/Apache-2.0\"\n") == "Apache-2.0 OR MIT");
  CHECK(manifest("pyproject.toml", "[project]\nlicense = {text = \"BSD-3-Clause\"}\n") ==
        "BSD-3-Clause");
  CHECK(manifest("pyproject.toml", "[tool.poetry]\nlicense = \"MIT\"\n") == "MIT");
  CHECK(manifest("pyproject.toml", "[project\n") == "");
  CHECK(manifest("setup.cfg", "[metadata]\nname = x\nlicense = MIT\n") == "MIT");
  CHECK(manifest("setup.cfg", "[metadata]\nname = x\nlicense_file = LICENSE\n") == "");
  CHECK(manifest("pom.xml", "<licenses><license><name>Apache-2.0</name></license></licenses>") ==
        "Apache-2.0");
  CHECK(manifest("pom.xml", "<licenses><name>") == "");
  CHECK(manifest("DESCRIPTION", "Package: x\nLicense: GPL (>= 2) | MIT + file LICENSE\n") ==
        "GPL-2.0-or-later OR MIT");
  CHECK(manifest("DESCRIPTION", "A license for all.\n") == "");
}

TEST_CASE("licence patterns: wildcards") {
  CHECK(matches_pattern("*", "a/b.c", Style::kDep5));
  CHECK(matches_pattern("src/*.c", "src/x/y.c", Style::kDep5));
  CHECK_FALSE(matches_pattern("src/*.c", "src/y.h", Style::kDep5));
  CHECK(matches_pattern("a?c", "abc", Style::kDep5));
  CHECK_FALSE(matches_pattern("a\\?c", "abc", Style::kDep5));
  CHECK(matches_pattern("a\\*c", "a*c", Style::kDep5));
  CHECK_FALSE(matches_pattern("a", "a/b", Style::kDep5));
  CHECK(matches_pattern("src/*.c", "src/y.c", Style::kReuseToml));
  CHECK_FALSE(matches_pattern("src/*.c", "src/x/y.c", Style::kReuseToml));
  CHECK(matches_pattern("src/**", "src/x/y.c", Style::kReuseToml));
  CHECK(matches_pattern("**/t*/*.c", "a/b/t1/y.c", Style::kReuseToml));
  CHECK_FALSE(matches_pattern("**/t*/*.c", "a/b/t1/z/y.c", Style::kReuseToml));
  // Many stars cost bounded time.
  std::string stars;
  for (int i = 0; i < 2000; ++i) stars += "*a";
  CHECK_FALSE(matches_pattern(stars + "b", std::string(4000, 'a'), Style::kDep5));
}

TEST_CASE("licence patterns: debian/copyright and REUSE.toml") {
  const auto license_of_text = [](std::string_view text) {
    return text.find("known words") == text.npos ? std::string() : std::string("Zlib");
  };
  const auto rules = read_debian_copyright(
      "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n"
      "# a comment\n\nFiles: *\nCopyright: 2020 A\nLicense: Expat\n Permission\n .\n more\n\n"
      "Files: lib/* ./x.c\nLicense: GPL-2+ or Artistic\n\n"
      "Files: lib/own.c\nLicense: own\n\nFiles: lib/odd.c\nLicense: odd one\n\n"
      "License: own\n known words\n",
      license_of_text);
  REQUIRE(rules.has_value());
  CHECK(rules->find("main.c")->expression == "MIT");
  CHECK(rules->find("lib/a/b.c")->expression == "Artistic-1.0-Perl OR GPL-2.0-or-later");
  CHECK(rules->find("x.c")->expression == "Artistic-1.0-Perl OR GPL-2.0-or-later");
  CHECK(rules->find("lib/own.c")->expression == "Zlib");
  CHECK(rules->find("lib/odd.c")->expression == "LicenseRef-debian-odd-one");
  CHECK_FALSE(read_debian_copyright("This package was debianized by A.\n", license_of_text));
  CHECK_FALSE(read_debian_copyright("", license_of_text));

  const auto reuse = read_reuse_toml(
      "version = 1\n[[annotations]]\npath = [\"**\"]\nSPDX-License-Identifier = \"MIT\"\n"
      "[[annotations]]\npath = \"doc/*.md\"\nSPDX-License-Identifier = [\"CC0-1.0\", \"ISC\"]\n");
  REQUIRE(reuse.has_value());
  CHECK(reuse->find("a/b.c")->expression == "MIT");
  CHECK(reuse->find("doc/a.md")->expression == "CC0-1.0 AND ISC");
  CHECK_FALSE(read_reuse_toml("[[annotations]\n"));
}

TEST_CASE("licence verdicts: all that is found holds") {
  using enum LicenseFinding::Kind;
  CHECK(verdict_of(std::vector<LicenseFinding>{}).expression.empty());
  LicenseVerdict verdict = verdict_of({finding(kText, "MIT", 0.9), finding(kHeader, "ISC", 0.8)});
  CHECK(verdict.expression == "ISC AND MIT");
  CHECK(verdict.confidence == 0.8);
  CHECK(verdict.kind == kText);
  CHECK(verdict_of({finding(kTag, "MIT OR Apache-2.0"), finding(kText, "MIT")}).expression ==
        "Apache-2.0 OR MIT");
  CHECK(verdict_of({finding(kTag, "MIT OR Apache-2.0"), finding(kText, "ISC")}).expression ==
        "(Apache-2.0 OR MIT) AND ISC");
  CHECK(verdict_of({finding(kTag, "MIT OR")}).expression == kUnknownLicense);
  CHECK(verdict_of({finding(kReference, "MIT", 0.6)}).expression.empty());
  CHECK(references_of({finding(kReference, "MIT", 0.6)}).expression == "MIT");
  CHECK(references_of({finding(kReference, "", 0.6)}).expression.empty());
  CHECK(references_of({finding(kReference, "", 0.6)}).confidence == 0.6);
  CHECK(quote("  a\n\tb  c ", 100) == "a b c");
  CHECK(quote("abc\xc3\xa4\xc3\xb6", 7) == "abc\xc3\xa4...");
}

TEST_CASE("licence sources: damaged files are read or refused") {
  const char* const names[] = {"LICENSE",   "package.json", "Cargo.toml",       "pom.xml",
                               "setup.cfg", "DESCRIPTION",  "debian/copyright", "REUSE.toml"};
  const std::string_view whole =
      "Format: copyright-format\n\nFiles: * a\nLicense: GPL-2+ or MIT, and x\n\n[package]\n"
      "license = \"MIT\"\n<licenses><license><name>MIT</name></licenses>{\"license\": [{}]}";
  const Rng rng(5);
  uint64_t drawn = 0, read = 0;
  for (int round = 0; round < fuzz_rounds(3000); ++round) {
    std::string text(whole.substr(rng.below(drawn, whole.size())));
    drawn += 4;
    for (uint64_t n = rng.below(drawn - 3, 6); n > 0; --n, drawn += 2) {
      text[rng.below(drawn, text.size())] = static_cast<char>(rng.below(drawn + 1, 256));
    }
    const auto source = read_license_source(names[round % 8], text, matcher());
    read += source.has_value();
  }
  CHECK(read > 0);
}

}  // namespace llmtool
