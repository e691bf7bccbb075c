#include "lib/corpus/classify/letters.h"

#include <algorithm>
#include <cstdint>
#include <utf8proc.h>
#include <vector>

#include "lib/base/error.h"
#include "lib/text/code_points.h"

namespace llmtool {
namespace {

constexpr uint32_t kTabled = 0x10000;
constexpr size_t kPieces = 4;  // of an excerpt
constexpr std::pair<TextForm, std::string_view> kForms[] = {
    {TextForm::kPlain, "plain"}, {TextForm::kLetters, "letters"}, {TextForm::kJoined, "joined"}};

bool is_tail(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
}

// What a code point becomes; 0 if it is no letter.
uint32_t letter(uint32_t c) {
  const utf8proc_category_t category = utf8proc_category(static_cast<utf8proc_int32_t>(c));
  const bool is_letter = category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_ME;
  return is_letter ? static_cast<uint32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c))) : 0;
}

// letter() of the first plane.
const uint32_t* letter_table() {
  static const std::vector<uint32_t> table = [] {
    std::vector<uint32_t> all(kTabled);
    for (uint32_t c = 0; c < kTabled; ++c) all[c] = letter(c);
    return all;
  }();
  return table.data();
}

// Writes the code point; there is room for four bytes.
char* put(char* to, uint32_t c) {
  if (c < 0x80) {
    *to++ = static_cast<char>(c);
  } else if (c < 0x800) {
    *to++ = static_cast<char>(0xC0 | c >> 6);
    *to++ = static_cast<char>(0x80 | (c & 0x3F));
  } else {
    if (c < 0x10000) {
      *to++ = static_cast<char>(0xE0 | c >> 12);
    } else {
      *to++ = static_cast<char>(0xF0 | c >> 18);
      *to++ = static_cast<char>(0x80 | (c >> 12 & 0x3F));
    }
    *to++ = static_cast<char>(0x80 | (c >> 6 & 0x3F));
    *to++ = static_cast<char>(0x80 | (c & 0x3F));
  }
  return to;
}

size_t prepare_letters(std::string_view text, std::string& out) {
  const uint32_t* table = letter_table();
  // A lower-case form is at most one byte longer than its capital (U+023A, two bytes to three).
  out.resize(text.size() + text.size() / 2 + 8);
  char* to = out.data();
  size_t letters = 0, at = 0;
  bool space = true;
  while (at < text.size()) {
    const auto byte = static_cast<unsigned char>(text[at]);
    uint32_t c = byte;
    if (byte < 0x80) {
      ++at;
      c = table[byte];
    } else {
      c = next_code_point(text, at);
      c = c < kTabled ? table[c] : letter(c);
    }
    if (c != 0) {
      to = put(to, c);
      ++letters;
      space = false;
    } else if (!space) {
      *to++ = ' ';
      space = true;
    }
  }
  out.resize(static_cast<size_t>(to - out.data()));
  return letters;
}

}  // namespace

TextForm text_form(std::string_view name) {
  for (const auto& [form, known] : kForms) {
    if (known == name) return form;
  }
  fail(Fault::kUsage, concat("'", name, "' is no way to prepare a text"),
       "there are plain, letters and joined");
}

std::string_view name_of(TextForm form) {
  return std::ranges::find(kForms, form, &std::pair<TextForm, std::string_view>::first)->second;
}

void prepare_text(std::string_view text, TextForm form, std::string& out, size_t* letters) {
  if (form == TextForm::kLetters) {
    const size_t count = prepare_letters(text, out);
    if (letters != nullptr) *letters = count;
    return;
  }
  out = text;
  if (form == TextForm::kPlain) {
    std::ranges::replace(out, '\n', ' ');
  } else {
    std::erase(out, '\n');
  }
}

bool has_letters(std::string_view text, size_t count) {
  const uint32_t* table = letter_table();
  size_t at = 0;
  while (count > 0 && at < text.size()) {
    const uint32_t c = next_code_point(text, at);
    count -= (c < kTabled ? table[c] : letter(c)) != 0;
  }
  return count == 0;
}

std::string_view excerpt_of(std::string_view text, size_t bytes, std::string& excerpt) {
  if (bytes == 0 || text.size() <= bytes) return text;
  excerpt.clear();
  const size_t piece = bytes / kPieces;
  for (size_t i = 0; i < kPieces; ++i) {
    size_t begin = text.size() / kPieces * i;
    while (begin < text.size() && is_tail(text[begin])) ++begin;
    const std::string_view rest = text.substr(begin);
    size_t end = std::min(piece, rest.size());
    while (end > piece / 2 && static_cast<unsigned char>(rest[end]) > ' ') --end;
    if (end <= piece / 2) end = std::min(piece, rest.size());
    while (end > 0 && end < rest.size() && is_tail(rest[end])) --end;
    excerpt.append(rest.substr(0, end)).push_back('\n');
  }
  return excerpt;
}

}  // namespace llmtool
