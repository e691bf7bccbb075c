// Which llmtool this is.
#pragma once

#include <string_view>

namespace llmtool {

// "0.1.0", or "0.1.0 (3f2a91c)" when built from a clone; "-dirty" is added if files were changed.
// As of the last time CMake ran.
std::string_view version();

}  // namespace llmtool
