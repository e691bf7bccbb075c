#include "lib/corpus/license/match_change.h"

#include <algorithm>
#include <array>

namespace llmtool::license {
namespace {

constexpr size_t kShortLicense = 400;  // words
constexpr uint32_t kClause = 4;        // words

template <size_t N>
constexpr std::array<uint64_t, N> sorted_hashes(const std::string_view (&words)[N]) {
  std::array<uint64_t, N> hashes{};
  for (size_t i = 0; i < N; ++i) hashes[i] = word_hash(words[i]);
  std::sort(hashes.begin(), hashes.end());
  return hashes;
}

constexpr std::string_view kLimitWords[] = {
    "academic",   "academia",      "charity",   "commercial",  "commercially", "educational",
    "evaluation", "evil",          "forbidden", "governments", "hobby",        "hobbyist",
    "military",   "noncommercial", "nonprofit", "nuclear",     "personal",     "profit",
    "prohibited", "prohibits",     "research",  "sale",        "sold",         "unlawful",
    "weapon",     "weapons",       "unethical", "competing",   "compete",      "unmodified"};
constexpr std::string_view kConditionWords[] = {"acknowledge",
                                                "acknowledging",
                                                "acknowledgment",
                                                "acknowledgments",
                                                "advertising",
                                                "agree",
                                                "agreement",
                                                "agrees",
                                                "authorization",
                                                "cannot",
                                                "charge",
                                                "charged",
                                                "condition",
                                                "conditions",
                                                "consent",
                                                "contact",
                                                "credit",
                                                "except",
                                                "exclude",
                                                "excluding",
                                                "expressly",
                                                "fee",
                                                "fees",
                                                "if",
                                                "may",
                                                "must",
                                                "neither",
                                                "never",
                                                "no",
                                                "nor",
                                                "not",
                                                "notify",
                                                "obligated",
                                                "only",
                                                "payment",
                                                "permission",
                                                "permitted",
                                                "provided",
                                                "purchase",
                                                "refrain",
                                                "report",
                                                "require",
                                                "required",
                                                "requires",
                                                "restricted",
                                                "restriction",
                                                "restrictions",
                                                "royalty",
                                                "shall",
                                                "should",
                                                "solely",
                                                "subject",
                                                "terminate",
                                                "terminated",
                                                "unless",
                                                "void",
                                                "without",
                                                "patent",
                                                "patents"};
constexpr std::string_view kGrantWords[] = {"commercial",     "distribute", "distribution",
                                            "modification",   "modify",     "redistribute",
                                            "redistribution", "sell",       "sublicense"};
constexpr auto kLimits = sorted_hashes(kLimitWords);
constexpr auto kConditions = sorted_hashes(kConditionWords);
constexpr auto kGrants = sorted_hashes(kGrantWords);
constexpr std::string_view kTurningWords[] = {"not", "non", "only", "never", "cannot", "except"};
constexpr auto kTurning = sorted_hashes(kTurningWords);

template <size_t N>
bool has(const std::array<uint64_t, N>& hashes, uint64_t hash) {
  return std::binary_search(hashes.begin(), hashes.end(), hash);
}

bool adds_limits(const Edit& edit, bool is_short, std::span<const Word* const> words) {
  const uint32_t added = edit.added_end - edit.added_begin;
  const uint32_t net = added - std::min(added, edit.missing_end - edit.missing_begin);
  for (uint32_t i = edit.added_begin; i < edit.added_end; ++i) {
    const uint64_t hash = words[i]->hash;
    if (has(kLimits, hash)) return is_short || net >= kClause;
    if (is_short && has(kTurning, hash)) return true;
    if (net >= kClause && has(kConditions, hash)) return true;
  }
  return false;
}

bool takes_grants(const Fingerprints& fingerprints, const Template& licence, const Edit& edit,
                  std::span<const uint16_t> numbers) {
  if (std::find(numbers.begin(), numbers.end(), 0) != numbers.end()) return false;
  for (uint32_t i = edit.missing_begin; i < edit.missing_end; ++i) {
    if (has(kGrants, fingerprints.hash_of(licence.body[i]))) return true;
  }
  return false;
}

}  // namespace

bool is_limit(uint64_t hash) {
  return has(kLimits, hash);
}

bool changed(const Fingerprints& fingerprints, const Template& licence, const Alignment& alignment,
             std::span<const Word* const> words) {
  const bool is_short = licence.body.size() < kShortLicense;
  std::vector<uint16_t> numbers;
  for (const Edit& edit : alignment.edits) {
    if (adds_limits(edit, is_short, words)) return true;
    if (!is_short || edit.missing_begin == edit.missing_end) continue;
    numbers.clear();
    for (uint32_t i = edit.added_begin; i < edit.added_end; ++i) {
      numbers.push_back(fingerprints.number_of(words[i]->hash));
    }
    if (takes_grants(fingerprints, licence, edit, numbers)) return true;
  }
  return false;
}

}  // namespace llmtool::license
