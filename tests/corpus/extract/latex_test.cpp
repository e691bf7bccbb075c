#include "lib/corpus/extract/latex.h"

#include <chrono>
#include <doctest/doctest.h>
#include <random>

#include "lib/corpus/extract/latex_macros.h"
#include "tests/fuzz_rounds.h"

using namespace llmtool;

namespace {

std::string expanded(std::string_view source) {
  return expand_macros(source, 1 << 20).text;
}

std::string body(const std::string& source, LatexOptions options = {}) {
  return extract_latex(source, options).text;
}

}  // namespace

TEST_CASE("comments as TeX reads them") {
  CHECK(without_latex_comments("a% x\nb") == "ab");
  CHECK(without_latex_comments("a % x\n   b") == "a b");
  CHECK(without_latex_comments("a\n% x\nb") == "a\nb");
  CHECK(without_latex_comments("a\n  % x\n% y\nb") == "a\nb");
  CHECK(without_latex_comments("a% x\n\nb") == "a\n\nb");
  CHECK(without_latex_comments("50\\% of % x\nb") == "50\\% of b");
  CHECK(without_latex_comments("line\\\\% x\nb") == "line\\\\b");
  CHECK(without_latex_comments("\\verb|%| and \\begin{verbatim}\n% kept\n\\end{verbatim}%x") ==
        "\\verb|%| and \\begin{verbatim}\n% kept\n\\end{verbatim}");
  CHECK(without_latex_comments("a\\begin{comment}x\n% y\n\\end{comment}b") == "ab");
  CHECK(without_latex_comments("a\\iffalse x \\ifx y\\fi z\\fi b") == "a b");
  CHECK(without_latex_comments("a\\iffalse x\\else y\\ifdraft u\\fi z\\fi b") ==
        "a y\\ifdraft u\\fi z b");
  CHECK(without_latex_comments("\\ifdraft a\\else b\\fi") == "\\ifdraft a\\else b\\fi");
  CHECK(without_latex_comments("a\\iffalse x") == "a");
  CHECK(without_latex_comments("\\iffalse\n\\begin{verbatim}\n\\fi Text") == " Text");
  CHECK(without_latex_comments("\\iffalse \\verb|x\\fi y") == " y");
  CHECK(without_latex_comments("\\iffalse A \\else B \\iffalse C \\fi D \\fi E.") == " B  D  E.");
  CHECK(without_latex_comments("\\iffalse A \\else B \\ifx C \\else c \\fi D \\fi E.") ==
        " B \\ifx C \\else c \\fi D  E.");
  CHECK(without_latex_comments("a \\iffalse \\newif\\ifdraft old \\fi b") == "a  b");
  CHECK(without_latex_comments("a \\iffalse \\iftoggle{x}{a}{b} \\ifthenelse {c}{d}{e}\\fi b") ==
        "a  b");
  CHECK(without_latex_comments("\\newif\\ifdraft a\\iffalse \\ifdraft{x}\\fi y\\fi b") ==
        "\\newif\\ifdraft a b");
  CHECK(without_latex_comments("a\\iffalse \\ifmmode{x}\\fi \\ifpackaged y\\fi \\iff z\\fi b") ==
        "a b");
  CHECK(without_latex_comments("\\") == "\\");
}

TEST_CASE("a comment takes nothing but itself") {
  // A well-known expression for this, [^\\]%.+$, takes the character before the sign too.
  CHECK(without_latex_comments("word% c\nnext") == "wordnext");
  CHECK(without_latex_comments("%\nx") == "x");
}

TEST_CASE("macros with and without arguments") {
  CHECK(expanded("\\newcommand{\\R}{\\mathbb{R}}$x\\in\\R$") == "$x\\in\\mathbb{R}$");
  CHECK(expanded("\\newcommand\\pair[2]{(#1,#2)}\\pair{a}{b} \\pair xy") == "(a,b) (x,y)");
  CHECK(expanded("\\newcommand{\\n}[2][2]{\\|#2\\|_{#1}}\\n{x} \\n[1]{y}") ==
        "\\|x\\|_{2} \\|y\\|_{1}");
  CHECK(expanded("\\def\\x#1#2{#2#1}\\x{a{b}}{c}") == "ca{b}");
  CHECK(expanded("\\DeclareMathOperator*{\\argmin}{arg\\,min}\\argmin_x") ==
        "\\operatorname*{arg\\,min}_x");
  CHECK(expanded("\\let\\a\\alpha \\a") == "\\alpha");
  CHECK(expanded("\\renewcommand{\\a}{1}\\providecommand{\\a}{2}\\a") == "1");
  CHECK(expanded("\\def\\a{1}\\a\\def\\a{2}\\a") == "12");
  CHECK(expanded("\\newcommand{\\a}{\\b}\\newcommand{\\b}{c}\\a") == "c");
  CHECK(expanded("\\newcommand{\\y}{\\x}\\newcommand{\\x}[1]{<#1>}\\y{q}") == "<q>");
}

