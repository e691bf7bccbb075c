#include "lib/corpus/extract/wikitext.h"

#include <algorithm>
#include <array>

#include "lib/corpus/extract/html_entities.h"
#include "lib/corpus/extract/plain_text.h"
#include "lib/corpus/extract/wikitext_spans.h"
#include "lib/text/utf8.h"

namespace llmtool {

namespace {

using Kind = WikiSpan::Kind;

// Namespaces of files and categories, in lower case where that is ASCII.
constexpr std::string_view kUnseen =
    "|file|image|media|category|datei|bild|kategorie|fichier|catégorie|archivo|imagen|categoría|"
    "immagine|categoria|ficheiro|imagem|arquivo|bestand|afbeelding|categorie|plik|grafika|"
    "kategoria|Файл|Изображение|Категория|Зображення|Категорія|fil|kategori|billede|bilde|soubor|"
    "fájl|kép|kategória|fișier|imagine|Датотека|Слика|Категорија|datoteka|slika|kategorija|"
    "fitxer|dosya|tiedosto|kuva|luokka|ファイル|画像|カテゴリ|文件|图像|分类|檔案|圖像|分類|파일|"
    "분류|ملف|تصنيف|پرونده|رده|קובץ|קטגוריה|tập tin|hình|thể loại|berkas|dosiero|kategorio|pilt|"
    "kategooria|Αρχείο|Κατηγορία|vaizdas|attēls|fitxategi|चित्र|श्रेणी|ไฟล์|หมวดหมู่|файл|категория|"
    "изображение|категорія|";

// Templates that only dress their last argument.
constexpr std::string_view kTransparent =
    "|lang|langue|lang-en|langx|nowrap|nobr|nobreak|nowrap begin|small|smallcaps|sc|abbr|avoid "
    "wrap|"
    "formatnum|transl|transliteration|script|noitalic|";

bool is_in(std::string_view list, std::string_view name) {
  if (name.empty() || name.size() > 40) return false;
  std::string wanted = "|";
  for (const char c : name) wanted += c == '_' ? ' ' : ascii_lower(c);
  wanted += '|';
  return list.find(wanted) != list.npos;
}

bool is_language_code(std::string_view s) {
  const std::string_view first = s.substr(0, s.find('-'));
  if (s == "simple") return true;
  return first.size() >= 2 && first.size() <= 3 && s.size() <= 12 &&
         std::all_of(s.begin(), s.end(), [](char c) { return (c >= 'a' && c <= 'z') || c == '-'; });
}

// The next of some characters; asked for at places that never fall, it reads the text once.
class NextOf {
 public:
  explicit NextOf(const char* characters) : characters_(characters) {}
  // text.size() if there is none.
  size_t find(std::string_view text, size_t from) {
    if (!known_ || found_ < from)
      found_ = std::min(text.find_first_of(characters_, from), text.size());
    known_ = true;
    return found_;
  }

 private:
  const char* characters_;
  size_t found_ = 0;
  bool known_ = false;
};

class Stripper {
 public:
  Stripper(std::string_view markup, const WikitextOptions& options)
      : s_(markup), options_(options), spans_(find_wiki_spans(markup)) {}

  std::string run() {
    line_start();
    while (at_ < s_.size()) step();
    return std::move(out_);
  }

 private:
  void step() {
    while (next_ < spans_.size() && spans_[next_].begin < at_) ++next_;
    if (next_ < spans_.size() && spans_[next_].begin == at_) return span(spans_[next_++]);
    const char c = s_[at_];
    if (!skip_marks_.empty() && skip_marks_.back().first == at_) {
      at_ = skip_marks_.back().second;
      skip_marks_.pop_back();
      return;
    }
    switch (c) {
      case '\n':
        out_ += '\n';
        ++at_;
        line_start();
        break;
      case '\'':
        quotes();
        break;
      case '&': {
        const size_t used = append_character_reference(out_, s_.substr(at_, 40));
        if (used == 0) out_ += '&';
        at_ += std::max<size_t>(used, 1);
        break;
      }
      case '<':
        tag();
        break;
      case '[':
        outer_link();
        break;
      case '|':
      case '!':
        cell_mark();
        break;
      case '_':
        magic_word();
        break;
      default:
        plain();
    }
  }

