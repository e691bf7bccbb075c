#include "lib/corpus/id_check.h"

#include "lib/base/error.h"
#include "lib/corpus/dedup/logged_hashes.h"
#include "lib/report/page.h"
#include "lib/text/document_sample.h"
#include "lib/text/utf8.h"

namespace llmtool {

IdCheck::IdCheck(StepResources& resources, bool has_log)
    : log_(has_log ? &resources.log("hashes") : nullptr),
      seen_(resources.folder, resources.memory) {
  if (log_ == nullptr) return;
  for_each_logged(*log_, [&](std::span<const uint64_t> hashes) { seen_.insert(hashes); });
}

bool IdCheck::is_new(const Document& document) {
  if (document.id.empty()) return true;
  const uint64_t hash = document_hash(document.id, 0);
  if (!seen_.insert(hash)) return false;
  if (log_ != nullptr) log_->append(&hash, sizeof hash);
  return true;
}

std::string repeated_id(const Document& document) {
  constexpr size_t kMostBytes = 100;
  return concat(where(document), ": the id '", without_controls(shortened(document.id, kMostBytes)),
                "' was that of an earlier document");
}

}  // namespace llmtool
