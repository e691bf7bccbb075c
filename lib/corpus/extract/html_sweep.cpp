#include "lib/corpus/extract/html_sweep.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "lib/corpus/extract/html_entities.h"
#include "lib/corpus/extract/plain_text.h"

namespace llmtool {

namespace {

constexpr size_t kPiece = 16 << 10;
constexpr size_t kLongestName = 16;  // of an element that tag_of() knows
constexpr size_t kLongestTitle = 1000;

bool equals_lower(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (ascii_lower(text[i]) != lower[i]) return false;
  }
  return true;
}

// Characters of text that are not copied as they are.
constexpr std::array<bool, 256> kSpecial = [] {
  std::array<bool, 256> special{};
  for (size_t c = 0; c < 0x20; ++c) special[c] = true;
  for (const char c : {'\n', '\t', '\r', '\f'}) special[static_cast<size_t>(c)] = false;
  special['&'] = special['>'] = special['<'] = special[0x7F] = true;
  return special;
}();

void append_escaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '&') {
      out += "&amp;";
    } else if (!kSpecial[static_cast<unsigned char>(c)]) {
      out += c;
    }
  }
}

std::string one_line(std::string_view text) {
  std::string out;
  for (const char c : without_references(text.substr(0, kLongestTitle))) {
    if (!is_ascii_space(c) && static_cast<unsigned char>(c) >= 0x20) {
      out += c;
    } else if (!out.empty() && out.back() != ' ') {
      out += ' ';
    }
  }
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

bool hides(std::string_view style) {
  for (size_t i = style.find("display"); i != style.npos; i = style.find("display", i + 1)) {
    std::string_view rest = trimmed(style.substr(i + 7));
    if (!rest.starts_with(':')) continue;
    if (trimmed(rest.substr(1)).starts_with("none")) return true;
  }
  return false;
}

bool is_html5_block(Tag tag) {
  return is_block(tag) && tag != Tag::kParagraph && std::string_view(html4_name(tag)) == "div";
}

}  // namespace

HtmlSweep::HtmlSweep(std::string_view page) : page_(page) {}

bool HtmlSweep::next(std::string& out) {
  const size_t limit = out.size() + kPiece;
  while (at_ < page_.size() && out.size() < limit) {
    const size_t end = std::min({page_.find('<', at_), page_.size(), at_ + kPiece});
    text(page_.substr(at_, end - at_), out);
    at_ = end;
    if (at_ < page_.size() && page_[at_] == '<') markup(out);
  }
  return at_ < page_.size();
}

void HtmlSweep::text(std::string_view piece, std::string& out) {
  size_t i = 0;
  while (i < piece.size()) {
    const size_t from = i;
    while (i < piece.size() && !kSpecial[static_cast<unsigned char>(piece[i])]) ++i;
    out += piece.substr(from, i - from);
    if (i == piece.size()) break;
    size_t used = 0;
    if (piece[i] == '&') {
      std::string reference;
      used = append_character_reference(reference, piece.substr(i, 40));
      append_escaped(out, used == 0 ? "&" : std::string_view(reference));
    } else {
      append_escaped(out, piece.substr(i, 1));
    }
    i += std::max<size_t>(used, 1);
  }
}

// At a '<'.
void HtmlSweep::markup(std::string& out) {
  const std::string_view rest = page_.substr(at_);
  const auto skip_to = [&](std::string_view end, size_t from) {
    const size_t found = page_.find(end, at_ + from);
    at_ = found == page_.npos ? page_.size() : found + end.size();
  };
  if (rest.starts_with("<!--")) {
    if (rest.starts_with("<!-->")) {
      at_ += 5;
    } else {
      skip_to("-->", 4);
    }
    return;
  }
  if (rest.size() > 1 && (rest[1] == '!' || rest[1] == '?')) return skip_to(">", 1);
  const bool closing = rest.size() > 1 && rest[1] == '/';
  const size_t begin = closing ? 2 : 1;
  if (rest.size() <= begin || !is_ascii_letter(rest[begin])) {
    ++at_;
    if (closing) return skip_to(">", 0);
    out += "&lt;";
    return;
  }
  std::array<char, kLongestName> buffer;
  size_t length = 0;
  while (begin + length < rest.size()) {
    const char c = rest[begin + length];
    if (is_ascii_space(c) || c == '>' || c == '/') break;
    if (length < kLongestName) buffer[length] = ascii_lower(c);
    ++length;
  }
  const std::string_view name(buffer.data(), std::min(length, kLongestName));
  const Tag tag = length > kLongestName ? Tag::kPlain : tag_of(name);
  at_ += begin + length;
  ++tags_;
  if (closing) {
    end_tag(tag, out);
    skip_to(">", 0);
  } else {
    start_tag(tag, name, out);
  }
}

