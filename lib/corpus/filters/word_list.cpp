// Lists of words that are not wanted: the "bad words" of C4, lists of toxic words.
#include "lib/corpus/filters/characters.h"
#include "lib/corpus/filters/list_file.h"
#include "lib/corpus/filters/phrase_set.h"
#include "lib/corpus/filters/rule.h"

namespace llmtool {
namespace {

// words.count and words.share, both or one of them.
class WordListCheck : public FilterCheck {
 public:
  explicit WordListCheck(const FilterSettings& settings)
      : phrases_(read_lists(settings.word_lists), !settings.words_without_borders) {
    for (const std::string& name : settings.rules) {
      if (name == "words.count") count_ = bounds_of(find_filter_rule(name), settings);
      if (name == "words.share") share_ = bounds_of(find_filter_rule(name), settings);
    }
  }

  std::vector<Figure> figures() const override {
    std::vector<Figure> all;
    if (count_)
      all.push_back(
          {"words.count", Figure::Scale::kLinear, 0, 50, count_->at_least, count_->at_most});
    if (share_)
      all.push_back(
          {"words.share", Figure::Scale::kLinear, 0, 0.1, share_->at_least, share_->at_most});
    return all;
  }

  void apply(Document& document, FilterContext& context) const override {
    thread_local std::string lower;
    lower.clear();
    append_lower(lower, context.text.text());
    const PhraseSet::Found found = phrases_.count_in(lower);
    const auto times = static_cast<double>(found.times);
    size_t figure = context.figure;
    if (count_) judge(document, context, figure++, "words.count", times, *count_);
    if (share_ && !document.rejected) {
      const auto words = static_cast<double>(context.text.word_count(WordKind::kWhitespace));
      judge(document, context, figure, "words.share", words > 0 ? times / words : 0, *share_);
    }
    if (document.rejected && found.times > 0)
      document.rejection.figure += concat(" (first: '", found.first, "')");
  }

 private:
  PhraseSet phrases_;
  std::optional<FilterBounds> count_, share_;
};

std::unique_ptr<FilterCheck> make(const FilterRule& rule, const FilterSettings& settings) {
  check(!settings.word_lists.empty(), Fault::kUsage, "'", rule.name, "' needs a --word-list");
  for (const std::string& name : settings.rules) {
    const FilterRule& first = find_filter_rule(name);
    if (first.make == make)
      return first.name == rule.name ? std::make_unique<WordListCheck>(settings) : nullptr;
  }
  return nullptr;
}

const Register<FilterRule> word_count{{.name = "words.count",
                                       .measures = "how often the words of --word-list are there",
                                       .follows = "C4's bad words",
                                       .bounds = {{}, 0},
                                       .make = make}};
const Register<FilterRule> word_share{{.name = "words.share",
                                       .measures = "words of --word-list / words between spaces",
                                       .follows = "a list of toxic words as a share",
                                       .bounds = {{}, 0.01},
                                       .make = make}};

}  // namespace
}  // namespace llmtool
