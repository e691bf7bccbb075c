// Evaluation sets as decontamination reads them: what was asked, and what answers it.
#pragma once

#include <string>
#include <vector>

#include "lib/base/file.h"

namespace llmtool {

struct EvalItem {
  std::string set;      // the name of its file without folder and endings
  uint64_t number = 0;  // of the item in its set, from 1
  std::string question;
  std::vector<std::string> answers;  // the right ones
};

// Which members or columns to read; empty: by their names.
struct EvalFields {
  std::string question, answer;
};

// A file of JSON lines (.gz and .zst too) or, by its ending, of CSV. Without names given, the
// question is the first of these members that is there: question, Question, query, context, prompt,
// text, turns, instruction, sent_more; the answer all of: answer, answers, aliases, continuation,
// canonical_solution, code, output, "Best Answer", "Correct Answers" (parted by "; "). A number
// as "gold" or "answer" chooses among "choices" or the columns choice0, ...; of "context_options"
// (WinoGrande) gold chooses the question. A CSV file without a row of names is MMLU's first form:
// question, A, B, C, D, the letter of the answer. "Question:" before and "Answer:" behind a
// question are not part of it.
// Fault::kInput with file and line for what cannot be read or has no question.
std::vector<EvalItem> read_eval_set(const fs::path& path, const EvalFields& fields = {});

// What sets are called: the file's name without its endings, and as many folders before it as tell
// it from the others ("gsm8k/test", "arc/test"); with its ending if only that does. A path that is
// there twice: Fault::kUsage.
std::vector<std::string> eval_set_names(const std::vector<fs::path>& paths);

}  // namespace llmtool
