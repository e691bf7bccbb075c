#include "cmd/mix_flags.h"

#include <CLI/CLI.hpp>

#include "cmd/flags.h"
#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/base/progress.h"
#include "lib/report/page.h"
#include "lib/report/table.h"

namespace llmtool {
namespace {

// Up to about so many, repeated text is worth nearly as much as new text (Muennighoff et al. 2023,
// arXiv:2305.16264).
constexpr double kManyEpochs = 4;

}  // namespace

const char* const kMixHelp =
    R"help(The recipe is a TOML file: `tokens` or `bytes` (the budget), `seed`, and for each source
  [[source]]
  name = "web"                     inputs = ["web/*.jsonl.zst"]
  share = 0.67                     of the budget; or weight = 3, for what the shares and epochs of
                                   others leave; or epochs = 2.45, whatever the budget
  by = "attributes.language"       each value is a part of its own, and of the source's amount a
  temperature = 3.3                part of size n gets n^(1/temperature) / sum (1: as they are)
Without a budget: as much as there is before a source with a share or weight is gone through once.
Sizes are bytes of text, or ids with one end-of-text token a document.

Of a source that is to be gone through E times each document is given floor(E) times, and some once
more: in an order drawn by the seed, each that brings the sum nearer to what is asked. So the two
differ by at most half of the smallest document that was left out. Every source lies evenly over the
mix, its epochs follow one another, and each is shuffled anew. The same seed gives the same bytes at
any --threads and --memory. Everything is put down in temporary files (--work): as large as what is
read, and as what is given.)help";

std::vector<CLI::Option*> add_mix_flags(CLI::App& app, MixFlags& flags) {
  CLI::Option* tokens = app.add_option("--tokens", flags.tokens,
                                       "Budget in tokens, e.g. 20M; over that of the recipe")
                            ->transform(CLI::AsSizeValue(true));
  return {tokens,
          app.add_option("--bytes", flags.bytes, "Budget in bytes of text, e.g. 80MB")
              ->transform(CLI::AsSizeValue(true))
              ->excludes(tokens),
          app.add_option("--memory", flags.memory, "Memory to stay within, e.g. 2G")
              ->transform(CLI::AsSizeValue(false)),
          add_work(app, flags.work),
          app.add_option("--report", flags.report, "Folder for report.json and report.html")
              ->type_name("DIR")};
}

MixOptions mix_options(const MixFlags& flags, const std::string& file, const CLI::App& app,
                       uint64_t seed, const std::string& output) {
  MixOptions o;
  o.recipe = read_mix_recipe(file);
  for (const char* name : {"--tokens", "--bytes"}) {
    check(app.count(name) == 0 || flags.tokens > 0 || flags.bytes > 0, Fault::kUsage, name,
          " expects more than 0");
  }
  if (flags.tokens > 0 || flags.bytes > 0) {
    o.recipe.unit = flags.tokens > 0 ? MixUnit::kTokens : MixUnit::kBytes;
    o.recipe.budget = std::max(flags.tokens, flags.bytes);
  }
  if (app.count("--seed") > 0 || !o.recipe.seed) o.recipe.seed = seed;
  o.memory = flags.memory;
  o.folder = work_folder(flags.work, output);
  return o;
}

struct MixBar::State {
  std::unique_ptr<Progress> bar;
  MixProgress callbacks;
};

MixBar::MixBar() : state_(std::make_unique<State>()) {
  State* s = state_.get();
  s->callbacks.begin = [s](std::string_view label, uint64_t total) {
    s->bar.reset();
    s->bar = std::make_unique<Progress>(label, total, "B");
  };
  s->callbacks.advance = [s](uint64_t done) { s->bar->set(done); };
}
MixBar::~MixBar() = default;

const MixProgress& MixBar::callbacks() const {
  return state_->callbacks;
}

void MixBar::finish() {
  state_->bar.reset();
}

std::vector<fs::path> own_reports(const MixFlags& flags) {
  if (flags.report.empty()) return {};
  const fs::path folder = flags.report;
  return {folder / "report.json", folder / "report.html"};
}

void report_mix(const MixFlags& flags, const MixResult& result) {
  if (result.repeated_inputs > 0) {
    log_warning(concat(result.first_repeated, "; so are ", result.repeated_inputs - 1, " more"));
  }
  for (const MixResult::Source& source : result.sources) {
    const MixPart sum = source.sum();
    const auto size = static_cast<double>(result.unit == MixUnit::kTokens ? sum.tokens : sum.bytes);
    if (sum.wanted > kManyEpochs * size) {
      log_warning(concat("'", source.name, "' is gone through ", sum.wanted / size,
                         " times; beyond about 4 a repeated text teaches little"));
    }
  }
  if (flags.report.empty()) return;
  create_folder(flags.report);
  Page page("mix");
  page.set_subtitle("What each source gave, in the form of LLaMA's Table 1");
  page.add(section("Sources", grid_table(mix_headings(result), mix_rows(result))));
  write_file(fs::path(flags.report) / "report.json", mix_json(result));
  write_file(fs::path(flags.report) / "report.html", page.html());
}

}  // namespace llmtool
