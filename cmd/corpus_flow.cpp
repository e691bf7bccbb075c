#include "cmd/corpus_flow.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>

#include "cmd/flags.h"
#include "lib/base/error.h"
#include "lib/base/interrupt.h"
#include "lib/base/log.h"
#include "lib/base/progress.h"
#include "lib/base/text_stream.h"
#include "lib/corpus/output_files.h"
#include "lib/corpus/pipeline.h"
#include "lib/corpus/pipeline_report.h"

namespace llmtool {
namespace {

constexpr const char* kGroup = "Flow";

// "i/n", 0 <= i < n.
std::pair<uint64_t, uint64_t> parse_shard(const std::string& text) {
  uint64_t shard = 0, shards = 0;
  const char* end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, shard);
  bool ok = first.ec == std::errc() && first.ptr != end && *first.ptr == '/';
  if (ok) {
    const auto second = std::from_chars(first.ptr + 1, end, shards);
    ok = second.ec == std::errc() && second.ptr == end && shard < shards;
  }
  check(ok, Fault::kUsage, "--shard ", text,
        " is no part of a whole, expected i/n with 0 <= i < n");
  return {shard, shards};
}

// "new/../a.jsonl" is "a.jsonl" once the folder "new" is made: names of what is written are
// resolved before.
std::string resolved(const std::string& path) {
  const fs::path parts(path);
  if (std::ranges::find(parts, fs::path("..")) == parts.end()) return path;
  return fs::weakly_canonical(fs::absolute(parts)).string();
}

PipelineOptions pipeline_options(const CorpusFlow& flow, const std::string& settings) {
  PipelineOptions o;
  o.inputs = flow.inputs;
  o.reader.format = record_format(flow.format);
  o.reader.fallback = flow.fallback_format;
  o.text_field = flow.text_field;
  o.output = resolved(flow.output);
  o.rejected = resolved(flow.rejected);
  o.samples = !flow.report.empty();
  std::tie(o.shard, o.shards) = parse_shard(flow.shard);
  o.memory = flow.memory;
  o.skip_bad = flow.skip_bad;
  o.resume = flow.resume;
  o.overwrite = flow.overwrite;
  o.checkpoint_seconds = flow.checkpoint_every;
  o.work = flow.work;
  o.settings = settings;
  if (!flow.report.empty()) o.not_read = {flow.report};
  return o;
}

void check_shard(const CorpusFlow& flow, const std::vector<std::unique_ptr<Step>>& steps) {
  if (parse_shard(flow.shard).second == 1) return;
  for (const auto& step : steps) {
    if (!step->needs_all()) continue;
    fail(Fault::kUsage,
         concat("'", step->name(), "' has to see all documents, and --shard ", flow.shard,
                " shows it a part of them"),
         "give each process inputs that are whole in themselves instead");
  }
}

// The bar of the pass that runs.
class PassBar {
 public:
  PipelineProgress callbacks() {
    return {[this](std::string_view label, uint64_t total) {
              bar_.reset();
              bar_ = std::make_unique<Progress>(label, total, "B");
            },
            [this](uint64_t consumed) { bar_->set(consumed); }};
  }
  void finish() { bar_.reset(); }

 private:
  std::unique_ptr<Progress> bar_;
};

void warn_of_losses(const PipelineResult& result) {
  if (result.bad_records > 0) {
    log_warning(concat(result.bad_records,
                       " records that cannot be read left out; the first: ", result.first_bad));
  }
  if (result.repeated_id_count > 0) {
    log_warning(concat(result.repeated_id_count,
                       result.repeated_id_count == 1 ? " document has" : " documents have",
                       " the id of an earlier one; the first: ", result.repeated_ids.front()));
  }
  for (const std::string& problem : result.problems) log_warning(problem);
  for (const fs::path& path : result.older_outputs) {
    log_warning(concat("'", path.string(), "' was there before and is not of this run"));
  }
  if (result.problem_count > result.problems.size()) {
    log_warning(concat(result.problem_count - result.problems.size(), " more such problems"));
  }
}

// The file or folder that the manifest is about; empty or "-": there is none.
std::string place_of_manifest(const CorpusFlow& flow) {
  const OutputName name(flow.output);
  if (name.is_many()) return name.folder().empty() ? "." : name.folder().string();
  return flow.output.empty() ? flow.report : flow.output;
}

void write_manifest(RunManifest& manifest, const CorpusFlow& flow, const PipelineResult& result) {
  const std::string place = place_of_manifest(flow);
  if (place.empty() || place == "-") return;
  for (const std::string& input : expand_globs(flow.inputs)) manifest.add_input(input);
  for (const fs::path& output : result.outputs) manifest.add_output(output);
  if (!flow.report.empty()) manifest.add_output(flow.report);
  PipelineResult brief = result;  // the samples are in the report
  for (StepStats& step : brief.steps) {
    for (FigureStats& figure : step.measured) figure.kept = figure.dropped = {};
  }
  manifest.set_result(result.fingerprint, pipeline_json(brief));
  manifest.write(place);
}

}  // namespace

