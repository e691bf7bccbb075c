#include "lib/corpus/dedup/document_log.h"

#include <algorithm>

#include "lib/base/error.h"
#include "lib/corpus/dedup/logged_hashes.h"

namespace llmtool {
namespace {

constexpr uint64_t kPage = 4096;

}  // namespace

void DocumentLog::append(const Document& document) {
  const std::string id = document.id.empty() ? where(document) : document.id;
  ids_.append(id.data(), id.size());
  const Place place{document.index, ids_.size()};
  places_.append(&place, sizeof place);
}

DocumentLogReader::DocumentLogReader(DocumentLog log)
    : places_(open_flushed(log.places_)), ids_(open_flushed(log.ids_)), count_(log.count()) {}

uint64_t DocumentLogReader::index(uint64_t number) {
  LLMTOOL_ASSERT(number < count_);
  if (number < page_begin_ || number >= page_begin_ + page_.size()) {
    page_begin_ = number / kPage * kPage;
    page_.resize(std::min(kPage, count_ - page_begin_));
    places_.read(page_begin_ * sizeof(Place), page_.data(), page_.size() * sizeof(Place));
  }
  return page_[number - page_begin_].index;
}

DocumentLog::Place DocumentLogReader::place(uint64_t number) const {
  Place place;
  places_.read(number * sizeof place, &place, sizeof place);
  return place;
}

// They are the same where no document was left out before; else it is further to the front.
uint64_t DocumentLogReader::number_of(uint64_t index) const {
  LLMTOOL_ASSERT(count_ > 0);
  uint64_t begin = 0, last = std::min(index, count_ - 1);
  if (place(last).index == index) return last;
  while (begin < last) {
    const uint64_t middle = begin + (last - begin) / 2;
    if (place(middle).index < index)
      begin = middle + 1;
    else
      last = middle;
  }
  LLMTOOL_ASSERT(place(begin).index == index);
  return begin;
}

std::string DocumentLogReader::id_of(uint64_t index) const {
  const uint64_t number = number_of(index);
  const uint64_t begin = number == 0 ? 0 : place(number - 1).id_end;
  std::string id(place(number).id_end - begin, '\0');
  ids_.read(begin, id.data(), id.size());
  return id;
}

}  // namespace llmtool
