#include "lib/corpus/license/license_source.h"

#include <algorithm>
#include <array>

#include "lib/base/error.h"
#include "lib/corpus/license/expression.h"
#include "lib/corpus/license/verdict.h"
#include "lib/text/ascii.h"

namespace llmtool {
namespace {

using Kind = LicenseSource::Kind;

constexpr size_t kMostNotices = 50, kMostNoticeBytes = 300, kQuoteBytes = 120;
// A text this short that nobody knows is no licence of its own ("See ../LICENSE").
constexpr size_t kLeastLicenseBytes = 200;

// Programs, not licences: license.py, copyright.h.
constexpr std::string_view kCodeEndings[] = {
    "c",     "h",     "cc",    "hh",   "cpp",  "hpp",  "cs",    "css",  "el",   "go",  "hs",
    "in",    "java",  "js",    "json", "jsx",  "kt",   "lua",   "m",    "m4",   "mjs", "php",
    "pl",    "pm",    "po",    "py",   "rb",   "rs",   "scss",  "sh",   "sql",  "svg", "png",
    "swift", "tmpl",  "toml",  "tpl",  "ts",   "tsx",  "vue",   "xml",  "yaml", "yml", "am",
    "ac",    "cmake", "patch", "diff", "spdx", "lisp", "scala", "bash", "bat",  "vb",  "d",
    "r",     "ex",    "exs",   "erl",  "ml",   "dart"};

bool is_code(std::string_view name) {
  const size_t dot = name.rfind('.');
  if (dot == name.npos) return false;
  const std::string_view ending = name.substr(dot + 1);
  return std::ranges::find(kCodeEndings, ending) != std::end(kCodeEndings);
}

// name, in lower case, is `word` with at most something behind it that is not part of the word.
bool is_word(std::string_view name, std::string_view word) {
  if (!name.starts_with(word)) return false;
  if (name.size() == word.size()) return true;
  const char next = name[word.size()];
  return next == '.' || next == '-' || next == '_' || next == ' ' || (next >= '0' && next <= '9');
}

bool is_license_name(std::string_view name) {
  if (is_code(name)) return false;
  for (const std::string_view word :
       {"license", "licence", "licenses", "licences", "copying", "copyright", "unlicense"}) {
    if (is_word(name, word)) return true;
  }
  for (const std::string_view known : {"mit", "bsd", "apache", "gpl", "lgpl", "mpl"}) {
    const std::string_view rest = name.substr(std::min(name.size(), known.size() + 1));
    if (name.starts_with(known) && (is_word(rest, "license") || is_word(rest, "licence")))
      return true;
  }
  return false;
}

constexpr std::string_view kManifests[] = {"package.json",   "composer.json", "cargo.toml",
                                           "pyproject.toml", "setup.cfg",     "pom.xml"};

struct Place {
  Kind kind;
  std::string_view folder;  // of the path
};

std::string_view parent_of(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == path.npos ? std::string_view() : path.substr(0, slash);
}

std::string_view name_of(std::string_view path) {
  return path.substr(path.rfind('/') + 1);  // npos + 1 is 0
}

// clean: a path as clean_path() makes it.
std::optional<Place> place_of(std::string_view clean) {
  const std::string_view folder = parent_of(clean), in = name_of(folder), above = parent_of(folder);
  const std::string_view written = name_of(clean);
  if (written == "REUSE.toml") return Place{Kind::kPatterns, folder};
  if (in == "debian" && written == "copyright") return Place{Kind::kPatterns, above};
  if (in == ".reuse" && written == "dep5") return Place{Kind::kPatterns, above};
  if (in == "LICENSES") return Place{Kind::kReuse, above};
  if (written == "DESCRIPTION") return Place{Kind::kManifest, folder};
  const std::string name = ascii_lower(written);
  if (std::ranges::find(kManifests, name) != std::end(kManifests)) {
    return Place{Kind::kManifest, folder};
  }
  const size_t dot = written.rfind('.');
  if (written.ends_with(".license") && dot > 0) {
    return Place{Kind::kSidecar, clean.substr(0, clean.size() - 8)};
  }
  if (is_word(name, "notice") && !is_code(name)) return Place{Kind::kNotice, folder};
  const std::string in_lower = ascii_lower(in);
  if (is_license_name(name)) {
    const bool is_for_parent = in_lower == "license" || in_lower == "licenses" ||
                               in_lower == "licence" || in_lower == "licences";
    return Place{Kind::kLicense, is_for_parent ? above : folder};
  }
  return {};
}

void read_text(std::string_view text, const LicenseMatcher& matcher, LicenseSource& source) {
  const auto findings = matcher.find(text);
  LicenseVerdict verdict = verdict_of(findings);
  if (verdict.expression.empty()) verdict = references_of(findings);
  source.notices = copyright_notices(text);
  source.expression = verdict.expression;
  source.confidence = verdict.confidence;
  source.evidence = quote(text.substr(verdict.begin, verdict.end - verdict.begin), kQuoteBytes);
  const bool is_license =
      source.kind == Kind::kLicense && !ascii_lower(name_of(source.path)).starts_with("copyright");
  if (verdict.expression.empty() && is_license && text.size() >= kLeastLicenseBytes) {
    source.expression = kUnknownLicense;
    source.confidence = 1;
  }
}

}  // namespace

std::string clean_path(std::string_view path) {
  std::string clean;
  while (!path.empty()) {
    const size_t end = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, end);
    path.remove_prefix(std::min(end + 1, path.size()));
    if (part.empty() || part == ".") continue;
    if (!clean.empty()) clean.push_back('/');
    clean += part;
  }
  return clean;
}

