#include "lib/corpus/dedup/normaliser.h"

#include <algorithm>
#include <array>
#include <smmintrin.h>
#include <utf8proc.h>

#include "lib/base/error.h"
#include "lib/corpus/filters/characters.h"
#include "lib/text/code_points.h"

namespace llmtool {
namespace {

constexpr uint32_t kSigma = 0x3A3, kFinalSigma = 0x3C2, kCapitalDottedI = 0x130;

utf8proc_category_t category(uint32_t c) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(c));
}

bool is_digit(uint32_t c) {
  return c < 0x80 ? c >= '0' && c <= '9' : category(c) == UTF8PROC_CATEGORY_ND;
}

bool is_cased(uint32_t c) {
  const auto k = category(c);
  return k == UTF8PROC_CATEGORY_LU || k == UTF8PROC_CATEGORY_LL || k == UTF8PROC_CATEGORY_LT;
}

// Unicode's Case_Ignorable, of which sigma's rule speaks.
bool is_case_ignorable(uint32_t c) {
  switch (c) {
    case '\'':
    case '.':
    case ':':
    case 0xB7:
    case 0x2018:
    case 0x2019:
    case 0x2024:
    case 0x2027:
      return true;
  }
  switch (category(c)) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_SK:
      return true;
    default:
      return false;
  }
}

// A capital sigma at the end of a word: a cased letter before it and none behind it.
bool is_final_sigma(std::string_view text, size_t begin, size_t end) {
  bool before = false;
  for (size_t at = begin; at > 0 && !before;) {
    do --at;
    while ((static_cast<unsigned char>(text[at]) & 0xC0) == 0x80);
    size_t behind = at;
    const uint32_t c = next_code_point(text, behind);
    before = is_cased(c);
    if (!before && !is_case_ignorable(c)) break;
  }
  if (!before) return false;
  for (size_t at = end; at < text.size();) {
    const uint32_t c = next_code_point(text, at);
    if (is_cased(c)) return false;
    if (!is_case_ignorable(c)) break;
  }
  return true;
}

// Calls f(code point) with the lower case of the code point at text[at], which `at` moves behind.
template <class F>
void lower_next(std::string_view text, size_t& at, F&& f) {
  const size_t begin = at;
  const uint32_t c = next_code_point(text, at);
  if (c < 0x80) {
    f(c - 'A' < 26u ? c | 0x20 : c);
  } else if (c == kSigma) {
    f(is_final_sigma(text, begin, at) ? kFinalSigma : kSigma + 32);
  } else if (c == kCapitalDottedI) {
    f(uint32_t{'i'});
    f(uint32_t{0x307});
  } else {
    f(static_cast<uint32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c))));
  }
}

// What becomes of a byte of ASCII: another, or nothing.
struct AsciiMap {
  std::array<char, 128> to{};
  std::array<bool, 128> stays{};
};

template <class F>
constexpr AsciiMap ascii_map(F&& f) {
  AsciiMap map;
  for (unsigned c = 0; c < 128; ++c) {
    const int to = f(c - 'A' < 26u ? c | 0x20 : c);
    map.stays[c] = to >= 0;
    map.to[c] = static_cast<char>(to);
  }
  return map;
}

// 16 bytes, all of them printable ASCII.
__m128i between(__m128i x, char low, char high) {
  return _mm_and_si128(_mm_cmpgt_epi8(x, _mm_set1_epi8(static_cast<char>(low - 1))),
                       _mm_cmplt_epi8(x, _mm_set1_epi8(static_cast<char>(high + 1))));
}
__m128i lowered(__m128i x) {
  return _mm_or_si128(x, _mm_and_si128(between(x, 'A', 'Z'), _mm_set1_epi8(0x20)));
}

// The leading bytes of the text, in blocks of 16 of printable ASCII, through `map`. Returns how
// many.
template <class F>
size_t map_printable(std::string& out, std::string_view text, F&& map) {
  constexpr size_t kBlock = 16, kMost = 512;
  std::array<char, kMost> mapped;
  size_t at = 0;
  for (bool more = true; more;) {
    size_t filled = 0;
    for (; more && filled < kMost; filled += kBlock) {
      more = at + filled + kBlock <= text.size();
      if (!more) break;
      const __m128i x =
          _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + at + filled));
      more = _mm_movemask_epi8(between(x, 0x20, 0x7E)) == 0xFFFF;
      if (!more) break;
      _mm_storeu_si128(reinterpret_cast<__m128i*>(&mapped[filled]), map(x));
    }
    out.append(mapped.data(), filled);
    at += filled;
  }
  return at;
}

