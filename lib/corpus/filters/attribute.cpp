// Rules that read what others wrote into the documents: language, n-gram perplexity, classifier
// scores, licences, or figures of an earlier `filter --mark`. A document without the member is an
// error, never a pass.
#include <algorithm>
#include <charconv>
#include <cmath>

#include "lib/corpus/filters/characters.h"
#include "lib/corpus/filters/rule.h"

namespace llmtool {
namespace {

enum class Comparison { kAtMost, kAtLeast, kLess, kGreater, kEqual, kNotEqual, kIn, kNotIn };

struct Condition {
  std::string source;  // as it was given
  std::string member;
  Comparison comparison;
  double number = 0;
  std::vector<std::string> values;
  std::vector<double> numbers;  // of the values, NaN for what is none: 5 is 5.0
};

struct Operator {
  std::string_view text;
  Comparison comparison;
};
// A longer one before its beginning.
constexpr Operator kOperators[] = {
    {" not in ", Comparison::kNotIn}, {" in ", Comparison::kIn},     {"<=", Comparison::kAtMost},
    {">=", Comparison::kAtLeast},     {"!=", Comparison::kNotEqual}, {"==", Comparison::kEqual},
    {"<", Comparison::kLess},         {">", Comparison::kGreater},   {"=", Comparison::kEqual}};

// NaN if it is none.
double number_of(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? value : NAN;
}

double finite_number_of(std::string_view text, std::string_view source) {
  const double value = number_of(text);
  check(std::isfinite(value), Fault::kUsage, "'", text, "' in the condition '", source,
        "' is not a finite number");
  return value;
}

std::vector<std::string> values_of(std::string_view text) {
  std::vector<std::string> values;
  while (true) {
    const size_t end = std::min(text.find(','), text.size());
    values.emplace_back(stripped(text.substr(0, end)));
    if (end == text.size()) return values;
    text.remove_prefix(end + 1);
  }
}

Condition parse(const std::string& source) {
  size_t at = std::string::npos;
  const Operator* found = nullptr;
  for (const Operator& candidate : kOperators) {
    const size_t place = source.find(candidate.text);
    if (place >= at) continue;
    at = place;
    found = &candidate;
  }
  if (found == nullptr) {
    fail(Fault::kUsage, concat("the condition '", source, "' has no comparison"),
         "write e.g. 'attributes.lang in en,de', 'attributes.perplexity <= 340', "
         "'metadata.license == MIT'; there is: <= >= < > == != in, not in");
  }
  const std::string_view all = source;
  Condition condition{source, std::string(stripped(all.substr(0, at))), found->comparison, 0, {},
                      {}};
  const std::string_view behind = all.substr(at + found->text.size()), right = stripped(behind);
  if (!behind.empty() && std::string_view("<>=!").find(behind[0]) != std::string_view::npos) {
    fail(Fault::kUsage,
         concat("'", found->text, behind[0], "' in the condition '", source, "' is no comparison"),
         "there is: <= >= < > == != in, not in");
  }
  check(!condition.member.empty(), Fault::kUsage, "the condition '", source,
        "' names no member in front of its comparison");
  check(!right.empty(), Fault::kUsage, "the condition '", source, "' compares with nothing");
  if (found->comparison <= Comparison::kGreater) {
    condition.number = finite_number_of(right, source);
  } else if (found->comparison <= Comparison::kNotEqual) {
    condition.values = {std::string(right)};
  } else {
    condition.values = values_of(right);
  }
  for (const std::string& value : condition.values) condition.numbers.push_back(number_of(value));
  return condition;
}

bool compares_numbers(const Condition& condition) {
  return condition.comparison <= Comparison::kGreater;
}

bool holds(const Condition& condition, double value) {
  switch (condition.comparison) {
    case Comparison::kAtMost:
      return value <= condition.number;
    case Comparison::kAtLeast:
      return value >= condition.number;
    case Comparison::kLess:
      return value < condition.number;
    default:
      return value > condition.number;
  }
}

class AttributeCheck : public FilterCheck {
 public:
  AttributeCheck(std::string rule, std::vector<Condition> conditions)
      : rule_(std::move(rule)), conditions_(std::move(conditions)) {}

