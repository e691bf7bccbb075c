#include "lib/corpus/filters/words.h"

#include <algorithm>
#include <array>
#include <bit>
#include <emmintrin.h>

#include "lib/base/error.h"
#include "lib/corpus/filters/characters.h"
#include "lib/corpus/filters/english_affixes.h"
#include "lib/corpus/filters/exceptions.h"
#include "lib/corpus/filters/run_cache.h"

namespace llmtool {
namespace {

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

// Suffixes that are cut off whatever is before them.
constexpr auto kIsMark = [] {
  std::array<bool, 256> marks{};
  for (const char c : std::string_view(",;:!?)]\"")) marks[static_cast<uint8_t>(c)] = true;
  return marks;
}();

// The ASCII characters that english_infix() knows.
constexpr std::string_view kInfixMarks = ".,+*^-~:<>=/";

uint8_t class_of(char c) {
  return kByteClass[static_cast<uint8_t>(c)];
}

// The end of the ASCII letters from `at` on.
size_t end_of_letters(std::string_view text, size_t at) {
  const __m128i small = _mm_set1_epi8(0x20), below = _mm_set1_epi8('a' - 1),
                above = _mm_set1_epi8('z' + 1);
  while (at + 16 <= text.size()) {
    const __m128i bytes =
        _mm_or_si128(_mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + at)), small);
    const __m128i letters =
        _mm_and_si128(_mm_cmpgt_epi8(bytes, below), _mm_cmpgt_epi8(above, bytes));
    const auto others = ~static_cast<unsigned>(_mm_movemask_epi8(letters)) & 0xffff;
    if (others != 0) return at + static_cast<size_t>(std::countr_zero(others));
    at += 16;
  }
  while (at < text.size() && class_of(text[at]) == kLetter) ++at;
  return at;
}

Word word_of_letters(size_t begin, size_t bytes) {
  const auto size = static_cast<uint32_t>(bytes);
  return {static_cast<uint32_t>(begin), size, size, 1, 0, 0, 0};
}

Word word_of(std::string_view text, size_t begin, size_t bytes, const CharacterTable& table) {
  Word word{static_cast<uint32_t>(begin), static_cast<uint32_t>(bytes), 0, 0, 0, 0, 0};
  unsigned any = 0, all = ~0u;
  for (size_t at = begin; at < begin + bytes;) {
    const bool is_ascii = static_cast<int8_t>(text[at]) >= 0;
    const Character c = is_ascii ? Character{} : character_at(text, at);
    const unsigned flags = is_ascii ? table.ascii(text[at]) : table.flags(c.point);
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

// The end of the non-spaces from `at` on.
size_t end_of_run(std::string_view text, size_t at, const CharacterTable& table) {
  const __m128i space = _mm_set1_epi8(' '), first = _mm_set1_epi8(9), more = _mm_set1_epi8(13 - 9),
                separator = _mm_set1_epi8(0x1c), three = _mm_set1_epi8(0x1f - 0x1c);
  while (at < text.size()) {
    if (at + 16 <= text.size()) {
      const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + at));
      const auto within = [&](__m128i low, __m128i width) {
        const __m128i above = _mm_sub_epi8(bytes, low);
        return _mm_cmpeq_epi8(_mm_min_epu8(above, width), above);
      };
      const __m128i spaces =
          _mm_or_si128(_mm_cmpeq_epi8(bytes, space),
                       _mm_or_si128(within(first, more), within(separator, three)));
      // A byte beyond ASCII has its highest bit set, which is what movemask takes.
      const auto found = static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(spaces, bytes)));
      at += found == 0 ? 16 : static_cast<size_t>(std::countr_zero(found));
      if (found == 0) continue;
    }
    do {
      if (is_space_at(text, at, table)) return at;
      at += character_at(text, at).bytes;
    } while (at < text.size() && (at + 16 > text.size() || static_cast<int8_t>(text[at]) < 0));
  }
  return text.size();
}

// The first end mark of a sentence in the text from `at` on, or its size.
size_t next_end_mark(std::string_view text, size_t at, const CharacterTable& table) {
  const auto is_end = [&](size_t i) { return (table.flags_at(text, i) & kSentenceEnd) != 0; };
  while (at < text.size()) {
    if (at + 16 > text.size()) {
      if (!is_continuation(text[at]) && is_end(at)) return at;
      ++at;
      continue;
    }
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + at));
    const auto is = [&](char c) { return _mm_cmpeq_epi8(bytes, _mm_set1_epi8(c)); };
    const __m128i marks = _mm_or_si128(_mm_or_si128(is('.'), is('!')), is('?'));
    // A byte beyond ASCII has its highest bit set, which is what movemask takes.
    unsigned found = static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(marks, bytes)));
    for (; found != 0; found &= found - 1) {
      const size_t place = at + static_cast<size_t>(std::countr_zero(found));
      if (!is_continuation(text[place]) && is_end(place)) return place;
    }
    at += 16;
  }
  return text.size();
}

