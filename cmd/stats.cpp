#include <CLI/CLI.hpp>

#include "cmd/corpus_step.h"
#include "cmd/flags.h"
#include "lib/corpus/stats_step.h"

namespace llmtool {
namespace {

struct Options {
  std::string tokenizer;
  StatsOptions stats;
};

StepMaker define_stats(CLI::App& app) {
  auto o = std::make_shared<Options>();
  add_tokenizer(app, o->tokenizer);
  app.add_option("--top-domains", o->stats.top_domains, "How many domains to list");
  app.footer(
      "Words are runs of bytes between ASCII white space, characters are code points, tokens those "
      "of\n"
      "--tokenizer. Domains are the hosts of metadata.url without 'www.'. Distinct texts and ids "
      "are\n"
      "estimated by HyperLogLog over XXH3 hashes (standard error 0.8%). Histograms of the lengths "
      "are\n"
      "in the report.\n\n"
      "Example:\n  llmtool stats web-*.jsonl.zst --report stats");
  return [o] {
    if (!o->tokenizer.empty()) o->stats.tokenizer = load_tokenizer(o->tokenizer);
    return make_stats_step(o->stats);
  };
}

const RegisterStep stats{{.name = "stats",
                          .summary = "Tell what a corpus holds",
                          .order = 18,
                          .define = define_stats,
                          .writes = false}};

}  // namespace
}  // namespace llmtool
