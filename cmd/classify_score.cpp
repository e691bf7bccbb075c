#include <CLI/CLI.hpp>
#include <optional>

#include "cmd/corpus_step.h"
#include "lib/base/error.h"
#include "lib/corpus/classify/score_step.h"

namespace llmtool {
namespace {

constexpr const char* kHelp =
    "Writes attributes.<name>: the model's score of --label, 0 to 1, rounded to 6 decimals (0 if\n"
    "the model knows nothing of a text). Any supervised fastText model does; one of `llmtool\n"
    "classify train` says itself which label counts, how texts are prepared and which threshold\n"
    "was chosen. The scores are fastText's own, for the text as one line.\n"
    "Nothing is dropped without --min-score (LLaMA's Wikipedia-reference filter: 0.25; DCLM's:\n"
    "0.018112) or --use-threshold, which takes the model's own.\n\n"
    "Examples:\n"
    "  llmtool classify score web.jsonl --model quality/model.bin --use-threshold -o kept.jsonl\n"
    "  llmtool classify score web.jsonl --model hq.bin --label hq --name hq --min-score 0.018112 "
    "-o kept.jsonl";

struct Flags {
  std::string model, name = "quality", label, form;
  std::optional<double> min_score;
  size_t max_bytes = 0;
  bool use_threshold = false;
};

StepMaker define(CLI::App& app) {
  auto flags = std::make_shared<Flags>();
  app.add_option("--model", flags->model, "A supervised fastText model, .bin or .ftz")->required();
  app.add_option("--name", flags->name, "Of the attribute");
  app.add_option("--label", flags->label, "Whose score counts (default: what the model says)");
  CLI::Option* least = app.add_option("--min-score", flags->min_score, "Drop documents below")
                           ->check(CLI::Range(0.0, 1.0));
  app.add_flag("--use-threshold", flags->use_threshold,
               "Drop documents below the model's threshold")
      ->excludes(least);
  app.add_option("--text", flags->form, "How texts are prepared, see `llmtool lang`")
      ->check(CLI::IsMember({"plain", "letters", "joined"}));
  app.add_option("--max-bytes", flags->max_bytes,
                 "Look at so much of a text, a piece from each quarter; 0: all of it")
      ->transform(CLI::AsSizeValue(true));
  app.footer(kHelp);
  return [flags] {
    ScoreOptions o;
    o.model = flags->model;
    o.name = flags->name;
    o.label = flags->label;
    if (!flags->form.empty()) o.form = text_form(flags->form);
    o.min_score = flags->min_score;
    o.use_threshold = flags->use_threshold;
    o.max_bytes = flags->max_bytes;
    return make_score_step(o);
  };
}

const RegisterStep score{{"classify score", "Score documents by a linear classifier", 14, define}};

}  // namespace
}  // namespace llmtool
