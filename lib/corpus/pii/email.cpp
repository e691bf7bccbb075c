#include <cstring>

#include "lib/corpus/pii/scan.h"

namespace llmtool::pii {
namespace {

constexpr size_t kMaxLocal = 64, kMaxDomain = 253;  // RFC 5321, 4.5.3.1

bool is_atext(char c) {
  constexpr std::string_view kMarks = "!#$%&'*+-/=?^_`{|}~";
  return is_alnum(c) || (c != '\0' && kMarks.find(c) != kMarks.npos);
}

// The length of the Latin letter (U+00C0 to U+024F, two bytes) that ends before i, else 0.
size_t latin_letter_before(std::string_view text, size_t i) {
  if (i < 2) return 0;
  const auto lead = static_cast<uint8_t>(text[i - 2]);
  const auto trail = static_cast<uint8_t>(text[i - 1]);
  if (lead < 0xc3 || lead > 0xc9 || (trail & 0xc0) != 0x80) return 0;
  return 2;
}

// Where the local part that ends before `at_sign` begins; at_sign if there is none. Signs that open
// a quote or a bracket, or assign, do not begin it, though RFC 5322 would let them.
size_t local_begin(std::string_view text, size_t at_sign, size_t floor) {
  size_t i = at_sign;
  while (i > floor && at_sign - i < kMaxLocal) {
    const char c = text[i - 1];
    const size_t latin = latin_letter_before(text, i);
    if (latin > 0 && i - latin >= floor) {
      i -= latin;
    } else if (is_atext(c) || (c == '.' && i < at_sign && text[i] != '.')) {
      --i;
    } else {
      break;
    }
  }
  while (i < at_sign && !is_alnum(text[i]) && static_cast<uint8_t>(text[i]) < 0x80 &&
         text[i] != '_' && text[i] != '+') {
    ++i;
  }
  // name=value@... and mailto-like "to=a@b": the address begins behind the last such sign.
  for (size_t j = at_sign; j > i; --j) {
    if (text[j - 1] == '=' || text[j - 1] == '/' || text[j - 1] == '?' || text[j - 1] == '|') {
      return j;
    }
  }
  return i;
}

// Behind the last label of the domain that begins at i, or npos. The top-level domain has only
// letters, or begins with "xn--".
size_t domain_end(std::string_view text, size_t i) {
  const size_t begin = i;
  size_t end = std::string_view::npos;
  for (bool first = true; i - begin <= kMaxDomain; first = false) {
    const size_t label = i;
    bool letters = true;
    while (i - label < 64 && (is_alnum(at(text, i)) || (at(text, i) == '-' && i > label))) {
      letters = letters && is_letter(text[i]);
      ++i;
    }
    size_t label_end = i;
    while (label_end > label && text[label_end - 1] == '-') --label_end;
    const std::string_view name = text.substr(label, label_end - label);
    if (name.empty() || name.size() > 63) break;
    const bool top = (letters && name.size() >= 2) || name.substr(0, 4) == "xn--";
    if (!first && top) end = label_end;
    if (label_end != i || at(text, i) != '.') break;
    ++i;
  }
  return end;
}

// user@2x.png: a name of a picture.
bool is_picture(std::string_view domain) {
  return domain.size() > 3 && is_digit(domain[0]) && domain[1] == 'x' && domain[2] == '.';
}

// "git@host:path" and "scheme://user@host" and "scheme://user:password@host".
bool is_user_of_host(std::string_view text, size_t begin, size_t at_sign, size_t end) {
  const char next = at(text, end);
  const char after = at(text, end + 1);
  if (next == ':' && text.substr(begin, at_sign - begin) == "git") return true;
  if (next == ':' && (is_letter(after) || after == '~')) return true;
  size_t i = begin;
  while (
      i > 0 && begin - i < 64 &&
      (is_alnum(text[i - 1]) || text[i - 1] == ':' || text[i - 1] == '-' || text[i - 1] == '_')) {
    --i;
  }
  return i >= 3 && text.substr(i - 2, 2) == "//" && text[i - 3] == ':';
}

}  // namespace

void find_emails(std::string_view text, Spans& spans) {
  size_t floor = 0;
  for (size_t i = text.find('@'); i != text.npos; i = text.find('@', i + 1)) {
    const size_t end = domain_end(text, i + 1);
    if (end == text.npos) continue;
    const size_t begin = local_begin(text, i, floor);
    if (begin == i || text[i - 1] == '.') continue;
    if (is_picture(text.substr(i + 1, end - i - 1)) || is_user_of_host(text, begin, i, end)) {
      continue;
    }
    spans.push_back({begin, end, PiiKind::kEmail});
    floor = end;
  }
}

}  // namespace llmtool::pii
