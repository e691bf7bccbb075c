// `llmtool corpus run mix.toml`: steps one after another in one process.
#include <CLI/CLI.hpp>
#include <map>

#include "cmd/config.h"
#include "cmd/corpus_flow.h"
#include "cmd/corpus_step.h"
#include "cmd/option_types.h"
#include "lib/base/error.h"
#include "lib/base/suggest.h"

namespace llmtool {
namespace {

struct Options {
  CorpusFlow flow;
  std::string file;
};

// A [[step]] of the file.
struct StepTable {
  const CorpusStep* step = nullptr;
  std::string where;
  std::vector<TomlValue> settings;
};

const CorpusStep& find_step(const TomlValue& run) {
  check(run.kind == TomlValue::Kind::kText && run.values.size() == 1, Fault::kUsage, run.where,
        ": 'run' expects the name of a step in quotes");
  std::vector<std::string> names;
  for (const CorpusStep& step : Catalog<CorpusStep>::all()) {
    if (step.name == run.values[0]) return step;
    names.push_back(step.name);
  }
  fail(Fault::kUsage, concat(run.where, ": there is no step '", run.values[0], "'"),
       suggestion(run.values[0], names, "`llmtool list steps` shows what there is"));
}

// Keys of the top are flags of the flow.
std::vector<StepTable> read_tables(const std::string& file, CLI::App& app) {
  std::map<size_t, StepTable> tables;
  for (const TomlValue& value : read_toml(file)) {
    if (value.key.size() == 1) {
      check(value.key[0] != "file", Fault::kUsage, value.where, ": a file cannot name another one");
      apply_setting(app, value, value.key[0]);
      continue;
    }
    const bool is_numbered = value.key.size() == 3 && value.key[0] == "step" &&
                             value.key[1].find_first_not_of("0123456789") == std::string::npos &&
                             value.key[1].size() < 6;
    check(is_numbered, Fault::kUsage, value.where,
          ": expected flags of the flow at the top, and [[step]] tables with `run` and flags");
    StepTable& table = tables[std::stoul(value.key[1])];
    if (table.where.empty()) table.where = value.where;
    if (value.key[2] == "run") {
      table.step = &find_step(value);
    } else {
      table.settings.push_back(value);
    }
  }
  std::vector<StepTable> in_order;
  for (auto& [number, table] : tables) {
    check(table.step != nullptr, Fault::kUsage, table.where,
          ": a [[step]] needs `run`, the name of a step");
    in_order.push_back(std::move(table));
  }
  check(!in_order.empty(), Fault::kUsage, "'", file, "' has no [[step]]");
  return in_order;
}

std::unique_ptr<Step> make_step(const StepTable& table, std::string& settings) {
  CLI::App app(table.step->summary, table.step->name);
  app.option_defaults()->always_capture_default();
  app.set_help_flag();
  const StepMaker make = table.step->define(app);
  check_numbers(app);
  for (const TomlValue& value : table.settings) apply_setting(app, value, value.key[2]);
  try {
    app.parse(std::vector<std::string>{});  // checks what is required
  } catch (const CLI::ParseError& e) {
    fail(Fault::kUsage, concat(table.where, ": ", e.what()),
         concat("`llmtool ", table.step->name, " --help` lists the flags"));
  }
  settings += step_settings(app);
  return make();
}

void run(Options& o, CLI::App& app) {
  const std::vector<StepTable> tables = read_tables(o.file, app);
  o.flow.fallback_format = tables.front().step->input_format;
  std::vector<std::unique_ptr<Step>> steps;
  std::string settings;
  for (const StepTable& table : tables) steps.push_back(make_step(table, settings));
  run_corpus_flow(o.flow, std::move(steps), settings, app);
}

void define_corpus_run(CLI::App& app) {
  auto o = std::make_shared<Options>();
  app.add_option("file", o->file, "TOML file with the steps")->required()->type_name("FILE");
  add_corpus_flow(app, o->flow);
  app.footer(
      "Keys at the top of the file are the flags below; each [[step]] has `run`, the name of a "
      "step,\n"
      "and the flags of that command. Documents pass from step to step in memory; a step that has "
      "to\n"
      "see all of them first (dedup near, ...) lets them wait in a compressed file in the work\n"
      "folder. Flags on the command line win.\n\n"
      "Example, mix.toml:\n"
      "  inputs = [\"crawl/*.warc.gz\"]\n"
      "  output = \"clean.jsonl.zst\"\n"
      "  report = \"report\"\n"
      "  [[step]]\n"
      "  run = \"extract html\"\n"
      "  [[step]]\n"
      "  run = \"filter\"\n"
      "  preset = \"gopher\"\n"
      "  [[step]]\n"
      "  run = \"dedup near\"\n\n"
      "  llmtool corpus run mix.toml");
  app.callback([o, &app] { run(*o, app); });
}

const Register<Command> corpus_run{
    {"corpus run", "Run several corpus steps from a TOML file", 10, define_corpus_run}};

}  // namespace
}  // namespace llmtool