  void plain() {
    const size_t from = at_++;
    const size_t mark = skip_marks_.empty() ? s_.size() : skip_marks_.back().first;
    size_t stop = std::min(s_.find_first_of("\n'&<[_{}|!]", at_), s_.size());
    stop = std::max(std::min(stop, mark), at_);
    out_ += s_.substr(from, stop - from);
    at_ = stop;
  }

  // ---- Spans ----

  void span(const WikiSpan& span) {
    switch (span.kind) {
      case Kind::kDrop:
        drop(span);
        break;
      case Kind::kLiteral:
        out_ += without_references(s_.substr(span.inner_begin, span.inner_end - span.inner_begin));
        at_ = span.end;
        break;
      case Kind::kTemplate:
        if (!transparent(span)) drop(span);
        break;
      case Kind::kTable:
        table(span);
        break;
      case Kind::kLink:
        link(span);
        break;
    }
  }

  // What goes leaves no line behind that held nothing else, and no space before a full stop.
  void drop(const WikiSpan& span) {
    at_ = span.end;
    const bool alone = out_.empty() || out_.back() == '\n';
    const char next = at_ < s_.size() ? s_[at_] : '\n';
    const bool closes = std::string_view(" .,;:)\n").find(next) != std::string_view::npos;
    if (!alone && out_.back() == ' ' && closes) out_.pop_back();
    if (alone && at_ < s_.size() && s_[at_] == '\n') ++at_;
    if (alone) line_start();
  }

  bool transparent(const WikiSpan& span) {
    const std::string_view inner = s_.substr(span.inner_begin, span.inner_end - span.inner_begin);
    if (inner.size() > 300) return false;
    const size_t bar = inner.find('|');
    const std::string_view name = trimmed(inner.substr(0, bar));
    if (bar == inner.npos || !(is_in(kTransparent, name) || name.starts_with("lang-")))
      return false;
    const size_t last = inner.rfind('|');
    const std::string_view text = inner.substr(last + 1);
    if (text.find("{{") != text.npos || text.find("[[") != text.npos ||
        text.find('=') != text.npos) {
      return false;
    }
    at_ = span.inner_begin + last + 1;
    skip_to(span.inner_end, span.end);
    return true;
  }

  // When `from` is reached, goes on at `to`.
  void skip_to(size_t from, size_t to) { skip_marks_.push_back({from, to}); }

  void table(const WikiSpan& span) {
    if (!options_.keep_tables) return drop(span);
    at_ = std::min(s_.find('\n', span.begin), span.end);  // without the table's attributes
    skip_to(span.inner_end, span.end);
    ++tables_;
  }

  void link(const WikiSpan& span) {
    size_t stop = s_.find_first_of("|[{<\n", span.inner_begin);
    stop = std::min(stop, span.inner_end);
    std::string_view target = trimmed(s_.substr(span.inner_begin, stop - span.inner_begin));
    const bool has_label = stop < span.inner_end && s_[stop] == '|';
    const bool escaped = target.starts_with(':');
    if (escaped) target.remove_prefix(1);
    const size_t colon = target.find(':');
    const std::string_view space = colon == target.npos ? "" : trimmed(target.substr(0, colon));
    if (!escaped && !space.empty() && (is_in(kUnseen, space) || is_language_code(space))) {
      return drop(span);
    }
    if (has_label && trimmed(s_.substr(stop + 1, span.inner_end - stop - 1)).empty()) {
      // The pipe trick: without the namespace and what is in brackets at the end.
      std::string_view label = space.empty() ? target : target.substr(colon + 1);
      out_ += trimmed(label.substr(0, label.find('(')));
      at_ = span.end;
      return;
    }
    if (has_label) {
      at_ = stop + 1;
      skip_to(span.inner_end, span.end);
    } else if (stop == span.inner_end) {
      out_ += without_references(target);
      at_ = span.end;
    } else {  // no link: its brackets go
      at_ = span.inner_begin;
      skip_to(span.inner_end, span.end);
    }
  }

