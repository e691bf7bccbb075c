#include "cmd/option_types.h"

#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdlib>

#include "lib/base/error.h"
#include "lib/base/suggest.h"

namespace llmtool {
namespace {

std::string quoted(const std::vector<std::string>& values) {
  std::string text;
  for (const std::string& value : values) text += (text.empty() ? "'" : " '") + value + "'";
  return text;
}

}  // namespace

bool is_flag(const CLI::Option& option) {
  return option.get_items_expected_max() == 0;
}

OptionType type_of(const CLI::Option& option) {
  if (is_flag(option)) return OptionType::kSwitch;
  const std::string full = option.get_type_name();
  const std::string name = full.substr(0, full.find(':'));
  if (name == "BOOLEAN") return OptionType::kSwitch;
  if (full.find(":SIZE ") != std::string::npos) return OptionType::kSize;
  if (name == "INT" || name == "UINT") return OptionType::kInteger;
  if (name == "FLOAT") return OptionType::kNumber;
  return name == "TEXT" ? OptionType::kText : OptionType::kOther;
}

std::string_view name_of(OptionType type) {
  switch (type) {
    case OptionType::kSwitch:
      return "true or false";
    case OptionType::kInteger:
      return "an integer";
    case OptionType::kSize:
      return "a size such as 512M or 2G";
    case OptionType::kNumber:
      return "a number";
    case OptionType::kText:
      return "text";
    case OptionType::kOther:
      return "a single value";
  }
  return "?";
}

// CLI::IsMember describes itself as "{a,b}".
std::vector<std::string> choices_of(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const size_t open = type.find(":{");
  const size_t close = type.find('}', open);
  if (open == std::string::npos || close == std::string::npos) return {};
  return CLI::detail::split(type.substr(open + 2, close - open - 2), ',');
}

// CLI::Range describes itself as "INT in [1 - 8]".
std::string range_of(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const size_t open = type.find(" in ["), close = type.rfind(']');
  if (open == std::string::npos || close == std::string::npos) return {};
  const std::string range = type.substr(open + 5, close - open - 5);
  const size_t dash = range.find(" - ");
  return range.substr(0, dash) + " to " + range.substr(dash + 3);
}

std::string expectation_of(const CLI::Option& option) {
  const std::vector<std::string> choices = choices_of(option);
  if (!choices.empty()) return "one of " + CLI::detail::join(choices, ", ");
  const std::string type = option.get_type_name(), range = range_of(option);
  std::string text(name_of(type_of(option)));
  if (!range.empty()) return text + " from " + range;
  if (type.find(":NONNEGATIVE") != std::string::npos) return text + " of 0 or more";
  if (type.find(":POSITIVE") != std::string::npos) return text + " above 0";
  return text;
}

void check_numbers(CLI::App& app) {
  const CLI::Validator is_unsigned(
      [](const std::string& value) {
        return value.starts_with('-') ? value + " is below 0, expected 0 or more" : std::string();
      },
      "");
  const CLI::Validator check(
      [](const std::string& value) {
        return std::isnan(std::strtod(value.c_str(), nullptr)) ? value + " is no number"
                                                               : std::string();
      },
      "");
  for (CLI::Option* option : app.get_options()) {
    if (type_of(*option) == OptionType::kNumber) option->check(check);
    // First: a size with its unit is a number without sign to what comes after.
    if (option->get_type_name().starts_with("UINT")) option->transform(is_unsigned);
  }
}

std::string explain(const CLI::Error& error, const CLI::Option& option) {
  const std::vector<std::string>& values = option.results();
  const std::string expected = expectation_of(option);
  const bool conversion = dynamic_cast<const CLI::ConversionError*>(&error) != nullptr;
  const bool validation = dynamic_cast<const CLI::ValidationError*>(&error) != nullptr &&
                          expected != name_of(type_of(option));  // else it is another validator's
  if (values.empty() || (!conversion && !validation)) return error.what();
  const std::string near = nearest(values.back(), choices_of(option));
  return concat(option.get_name(), " expects ", expected, ", not ", quoted(values),
                near.empty() ? "" : concat(" (did you mean '", near, "'?)"));
}

}  // namespace llmtool
