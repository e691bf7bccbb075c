#include "lib/corpus/extract/stackexchange.h"

#include <tuple>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "lib/base/error.h"
#include "lib/base/external_sort.h"
#include "lib/corpus/extract/steps.h"

namespace llmtool {

namespace {

using Kind = StackPost::Kind;

// Of the folder that a file lies in: ids count within it.
uint64_t folder_key(std::string_view path) {
  const size_t slash = path.rfind('/');
  const std::string_view folder = slash == path.npos ? "" : path.substr(0, slash);
  return XXH3_64bits(folder.data(), folder.size());
}

std::string folder_name(std::string_view path) {
  const size_t slash = path.rfind('/');
  if (slash == path.npos) return {};
  const std::string_view folder = path.substr(0, slash);
  return std::string(folder.substr(folder.rfind('/') + 1));
}

struct Question {
  uint64_t folder = 0, id = 0;
  bool operator<(const Question& other) const {
    return std::tie(folder, id) < std::tie(other.folder, other.id);
  }
};

// The first of `count` sorted records that is not before `wanted`.
template <class Record>
uint64_t lower_bound(const PositionedFile& file, uint64_t count, const Record& wanted) {
  uint64_t low = 0, high = count;
  while (low < high) {
    const uint64_t middle = low + (high - low) / 2;
    Record record;
    file.read(middle * sizeof(Record), &record, sizeof(Record));
    (record < wanted ? low : high) = record < wanted ? middle + 1 : middle;
  }
  return low;
}

}  // namespace

// In the order in which a question's document has them.
struct ExtractStackExchange::Answer {
  Question question;
  int64_t score = 0;
  uint64_t id = 0;
  uint64_t offset = 0, length = 0;  // of its row in the log

  bool operator<(const Answer& other) const {
    return std::tie(question.folder, question.id, other.score, id, offset, length) <
           std::tie(other.question.folder, other.question.id, score, other.id, other.offset,
                    other.length);
  }
};

// The first pass: rows of answers, and what they belong to.
class ExtractStackExchange::Collector : public Step {
 public:
  std::string name() const override { return "extract stackexchange"; }

  void start(StepResources& resources) override {
    rows_ = &resources.log("rows");
    answers_ = &resources.log("answers");
    questions_ = &resources.log("questions");
  }

  void work(Document& document, Tally&, int) override {
    const StackPost post = read_stack_post(document.text, false);
    document.keys = {static_cast<uint64_t>(post.kind), post.id, post.parent,
                     static_cast<uint64_t>(post.score)};
  }

  bool in_order() const override { return true; }

  void decide(Document& document, Tally&) override {
    const auto kind = static_cast<Kind>(document.keys[0]);
    const uint64_t folder = folder_key(document.path);
    if (kind == Kind::kQuestion) {
      const Question question{folder, document.keys[1]};
      questions_->append(&question, sizeof question);
    } else if (kind == Kind::kAnswer) {
      Answer answer;
      answer.question = {folder, document.keys[2]};
      answer.score = static_cast<int64_t>(document.keys[3]);
      answer.id = document.keys[1];
      answer.offset = rows_->size();
      answer.length = document.text.size();
      rows_->append(document.text.data(), document.text.size());
      answers_->append(&answer, sizeof answer);
    }
  }

 private:
  AppendLog* rows_ = nullptr;
  AppendLog* answers_ = nullptr;
  AppendLog* questions_ = nullptr;
};

// The second pass reads here; any thread may.
class ExtractStackExchange::AnswerStore {
 public:
  explicit AnswerStore(StepResources& resources)
      : rows_(PositionedFile::open(flushed(resources, "rows"))),
        answers_(PositionedFile::open(resources.folder / "answers.sorted")),
        questions_(PositionedFile::open(resources.folder / "questions.sorted")),
        answer_count_(answers_.size() / sizeof(Answer)),
        question_count_(questions_.size() / sizeof(Question)) {
    if (question_count_ == 0) return;
    Question first, last;
    questions_.read(0, &first, sizeof first);
    questions_.read((question_count_ - 1) * sizeof last, &last, sizeof last);
    if (first.folder == last.folder) only_folder_ = first.folder;
  }

  // Where the documents of the second pass come from a copy of standard input, their paths are
  // others than in the first.
  uint64_t folder_of(const Document& document) const {
    return only_folder_ ? *only_folder_ : folder_key(document.path);
  }

  bool has(const Question& question) const {
    const uint64_t at = lower_bound(questions_, question_count_, question);
    if (at == question_count_) return false;
    Question found;
    questions_.read(at * sizeof found, &found, sizeof found);
    return !(question < found);
  }

