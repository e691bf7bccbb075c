// What an option of CLI11 takes, for configuration files, messages, help and completion.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
class Error;
class Option;
}  // namespace CLI

namespace llmtool {

enum class OptionType { kSwitch, kInteger, kSize, kNumber, kText, kOther };

bool is_flag(const CLI::Option& option);
OptionType type_of(const CLI::Option& option);
std::string_view name_of(OptionType type);  // "an integer", "text", ... for messages

// The values an option with CLI::IsMember takes; empty for any other.
std::vector<std::string> choices_of(const CLI::Option& option);

// "1 to 8" of an option with CLI::Range; empty for any other.
std::string range_of(const CLI::Option& option);

// "an integer from 1 to 8", "one of a, b", ...
std::string expectation_of(const CLI::Option& option);

// Every option of numbers refuses NaN, which CLI::Range and its like let pass: it is neither below
// nor above anything; and one of numbers without a sign refuses a sign, which would wrap around.
// Call it when all options are there.
void check_numbers(CLI::App& app);

// What a person reads of an error in an option's value.
std::string explain(const CLI::Error& error, const CLI::Option& option);

}  // namespace llmtool
