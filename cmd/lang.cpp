#include <CLI/CLI.hpp>

#include "cmd/corpus_step.h"
#include "lib/base/error.h"
#include "lib/corpus/classify/lang_step.h"

namespace llmtool {
namespace {

constexpr const char* kHelp =
    "Writes attributes.language and attributes.language_score (0 to 1, rounded to 4 decimals).\n"
    "Without --model, llmtool's own model judges: data/lang/README.md says from what it was made\n"
    "and how well it does. --model takes any supervised fastText\n"
    "model (lid.176.bin, lid.176.ftz, GlotLID), checked before use; its labels are written as "
    "they\n"
    "are, without __label__. The labels and scores are fastText's own.\n"
    "  --text plain    line breaks become spaces (fastText models)\n"
    "  --text letters  runs of letters and marks in lower case, spaces between (llmtool's own)\n"
    "  --text joined   line breaks are deleted, which joins the words around them (CCNet)\n"
    "--like ccnet deletes line breaks before all else and is --max-bytes 0 --min-score 0.5\n"
    "--min-letters 0 with scores of 2 decimals, which are rounded before they are compared.\n"
    "A text with fewer than --min-letters letters, or a score below --unknown-below, is 'und' "
    "with\n"
    "score 0. Of a text longer than --max-bytes four pieces are judged, one from the start of "
    "each\n"
    "quarter. --top N writes attributes.languages: {\"en\": 0.93, \"de\": 0.05}.\n"
    "--by line judges each line: attributes.languages has the share of each language in the bytes\n"
    "of the lines judged, language the greatest, language_score its bytes x score through all\n"
    "bytes: a document half in another language has at most 0.5.\n\n"
    "Examples:\n"
    "  llmtool lang web.jsonl.zst --min-score 0.65 --keep en,de -o kept.jsonl.zst\n"
    "  llmtool lang web.jsonl --model lid.176.bin --like ccnet -o kept.jsonl";

struct Flags {
  std::string model, form, unit = "document", like;
  std::vector<std::string> keep;
  double min_score = 0, unknown_below = 0;
  size_t top = 1, max_bytes = 8192, min_letters = 3;
};

std::unique_ptr<Step> make(const Flags& flags) {
  LangOptions o;
  o.model = flags.model;
  o.min_score = flags.min_score;
  o.unknown_below = flags.unknown_below;
  o.keep = flags.keep;
  o.top = flags.top;
  o.by_line = flags.unit == "line";
  o.max_bytes = flags.max_bytes;
  o.min_letters = flags.min_letters;
  check(!o.by_line || o.top == 1, Fault::kUsage, "--top belongs to --by document");
  if (flags.like == "ccnet") {
    check(!o.by_line, Fault::kUsage, "--like ccnet judges documents, not lines");
    o.join_lines = true;
    o.max_bytes = 0;
    o.min_score = 0.5;
    o.min_letters = 0;
    o.decimals = 2;
  }
  if (!flags.form.empty()) o.form = text_form(flags.form);
  return make_lang_step(o);
}

StepMaker define(CLI::App& app) {
  auto flags = std::make_shared<Flags>();
  app.add_option("--model", flags->model, "A supervised fastText model, .bin or .ftz");
  app.add_option("--keep", flags->keep, "Languages to keep: en,de; all others are dropped")
      ->delimiter(',');
  CLI::Option* least = app.add_option("--min-score", flags->min_score, "Drop documents below")
                           ->check(CLI::Range(0.0, 1.0));
  app.add_option("--unknown-below", flags->unknown_below, "Scores below are 'und'")
      ->check(CLI::Range(0.0, 1.0));
  app.add_option("--by", flags->unit, "What is judged")->check(CLI::IsMember({"document", "line"}));
  app.add_option("--top", flags->top, "Write so many languages with their scores")
      ->check(CLI::Range(1, 10000));
  app.add_option("--text", flags->form, "How texts are prepared (default: what the model wants)")
      ->check(CLI::IsMember({"plain", "letters", "joined"}));
  app.add_option("--max-bytes", flags->max_bytes, "Look at so much of a text; 0: all of it")
      ->transform(CLI::AsSizeValue(true));
  app.add_option("--min-letters", flags->min_letters, "Texts with fewer letters are 'und'");
  app.add_option("--like", flags->like, "The settings of a published pipeline")
      ->check(CLI::IsMember({"ccnet"}))
      ->excludes(least);
  app.footer(kHelp);
  return [flags] { return make(*flags); };
}

const RegisterStep lang{{"lang", "Tell the languages of documents", 14, define}};

}  // namespace
}  // namespace llmtool
