#include "lib/corpus/filters/rule.h"

#include <algorithm>
#include <cmath>

#include "lib/base/suggest.h"

namespace llmtool {
namespace {

class MeasureCheck : public FilterCheck {
 public:
  MeasureCheck(const FilterRule& rule, const FilterSettings& settings)
      : rule_(rule), bounds_(bounds_of(rule, settings)), variants_(settings.variants) {}

  std::vector<Figure> figures() const override {
    return {{rule_.name, rule_.scale, rule_.low, rule_.high, bounds_.at_least, bounds_.at_most}};
  }

  void apply(Document& document, FilterContext& context) const override {
    judge(document, context, context.figure, rule_.name, rule_.measure(context.text, variants_),
          bounds_);
  }

 private:
  const FilterRule& rule_;
  FilterBounds bounds_;
  FilterVariants variants_;
};

void check_bounds(const std::string& name, const FilterBounds& bounds) {
  for (const auto& bound : {bounds.at_least, bounds.at_most}) {
    check(!bound || std::isfinite(*bound), Fault::kUsage, "a threshold of '", name,
          "' is not a finite number");
  }
  check(!bounds.at_least || !bounds.at_most || *bounds.at_least <= *bounds.at_most, Fault::kUsage,
        "the thresholds of '", name, "' let nothing through: at least ",
        bounds.at_least.value_or(0), ", at most ", bounds.at_most.value_or(0));
}

}  // namespace

FilterBounds bounds_of(const FilterRule& rule, const FilterSettings& settings) {
  const auto found = settings.bounds.find(rule.name);
  return found == settings.bounds.end() ? rule.bounds : found->second;
}

void judge(Document& document, FilterContext& context, size_t figure, std::string_view rule,
           double value, const FilterBounds& bounds) {
  context.tally.record(figure, value, document);
  if (context.mark) {
    document.attributes.push_back({std::string(rule), json_number(value)});
  } else if (bounds.at_least && value < *bounds.at_least) {
    reject(document, rule, concat(value), concat(">= ", *bounds.at_least));
  } else if (bounds.at_most && value > *bounds.at_most) {
    reject(document, rule, concat(value), concat("<= ", *bounds.at_most));
  }
}

const FilterRule& find_filter_rule(std::string_view name) {
  std::vector<std::string> names;
  for (const FilterRule& rule : Catalog<FilterRule>::all()) {
    if (rule.name == name) return rule;
    names.push_back(rule.name);
  }
  fail(Fault::kUsage, concat("no filter rule is called '", name, "'"),
       suggestion(name, names, "`llmtool list filters` shows them all"));
}

std::vector<std::unique_ptr<FilterCheck>> make_filter_checks(const FilterSettings& settings) {
  check(!settings.rules.empty(), Fault::kUsage,
        "no rule to filter by: give --preset, --rules or --attribute");
  for (const auto& [name, bounds] : settings.bounds) {
    const FilterBounds& usual = find_filter_rule(name).bounds;
    check(usual.at_least || usual.at_most, Fault::kUsage, "the rule '", name,
          "' has no threshold to set");
    check_bounds(name, bounds);
    check(std::find(settings.rules.begin(), settings.rules.end(), name) != settings.rules.end(),
          Fault::kUsage, "a threshold is given for '", name, "', which is not among the rules");
  }
  std::vector<std::unique_ptr<FilterCheck>> checks;
  for (auto at = settings.rules.begin(); at != settings.rules.end(); ++at) {
    const FilterRule& rule = find_filter_rule(*at);
    check(std::find(settings.rules.begin(), at, *at) == at, Fault::kUsage, "the rule '", *at,
          "' is given twice");
    if (rule.measure != nullptr) {
      checks.push_back(std::make_unique<MeasureCheck>(rule, settings));
    } else if (auto made = rule.make(rule, settings)) {
      checks.push_back(std::move(made));
    }
  }
  return checks;
}

}  // namespace llmtool
