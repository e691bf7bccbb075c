// The texts of --help.
#pragma once

#include <memory>
#include <string>

namespace CLI {
class FormatterBase;
}

namespace llmtool {

std::string program_help();
std::string group_help(const std::string& group);

// For the help of one command: flags on the left, text with the default behind it on the right.
std::shared_ptr<CLI::FormatterBase> make_help_formatter();

}  // namespace llmtool
