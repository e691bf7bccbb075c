#include "lib/corpus/extract/gutenberg.h"

#include <array>
#include <vector>

#include "lib/corpus/extract/plain_text.h"

namespace llmtool {

namespace {

constexpr std::array<std::string_view, 8> kStarts = {
    "start of the project gutenberg",
    "start of this project gutenberg",
    "start of project gutenberg",
    "start of the copyrighted project gutenberg",
    "start of this copyrighted project gutenberg",
    "start of the projekt gutenberg",
    "end the small print",
    "end of the small print",
};
constexpr std::array<std::string_view, 14> kEnds = {
    "end of the project gutenberg",
    "end of this project gutenberg",
    "end of project gutenberg",
    "end of the copyrighted project gutenberg",
    "end of this copyrighted project gutenberg",
    "end of the projekt gutenberg",
    "end of this is copyrighted",
    "ende dieses project gutenberg",
    "ende dieses projekt gutenberg",
    "ende diese project gutenberg",
    "ende diese projekt gutenberg",
    "ende dieses etextes",
    "fin de project gutenberg",
    "fin du project gutenberg",
};
constexpr std::string_view kCopyrightedEnd =
    "this is a copyrighted project gutenberg etext details above";
constexpr std::array<std::string_view, 17> kMakers = {
    "produced by",
    "e text prepared by",
    "etext prepared by",
    "this etext was prepared by",
    "this etext was produced by",
    "this e text was prepared by",
    "this e text was produced by",
    "this ebook was prepared by",
    "this ebook was produced by",
    "this ebook was transcribed by",
    "this project gutenberg etext was prepared by",
    "transcribed from the",
    "transcribed by",
    "scanned by",
    "scanned and proofed by",
    "html version by",
    "this file was produced from images",
};
constexpr std::array<std::string_view, 6> kNotes = {
    "transcriber s note", "transcribers note",     "transcriber note",
    "transcription note", "note de transcription", "notes de transcription",
};

// Letters and digits in lower case, one space between words; no more than 80 bytes.
std::string canonical(std::string_view line) {
  std::string out;
  for (const char c : line) {
    if (out.size() >= 80) break;
    const char lower = ascii_lower(c);
    const bool letter = is_ascii_letter(lower) || is_ascii_digit(lower);
    if (letter) {
      out += lower;
    } else if (!out.empty() && out.back() != ' ') {
      out += ' ';
    }
  }
  return out;
}

template <size_t N>
bool begins_with_any(std::string_view text, const std::array<std::string_view, N>& prefixes) {
  for (const std::string_view prefix : prefixes) {
    if (text.starts_with(prefix)) return true;
  }
  return false;
}

struct Bounds {
  size_t begin = 0, end = 0;
  bool start_found = false, end_found = false;
};

// A marker needs one of these letters pairs; most lines are done with after a look at the front.
bool may_be_marker(std::string_view line) {
  size_t i = 0;
  while (i < line.size() && !is_ascii_letter(line[i])) ++i;
  if (i == line.size()) return false;
  const char c = ascii_lower(line[i]);
  return c == 's' || c == 'e' || c == 'f' || c == 't';
}

Bounds find_bounds(std::string_view text) {
  Bounds bounds{.end = text.size()};
  for_each_line(text, [&](std::string_view line) {
    if (bounds.end_found || !may_be_marker(line)) return;
    const std::string words = canonical(line);
    const size_t at = static_cast<size_t>(line.data() - text.data());
    if (begins_with_any(words, kStarts) && (at <= text.size() / 2 || !bounds.start_found)) {
      bounds.begin = std::min(text.size(), at + line.size() + 1);
      bounds.start_found = true;
    } else if (begins_with_any(words, kEnds) ||
               (at >= text.size() / 10 * 9 && words.starts_with(kCopyrightedEnd))) {
      bounds.end = at;
      bounds.end_found = true;
    }
  });
  return bounds;
}

void read_header(std::string_view header, GutenbergBook& book) {
  for_each_line(header, [&](std::string_view line) {
    const auto take = [&](std::string_view key, std::string& value) {
      if (value.empty() && line.starts_with(key)) value = trimmed(line.substr(key.size()));
    };
    take("Title:", book.title);
    take("Author:", book.author);
    take("Language:", book.language);
  });
}

std::vector<std::string_view> paragraphs(std::string_view text) {
  std::vector<std::string_view> all;
  while (!text.empty()) {
    const size_t end = text.find("\n\n");
    if (end != 0) all.push_back(text.substr(0, end));
    if (end == text.npos) break;
    text.remove_prefix(end + 2);
    while (text.starts_with("\n")) text.remove_prefix(1);
  }
  return all;
}

// Whether the paragraph goes; `in_note`: inside a bracketed note that has not ended.
bool is_apparatus(std::string_view paragraph, size_t number, bool& in_note) {
  if (in_note) {
    in_note = paragraph.find(']') == paragraph.npos;
    return true;
  }
  const std::string words = canonical(paragraph);
  const size_t skip = words.starts_with(' ') ? 1 : 0;
  const std::string_view front = std::string_view(words).substr(skip);
  if (begins_with_any(front, kNotes)) {
    in_note = paragraph.front() == '[' && paragraph.find(']') == paragraph.npos;
    return true;
  }
  return number < 10 && begins_with_any(front, kMakers);
}

bool is_prose(const std::vector<std::string_view>& lines) {
  if (lines.size() < 2) return false;
  for (size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].empty() || lines[i].front() == ' ' || lines[i].front() == '\t') return false;
    if (i + 1 < lines.size() && lines[i].size() < 45) return false;
  }
  return true;
}

}  // namespace

