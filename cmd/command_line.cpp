#include "cmd/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "cmd/config.h"
#include "cmd/help.h"
#include "cmd/option_types.h"
#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/suggest.h"
#include "lib/base/version.h"

namespace llmtool {
namespace {

std::string help_hint(const std::string& command) {
  return concat("`llmtool", command.empty() ? "" : " ", command, " --help` shows what there is");
}

bool is_help(const std::string& word) {
  return word == "--help" || word == "-h";
}

// "tokenizer" of "tokenizer train"; empty for a command that is in no group.
std::string group_of(const Command& command) {
  const size_t space = command.name.find(' ');
  return space == std::string::npos ? std::string() : command.name.substr(0, space);
}

bool is_group(const std::string& word) {
  return !word.empty() && std::ranges::any_of(Catalog<Command>::all(), [&](const Command& c) {
    return group_of(c) == word;
  });
}

const Command* find_command(const std::string& name) {
  const auto& all = Catalog<Command>::all();
  const auto at = std::ranges::find(all, name, &Command::name);
  return at == all.end() ? nullptr : &*at;
}

[[noreturn]] void fail_unknown_command(const std::string& word) {
  std::vector<std::string> names;
  std::string in_group;  // "tokenizer encode" for "encode"
  for (const Command& c : commands_in_order()) {
    const std::string group = group_of(c);
    names.push_back(c.name);
    if (!group.empty()) names.push_back(group);
    if (!group.empty() && c.name == group + " " + word) in_group = c.name;
  }
  if (!in_group.empty()) {
    fail(Fault::kUsage, concat("there is no command '", word, "'"),
         concat("did you mean '", in_group, "'?"));
  }
  fail(Fault::kUsage, concat("there is no command '", word, "'"),
       suggestion(word, names, help_hint("")));
}

[[noreturn]] void fail_unknown_in_group(const std::string& group, const std::string& word) {
  std::vector<std::string> names;
  for (const Command& c : commands_in_order()) {
    if (group_of(c) == group) names.push_back(c.name.substr(group.size() + 1));
  }
  fail(Fault::kUsage, concat("llmtool ", group, " has no command '", word, "'"),
       suggestion(word, names, help_hint(group)));
}

[[noreturn]] void fail_unknown_argument(const CLI::App& app, const std::string& argument) {
  if (!argument.starts_with('-')) {
    fail(Fault::kUsage, concat("unexpected argument '", argument, "'"), help_hint(app.get_name()));
  }
  std::vector<std::string> flags;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) flags.push_back("--" + name);
    for (const std::string& name : option->get_snames()) flags.push_back("-" + name);
  }
  const std::string name = argument.substr(0, argument.find('='));
  fail(Fault::kUsage, concat("llmtool ", app.get_name(), " has no flag ", name),
       suggestion(name, flags, help_hint(app.get_name())));
}

// The option whose value an error is about: CLI11 says so only in words.
const CLI::Option* option_of(const CLI::App& app, const CLI::ParseError& e) {
  const std::string text = e.what();
  for (const CLI::Option* option : app.get_options()) {
    const std::string name = option->get_name();
    if (text.starts_with(name + ":") || text.find(": " + name + " = ") != std::string::npos) {
      return option;
    }
  }
  return nullptr;
}

// A misspelt flag is the likely reason of whatever else is wrong.
[[noreturn]] void fail_parse(const CLI::App& app, const CLI::ParseError& e) {
  const std::vector<std::string> left = app.remaining();
  const auto flag = std::ranges::find_if(left, [](const auto& a) { return a.starts_with('-'); });
  if (flag != left.end()) fail_unknown_argument(app, *flag);
  if (dynamic_cast<const CLI::FileError*>(&e) != nullptr) {
    read_file(app.get_config_ptr()->as<std::string>());  // says why
  }
  if (!left.empty()) fail_unknown_argument(app, left.front());
  const CLI::Option* option = option_of(app, e);
  if (option != nullptr && dynamic_cast<const CLI::ArgumentMismatch*>(&e) != nullptr) {
    const auto given = option->count();
    fail(Fault::kUsage,
         concat(option->get_name(),
                given > 1 ? concat(" is given ", given, " times") : " needs a value"),
         help_hint(app.get_name()));
  }
  const bool about_value = dynamic_cast<const CLI::ConversionError*>(&e) != nullptr ||
                           dynamic_cast<const CLI::ValidationError*>(&e) != nullptr;
  fail(Fault::kUsage, option != nullptr && about_value ? explain(e, *option) : e.what(),
       help_hint(app.get_name()));
}

void run_command(const Command& command, std::vector<std::string> arguments) {
  const std::unique_ptr<CLI::App> app = make_parser(command);
  std::ranges::reverse(arguments);  // as CLI11 takes them
  try {
    app->parse(std::move(arguments));
  } catch (const CLI::CallForHelp&) {
    write_stdout(app->help("llmtool"));
  } catch (const CLI::ParseError& e) {
    fail_parse(*app, e);
  }
}

void run_group(const std::string& group, const std::vector<std::string>& arguments) {
  if (arguments.empty()) {
    fail(Fault::kUsage, concat("llmtool ", group, " needs a command"), help_hint(group));
  }
  if (is_help(arguments[0])) return write_stdout(group_help(group));
  const Command* command = find_command(group + " " + arguments[0]);
  if (command == nullptr) fail_unknown_in_group(group, arguments[0]);
  run_command(*command, {arguments.begin() + 1, arguments.end()});
}

}  // namespace

std::vector<Command> commands_in_order() {
  std::vector<Command> all = Catalog<Command>::all();
  std::ranges::stable_sort(all, {}, &Command::order);
  return all;
}

std::unique_ptr<CLI::App> make_parser(const Command& command) {
  auto app = std::make_unique<CLI::App>(command.summary, command.name);
  app->formatter(make_help_formatter());
  app->option_defaults()->always_capture_default();
  app->set_help_flag();
  command.define(*app);
  check_numbers(*app);
  app->set_help_flag("-h,--help", "Show this help")->group("Common");
  app->add_flag_callback(
         "-q,--quiet", [] { set_log_level(LogLevel::kWarning); },
         "No progress, only warnings and errors")
      ->group("Common");
  app->add_flag_callback(
         "-v,--verbose", [] { set_log_level(LogLevel::kDebug); }, "Say more about what happens")
      ->group("Common");
  add_config(*app, command);
  return app;
}

void run_command_line(const std::vector<std::string>& arguments) {
  if (arguments.empty()) fail(Fault::kUsage, "which command?", help_hint(""));
  const std::string& word = arguments[0];
  const std::vector<std::string> rest(arguments.begin() + 1, arguments.end());
  if (is_help(word)) return write_stdout(program_help());
  if (word == "--version") return write_stdout(concat("llmtool ", version(), "\n"));
  if (word == "help") {  // `llmtool help train`
    std::vector<std::string> asked = rest;
    asked.push_back("--help");
    return run_command_line(asked);
  }
  if (word.starts_with('-')) {
    fail(Fault::kUsage, concat("llmtool has no flag ", word),
         suggestion(word, {"--help", "--version"}, "flags go behind the command"));
  }
  if (const Command* command = find_command(word)) return run_command(*command, rest);
  if (is_group(word)) return run_group(word, rest);
  fail_unknown_command(word);
}

}  // namespace llmtool
