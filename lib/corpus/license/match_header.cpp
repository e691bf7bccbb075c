#include "lib/corpus/license/match_header.h"

#include <algorithm>
#include <string>

#include "lib/corpus/license/match_choice.h"
#include "lib/corpus/license/match_phrase.h"

namespace llmtool::license {
namespace {

constexpr uint32_t kContext = 12;        // words before a name in which it is said to be a licence
constexpr uint32_t kNear = 30;           // words around a licence in which limits are of it
constexpr uint32_t kNearNotice = 60;     // words around a copyright notice
constexpr uint32_t kReferenceNear = 16;  // words from a name to "can be found in the LICENSE file"
constexpr double kWhole = 0.95, kPart = 0.8, kElsewhere = 0.6;

bool says_license(uint64_t hash) {
  switch (hash) {
    case word_hash("license"):
    case word_hash("licenses"):
    case word_hash("licensed"):
    case word_hash("licensing"):
    case word_hash("sublicensed"):
    case word_hash("under"):
    case word_hash("relicensed"):
      return true;
    default:
      return false;
  }
}

bool says_grant(uint64_t hash) {
  switch (hash) {
    case word_hash("terms"):
    case word_hash("released"):
    case word_hash("distributed"):
    case word_hash("redistribute"):
    case word_hash("covered"):
    case word_hash("governed"):
    case word_hash("available"):
    case word_hash("subject"):
    case word_hash("conditions"):
    case word_hash("accordance"):
      return true;
    default:
      return says_license(hash);
  }
}

bool says_no(uint64_t hash) {
  switch (hash) {
    case word_hash("not"):
    case word_hash("compatible"):
    case word_hash("incompatible"):
    case word_hash("unlike"):
    case word_hash("non"):
      return true;
    default:
      return false;
  }
}

class HeaderFinder {
  // What a word belongs to: a licence's title or appendix, in or beside which limits still count.
  enum Cover : uint8_t { kFree, kAround, kBody };

 public:
  HeaderFinder(std::string_view text, const std::vector<Word>& words)
      : text_(text), covered_(words.size() + 1, 0) {
    words_.reserve(words.size());
    for (const Word& word : words) {
      if (!word.has(Word::kLeader)) words_.push_back(word);
    }
  }

  void run(const std::vector<Word>& all, const std::vector<TextMatch>& texts,
           std::vector<LicenseFinding>& findings) {
    for (const LicenseFinding& tag : findings) cover(tag.begin, tag.end, kBody);
    tagged_ = !findings.empty();
    for (const TextMatch& match : texts) {
      const size_t begin = all[match.begin].begin, end = all[match.end - 1].end;
      cover(begin, end, kAround);
      cover(all[match.body_begin].begin, all[match.body_end - 1].end, kBody);
      add_unit({match.expression, LicenseFinding::Kind::kText, match.similarity, begin, end});
    }
    sayings_ = find_sayings(text_, words_);
    std::erase_if(sayings_, [&](const Saying& saying) { return is_covered(saying); });
    find_names(findings);
    drop_repeated(findings, false);
    combine(words_, text_, sayings_, units_);
    drop_repeated(findings, true);
    for (Unit& unit : units_) findings.push_back(std::move(unit.finding));
    units_.clear();
    find_dedications(findings);
    find_limits(findings);
    find_others(findings);
  }

 private:
  uint32_t word_at(size_t byte) const {
    const auto found = std::lower_bound(words_.begin(), words_.end(), byte,
                                        [](const Word& w, size_t b) { return w.begin < b; });
    return static_cast<uint32_t>(found - words_.begin());
  }

  void cover(size_t begin, size_t end, Cover as) {
    std::fill(covered_.begin() + word_at(begin), covered_.begin() + word_at(end), as);
  }

  // Limits must stand in the licence as a whole to be its own.
  bool is_covered(const Saying& saying) const {
    const uint8_t first = covered_[saying.begin], last = covered_[saying.end - 1];
    return limits(saying) ? first == kBody && last == kBody : first != kFree;
  }

  static bool limits(const Saying& saying) {
    return saying.says == Says::kRestriction || saying.says == Says::kNearRestriction;
  }

  void add_unit(LicenseFinding finding) {
    const uint32_t begin = word_at(finding.begin), end = word_at(finding.end);
    units_.push_back({std::move(finding), begin, end, false, false});
  }

  template <class Is>
  bool before(uint32_t at, uint32_t most, Is is) const {
    for (uint32_t back = 1; back <= most && back <= at; ++back) {
      if (is(words_[at - back].hash)) return true;
    }
    return false;
  }

  bool is_title(const Saying& saying) const {
    return words_[saying.begin].has(Word::kLineStart) &&
           (saying.end >= words_.size() || words_[saying.end].has(Word::kLineStart));
  }