  std::vector<Figure> figures() const override {
    std::vector<Figure> all;
    for (const Condition& c : conditions_) {
      if (!compares_numbers(c)) continue;
      Figure figure;
      figure.name = c.member;
      const double size = std::abs(c.number);
      figure.low = c.number < 0 ? -2 * size : 0;
      figure.high = size == 0 || (size <= 1 && c.number > 0) ? 1 : 2 * size;
      const bool up = c.comparison == Comparison::kAtLeast || c.comparison == Comparison::kGreater;
      (up ? figure.at_least : figure.at_most) = c.number;
      all.push_back(figure);
    }
    return all;
  }

  void apply(Document& document, FilterContext& context) const override {
    size_t figure = context.figure;
    for (const Condition& condition : conditions_) {
      const MemberValue value = required_member(document, condition.member);
      bool kept = true;
      if (compares_numbers(condition)) {
        check(value.is_number, Fault::kInput, where(document), ": '", condition.member, "' is ",
              value.text, ", and '", condition.source, "' needs a number");
        context.tally.record(figure++, value.number, document);
        kept = holds(condition, value.number);
      } else {
        const bool in =
            std::ranges::count(condition.values, value.text) > 0 ||
            (value.is_number && std::ranges::count(condition.numbers, value.number) > 0);
        const bool wants_in =
            condition.comparison == Comparison::kIn || condition.comparison == Comparison::kEqual;
        kept = in == wants_in;
      }
      if (kept) continue;
      if (!context.mark) return reject(document, rule_, value.text, condition.source);
    }
  }

 private:
  std::string rule_;
  std::vector<Condition> conditions_;
};

std::unique_ptr<FilterCheck> make_attribute(const FilterRule& rule,
                                            const FilterSettings& settings) {
  check(!settings.conditions.empty(), Fault::kUsage, "the rule 'attribute' needs an --attribute");
  check(!settings.mark, Fault::kUsage,
        "--mark adds figures of the text; an --attribute has nothing to add");
  std::vector<Condition> conditions;
  for (const std::string& source : settings.conditions) conditions.push_back(parse(source));
  return std::make_unique<AttributeCheck>(rule.name, std::move(conditions));
}

std::unique_ptr<FilterCheck> make_language(const FilterRule& rule, const FilterSettings& settings) {
  const FilterBounds bounds = bounds_of(rule, settings);
  check(bounds.at_least && !bounds.at_most, Fault::kUsage, "'", rule.name, "' takes a --min");
  return std::make_unique<AttributeCheck>(
      rule.name,
      std::vector<Condition>{parse(concat("attributes.language_score >= ", *bounds.at_least))});
}

std::unique_ptr<FilterCheck> make_bucket(const FilterRule& rule, const FilterSettings&) {
  return std::make_unique<AttributeCheck>(
      rule.name, std::vector<Condition>{parse("attributes.perplexity_bucket in head,middle")});
}

const Register<FilterRule> attribute{
    {.name = "attribute",
     .measures = "a member of the document against each --attribute; one that is missing stops",
     .make = make_attribute}};
const Register<FilterRule> language{{.name = "ccnet.language_score",
                                     .measures = "attributes.language_score",
                                     .follows = "CCNet",
                                     .bounds = {0.5, {}},
                                     .make = make_language}};
const Register<FilterRule> bucket{{.name = "ccnet.perplexity_bucket",
                                   .measures = "attributes.perplexity_bucket is head or middle",
                                   .follows = "CCNet, as LLaMA and RedPajama took it",
                                   .make = make_bucket}};

}  // namespace
}  // namespace llmtool
