#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "cmd/flags.h"
#include "lib/base/error.h"
#include "lib/base/interrupt.h"
#include "lib/base/log.h"
#include "lib/base/ordered.h"
#include "lib/base/progress.h"
#include "lib/base/rng.h"
#include "lib/io/corpus_reader.h"
#include "lib/text/document_sample.h"
#include "lib/text/sentencepiece_tokenizer.h"
#include "lib/text/sentencepiece_trainer.h"
#include "lib/text/utf8.h"

namespace llmtool {
namespace {

constexpr size_t kTextPiece = size_t{1} << 20;   // a plain text file is sampled in such pieces
constexpr uint64_t kMeasuredBytes = 10'000'000;  // of the sample, for bytes per token

struct Options {
  std::vector<std::string> inputs;
  std::string output, format = "auto", text_field = "text";
  SentencePieceTraining training;
  uint64_t sample_bytes = 100'000'000, seed = 0;
  int threads = 0;
  bool skip_bad = false, overwrite = false, json = false, no_byte_fallback = false,
       no_split_digits = false;
};

struct Corpus {
  std::vector<std::string> documents;
  uint64_t seen_documents = 0, seen_bytes = 0, bytes = 0;
};

struct ParsedBlock {
  CorpusBlock block;
  uint64_t consumed = 0;
  std::vector<std::string> texts;
  BadLines bad;
};

Corpus read_corpus(const Options& o, const std::vector<std::string>& inputs) {
  CorpusReader reader(inputs,
                      {.format = record_format(o.format), .text_document_bytes = kTextPiece});
  DocumentSample sample(o.sample_bytes, o.seed ^ stream_id("tokenizer training"));
  Runtime runtime(o.threads);
  std::vector<DocumentParser> parsers;
  for (int t = 0; t < runtime.pool().size(); ++t) parsers.emplace_back(o.text_field);
  Progress progress("read", reader.total_bytes(), "B");
  BadLines bad;
  run_in_order<ParsedBlock>(
      runtime.pool(), 4 * parsers.size(),
      [&](ParsedBlock& p) {
        const bool more = reader.next(p.block);
        p.consumed = reader.consumed_bytes();
        return more;
      },
      [&](ParsedBlock& p, int thread) {
        for_each_document(p.block, parsers[static_cast<size_t>(thread)], p.bad.taker(o.skip_bad),
                          [&](Document& d) { p.texts.push_back(std::move(d.text)); });
      },
      [&](ParsedBlock& p) {
        for (std::string& text : p.texts) sample.add(std::move(text));
        if (bad.count == 0) bad.first = p.bad.first;
        bad.count += p.bad.count;
        progress.set(p.consumed);
      });
  progress.finish();
  if (bad.count > 0) {
    log_warning(concat(bad.count, " bad lines left out; the first: ", bad.first));
  }
  Corpus corpus{{}, sample.seen_documents(), sample.seen_bytes(), sample.kept_bytes()};
  corpus.documents = sample.take();
  return corpus;
}

std::string train(const Options& o, const Corpus& corpus) {
  const bool counts = o.training.model == "bpe";
  Progress progress("train tokenizer", counts ? static_cast<uint64_t>(o.training.vocab_size) : 0,
                    "pieces");
  return train_sentencepiece(o.training, corpus.documents,
                             [&](std::string_view stage, int64_t pieces) {
                               progress.set(static_cast<uint64_t>(std::max<int64_t>(pieces, 0)));
                               progress.set_note(std::string(stage));
                             });
}

double bytes_per_token(const Tokenizer& tokenizer, const Corpus& corpus) {
  uint64_t bytes = 0, tokens = 0;
  for (const std::string& text : corpus.documents) {
    tokens += tokenizer.encode(text).size();
    bytes += text.size();
    if (bytes > kMeasuredBytes) break;
  }
  return tokens == 0 ? 0 : static_cast<double>(bytes) / static_cast<double>(tokens);
}

void run(const Options& options, const CLI::App& app) {
  handle_interrupts();
  Options o = options;
  o.training.byte_fallback = !o.no_byte_fallback;
  o.training.split_digits = !o.no_split_digits;
  const fs::path model_path = fs::path(o.output) / "tokenizer.model";
  if (fs::exists(model_path) && !o.overwrite) {
    fail(Fault::kUsage, concat("'", model_path.string(), "' is there already"),
         "choose another folder, or give --overwrite");
  }
  RunManifest manifest = start_manifest(app);
  const std::vector<std::string> inputs = expand_globs(o.inputs);
  const Corpus corpus = read_corpus(o, inputs);
  const SentencePieceTokenizer tokenizer(
      parse_sentencepiece_model(train(o, corpus), model_path.string()));
  create_folder(o.output);
  tokenizer.save(o.output);
  for (const std::string& input : inputs) manifest.add_input(input);
  manifest.add_output(model_path);
  manifest.add_output(fs::path(o.output) / "tokenizer_config.json");
  manifest.write(o.output);

  const double ratio = bytes_per_token(tokenizer, corpus);
  const nlohmann::ordered_json result = {
      {"model", model_path.string()},         {"kind", tokenizer.kind()},
      {"vocab_size", tokenizer.vocab_size()}, {"documents", corpus.seen_documents},
      {"bytes", corpus.seen_bytes},           {"sampled_documents", corpus.documents.size()},
      {"sampled_bytes", corpus.bytes},        {"bytes_per_token", ratio}};
  write_stdout(o.json ? result.dump(2) + "\n"
                      : concat(model_path.string(), ": ", tokenizer.kind(), ", ",
                               tokenizer.vocab_size(), " pieces, ", human_count(ratio),
                               " bytes a token, from ", human_bytes(double(corpus.bytes)), " of ",
                               human_bytes(double(corpus.seen_bytes)), "\n"));
}

void define_tokenizer_train(CLI::App& app) {
  auto o = std::make_shared<Options>();
  add_inputs(app, o->inputs, "JSON lines or .txt files; .gz, .zst and - too")->required();
  add_output(app, o->output, "Folder for tokenizer.model")->required();
  app.add_option("--model", o->training.model, "How text is cut into pieces")
      ->check(CLI::IsMember({"bpe", "unigram", "char"}));
  app.add_option("--vocab-size", o->training.vocab_size,
                 "Pieces in all, with the special ones; for char the most there may be")
      ->check(CLI::Range(1, 1 << 24));
  app.add_option("--sample-bytes", o->sample_bytes,
                 "Train on a sample of about this size, chosen by the hash of the documents; 0: "
                 "on everything")
      ->transform(CLI::AsSizeValue(true));
  app.add_option("--character-coverage", o->training.character_coverage,
                 "Share of the text whose characters become pieces; the rest is spelt in bytes")
      ->check(CLI::Range(0.98, 1.0));
  app.add_option("--max-piece-length", o->training.max_piece_length, "Characters of a piece")
      ->check(CLI::Range(1, 512));
  app.add_option("--user-defined-symbol", o->training.user_defined_symbols,
                 "Text that is always one piece; may be given several times")
      ->type_name("TEXT");
  app.add_option("--control-symbol", o->training.control_symbols,
                 "A piece that no text can spell; may be given several times")
      ->type_name("TEXT");
  app.add_flag("--dummy-prefix", o->training.add_dummy_prefix, "Put a space in front of each text");
  app.add_flag("--no-byte-fallback", o->no_byte_fallback, "Unknown characters become <unk>");
  app.add_flag("--no-split-digits", o->no_split_digits, "Pieces may hold several digits");
  add_format(app, o->format, o->text_field);
  add_skip_bad(app, o->skip_bad);
  add_overwrite(app, o->overwrite, "Replace a tokenizer that is already there");
  add_seed(app, o->seed);
  add_threads(app, o->threads);
  add_json(app, o->json);
  app.footer(
      "Settings are LLaMA's: bytes for unknown characters, digits apart, spaces and line breaks "
      "kept.\nThe model does not depend on --threads: SentencePiece's trainer always runs with "
      "16.\n\n"
      "Example:\n  llmtool tokenizer train docs.jsonl.zst -o tokenizer/ --vocab-size 8192");
  app.callback([o, &app] { run(*o, app); });
}

const Register<Command> tokenizer_train{
    {"tokenizer train", "Learn a vocabulary from text", 20, define_tokenizer_train}};

}  // namespace
}  // namespace llmtool
