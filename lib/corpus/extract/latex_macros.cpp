#include "lib/corpus/extract/latex_macros.h"

#include <algorithm>
#include <array>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "lib/corpus/extract/latex.h"
#include "lib/corpus/extract/plain_text.h"

namespace llmtool {

namespace {

constexpr size_t kLongestArgument = 64 << 10;
constexpr size_t kMostMacros = 20000;

struct Macro {
  int parameters = 0;
  bool optional = false;  // the first parameter has a default
  std::string standard;   // that default
  std::string body;
  bool opaque = false;   // its calls stay
  bool literal = false;  // the body is what stays in place of a call, whatever it means later
};

constexpr std::array<std::string_view, 30> kStructure = {
    "section",      "subsection",    "subsubsection", "chapter",   "paragraph", "part",
    "begin",        "end",           "cite",          "citep",     "citet",     "ref",
    "eqref",        "label",         "item",          "input",     "include",   "appendix",
    "bibliography", "documentclass", "usepackage",    "maketitle", "caption",   "footnote",
    "title",        "author",        "par",           "hline",     "newline",   "def"};

template <class List>
bool is_one_of(const List& list, std::string_view word) {
  return std::ranges::find(list, word) != list.end();
}

// What only TeX itself can run.
bool is_machinery(std::string_view body) {
  constexpr std::array<std::string_view, 9> kWords = {"csname",     "expandafter", "catcode",
                                                      "futurelet",  "else",        "fi",
                                                      "begingroup", "newcommand",  "def"};
  for (size_t at = body.find('\\'); at < body.size(); at = body.find('\\', at)) {
    const std::string_view word = control_word(body, at);
    if (word.starts_with('@') || (word.starts_with("if") && word != "iff")) return true;
    if (is_one_of(kWords, word)) return true;
    at += std::max<size_t>(word.size() + 1, 2);
  }
  return false;
}

constexpr std::array<std::string_view, 4> kNewCommand = {"newcommand", "renewcommand",
                                                         "providecommand", "DeclareRobustCommand"};
constexpr std::array<std::string_view, 4> kDef = {"def", "gdef", "edef", "xdef"};

// Words that the expander acts upon.
bool is_read(std::string_view word) {
  return is_one_of(kNewCommand, word) || is_one_of(kDef, word) || word == "let" ||
         word == "DeclareMathOperator" || word == "xspace";
}

bool ends_in_control_word(std::string_view text) {
  size_t i = text.size();
  while (i > 0 && is_ascii_letter(text[i - 1])) --i;
  return i < text.size() && i > 0 && text[i - 1] == '\\' && (i < 2 || text[i - 2] != '\\');
}

class Expander {
 public:
  Expander(std::string_view source, size_t limit) : left_(limit) {
    frames_.push_back({std::string(source), 0});
    result_.text.reserve(source.size());
  }

  ExpandedLatex run() {
    for (int c = peek(); c >= 0; c = peek()) {
      if (c == '\\') {
        command();
      } else {
        put(static_cast<char>(c));
        advance();
      }
    }
    return std::move(result_);
  }

 private:
  struct Frame {
    std::string text;
    size_t at;
  };

  // The next character; -1 at the end.
  int peek() {
    while (frames_.size() > 1 && frames_.back().at >= frames_.back().text.size()) {
      frames_.pop_back();
    }
    const Frame& f = frames_.back();
    return f.at < f.text.size() ? static_cast<unsigned char>(f.text[f.at]) : -1;
  }
  void advance() { ++frames_.back().at; }

  void put(char c) {
    if (after_word_ && is_ascii_letter(c) && ends_in_control_word(tail())) result_.text += ' ';
    after_word_ = false;
    result_.text += c;
  }
  void put(std::string_view s) {
    if (s.empty()) return;
    put(s[0]);
    result_.text += s.substr(1);
  }
  std::string_view tail() const {
    const std::string_view t = result_.text;
    return t.substr(t.size() - std::min<size_t>(t.size(), 64));
  }

