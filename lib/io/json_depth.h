// JSON that others wrote may nest without end, and what walks it calls itself for every level.
#pragma once

#include <string_view>

namespace llmtool {

// More than any file of ours has.
inline constexpr int kMostJsonDepth = 64;

// Whether a JSON text opens more than kMostJsonDepth objects and arrays inside each other; to be
// asked before it is parsed. Of a text that is not JSON it says nothing.
bool nests_too_deeply(std::string_view json);

}  // namespace llmtool