struct SentenceCount {
  uint64_t sentences = 1;
  bool ended = false;

  void add(bool is_punct, bool ends) {
    if (ended && !is_punct && !ends) {
      ++sentences;
      ended = false;
    } else if (ends) {
      ended = true;
    }
  }

  // A text without end marks.
  void add_plain(std::string_view text, const CharacterTable& table) {
    for (size_t at = 0; ended && at < text.size(); at += character_at(text, at).bytes) {
      if (!(table.flags_at(text, at) & (kSpace | kPunctCategory))) add(false, false);
    }
  }
};

}  // namespace

struct WordSplitter::English {
  struct Span {
    size_t begin, bytes;
  };

  const CharacterTable& table = CharacterTable::get();
  const Exceptions& exceptions = Exceptions::get();
  RunCache known;
  std::vector<Span> suffixes;
  std::vector<Word> joined, others;
  std::array<Word, 128> marks{};         // words of one ASCII character
  std::array<bool, 256> may_be_infix{};  // by the first byte

  English() {
    for (size_t c = 0; c < marks.size(); ++c) {
      const char text = static_cast<char>(c);
      marks[c] = word_of({&text, 1}, 0, 1, table);
    }
    for (size_t c = 0; c < may_be_infix.size(); ++c) {
      const bool is_ascii = c < marks.size();
      may_be_infix[c] = !is_ascii || kInfixMarks.find(static_cast<char>(c)) != kInfixMarks.npos ||
                        (table.ascii(static_cast<char>(c)) & kIcon) != 0;
    }
  }

  void add_mark(std::string_view text, size_t at, std::vector<Word>& words) const {
    words.push_back(marks[static_cast<uint8_t>(text[at])]);
    words.back().begin = static_cast<uint32_t>(at);
  }

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
      if (!may_be_infix[static_cast<uint8_t>(middle[at])]) {
        ++at;
        continue;
      }
      const size_t infix = english_infix(middle, at, table);
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

  // Letters up to `end`, one mark, and a space or the end of the text: whether they are two words.
  bool is_marked(std::string_view text, size_t begin, size_t end) const {
    if (end - begin < 2 || (end + 1 < text.size() && class_of(text[end + 1]) != kSpaceByte))
      return false;
    const char mark = text[end];
    const bool is_period = mark == '.' && text[end - 1] >= 'a';
    if (!is_period && !kIsMark[static_cast<uint8_t>(mark)]) return false;
    return !exceptions.may_have(text.substr(begin, end + 1 - begin)) &&
           !exceptions.may_have(text.substr(begin, end - begin));
  }

  // A run of non-spaces. Its words are a function of its bytes alone.
  void split_run(std::string_view text, size_t begin, size_t end, std::vector<Word>& words) {
    if (end - begin > RunCache::Key::kMost) return cut_run(text, begin, end, words);
    const RunCache::Key key(text, begin, end);
    if (known.append(key, begin, words)) return;
    const size_t first = words.size();
    cut_run(text, begin, end, words);
    known.keep(key, begin, words, first);
  }

  void cut_run(std::string_view text, size_t begin, size_t end, std::vector<Word>& words) {
    const size_t first_word = words.size();
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
    if (words.size() > first_word + 1) rejoin(text, first_word, words);
  }

  // The longest exception that the words from `first` on are the pieces of, or null.
  const Exceptions::Entry* pieces_of(std::string_view text, size_t first,
                                     const std::vector<Word>& words) const {
    const Exceptions::Entry* found = nullptr;
    if (!exceptions.may_begin(words[first].in(text))) return found;
    const size_t begin = words[first].begin;
    for (size_t last = first + 1; last < words.size(); ++last) {
      const size_t bytes = words[last].begin + words[last].bytes - begin;
      if (bytes > Exceptions::kLongest) break;
      const Exceptions::Entry* entry = exceptions.find(text.substr(begin, bytes));
      if (entry == nullptr || entry->pieces.size() != last - first + 1) continue;
      bool same = true;
      for (size_t i = 0; i < entry->pieces.size(); ++i)
        same = same && words[first + i].bytes == entry->pieces[i];
      if (same) found = entry;
    }
    return found;
  }

