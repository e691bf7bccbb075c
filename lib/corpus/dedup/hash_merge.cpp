#include "lib/corpus/dedup/hash_merge.h"

namespace llmtool {
namespace {

constexpr size_t kBuffer = size_t{64} << 10;  // hashes

}  // namespace

SortedHashStream::SortedHashStream(const fs::path& path) {
  if (path.empty()) return;
  file_ = std::make_unique<PositionedFile>(PositionedFile::open(path));
  const uint64_t count = file_->size() / sizeof(uint64_t);
  if (count > 0) run_.emplace(*file_, 0, count, kBuffer);
}

bool SortedHashStream::contains(uint64_t hash) {
  while (!empty() && head() < hash) pop();
  return !empty() && head() == hash;
}

void HashUnion::write(uint64_t hash) {
  if (count_ > 0 && hash == last_) return;
  out_.write(&hash, sizeof hash);
  last_ = hash;
  ++count_;
}

void HashUnion::add(uint64_t hash) {
  for (; !other_.empty() && other_.head() < hash; other_.pop()) write(other_.head());
  write(hash);
}

uint64_t HashUnion::finish() {
  for (; !other_.empty(); other_.pop()) write(other_.head());
  return count_;
}

}  // namespace llmtool
