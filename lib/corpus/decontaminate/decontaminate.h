// The step `decontaminate`: documents that hold items of evaluation sets (overlap_index.h) are
// dropped, lose what overlaps, or are only marked.
#pragma once

#include <memory>

#include "lib/corpus/decontaminate/overlap_index.h"
#include "lib/corpus/step.h"

namespace llmtool {

enum class DecontaminateMode { kDrop, kCut, kMark };

struct DecontaminateOptions {
  std::vector<fs::path> against;
  EvalFields fields;
  OverlapRule rule;
  bool needs_answer = false;  // a question counts only with an answer beside it, if it has one
  DecontaminateMode mode = DecontaminateMode::kDrop;
  fs::path matches;  // JSON lines of what matched where; empty: none
};

// The rules of others, by name:
//   decon      n = 5, questions of 8 and answers of 20 words, idf, share 0.8, all of it up to 25
//              words, gaps of 11
//   datatrove  n = 12, any n-gram of answers and joints, numbers as 0 (NGramsDecontamination)
//   gpt3       n = 13, any n-gram of questions, answers and joints (Brown et al. 2020, appendix C)
//   palm       n = 8, 70% of the n-grams of questions (Chowdhery et al. 2022, section 8)
// Fault::kUsage for another name.
OverlapRule overlap_rule(std::string_view name);

std::unique_ptr<Step> make_decontaminate(const DecontaminateOptions& options);

}  // namespace llmtool
