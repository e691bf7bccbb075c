#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>

#include "cmd/flags.h"
#include "cmd/list.h"
#include "lib/base/error.h"
#include "lib/base/formatted.h"
#include "lib/base/interrupt.h"
#include "lib/base/log.h"
#include "lib/base/terminal.h"
#include "lib/base/text_stream.h"
#include "lib/eval/task.h"

namespace llmtool {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
  std::string model, output, device = "cpu", dtype = "f32";
  std::vector<std::string> tasks;
  EvalOptions eval;
  bool json = false, no_end_of_document = false;
  int threads = 0;
};

using Results = std::vector<std::pair<std::string, EvalResult>>;

Json to_json(const std::vector<std::pair<std::string, EvalValue>>& values) {
  Json json = Json::object();
  for (const auto& [name, value] : values) {
    std::visit([&, &key = name](const auto& v) { json[key] = v; }, value);
  }
  return json;
}

Json to_json(const Options& o, const Results& results) {
  Json json = {{"model", o.model}, {"dtype", o.dtype}, {"data", o.eval.data}};
  for (const auto& [name, r] : results) {
    json["tasks"][name] = {
        {"version", r.version}, {"settings", to_json(r.settings)}, {"metrics", to_json(r.metrics)}};
  }
  return json;
}

std::string as_text(const EvalValue& value) {
  if (const auto* v = std::get_if<double>(&value)) return formatted("%.4f", *v);
  return std::visit([](const auto& v) { return concat(v); }, value);
}

std::string as_table(const Results& results) {
  std::string table;
  for (const auto& [task, result] : results) {
    std::string settings;
    size_t name_width = 0, value_width = 0;
    for (const auto& [name, value] : result.settings) {
      settings += concat(settings.empty() ? "" : ", ", name, " ", as_text(value));
    }
    table += concat(task, " (version ", result.version, "; ", settings, ")\n");
    for (const auto& [name, value] : result.metrics) {
      name_width = std::max(name_width, name.size());
      value_width = std::max(value_width, as_text(value).size());
    }
    for (const auto& [name, value] : result.metrics) {
      const std::string text = as_text(value);
      table += concat("  ", name, std::string(name_width - name.size() + 2, ' '),
                      std::string(value_width - text.size(), ' '), text, "\n");
    }
  }
  return table;
}

EvalResult run_task(const EvalTask& task, const Options& o, EvalRun run) {
  if (o.output.empty()) return task.run(run);
  OutputStream documents(fs::path(o.output) / (task.name + ".jsonl"));
  run.on_document = [&](std::string_view line) { documents.write(line); };
  EvalResult result = task.run(run);
  documents.close();
  return result;
}

void write_outputs(const Options& o, const std::string& results, RunManifest& manifest) {
  const fs::path folder = o.output;
  write_file(folder / "results.json", results);
  manifest.add_input(o.model);
  for (const std::string& file : o.eval.data) manifest.add_input(file);
  manifest.add_output(folder / "results.json");
  for (const std::string& task : o.tasks) manifest.add_output(folder / (task + ".jsonl"));
  manifest.write(folder);
}

void run(Options o, const CLI::App& app) {
  std::vector<EvalTask> tasks;
  for (const std::string& name : o.tasks) tasks.push_back(Catalog<EvalTask>::find("task", name));
  o.eval.end_of_document = !o.no_end_of_document;
  RunManifest manifest = start_manifest(app);
  handle_interrupts();
  Runtime runtime(o.threads, o.device);
  if (!o.output.empty()) create_folder(o.output);
  const auto tokenizer = load_tokenizer(fs::path(o.model));
  const DType dtype = o.dtype == "bf16" ? DType::kBF16 : DType::kF32;
  const auto model = load_model(o.model, dtype, runtime.stream());
  Results results;
  for (const EvalTask& task : tasks) {
    const EvalRun run{
        .model = *model, .tokenizer = *tokenizer, .stream = runtime.stream(), .options = o.eval};
    results.emplace_back(task.name, run_task(task, o, run));
  }
  const std::string json = to_json(o, results).dump(2) + "\n";
  if (!o.output.empty()) write_outputs(o, json, manifest);
  write_stdout(o.json ? json : as_table(results));
}

void add_windows(CLI::App& app, Options& o) {
  constexpr int64_t kMost = int64_t{1} << 30;
  app.add_option("--context", o.eval.context, "Tokens of a window; 0: the model's context")
      ->check(CLI::Range(int64_t{0}, kMost));
  app.add_option("--stride", o.eval.stride,
                 "New tokens of each further window of a long document; 0: half the context")
      ->check(CLI::Range(int64_t{0}, kMost));
  app.add_option("--batch-tokens", o.eval.batch_tokens,
                 "Tokens in the model at a time, at least a window; 0: 2048")
      ->check(CLI::Range(int64_t{0}, kMost));
  app.add_flag("--no-end-of-document", o.no_end_of_document,
               "Do not count the end-of-document token");
}

void define_eval(CLI::App& app) {
  auto o = std::make_shared<Options>();
  app.add_option("-m,--model", o->model, "Model folder (config.json, safetensors, tokenizer.model)")
      ->required()
      ->type_name("DIR");
  app.add_option("--tasks", o->tasks, "Tasks, see `llmtool list tasks`")
      ->required()
      ->delimiter(',')
      ->type_name("NAME");
  app.add_option("--data", o->eval.data, "Documents: JSON lines or plain text, .gz, .zst, or -")
      ->type_name("FILE");
  app.add_option("--text-field", o->eval.text_field, "The member that holds the text");
  add_windows(app, *o);
  add_output(app, o->output,
             "Folder for results.json, <task>.jsonl (a line for each document) and run.json");
  add_json(app, o->json);
  add_threads(app, o->threads);
  add_device(app, o->device);
  app.add_option("--dtype", o->dtype, "What to compute in")->check(CLI::IsMember({"f32", "bf16"}));
  app.footer(
      "perplexity: every token of a document is predicted once, the first behind bos_token_id (or\n"
      "eos_token_id), and the end-of-document token (eos_token_id) behind its last. Nats of that\n"
      "token are in all figures, and by themselves in end_of_document_nats. Bytes are those of "
      "the\n"
      "raw text, words are separated by white space.\n\n"
      "Example:\n"
      "  llmtool eval -m model/ --tasks perplexity --data heldout.jsonl.zst --json");
  app.callback([o, &app] { run(*o, app); });
}

Listing::Rows list_tasks() {
  Listing::Rows rows;
  for (const EvalTask& task : Catalog<EvalTask>::all()) rows.push_back({task.name, task.summary});
  return rows;
}

const Register<Listing> tasks{
    {"tasks", "Evaluation tasks of `llmtool eval`", {"task", "summary"}, list_tasks}};
const Register<Command> eval{{"eval", "Measure a language model", 40, define_eval}};

}  // namespace
}  // namespace llmtool
