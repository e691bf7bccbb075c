#include "lib/corpus/decontaminate/decontaminate.h"

#include <CLI/CLI.hpp>
#include <optional>

#include "cmd/corpus_step.h"
#include "lib/base/error.h"
#include "lib/io/corpus_reader.h"

namespace llmtool {
namespace {

constexpr const char* kHelp =
    "An item of an evaluation set has parts: its question, each answer, and 'joint', the n-grams\n"
    "that hold the end of the question and the beginning of an answer. A document holds a share "
    "of\n"
    "a part: of its distinct n-grams of words those that stand in the document with at most\n"
    "--max-gap words between one and the next, weighed alike or by idf, ln(1 + parts / parts with\n"
    "that n-gram). A part is found if the share is --min-share or more; a part of up to\n"
    "--perfect-words words must be there whole; one of less than --ngram words is not looked for.\n"
    "Words: lower case, parted by everything but letters and digits; accents dropped; ideographs\n"
    "and kana each a word. --numbers zero makes each number 0.\n"
    "  decon      5 words, questions of 8 and answers of 20 words, idf, share 0.8, whole up to 25\n"
    "             words, gaps of 11 (after allenai/decon, which takes 5 tokens of cl100k)\n"
    "  datatrove  12 words, any n-gram of answers and joints, numbers as 0\n"
    "  gpt3       13 words, any n-gram of question, answers and joints\n"
    "  palm       8 words, 70% of the n-grams of the question, anywhere in the document\n"
    "Of a question that is found the report says whether an answer stands within 100 words of it;\n"
    "--needs-answer lets it count only then (or if the item has no answer).\n"
    "Documents that match get the attribute contamination: set, item (from 1), part, share, bytes\n"
    "and text of each match. --matches writes the same for each document as JSON lines.\n"
    "Sets: JSON lines (.gz, .zst) or .csv; question: question, query, context, prompt, text, "
    "turns,\n"
    "...; answers: answer, answers, aliases, continuation, canonical_solution, code, the choice\n"
    "that gold or answer names, 'Best Answer', 'Correct Answers'; MMLU's CSV with or without "
    "names.\n\n"
    "Example:\n"
    "  llmtool decontaminate web.jsonl --against gsm8k/test.jsonl --against 'mmlu/*.csv' -o "
    "clean.jsonl";

struct Flags {
  std::vector<std::string> against;
  std::string question, answer, rule = "decon", mode = "drop", matches;
  std::vector<std::string> parts;
  std::optional<size_t> ngram, perfect_words, max_gap, question_words, answer_words;
  std::optional<double> min_share;
  std::string weights, numbers;
  bool needs_answer = false;
};

OverlapRule rule_of(const Flags& flags) {
  OverlapRule rule = overlap_rule(flags.rule);
  rule.ngram = flags.ngram.value_or(rule.ngram);
  rule.perfect_words = flags.perfect_words.value_or(rule.perfect_words);
  rule.question_words = flags.question_words.value_or(rule.question_words);
  rule.answer_words = flags.answer_words.value_or(rule.answer_words);
  rule.max_gap = flags.max_gap.value_or(rule.max_gap);
  rule.min_share = flags.min_share.value_or(rule.min_share);
  if (!flags.weights.empty()) rule.idf = flags.weights == "idf";
  if (!flags.numbers.empty()) rule.zero_numbers = flags.numbers == "zero";
  if (flags.parts.empty()) return rule;
  for (const EvalPart part : {EvalPart::kQuestion, EvalPart::kAnswer, EvalPart::kJoint}) {
    rule.parts[static_cast<size_t>(part)] =
        std::find(flags.parts.begin(), flags.parts.end(), name_of(part)) != flags.parts.end();
  }
  return rule;
}

std::unique_ptr<Step> make(const Flags& flags) {
  DecontaminateOptions options;
  for (const CorpusInput& file : list_inputs(flags.against))
    options.against.emplace_back(file.path);
  options.fields = {flags.question, flags.answer};
  options.rule = rule_of(flags);
  options.needs_answer = flags.needs_answer;
  options.mode = flags.mode == "drop"  ? DecontaminateMode::kDrop
                 : flags.mode == "cut" ? DecontaminateMode::kCut
                                       : DecontaminateMode::kMark;
  options.matches = flags.matches;
  return make_decontaminate(options);
}

void define_rule(CLI::App& app, Flags& flags) {
  app.add_option("--rule", flags.rule, "Whose rule; the flags below change it")
      ->check(CLI::IsMember({"decon", "datatrove", "gpt3", "palm"}))
      ->capture_default_str();
  app.add_option("--ngram", flags.ngram, "Words of an n-gram")->check(CLI::PositiveNumber);
  app.add_option("--parts", flags.parts, "What to look for: question, answer, joint")
      ->delimiter(',')
      ->check(CLI::IsMember({"question", "answer", "joint"}));
  app.add_option("--min-share", flags.min_share, "Share of a part that counts; 0: any n-gram")
      ->check(CLI::Range(0.0, 1.0));
  app.add_option("--perfect-words", flags.perfect_words,
                 "Words up to which a part must be there whole");
  app.add_option("--question-words", flags.question_words, "Words from which a question counts");
  app.add_option("--answer-words", flags.answer_words,
                 "Words from which an answer counts without its question");
  app.add_option("--max-gap", flags.max_gap, "Words between n-grams that belong together")
      ->check(CLI::Range(size_t{0}, size_t{1} << 28));
  app.add_option("--weights", flags.weights, "Weights of n-grams")
      ->check(CLI::IsMember({"idf", "plain"}));
  app.add_option("--numbers", flags.numbers, "Numbers as they are, or each as 0")
      ->check(CLI::IsMember({"keep", "zero"}));
  app.add_flag("--needs-answer", flags.needs_answer, "Count questions only with an answer beside");
}

StepMaker define(CLI::App& app) {
  auto flags = std::make_shared<Flags>();
  app.add_option("--against", flags->against,
                 "Evaluation set: a file, a folder or a glob; may repeat")
      ->required();
  app.add_option("--question-field", flags->question, "Member or column of the question");
  app.add_option("--answer-field", flags->answer, "Member or column of the answer");
  define_rule(app, *flags);
  app.add_option("--mode", flags->mode, "Drop documents, cut what overlaps, or only mark it")
      ->check(CLI::IsMember({"drop", "cut", "mark"}))
      ->capture_default_str();
  app.add_option("--matches", flags->matches, "File for what matched where, as JSON lines");
  app.footer(kHelp);
  return [flags] { return make(*flags); };
}

const RegisterStep decontaminate{
    {"decontaminate", "Take evaluation sets out of the corpus", 16, define}};

}  // namespace
}  // namespace llmtool
