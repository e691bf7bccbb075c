#include "lib/corpus/decontaminate/decontaminate.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "lib/base/error.h"
#include "lib/base/formatted.h"
#include "lib/base/text_stream.h"
#include "lib/report/page.h"
#include "lib/report/table.h"

namespace llmtool {
namespace {

constexpr const char* kLog = "matches";
constexpr const char* kAttribute = "contamination";
constexpr size_t kExcerpt = 300;
constexpr size_t kShownMatches = 100;

// What one evaluation set has to do with the corpus.
struct SetCounts {
  uint64_t items = 0;
  uint64_t documents = 0;
  std::map<std::string, std::map<uint64_t, uint64_t>> found;  // part -> item number -> times
  uint64_t with_answer = 0;                                   // questions with an answer beside
};

std::vector<EvalItem> read_all(const DecontaminateOptions& options) {
  check(!options.against.empty(), Fault::kUsage, "--against names no file");
  std::vector<EvalItem> items;
  const std::vector<std::string> names = eval_set_names(options.against);
  for (size_t i = 0; i < names.size(); ++i) {
    std::vector<EvalItem> more = read_eval_set(options.against[i], options.fields);
    for (EvalItem& item : more) item.set = names[i];
    items.insert(items.end(), std::make_move_iterator(more.begin()),
                 std::make_move_iterator(more.end()));
  }
  return items;
}

class Decontaminate : public Step {
 public:
  explicit Decontaminate(const DecontaminateOptions& options)
      : options_(options), index_(read_all(options), options.rule) {
    for (const EvalItem& item : index_.items()) ++sets_[item.set].items;
  }

  std::string name() const override { return "decontaminate"; }
  std::vector<StepFile> files() const override {
    std::vector<StepFile> files = {{StepFile::Use::kWritten, options_.matches}};
    for (const fs::path& set : options_.against) files.push_back({StepFile::Use::kRead, set});
    return files;
  }
  bool in_order() const override { return true; }

  std::vector<Figure> figures() const override {
    Figure share;
    share.name = "overlap_share";
    if (options_.mode == DecontaminateMode::kDrop) share.at_most = options_.rule.min_share;
    return {share};
  }

  void start(StepResources& resources) override;
  void work(Document& document, Tally& tally, int thread) override;
  void decide(Document& document, Tally& tally) override;
  void finish(StepResources& resources) override;
  std::vector<Fact> facts() const override;
  std::string report_html() const override;

 private:
  std::string as_json(const Overlap& overlap, std::string_view text) const;
  void cut(Document& document, std::vector<Overlap> overlaps, Tally& tally) const;
  void count(const nlohmann::json& line);
  size_t found(const SetCounts& set, const char* part) const {
    const auto items = set.found.find(part);
    return items == set.found.end() ? 0 : items->second.size();
  }

  DecontaminateOptions options_;
  OverlapIndex index_;
  std::vector<OverlapIndex::Scratch> scratch_;
  AppendLog* log_ = nullptr;
  std::map<std::string, SetCounts> sets_;
  std::vector<std::vector<std::string>> shown_;  // rows of the report
  uint64_t documents_ = 0;
};

// Counts live in memory: they come back from the log.
void Decontaminate::start(StepResources& resources) {
  scratch_.resize(static_cast<size_t>(resources.threads));
  log_ = &resources.log(kLog);
  log_->flush();
  if (log_->size() == 0) return;
  LineReader lines(log_->path());
  for (std::string_view line; lines.next(line);) count(nlohmann::json::parse(line));
}

std::string Decontaminate::as_json(const Overlap& overlap, std::string_view text) const {
  const EvalItem& item = index_.items()[overlap.item];
  std::string json =
      concat(R"({"set": )", json_text(item.set), R"(, "item": )", item.number, R"(, "part": ")",
             name_of(overlap.part), R"(", "share": )", formatted("%.4f", overlap.share),
             R"(, "begin": )", overlap.begin, R"(, "end": )", overlap.end);
  if (overlap.answer != Overlap::Answer::kNone) {
    json += concat(R"(, "answer": )", overlap.answer == Overlap::Answer::kPresent);
  }
  const std::string_view span = text.substr(overlap.begin, overlap.end - overlap.begin);
  return json + concat(R"(, "text": )", json_text(shortened(span, kExcerpt)), "}");
}

void Decontaminate::work(Document& document, Tally& tally, int thread) {
  double best = 0;
  std::vector<Overlap> overlaps =
      index_.find(document.text, scratch_[static_cast<size_t>(thread)], best);
  tally.record(0, best, document);
  if (options_.needs_answer) {
    std::erase_if(overlaps, [](const Overlap& o) { return o.answer == Overlap::Answer::kAbsent; });
  }
  if (overlaps.empty()) return;
  std::string json = "[";
  for (const Overlap& overlap : overlaps) {
    if (json.size() > 1) json += ", ";
    json += as_json(overlap, document.text);
  }
  document.attributes.push_back({kAttribute, json + "]"});
  document.keys = {1};
  if (options_.mode == DecontaminateMode::kCut) cut(document, std::move(overlaps), tally);
}

void Decontaminate::cut(Document& document, std::vector<Overlap> overlaps, Tally& tally) const {
  std::sort(overlaps.begin(), overlaps.end(),
            [](const Overlap& a, const Overlap& b) { return a.begin < b.begin; });
  const std::string_view text = document.text;
  std::string kept;
  size_t done = 0;
  for (const Overlap& overlap : overlaps) {
    if (overlap.begin > done) kept += text.substr(done, overlap.begin - done);
    if (overlap.end <= done) continue;
    const size_t begin = std::max(done, overlap.begin);
    tally.change("spans of evaluation sets", 1, overlap.end - begin,
                 text.substr(begin, overlap.end - begin), document);
    done = overlap.end;
  }
  kept += text.substr(done);
  document.text = std::move(kept);
  document.text_changed = true;
}

