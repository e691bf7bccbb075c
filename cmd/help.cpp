#include "cmd/help.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "cmd/command.h"
#include "cmd/option_types.h"

namespace llmtool {
namespace {

constexpr size_t kColumn = 22;

struct Section {
  int from;
  std::string_view title;
};
constexpr Section kSections[] = {{0, "Data"},        {20, "Tokenizer"},  {30, "Training"},
                                 {40, "Evaluation"}, {50, "Generation"}, {90, "Tools"}};

std::string_view section_of(const Command& command) {
  std::string_view title;
  for (const Section& section : kSections) {
    if (command.order >= section.from) title = section.title;
  }
  return title;
}

std::string row(const std::string& name, const std::string& text) {
  const size_t gap = name.size() + 2 < kColumn ? kColumn - name.size() - 2 : 1;
  return "  " + name + std::string(gap, ' ') + text + "\n";
}

// "INT:INT in [1 - 8]" -> "INT in [1 - 8]", "TEXT:{a,b}" -> "{a,b}", "TEXT:FILE" -> "FILE".
std::string type_text(const CLI::Option& option) {
  const std::string full = option.get_type_name();
  const size_t colon = full.find(':');
  return colon == std::string::npos ? full : full.substr(colon + 1);
}

class HelpFormatter final : public CLI::Formatter {
 public:
  HelpFormatter() {
    column_width(32);
    label("Positionals", "Arguments");
  }

  std::string make_option_opts(const CLI::Option* option) const override {
    if (!option->get_option_text().empty()) return " " + option->get_option_text();
    if (is_flag(*option)) return {};
    const bool list = option->get_expected_max() >= CLI::detail::expected_max_vector_size;
    return " " + type_text(*option) + (list ? " ..." : "");
  }

  std::string make_option_desc(const CLI::Option* option) const override {
    const std::string standard = option->get_default_str();
    std::string text = option->get_description();
    if (option->get_required()) text += " (required)";
    if (!is_flag(*option) && !standard.empty() && standard != "[]") {
      text += " (default: " + standard + ")";
    }
    return text;
  }
};

}  // namespace

std::string program_help() {
  std::string text =
      "Usage: llmtool COMMAND [OPTIONS]\n\n"
      "Raw text in, a trained language model out. The commands, in the order of the work:\n";
  std::string_view title;
  for (const Command& command : commands_in_order()) {
    if (section_of(command) != title) {
      title = section_of(command);
      text += "\n" + std::string(title) + ":\n";
    }
    text += row(command.name, command.summary);
  }
  text +=
      "\n`llmtool COMMAND --help` shows the flags of a command and an example. Every flag can\n"
      "stand in a TOML file (--config). `llmtool --version` tells which llmtool this is.\n";
  return text;
}

std::string group_help(const std::string& group) {
  std::string text = "Usage: llmtool " + group + " COMMAND [OPTIONS]\n\nCommands:\n";
  for (const Command& command : commands_in_order()) {
    if (!command.name.starts_with(group + " ")) continue;
    text += row(command.name.substr(group.size() + 1), command.summary);
  }
  return text + "\n`llmtool " + group + " COMMAND --help` shows the flags of one and an example.\n";
}

std::shared_ptr<CLI::FormatterBase> make_help_formatter() {
  return std::make_shared<HelpFormatter>();
}

}  // namespace llmtool
