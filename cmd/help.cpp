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

// "N" for integers, "X" for numbers, "{a,b}" for choices, else what the option says of itself.
std::string type_text(const CLI::Option& option) {
  const OptionType type = type_of(option);
  if (type == OptionType::kInteger || type == OptionType::kSize) return "N";
  if (type == OptionType::kNumber) return "X";
  const std::string full = option.get_type_name();
  const size_t choices = full.find(":{");
  return choices == std::string::npos ? full.substr(0, full.find(':')) : full.substr(choices + 1);
}

// A range that says more than "not absurdly large".
std::string range_text(const CLI::Option& option) {
  constexpr size_t kTelling = 10;  // letters
  const std::string range = range_of(option);
  return range.size() <= kTelling ? range : std::string();
}

class HelpFormatter final : public CLI::Formatter {
 public:
  HelpFormatter() {
    column_width(32);
    label("Positionals", "Arguments");
  }

  std::string make_help(const CLI::App* app, std::string name,
                        CLI::AppFormatMode mode) const override {
    std::string text = CLI::Formatter::make_help(app, std::move(name), mode);
    for (size_t at = 0; (at = text.find("\n\n\n")) != std::string::npos;) text.erase(at, 1);
    return text;
  }

  std::string make_description(const CLI::App* app) const override {
    return app->get_description() + ".\n\n";
  }

  // "--shuffle,--no-shuffle{false}" -> "--shuffle,--no-shuffle"
  std::string make_option_name(const CLI::Option* option, bool is_positional) const override {
    const std::string name = CLI::Formatter::make_option_name(option, is_positional);
    return CLI::detail::find_and_replace(name, "{false}", "");
  }

  std::string make_option_opts(const CLI::Option* option) const override {
    if (!option->get_option_text().empty()) return " " + option->get_option_text();
    if (is_flag(*option)) return {};
    const bool list = option->get_expected_max() >= CLI::detail::expected_max_vector_size;
    return " " + type_text(*option) + (list ? " ..." : "");
  }

  std::string make_option_desc(const CLI::Option* option) const override {
    std::vector<std::string> facts;
    const std::string standard = option->get_default_str(), range = range_text(*option);
    if (option->get_required()) facts.push_back("required");
    if (!range.empty()) facts.push_back(range);
    if (!is_flag(*option) && !standard.empty() && standard != "[]") {
      facts.push_back("default: " + standard);
    }
    const std::string text = option->get_description();
    return facts.empty() ? text : text + " (" + CLI::detail::join(facts, "; ") + ")";
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
