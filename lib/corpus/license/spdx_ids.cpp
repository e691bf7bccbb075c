#include <algorithm>

#include "lib/base/embedded.h"
#include "lib/corpus/license/expression.h"
#include "lib/text/ascii.h"

namespace llmtool {
namespace {

// Identifiers by their lower case.
class IdList {
 public:
  void add(std::string_view id) { ids_.emplace_back(ascii_lower(id), id); }
  void sort() { std::ranges::sort(ids_); }
  SpdxId find(std::string_view id) const {
    const std::string key = ascii_lower(id);
    const auto at = std::ranges::lower_bound(ids_, key, {}, [](const auto& e) { return e.first; });
    if (at == ids_.end() || at->first != key) return {std::string(id), false};
    return {std::string(at->second), true};
  }

 private:
  std::vector<std::pair<std::string, std::string_view>> ids_;
};

struct Lists {
  IdList licenses, exceptions;

  Lists() {
    std::string_view text = embedded_file("license_policies/spdx_ids.txt");
    IdList* list = &licenses;
    while (!text.empty()) {
      const size_t end = std::min(text.find('\n'), text.size());
      const std::string_view line = text.substr(0, end);
      text.remove_prefix(std::min(end + 1, text.size()));
      if (line == "# exceptions") list = &exceptions;
      if (!line.empty() && line.front() != '#') list->add(line);
    }
    licenses.sort();
    exceptions.sort();
  }
};

const Lists& lists() {
  static const Lists all;
  return all;
}

}  // namespace

SpdxId spdx_license_id(std::string_view id) {
  SpdxId found = lists().licenses.find(id);
  // The identifiers with "-with-" are older than exceptions.
  if (!found.is_known && found.id.find("-with-") != std::string::npos) {
    return lists().exceptions.find(id);
  }
  return found;
}

SpdxId spdx_exception_id(std::string_view id) {
  return lists().exceptions.find(id);
}

}  // namespace llmtool
