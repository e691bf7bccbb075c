// The places that a second pass removes: whole documents, or pieces of them.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <vector>

#include "lib/base/external_sort.h"

namespace llmtool {

struct Removal {
  uint64_t place;   // of the document or of the piece
  uint64_t keeper;  // the place of the document that is kept instead, or one of these:
  static constexpr uint64_t kNobody = ~uint64_t{0};     // every copy goes
  static constexpr uint64_t kIndex = ~uint64_t{0} - 1;  // it is in the index of earlier runs
  auto operator<=>(const Removal&) const = default;
  uint64_t sort_prefix() const { return place; }
};

// Pieces in the order of the input: the document's place and that of the piece in it.
inline constexpr int kPieceBits = 28;
// Fault::kInput for a document beyond 2^36 or a piece beyond 2^28.
uint64_t place_of_piece(uint64_t document_index, uint64_t piece);

// Gathers removals in any order; commit() sorts them into a file.
class RemovalWriter {
 public:
  RemovalWriter(fs::path path, const SortPlace& place);
  void add(const Removal& removal) { file_.write(&removal, sizeof removal); }
  void commit();

 private:
  fs::path path_, unsorted_;
  SortPlace place_;
  AtomicFile file_;
};

// Finds removals by places that never fall.
class RemovalReader {
 public:
  explicit RemovalReader(const fs::path& path);
  uint64_t count() const { return count_; }
  // The first removal at this place or behind it.
  std::optional<Removal> next_from(uint64_t place);

 private:
  void load(uint64_t begin);

  PositionedFile file_;
  uint64_t count_;
  std::vector<Removal> page_;
  uint64_t page_begin_ = 0, at_ = 0;
  bool found_start_ = false;
};

}  // namespace llmtool
