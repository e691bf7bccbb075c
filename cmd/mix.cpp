#include <CLI/CLI.hpp>
#include <memory>

#include "cmd/flags.h"
#include "cmd/mix_flags.h"
#include "lib/base/error.h"
#include "lib/base/interrupt.h"
#include "lib/base/log.h"

namespace llmtool {
namespace {

struct Options {
  MixFlags flags;
  std::string file, tokenizer, output = "-";
  std::string format = "auto", text_field = "text";
  uint64_t seed = 0;
  int threads = 0;
  bool skip_bad = false, overwrite = false, json = false;
};

void report_losses(const MixResult& result) {
  if (result.bad_records > 0) {
    log_warning(concat(result.bad_records,
                       " records that cannot be read left out; the first: ", result.first_bad));
  }
  if (result.empty_documents > 0) {
    log_warning(concat(result.empty_documents, " documents without text left out"));
  }
}

void run(const Options& o, const CLI::App& app) {
  handle_interrupts();
  check(!o.json || o.output != "-", Fault::kUsage,
        "--json prints to standard output, where the documents go: give --output");
  check(!o.output.ends_with(".parquet"), Fault::kUsage, "'", o.output,
        "': a mix is written as JSON lines: .jsonl, .jsonl.gz or .jsonl.zst");
  if (o.output != "-" && fs::is_regular_file(o.output) && !o.overwrite) {
    fail(Fault::kUsage, concat("'", o.output, "' is already there"),
         "choose another name, or give --overwrite");
  }
  RunManifest manifest = start_manifest(app);
  MixOptions options = mix_options(o.flags, o.file, app, o.seed, o.output);
  options.reader = {.format = record_format(o.format), .skip_bad = o.skip_bad};
  options.own = own_reports(o.flags);
  if (o.output != "-") {
    options.own.emplace_back(o.output);
    options.own.push_back(manifest_path(o.output));
  }
  options.text_member = o.text_field;
  options.skip_bad = o.skip_bad;
  std::shared_ptr<const Tokenizer> tokenizer;
  if (!o.tokenizer.empty()) tokenizer = load_tokenizer(o.tokenizer);
  options.tokenizer = tokenizer.get();
  Runtime runtime(o.threads);
  MixBar bar;
  const MixResult result = mix_documents(options, o.output, runtime.pool(), bar.callbacks());
  bar.finish();
  report_losses(result);
  report_mix(o.flags, result);

  manifest.add_input(o.file);
  for (const MixSource& source : options.recipe.sources) {
    for (const std::string& input : expand_globs(source.inputs)) manifest.add_input(input);
  }
  if (!o.tokenizer.empty()) manifest.add_input(o.tokenizer);
  manifest.add_output(o.output);
  if (!o.flags.report.empty()) manifest.add_output(o.flags.report);
  manifest.write(o.output);
  if (o.json) {
    write_stdout(mix_json(result));
  } else if (o.output == "-") {
    log_info(mix_table(result));
  } else {
    write_stdout(mix_table(result));
  }
}

void define_mix(CLI::App& app) {
  auto o = std::make_shared<Options>();
  app.add_option("recipe", o->file, "TOML file with the sources")->required()->type_name("FILE");
  add_output(app, o->output, "File for the mix (.gz, .zst); - is stdout");
  app.add_option("-t,--tokenizer", o->tokenizer, "Counts tokens; needed for a budget in tokens")
      ->type_name("PATH");
  add_mix_flags(app, o->flags);
  add_format(app, o->format, o->text_field);
  add_skip_bad(app, o->skip_bad);
  add_overwrite(app, o->overwrite, "Replace the output if it is there");
  add_seed(app, o->seed);
  add_threads(app, o->threads);
  add_json(app, o->json);
  app.footer(std::string(kMixHelp) +
             "\nEach document is given as it was, with attributes.mix_source.\n\n"
             "Example:\n  llmtool mix mix.toml -o mix.jsonl.zst --bytes 80MB --seed 7\n"
             "  llmtool tokenize --mix mix.toml -t tokenizer/ -o tokens/   # without the copy");
  app.callback([o, &app] { run(*o, app); });
}

const Register<Command> mix{
    {"mix", "Mix sources by share, weight or epochs, shuffled", 19, define_mix}};

}  // namespace
}  // namespace llmtool
