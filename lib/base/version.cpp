#include "lib/base/version.h"

namespace llmtool {

std::string_view version() {
  return LLMTOOL_VERSION;
}

}  // namespace llmtool
