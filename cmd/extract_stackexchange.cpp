#include <CLI/CLI.hpp>
#include <memory>

#include "cmd/corpus_step.h"
#include "lib/corpus/extract/stackexchange.h"

namespace llmtool {

namespace {

StepMaker define(CLI::App& app) {
  auto o = std::make_shared<StackExchangeOptions>();
  app.add_flag("--labels,!--no-labels", o->labels,
               "\"Q: \" before the title and \"A: \" before each answer (the default)");
  app.add_option("--min-score", o->min_score, "Leave out answers with a lower score");
  app.add_option("--max-answers", o->max_answers, "Take so many answers at most")
      ->capture_default_str();
  app.add_flag("--require-answer", o->require_answer, "Drop questions without an answer");
  app.add_option("--site", o->site, "The site's name; else that of the folder of Posts.xml");
  app.footer(
      "Definition. Each line <row ... /> of a dump's Posts.xml is one record (--format lines).\n"
      "One document a question (PostTypeId 1): `Q: ` title, an empty line, the body, and for each\n"
      "answer (PostTypeId 2, ParentId the question) an empty line, `A: ` and its body; the "
      "highest\n"
      "score first, as numbers, equal scores by id. Answers may stand anywhere in the files of "
      "the\n"
      "same folder: they are laid down in a first pass and sorted within --memory. HTML becomes\n"
      "text, code keeps its lines. Metadata added: site, question_id, score, answer_scores,\n"
      "answer_ids, accepted_answer_id, tags, title, date; the id becomes site/question.\n"
      "Dropped under extract.answer (it is in its question's document), extract.orphan_answer "
      "(its\n"
      "question is not there), extract.other_post, extract.not_a_row, extract.cut_row (its end is\n"
      "missing), extract.deleted (it has a DeletionDate), extract.unanswered.\n\n"
      "Example:\n"
      "  llmtool extract stackexchange math.stackexchange.com/Posts.xml --output math.jsonl.zst");
  return [o] { return std::make_unique<ExtractStackExchange>(*o); };
}

const RegisterStep extract_stackexchange{{"extract stackexchange",
                                          "Questions of a Stack Exchange dump with their answers",
                                          11, define, "lines"}};

}  // namespace
}  // namespace llmtool
