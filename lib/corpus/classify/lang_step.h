// The step of `llmtool lang`: which language a document is written in.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lib/base/file.h"
#include "lib/corpus/classify/letters.h"
#include "lib/corpus/step.h"

namespace llmtool {

struct LangOptions {
  fs::path model = {};                 // a supervised fastText model; empty: the one of data/lang
  std::optional<TextForm> form = {};   // not given: letters for a model that says so, else plain
  double min_score = 0;                // documents below are dropped
  double unknown_below = 0;            // documents (with by_line: lines) below are "und"
  std::vector<std::string> keep = {};  // languages; empty: all
  size_t top = 1;                      // languages to write
  bool by_line = false;
  size_t max_bytes = 0;     // of a document (with by_line: of a line) that are looked at; 0: all
  size_t min_letters = 1;   // fewer letters and marks are "und"
  bool join_lines = false;  // line breaks are deleted before the text is prepared, as CCNet does
  int decimals = 4;         // of a score
};

// A document gets attributes.language (the model's label without "__label__", or "und") and
// attributes.language_score (rounded half away from zero, 0 for "und"); with top > 1 also
// attributes.languages, a JSON object of the best `top` and their scores. The scores are the
// model's, at most 1.
//
// by_line: each line with enough letters is judged. attributes.languages has the share of each
// language in the bytes of the judged lines, the greatest first, shares that round to 0 left out;
// language is the first of them, and language_score the sum of bytes x score of its lines through
// the bytes of all judged lines.
//
// Dropped as "lang.language" and "lang.score". Fault::kInput for a damaged model, kUsage for
// languages in `keep` that it does not know.
std::unique_ptr<Step> make_lang_step(const LangOptions& options);

// The codes of the model in data/lang.
std::vector<std::string> shipped_languages();

}  // namespace llmtool
