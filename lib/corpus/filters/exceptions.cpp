#include "lib/corpus/filters/exceptions.h"

#include <algorithm>
#include <cstring>

#include "lib/base/error.h"
#include "lib/corpus/filters/english_exceptions.h"

namespace llmtool {
namespace {

size_t hash_of_ends(std::string_view text) {
  uint64_t first = 0, last = 0;
  const size_t n = std::min<size_t>(text.size(), 8);
  std::memcpy(&first, text.data(), n);
  std::memcpy(&last, text.data() + text.size() - n, n);
  const uint64_t mixed = (first ^ (last << 7 | last >> 57) ^ text.size()) * 0x9e3779b97f4a7c15;
  return mixed >> 40;
}

std::vector<uint32_t> sizes_of(std::string_view words) {
  std::vector<uint32_t> sizes;
  while (true) {
    const size_t end = std::min(words.find(' '), words.size());
    sizes.push_back(static_cast<uint32_t>(end));
    if (end == words.size()) return sizes;
    words.remove_prefix(end + 1);
  }
}

}  // namespace

const Exceptions& Exceptions::get() {
  static const Exceptions all;
  return all;
}

const Exceptions::Entry* Exceptions::find_for_sure(std::string_view text) const {
  for (size_t at = hash_of_ends(text) & kMask; places_[at] != 0; at = (at + 1) & kMask) {
    const Entry& entry = entries_[places_[at] - 1u];
    if (entry.text == text) return &entry;
  }
  return nullptr;
}

Exceptions::Exceptions() {
  std::string_view rest = kEnglishExceptions;
  while (!rest.empty()) {
    const size_t end = rest.find('\n');
    add(rest.substr(0, end));
    rest.remove_prefix(end + 1);
  }
  for (size_t i = 0; i < entries_.size(); ++i) {
    const std::string& text = entries_[i].text;
    LLMTOOL_ASSERT(text.size() <= kLongest);
    size_t at = hash_of_ends(text) & kMask;
    while (places_[at] != 0) at = (at + 1) & kMask;
    places_[at] = static_cast<uint16_t>(i + 1);
    may_have_[sketch(text)] = true;
    if (const auto& pieces = entries_[i].pieces; !pieces.empty())
      may_begin_[sketch(std::string_view(text).substr(0, pieces[0]))] = true;
  }
}

void Exceptions::add(std::string_view line) {
  const size_t tab = std::min(line.find('\t'), line.size());
  Entry entry;
  for (const char c : line.substr(0, tab)) {
    if (c != ' ') entry.text.push_back(c);
  }
  entry.parts = sizes_of(line.substr(0, tab));
  if (tab < line.size()) entry.pieces = sizes_of(line.substr(tab + 1));
  entries_.push_back(std::move(entry));
}

}  // namespace llmtool