void add_corpus_flow(CLI::App& app, CorpusFlow& flow, bool writes) {
  add_inputs(app, flow.inputs, "Files, globs or folders; .gz, .zst and - too")->group(kGroup);
  if (writes) {
    add_output(app, flow.output,
               "File for the documents that stay (.gz, .zst, .parquet); - is stdout. With "
               "'{attributes.language}' in it, one for each value (signs in it become _)")
        ->group(kGroup);
  } else {
    flow.output.clear();
  }
  for (CLI::Option* option : add_format(app, flow.format, flow.text_field)) option->group(kGroup);
  app.add_option("--rejected", flow.rejected,
                 "Folder for what is dropped, with the rule and the figure that decided")
      ->type_name("DIR")
      ->group(kGroup);
  app.add_option("--report", flow.report, "Folder for report.json and report.html")
      ->type_name("DIR")
      ->group(kGroup);
  app.add_option(
         "--memory", flow.memory,
         "Memory to stay within, e.g. 2G; more goes to the disk. A document larger than a part "
         "of it still has to fit")
      ->transform(CLI::AsSizeValue(false))
      ->group(kGroup);
  app.add_option("--shard", flow.shard, "This process' part of the inputs, i/n with 0 <= i < n")
      ->group(kGroup);
  add_threads(app, flow.threads)->group(kGroup);
  add_skip_bad(app, flow.skip_bad)->group(kGroup);
  if (writes) {
    app.add_option("--work", flow.work,
                   "Where OUTPUT.work lies, with what a run needs to go on; beside OUTPUT")
        ->type_name("DIR")
        ->group(kGroup);
    app.add_option("--checkpoint-every", flow.checkpoint_every, "Seconds between two checkpoints")
        ->check(CLI::Range(0.0, 1e9))
        ->group(kGroup);
    app.add_flag("--resume", flow.resume,
                 "Go on with the run that was stopped; one that has ended is left as it is")
        ->group(kGroup);
    add_overwrite(app, flow.overwrite, "Replace the output, or start a stopped run anew")
        ->group(kGroup);
  }
  add_json(app, flow.json)->group(kGroup);
}

std::string step_settings(const CLI::App& app) {
  std::string settings = app.get_name() + "\n";
  for (const CLI::Option* option : app.get_options()) {
    const bool is_flow = option->get_group() == kGroup || option == app.get_help_ptr() ||
                         option == app.get_config_ptr() || option->get_group() == "Common";
    if (is_flow) continue;
    settings += option->get_name();
    for (const std::string& value : option->results()) settings += concat(" ", json_text(value));
    settings += "\n";
  }
  return settings;
}

void run_corpus_flow(const CorpusFlow& flow, std::vector<std::unique_ptr<Step>> steps,
                     const std::string& settings, const CLI::App& app) {
  check(!flow.json || flow.output != "-", Fault::kUsage,
        "--json prints to standard output, where the documents go: give --output");
  check_shard(flow, steps);
  handle_interrupts();
  RunManifest manifest = start_manifest(app);
  Runtime runtime(flow.threads);
  PassBar bar;
  PipelineOptions options = pipeline_options(flow, settings);
  if (!flow.report.empty()) create_folder(flow.report);
  options.on_result = [&](const PipelineResult& done) {
    bar.finish();
    if (!flow.report.empty()) write_pipeline_report(flow.report, app.get_name(), done);
    write_manifest(manifest, flow, done);
  };
  std::optional<std::string> before;  // of a run that has ended
  options.has_ended = [&](const std::string& fingerprint) {
    const bool has_report =
        flow.report.empty() || fs::exists(fs::path(flow.report) / "report.json");
    if (has_report) before = result_of_run(place_of_manifest(flow), fingerprint);
    return before.has_value();
  };
  const PipelineResult result = run_pipeline(steps, options, runtime.pool(), bar.callbacks());
  if (result.had_ended) {
    log_info(concat("'", flow.output, "': this run has ended already, and all is there"));
    if (flow.json) write_stdout(*before + "\n");
    return;
  }
  warn_of_losses(result);
  if (flow.json) {
    write_stdout(pipeline_json(result) + "\n");
  } else if (flow.output == "-") {
    log_info(pipeline_table(result));
  } else {
    write_stdout(pipeline_table(result));
  }
}

}  // namespace llmtool
