// What the shipped matcher finds in a text, as "kind:expression | kind:expression".
#pragma once

#include <string>
#include <string_view>

#include "lib/corpus/license/license_match.h"

namespace llmtool {

inline std::string found(std::string_view text) {
  std::string all;
  for (const LicenseFinding& finding : LicenseMatcher::shipped().find(text)) {
    if (!all.empty()) all += " | ";
    all += std::string(to_string(finding.kind)) + ":" + finding.expression;
  }
  return all;
}

}  // namespace llmtool
