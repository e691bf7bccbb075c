#include "lib/corpus/filters/words.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include "lib/base/error.h"
#include "lib/corpus/filters/characters.h"
#include "lib/corpus/filters/english_affixes.h"
#include "lib/corpus/filters/english_exceptions.h"

namespace llmtool {
namespace {

// The exceptions by a hash of their bytes.
class Exceptions {
 public:
  struct Entry {
    std::string text;
    std::vector<uint32_t> parts;  // bytes of each word
  };

  static const Exceptions& get() {
    static const Exceptions all;
    return all;
  }

  const Entry* find(std::string_view text) const {
    if (text.size() > longest_) return nullptr;
    for (size_t at = hash(text) & kMask; places_[at] != 0; at = (at + 1) & kMask) {
      const Entry& entry = entries_[places_[at] - 1u];
      if (entry.text == text) return &entry;
    }
    return nullptr;
  }

 private:
  Exceptions() {
    std::string_view rest = kEnglishExceptions;
    while (!rest.empty()) {
      const size_t end = rest.find('\n');
      add(rest.substr(0, end));
      rest.remove_prefix(end + 1);
    }
    for (size_t i = 0; i < entries_.size(); ++i) {
      size_t at = hash(entries_[i].text) & kMask;
      while (places_[at] != 0) at = (at + 1) & kMask;
      places_[at] = static_cast<uint16_t>(i + 1);
      longest_ = std::max(longest_, entries_[i].text.size());
    }
  }

  void add(std::string_view line) {
    Entry entry;
    while (true) {
      const size_t end = std::min(line.find(' '), line.size());
      entry.text += line.substr(0, end);
      entry.parts.push_back(static_cast<uint32_t>(end));
      if (end == line.size()) break;
      line.remove_prefix(end + 1);
    }
    entries_.push_back(std::move(entry));
  }

  static size_t hash(std::string_view text) {
    uint64_t first = 0, last = 0;
    const size_t n = std::min<size_t>(text.size(), 8);
    std::memcpy(&first, text.data(), n);
    std::memcpy(&last, text.data() + text.size() - n, n);
    const uint64_t mixed = (first ^ (last << 7 | last >> 57) ^ text.size()) * 0x9e3779b97f4a7c15;
    return mixed >> 40;
  }

  static constexpr size_t kMask = (1 << 14) - 1;
  std::vector<Entry> entries_;
  std::array<uint16_t, kMask + 1> places_{};
  size_t longest_ = 0;
};

// What the fast path asks about a byte.
enum ByteClass : uint8_t { kLetter, kSpaceByte, kOther };

constexpr auto kByteClass = [] {
  std::array<uint8_t, 256> classes{};
  for (size_t c = 0; c < 256; ++c) {
    const bool letter = ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
    const bool space = c == ' ' || (c >= 9 && c <= 13) || (c >= 0x1c && c <= 0x1f);
    classes[c] = letter ? kLetter : space ? kSpaceByte : kOther;
  }
  return classes;
}();

uint8_t class_of(char c) {
  return kByteClass[static_cast<uint8_t>(c)];
}

Word word_of_letters(size_t begin, size_t bytes) {
  const auto size = static_cast<uint32_t>(bytes);
  return {static_cast<uint32_t>(begin), size, size, 1, 0, 0, 0};
}

Word word_of(std::string_view text, size_t begin, size_t bytes, const CharacterTable& table) {
  Word word{static_cast<uint32_t>(begin), static_cast<uint32_t>(bytes), 0, 0, 0, 0, 0};
  unsigned any = 0, all = ~0u;
  for (size_t at = begin; at < begin + bytes;) {
    const Character c = character_at(text, at);
    const unsigned flags = table.flags(c.point);
    any |= flags;
    all &= flags;
    at += c.bytes;
    ++word.characters;
  }
  word.is_alphabetic = (any & kAlphabetic) != 0;
  word.is_symbol = (all & kPunctuation) != 0;
  word.is_punct = (all & kPunctCategory) != 0;
  word.ends_sentence = word.characters == 1 && (all & kSentenceEnd) != 0;
  return word;
}

bool is_space_at(std::string_view text, size_t at, const CharacterTable& table) {
  const char c = text[at];
  return static_cast<int8_t>(c) >= 0 ? class_of(c) == kSpaceByte
                                     : (table.flags_at(text, at) & kSpace) != 0;
}

}  // namespace

struct WordSplitter::English {
  struct Span {
    size_t begin, bytes;
  };