// What the code points of ASCII become, one by one and 16 at a time.
struct ToLower {
  static constexpr AsciiMap kMap = ascii_map([](unsigned c) { return static_cast<int>(c); });
  static __m128i map(__m128i x) { return lowered(x); }
};
struct ToCcnet {
  static constexpr AsciiMap kMap = ascii_map([](unsigned c) {
    if (c < 0x20 || c == 0x7F) return -1;
    return c - '0' < 10u ? int{'0'} : static_cast<int>(c);
  });
  static __m128i map(__m128i x) {
    return _mm_blendv_epi8(lowered(x), _mm_set1_epi8('0'), between(x, '0', '9'));
  }
};
struct ToTextDedup {
  static constexpr AsciiMap kMap = ascii_map([](unsigned c) {
    const bool is_word = c - '0' < 10u || c - 'a' < 26u || c == '_';
    return is_word ? static_cast<int>(c) : int{' '};
  });
  static __m128i map(__m128i x) {
    const __m128i low = lowered(x);
    const __m128i is_word = _mm_or_si128(_mm_or_si128(between(low, 'a', 'z'), between(x, '0', '9')),
                                         _mm_cmpeq_epi8(x, _mm_set1_epi8('_')));
    return _mm_blendv_epi8(_mm_set1_epi8(' '), low, is_word);
  }
};

// ASCII as To has it, other code points in lower case by f.
template <class To, class F>
void map_lowered(std::string& out, std::string_view text, F&& f) {
  constexpr size_t kFew = 32;  // bytes before blocks are tried again
  for (size_t at = 0; at < text.size();) {
    at += map_printable(out, text.substr(at), To::map);
    for (const size_t end = std::min(text.size(), at + kFew); at < end;) {
      const auto c = static_cast<unsigned char>(text[at]);
      if (c >= 0x80) {
        lower_next(text, at, f);
        continue;
      }
      if (To::kMap.stays[c]) out.push_back(To::kMap.to[c]);
      ++at;
    }
  }
}

// A set of code points below U+10000 with its ASCII part at hand.
class CodePointSet {
 public:
  explicit CodePointSet(std::u32string_view members) {
    for (const char32_t c : members) {
      if (c < 0x80)
        ascii_[c] = true;
      else
        others_.push_back(c);
    }
    std::sort(others_.begin(), others_.end());
  }
  bool has(uint32_t c) const {
    return c < 0x80 ? ascii_[c] : std::binary_search(others_.begin(), others_.end(), c);
  }

 private:
  std::array<bool, 128> ascii_{};
  std::u32string others_;
};

bool is_control(uint32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0);
}

void append_lowered(std::string& out, std::string_view text) {
  map_lowered<ToLower>(out, text, [&](uint32_t c) { put_code_point(out, c); });
}

void append_ccnet(std::string& out, std::string_view text) {
  static const CodePointSet punctuation(U"，。、„”“«»１」「《》´∶：？！（）；–—．～’…━〈〉【】％►");
  map_lowered<ToCcnet>(out, stripped(text), [&](uint32_t c) {
    if (is_digit(c)) {
      out.push_back('0');
    } else if (!is_control(c) && !punctuation.has(c)) {
      put_code_point(out, c);
    }
  });
}

// Code points come in one by one; a number is held back until its end is seen.
class Simplifier {
 public:
  explicit Simplifier(std::string& out) : out_(out), begin_(out.size()) {}

  // Letters of ASCII.
  void add_letters(std::string_view letters) {
    end();
    after_space_ = false;
    const size_t before = out_.size();
    out_.resize(before + letters.size());
    for (size_t i = 0; i < letters.size(); ++i) {
      out_[before + i] = static_cast<char>(letters[i] | 0x20);
    }
  }

  void add(uint32_t c) {
    if (is_digit(c)) {
      if (state_ == State::kText) put('0');
      // The digits behind the one separator belong to the number.
      if (state_ == State::kSeparator) after_separator_ = true;
      state_ = State::kNumber;
      return;
    }
    if (state_ == State::kNumber && !after_separator_ && separators().has(c)) {
      separator_ = c;
      state_ = State::kSeparator;
      return;
    }
    end();
    put_text(c);
  }

  void end() {
    if (state_ == State::kSeparator) flush_separator();
    state_ = State::kText;
    after_separator_ = false;
  }

