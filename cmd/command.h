// A subcommand is one file in cmd/: flags -> options -> one call. See flags.h for the flags that
// several commands share. It ends with
//     const Register<Command> train{{"train", "Train a language model", 30, define_train}};
// where
//     void define_train(CLI::App& app) {
//       auto o = std::make_shared<Options>();
//       add_output(app, o->output, "Folder for the model")->required();
//       app.add_option("--steps", o->steps, "Optimizer steps")->check(CLI::Range(1, 1 << 30));
//       app.footer("Example:\n  llmtool train --data tokens/ --output model/");
//       app.callback([o, &app] { run(*o, app); });
//     }
// Defaults are shown from the variables' values. -h, -q, -v and --config are there without asking,
// and every long flag can stand in the file of --config under its name. What a callback throws ends
// in main(); results go to stdout by write_stdout() of lib/base/file.h.
#pragma once

#include <functional>
#include <string>
#include <vector>

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
  // Adds flags, the footer with an example, the callback.
  std::function<void(CLI::App& app)> define = {};
};

// Every command in the order of the work.
std::vector<Command> commands_in_order();

}  // namespace llmtool
