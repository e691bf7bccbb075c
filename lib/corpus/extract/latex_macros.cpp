#include "lib/corpus/extract/latex_macros.h"

#include <algorithm>
#include <array>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "lib/corpus/extract/latex.h"
#include "lib/corpus/extract/latex_input.h"
#include "lib/corpus/extract/plain_text.h"

namespace llmtool {

namespace {

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
  Expander(std::string_view source, size_t limit) : in_(source), left_(limit) {
    result_.text.reserve(source.size());
  }

  ExpandedLatex run() {
    for (int c = in_.peek(); c >= 0; c = in_.peek()) {
      if (c == '\\') {
        command();
      } else {
        put(static_cast<char>(c));
        in_.advance();
      }
    }
    return std::move(result_);
  }

 private:
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

  void command() {
    if (const std::string_view verbatim = in_.take_verbatim(); !verbatim.empty()) {
      return put(verbatim);
    }
    const std::string word = in_.take_word();
    if (word.empty()) {
      put('\\');
      if (in_.peek() >= 0) {
        result_.text += in_.take();
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

  // ---- Definitions ----

  // \name or {\name}; empty if there is none.
  std::string defined_name(std::string& read) {
    const std::optional<std::string> name = in_.argument(read);
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
    if (in_.peek() == '*') read += in_.take();
    const std::string name = defined_name(read);
    Macro macro;
    in_.take_spaces(read);
    if (in_.peek() == '[') {
      const auto count = in_.group(read, '[', ']');
      if (count && count->size() == 1 && is_ascii_digit((*count)[0])) {
        macro.parameters = (*count)[0] - '0';
      }
      in_.take_spaces(read);
      if (in_.peek() == '[') {
        const auto standard = in_.group(read, '[', ']');
        macro.optional = standard.has_value();
        macro.standard = standard.value_or("");
      }
    }
    const auto body = in_.argument(read);
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
    while (in_.peek() >= 0 && in_.peek() != '{' && read.size() < 300) {
      pattern += static_cast<char>(in_.peek());
      read += in_.take();
    }
    const auto body = in_.peek() == '{' ? in_.group(read, '{', '}') : std::nullopt;
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
    while (in_.peek() == ' ' || in_.peek() == '=') read += in_.take();
    if (in_.peek() == '\n') in_.take_spaces(read);
    const std::string target = in_.token(read);
    if (name.empty() || target.empty()) return give_up("let", read);
    const bool is_name = target[0] == '\\';
    if (target.size() > 2 && is_name) in_.skip_blanks();
    const auto known = macros_.find(target.substr(1));  // none for a character
    Macro macro;
    if (known != macros_.end()) {
      macro = known->second;
    } else {
      // A name means what it means now: \let\old\x outlives \renewcommand{\x}{...\old...}.
      macro.body = target;
      macro.literal = is_name && !is_read(std::string_view(target).substr(1));
      macro.opaque = target == "{" || target == "}";
    }
    if (macro.body != "\\" + name) add_alias(name, std::move(macro));
  }

  void define_operator() {
    std::string read;
    const bool limits = in_.peek() == '*';
    if (limits) read += in_.take();
    const std::string name = defined_name(read);
    const auto body = in_.argument(read);
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
      in_.skip_blanks();
      if (in_.peek() == '{' && in_.following() == '}') {
        in_.advance();
        in_.advance();
      }
    }
    for (int i = 0; i < macro.parameters && whole; ++i) {
      if (i == 0 && macro.optional) {
        in_.take_spaces(read);
        auto given = in_.peek() == '[' ? in_.group(read, '[', ']') : std::optional(macro.standard);
        whole = given.has_value();
        arguments.push_back(given.value_or(""));
        continue;
      }
      auto given = in_.argument(read);
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
      const int next = in_.peek();
      if (next >= 0 && is_ascii_letter(static_cast<char>(next))) expansion += ' ';
    }
    in_.push(std::move(expansion));
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
    in_.skip_blanks();
    const int c = in_.peek();
    if (c < 0 || std::string_view(".,;:!?)]}'/-~\\{$^_\n").find(static_cast<char>(c)) ==
                     std::string_view::npos) {
      if (c >= 0) put(' ');
    }
  }

  LatexInput in_;
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