std::string_view gutenberg_charset(std::string_view bytes) {
  constexpr std::string_view kLine = "Character set encoding:";
  const std::string_view head = bytes.substr(0, 16384);
  const size_t at = head.find(kLine);
  if (at == head.npos) return {};
  const size_t begin = at + kLine.size();
  const std::string_view label =
      trimmed(head.substr(begin, std::min(head.find('\n', begin), head.size()) - begin));
  return label == "ISO Latin-1" ? "latin1" : label;
}

std::string rejoin_paragraphs(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const std::string_view paragraph : paragraphs(text)) {
    if (!out.empty()) out += "\n\n";
    std::vector<std::string_view> lines;
    for_each_line(paragraph, [&](std::string_view line) { lines.push_back(line); });
    const bool prose = is_prose(lines);
    for (size_t i = 0; i < lines.size(); ++i) {
      const bool after_hyphen = i > 0 && lines[i - 1].size() > 1 && lines[i - 1].back() == '-' &&
                                is_ascii_letter(lines[i - 1][lines[i - 1].size() - 2]);
      if (i > 0 && !(prose && after_hyphen)) out += prose ? ' ' : '\n';
      out += lines[i];
    }
  }
  return out;
}

GutenbergBook extract_gutenberg(std::string_view text, const GutenbergOptions& options) {
  const Bounds bounds = find_bounds(text);
  GutenbergBook book;
  book.start_found = bounds.start_found;
  book.end_found = bounds.end_found;
  if (bounds.start_found) read_header(text.substr(0, bounds.begin), book);
  if (options.require_markers && !bounds.start_found && !bounds.end_found) return book;
  const size_t end = std::max(bounds.begin, bounds.end);
  bool in_note = false;
  size_t number = 0;
  for (const std::string_view paragraph :
       paragraphs(text.substr(bounds.begin, end - bounds.begin))) {
    if (is_apparatus(paragraph, number++, in_note)) continue;
    if (!book.text.empty()) book.text += "\n\n";
    book.text += paragraph;
  }
  if (options.rejoin) book.text = rejoin_paragraphs(book.text);
  while (!book.text.empty() && is_ascii_space(book.text.back())) book.text.pop_back();
  while (book.text.starts_with('\n')) book.text.erase(0, 1);
  return book;
}

}  // namespace llmtool