void Decontaminate::decide(Document& document, Tally&) {
  if (document.keys.empty()) return;
  document.keys.clear();
  const auto attribute = std::find_if(document.attributes.rbegin(), document.attributes.rend(),
                                      [](const Attribute& a) { return a.name == kAttribute; });
  LLMTOOL_ASSERT(attribute != document.attributes.rend());
  const std::string line =
      concat(R"({"id": )", json_text(document.id), R"(, "where": )", json_text(where(document)),
             R"(, "matches": )", attribute->json, "}\n");
  log_->append(line.data(), line.size());
  const nlohmann::json json = nlohmann::json::parse(line);
  count(json);
  if (options_.mode != DecontaminateMode::kDrop) return;
  const nlohmann::json& match = json["matches"][0];
  const std::string set = match["set"];
  reject(document, concat("contaminated.", set),
         concat("item ", match["item"].get<uint64_t>(), ", ", match["part"].get<std::string>(),
                ", share ", formatted("%.4f", match["share"].get<double>())),
         concat("< ", options_.rule.min_share));
}

void Decontaminate::count(const nlohmann::json& line) {
  ++documents_;
  std::vector<std::string> sets;
  for (const nlohmann::json& match : line["matches"]) {
    const std::string set = match["set"], part = match["part"];
    SetCounts& counts = sets_[set];
    ++counts.found[part][match["item"].get<uint64_t>()];
    counts.with_answer += match.contains("answer") && match["answer"].get<bool>();
    if (std::find(sets.begin(), sets.end(), set) == sets.end()) {
      sets.push_back(set);
      ++counts.documents;
    }
    if (shown_.size() >= kShownMatches) continue;
    const std::string id = line["id"];
    shown_.push_back({set, std::to_string(match["item"].get<uint64_t>()), part,
                      formatted("%.2f", match["share"].get<double>()),
                      id.empty() ? line["where"].get<std::string>() : id,
                      concat(match["begin"].get<uint64_t>(), "-", match["end"].get<uint64_t>()),
                      match["text"]});
  }
}

void Decontaminate::finish(StepResources&) {
  if (options_.matches.empty()) return;
  log_->flush();
  OutputStream out(options_.matches);
  InputStream in(log_->path());
  std::string buffer(size_t{1} << 16, '\0');
  for (size_t n = 0; (n = in.read(buffer.data(), buffer.size())) > 0;) {
    out.write(std::string_view(buffer).substr(0, n));
  }
  out.close();
}

std::vector<Fact> Decontaminate::facts() const {
  std::vector<Fact> facts = {
      fact("items", index_.items().size()), fact("items too short to be found", index_.too_short()),
      fact("n-grams", index_.ngram_count()), fact("contaminated documents", documents_)};
  for (const auto& [set, counts] : sets_) {
    if (counts.documents == 0) continue;
    const size_t questions = found(counts, "question"), answers = found(counts, "answer"),
                 joints = found(counts, "joint");
    const nlohmann::ordered_json json = {{"questions", questions},
                                         {"answers", answers},
                                         {"joints", joints},
                                         {"items", counts.items},
                                         {"documents", counts.documents}};
    facts.push_back({set,
                     concat(questions, " questions, ", answers, " answers, ", joints, " joints of ",
                            counts.items, " items in ", counts.documents, " documents"),
                     json.dump(), "sets"});
  }
  return facts;
}

std::string Decontaminate::report_html() const {
  std::vector<std::vector<std::string>> rows;
  for (const auto& [set, counts] : sets_) {
    rows.push_back({set, std::to_string(counts.items), std::to_string(counts.documents),
                    std::to_string(found(counts, "question")), std::to_string(counts.with_answer),
                    std::to_string(found(counts, "answer")),
                    std::to_string(found(counts, "joint"))});
  }
  return section("Evaluation sets",
                 grid_table({"set", "items", "documents", "questions found",
                             "with an answer beside", "answers found", "joints found"},
                            rows)) +
         section("What matched where (the first matches)",
                 grid_table({"set", "item", "part", "share", "document", "bytes", "text"}, shown_));
}

}  // namespace

OverlapRule overlap_rule(std::string_view name) {
  OverlapRule rule;
  if (name == "decon") return rule;
  rule.idf = false;
  rule.perfect_words = rule.question_words = rule.answer_words = 0;
  rule.min_share = 0;
  if (name == "datatrove") {
    rule.ngram = 12;
    rule.parts[0] = false;
    rule.parts[2] = true;
    rule.zero_numbers = true;
  } else if (name == "gpt3") {
    rule.ngram = 13;
    rule.parts[2] = true;
  } else if (name == "palm") {
    rule.ngram = 8;
    rule.parts[1] = false;
    rule.min_share = 0.7;
    rule.max_gap = ~uint32_t{0} / 8;  // anywhere in the document
  } else {
    fail(Fault::kUsage, concat("'", name, "' is no rule of decontamination"),
         "rules are decon, datatrove, gpt3 and palm");
  }
  return rule;
}

std::unique_ptr<Step> make_decontaminate(const DecontaminateOptions& options) {
  return std::make_unique<Decontaminate>(options);
}

}  // namespace llmtool