void HtmlSweep::start_tag(Tag tag, std::string_view name, std::string& out) {
  const Attributes a = attributes(tag);
  switch (tag) {
    case Tag::kPlain:
      return;
    case Tag::kDocument:
      if (language_.empty()) language_ = one_line(a.lang.substr(0, 35));
      return;
    case Tag::kMeta:
      return take_meta(a);
    case Tag::kRaw:
      out += ' ';
      return skip_raw(name);
    case Tag::kDropped:
      out += ' ';
      return skip_dropped(name);
    case Tag::kTitle: {
      const size_t from = at_;
      skip_raw(name);
      const std::string_view inside = page_.substr(from, at_ - from);
      if (title_.empty() || og_title_) title_ = one_line(inside.substr(0, inside.rfind('<')));
      og_title_ = false;
      return;
    }
    default:
      open(tag, a, out);
  }
}

void HtmlSweep::open(Tag tag, const Attributes& a, std::string& out) {
  if (tag == Tag::kSpan) {
    const bool given = (a.hints & (kHintHidden | kHintComments | kHintBoilerplate)) != 0;
    if (spans_.size() < 10000) spans_.push_back(given);
    if (!given) return;
  }
  if (is_html5_block(tag) && paragraph_open_) out += "</p>";
  if (is_block(tag)) paragraph_open_ = tag == Tag::kParagraph;
  const char* name = html4_name(tag);
  out += '<';
  out += name;
  const bool plain = a.hints == 0 && a.href.empty() && tag_of(name) == tag;
  if (!plain) {
    std::array<char, 16> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), elements_.size());
    out += " a=";
    out.append(digits.data(), end.ptr);
    elements_.push_back({tag, a.hints, a.href});
  }
  out += '>';
}

void HtmlSweep::end_tag(Tag tag, std::string& out) {
  if (tag == Tag::kBreak) {  // </br> is <br>
    out += "<br>";
    return;
  }
  if (tag >= Tag::kPlain || tag == Tag::kRule) return;
  if (tag == Tag::kSpan) {
    if (spans_.empty()) return;
    const bool given = spans_.back();
    spans_.pop_back();
    if (!given) return;
  }
  if (is_block(tag)) paragraph_open_ = false;
  out += "</";
  out += html4_name(tag);
  out += '>';
}

void HtmlSweep::skip_spaces() {
  while (at_ < page_.size() && (is_ascii_space(page_[at_]) || page_[at_] == '/')) ++at_;
}

std::string_view HtmlSweep::attribute_value() {
  while (at_ < page_.size() && is_ascii_space(page_[at_])) ++at_;
  if (at_ >= page_.size() || page_[at_] != '=') return {};
  ++at_;
  while (at_ < page_.size() && is_ascii_space(page_[at_])) ++at_;
  if (at_ >= page_.size()) return {};
  const char quote = page_[at_];
  const size_t from = quote == '"' || quote == '\'' ? at_ + 1 : at_;
  size_t end = from;
  if (from > at_) {
    end = std::min(page_.find(quote, from), page_.size());
    at_ = std::min(end + 1, page_.size());
  } else {
    while (end < page_.size() && !is_ascii_space(page_[end]) && page_[end] != '>') ++end;
    at_ = end;
  }
  return page_.substr(from, end - from);
}

