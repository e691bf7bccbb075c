#include "cmd/config.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "cmd/option_types.h"
#include "lib/base/error.h"
#include "lib/base/suggest.h"
#include "lib/base/toml.h"

namespace llmtool {
namespace {

std::string joined(const std::vector<std::string>& parts, size_t from) {
  std::string text;
  for (size_t i = from; i < parts.size(); ++i) text += (i == from ? "" : ".") + parts[i];
  return text;
}

// How many parts of the key name the command, if they are the table of it: 0 if not.
size_t table_depth(const std::string& command, const std::vector<std::string>& key) {
  std::string name;
  for (size_t i = 0; i + 1 < key.size(); ++i) {
    name += (i == 0 ? "" : " ") + key[i];
    if (name == command) return i + 1;
  }
  return 0;
}

bool in_table_of_another(const std::string& command, const std::vector<std::string>& key) {
  return std::ranges::any_of(Catalog<Command>::all(), [&](const Command& c) {
    return c.name != command && table_depth(c.name, key) > 0;
  });
}

// The names an option goes by in a file.
std::vector<std::string> names_of(const CLI::Option& option) {
  std::vector<std::string> names = option.get_lnames();
  if (option.get_positional()) names.push_back(option.get_name(true));
  return names;
}

bool settable(const CLI::App& app, const CLI::Option* option) {
  return option != app.get_help_ptr() && option != app.get_config_ptr();
}

CLI::Option* find_option(CLI::App& app, const std::string& name) {
  for (CLI::Option* option : app.get_options()) {
    if (settable(app, option) && std::ranges::count(names_of(*option), name) > 0) return option;
  }
  return nullptr;
}

[[noreturn]] void fail_unknown(CLI::App& app, const TomlValue& value, const std::string& name) {
  std::vector<std::string> known;
  for (const CLI::Option* option : app.get_options()) {
    if (!settable(app, option)) continue;
    for (const std::string& n : names_of(*option)) known.push_back(n);
  }
  fail(Fault::kUsage, concat(value.where, ": '", name, "' is no flag of llmtool ", app.get_name()),
       suggestion(name, known, concat("`llmtool ", app.get_name(), " --help` lists the flags")));
}

// One value of the file and the option that it is for.
class Setting {
 public:
  Setting(const TomlValue& value, std::string name, CLI::Option* option, bool in_table)
      : value_(&value), name_(std::move(name)), option_(option), in_table_(in_table) {}

  CLI::Option* option() const { return option_; }
  bool in_table() const { return in_table_; }

  void apply() const {
    CLI::Option& option = *option_;
    check_type(option);
    check(!value_->values.empty() || !option.get_positional(), Fault::kUsage, value_->where, ": '",
          name_, "' is an empty list, expected at least one entry");
    if (option.count() > 0 || value_->values.empty()) return;  // the command line wins
    try {
      for (const std::string& text : value_->values) {
        option.add_result(is_flag(option) ? option.get_flag_value(name_, text) : text);
      }
      option.run_callback();
    } catch (const CLI::Error& e) {
      fail(Fault::kUsage, concat(value_->where, ": ", explain(e, option)));
    }
  }

 private:
  void check_type(const CLI::Option& option) const {
    const OptionType type = type_of(option);
    if (value_->is_list && option.get_items_expected_max() <= 1) fail_type(type, "a list");
    if (value_->values.empty()) return;
    if (!accepts(type, value_->kind)) fail_type(type, name_of(value_->kind));
  }

  static bool accepts(OptionType type, TomlValue::Kind kind) {
    using Kind = TomlValue::Kind;
    switch (type) {
      case OptionType::kSwitch:
        return kind == Kind::kBoolean;
      case OptionType::kInteger:
        return kind == Kind::kInteger;
      case OptionType::kSize:
        return kind == Kind::kInteger || kind == Kind::kText;
      case OptionType::kNumber:
        return kind == Kind::kInteger || kind == Kind::kNumber;
      case OptionType::kText:
        return kind == Kind::kText;
      case OptionType::kOther:
        return kind != Kind::kTime;
    }
    return false;
  }

  [[noreturn]] void fail_type(OptionType type, std::string_view found) const {
    const std::string given =
        value_->values.size() == 1 ? concat(" (", value_->values[0], ")") : std::string();
    fail(Fault::kUsage,
         concat(value_->where, ": '", name_, "' expects ", name_of(type), ", not ", found, given));
  }

  const TomlValue* value_;
  std::string name_;
  CLI::Option* option_;
  bool in_table_;
};

void apply_file(CLI::App& app, const std::string& command, const fs::path& path) {
  const std::vector<TomlValue> values = read_toml(path);
  std::vector<Setting> settings;  // in the order of the file, one for an option
  for (const TomlValue& value : values) {
    const size_t depth = table_depth(command, value.key);
    if (depth == 0 && in_table_of_another(command, value.key)) continue;
    const std::string name = joined(value.key, depth);
    CLI::Option* option = find_option(app, name);
    if (option == nullptr) fail_unknown(app, value, name);
    const auto at = std::ranges::find(settings, option, &Setting::option);
    if (at == settings.end()) {
      settings.emplace_back(value, name, option, depth > 0);
    } else if (depth > 0 || !at->in_table()) {
      *at = Setting(value, name, option, depth > 0);
    }
  }
  for (const Setting& setting : settings) setting.apply();
}

// CLI11 asks for the configuration once the command line is read, and before it checks what is
// required. What it would do with the items itself drops misspelt keys, so it gets none.
class TomlConfig final : public CLI::Config {
 public:
  TomlConfig(CLI::App& app, std::string command) : app_(app), command_(std::move(command)) {}

  std::vector<CLI::ConfigItem> from_config(std::istream&) const override {
    const bool help = app_.get_help_ptr() != nullptr && app_.get_help_ptr()->count() > 0;
    if (!help) apply_file(app_, command_, app_.get_config_ptr()->as<std::string>());
    return {};
  }
  std::string to_config(const CLI::App*, bool, bool, std::string) const override { return {}; }

 private:
  CLI::App& app_;
  std::string command_;
};

}  // namespace

void apply_setting(CLI::App& app, const TomlValue& value, const std::string& name) {
  CLI::Option* option = find_option(app, name);
  if (option == nullptr) fail_unknown(app, value, name);
  Setting(value, name, option, true).apply();
}

void add_config(CLI::App& app, const Command& command) {
  app.set_config("--config", "", "TOML file with flags")->type_name("FILE")->group("Common");
  app.config_formatter(std::make_shared<TomlConfig>(app, command.name));
}

}  // namespace llmtool
