// A subcommand is one file in cmd/: flags -> options -> one call. It ends with
//     const Register<Command> train{{"train", "Train a language model", 30, define_train}};
#pragma once

#include <string>

#include "lib/base/catalog.h"

namespace CLI {
class App;
}

namespace llmtool {

struct Command {
  std::string name;     // "train", or "tokenizer train" for a command of a group
  std::string summary;  // one line of `llmtool --help`
  int order = 0;        // place in the order of the work: data 10-, tokenizer 20-, train 30-,
                        // evaluate 40-, generate 50-, tools 90-
  void (*define)(CLI::App& app) = nullptr;  // adds flags, the footer with an example, the callback
};

}  // namespace llmtool
