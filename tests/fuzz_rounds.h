// How long a test throws random damage at something: `make soak` sets LLMTOOL_FUZZ_FACTOR.
#pragma once

#include <cstdlib>

namespace llmtool {

inline int fuzz_rounds(int usual) {
  const char* factor = std::getenv("LLMTOOL_FUZZ_FACTOR");
  return factor == nullptr ? usual : usual * std::atoi(factor);
}

}  // namespace llmtool
