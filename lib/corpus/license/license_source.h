// Files that tell the licence of other files: licence files, manifests of packages, lists of
// patterns.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/corpus/license/license_match.h"
#include "lib/corpus/license/license_patterns.h"

namespace llmtool {

struct LicenseSource {
  enum class Kind : unsigned char {
    kPatterns,  // debian/copyright, .reuse/dep5, COPYING and the like in DEP-5; REUSE.toml
    kLicense,   // LICENSE, LICENCE, COPYING, COPYRIGHT, UNLICENSE, MIT-LICENSE ...; licenses/x
    kManifest,  // package.json, composer.json, Cargo.toml, pyproject.toml, setup.cfg, pom.xml,
                // DESCRIPTION (R)
    kReuse,     // LICENSES/x
    kNotice,    // NOTICE
    kSidecar    // x.license, for x
  };

  Kind kind = Kind::kLicense;
  std::string folder;      // what it is for: "" is the root of the tree; for kSidecar the file
  std::string path;        // its own
  std::string expression;  // canonical SPDX; empty: it says nothing
  double confidence = 0;
  std::string evidence;              // what it says it with, a short quote
  std::vector<std::string> notices;  // copyright notices in it
  PatternRules patterns;             // kPatterns
};

// Whether a file of this path is one, by its name alone: fast.
bool is_license_source(std::string_view path);

// What a file says; nothing if it is none of them, or does not have its form.
std::optional<LicenseSource> read_license_source(std::string_view path, std::string_view text,
                                                 const LicenseMatcher& matcher);

// The field for the licence of a manifest of this name, as canonical SPDX; empty if there is none.
std::string license_of_manifest(std::string_view name, std::string_view text,
                                const LicenseMatcher& matcher);

// "a/b" without "./", "/" at its ends and doubled "/".
std::string clean_path(std::string_view path);

// The copyright notices of a text, each once, at most 50 of 300 bytes.
std::vector<std::string> copyright_notices(std::string_view text);

}  // namespace llmtool
