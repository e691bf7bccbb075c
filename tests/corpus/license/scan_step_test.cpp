#include "lib/corpus/license/scan_step.h"

#include <doctest/doctest.h>

#include "lib/base/error.h"
#include "lib/corpus/license/filter_step.h"
#include "tests/corpus/step_run.h"

namespace llmtool {
namespace {

struct File {
  std::string path, text, tree = {};
};

std::vector<Document> documents(const std::vector<File>& files) {
  std::vector<Document> all;
  for (const File& file : files) {
    Document document;
    document.text = file.text;
    document.path = "test.jsonl";
    document.index = all.size();
    if (!file.path.empty()) document.metadata.push_back({"path", json_text(file.path)});
    if (!file.tree.empty()) document.metadata.push_back({"tree", json_text(file.tree)});
    all.push_back(std::move(document));
  }
  return all;
}

std::vector<Document> scanned(const std::vector<File>& files, LicenseScanOptions options = {}) {
  const auto step = make_license_scan(options);
  TestResources resources;
  TestTally tally;
  std::vector<Document> first = documents(files), second = documents(files);
  step->observer()->start(resources);
  pass(*step->observer(), first, tally);
  step->conclude(resources);
  step->start(resources);
  pass(*step, second, tally);
  step->finish(resources);
  return second;
}

std::string license(const Document& document) {
  return member(document, "attributes.license").text;
}
std::string source(const Document& document) {
  return member(document, "attributes.license_source").text;
}

std::string tag(std::string_view expression) {
  return concat("// SPDX-License-", "Identifier: ", expression, "\nint x;\n");
}

const std::string kMit = concat("Copyright (c) 2020 A B\n", tag("MIT"));
const std::string kCode = "int main() { return 0; }\n";

}  // namespace

TEST_CASE("license scan: inherited from the nearest folder, each tree on its own") {
  const auto found = scanned({{"LICENSE", kMit, "one"},
                              {"main.c", kCode, "one"},
                              {"src/deep/x.c", kCode, "one"},
                              {"vendor/zip/COPYING", tag("Zlib"), "one"},
                              {"vendor/zip/lib/z.c", kCode, "one"},
                              {"vendor/zippy/z.c", kCode, "one"},
                              {"src/own.c", tag("ISC"), "one"},
                              {"main.c", kCode, "two"},
                              {"sub/LICENSE", kMit, "two"},
                              {"", kCode}});
  CHECK(license(found[1]) == "MIT");
  CHECK(source(found[1]) == "inherited:LICENSE");
  CHECK(member(found[1], "attributes.license_confidence").number == doctest::Approx(0.9));
  CHECK(member(found[1], "attributes.license_notices").text == R"(["Copyright (c) 2020 A B"])");
  CHECK(license(found[2]) == "MIT");
  CHECK(license(found[4]) == "Zlib");
  CHECK(source(found[4]) == "inherited:vendor/zip/COPYING");
  CHECK(license(found[5]) == "MIT");
  CHECK(license(found[6]) == "ISC");
  CHECK(source(found[6]) == "tag");
  CHECK(member(found[6], "attributes.license_conflict").text == "MIT");
  CHECK(member(found[6], "attributes.license_conflict_source").text == "LICENSE");
  CHECK(member(found[6], "attributes.license_evidence").text ==
        concat("line 1: SPDX-License-", "Identifier: ISC"));
  CHECK_FALSE(member(found[1], "attributes.license_conflict").found);
  CHECK(license(found[7]) == "NOASSERTION");
  CHECK(source(found[7]) == "none");
  CHECK(license(found[9]) == "NOASSERTION");
}

TEST_CASE("license scan: what a folder says") {
  // Two licence files: both hold, until the manifest says that one may choose.
  const std::vector<File> two{{"LICENSE-MIT", kMit}, {"LICENSE-APACHE", tag("Apache-2.0")}};
  std::vector<File> files = two;
  files.push_back({"a.rs", kCode});
  CHECK(license(scanned(files)[2]) == "Apache-2.0 AND MIT");
  files.push_back({"Cargo.toml", "[package]\nlicense = \"MIT OR Apache-2.0\"\n"});
  CHECK(license(scanned(files)[2]) == "Apache-2.0 OR MIT");
  // A manifest that says less than the files does not count.
  files.back().text = "[package]\nlicense = \"MIT\"\n";
  CHECK(license(scanned(files)[2]) == "Apache-2.0 AND MIT");
  // The manifest alone.
  CHECK(license(scanned({{"package.json", R"({"license": "MIT"})"}, {"a.js", kCode}})[1]) == "MIT");
  // A licence nobody knows is not passed over for one farther up.
  const std::string own(300, 'x');
  CHECK(license(scanned({{"LICENSE", kMit}, {"sub/LICENSE", own}, {"sub/a.c", kCode}})[2]) ==
        "LicenseRef-unknown");
  // REUSE: sidecar, texts of the project, patterns.
  const auto reuse = scanned({{"LICENSES/Zlib.txt", ""},
                              {"LICENSES/ISC.txt", ""},
                              {"x.dat", kCode},
                              {"y.dat", kCode},
                              {"y.dat.license", tag("0BSD")}});
  CHECK(license(reuse[2]) == "ISC AND Zlib");
  CHECK(license(reuse[3]) == "0BSD");
  CHECK(source(reuse[3]) == "inherited:y.dat.license");
  const auto debian =
      scanned({{"p/debian/copyright",
                "Format: copyright-format\n\nFiles: *\nLicense: Expat\n\nFiles: lib/*\n"
                "License: GPL-2+\n"},
               {"p/COPYING", tag("Zlib")},
               {"p/a.c", kCode},
               {"p/lib/b.c", kCode},
               {"q.c", kCode}});
  const auto copying =
      scanned({{"COPYING",
                "Format: copyright-format\n\nFiles: *\nLicense: Expat\n\nFiles: b.c\n"
                "License: ISC\n"},
               {"a.c", kCode},
               {"b.c", kCode}});
  CHECK(license(copying[1]) == "MIT");
  CHECK(license(copying[2]) == "ISC");
  CHECK(license(debian[2]) == "MIT");
  CHECK(license(debian[3]) == "GPL-2.0-or-later");
  CHECK(license(debian[4]) == "NOASSERTION");
}

TEST_CASE("license scan: licence files are written once with their texts") {
  const ScratchFolder folder;
  LicenseScanOptions options;
  options.notices = folder.path() / "notices.jsonl";
  scanned({{"LICENSE", kMit, "t"}, {"a.c", kCode, "t"}, {"b.c", kMit, "t"}}, options);
  CHECK(read_file(options.notices) ==
        concat(R"({"tree":"t","path":"LICENSE","license":"MIT","confidence":1,)",
               R"("notices":["Copyright (c) 2020 A B"],"text":)", json_text(kMit), "}\n"));
}

TEST_CASE("license filter: by policy, confidence and contradiction") {
  LicenseFilterOptions options;
  options.policy = LicensePolicy::named("llama");
  options.policy_name = "llama";
  const auto judged = [&](std::string_view license, double confidence, std::string_view conflict) {
    Document document;
    document.path = "in.jsonl";
    document.attributes = {{"license", json_text(license)},
                           {"license_confidence", json_number(confidence)}};
    if (!conflict.empty()) document.attributes.push_back({"license_conflict", json_text(conflict)});
    TestTally tally;
    make_license_filter(options)->work(document, tally, 0);
    return document.rejected ? document.rejection.rule + " " + document.rejection.figure : "kept";
  };
  CHECK(judged("MIT", 0.5, "GPL-2.0-only") == "kept");
  CHECK(judged("GPL-2.0+ or mit", 1, "") == "kept");
  CHECK(judged("gpl-2.0", 1, "") == "license.policy GPL-2.0-only");
  CHECK(judged("NOASSERTION", 0, "") == "license.none NOASSERTION");
  CHECK(judged("", 0, "") == "license.none ");
  CHECK(judged("MIT,", 1, "") == "license.unreadable MIT,");
  options.strict = true;
  CHECK(judged("MIT", 1, "GPL-2.0-only") == "license.conflict GPL-2.0-only");
  CHECK(judged("MIT", 1, "BSD-2-Clause") == "kept");
  options.min_confidence = 0.8;
  CHECK(judged("MIT", 0.5, "") == "license.confidence 0.5");
  CHECK(judged("MIT", 0.8, "") == "kept");
  options.keep_unlicensed = true;
  CHECK(judged("NOASSERTION", 0, "") == "kept");

  Document bare;
  bare.path = "in.jsonl";
  bare.line_number = 7;
  TestTally tally;
  CHECK_THROWS_WITH_AS(make_license_filter(options)->work(bare, tally, 0),
                       doctest::Contains("in.jsonl:7: the document has no 'attributes.license'"),
                       Error);
}

}  // namespace llmtool
