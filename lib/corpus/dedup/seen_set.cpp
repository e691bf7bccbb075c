#include "lib/corpus/dedup/seen_set.h"

#include <algorithm>
#include <array>
#include <bit>

#include "lib/base/external_sort.h"

namespace llmtool {
namespace {

constexpr size_t kPage = 512;      // hashes read at a time by a search
constexpr size_t kRunsALevel = 8;  // so many are merged into one
constexpr size_t kFilterBytesAHash = 1;
constexpr size_t kWordsABlock = 8;  // a cache line of a filter
constexpr int kFilterBits = 5;

// n * part / 2^64
uint64_t scaled(uint64_t part, uint64_t n) {
  return static_cast<uint64_t>(static_cast<unsigned __int128>(part) * n >> 64);
}

// Reads the hashes in order, a page at a time.
template <class F>
void for_each_hash(const SortedHashes& hashes, F&& f) {
  std::vector<uint64_t> buffer(std::min<uint64_t>(hashes.count(), 8 * kPage));
  for (uint64_t at = 0; at < hashes.count();) {
    const auto count = std::min<uint64_t>(buffer.size(), hashes.count() - at);
    hashes.file().read(hashes.offset() + at * sizeof(uint64_t), buffer.data(),
                       count * sizeof(uint64_t));
    for (size_t i = 0; i < count; ++i) f(buffer[i]);
    at += count;
  }
}

}  // namespace

SortedHashes::SortedHashes(std::shared_ptr<const PositionedFile> file, uint64_t offset,
                           uint64_t count, size_t filter_bytes)
    : file_(std::move(file)), offset_(offset), count_(count) {
  const size_t blocks = filter_bytes / (kWordsABlock * sizeof(uint64_t));
  if (blocks == 0 || count == 0) return;
  filter_.resize(blocks * kWordsABlock);
  fill_filter();
}

void SortedHashes::fill_filter() {
  const size_t blocks = filter_.size() / kWordsABlock;
  for_each_hash(*this, [&](uint64_t hash) {
    uint64_t bits = mixed_hash(hash);
    uint64_t* block = &filter_[scaled(hash, blocks) * kWordsABlock];
    for (int i = 0; i < kFilterBits; ++i, bits >>= 9) {
      block[bits >> 6 & 7] |= uint64_t{1} << (bits & 63);
    }
  });
}

bool SortedHashes::may_contain(uint64_t hash) const {
  if (filter_.empty()) return true;
  uint64_t bits = mixed_hash(hash);
  const uint64_t* block = &filter_[scaled(hash, filter_.size() / kWordsABlock) * kWordsABlock];
  for (int i = 0; i < kFilterBits; ++i, bits >>= 9) {
    if ((block[bits >> 6 & 7] >> (bits & 63) & 1) == 0) return false;
  }
  return true;
}

// By interpolation, as hashes are spread evenly; by halves if that gets nowhere.
bool SortedHashes::search(uint64_t hash) const {
  std::array<uint64_t, kPage> page;
  uint64_t begin = 0, end = count_;
  uint64_t low = 0, high = ~uint64_t{0};
  for (int round = 0; begin < end; ++round) {
    uint64_t at = begin + (end - begin) / 2;
    if (round < 6 && high > low) {
      const double part = static_cast<double>(hash - low) / static_cast<double>(high - low);
      at = begin + static_cast<uint64_t>(part * static_cast<double>(end - begin));
    }
    at = std::clamp<uint64_t>(at > kPage / 2 ? at - kPage / 2 : 0, begin, end - 1);
    const auto count = std::min<uint64_t>(kPage, end - at);
    file_->read(offset_ + at * sizeof(uint64_t), page.data(), count * sizeof(uint64_t));
    if (hash < page[0]) {
      end = at;
      high = page[0];
    } else if (hash > page[count - 1]) {
      begin = at + count;
      low = page[count - 1];
    } else {
      return std::binary_search(page.begin(), page.begin() + static_cast<std::ptrdiff_t>(count),
                                hash);
    }
  }
  return false;
}

bool SortedHashes::contains(uint64_t hash) const {
  return count_ > 0 && may_contain(hash) && search(hash);
}

// Half of the memory for the table, which is doubled while the old one is there; the rest for
// filters.
SeenSet::SeenSet(fs::path folder, size_t memory)
    : folder_(std::move(folder)),
      memory_(std::max(memory, kLeastMemory)),
      most_slots_(std::bit_floor(memory_ / 2 / sizeof(uint64_t))),
      table_(std::min<size_t>(most_slots_, 1024)) {}

SeenSet::~SeenSet() = default;

bool SeenSet::contains(uint64_t hash) const {
  const bool in_table = hash == 0 ? has_zero_ : table_.at(table_.find(hash)) == hash;
  return in_table || in_runs(hash);
}

bool SeenSet::insert(uint64_t hash) {
  if (hash == 0) {
    if (has_zero_ || in_runs(hash)) return false;
    has_zero_ = true;
    return true;
  }
  const size_t slot = table_.find(hash);
  if (table_.at(slot) == hash || in_runs(hash)) return false;
  if (table_.put(slot, hash)) make_room();
  return true;
}

void SeenSet::insert(std::span<const uint64_t> hashes) {
  constexpr size_t kAhead = 8;
  for (size_t i = 0; i < hashes.size(); ++i) {
    if (i + kAhead < hashes.size()) prefetch(hashes[i + kAhead]);
    insert(hashes[i]);
  }
}

bool SeenSet::in_runs(uint64_t hash) const {
  for (const SortedHashes& run : given_) {
    if (run.contains(hash)) return true;
  }
  for (const auto& level : levels_) {
    for (const SortedHashes& run : level) {
      if (run.contains(hash)) return true;
    }
  }
  return false;
}

void SeenSet::make_room() {
  if (table_.slots() < most_slots_)
    table_.grow([](size_t, size_t) {});
  else
    spill();
}

size_t SeenSet::filter_room(uint64_t count) const {
  size_t taken = table_.slots() * sizeof(uint64_t);
  for (const SortedHashes& run : given_) taken += run.filter_bytes();
  for (const auto& level : levels_) {
    for (const SortedHashes& run : level) taken += run.filter_bytes();
  }
  const size_t left = memory_ > taken ? memory_ - taken : 0;
  const size_t wanted = count * kFilterBytesAHash;
  return wanted <= left ? wanted : 0;
}

void SeenSet::spill() {
  const size_t slots = table_.slots();
  const std::span<const uint64_t> sorted = table_.sort();
  const uint64_t count = sorted.size();
  auto file = std::make_shared<PositionedFile>(PositionedFile::temporary(folder_));
  file->write(0, sorted.data(), sorted.size_bytes());
  table_.clear(slots);
  if (levels_.empty()) levels_.emplace_back();
  levels_[0].emplace_back(std::move(file), 0, count, filter_room(count));
  for (size_t level = 0; level < levels_.size(); ++level) {
    if (levels_[level].size() == kRunsALevel) merge_level(level);
  }
}

void SeenSet::merge_level(size_t level) {
  std::vector<detail::SortedRun<uint64_t>> runs;
  uint64_t count = 0;
  for (const SortedHashes& run : levels_[level]) {
    runs.emplace_back(run.file(), 0, run.count(), 8 * kPage);
    count += run.count();
  }
  auto merged = std::make_shared<PositionedFile>(PositionedFile::temporary(folder_));
  uint64_t at = 0;
  detail::merge_runs(runs, [&](std::span<const uint64_t> hashes) {
    merged->write(at, hashes.data(), hashes.size_bytes());
    at += hashes.size_bytes();
  });
  levels_[level].clear();
  if (levels_.size() == level + 1) levels_.emplace_back();
  levels_[level + 1].emplace_back(std::move(merged), 0, count, filter_room(count));
}

void SeenSet::add_sorted(std::shared_ptr<const PositionedFile> file, uint64_t offset,
                         uint64_t count) {
  // Half of the room for filters at most: the runs to come want theirs.
  const size_t room = filter_room(count);
  given_.emplace_back(std::move(file), offset, count, room <= memory_ / 4 ? room : 0);
}

}  // namespace llmtool