TEST_CASE("\\let keeps what a name meant") {
  CHECK(expanded("\\let\\oldvec\\vec\\renewcommand{\\vec}[1]{\\oldvec{\\mathbf{#1}}}$\\vec{x}$") ==
        "$\\vec{\\mathbf{x}}$");
  CHECK(expanded("\\let\\oldepsilon\\epsilon\\renewcommand{\\epsilon}{\\varepsilon}"
                 "$\\epsilon\\oldepsilon$") == "$\\varepsilon\\epsilon$");
  CHECK(expanded("\\let\\temp\\phi\\let\\phi\\varphi\\let\\varphi\\temp$\\phi\\varphi x$") ==
        "$\\varphi\\phi x$");
  CHECK(expanded("\\let\\old\\emph\\renewcommand{\\emph}[1]{\\old{#1}!}\\emph{a} \\emph{b}") ==
        "\\emph{a}! \\emph{b}!");
  CHECK(expanded("\\newcommand{\\a}{1}\\let\\b\\a\\renewcommand{\\a}{2\\b}\\a") == "21");
  CHECK(expanded("\\let\\nc\\newcommand\\nc{\\a}{x}\\a") == "x");
  CHECK(expanded("{\\let\\lb={ Text. \\textbf{x} } More.") == "{ Text. \\textbf{x} } More.");
  CHECK(expanded("\\let\\bgroup={ \\let\\egroup=} \\bgroup Kept \\egroup tail.") ==
        "  \\bgroup Kept \\egroup tail.");
  CHECK(expanded("\\let\\be\\begin\\let\\ee\\end\\be{a}\\ee{a}") == "\\begin{a}\\end{a}");
}

TEST_CASE("an expansion does not run into its neighbours") {
  CHECK(expanded("\\def\\a{\\alpha}\\a b") == "\\alpha b");
  CHECK(expanded("\\def\\a{A}\\a b\\a{} c\\a, d") == "AbA cA, d");
  CHECK(expanded("\\def\\a{A\\xspace}\\a b, \\a.") == "A b, A.");
  CHECK(expanded("\\def\\f#1{#1x}\\f{\\alpha}") == "\\alpha x");
  CHECK(expanded("\\def\\f#1{\\bf#1}\\f{x}") == "\\bf x");
  CHECK(expanded("\\in\\def\\R{R}\\R") == "\\in R");
}

TEST_CASE("what cannot be expanded stays") {
  CHECK(expanded("\\def\\x#1/#2.{a}\\x b/c.") == "\\x b/c.");
  CHECK(expanded("\\newcommand{\\x}{\\csname a\\endcsname}\\x") == "\\x");
  CHECK(expanded("\\newcommand{\\x}{\\ifmmode a\\fi}\\x") == "\\x");
  CHECK(expanded("\\newcommand{\\x}{\\iff}$a\\x b$") == "$a\\iff b$");
  CHECK(expanded("\\renewcommand{\\section}{\\x}\\section{A}") == "\\section{A}");
  CHECK(expanded("\\newcommand{\\x}[1]{<#1>}{\\x}") == "{\\x}");
  CHECK(expanded("\\newcommand{\\x") == "\\newcommand{\\x");
  CHECK(expanded("\\undefined{a} \\\\ \\%") == "\\undefined{a} \\\\ \\%");
}

TEST_CASE("hostile macros are bounded") {
  const auto start = std::chrono::steady_clock::now();
  std::string bomb = "\\def\\a{xxxxxxxxxx}";
  for (char c = 'b'; c <= 'z'; ++c) {
    const std::string before(1, static_cast<char>(c - 1));
    bomb += std::string("\\def\\") + c + "{";
    for (int i = 0; i < 10; ++i) bomb += "\\" + before + " ";
    bomb += "}";
  }
  const LatexText exponential = extract_latex(bomb + "\\section{S} \\z end", {});
  CHECK(exponential.expansion_stopped);
  CHECK(exponential.text.size() < (3u << 20));
  CHECK(exponential.text.ends_with("end"));
  for (const char* endless :
       {"\\def\\a{\\a}\\a", "\\def\\a{x\\a\\a}\\a", "\\def\\a#1{\\a{#1#1}}\\a{x}",
        "\\let\\a\\b\\let\\b\\a\\a", "\\newcommand{\\a}[1][\\a]{#1}\\a"}) {
    CAPTURE(endless);
    CHECK(extract_latex(std::string(endless) + "\\section{S}", {}).text.size() < (4u << 20));
  }
  std::string open = "\\newcommand{\\a}[1]{#1}";
  for (int i = 0; i < 200000; ++i) open += "\\a{";
  CHECK(extract_latex(open, {}).text.size() < (4u << 20));
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  CHECK(seconds < 10);
}

