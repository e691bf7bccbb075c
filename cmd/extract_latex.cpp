#include <CLI/CLI.hpp>
#include <memory>

#include "cmd/corpus_step.h"
#include "lib/corpus/extract/steps.h"

namespace llmtool {

namespace {

StepMaker define(CLI::App& app) {
  auto o = std::make_shared<ExtractLatexOptions>();
  app.add_flag("--keep-abstract", o->latex.keep_abstract, "Keep the abstract");
  app.add_flag("--keep-appendix,!--drop-appendix", o->latex.keep_appendix,
               "Keep what follows \\appendix (the default)");
  app.add_flag("--expand-macros,!--keep-macros", o->latex.expand_macros,
               "Put the author's macros in place of their calls (the default)");
  app.add_flag("--require-section", o->latex.require_section,
               "Drop papers without \\section and \\chapter");
  app.add_option("--max-bytes", o->max_bytes, "Drop larger papers, unpacked")
      ->capture_default_str();
  app.footer(
      "Definition (LLaMA's rules for arXiv). A document is one TeX file or the tar of a paper's\n"
      "folder, gzipped or not; the main file is the largest .tex with \\documentclass and\n"
      "\\begin{document}, those at the top first, subfiles and standalone last; \\input, "
      "\\include\n"
      "and \\subfile are read from the archive alone. Then, in this order:\n"
      "  1. Comments go as TeX reads them: from a % that is not escaped to the line's end, with "
      "the\n"
      "     line end; the environment comment; \\iffalse to \\else or \\fi. Verbatim text stays.\n"
      "  2. \\newcommand and its kin, \\def with parameters #1#2... and no delimiters, \\let, and\n"
      "     \\DeclareMathOperator are removed and their calls expanded with arguments, again and\n"
      "     again, until the expansions have 4 bytes for each of the paper plus 1 MiB; then the\n"
      "     rest stays. Definitions with \\csname, \\expandafter, conditions or @ are removed and\n"
      "     their calls stay.\n"
      "  3. What is before the first \\section or \\chapter goes (without one: before \\maketitle "
      "or\n"
      "     \\begin{document}), what is after \\end{document}, \\bibliography and its kin, and\n"
      "     thebibliography. What follows the bibliography stays, the appendix too.\n"
      "Metadata added: macros, expansions, tex_main. Dropped under extract.too_large, not_latex,\n"
      "no_main_file, no_section, empty.\n\n"
      "Example:\n"
      "  llmtool extract latex arxiv/ --format raw --output papers.jsonl.zst");
  return [o] { return std::make_unique<ExtractLatex>(*o); };
}

const RegisterStep extract_latex_step{
    {"extract latex", "Papers in LaTeX: no comments, bibliography and macros", 11, define, "raw"}};

}  // namespace
}  // namespace llmtool