std::vector<std::string> copyright_notices(std::string_view text) {
  std::vector<std::string> notices;
  for (const TextSpan& span : find_copyright_notices(text)) {
    std::string notice = quote(text.substr(span.begin, span.end - span.begin), kMostNoticeBytes);
    if (std::ranges::find(notices, notice) == notices.end()) notices.push_back(std::move(notice));
    if (notices.size() == kMostNotices) break;
  }
  return notices;
}

bool is_license_source(std::string_view path) {
  return place_of(clean_path(path)).has_value();
}

std::optional<LicenseSource> read_license_source(std::string_view path, std::string_view text,
                                                 const LicenseMatcher& matcher) {
  const std::string clean = clean_path(path);
  const auto place = place_of(clean);
  if (!place) return {};
  LicenseSource source;
  source.kind = place->kind;
  source.folder = place->folder;
  source.path = clean;
  const std::string_view name = name_of(clean);
  // Some projects write their COPYING as Debian does.
  if (source.kind == Kind::kPatterns || source.kind == Kind::kLicense) {
    const auto license_of_text = [&](std::string_view license) {
      return verdict_of(matcher.find(license)).expression;
    };
    auto rules =
        name == "REUSE.toml" ? read_reuse_toml(text) : read_debian_copyright(text, license_of_text);
    if (!rules && source.kind == Kind::kPatterns) return {};
    if (rules) {
      source.kind = Kind::kPatterns;
      source.patterns = std::move(*rules);
      source.notices = copyright_notices(text);
    }
  }
  if (source.kind == Kind::kPatterns) {
    source.confidence = 1;
    return source;
  }
  if (source.kind == Kind::kManifest) {
    source.expression = license_of_manifest(name, text, matcher);
    if (source.expression.empty()) return {};
    source.confidence = 0.9;
    source.evidence = concat("license of ", name);
    return source;
  }
  // REUSE names the texts by their identifiers.
  const std::string_view stem = name.substr(0, name.rfind('.'));
  if (source.kind == Kind::kReuse && spdx_license_id(stem).is_known) {
    const auto license = LicenseExpression::parse(stem);
    source.expression = license ? license->text() : std::string(kUnknownLicense);
    source.confidence = 1;
    source.notices = copyright_notices(text);
    return source;
  }
  read_text(text, matcher, source);
  return source;
}

}  // namespace llmtool