  const CharacterTable& table = CharacterTable::get();
  const Exceptions& exceptions = Exceptions::get();
  std::vector<Span> suffixes;

  void add(std::string_view text, size_t begin, size_t bytes, std::vector<Word>& words) const {
    words.push_back(word_of(text, begin, bytes, table));
  }

  void add_exception(std::string_view text, size_t begin, const Exceptions::Entry& entry,
                     std::vector<Word>& words) const {
    for (const uint32_t bytes : entry.parts) {
      add(text, begin, bytes, words);
      begin += bytes;
    }
  }

  // text[begin, end) has neither prefix nor suffix.
  void add_middle(std::string_view text, size_t begin, size_t end, std::vector<Word>& words) const {
    const std::string_view middle = text.substr(begin, end - begin);
    if (const Exceptions::Entry* entry = exceptions.find(middle))
      return add_exception(text, begin, *entry, words);
    size_t from = 0;
    bool is_cut = false;
    for (size_t at = character_at(middle, 0).bytes; at < middle.size();) {
      const size_t infix = class_of(middle[at]) == kLetter ? 0 : english_infix(middle, at, table);
      if (infix == 0) {
        at += character_at(middle, at).bytes;
        continue;
      }
      if (!is_cut && is_address(middle, table)) break;
      is_cut = true;
      if (at > from) add(text, begin + from, at - from, words);
      add(text, begin + at, infix, words);
      at += infix;
      from = at;
    }
    if (from < middle.size()) add(text, begin + from, middle.size() - from, words);
  }

  // A run of non-spaces.
  void split_run(std::string_view text, size_t begin, size_t end, std::vector<Word>& words) {
    suffixes.clear();
    size_t last_size = 0;
    while (begin < end && end - begin != last_size) {
      const std::string_view run = text.substr(begin, end - begin);
      if (exceptions.find(run) != nullptr) break;
      last_size = run.size();
      const size_t prefix = english_prefix(run, table);
      if (prefix > 0 && exceptions.find(run.substr(prefix)) != nullptr) {
        add(text, begin, prefix, words);
        begin += prefix;
        break;
      }
      const size_t suffix = english_suffix(run.substr(prefix), table);
      if (suffix > 0) {
        end -= suffix;
        suffixes.push_back({end, suffix});
        if (exceptions.find(text.substr(begin, end - begin)) != nullptr) break;
      }
      if (prefix > 0) {
        add(text, begin, prefix, words);
        begin += prefix;
      }
    }
    if (begin < end) add_middle(text, begin, end, words);
    for (auto at = suffixes.rbegin(); at != suffixes.rend(); ++at)
      add(text, at->begin, at->bytes, words);
  }
};

WordSplitter::WordSplitter() : english_(std::make_unique<English>()) {}
WordSplitter::~WordSplitter() = default;

void WordSplitter::split(std::string_view text, WordKind kind, std::vector<Word>& words) {
  check(text.size() <= UINT32_MAX, Fault::kInput, "a document of ", text.size(),
        " bytes: words are counted in up to 4 GiB");
  English& english = *english_;
  const CharacterTable& table = english.table;
  for (size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (class_of(c) == kSpaceByte) {
      ++at;
      continue;
    }
    const size_t begin = at;
    while (at < text.size() && class_of(text[at]) == kLetter) ++at;
    const size_t letters = at - begin;
    if (at == text.size() || class_of(text[at]) == kSpaceByte) {
      const Exceptions::Entry* exception =
          kind == WordKind::kEnglish ? english.exceptions.find(text.substr(begin, letters))
                                     : nullptr;
      if (exception == nullptr) {
        words.push_back(word_of_letters(begin, letters));
      } else {
        english.add_exception(text, begin, *exception, words);
      }
      continue;
    }
    while (at < text.size() && !is_space_at(text, at, table)) at += character_at(text, at).bytes;
    if (at == begin) {  // a space beyond ASCII
      at += character_at(text, at).bytes;
    } else if (kind == WordKind::kEnglish) {
      english.split_run(text, begin, at, words);
    } else {
      english.add(text, begin, at - begin, words);
    }
  }
}

size_t count_sentences(const std::vector<Word>& words) {
  size_t sentences = 1;
  bool ended = false;
  for (const Word& word : words) {
    if (ended && !word.is_punct && !word.ends_sentence) {
      ++sentences;
      ended = false;
    } else if (word.ends_sentence) {
      ended = true;
    }
  }
  return sentences;
}

}  // namespace llmtool
