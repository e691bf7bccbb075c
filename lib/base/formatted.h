// Text in the form that printf gives it, however long it gets.
#pragma once

#include <string>

namespace llmtool {

// The compiler checks the values against the format.
[[gnu::format(printf, 1, 2)]] std::string formatted(const char* format, ...);

}  // namespace llmtool
