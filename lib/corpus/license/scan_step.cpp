#include "lib/corpus/license/scan_step.h"

#include <algorithm>
#include <cstring>

#include "lib/base/error.h"
#include "lib/corpus/license/expression.h"
#include "lib/corpus/license/license_tree.h"
#include "lib/corpus/license/verdict.h"
#include "lib/text/utf8.h"

namespace llmtool {
namespace {

constexpr const char* kSources = "license_sources";
constexpr const char* kIndex = "license_index";
constexpr const char* kNoLicense = "NOASSERTION";  // SPDX for "nobody says"
constexpr size_t kQuoteBytes = 160, kMostTextBytes = 8192;
constexpr double kInheritance = 0.9;  // a file may come from elsewhere than its neighbours

struct FilePlace {
  std::string tree, path;
};

FilePlace place_of(const Document& document, const LicenseScanOptions& options) {
  return {member(document, options.repo_member).text,
          clean_path(member(document, options.path_member).text)};
}

// Bytes as keys of a document: how many, then eight to a key.
void pack(std::string_view bytes, std::vector<uint64_t>& keys) {
  keys.assign(1 + (bytes.size() + 7) / 8, 0);
  keys[0] = bytes.size();
  if (!bytes.empty()) std::memcpy(keys.data() + 1, bytes.data(), bytes.size());
}

// Writes down every file that tells the licence of others.
class SourceLog final : public Step {
 public:
  explicit SourceLog(const LicenseScanOptions& options) : options_(options) {}
  std::string name() const override { return "license scan"; }
  void start(StepResources& resources) override { log_ = &resources.log(kSources); }

  void work(Document& document, Tally&, int) override {
    document.keys.clear();
    const FilePlace place = place_of(document, options_);
    if (place.path.empty() || !is_license_source(place.path)) return;
    const auto source = read_license_source(place.path, document.text, LicenseMatcher::shipped());
    if (!source) return;
    const bool keeps_text = !options_.notices.empty() &&
                            source->kind != LicenseSource::Kind::kManifest &&
                            first_invalid_utf8(document.text) == std::string_view::npos;
    pack(packed_source(place.tree, *source, keeps_text ? document.text : std::string_view()),
         document.keys);
  }
  bool in_order() const override { return true; }
  void decide(Document& document, Tally&) override {
    if (!document.keys.empty()) log_->append(document.keys.data() + 1, document.keys[0]);
  }

 private:
  LicenseScanOptions options_;
  AppendLog* log_ = nullptr;
};

class LicenseScan final : public Step {
 public:
  explicit LicenseScan(const LicenseScanOptions& options) : options_(options), log_(options) {}
  std::string name() const override { return "license scan"; }
  std::vector<StepFile> files() const override {
    return {{StepFile::Use::kWritten, options_.notices}};
  }
  Step* observer() override { return &log_; }
  bool needs_all() const override { return true; }

  std::vector<Figure> figures() const override {
    Figure confidence;
    confidence.name = "license_confidence";
    return {confidence};
  }

  void conclude(StepResources& resources) override {
    AppendLog& log = resources.log(kSources);
    log.flush();
    LicenseTree::write_index(log.path(), resources.folder / kIndex,
                             {resources.folder, resources.memory / 2, resources.pool});
  }

  void start(StepResources& resources) override {
    AppendLog& log = resources.log(kSources);
    log.flush();
    tree_.emplace(log.path(), resources.folder / kIndex);
    caches_.resize(static_cast<size_t>(resources.threads));
  }

  void work(Document& document, Tally& tally, int thread) override;

  void finish(StepResources& resources) override {
    if (options_.notices.empty()) return;
    const MappedFile sources(resources.log(kSources).path());
    const std::string_view bytes(reinterpret_cast<const char*>(sources.bytes().data()),
                                 sources.bytes().size());
    AtomicFile out(options_.notices);
    for (size_t offset = 0; offset < bytes.size();) {
      const PackedSource packed = unpack_source(bytes, offset);
      if (!packed.text.empty()) out.write(notice_line(packed));
    }
    out.commit();
  }

 private:
  static std::string json_list(const std::vector<std::string>& texts) {
    std::string json = "[";
    for (const std::string& text : texts) {
      json += concat(json.size() > 1 ? "," : "", json_text(with_valid_utf8(text)));
    }
    return json + "]";
  }
  static std::string notice_line(const PackedSource& packed) {
    const LicenseSource& source = packed.source;
    const std::string tree =
        packed.tree.empty() ? "" : concat("\"tree\":", json_text(packed.tree), ",");
    return concat("{", tree, "\"path\":", json_text(source.path),
                  ",\"license\":", json_text(source.expression),
                  ",\"confidence\":", json_number(source.confidence),
                  ",\"notices\":", json_list(source.notices), ",\"text\":", json_text(packed.text),
                  "}\n");
  }