  // Whether the text says that it stands under the licence that is named.
  bool is_grant(const Saying& saying, bool follows) const {
    if (before(saying.begin, 4, says_no)) return false;
    if (follows) return true;
    if (saying.says == Says::kWeakName) {
      return before(saying.begin, 3, says_license) ||
             (saying.end < words_.size() && says_license(words_[saying.end].hash) &&
              before(saying.begin, kContext, says_grant));
    }
    if (saying.says == Says::kGnu && saying.whole) return true;
    return before(saying.begin, kContext, says_grant) ||
           (saying.says == Says::kName && is_title(saying));
  }

  void find_names(const std::vector<LicenseFinding>& findings) {
    uint32_t last = UINT32_MAX;
    for (const Saying& saying : sayings_) {
      if (units_.size() >= kMostUnits) return;
      const bool perl = saying.says == Says::kPerl;
      if (!perl && saying.says != Says::kName && saying.says != Says::kWeakName &&
          saying.says != Says::kGnu) {
        continue;
      }
      const bool follows = last != UINT32_MAX && saying.begin <= last + 4;
      if (!perl && !is_grant(saying, follows)) continue;
      if (saying.aside && !(findings.empty() && units_.empty())) continue;
      last = saying.end;
      add_name(saying);
    }
  }

  void add_name(const Saying& saying) {
    LicenseFinding finding{saying.expression, LicenseFinding::Kind::kHeader,
                           saying.whole ? kWhole : kPart, words_[saying.begin].begin,
                           words_[saying.end - 1].end};
    if (saying.says == Says::kPerl) finding.expression = "Artistic-1.0-Perl OR GPL-1.0-or-later";
    if (saying.family_only && reference_follows(saying)) {
      finding.kind = LicenseFinding::Kind::kReference;
      finding.confidence = kElsewhere;
    }
    units_.push_back({std::move(finding), saying.begin, saying.end, saying.family_only, false});
  }

  bool reference_follows(const Saying& saying) const {
    return std::any_of(sayings_.begin(), sayings_.end(), [&](const Saying& other) {
      return other.says == Says::kReference && other.end > saying.begin &&
             other.begin < saying.end + kReferenceNear;
    });
  }

  // One statement often names a licence many times, and a tag says it all.
  void drop_repeated(const std::vector<LicenseFinding>& tags, bool also_equal) {
    const auto said = [&](const Unit& unit, bool whole_family) {
      const auto same = [&](const std::string& other) {
        return other == unit.finding.expression ||
               (whole_family && other.find(family_of(unit.finding.expression)) != other.npos);
      };
      return std::any_of(tags.begin(), tags.end(),
                         [&](const LicenseFinding& tag) { return same(tag.expression); }) ||
             std::any_of(units_.begin(), units_.end(), [&](const Unit& other) {
               return &other != &unit && !other.dropped && same(other.finding.expression) &&
                      (other.finding.kind == LicenseFinding::Kind::kText || !other.family_only ||
                       (!whole_family && &other < &unit));
             });
    };
    for (size_t i = 0; i < units_.size() && i < kMostUnits; ++i) {
      Unit& unit = units_[i];
      if (unit.finding.kind == LicenseFinding::Kind::kText) continue;
      const bool again = std::any_of(
          units_.begin(), units_.begin() + static_cast<ptrdiff_t>(i), [&](const Unit& other) {
            return !other.dropped && other.finding.expression == unit.finding.expression;
          });
      unit.dropped =
          (also_equal && again) || (tagged_ && unit.finding.confidence < kWhole) ||
          (unit.family_only && said(unit, true)) ||
          (also_equal && std::any_of(units_.begin(), units_.end(), [&](const Unit& other) {
             return other.finding.kind == LicenseFinding::Kind::kText &&
                    other.finding.expression == unit.finding.expression;
           }));
    }
    if (units_.size() > kMostUnits) units_.resize(kMostUnits);
    std::erase_if(units_, [](const Unit& unit) { return unit.dropped; });
  }

  static std::string family_of(const std::string& expression) {
    return expression.substr(0, expression.find('-') + 1);
  }

  // By word: whether a licence or a notice stands within so many words.
  std::vector<uint8_t> near_mask(const std::vector<LicenseFinding>& findings, uint32_t around,
                                 bool notices) const {
    std::vector<uint8_t> near(words_.size() + 1, 0);
    const auto mark = [&](uint32_t begin, uint32_t end) {
      const uint32_t first = begin > around ? begin - around : 0;
      const auto last = std::min<uint32_t>(static_cast<uint32_t>(words_.size()), end + around);
      std::fill(near.begin() + first, near.begin() + last, 1);
    };
    for (const LicenseFinding& finding : findings) {
      mark(word_at(finding.begin), word_at(finding.end));
    }
    for (uint32_t i = 0; notices && i < words_.size(); ++i) {
      if (words_[i].has(Word::kNotice) && words_[i].has(Word::kLineStart)) mark(i, i + 1);
    }
    return near;
  }

