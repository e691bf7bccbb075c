#include "lib/corpus/dedup/keep_rule.h"

#include <algorithm>
#include <array>
#include <bit>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "lib/base/error.h"

namespace llmtool {
namespace {

constexpr std::array<std::string_view, 5> kNames{"first", "longest", "smallest-hash", "highest",
                                                 "lowest"};

// Keeps the order of numbers.
uint64_t ordered_bits(double number) {
  const auto bits = std::bit_cast<uint64_t>(number == 0 ? 0.0 : number);
  return bits >> 63 ? ~bits : bits | uint64_t{1} << 63;
}

}  // namespace

bool KeepRule::is_known(std::string_view name) {
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

KeepRule::KeepRule(std::string_view name, std::string member) : member_(std::move(member)) {
  const auto at = std::find(kNames.begin(), kNames.end(), name);
  check(at != kNames.end(), Fault::kUsage, "unknown rule --keep '", name, "'");
  kind_ = static_cast<Kind>(at - kNames.begin());
  const bool by_member = kind_ == Kind::kHighest || kind_ == Kind::kLowest;
  if (by_member && member_.empty()) {
    fail(Fault::kUsage, concat("--keep ", name, " needs --keep-by MEMBER"),
         "for example --keep-by attributes.score");
  }
  check(by_member || member_.empty(), Fault::kUsage,
        "--keep-by goes with --keep highest or lowest, not with ", name);
}

uint64_t KeepRule::rank(const Document& document) const {
  switch (kind_) {
    case Kind::kFirst:
      return document.index;
    case Kind::kLongest:
      return ~static_cast<uint64_t>(document.text.size());
    case Kind::kSmallestHash:
      return 0;
    case Kind::kHighest:
    case Kind::kLowest:
      break;
  }
  const MemberValue value = required_member(document, member_);
  check(value.is_number, Fault::kInput, where(document), ": '", member_, "' is '", value.text,
        "', expected a number");
  const uint64_t bits = ordered_bits(value.number);
  return kind_ == Kind::kHighest ? ~bits : bits;
}

uint64_t content_hash(const Document& document) {
  return XXH3_64bits(document.text.data(), document.text.size());
}

uint64_t id_hash(const Document& document) {
  return XXH3_64bits(document.id.data(), document.id.size());
}

}  // namespace llmtool
