#include <CLI/CLI.hpp>
#include <memory>
#include <optional>

#include "cmd/flags.h"
#include "cmd/mix_flags.h"
#include "lib/base/error.h"
#include "lib/base/interrupt.h"
#include "lib/base/log.h"
#include "lib/base/progress.h"
#include "lib/base/text_stream.h"
#include "lib/io/tokenize_corpus.h"

namespace llmtool {
namespace {

struct Options {
  std::vector<std::string> inputs, val;
  std::string mix, tokenizer, output, val_documents;
  MixFlags mix_flags;
  std::string format = "auto", text_field = "text";
  double val_fraction = 0;
  uint64_t seed = 0, shard_bytes = uint64_t{1} << 30;
  int threads = 0;
  bool skip_bad = false, overwrite = false, json = false;
};

std::string describe(std::string_view name, const DatasetSplit& split) {
  return concat(name, ": ", split.documents, " documents, ", split.text_bytes, " bytes, ",
                split.tokens, " tokens, ", human_count(split.bytes_per_token()), " bytes a token, ",
                split.shards.size(), " shards\n");
}

void remove_file(const fs::path& path) {
  std::error_code error;
  fs::remove(path, error);
  if (error) fail_io("remove", path, error.value());
}

// A finished dataset is only replaced when asked; what a killed run left is always replaced.
void prepare_output(const Options& o) {
  create_folder(o.output);
  const fs::path info = fs::path(o.output) / "dataset.json";
  if (fs::exists(info) && !o.overwrite) {
    fail(Fault::kUsage, concat("'", o.output, "' already holds a dataset"),
         "choose another folder, or give --overwrite");
  }
  remove_file(info);
  const std::vector<fs::path> stray = stray_shards(o.output);
  for (const fs::path& file : stray) remove_file(file);
  if (!stray.empty()) log_info(concat("removed ", stray.size(), " files of an earlier run"));
}

void report_losses(const TokenizeResult& result) {
  const DatasetInfo& info = result.info;
  if (info.bad_lines > 0) {
    log_warning(concat(info.bad_lines, " bad lines left out; the first: ", result.first_bad));
  }
  if (info.empty_documents > 0) {
    log_warning(concat(info.empty_documents, " documents without text left out"));
  }
  if (info.space_symbols > 0) {
    log_warning(concat(info.space_symbols, " characters U+2581, which decode as spaces"));
  }
  if (info.val_fraction > 0 && info.val.documents == 0) {
    log_warning("no document fell into the held-out split");
  }
}

// An input that cannot be opened fails here, before --overwrite removes anything. Pipes are left
// alone: what is read from them is gone.
void open_once(const std::vector<std::string>& inputs) {
  for (const std::string& name : inputs) {
    const bool is_file = !fs::exists(name) || fs::is_regular_file(name);
    if (name != "-" && is_file) InputStream{name};
  }
}

TokenizeOptions tokenize_options(const Options& o) {
  return {.reader = {.format = record_format(o.format), .skip_bad = o.skip_bad},
          .text_member = o.text_field,
          .output = o.output,
          .val_fraction = o.val_fraction,
          .val_inputs = expand_globs(o.val),
          .seed = o.seed,
          .val_documents = o.val_documents,
          .shard_bytes = o.shard_bytes,
          .skip_bad = o.skip_bad};
}

// The dataset of the inputs; of a mix also its table.
struct Outcome {
  TokenizeResult dataset;
  std::optional<MixResult> mix;
};

Outcome tokenize_inputs(const Options& o, const Tokenizer& tokenizer,
                        const std::vector<std::string>& inputs, ThreadPool& pool) {
  const TokenizeOptions options = tokenize_options(o);
  const uint64_t val_bytes = CorpusReader(options.val_inputs, options.reader).total_bytes();
  const uint64_t bytes = CorpusReader(inputs, options.reader).total_bytes();
  Progress progress("tokenize", bytes == 0 ? 0 : bytes + val_bytes, "B");
  return {tokenize_corpus(tokenizer, inputs, options, pool,
                          [&](uint64_t consumed) { progress.set(consumed); }),
          {}};
}

Outcome tokenize_mix(const Options& o, const Tokenizer& tokenizer, MixOptions options,
                     ThreadPool& pool) {
  const fs::path output = o.output;
  options.reader = {.format = record_format(o.format), .skip_bad = o.skip_bad};
  options.own = own_reports(o.mix_flags);
  for (const char* name : {"train", "val", "dataset.json", "run.json"}) {
    options.own.push_back(output / name);
  }
  if (!o.val_documents.empty()) options.own.emplace_back(o.val_documents);
  options.tokenizer = &tokenizer;
  MixBar bar;
  MixedTokens result = mix_tokens(options, tokenize_options(o), pool, bar.callbacks());
  bar.finish();
  report_mix(o.mix_flags, result.mix);
  return {std::move(result.dataset), std::move(result.mix)};
}

void run(const Options& o, const CLI::App& app) {
  handle_interrupts();
  check(o.mix.empty() != o.inputs.empty(), Fault::kUsage,
        "expected inputs, or --mix with a recipe of them");
  RunManifest manifest = start_manifest(app);
  const auto tokenizer = load_tokenizer(o.tokenizer);
  std::optional<MixOptions> mix;
  std::vector<std::string> inputs = expand_globs(o.inputs);
  if (!o.mix.empty()) {
    mix = mix_options(o.mix_flags, o.mix, app, o.seed, o.output);
    for (const MixSource& source : mix->recipe.sources) {
      for (std::string& input : expand_globs(source.inputs)) inputs.push_back(std::move(input));
    }
    manifest.add_input(o.mix);
  }
  const std::vector<std::string> val_inputs = expand_globs(o.val);
  open_once(inputs);
  open_once(val_inputs);
  prepare_output(o);
  Runtime runtime(o.threads);
  const Outcome outcome = mix ? tokenize_mix(o, *tokenizer, *mix, runtime.pool())
                              : tokenize_inputs(o, *tokenizer, inputs, runtime.pool());
  const TokenizeResult& result = outcome.dataset;

  const std::string info = dataset_json(result.info);
  tokenizer->save(o.output);
  write_file(fs::path(o.output) / "dataset.json", info);
  for (const std::vector<std::string>* names : {&std::as_const(inputs), &val_inputs}) {
    for (const std::string& input : *names) manifest.add_input(input);
  }
  manifest.add_input(o.tokenizer);
  manifest.add_output(o.output);
  if (!o.val_documents.empty()) manifest.add_output(o.val_documents);
  if (!o.mix_flags.report.empty()) manifest.add_output(o.mix_flags.report);
  manifest.write(o.output);
  report_losses(result);
  if (o.json) return write_stdout(info);
  if (outcome.mix) write_stdout(mix_table(*outcome.mix));
  write_stdout(describe("train", result.info.train) + describe("val", result.info.val));
}

void define_tokenize(CLI::App& app) {
  auto o = std::make_shared<Options>();
  add_inputs(app, o->inputs, "JSON lines with a text in each, or .txt files; .gz, .zst and - too");
  CLI::Option* mix =
      app.add_option("--mix", o->mix, "Instead of inputs: a recipe of sources (llmtool mix --help)")
          ->type_name("FILE");
  add_tokenizer(app, o->tokenizer)->required();
  add_output(app, o->output, "Folder for the token shards")->required();
  app.add_option("--val-fraction", o->val_fraction,
                 "Share of the documents to hold out, chosen by the hash of their text")
      ->check(CLI::Range(0.0, 0.99));
  app.add_option("--val", o->val, "Documents to hold out, all of them, besides that share")
      ->type_name("FILE");
  app.add_option("--val-documents", o->val_documents,
                 "Write the held-out documents there too, as JSON lines")
      ->type_name("PATH");
  for (CLI::Option* option : add_mix_flags(app, o->mix_flags)) option->needs(mix)->group("Mix");
  add_format(app, o->format, o->text_field);
  app.add_option("--shard-bytes", o->shard_bytes, "Size at which the next shard begins, e.g. 1GiB")
      ->transform(CLI::AsSizeValue(true));
  add_skip_bad(app, o->skip_bad);
  add_overwrite(app, o->overwrite, "Replace a dataset that is already there");
  add_seed(app, o->seed);
  add_threads(app, o->threads);
  add_json(app, o->json);
  app.footer(
      "Each document ends with an end-of-text token. The shards are Megatron's (.bin, .idx); "
      "dataset.json\nbeside them has the counts.\n\n"
      "Example:\n  llmtool tokenize web-*.jsonl.zst -t tokenizer/ -o tokens/ --val-fraction 0.01\n"
      "  llmtool tokenize --mix mix.toml -t tokenizer/ -o tokens/ --tokens 20M");
  app.callback([o, &app] { run(*o, app); });
}

const Register<Command> tokenize{
    {"tokenize", "Turn text into shards of tokens to train on", 24, define_tokenize}};

}  // namespace
}  // namespace llmtool
