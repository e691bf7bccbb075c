#include "lib/base/embedded.h"

#include <algorithm>

#include "lib/base/error.h"

namespace llmtool {

std::string_view embedded_file(std::string_view name) {
  const std::vector<EmbeddedFile>& all = embedded_files();
  const auto found = std::ranges::find(all, name, &EmbeddedFile::name);
  LLMTOOL_ASSERT(found != all.end());
  return found->bytes;
}

}  // namespace llmtool
