#include "lib/corpus/filters/phrase_set.h"

#include <algorithm>

#include "lib/corpus/filters/characters.h"
#include "lib/corpus/filters/repeats.h"

namespace llmtool {
namespace {

bool is_word_at(std::string_view text, size_t at) {
  return at < text.size() && (CharacterTable::get().flags_at(text, at) & kWord) != 0;
}

bool is_word_before(std::string_view text, size_t at) {
  return at > 0 && (CharacterTable::get().flags_before(text, at) & kWord) != 0;
}

// The end of the letters and digits from `at` on.
size_t end_of_word(std::string_view text, size_t at) {
  const CharacterTable& table = CharacterTable::get();
  while (at < text.size() && (table.flags_at(text, at) & kWord) != 0)
    at += character_at(text, at).bytes;
  return at;
}

size_t first_two(std::string_view text) {
  const size_t second = text.size() > 1 ? static_cast<uint8_t>(text[1]) : 0;
  return static_cast<uint8_t>(text[0]) * size_t{256} + second;
}

// What a phrase is found by at a place where letters end at `word_end`.
uint64_t key_of(std::string_view text, size_t at, size_t word_end) {
  return word_end > at ? hash_of(text.substr(at, word_end - at))
                       : hash_of(text.substr(at, character_at(text, at).bytes));
}

}  // namespace

PhraseSet::PhraseSet(const std::vector<std::string>& phrases, bool borders)
    : borders_(borders), begins_(65536) {
  for (const std::string& phrase : phrases) {
    std::string lower;
    append_lower(lower, phrase);
    begins_[first_two(lower)] = true;
    // A phrase of one byte begins with whatever is behind it.
    for (size_t next = 0; lower.size() == 1 && next < 256; ++next)
      begins_[static_cast<uint8_t>(lower[0]) * size_t{256} + next] = true;
    const uint64_t key = borders ? key_of(lower, 0, end_of_word(lower, 0)) : hash_of(lower);
    phrases_[key].push_back(std::move(lower));
  }
  for (auto& [key, same] : phrases_) {
    std::sort(same.begin(), same.end(), [](const std::string& a, const std::string& b) {
      return a.size() != b.size() ? a.size() > b.size() : a < b;
    });
    same.erase(std::unique(same.begin(), same.end()), same.end());
  }
  if (borders) return;
  // Without borders every phrase is looked at where its first two bytes are.
  std::unordered_map<uint64_t, std::vector<std::string>> by_begin;
  for (auto& [key, same] : phrases_) {
    for (std::string& phrase : same) by_begin[static_cast<uint8_t>(phrase[0])].push_back(phrase);
  }
  for (auto& [key, same] : by_begin) {
    std::sort(same.begin(), same.end(), [](const std::string& a, const std::string& b) {
      return a.size() != b.size() ? a.size() > b.size() : a < b;
    });
  }
  phrases_ = std::move(by_begin);
}

PhraseSet::Found PhraseSet::count_in(std::string_view lower) const {
  return borders_ ? count_bordered(lower) : count_anywhere(lower);
}

PhraseSet::Found PhraseSet::count_bordered(std::string_view lower) const {
  Found found;
  for (size_t at = 0; at < lower.size();) {
    const size_t word_end = end_of_word(lower, at);
    const size_t next = word_end > at ? word_end : at + character_at(lower, at).bytes;
    if (!begins_[first_two(lower.substr(at))] || is_word_before(lower, at)) {
      at = next;
      continue;
    }
    const auto candidates = phrases_.find(key_of(lower, at, word_end));
    size_t bytes = 0;
    if (candidates != phrases_.end()) {
      for (const std::string& phrase : candidates->second) {
        if (!lower.substr(at).starts_with(phrase) || is_word_at(lower, at + phrase.size()))
          continue;
        bytes = phrase.size();
        break;
      }
    }
    if (bytes > 0 && found.times++ == 0) found.first = lower.substr(at, bytes);
    at = bytes > 0 ? at + bytes : next;
  }
  return found;
}

PhraseSet::Found PhraseSet::count_anywhere(std::string_view lower) const {
  Found found;
  for (size_t at = 0; at < lower.size();) {
    size_t bytes = 0;
    if (begins_[first_two(lower.substr(at))]) {
      const auto candidates = phrases_.find(static_cast<uint8_t>(lower[at]));
      for (const std::string& phrase : candidates->second) {
        if (!lower.substr(at).starts_with(phrase)) continue;
        bytes = phrase.size();
        break;
      }
    }
    if (bytes > 0 && found.times++ == 0) found.first = lower.substr(at, bytes);
    at += bytes > 0 ? bytes : 1;
  }
  return found;
}

}  // namespace llmtool