TEST_CASE("verbatim text stays as it is: no comment, no macro") {
  CHECK(body("\\section{A}\\url{http://a.b/c%20d} e\nf") ==
        "\\section{A}\\url{http://a.b/c%20d} e\nf");
  CHECK(body("\\section{A}\\href{http://a.b/c%20d{x}\\%}{e%f\n g}") ==
        "\\section{A}\\href{http://a.b/c%20d{x}\\%}{eg}");
  CHECK(body("\\section{A}\\path|a%b| \\path (0,0) -- (1,1);% c\nd") ==
        "\\section{A}\\path|a%b| \\path (0,0) -- (1,1);d");
  CHECK(body("\\section{A}\\newcommand{\\x}{XX}\\verb|\\x%| \\x\n\\begin{verbatim}\n\\x\n "
             "y%\n\\end{verbatim}") ==
        "\\section{A}\\verb|\\x%| XX\\begin{verbatim}\n\\x\n y%\n\\end{verbatim}");
  // What never ends is text like any other, and costs no more.
  CHECK(body("\\section{A}\\url{a%b\n\nc") == "\\section{A}\\url{a\n\nc");
  for (const char* part : {"\\url{", "\\begin{", "\\verb|a|"}) {
    std::string many = "\\section{A}";
    for (int i = 0; i < 300000; ++i) many += part;
    CHECK(body(many).size() == many.size());
  }
}

TEST_CASE("everything before the first section goes, and nothing else of the body") {
  // A greedy expression keeps only what follows the last one.
  CHECK(body("\\documentclass{a}\\begin{document}\\title{T}intro\n\\section{A}\na\n\\section{B}\nb"
             "\\end{document}junk") == "\\section{A}\na\n\\section{B}\nb");
  CHECK(body("x\\chapter*{C}\\section{A}") == "\\chapter*{C}\\section{A}");
  CHECK(body("\\sectionmark{x}\\section{A}") == "\\section{A}");
  CHECK(body("\\titleformat{\\section}{\\bf}{}{1em}{}\\begin{document}i\\section{A} "
             "b\\end{document}") == "\\section{A} b");
  CHECK(body("\\begin{document}i\\verb|\\section|\\section{A} b") == "\\section{A} b");
  CHECK(body("\\newcommand{\\s}{\\section}\n x \\s{A} b") == "\\section{A} b");
}

TEST_CASE("a paper without sections") {
  CHECK(body("\\begin{document}\\title{T}\\maketitle\nText.\\end{document}") == "Text.");
  CHECK(body("Text.", {.require_section = true}) == "");
}

TEST_CASE("the abstract when it is asked for") {
  const std::string paper =
      "\\begin{document}t\\begin{abstract}We show.\\end{abstract}u\\section{A}";
  CHECK(body(paper) == "\\section{A}");
  CHECK(body(paper, {.keep_abstract = true}) ==
        "\\begin{abstract}We show.\\end{abstract}\\section{A}");
}

TEST_CASE("the bibliography goes, the appendix stays unless asked otherwise") {
  const std::string paper =
      "\\section{A}a\n\\bibliographystyle{x}\n\\bibliography{y}\n"
      "\\begin{thebibliography}{9}\\bibitem{k} K\\end{thebibliography}\n\\appendix\n\\section{B}b";
  CHECK(body(paper) == "\\section{A}a\n\n\\appendix\n\\section{B}b");
  CHECK(body(paper, {.keep_appendix = false}) == "\\section{A}a");
  CHECK(body("\\section{A}a\\begin{thebibliography}{9} never ended") == "\\section{A}a");
  CHECK(body("\\section{A}a\\printbibliography[heading=none] b") == "\\section{A}a b");
}

TEST_CASE("damaged papers") {
  std::mt19937 random(5);
  const std::string seed =
      "\\newcommand{\\a}[2][x]{#1#2}\\def\\b#1{\\a{#1}}\\let\\c\\b% x\n\\iffalse\\else\\fi"
      "\\begin{document}\\begin{abstract}\\end{abstract}\\section{\\b{x}}\\verb|%|\\c{y}\\a[z]{w}"
      "\\begin{comment}\\end{comment}\\appendix\\bibliography{x}\\end{document}";
  for (int round = 0; round < fuzz_rounds(3000); ++round) {
    std::string paper = seed;
    for (size_t n = random() % 12; n > 0 && !paper.empty(); --n) {
      const size_t at = random() % paper.size();
      if (random() % 2 == 0) {
        paper[at] = "\\{}[]#%\n12 a"[random() % 12];
      } else {
        paper.erase(at, random() % 10);
      }
    }
    CHECK(extract_latex(paper, {.keep_appendix = round % 2 == 0}).text.size() < (3u << 20));
  }
}
