// Questions of a Stack Exchange dump with their answers.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/corpus/extract/html_tree.h"
#include "lib/corpus/step.h"

namespace llmtool {

// A <row .../> of Posts.xml.
struct StackPost {
  enum class Kind { kNoRow, kCut, kDeleted, kQuestion, kAnswer, kOther } kind = Kind::kNoRow;
  uint64_t id = 0, parent = 0, accepted = 0;
  int64_t score = 0;
  std::string title, body, tags, date;  // body: HTML
};

// Attributes are read by name, their five entities and numbers replaced; there is no document type
// and nothing that could expand. with_text: title, body, tags and date too.
StackPost read_stack_post(std::string_view row, bool with_text);

// A piece of HTML as text, all of it: blocks, lists, code as text_of_blocks() has them.
std::string text_of_fragment(std::string_view html, HtmlTree& tree);

// "<a><b>" or "|a|b|" as JSON: ["a","b"].
std::string tags_as_json(std::string_view tags);

struct StackExchangeOptions {
  bool labels = true;  // "Q: " before the title, "A: " before each answer
  std::optional<int64_t> min_score = std::nullopt;  // of an answer
  size_t max_answers = 1000;
  bool require_answer = false;
  std::string site = {};  // empty: the name of the folder that Posts.xml lies in
};

// One document a question: title, body, and the answers, the highest score first, as numbers; equal
// scores by id. Answers may stand anywhere in the folder of their question: a first pass lays them
// down, sorted by question. Adds metadata site, question_id, score, answer_scores, answer_ids,
// accepted_answer_id, tags, title, date; the id becomes "site/question". Rules: extract.answer (it
// went into its question), extract.orphan_answer (its question is not there), extract.other_post,
// extract.not_a_row, extract.cut_row (its end is missing), extract.deleted (it has a DeletionDate),
// extract.unanswered (only with require_answer).
class ExtractStackExchange : public Step {
 public:
  explicit ExtractStackExchange(const StackExchangeOptions& options);
  ~ExtractStackExchange() override;
  std::string name() const override { return "extract stackexchange"; }
  Step* observer() override;
  void conclude(StepResources& resources) override;
  void start(StepResources& resources) override;
  void work(Document& document, Tally& tally, int thread) override;

 private:
  struct Scratch {
    HtmlTree tree;
  };
  struct Answer;
  class Collector;
  class AnswerStore;

  void take_question(Document& document, const StackPost& question, Scratch& scratch) const;

  StackExchangeOptions options_;
  std::unique_ptr<Collector> collector_;
  std::unique_ptr<AnswerStore> store_;
  std::vector<std::unique_ptr<Scratch>> scratch_;
};

}  // namespace llmtool