  LicenseScanOptions options_;
  SourceLog log_;
  std::optional<LicenseTree> tree_;
  std::vector<LicenseTree::Cache> caches_;  // one a thread
};

// What is written into a document.
struct Result {
  std::string expression = kNoLicense, source = "none", evidence;
  double confidence = 0;
  std::string conflict, conflict_source;  // what the tree says otherwise
  std::vector<std::string> notices;
};

std::string evidence_at(std::string_view text, const LicenseVerdict& verdict) {
  const auto before = text.substr(0, verdict.begin);
  return concat("line ", std::count(before.begin(), before.end(), '\n') + 1, ": ",
                quote(text.substr(verdict.begin, verdict.end - verdict.begin), kQuoteBytes));
}

void take_own(Result& result, std::string_view text, const LicenseVerdict& verdict) {
  result.expression = verdict.expression;
  result.source = to_string(verdict.kind);
  result.evidence = evidence_at(text, verdict);
  result.confidence = verdict.confidence;
}

void take_inherited(Result& result, const InheritedLicense& inherited) {
  result.expression = inherited.expression;
  result.source = concat("inherited:", inherited.path);
  result.evidence = concat(inherited.path, ": ", inherited.evidence);
  result.confidence = inherited.confidence * kInheritance;
}

// "BSD-style, see the LICENSE file": what the reference says has to hold, too.
void add_reference(Result& result, const LicenseVerdict& reference,
                   const InheritedLicense& inherited) {
  auto said = LicenseExpression::parse(reference.expression);
  auto found = LicenseExpression::parse(inherited.expression);
  if (!said || !found) return;
  if (std::ranges::includes(found->licenses(), said->licenses())) return;
  result.expression = LicenseExpression::all_of({std::move(*said), std::move(*found)}).text();
  result.confidence = std::min(result.confidence, reference.confidence);
  result.conflict = inherited.expression;
  result.conflict_source = inherited.path;
}

Result judge(std::string_view text, const std::vector<LicenseFinding>& findings,
             const std::optional<InheritedLicense>& inherited) {
  Result result;
  const LicenseVerdict own = verdict_of(findings), reference = references_of(findings);
  if (!own.expression.empty()) {
    take_own(result, text, own);
    if (inherited && inherited->expression != own.expression) {
      result.conflict = inherited->expression;
      result.conflict_source = inherited->path;
    }
  } else if (inherited) {
    take_inherited(result, *inherited);
    add_reference(result, reference, *inherited);
  } else if (!reference.expression.empty()) {
    take_own(result, text, reference);
  }
  result.notices = copyright_notices(text);
  if (result.notices.empty() && inherited && own.expression.empty()) {
    result.notices = inherited->notices;
  }
  return result;
}

// The words of licences and statements in the text; long ones are known by their identifier.
std::string license_words(std::string_view text, const std::vector<LicenseFinding>& findings) {
  std::string words;
  for (const LicenseFinding& finding : findings) {
    const bool is_short = finding.end - finding.begin <= kMostTextBytes;
    if (finding.kind == LicenseFinding::Kind::kReference || !is_short) continue;
    if (!words.empty()) words += "\n\n";
    words += text.substr(finding.begin, finding.end - finding.begin);
  }
  return words;
}

void LicenseScan::work(Document& document, Tally& tally, int thread) {
  const FilePlace place = place_of(document, options_);
  const auto findings = LicenseMatcher::shipped().find(document.text);
  std::optional<InheritedLicense> inherited;
  if (!place.path.empty()) {
    inherited = tree_->find(place.tree, place.path, caches_[static_cast<size_t>(thread)]);
  }
  const Result result = judge(document.text, findings, inherited);
  const auto add = [&](const char* name, std::string json) {
    document.attributes.push_back({name, std::move(json)});
  };
  add("license", json_text(result.expression));
  add("license_confidence", json_number(result.confidence));
  add("license_source", json_text(result.source));
  if (!result.evidence.empty())
    add("license_evidence", json_text(with_valid_utf8(result.evidence)));
  if (!result.conflict.empty()) {
    add("license_conflict", json_text(result.conflict));
    add("license_conflict_source", json_text(result.conflict_source));
  }
  if (!result.notices.empty()) add("license_notices", json_list(result.notices));
  const std::string words = license_words(document.text, findings);
  if (!words.empty()) add("license_text", json_text(with_valid_utf8(words)));

  tally.record(0, result.confidence, document);
  const std::string_view source =
      std::string_view(result.source).substr(0, result.source.find(':'));
  tally.change(concat("licences by ", source), 1, 0, {}, document);
  if (!result.conflict.empty()) tally.change("contradictions", 1, 0, {}, document);
}

}  // namespace

std::unique_ptr<Step> make_license_scan(const LicenseScanOptions& options) {
  return std::make_unique<LicenseScan>(options);
}

}  // namespace llmtool
