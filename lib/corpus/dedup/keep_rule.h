// Which document of several alike is kept.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lib/io/document.h"

namespace llmtool {

// first          the first of the input
// longest        the one with the most bytes of text
// smallest-hash  the one whose text has the smallest hash (XXH3, 64 bits)
// highest        the one with the greatest number in a member of the document
// lowest         the one with the least
// All but `first` do not depend on the order of the input: ties go to the smallest hash of the
// text, then of the id; documents that have these in common, too, are told apart by their order.
class KeepRule {
 public:
  // Fault::kUsage for an unknown name, a member without highest or lowest, and the reverse.
  KeepRule(std::string_view name, std::string member);

  static bool is_known(std::string_view name);
  bool is_first() const { return kind_ == Kind::kFirst; }

  // Less is better. Fault::kInput if the member is not there or is no number.
  uint64_t rank(const Document& document) const;

 private:
  enum class Kind { kFirst, kLongest, kSmallestHash, kHighest, kLowest };
  Kind kind_ = Kind::kFirst;
  std::string member_;
};

// What tells documents of the same rank apart.
uint64_t content_hash(const Document& document);
uint64_t id_hash(const Document& document);

}  // namespace llmtool
