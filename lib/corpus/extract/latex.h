// The text of a paper in LaTeX, by LLaMA's rules for arXiv: nothing before the first section, no
// bibliography, no comments, and the author's own macros expanded.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace llmtool {

struct LatexOptions {
  bool keep_abstract = false;  // the abstract environment before the first section stays
  bool keep_appendix = true;   // else \appendix and what follows go
  bool expand_macros = true;
  bool require_section = false;  // a paper without \section and \chapter gives nothing
};

struct LatexText {
  std::string text;
  bool section_found = false;
  size_t macros = 0;               // definitions read
  size_t expansions = 0;           // calls replaced
  bool expansion_stopped = false;  // the limit of expand_macros() was met
};

// source: UTF-8, one file, its inputs put in place. Linear in the source but for macros, which have
// a limit of their own.
LatexText extract_latex(std::string_view source, const LatexOptions& options);

// Without comments, as TeX reads them: from a % that is not escaped to the end of the line, with
// the line end and the white space at the start of the next line (an empty line still ends the
// paragraph); a line that holds nothing else goes. Without the environment comment, and what lies
// between \iffalse and its \else or \fi. verbatim, lstlisting, minted, alltt and \verb stay as they
// are.
std::string without_latex_comments(std::string_view source);

// Of the control word at source[at] == '\\': its letters; empty for \% and the like.
std::string_view control_word(std::string_view source, size_t at);

// The name in \begin{name} or \end{name}, of at most 60 bytes; `at` is behind the word. after: one
// past the brace; untouched if there is no name.
std::string_view environment_name(std::string_view source, size_t at, size_t* after = nullptr);

// Where the text ends that is verbatim from the control word at source[at] on: behind \verb|...|,
// \lstinline|...| and the address of \url{...}, \href{...}{, \path{...} and \nolinkurl{...}; at the
// \end of verbatim, lstlisting, minted and their like. `at` if nothing is.
size_t verbatim_end(std::string_view source, size_t at);

}  // namespace llmtool
