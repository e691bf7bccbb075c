#include <CLI/CLI.hpp>

#include "cmd/corpus_step.h"
#include "lib/corpus/license/scan_step.h"

namespace llmtool {
namespace {

constexpr const char* kFooter =
    R"(What a document says itself comes first: SPDX-License-Identifier tags, the texts of licences, and
statements ("licensed under the Apache License, Version 2.0"). All that is found holds (AND); a tag
that names every licence of the others stands for them ("MIT OR Apache-2.0" above the text of MIT).
A document that says nothing inherits from the nearest of: x.license beside it, for x (REUSE); the
folder it lies in; the folders above. A folder says, first of these that says something:
  patterns   debian/copyright, .reuse/dep5, COPYING and the like in the form of DEP-5; REUSE.toml: the
             last rule that matches the file
  files      LICENSE, LICENCE, COPYING, COPYRIGHT, UNLICENSE, MIT-LICENSE and the like, and such files
             in a folder license(s)/. All hold; but a manifest beside them that names all their
             licences says how they hold together. One that nobody knows is LicenseRef-unknown
  manifests  package.json, composer.json, Cargo.toml, pyproject.toml, setup.cfg, pom.xml, DESCRIPTION
  LICENSES/  the texts of a REUSE project, all of them
  NOTICE
So a vendored folder with a licence of its own keeps it. A reference ("BSD-style, see the LICENSE
file") inherits; if it names another licence than it finds, both hold.

Adds to attributes:
  license             SPDX expression, canonical; NOASSERTION if nobody says. LicenseRef-unknown: a
                      grant that is not on the SPDX list; LicenseRef-public-domain: said to be so;
                      LicenseRef-proprietary: all rights reserved; LicenseRef-restricted: beside a
                      licence ("non-commercial use only")
  license_confidence  0 to 1: the least of what was found; of what is inherited, 0.9 of it
  license_source      tag, text, header, reference, inherited:<path>, none
  license_evidence    where, and a short quote
  license_conflict, license_conflict_source   what the tree says, if that is something else
  license_notices     copyright notices of the text (if it has none and inherits, of the licence file)
  license_text        the words of licences and statements in the text, up to 8 KiB each
--notices writes all licence files once, with their texts: {"tree", "path", "license", "confidence",
"notices", "text"} a line.

Scan before anything that strips headers and boilerplate, and before licence files are dropped: the
words it reads are gone then. Every document is read twice, the licence files the first time. Trees of
files: --format text (--skip-bad passes over what is not UTF-8); of several folders each is a tree of
its own (metadata.tree). JSON lines: --path-field, and --repo-field for what tells repositories apart.

Example:
  llmtool license scan --format text --skip-bad sources/ -o scanned.jsonl.zst --notices notices.jsonl
  llmtool license scan stack.jsonl.zst --path-field path --repo-field repo_name -o scanned.jsonl.zst)";

StepMaker define(CLI::App& app) {
  auto o = std::make_shared<LicenseScanOptions>();
  app.add_option("--path-field", o->path_member, "The member that holds the path in the tree")
      ->type_name("MEMBER")
      ->capture_default_str();
  app.add_option("--repo-field", o->repo_member, "The member that tells the trees apart")
      ->type_name("MEMBER")
      ->capture_default_str();
  app.add_option("--notices", o->notices, "A file for the licence files and their texts")
      ->type_name("FILE");
  app.footer(kFooter);
  return [o] { return make_license_scan(*o); };
}

const RegisterStep scan{
    {"license scan", "Find the licence of each file of source code", 14, define, "text"}};

}  // namespace
}  // namespace llmtool
