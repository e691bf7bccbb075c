// The author's own macros of a LaTeX source, put in place of their calls.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace llmtool {

struct ExpandedLatex {
  std::string text;  // without the definitions
  size_t macros = 0, expansions = 0;
  bool stopped = false;
};

// Reads \newcommand, \renewcommand, \providecommand, \DeclareRobustCommand (with * and with an
// optional first argument), \def and its kin with parameters #1#2... and no delimiters, \let, and
// \DeclareMathOperator (as \operatorname); a definition counts from where it stands. A definition
// that TeX's own machinery (\csname, \expandafter, \catcode, names with @, conditions) makes more
// than text is removed, and its calls stay. Structure (\section, \begin, \cite, \ref ...) is never
// redefined. Calls are expanded again and again, as TeX does, until the bytes of all expansions and
// arguments reach `limit`: then the rest stays as it is, and stopped is set. source has no
// comments.
ExpandedLatex expand_macros(std::string_view source, size_t limit);

}  // namespace llmtool
