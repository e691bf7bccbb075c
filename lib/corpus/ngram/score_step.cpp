#include "lib/corpus/ngram/score_step.h"

#include <algorithm>
#include <cstdlib>
#include <map>

#include "lib/base/error.h"
#include "lib/base/formatted.h"

namespace llmtool {
namespace {

constexpr double kLow = 1, kHigh = 1e6;  // ends of the histogram

// Of "en=en.bin" the part before the equals sign; empty for "en.bin" and "./a=b.bin".
std::string_view language_of(std::string_view text) {
  const size_t equals = text.find('=');
  if (equals == text.npos) return {};
  const std::string_view language = text.substr(0, equals);
  const bool is_one = std::ranges::all_of(language, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  });
  return is_one ? language : std::string_view();
}

// Languages and what was given for them; "" for what is for all.
std::map<std::string, std::string> by_language(const std::vector<std::string>& given,
                                               const char* flag) {
  std::map<std::string, std::string> files;
  for (const std::string& text : given) {
    const std::string_view language = language_of(text);
    const std::string file = text.substr(language.empty() ? 0 : language.size() + 1);
    check(!file.empty(), Fault::kUsage, flag, " ", text, ": expected LANGUAGE=FILE");
    check(files.emplace(language, file).second, Fault::kUsage, flag,
          language.empty() ? std::string(" without a language")
                           : concat(" for the language '", language, "'"),
          " is given twice");
  }
  return files;
}

// As Python's round(): the decimal nearest to the number's exact value, ties to even.
double rounded(double value, int decimals) {
  return std::strtod(formatted("%.*f", decimals, value).c_str(), nullptr);
}

class ScoreStep final : public Step {
 public:
  explicit ScoreStep(const NgramScoreOptions& options) : options_(options) { load(); }

  std::string name() const override { return "ngram score"; }

  std::vector<Figure> figures() const override {
    return {{"perplexity", Figure::Scale::kLog, kLow, kHigh, options_.min_perplexity,
             options_.max_perplexity}};
  }

  void start(StepResources& resources) override {
    work_.resize(static_cast<size_t>(resources.threads));
  }

  void work(Document& document, Tally& tally, int thread) override {
    const TextScorer* scorer = scorer_of(document);
    if (scorer == nullptr) return tally.change("documents without a model", 1, 0, {}, document);
    auto& work = work_[static_cast<size_t>(thread)];
    const TextScore score = scorer->score(document.text, work);
    if (score.sentences == 0) {
      return tally.change("documents without a word", 1, 0, {}, document);
    }
    tally.change("words scored", score.words, 0, {}, document);
    if (score.unknown > 0) tally.change("words unknown", score.unknown, 0, {}, document);
    const double perplexity = rounded(score.perplexity(), options_.decimals);
    add_attributes(document, score, perplexity);
    if (options_.lines) add_lines(document, *scorer, work);
    tally.record(0, perplexity, document);
    judge(document, perplexity);
  }

  std::vector<Fact> facts() const override {
    std::vector<Fact> facts = models_;
    facts.push_back(fact("normaliser", options_.normaliser));
    facts.push_back(fact("a sentence is", whole_text_ ? "a document" : "a line"));
    return facts;
  }

 private:
  void load() {
    const auto models = by_language(options_.models, "--model");
    auto tokenizers = by_language(options_.tokenizers, "--tokenizer");
    check(!models.empty(), Fault::kUsage, "no --model is given");
    TextScoring scoring{ngram_normaliser_of(options_.normaliser), false};
    const bool ccnet = scoring.normaliser != NgramNormaliser::kNone;
    scoring.whole_text = options_.sentence.empty() ? ccnet : options_.sentence == "document";
    whole_text_ = scoring.whole_text;
    std::map<std::string, std::shared_ptr<const Tokenizer>> loaded;
    for (const auto& [language, file] : models) {
      auto tokenizer = tokenizers.find(language);
      if (tokenizer == tokenizers.end()) tokenizer = tokenizers.find("");
      std::shared_ptr<const Tokenizer> pieces;
      if (tokenizer != tokenizers.end()) {
        auto& there = loaded[tokenizer->second];
        if (!there) there = load_tokenizer(tokenizer->second);
        pieces = there;
      }
      auto model = load_ngram_model(file, options_.loading);
      models_.push_back(fact(language.empty() ? "model" : "model of " + language,
                             concat(file, ": ", model->kind(), ", order ", model->order(), ", ",
                                    model->vocabulary_size(), " words")));
      scorers_.emplace(language, std::make_unique<TextScorer>(std::move(model), std::move(pieces),
                                                              scoring, file));
    }
    for (const auto& [language, file] : tokenizers) {
      check(language.empty() || models.contains(language), Fault::kUsage, "--tokenizer ", language,
            "=", file, ": there is no --model for '", language, "'");
    }
    const auto all = scorers_.find("");
    for_all_ = all == scorers_.end() ? nullptr : all->second.get();
  }

  const TextScorer* scorer_of(const Document& document) const {
    if (scorers_.size() == 1 && for_all_ != nullptr) return for_all_;
    const MemberValue language = member(document, options_.language);
    if (!language.found || language.text.empty()) return for_all_;
    const auto found = scorers_.find(language.text);
    return found == scorers_.end() ? for_all_ : found->second.get();
  }

  void add_attributes(Document& document, const TextScore& score, double perplexity) const {
    const auto add = [&](const char* attribute, std::string json) {
      document.attributes.push_back({attribute, std::move(json)});
    };
    add("perplexity", json_number(perplexity));
    if (!options_.details) return;
    add("log10_probability", json_number(score.log10_probability));
    add("ngram_words", std::to_string(score.words));
    add("ngram_unknown", std::to_string(score.unknown));
  }

  void add_lines(Document& document, const TextScorer& scorer, TextScorer::Workspace& work) const {
    std::string json = "[";
    for (const TextScore& line : scorer.score_lines(document.text, work)) {
      if (json.size() > 1) json += ", ";
      json += json_number(rounded(line.perplexity(), options_.decimals));
    }
    document.attributes.push_back({"line_perplexity", json + "]"});
  }

  void judge(Document& document, double perplexity) const {
    if (options_.min_perplexity && perplexity < *options_.min_perplexity) {
      reject(document, "ngram.perplexity", json_number(perplexity),
             concat(">= ", *options_.min_perplexity));
    } else if (options_.max_perplexity && perplexity > *options_.max_perplexity) {
      reject(document, "ngram.perplexity", json_number(perplexity),
             concat("<= ", *options_.max_perplexity));
    }
  }

  NgramScoreOptions options_;
  bool whole_text_ = false;
  std::map<std::string, std::unique_ptr<TextScorer>, std::less<>> scorers_;  // by language
  const TextScorer* for_all_ = nullptr;
  std::vector<Fact> models_;                 // facts
  std::vector<TextScorer::Workspace> work_;  // by thread
};

}  // namespace

std::unique_ptr<Step> make_ngram_score_step(const NgramScoreOptions& options) {
  return std::make_unique<ScoreStep>(options);
}

}  // namespace llmtool
