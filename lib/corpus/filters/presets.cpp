#include <algorithm>

#include "lib/base/suggest.h"
#include "lib/corpus/filters/rule.h"

namespace llmtool {
namespace {

using Names = std::vector<std::string>;

const Names kC4Lines{"c4.line_word_length", "c4.citations",   "c4.line_end",
                     "c4.line_words",       "c4.lorem_ipsum", "c4.javascript",
                     "c4.curly_bracket",    "c4.policy",      "c4.sentences"};
const Names kRepetition{"gopher.duplicate_paragraphs",
                        "gopher.duplicate_paragraph_characters",
                        "gopher.duplicate_lines",
                        "gopher.duplicate_line_characters",
                        "gopher.top_2gram",
                        "gopher.top_3gram",
                        "gopher.top_4gram",
                        "gopher.duplicate_5grams",
                        "gopher.duplicate_6grams",
                        "gopher.duplicate_7grams",
                        "gopher.duplicate_8grams",
                        "gopher.duplicate_9grams",
                        "gopher.duplicate_10grams"};
const Names kQuality{"gopher.words",
                     "gopher.mean_word_length",
                     "gopher.hash_ratio",
                     "gopher.ellipsis_ratio",
                     "gopher.bullet_lines",
                     "gopher.ellipsis_lines",
                     "gopher.alphabetic_words",
                     "gopher.stop_words"};
const Names kFineweb{"fineweb.line_end", "fineweb.short_lines", "fineweb.duplicate_line_characters",
                     "fineweb.newlines_per_word"};
const Names kCode{"code.max_line_length", "code.mean_line_length", "code.alphanumeric_share",
                  "code.alphabetic_per_token", "code.extension"};

Names joined(std::initializer_list<Names> parts) {
  Names all;
  for (const Names& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

Names without(Names names, std::string_view name) {
  std::erase(names, name);
  return names;
}

}  // namespace

const std::vector<std::string>& filter_presets() {
  static const Names names{"c4",      "gopher",     "gopher-quality", "gopher-repetition",
                           "fineweb", "llama-code", "ccnet"};
  return names;
}

std::vector<std::string> preset_rules(std::string_view preset) {
  if (preset == "c4") return joined({{"c4.characters"}, kC4Lines});
  if (preset == "gopher") return joined({kRepetition, kQuality});
  if (preset == "gopher-quality") return kQuality;
  if (preset == "gopher-repetition") return kRepetition;
  if (preset == "fineweb")
    return joined({kRepetition, kQuality, without(kC4Lines, "c4.line_end"), kFineweb});
  if (preset == "llama-code") return kCode;
  if (preset == "ccnet")
    return {"length.characters", "ccnet.language_score", "ccnet.perplexity_bucket"};
  fail(Fault::kUsage, concat("no preset is called '", preset, "'"),
       suggestion(preset, filter_presets(), "there is: c4, gopher, fineweb, llama-code, ccnet"));
}

}  // namespace llmtool