  void skip_spaces() {
    while (peek() >= 0 && is_ascii_space(static_cast<char>(peek()))) advance();
  }

  // Behind a control word: TeX skips blanks, and one line end, but not an empty line.
  void skip_blanks() {
    bool line_end = false;
    for (int c = peek(); c == ' ' || c == '\t' || (c == '\n' && !line_end); c = peek()) {
      if (c == '\n') {
        const Frame& f = frames_.back();
        size_t next = f.at + 1;
        while (next < f.text.size() && (f.text[next] == ' ' || f.text[next] == '\t')) ++next;
        if (next < f.text.size() && f.text[next] == '\n') return;
        line_end = true;
      }
      advance();
    }
  }

  std::string read_word() {  // at '\\'
    advance();
    std::string word;
    for (int c = peek(); c >= 0 && (is_ascii_letter(static_cast<char>(c)) || c == '@');
         c = peek()) {
      word += static_cast<char>(c);
      advance();
      // A control word does not go on behind the end of an expansion.
      if (frames_.back().at >= frames_.back().text.size()) break;
    }
    return word;
  }

  void command() {
    Frame& frame = frames_.back();
    if (const size_t end = verbatim_end(frame.text, frame.at); end > frame.at) {
      put(std::string_view(frame.text).substr(frame.at, end - frame.at));
      frame.at = end;
      return;
    }
    const std::string word = read_word();
    if (word.empty()) {
      put('\\');
      if (peek() >= 0) {
        result_.text += static_cast<char>(peek());
        advance();
      }
      return;
    }
    if (is_one_of(kNewCommand, word)) return define_command(word);
    if (is_one_of(kDef, word)) return define(word);
    if (word == "let") return define_alias();
    if (word == "DeclareMathOperator") return define_operator();
    if (word == "xspace") return xspace();
    const auto found = macros_.find(word);
    if (found == macros_.end() || found->second.opaque || result_.stopped) {
      put("\\" + word);
      after_word_ = true;
      return;
    }
    if (found->second.literal) {
      put(found->second.body);
      after_word_ = true;
      spend(found->second.body.size());
      ++result_.expansions;
      return;
    }
    call(word, found->second);
  }

  // ---- Arguments ----

  // Of a group in braces, or one token; nullopt if there is none. What was read is in `read`.
  std::optional<std::string> argument(std::string& read) {
    while (peek() >= 0 && is_ascii_space(static_cast<char>(peek()))) take(read);
    const int c = peek();
    if (c < 0 || c == '}') return std::nullopt;
    if (c == '{') return group(read, '{', '}');
    std::string token;
    if (c == '\\') {
      token = "\\" + read_word();
      if (token.size() == 1 && peek() >= 0) token += take_one();
      read += token;
      return token;
    }
    token += take_one();
    // All bytes of one character.
    while (peek() >= 0x80 && peek() < 0xC0) token += take_one();
    read += token;
    return token;
  }

  std::optional<std::string> group(std::string& read, char open, char close) {
    std::string inside;
    int depth = 0;
    for (int c = peek(); c >= 0; c = peek()) {
      const char byte = take_one();
      read += byte;
      if (byte == '\\' && peek() >= 0) {
        inside += byte;
        const char escaped = take_one();
        read += escaped;
        inside += escaped;
        continue;
      }
      const bool opens = byte == '{' || (open == '[' && depth == 0 && byte == '[');
      const bool closes = byte == '}' || (open == '[' && depth == 1 && byte == close);
      if (closes && --depth == 0) return inside;
      if (depth > 0) inside += byte;
      if (opens) ++depth;
      if (depth < 0 || read.size() > kLongestArgument) return std::nullopt;
    }
    return std::nullopt;
  }

  char take_one() {
    const char c = static_cast<char>(peek());
    advance();
    return c;
  }
  void take(std::string& read) { read += take_one(); }

  // ---- Definitions ----

