#include "lib/text/document_sample.h"

#define XXH_INLINE_ALL
#include <algorithm>
#include <xxhash.h>

namespace llmtool {

uint64_t document_hash(std::string_view text, uint64_t seed) {
  return XXH3_64bits_withSeed(text.data(), text.size(), seed);
}

void DocumentSample::add(std::string text) {
  ++seen_documents_;
  seen_bytes_ += text.size();
  const uint64_t hash = document_hash(text, seed_);
  kept_bytes_ += text.size();
  heap_.push_back({hash, std::move(text)});
  if (max_bytes_ == 0) return;
  std::push_heap(heap_.begin(), heap_.end());
  // A document larger than the whole sample stays only while it is alone.
  while (kept_bytes_ > max_bytes_ && heap_.size() > 1) {
    std::pop_heap(heap_.begin(), heap_.end());
    kept_bytes_ -= heap_.back().text.size();
    heap_.pop_back();
  }
}

std::vector<std::string> DocumentSample::take() {
  std::sort(heap_.begin(), heap_.end());
  std::vector<std::string> texts;
  texts.reserve(heap_.size());
  for (Entry& entry : heap_) texts.push_back(std::move(entry.text));
  heap_.clear();
  kept_bytes_ = 0;
  return texts;
}

}  // namespace llmtool
