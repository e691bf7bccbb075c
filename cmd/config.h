// --config file.toml: flags from a file.
#pragma once

#include "cmd/command.h"
#include "lib/base/toml.h"

namespace llmtool {

// Adds --config. Keys are long flags without dashes (a positional argument goes by its name), at
// the top of the file or in the table named for the command ([train], [tokenizer.train]), which
// wins; tables of other commands are left alone, so that one file can hold a whole recipe. Flags on
// the command line win over the file. Fault::kUsage with file:line for an unknown key, with a
// suggestion, and for a value of the wrong type.
void add_config(CLI::App& app, const Command& command);

// Sets the flag of app that goes by `name` to a value of a file, unless the command line has set
// it. Fault::kUsage as above.
void apply_setting(CLI::App& app, const TomlValue& value, const std::string& name);

}  // namespace llmtool
