#include "lib/corpus/dedup/piece_removal.h"

#include "lib/base/error.h"
#include "lib/corpus/filters/characters.h"

namespace llmtool {

void PieceRemoval::remove(Document& document, const std::vector<bool>& is_removed, Tally& tally) {
  cut_text(document.text, unit_, pieces_);
  if (is_removed.size() != pieces_.size()) fail_inputs_changed();  // since it was decided
  std::string removed;
  uint64_t count = 0;
  for (size_t i = 0; i < pieces_.size(); ++i) {
    if (!is_removed[i]) continue;
    ++count;
    if (!tally.keeps_removed()) continue;
    if (count > 1) removed.push_back('\n');
    removed.append(document.text, pieces_[i].content, pieces_[i].content_end - pieces_[i].content);
  }
  if (count == 0) return;
  std::string kept = join_kept(document.text, pieces_, is_removed);
  tally.change(concat(name_of(unit_), "s"), count, document.text.size() - kept.size(), removed,
               document);
  const bool empty = stripped(kept).empty();
  if (empty || kept.size() < min_bytes_) {
    reject(document, empty ? "empty" : "min_bytes", concat(kept.size()),
           concat(">= ", empty ? 1 : min_bytes_));
    return;
  }
  document.text = std::move(kept);
  document.text_changed = true;
}

}  // namespace llmtool
