#include <array>

#include "lib/corpus/pii/scan.h"

namespace llmtool::pii {
namespace {

constexpr size_t npos = std::string_view::npos;

// The country codes of ITU-T E.164 with two digits; 1 and 7 have one, all others three.
constexpr std::string_view kTwoDigitCodes =
    "20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 "
    "65 66 81 82 84 86 90 91 92 93 94 95 98";
// First two digits of the three-digit codes in use.
constexpr std::string_view kThreeDigitGroups =
    "21 22 23 24 25 26 29 35 37 38 42 50 59 67 68 69 80 "
    "85 87 88 96 97 99";

bool has_pair(std::string_view list, char a, char b) {
  for (size_t i = 0; i + 1 < list.size(); i += 3) {
    if (list[i] == a && list[i + 1] == b) return true;
  }
  return false;
}

bool is_separator(char c) {
  return c == ' ' || c == '-' || c == '.';
}

// Digits with single separators between groups, "(0)" and brackets around a group.
struct Groups {
  std::array<char, 20> digits{};
  size_t count = 0;                   // of digits
  size_t groups = 0;                  // of groups
  size_t longest = 0;                 // group
  bool dots = false, spaces = false;  // between groups
  size_t end = npos;                  // behind the last digit or its bracket
};

Groups read_groups(std::string_view text, size_t i) {
  Groups read;
  bool open = false;
  while (read.count < read.digits.size()) {
    if (at(text, i) == '(' && !open && is_digit(at(text, i + 1))) {
      open = true;
      ++i;
    }
    const size_t begin = i;
    while (is_digit(at(text, i)) && read.count < read.digits.size()) {
      read.digits[read.count++] = text[i++];
    }
    if (i == begin) break;
    ++read.groups;
    read.longest = std::max(read.longest, i - begin);
    if (open && at(text, i) == ')') {
      open = false;
      ++i;
    }
    if (!open) read.end = i;
    const char next = at(text, i);
    const char after = at(text, i + 1);
    if (is_separator(next) && (is_digit(after) || (after == '(' && !open))) {
      read.dots = read.dots || next == '.';
      read.spaces = read.spaces || next == ' ';
      ++i;
    } else if (next != '(' && !(is_digit(next) && !open)) {
      break;
    }
  }
  return read;
}

// Nothing that would make it part of something longer.
bool ends_cleanly(std::string_view text, size_t end) {
  const char next = at(text, end);
  if (is_alnum(next) || next == '_' || next == '%') return false;
  const bool joins = next == '-' || next == '.' || next == '/' || next == ':' || next == ',';
  return !(joins && is_digit(at(text, end + 1)));
}

bool begins_cleanly(std::string_view text, size_t begin) {
  const char left = before(text, begin);
  if (is_alnum(left) || left == '_' || left == '$' || left == '#' || left == '=' || left == '+' ||
      left == '~' || left == '^') {
    return false;
  }
  const bool joins = left == '-' || left == '.' || left == '/' || left == ':' || left == ',';
  return !(joins && begin >= 2 && is_alnum(text[begin - 2]) && left != ':' &&
           !(left == '.' && is_letter(text[begin - 2])));
}

bool is_exchange(char a, char b, char c) {
  return a >= '2' && !(b == '1' && c == '1');
}

bool plausible_american(const char* d) {
  return is_exchange(d[0], d[1], d[2]) && d[1] != '9' && is_exchange(d[3], d[4], d[5]);
}

bool plausible_international(const Groups& read) {
  const char* d = read.digits.data();
  // One group of eight digits is rather a number with a sign.
  if (read.count < (read.groups > 1 ? 8 : 10) || read.count > 15 || d[0] == '0') return false;
  if (d[0] == '1') return read.count == 11 && plausible_american(d + 1);
  if (d[0] == '9' && d[1] == '9' && (d[2] < '2' || d[2] > '8')) return false;
  return d[0] == '7' || has_pair(kTwoDigitCodes, d[0], d[1]) ||
         has_pair(kThreeDigitGroups, d[0], d[1]);
}

// Reads exactly n digits at i; npos if there are fewer or more.
size_t exactly(std::string_view text, size_t i, size_t n) {
  for (size_t k = 0; k < n; ++k) {
    if (!is_digit(at(text, i + k))) return npos;
  }
  return is_digit(at(text, i + n)) ? npos : i + n;
}

// 1 (212) 555-0143 and the like; npos if it is none. Only spaces between the groups is too
// weak a sign: numbers in tables look so.
size_t american_end(std::string_view text, size_t i) {
  if (text[i] == '1' && (is_separator(at(text, i + 1)) || at(text, i + 1) == '(')) {
    i += at(text, i + 1) == '(' ? 1 : 2;
  }
  const bool bracket = at(text, i) == '(';
  const size_t area = bracket ? i + 1 : i;
  size_t next = exactly(text, area, 3);
  if (next == npos) return npos;
  char first = '(';
  if (bracket) {
    if (at(text, next++) != ')') return npos;
    if (is_separator(at(text, next))) ++next;
  } else {
    first = at(text, next++);
    if (!is_separator(first)) return npos;
  }
  const size_t exchange = next;
  next = exactly(text, exchange, 3);
  if (next == npos) return npos;
  const char second = at(text, next++);
  if (!is_separator(second) || (first != '(' && first != ' ' && first != second)) return npos;
  if (first == ' ' && second != '-') return npos;
  const size_t line = next;
  next = exactly(text, line, 4);
  if (next == npos) return npos;
  const char digits[6] = {text[area],     text[area + 1],     text[area + 2],
                          text[exchange], text[exchange + 1], text[exchange + 2]};
  return plausible_american(digits) ? next : npos;
}

bool behind_phone_word(std::string_view text, size_t i) {
  static constexpr std::string_view kWords[] = {
      "tel",     "telephone", "phone",    "phones",  "ph",       "fax",     "call",
      "cell",    "mobile",    "mob",      "telefon", "telefax",  "tlf",     "whatsapp",
      "hotline", "helpline",  "telefono", "viber",   "landline", "tollfree"};
  static constexpr std::string_view kFillers[] = {"no",  "nr", "number", "us", "at",  "on",
                                                  "num", "me", "is",     "or", "free"};
  const WordsBefore words = words_before(text, i, 3);
  for (size_t k = 0; k < words.count; ++k) {
    for (const std::string_view word : kWords) {
      if (words.word[k] == word) return true;
    }
    bool filler = false;
    for (const std::string_view word : kFillers) filler = filler || words.word[k] == word;
    if (!filler) return false;
  }
  return false;
}

// No digit between the word and the number, which would be its own.
bool follows_directly(std::string_view text, size_t i) {
  size_t k = i;
  while (k > 0 && i - k < 32 && !is_letter(text[k - 1])) {
    if (is_digit(text[k - 1])) return false;
    --k;
  }
  return true;
}

// Years and dates are not numbers to call, whatever stands before them.
bool looks_like_a_date(const Groups& read) {
  const char* d = read.digits.data();
  const bool year = (d[0] == '1' && d[1] == '9') || (d[0] == '2' && d[1] == '0');
  return read.count == 8 && read.groups == 3 && (year || read.longest == 4);
}

size_t cued_end(std::string_view text, size_t begin) {
  if (!behind_phone_word(text, begin) || !follows_directly(text, begin)) return npos;
  const Groups read = read_groups(text, begin);
  if (read.end == npos || read.count < 7 || read.count > 15 || looks_like_a_date(read)) return npos;
  if (read.dots && read.spaces) return npos;
  return read.end;
}

// A short branch number behind: " x123", " ext. 123".
size_t with_extension(std::string_view text, size_t end) {
  size_t i = end;
  if (at(text, i) == ',') ++i;
  if (at(text, i) == ' ') ++i;
  for (const std::string_view word : {"extension", "ext.", "ext", "x"}) {
    if (text.substr(i, word.size()) != word) continue;
    i += word.size();
    if (at(text, i) == ' ') ++i;
    const size_t begin = i;
    while (is_digit(at(text, i)) && i - begin < 6) ++i;
    return i > begin && !is_alnum(at(text, i)) ? i : end;
  }
  return end;
}

// i: the first digit of a run.
size_t look_at(std::string_view text, size_t i, Spans& spans) {
  size_t begin = i;
  if (before(text, begin) == '(') --begin;
  size_t end = npos;
  if (before(text, begin) == '+') {
    const Groups read = read_groups(text, begin);
    --begin;
    if (read.end != npos && plausible_international(read)) end = read.end;
  } else {
    end = american_end(text, begin);
    if (end == npos || !ends_cleanly(text, end)) end = cued_end(text, begin);
  }
  if (end == npos || !begins_cleanly(text, begin)) return i + 1;
  end = with_extension(text, end);
  if (!ends_cleanly(text, end)) return i + 1;
  spans.push_back({begin, end, PiiKind::kPhone});
  return end;
}

}  // namespace

void find_phones(std::string_view text, Spans& spans) {
  size_t resume = 1;
  if (!text.empty() && is_digit(text[0])) resume = look_at(text, 0, spans);
  each_candidate(
      text,
      [](__m128i left, __m128i here, __m128i) {
        return _mm_andnot_si128(detail::digits(left), detail::digits(here));
      },
      [&](size_t i) { return i < resume ? i + 1 : look_at(text, i, spans); });
}

}  // namespace llmtool::pii