  // Puts exceptions together again from the words they were cut into.
  void rejoin(std::string_view text, size_t first, std::vector<Word>& words) {
    joined.clear();
    bool is_changed = false;
    for (size_t i = first; i < words.size();) {
      const Exceptions::Entry* entry = pieces_of(text, i, words);
      if (entry == nullptr) {
        if (is_changed) joined.push_back(words[i]);
        ++i;
        continue;
      }
      if (!is_changed)
        joined.assign(words.begin() + static_cast<ptrdiff_t>(first),
                      words.begin() + static_cast<ptrdiff_t>(i));
      is_changed = true;
      add_exception(text, words[i].begin, *entry, joined);
      i += entry->pieces.size();
    }
    if (!is_changed) return;
    words.resize(first);
    words.insert(words.end(), joined.begin(), joined.end());
  }
};

WordSplitter::WordSplitter() : english_(std::make_unique<English>()) {}
WordSplitter::~WordSplitter() = default;

// Calls letters(begin, bytes) for a word of ASCII letters, marked(begin, bytes) for one and the
// mark behind it, and appends all other words to `words`.
template <class Letters, class Marked>
void WordSplitter::walk(std::string_view text, WordKind kind, std::vector<Word>& words,
                        Letters letters, Marked marked) {
  check(text.size() <= UINT32_MAX, Fault::kInput, "a document of ", text.size(),
        " bytes: words are counted in up to 4 GiB");
  English& english = *english_;
  const CharacterTable& table = english.table;
  const bool is_english = kind == WordKind::kEnglish;
  for (size_t at = 0; at < text.size();) {
    if (class_of(text[at]) == kSpaceByte) {
      ++at;
      continue;
    }
    const size_t begin = at;
    at = end_of_letters(text, at);
    const bool is_end = at == text.size() || class_of(text[at]) == kSpaceByte;
    if (is_end && !(is_english && english.exceptions.may_have(text.substr(begin, at - begin)))) {
      letters(begin, at - begin);
      ++at;
      continue;
    }
    if (is_english && !is_end && english.is_marked(text, begin, at)) {
      marked(begin, at - begin);
      ++at;
      continue;
    }
    at = end_of_run(text, at, table);
    if (at == begin) {  // a space beyond ASCII
      at += character_at(text, at).bytes;
    } else if (at - begin == 1 && static_cast<int8_t>(text[begin]) >= 0) {
      english.add_mark(text, begin, words);
    } else if (is_english) {
      english.split_run(text, begin, at, words);
    } else {
      english.add(text, begin, at - begin, words);
    }
  }
}

void WordSplitter::split(std::string_view text, WordKind kind, std::vector<Word>& words) {
  walk(
      text, kind, words,
      [&](size_t begin, size_t bytes) { words.push_back(word_of_letters(begin, bytes)); },
      [&](size_t begin, size_t bytes) {
        words.push_back(word_of_letters(begin, bytes));
        english_->add_mark(text, begin + bytes, words);
      });
}

uint64_t WordSplitter::count(std::string_view text, WordKind kind) {
  uint64_t simple = 0;
  std::vector<Word>& others = english_->others;
  others.clear();
  walk(
      text, kind, others, [&](size_t, size_t) { ++simple; }, [&](size_t, size_t) { simple += 2; });
  return simple + others.size();
}

uint64_t WordSplitter::count_sentences(std::string_view text) {
  const CharacterTable& table = english_->table;
  std::vector<Word>& words = english_->others;
  SentenceCount count;
  size_t done = 0;  // what is before is counted
  // Only a run of non-spaces that has an end mark can end a sentence: the others need no cutting.
  for (size_t at = next_end_mark(text, 0, table); at < text.size();
       at = next_end_mark(text, done, table)) {
    size_t begin = at;
    while (begin > done && !(table.flags_before(text, begin) & kSpace))
      begin = last_character(text, begin);
    const size_t end = end_of_run(text, at, table);
    count.add_plain(text.substr(done, begin - done), table);
    words.clear();
    split(text.substr(begin, end - begin), WordKind::kEnglish, words);
    for (const Word& word : words) count.add(word.is_punct, word.ends_sentence);
    done = end;
  }
  count.add_plain(text.substr(done), table);
  return count.sentences;
}

}  // namespace llmtool