  // ---- Inline marks ----

  void quotes() {
    size_t n = 0;
    while (at_ < s_.size() && s_[at_] == '\'') ++n, ++at_;
    if (n == 1) out_ += '\'';
    if (n == 4) out_ += '\'';
    if (n > 5) out_.append(n - 5, '\'');
  }

  void tag() {
    const std::string_view head = s_.substr(at_, 3);
    const bool named = head.size() > 1 && (is_ascii_letter(head[1]) || head[1] == '/');
    const size_t close = tag_end_.find(s_, at_);
    if (!named || close == s_.size() || s_[close] == '\n') {
      out_ += '<';
      ++at_;
      return;
    }
    if (head.size() > 2 && ascii_lower(head[1]) == 'b' && ascii_lower(head[2]) == 'r') out_ += '\n';
    at_ = close + 1;
  }

  // [http://x label]
  void outer_link() {
    const std::string_view head = s_.substr(at_ + 1, 10);
    const bool is_address = head.starts_with("http://") || head.starts_with("https://") ||
                            head.starts_with("//") || head.starts_with("ftp://") ||
                            head.starts_with("mailto:");
    const size_t close = is_address ? link_end_.find(s_, at_) : s_.size();
    if (close == s_.size() || s_[close] == '\n') {
      out_ += '[';
      ++at_;
      return;
    }
    const size_t blank = blank_.find(s_, at_);
    at_ = blank < close ? blank + 1 : close + 1;
    if (blank > close) return;
    if (skip_marks_.empty() || skip_marks_.back().first > close) skip_to(close, close + 1);
  }

  void magic_word() {
    const std::string_view head = s_.substr(at_, 40);
    size_t i = 2;
    while (i < head.size() && head[i] >= 'A' && head[i] <= 'Z') ++i;
    if (head.starts_with("__") && i > 2 && head.substr(i, 2) == "__") {
      at_ += i + 2;
      return;
    }
    out_ += '_';
    ++at_;
  }

  // ---- Lines ----

  void line_start() {
    // Marks of spans that ended without being met (they cannot: spans nest) would go here.
    while (!skip_marks_.empty() && skip_marks_.back().first < at_) skip_marks_.pop_back();
    if (at_ >= s_.size()) return;
    const char c = s_[at_];
    if (c == '=') return heading();
    if (tables_ > 0 && (c == '|' || c == '!')) return table_line();
    if (c == '*' || c == '#') {
      while (at_ < s_.size() && std::string_view("*#:;").find(s_[at_]) != std::string_view::npos) {
        ++at_;
      }
      out_ += "- ";
      skip_blanks();
    } else if (c == ':' || c == ';') {
      while (at_ < s_.size() && std::string_view("*#:;").find(s_[at_]) != std::string_view::npos) {
        ++at_;
      }
      skip_blanks();
    } else if (s_.substr(at_, 4) == "----") {
      while (at_ < s_.size() && s_[at_] == '-') ++at_;
    }
  }

  void skip_blanks() {
    while (at_ < s_.size() && s_[at_] == ' ') ++at_;
  }

