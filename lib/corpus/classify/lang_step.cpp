#include "lib/corpus/classify/lang_step.h"

#include <algorithm>
#include <cmath>

#include "lib/base/embedded.h"
#include "lib/base/error.h"
#include "lib/corpus/classify/model_note.h"
#include "lib/corpus/classify/text_classifier.h"

namespace llmtool {
namespace {

constexpr const char* kShipped = "lang/languages.ftz";
constexpr std::string_view kUnknown = "und";

std::unique_ptr<TextClassifier> load(const fs::path& path) {
  if (!path.empty()) return std::make_unique<TextClassifier>(path);
  return std::make_unique<TextClassifier>(embedded_file(kShipped), kShipped);
}

// A language by its label, -1 for "und".
struct Judgement {
  int label = -1;
  double score = 0;
};

// What one thread works with.
struct Workspace {
  std::string excerpt, joined, prepared;
  TextClassifier::Scratch scratch;
  std::vector<LabelScore> found;
  std::vector<double> bytes, weighted;  // of each language; the last is "und"
};

class LangStep : public Step {
 public:
  explicit LangStep(const LangOptions& options)
      : options_(options),
        model_(load(options.model)),
        form_(options.form ? *options.form : read_note(*model_, "lang").form),
        unit_(std::pow(10.0, options.decimals)) {
    for (const std::string& label : model_->labels()) {
      names_.push_back(json_text(label));
      counted_as_.push_back(concat("language ", label));
    }
    names_.push_back(json_text(kUnknown));
    counted_as_.push_back(concat("language ", kUnknown));
    set_kept();
  }

  std::string name() const override { return "lang"; }

  std::vector<Figure> figures() const override {
    Figure score;
    score.name = "language_score";
    if (options_.min_score > 0) score.at_least = options_.min_score;
    return {score};
  }

  void start(StepResources& resources) override {
    spaces_ = std::vector<Workspace>(static_cast<size_t>(resources.threads));
  }

  void work(Document& document, Tally& tally, int thread) override {
    Workspace& w = spaces_[static_cast<size_t>(thread)];
    Judgement language = options_.by_line ? judge_lines(document, w) : judge_document(document, w);
    language.score = rounded(language.score);
    const size_t place = place_of(language.label);
    document.attributes.push_back({"language", names_[place]});
    document.attributes.push_back({"language_score", json_number(language.score)});
    tally.record(0, language.score, document);
    tally.change(counted_as_[place], 1, 0, {}, document);
    if (!kept_[place]) {
      reject(document, "lang.language", bare(names_[place]), "one of --keep");
    } else if (language.score < options_.min_score) {
      reject(document, "lang.score", json_number(language.score),
             concat(">= ", json_number(options_.min_score)));
    }
  }

  std::vector<Fact> facts() const override {
    return {fact("model", options_.model.empty() ? concat("of llmtool (", kShipped, ")")
                                                 : options_.model.string()),
            fact("languages it knows", model_->labels().size()),
            fact("text", std::string(name_of(form_)))};
  }

 private:
  static std::string bare(const std::string& quoted) { return quoted.substr(1, quoted.size() - 2); }

  size_t place_of(int label) const {
    return label < 0 ? names_.size() - 1 : static_cast<size_t>(label);
  }

  double rounded(double score) const { return std::round(std::min(score, 1.0) * unit_) / unit_; }

  void set_kept() {
    kept_.assign(names_.size(), options_.keep.empty());
    for (const std::string& language : options_.keep) {
      const auto at = std::ranges::find(names_, json_text(language));
      if (at == names_.end()) {
        fail(Fault::kUsage, concat("the model has no language '", language, "'"),
             concat("it has ", joined_labels()));
      }
      kept_[static_cast<size_t>(at - names_.begin())] = true;
    }
  }

  std::string joined_labels() const {
    constexpr size_t kMost = 200;
    std::vector<std::string> labels = model_->labels();
    std::ranges::sort(labels);
    if (labels.size() > kMost) return concat(labels.size(), " others");
    std::string all;
    for (const std::string& label : labels) all += (all.empty() ? "" : " ") + label;
    return all;
  }

  // The best label of a text; w.found has the `most` best.
  Judgement judge(std::string_view text, size_t most, Workspace& w) const {
    w.found.clear();
    if (!has_letters(text, options_.min_letters)) return {};
    std::string_view looked_at = excerpt_of(text, options_.max_bytes, w.excerpt);
    if (options_.join_lines) {
      prepare_text(looked_at, TextForm::kJoined, w.joined);
      looked_at = w.joined;
    }
    prepare_text(looked_at, form_, w.prepared);
    model_->predict(w.prepared, most, w.scratch, w.found);
    if (w.found.empty() || w.found[0].score < options_.unknown_below) return {};
    return {w.found[0].label, w.found[0].score};
  }

  Judgement judge_document(Document& document, Workspace& w) const {
    const Judgement language = judge(document.text, options_.top, w);
    if (options_.top > 1) {
      std::string json = "{";
      for (const LabelScore& found : w.found) {
        if (json.size() > 1) json += ", ";
        json += concat(names_[place_of(found.label)], ": ", json_number(rounded(found.score)));
      }
      document.attributes.push_back({"languages", json + "}"});
    }
    return language;
  }

  Judgement judge_lines(Document& document, Workspace& w) const {
    w.bytes.assign(names_.size(), 0);
    w.weighted.assign(names_.size(), 0);
    double all = 0;
    std::string_view rest = document.text;
    while (!rest.empty()) {
      const size_t end = std::min(rest.find('\n'), rest.size());
      const std::string_view line = rest.substr(0, end);
      rest.remove_prefix(std::min(end + 1, rest.size()));
      if (!has_letters(line, options_.min_letters)) continue;
      const Judgement language = judge(line, 1, w);
      const size_t place = place_of(language.label);
      const auto bytes = static_cast<double>(line.size());
      w.bytes[place] += bytes;
      w.weighted[place] += bytes * std::min(language.score, 1.0);
      all += bytes;
    }
    return share_out(document, all, w);
  }

  Judgement share_out(Document& document, double all, const Workspace& w) const {
    std::vector<size_t> order;
    for (size_t i = 0; i < names_.size(); ++i) {
      if (w.bytes[i] > 0 && rounded(w.bytes[i] / all) > 0) order.push_back(i);
    }
    std::ranges::stable_sort(order, std::greater(), [&](size_t i) { return w.bytes[i]; });
    std::string json = "{";
    for (const size_t i : order) {
      if (json.size() > 1) json += ", ";
      json += concat(names_[i], ": ", json_number(rounded(w.bytes[i] / all)));
    }
    document.attributes.push_back({"languages", json + "}"});
    if (order.empty() || order[0] + 1 == names_.size()) return {};
    return {static_cast<int>(order[0]), w.weighted[order[0]] / all};
  }

  LangOptions options_;
  std::unique_ptr<TextClassifier> model_;
  TextForm form_;
  double unit_;
  std::vector<std::string> names_;  // of the labels, as JSON; "und" behind them
  std::vector<std::string> counted_as_;
  std::vector<bool> kept_;
  std::vector<Workspace> spaces_;
};

}  // namespace

std::unique_ptr<Step> make_lang_step(const LangOptions& options) {
  return std::make_unique<LangStep>(options);
}

std::vector<std::string> shipped_languages() {
  std::vector<std::string> labels = load({})->labels();
  std::ranges::sort(labels);
  return labels;
}

}  // namespace llmtool
