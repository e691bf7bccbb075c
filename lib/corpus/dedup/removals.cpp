#include "lib/corpus/dedup/removals.h"

namespace llmtool {
namespace {

constexpr uint64_t kPage = 4096;

}  // namespace

uint64_t place_of_piece(uint64_t document_index, uint64_t piece) {
  check(document_index < uint64_t{1} << (64 - kPieceBits), Fault::kInput, "more than 2^",
        64 - kPieceBits, " documents");
  check(piece < uint64_t{1} << kPieceBits, Fault::kInput, "document ", document_index,
        " of the input has more than 2^", kPieceBits, " pieces");
  return document_index << kPieceBits | piece;
}

RemovalWriter::RemovalWriter(fs::path path, const SortPlace& place)
    : path_(std::move(path)),
      unsorted_(path_.string() + ".unsorted"),
      place_(place),
      file_(unsorted_) {}

void RemovalWriter::commit() {
  file_.commit();
  external_sort<Removal>(unsorted_, path_, place_);
  std::error_code ignored;
  fs::remove(unsorted_, ignored);
}

RemovalReader::RemovalReader(const fs::path& path)
    : file_(PositionedFile::open(path)), count_(file_.size() / sizeof(Removal)) {
  check(file_.size() % sizeof(Removal) == 0, Fault::kInput, path.string(), ": ", file_.size(),
        " bytes, expected a whole number of records of ", sizeof(Removal));
}

void RemovalReader::load(uint64_t begin) {
  page_begin_ = begin;
  page_.resize(std::min(kPage, count_ - begin));
  file_.read(begin * sizeof(Removal), page_.data(), page_.size() * sizeof(Removal));
}

std::optional<Removal> RemovalReader::next_from(uint64_t place) {
  if (!found_start_) {  // a run that goes on begins in the middle
    found_start_ = true;
    uint64_t end = count_;
    while (at_ < end) {
      const uint64_t middle = at_ + (end - at_) / 2;
      Removal removal;
      file_.read(middle * sizeof removal, &removal, sizeof removal);
      if (removal.place < place)
        at_ = middle + 1;
      else
        end = middle;
    }
  }
  for (; at_ < count_; ++at_) {
    if (at_ < page_begin_ || at_ >= page_begin_ + page_.size()) load(at_);
    const Removal& removal = page_[at_ - page_begin_];
    if (removal.place >= place) return removal;
  }
  return std::nullopt;
}

}  // namespace llmtool