  // == x ==: the line is marked with a byte that no text has, for drop_empty_headings().
  void heading() {
    const size_t end = std::min(s_.find('\n', at_), s_.size());
    const std::string_view line = trimmed(s_.substr(at_, std::min<size_t>(end - at_, 1000)));
    size_t marks = 0;
    while (marks < 6 && marks < line.size() && line[marks] == '=') ++marks;
    size_t after = 0;
    while (after < marks && after + marks < line.size() && line[line.size() - 1 - after] == '=') {
      ++after;
    }
    if (after == 0) return;
    marks = std::min(marks, after);
    const size_t close = static_cast<size_t>(line.data() - s_.data()) + line.size() - marks;
    out_ += '\x01';
    out_ += static_cast<char>('0' + marks);
    at_ += marks;
    skip_blanks();
    if (skip_marks_.empty() || skip_marks_.back().first > close) skip_to(close, close + marks);
  }

  // "||" and "!!" between the cells of a row.
  void cell_mark() {
    if (tables_ == 0 || at_ + 1 >= s_.size() || s_[at_ + 1] != s_[at_]) return plain();
    while (!out_.empty() && out_.back() == ' ') out_.pop_back();
    out_ += " | ";
    at_ += 2;
    skip_blanks();
  }

  // Rows on lines of their own, " | " between cells; attributes of rows and cells go.
  void table_line() {
    const std::string_view rest = s_.substr(at_, 3);
    if (rest.starts_with("|-") || rest.starts_with("|}")) {
      tables_ -= rest.starts_with("|}") ? 1 : 0;
      at_ = std::min(s_.find('\n', at_), s_.size());
      return;
    }
    at_ += rest.starts_with("|+") ? 2 : 1;
    skip_blanks();
    const size_t end = std::min(s_.find('\n', at_), s_.size());
    const std::string_view line = s_.substr(at_, std::min<size_t>(end - at_, 300));
    const size_t bar = line.find('|');
    if (bar != line.npos && bar + 1 < line.size() && line[bar + 1] != '|' &&
        line.substr(0, bar).find_first_of("[{") == line.npos && line.find('=') < bar) {
      at_ += bar + 1;
      skip_blanks();
    }
  }

  std::string_view s_;
  const WikitextOptions& options_;
  std::vector<WikiSpan> spans_;
  size_t next_ = 0;
  size_t at_ = 0;
  std::string out_;
  std::vector<std::pair<size_t, size_t>> skip_marks_;  // the innermost last
  NextOf tag_end_{">\n"}, link_end_{"]\n"}, blank_{" \n"};
  int tables_ = 0;
};

// Lines that begin with \x01 and a level are headings: without text before the next of the same or
// a higher level they go.
std::string without_empty_headings(std::string_view text) {
  std::vector<std::string_view> lines;
  for_each_line(text, [&](std::string_view line) { lines.push_back(line); });
  std::vector<bool> kept(lines.size(), true);
  // For each level, whether text was seen behind the last heading of that level or above.
  std::array<bool, 8> text_below{};
  for (size_t i = lines.size(); i-- > 0;) {
    if (!lines[i].starts_with('\x01')) {
      if (!trimmed(lines[i]).empty()) text_below.fill(true);
      continue;
    }
    const auto level = static_cast<size_t>(lines[i].size() > 1 ? lines[i][1] - '0' : 1);
    kept[i] = text_below[std::min<size_t>(level, 7)];
    for (size_t l = std::min<size_t>(level, 7); l < text_below.size(); ++l) text_below[l] = false;
  }
  std::string out;
  for (size_t i = 0; i < lines.size(); ++i) {
    if (!kept[i]) continue;
    const bool is_heading = lines[i].starts_with('\x01');
    out += is_heading ? trimmed(lines[i].substr(std::min<size_t>(2, lines[i].size()))) : lines[i];
    out += '\n';
  }
  return out;
}

}  // namespace

std::string text_of_wikitext(std::string_view markup, const WikitextOptions& options) {
  const std::string lines = clean_lines(markup);
  const std::string spaced = Stripper(lines, options).run();
  return clean_lines(without_empty_headings(replace_all(spaced, "\xC2\xA0", " ")));
}

}  // namespace llmtool