  // \name or {\name}; empty if there is none.
  std::string defined_name(std::string& read) {
    const std::optional<std::string> name = argument(read);
    if (!name) return {};
    const std::string_view trimmed_name = trimmed(*name);
    if (trimmed_name.size() < 2 || trimmed_name[0] != '\\') return {};
    const std::string_view word = control_word(trimmed_name, 0);
    return word.size() + 1 == trimmed_name.size() ? std::string(word) : std::string();
  }

  void add(const std::string& name, Macro macro) {
    macro.opaque = macro.opaque || is_machinery(macro.body);
    add_alias(name, std::move(macro));
  }

  void add_alias(const std::string& name, Macro macro) {
    if (name.empty() || is_one_of(kStructure, name) || macros_.size() >= kMostMacros) return;
    macro.opaque = macro.opaque || name.find('@') != name.npos;
    ++result_.macros;
    macros_[name] = std::move(macro);
  }

  // The definition is no definition: it stays as it stands.
  void give_up(const std::string& word, const std::string& read) {
    put("\\" + word);
    result_.text += read;
    spend(read.size());
  }

  void define_command(const std::string& word) {
    std::string read;
    if (peek() == '*') take(read);
    const std::string name = defined_name(read);
    Macro macro;
    while (peek() >= 0 && is_ascii_space(static_cast<char>(peek()))) take(read);
    if (peek() == '[') {
      const auto count = group(read, '[', ']');
      if (count && count->size() == 1 && is_ascii_digit((*count)[0])) {
        macro.parameters = (*count)[0] - '0';
      }
      while (peek() >= 0 && is_ascii_space(static_cast<char>(peek()))) take(read);
      if (peek() == '[') {
        const auto standard = group(read, '[', ']');
        macro.optional = standard.has_value();
        macro.standard = standard.value_or("");
      }
    }
    const auto body = argument(read);
    if (!body || name.empty()) return give_up(word, read);
    macro.body = *body;
    if (word == "providecommand" && macros_.contains(name)) return;
    add(name, std::move(macro));
  }

  void define(const std::string& word) {
    std::string read;
    const std::string name = defined_name(read);
    Macro macro;
    std::string pattern;
    while (peek() >= 0 && peek() != '{' && read.size() < 300) {
      pattern += static_cast<char>(peek());
      take(read);
    }
    const auto body = peek() == '{' ? group(read, '{', '}') : std::nullopt;
    if (!body || name.empty()) return give_up(word, read);
    macro.body = *body;
    const std::string_view parameters = trimmed(pattern);
    for (size_t i = 0; i < parameters.size(); i += 2) {
      const bool plain = parameters[i] == '#' && i + 1 < parameters.size() &&
                         parameters[i + 1] == '1' + static_cast<char>(i / 2);
      if (!plain) macro.opaque = true;
      ++macro.parameters;
    }
    add(name, std::move(macro));
  }

  void define_alias() {
    std::string read;
    const std::string name = defined_name(read);
    while (peek() == ' ' || peek() == '=') take(read);
    const auto target = argument(read);
    if (name.empty() || !target) return give_up("let", read);
    if (target->size() > 2 && (*target)[0] == '\\') skip_blanks();
    const auto known = (*target)[0] == '\\' ? macros_.find(target->substr(1)) : macros_.end();
    Macro macro;
    if (known != macros_.end()) {
      macro = known->second;
    } else {
      // A name means what it means now: \let\old\x outlives \renewcommand{\x}{...\old...}.
      macro.body = *target;
      macro.literal = (*target)[0] == '\\' && !is_read(std::string_view(*target).substr(1));
    }
    if (macro.body != "\\" + name) add_alias(name, std::move(macro));
  }

  void define_operator() {
    std::string read;
    const bool limits = peek() == '*';
    if (limits) take(read);
    const std::string name = defined_name(read);
    const auto body = argument(read);
    if (name.empty() || !body) return give_up("DeclareMathOperator", read);
    Macro macro;
    macro.body = (limits ? "\\operatorname*{" : "\\operatorname{") + *body + "}";
    add(name, std::move(macro));
  }