  void add(std::vector<LicenseFinding>& findings, std::string_view expression,
           LicenseFinding::Kind kind, double confidence, const Saying& saying) const {
    for (const LicenseFinding& finding : findings) {
      if (finding.expression == expression && finding.kind == kind) return;
    }
    findings.push_back({std::string(expression), kind, confidence, words_[saying.begin].begin,
                        words_[saying.end - 1].end});
  }

  void find_limits(std::vector<LicenseFinding>& findings) const {
    constexpr auto kHeader = LicenseFinding::Kind::kHeader;
    if (std::none_of(sayings_.begin(), sayings_.end(), [](const Saying& s) {
          return s.says == Says::kRestriction || s.says == Says::kNearRestriction ||
                 s.says == Says::kProprietary || s.says == Says::kGrant;
        })) {
      return;
    }
    const std::vector<uint8_t> near = near_mask(findings, kNear, true);
    const std::vector<uint8_t> notice = near_mask({}, kNearNotice, true);
    const std::vector<uint8_t> licensed = near_mask(findings, kNear, false);
    for (const Saying& saying : sayings_) {
      const uint32_t at = saying.begin;
      if (saying.says == Says::kRestriction ||
          (saying.says == Says::kNearRestriction && near[at])) {
        add(findings, kRestriction, kHeader, kPart, saying);
      } else if (saying.says == Says::kProprietary && notice[at]) {
        add(findings, kProprietaryLicense, kHeader, kPart, saying);
      } else if (saying.says == Says::kGrant && notice[at] && !licensed[at]) {
        add(findings, kUnknownLicense, kHeader, kPart, saying);
      }
    }
  }

  bool about_this(const Saying& saying) const {
    return before(saying.begin, 10, [](uint64_t hash) {
      switch (hash) {
        case word_hash("this"):
        case word_hash("placed"):
        case word_hash("released"):
        case word_hash("dedicated"):
        case word_hash("donated"):
        case word_hash("put"):
        case word_hash("hereby"):
        case word_hash("license"):
        case word_hash("author"):
        case word_hash("code"):
          return true;
        default:
          return false;
      }
    });
  }

  void find_dedications(std::vector<LicenseFinding>& findings) const {
    constexpr auto kHeader = LicenseFinding::Kind::kHeader;
    for (const Saying& saying : sayings_) {
      if (saying.says == Says::kPublicDomain && !before(saying.begin, 3, says_no) &&
          (about_this(saying) || is_title(saying))) {
        add(findings, kPublicDomain, kHeader, kPart, saying);
      }
    }
  }

  void find_others(std::vector<LicenseFinding>& findings) const {
    constexpr auto kHeader = LicenseFinding::Kind::kHeader;
    if (!findings.empty()) return;
    for (const Saying& saying : sayings_) {
      if (saying.says == Says::kReference) {
        add(findings, "", LicenseFinding::Kind::kReference, kElsewhere, saying);
      }
    }
    if (!findings.empty()) return;
    const std::vector<uint8_t> notice = near_mask({}, kNearNotice, true);
    for (const Saying& saying : sayings_) {
      if (saying.says == Says::kGrant ||
          (saying.says == Says::kWeakGrant && notice[saying.begin])) {
        add(findings, kUnknownLicense, kHeader, kPart, saying);
      }
    }
    if (findings.empty()) find_reserved(findings);
  }

  void find_reserved(std::vector<LicenseFinding>& findings) const {
    for (uint32_t i = 0; i + 2 < words_.size(); ++i) {
      if (words_[i].hash == word_hash("all") && words_[i + 1].hash == word_hash("rights") &&
          words_[i + 2].hash == word_hash("reserved")) {
        Saying saying;
        saying.begin = i;
        saying.end = i + 3;
        return add(findings, kProprietaryLicense, LicenseFinding::Kind::kHeader, kPart, saying);
      }
    }
  }

  std::string_view text_;
  std::vector<Word> words_;  // but comment leaders
  std::vector<uint8_t> covered_;
  std::vector<Saying> sayings_;
  std::vector<Unit> units_;
  bool tagged_ = false;
};

}  // namespace

void find_headers(std::string_view text, const std::vector<Word>& words,
                  const std::vector<TextMatch>& texts, std::vector<LicenseFinding>& findings) {
  HeaderFinder(text, words).run(words, texts, findings);
}

}  // namespace llmtool::license
