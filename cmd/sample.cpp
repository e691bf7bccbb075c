#include <CLI/CLI.hpp>

#include "cmd/corpus_step.h"
#include "cmd/flags.h"
#include "lib/corpus/sample_step.h"

namespace llmtool {
namespace {

StepMaker define_sample(CLI::App& app) {
  auto o = std::make_shared<SampleOptions>();
  app.add_option("-n,--count", o->count, "So many documents");
  app.add_option("--fraction", o->fraction, "This share of the documents")
      ->check(CLI::Range(0.0, 1.0));
  add_seed(app, o->seed);
  app.footer(
      "With --count, the documents with the smallest XXH3 hash of seed, id and text, in the order "
      "of the\n"
      "input: the same ones in whatever order the inputs come (of equal ones the first). With\n"
      "--fraction, those whose hash lies in that share of all hashes. Copies of a text with ids "
      "of\n"
      "their own are drawn apart from each other; without ids they stay together.\n\n"
      "Example:\n  llmtool sample web-*.jsonl.zst -n 1000 --seed 7 -o look.jsonl");
  return [o] { return make_sample_step(*o); };
}

const RegisterStep sample{{"sample", "Draw documents at random, by a seed", 19, define_sample}};

}  // namespace
}  // namespace llmtool