  // ---- Calls ----

  void spend(size_t bytes) {
    left_ -= std::min(left_, bytes + 1);
    result_.stopped = result_.stopped || left_ == 0;
  }

  void call(const std::string& word, const Macro& macro) {
    std::string read;
    std::vector<std::string> arguments;
    bool whole = true;
    if (macro.parameters == 0) {
      skip_blanks();
      if (peek() == '{' && following() == '}') {
        advance();
        advance();
      }
    }
    for (int i = 0; i < macro.parameters && whole; ++i) {
      if (i == 0 && macro.optional) {
        while (peek() >= 0 && is_ascii_space(static_cast<char>(peek()))) take(read);
        auto given = peek() == '[' ? group(read, '[', ']') : std::optional(macro.standard);
        whole = given.has_value();
        arguments.push_back(given.value_or(""));
        continue;
      }
      auto given = argument(read);
      whole = given.has_value();
      arguments.push_back(given.value_or(""));
    }
    spend(read.size());
    if (!whole) {  // too few, or too long: what was read stays, and is not read again
      put("\\" + word);
      after_word_ = true;
      put(read);
      return;
    }
    std::string expansion = substituted(macro.body, arguments);
    spend(expansion.size());
    ++result_.expansions;
    // \n behind "\x": the word must not run into what follows.
    if (!expansion.empty() && is_ascii_letter(expansion[0])) after_word_ = true;
    if (ends_in_control_word(expansion)) {
      const int next = peek();
      if (next >= 0 && is_ascii_letter(static_cast<char>(next))) expansion += ' ';
    }
    peek();  // lets go of frames that are done
    frames_.push_back({std::move(expansion), 0});
  }

  int following() const {
    const Frame& f = frames_.back();
    return f.at + 1 < f.text.size() ? static_cast<unsigned char>(f.text[f.at + 1]) : -1;
  }

  static std::string substituted(std::string_view body, const std::vector<std::string>& arguments) {
    std::string out;
    for (size_t i = 0; i < body.size(); ++i) {
      if (body[i] != '#' || i + 1 >= body.size() || (i > 0 && body[i - 1] == '\\')) {
        if (is_ascii_letter(body[i]) && i > 0 && body[i - 1] != '\\' &&
            from_argument_ends(out, i, body)) {
          out += ' ';
        }
        out += body[i];
        continue;
      }
      const char digit = body[++i];
      const auto index = static_cast<size_t>(digit - '1');
      if (is_ascii_digit(digit) && index < arguments.size()) {
        const std::string& a = arguments[index];
        if (!a.empty() && is_ascii_letter(a[0]) && ends_in_control_word(out)) out += ' ';
        out += a;
      } else if (digit == '#') {
        out += '#';
      }
    }
    return out;
  }

  // Whether the text so far ends in a control word that came with an argument, just before body[i].
  static bool from_argument_ends(std::string_view out, size_t i, std::string_view body) {
    return i >= 2 && body[i - 2] == '#' && is_ascii_digit(body[i - 1]) && ends_in_control_word(out);
  }

  // \xspace: a space unless punctuation follows.
  void xspace() {
    skip_blanks();
    const int c = peek();
    if (c < 0 || std::string_view(".,;:!?)]}'/-~\\{$^_\n").find(static_cast<char>(c)) ==
                     std::string_view::npos) {
      if (c >= 0) put(' ');
    }
  }

  std::vector<Frame> frames_;
  std::unordered_map<std::string, Macro> macros_;
  ExpandedLatex result_;
  size_t left_;
  bool after_word_ = false;  // a control word may stand at the end of the text
};

}  // namespace

ExpandedLatex expand_macros(std::string_view source, size_t limit) {
  return Expander(source, limit).run();
}

}  // namespace llmtool
