// A corpus step as a command and as a [[step]] of `llmtool corpus run`. A file of cmd/ ends with
//     const RegisterStep exact{{"dedup exact", "Drop documents, lines ... seen before", 12,
//     define}};
// where
//     StepMaker define(CLI::App& app) {
//       auto o = std::make_shared<ExactDedupOptions>();
//       app.add_option("--unit", o->unit, "...")->check(CLI::IsMember({"document", "line"}));
//       app.footer("Exact definition ...\n\nExample:\n  llmtool dedup exact web.jsonl -o
//       out.jsonl"); return [o] { return std::make_unique<ExactDedup>(*o); };
//     }
// The flags of the flow (inputs, --output, --rejected, --report, --threads, --memory, --shard,
// --resume, ...) are added to the command by RegisterStep and are not the step's concern.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "lib/corpus/step.h"

namespace CLI {
class App;
}

namespace llmtool {

using StepMaker = std::function<std::unique_ptr<Step>()>;

struct CorpusStep {
  std::string name;     // "dedup exact"
  std::string summary;  // one line of the help
  int order = 0;        // as Command::order: 10-19
  StepMaker (*define)(CLI::App& app) = nullptr;
  // The format of inputs whose names do not tell (lib/io/record_format.h).
  std::string input_format = "jsonl";
  bool writes = true;  // as a command it has documents to write
};

struct RegisterStep {
  explicit RegisterStep(const CorpusStep& step);
};

}  // namespace llmtool