// Up to and with the '>' of the tag.
HtmlSweep::Attributes HtmlSweep::attributes(Tag tag) {
  Attributes a;
  while (true) {
    skip_spaces();
    if (at_ >= page_.size()) return a;
    if (page_[at_] == '>') break;
    const size_t from = at_;
    ++at_;  // whatever it is, a name has at least one character
    while (at_ < page_.size() && !is_ascii_space(page_[at_]) && page_[at_] != '=' &&
           page_[at_] != '>' && page_[at_] != '/') {
      ++at_;
    }
    const std::string_view key = page_.substr(from, at_ - from);
    const std::string_view value = attribute_value();
    note_attribute(a, tag, key, value);
  }
  ++at_;
  constexpr Hints kGood = kHintMain;
  if ((a.hints & kGood) != 0) a.hints &= static_cast<Hints>(~(kHintBoilerplate | kHintHeader));
  return a;
}

void HtmlSweep::note_attribute(Attributes& a, Tag tag, std::string_view key,
                               std::string_view value) {
  const auto is = [&](std::string_view name) { return equals_lower(key, name); };
  switch (ascii_lower(key[0])) {
    case 'c':
      if (is("class")) a.hints |= hints_of_name(value);
      if (is("content")) a.content = value;
      break;
    case 'i':
      if (is("id")) a.hints |= hints_of_name(value);
      if (is("itemprop") && equals_lower(value, "articlebody")) a.hints |= kHintMain;
      break;
    case 'r':
      if (is("role")) a.hints |= hints_of_role(value);
      break;
    case 'h':
      if (is("hidden")) a.hints |= kHintHidden;
      if (is("href") && tag == Tag::kLink && !value.empty() && value[0] != '#') {
        a.hints |= kHintTarget;
        a.href = value;
      }
      break;
    case 'a':
      if (is("aria-hidden") && equals_lower(value, "true")) a.hints |= kHintHidden;
      break;
    case 's':
      if (is("style") && hides(value.substr(0, 1000))) a.hints |= kHintHidden;
      break;
    case 'l':
      if (is("lang")) a.lang = value;
      break;
    case 'n':
      if (is("name")) a.name = value;
      break;
    case 'p':
      if (is("property")) a.property = value;
      break;
    default:
      break;
  }
}

void HtmlSweep::take_meta(const Attributes& a) {
  if (title_.empty() && equals_lower(a.property, "og:title")) {
    title_ = one_line(a.content);
    og_title_ = true;
  }
  if (description_.empty() &&
      (equals_lower(a.name, "description") || equals_lower(a.property, "og:description"))) {
    description_ = one_line(a.content);
  }
}

// Behind the end tag of this name.
void HtmlSweep::skip_raw(std::string_view name) {
  while (at_ < page_.size()) {
    const size_t found = page_.find("</", at_);
    if (found == page_.npos) break;
    at_ = found + 2;
    const std::string_view rest = page_.substr(at_, name.size() + 1);
    if (rest.size() > name.size() && !is_ascii_letter(rest.back()) &&
        equals_lower(rest.substr(0, name.size()), name)) {
      const size_t end = page_.find('>', at_);
      at_ = end == page_.npos ? page_.size() : end + 1;
      return;
    }
  }
  at_ = page_.size();
}

// Behind the end tag that belongs to this one; elements of the same name may be inside.
void HtmlSweep::skip_dropped(std::string_view name) {
  if (at_ >= 2 && page_[at_ - 2] == '/' && (name == "svg" || name == "object")) return;
  if (std::find(unclosed_.begin(), unclosed_.end(), name) != unclosed_.end()) return;
  const size_t start = at_;
  for (int depth = 1; depth > 0;) {
    at_ = std::min(page_.find('<', at_), page_.size());
    if (at_ >= page_.size()) {  // never closed: it was no container; and no second look
      unclosed_.emplace_back(name);
      at_ = start;
      return;
    }
    if (page_.substr(at_, 4) == "<!--") {
      const size_t end = page_.find("-->", at_ + 4);
      at_ = end == page_.npos ? page_.size() : end + 3;
      continue;
    }
    ++at_;
    const bool closing = at_ < page_.size() && page_[at_] == '/';
    if (closing) ++at_;
    const std::string_view rest = page_.substr(at_, name.size() + 1);
    if (rest.size() <= name.size() || is_ascii_letter(rest.back()) ||
        !equals_lower(rest.substr(0, name.size()), name)) {
      continue;
    }
    depth += closing ? -1 : 1;
    at_ = std::min(page_.find('>', at_), page_.size());
    if (at_ < page_.size()) ++at_;
  }
}

}  // namespace llmtool
