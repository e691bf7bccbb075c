// The command line: finds the command, parses its flags and runs it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cmd/command.h"

namespace llmtool {

// arguments without the program's name. Throws what the command throws, and Fault::kUsage with a
// suggestion for what it does not understand.
void run_command_line(const std::vector<std::string>& arguments);

// The parser of one command, with the flags that every command has.
std::unique_ptr<CLI::App> make_parser(const Command& command);

}  // namespace llmtool