  void finish() {
    end();
    while (out_.size() > begin_ && out_.back() == ' ') out_.pop_back();
  }

 private:
  enum class State { kText, kNumber, kSeparator };

  static const CodePointSet& separators() {
    static const CodePointSet set(U".,،٫⎖⎗⎘");
    return set;
  }
  static const CodePointSet& punctuation() {
    static const CodePointSet set(
        U"!/"
        U"—”:％１〈&(、━\\【#%「」，】；+^]~“《„';’{|∶´[=-`*．（–？！：$～«〉,><》)?）。…@_.\"}►»");
    return set;
  }

  void flush_separator() { put_text(separator_); }
  void put_text(uint32_t c) {
    if (is_space(c) || is_control(c) || punctuation().has(c)) {
      put_space();
    } else if (c < 0x80) {
      put(static_cast<char>(c));
    } else {
      put_decomposed(c);
    }
  }
  void put(char c) {
    out_.push_back(c);
    after_space_ = false;
  }
  // A mark between two spaces goes, but both stay: spaces are joined before marks are left out.
  void put_space() {
    if (out_.size() > begin_ && !after_space_) out_.push_back(' ');
    after_space_ = true;
  }
  void put_decomposed(uint32_t c) {
    after_space_ = false;
    std::array<utf8proc_int32_t, 32> parts;
    int boundary = 0;
    const auto count = utf8proc_decompose_char(static_cast<utf8proc_int32_t>(c), parts.data(),
                                               parts.size(), UTF8PROC_DECOMPOSE, &boundary);
    for (int i = 0; i < count; ++i) {
      const auto part = static_cast<uint32_t>(parts[static_cast<size_t>(i)]);
      if (category(part) != UTF8PROC_CATEGORY_MN) put_code_point(out_, part);
    }
  }

  std::string& out_;
  size_t begin_;
  State state_ = State::kText;
  bool after_separator_ = false;  // of the number we are in
  bool after_space_ = false;
  uint32_t separator_ = 0;
};

bool is_letter(char c) {
  return (static_cast<unsigned>(c) | 0x20) - 'a' < 26u;
}

void append_datatrove(std::string& out, std::string_view text) {
  Simplifier simplifier(out);
  for (size_t at = 0; at < text.size();) {
    size_t end = at;
    while (end < text.size() && is_letter(text[end])) ++end;
    if (end > at) simplifier.add_letters(text.substr(at, end - at));
    at = end;
    if (at < text.size()) lower_next(text, at, [&](uint32_t c) { simplifier.add(c); });
  }
  simplifier.finish();
}

bool is_word_character(uint32_t c) {
  if (c < 0x80) return c - '0' < 10u || c - 'a' < 26u || c - 'A' < 26u || c == '_';
  const auto k = category(c);
  return (k >= UTF8PROC_CATEGORY_LU && k <= UTF8PROC_CATEGORY_LO) ||
         (k >= UTF8PROC_CATEGORY_ND && k <= UTF8PROC_CATEGORY_NO);
}

void append_text_dedup(std::string& out, std::string_view text) {
  map_lowered<ToTextDedup>(out, text, [&](uint32_t c) {
    if (is_word_character(c))
      put_code_point(out, c);
    else
      out.push_back(' ');
  });
}

}  // namespace

const std::vector<std::string>& normalisation_names() {
  static const std::vector<std::string> names{"none", "lower", "ccnet", "datatrove", "text-dedup"};
  return names;
}

std::string_view name_of(Normalisation how) {
  return normalisation_names()[static_cast<size_t>(how)];
}

Normalisation normalisation_of(std::string_view name) {
  const auto& names = normalisation_names();
  const auto at = std::find(names.begin(), names.end(), name);
  check(at != names.end(), Fault::kUsage, "unknown normalisation '", name, "'");
  return static_cast<Normalisation>(at - names.begin());
}

void append_normalised(std::string& out, std::string_view text, Normalisation how) {
  switch (how) {
    case Normalisation::kNone:
      out += text;
      break;
    case Normalisation::kLower:
      append_lowered(out, text);
      break;
    case Normalisation::kCcnet:
      append_ccnet(out, text);
      break;
    case Normalisation::kDatatrove:
      append_datatrove(out, text);
      break;
    case Normalisation::kTextDedup:
      append_text_dedup(out, text);
      break;
  }
}

}  // namespace llmtool
