// An evaluation task: what it measures of a model. A task is one file in lib/eval/tasks/ that ends
// with
//     const Register<EvalTask> perplexity{{"perplexity", "...", run_perplexity}};
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "lib/base/catalog.h"
#include "lib/model/model.h"
#include "lib/text/tokenizer.h"

namespace llmtool {

struct EvalOptions {
  std::vector<std::string> data;  // files; "-" is standard input
  std::string text_field = "text";
  int64_t context = 0, stride = 0, batch_tokens = 0;  // see RollingLoss
  bool end_of_document = true;
};

struct EvalRun {
  Model& model;
  const Tokenizer& tokenizer;
  Stream& stream;
  EvalOptions options;
  // A line of JSON, with its "\n", about one document; may be empty.
  std::function<void(std::string_view line)> on_document = {};
};

using EvalValue = std::variant<int64_t, double, bool, std::string>;

struct EvalResult {
  int version = 1;  // of the task: results of different versions are not comparable
  std::vector<std::pair<std::string, EvalValue>> settings;  // what the figures depend on
  std::vector<std::pair<std::string, EvalValue>> metrics;
};

struct EvalTask {
  std::string name;
  std::string summary;
  EvalResult (*run)(const EvalRun& run) = nullptr;
};

}  // namespace llmtool
