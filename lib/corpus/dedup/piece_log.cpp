#include "lib/corpus/dedup/piece_log.h"

#include <algorithm>

#include "lib/base/error.h"
#include "lib/corpus/dedup/logged_hashes.h"

namespace llmtool {
namespace {

constexpr uint64_t kPage = 8192;

}  // namespace

void PieceLog::append(std::span<const uint64_t> hashes) {
  hashes_.append(hashes.data(), hashes.size_bytes());
  const uint64_t end = pieces();
  ends_.append(&end, sizeof end);
}

PieceLogReader::Values::Values(AppendLog& log, uint64_t count)
    : file_(open_flushed(log)), count_(count) {}

std::span<const uint64_t> PieceLogReader::Values::range(uint64_t begin, uint64_t end) {
  LLMTOOL_ASSERT(begin <= end && end <= count_);
  if (begin < page_begin_ || end > page_begin_ + page_.size()) {
    page_begin_ = begin;
    page_.resize(std::min(std::max(kPage, end - begin), count_ - begin));
    file_.read(begin * sizeof(uint64_t), page_.data(), page_.size() * sizeof(uint64_t));
  }
  return std::span<const uint64_t>(page_).subspan(begin - page_begin_, end - begin);
}

PieceLogReader::PieceLogReader(PieceLog log)
    : hashes_(log.hashes_, log.pieces()), ends_(log.ends_, log.documents()) {}

std::span<const uint64_t> PieceLogReader::of(uint64_t document) {
  const uint64_t begin = document == 0 ? 0 : ends_.range(document - 1, document)[0];
  return hashes_.range(begin, ends_.range(document, document + 1)[0]);
}

}  // namespace llmtool
