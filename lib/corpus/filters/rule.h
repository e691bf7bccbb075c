// The rules of `llmtool filter`. A rule has a name, measures one figure of a document and has
// bounds for it; a file of this folder holds a family of them. Each leaf file ends with
//     const Register<FilterRule> words{{.name = "gopher.words", ...}};
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lib/base/catalog.h"
#include "lib/corpus/filters/text_analysis.h"
#include "lib/corpus/step.h"

namespace llmtool {

// Whose definition a family follows where they differ. See the files of the rules.
enum class C4Variant { kTfds, kDatatrove, kPaper };
enum class GopherVariant { kDatatrove, kDolma, kPaper };

struct FilterVariants {
  C4Variant c4 = C4Variant::kTfds;
  GopherVariant gopher = GopherVariant::kDatatrove;
};

// A document is kept while at_least <= figure <= at_most.
struct FilterBounds {
  std::optional<double> at_least, at_most;
};

struct FilterSettings {
  std::vector<std::string> rules;  // in the order in which they are applied
  FilterVariants variants;
  std::map<std::string, FilterBounds, std::less<>> bounds;  // by rule, instead of its defaults
  std::vector<std::string> conditions;                      // of the rule "attribute"
  std::string url_member = "metadata.url", path_member = "metadata.path";
  std::vector<std::string> domain_lists, url_lists, url_word_lists, url_soft_word_lists,
      url_substring_lists, word_lists;
  std::vector<std::string> extensions;  // of "code.extension", instead of its defaults
  bool words_without_borders = false;   // of the word lists
  bool mark = false;                    // add the figures as attributes and drop nothing
};

// What a check needs of the thread and block it runs in.
struct FilterContext {
  TextAnalysis& text;
  Tally& tally;
  size_t figure = 0;  // place of the check's first figure in Step::figures()
  bool mark = false;
};

// One or several rules at work on documents of any thread.
class FilterCheck {
 public:
  virtual ~FilterCheck() = default;
  virtual std::vector<Figure> figures() const = 0;
  // Rejects the document, or changes its text (then resets context.text), or adds attributes.
  virtual void apply(Document& document, FilterContext& context) const = 0;
};

struct FilterRule {
  std::string name;                              // "gopher.mean_word_length"
  std::string measures;                          // one line
  std::string follows = {};                      // whose definition
  FilterBounds bounds = {};                      // by default
  Figure::Scale scale = Figure::Scale::kLinear;  // of its histogram
  double low = 0, high = 1;
  // The figure of a document. Null if the rule is more than a figure: then make() is there.
  double (*measure)(TextAnalysis& text, const FilterVariants& variants) = nullptr;
  // The check of this rule; null if another rule's check does its work, too.
  std::unique_ptr<FilterCheck> (*make)(const FilterRule& rule,
                                       const FilterSettings& settings) = nullptr;
};

// The bounds of a rule under these settings.
FilterBounds bounds_of(const FilterRule& rule, const FilterSettings& settings);

// Records a figure; rejects the document if it is out of bounds, or marks it.
void judge(Document& document, FilterContext& context, size_t figure, std::string_view rule,
           double value, const FilterBounds& bounds);

// Rules of a preset in their order; Fault::kUsage for an unknown one.
std::vector<std::string> preset_rules(std::string_view preset);
const std::vector<std::string>& filter_presets();

// The rule of this name; Fault::kUsage with a suggestion if there is none.
const FilterRule& find_filter_rule(std::string_view name);

// The checks of the settings, in order. Fault::kUsage for what makes no sense.
std::vector<std::unique_ptr<FilterCheck>> make_filter_checks(const FilterSettings& settings);

}  // namespace llmtool