  // At most `most`, the best first.
  std::vector<Answer> answers(const Question& question, size_t most) const {
    Answer first;
    first.question = question;
    first.score = INT64_MAX;
    std::vector<Answer> all;
    for (uint64_t at = lower_bound(answers_, answer_count_, first);
         at < answer_count_ && all.size() < most; ++at) {
      Answer answer;
      answers_.read(at * sizeof answer, &answer, sizeof answer);
      if (question < answer.question) break;
      all.push_back(answer);
    }
    return all;
  }

  std::string row(const Answer& answer) const {
    std::string row(answer.length, '\0');
    rows_.read(answer.offset, row.data(), row.size());
    return row;
  }

 private:
  static fs::path flushed(StepResources& resources, const std::string& name) {
    AppendLog& log = resources.log(name);
    log.flush();
    return log.path();
  }

  PositionedFile rows_, answers_, questions_;
  uint64_t answer_count_, question_count_;
  std::optional<uint64_t> only_folder_;  // if all questions are of one
};

ExtractStackExchange::ExtractStackExchange(const StackExchangeOptions& options)
    : options_(options), collector_(std::make_unique<Collector>()) {}
ExtractStackExchange::~ExtractStackExchange() = default;

Step* ExtractStackExchange::observer() {
  return collector_.get();
}

void ExtractStackExchange::conclude(StepResources& resources) {
  const SortPlace place{
      .folder = resources.folder, .memory = resources.memory, .pool = resources.pool};
  AppendLog& answers = resources.log("answers");
  AppendLog& questions = resources.log("questions");
  answers.flush();
  questions.flush();
  external_sort<Answer>(answers.path(), resources.folder / "answers.sorted", place);
  external_sort<Question>(questions.path(), resources.folder / "questions.sorted", place);
}

void ExtractStackExchange::start(StepResources& resources) {
  store_ = std::make_unique<AnswerStore>(resources);
  scratch_.resize(static_cast<size_t>(resources.threads));
  for (auto& scratch : scratch_) scratch = std::make_unique<Scratch>();
}

void ExtractStackExchange::work(Document& document, Tally&, int thread) {
  const StackPost post = read_stack_post(document.text, true);
  switch (post.kind) {
    case Kind::kQuestion:
      return take_question(document, post, *scratch_[static_cast<size_t>(thread)]);
    case Kind::kAnswer: {
      const bool known = store_->has({store_->folder_of(document), post.parent});
      return reject(document, known ? "extract.answer" : "extract.orphan_answer",
                    concat(post.parent), known ? "" : "a question of this id");
    }
    case Kind::kOther:
      return reject(document, "extract.other_post");
    case Kind::kNoRow:
      return reject(document, "extract.not_a_row", {}, "<row ... />");
    case Kind::kDeleted:
      return reject(document, "extract.deleted");
    case Kind::kCut:
      return reject(document, "extract.cut_row", {}, "<row ... />, with its end");
  }
}

void ExtractStackExchange::take_question(Document& document, const StackPost& question,
                                         Scratch& scratch) const {
  std::string text = options_.labels ? "Q: " : "";
  text += question.title;
  const std::string body = text_of_fragment(question.body, scratch.tree);
  if (!body.empty()) text += (question.title.empty() ? "" : "\n\n") + body;
  std::string scores, ids;
  for (const Answer& answer :
       store_->answers({store_->folder_of(document), question.id}, options_.max_answers)) {
    if (options_.min_score && answer.score < *options_.min_score) break;
    const std::string reply =
        text_of_fragment(read_stack_post(store_->row(answer), true).body, scratch.tree);
    if (reply.empty()) continue;
    text += options_.labels ? "\n\nA: " : "\n\n";
    text += reply;
    scores += concat(scores.empty() ? "" : ",", answer.score);
    ids += concat(ids.empty() ? "" : ",", answer.id);
  }
  if (options_.require_answer && ids.empty()) return reject(document, "extract.unanswered");
  const std::string site = options_.site.empty() ? folder_name(document.path) : options_.site;
  document.id = site.empty() ? concat(question.id) : concat(site, "/", question.id);
  add_text_metadata(document, "site", site);
  document.metadata.push_back({"question_id", concat(question.id)});
  document.metadata.push_back({"score", concat(question.score)});
  document.metadata.push_back({"answer_scores", "[" + scores + "]"});
  document.metadata.push_back({"answer_ids", "[" + ids + "]"});
  if (question.accepted != 0) {
    document.metadata.push_back({"accepted_answer_id", concat(question.accepted)});
  }
  document.metadata.push_back({"tags", tags_as_json(question.tags)});
  add_text_metadata(document, "title", question.title);
  add_text_metadata(document, "date", question.date);
  set_text(document, std::move(text));
}

}  // namespace llmtool
