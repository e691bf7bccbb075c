#include "lib/base/formatted.h"

#include <cstdarg>
#include <cstdio>

#include "lib/base/error.h"

namespace llmtool {

std::string formatted(const char* format, ...) {
  std::va_list values, again;
  va_start(values, format);
  va_copy(again, values);
  const int length = std::vsnprintf(nullptr, 0, format, values);
  va_end(values);
  std::string text(length > 0 ? static_cast<size_t>(length) : 0, '\0');
  const int written = std::vsnprintf(text.data(), text.size() + 1, format, again);
  va_end(again);
  LLMTOOL_ASSERT(length >= 0 && written == length);
  return text;
}

}  // namespace llmtool
