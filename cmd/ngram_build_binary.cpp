#include <CLI/CLI.hpp>
#include <memory>

#include "cmd/flags.h"
#include "lib/base/error.h"
#include "lib/base/interrupt.h"
#include "lib/corpus/ngram/arpa_reader.h"
#include "lib/corpus/ngram/kenlm_probing_sink.h"

namespace llmtool {
namespace {

struct Options {
  std::string input, output;
  KenlmProbingOptions binary;
  bool overwrite = false;
};

void run(const Options& o, const CLI::App& app) {
  handle_interrupts();
  if (fs::exists(o.output) && !o.overwrite) {
    fail(Fault::kUsage, concat("'", o.output, "' is there already"),
         "choose another name, or give --overwrite");
  }
  RunManifest manifest = start_manifest(app);
  KenlmProbingSink sink(o.output, o.binary);
  read_arpa(o.input, sink);
  manifest.add_input(o.input);
  manifest.add_output(o.output);
  manifest.write(o.output);
}

void define(CLI::App& app) {
  auto o = std::make_shared<Options>();
  app.add_option("input", o->input, "ARPA file; .gz and .zst too")->required();
  add_output(app, o->output, "KenLM binary (probing)")->required();
  app.add_option("-p,--multiplier", o->binary.multiplier,
                 "Buckets per n-gram in the hash tables: more is larger and faster")
      ->check(CLI::Range(1.01, 100.0));
  add_overwrite(app, o->overwrite, "Replace a file that is already there");
  app.footer(
      "The bytes are those of KenLM's `build_binary probing`: its query, its Python module and\n"
      "`llmtool ngram score` read it. The file is filled through a memory map; it is as large as\n"
      "16 bytes x multiplier for each n-gram (12 for the highest order).\n\n"
      "Example:\n  llmtool ngram build-binary en.arpa.zst -o en.bin");
  app.callback([o, &app] { run(*o, app); });
}

const Register<Command> build_binary{
    {"ngram build-binary", "Make a KenLM binary from an ARPA file", 17, define}};

}  // namespace
}  // namespace llmtool
