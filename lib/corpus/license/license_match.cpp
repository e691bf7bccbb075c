#include "lib/corpus/license/license_match.h"

#include <algorithm>

#include "lib/base/embedded.h"
#include "lib/base/error.h"
#include "lib/corpus/license/match_fingerprints.h"
#include "lib/corpus/license/match_header.h"
#include "lib/corpus/license/match_tag.h"
#include "lib/corpus/license/match_text.h"
#include "lib/corpus/license/match_words.h"

namespace llmtool {

using license::Word;

std::string_view to_string(LicenseFinding::Kind kind) {
  switch (kind) {
    case LicenseFinding::Kind::kTag:
      return "tag";
    case LicenseFinding::Kind::kText:
      return "text";
    case LicenseFinding::Kind::kHeader:
      return "header";
    case LicenseFinding::Kind::kReference:
      return "reference";
  }
  LLMTOOL_ASSERT(false);
  return {};
}

struct LicenseMatcher::Impl {
  license::Fingerprints fingerprints;
};

LicenseMatcher::LicenseMatcher(std::string_view fingerprints)
    : impl_(new Impl{license::Fingerprints(fingerprints)}) {}

LicenseMatcher::~LicenseMatcher() = default;

const LicenseMatcher& LicenseMatcher::shipped() {
  static const LicenseMatcher matcher(embedded_file("licenses/fingerprints.zst"));
  return matcher;
}

std::vector<LicenseFinding> LicenseMatcher::find(std::string_view text) const {
  const std::vector<Word> words = license::words_of(text);
  std::vector<LicenseFinding> findings = license::find_tags(text, words);
  const std::vector<license::TextMatch> texts = license::find_texts(impl_->fingerprints, words);
  license::find_headers(text, words, texts, findings);
  std::stable_sort(findings.begin(), findings.end(),
                   [](const LicenseFinding& a, const LicenseFinding& b) {
                     return a.begin != b.begin ? a.begin < b.begin : a.end > b.end;
                   });
  return findings;
}

std::vector<TextSpan> find_copyright_notices(std::string_view text) {
  std::vector<TextSpan> notices;
  const std::vector<Word> words = license::words_of(text);
  for (size_t i = 0; i < words.size(); ++i) {
    if (!words[i].has(Word::kNotice)) continue;
    TextSpan notice{words[i].begin, words[i].end};
    if (notice.begin > 0 && text[notice.begin - 1] == '(') --notice.begin;
    while (i + 1 < words.size() && words[i + 1].has(Word::kNotice) &&
           !words[i + 1].has(Word::kLineStart)) {
      ++i;
    }
    notice.end = words[i].end;
    while (notice.end < text.size() &&
           std::string_view(".)>").find(text[notice.end]) != std::string_view::npos) {
      ++notice.end;
    }
    if (notice.begin >= 2 && text.substr(notice.begin - 2, 2) == "\xC2\xA9") notice.begin -= 2;
    if (notice.begin >= 3 && text.substr(notice.begin - 3, 3) == "\xC2\xA9 ") notice.begin -= 3;
    notices.push_back(notice);
  }
  return notices;
}

}  // namespace llmtool
