#include <CLI/CLI.hpp>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>

#include "cmd/flags.h"
#include "lib/base/error.h"
#include "lib/base/interrupt.h"
#include "lib/base/log.h"
#include "lib/base/progress.h"
#include "lib/corpus/ngram/arpa_writer.h"
#include "lib/corpus/ngram/kenlm_probing_sink.h"
#include "lib/corpus/ngram/train.h"

namespace llmtool {
namespace {

struct Options {
  std::vector<std::string> inputs;
  std::string output, tokenizer, limit_vocabulary, work;
  std::string format = "auto", text_field = "text", unit = "line";
  int order = 5;
  std::vector<uint64_t> prune;
  std::vector<float> fallback;
  bool discount_fallback = false;
  uint64_t memory = uint64_t{2} << 30;
  int threads = 0;
  bool skip_symbols = false, skip_bad = false, overwrite = false, json = false;
};

// One line of progress for each stage of the work.
class StageProgress {
 public:
  void set(std::string_view stage, uint64_t done, uint64_t total) {
    if (stage != stage_) {
      stage_ = stage;
      progress_.reset();
      progress_ = std::make_unique<Progress>(concat("ngram train: ", stage), total,
                                             stage == "count" ? "B" : "n-grams");
    }
    progress_->set(done);
  }
  void finish() { progress_.reset(); }

 private:
  std::string stage_;
  std::unique_ptr<Progress> progress_;
};

Discounts fallback_discounts(const std::vector<float>& given) {
  Discounts discounts;
  for (size_t i = 0; !given.empty() && i < discounts.amount.size(); ++i) {
    const float amount = given[std::min(i, given.size() - 1)];
    check(amount >= 0 && amount <= static_cast<float>(i + 1), Fault::kUsage, "--discount-fallback ",
          amount, " for the count ", i + 1, ", expected 0 to ", i + 1);
    discounts.amount[i] = amount;
  }
  return discounts;
}

nlohmann::ordered_json describe(const NgramSummary& s) {
  nlohmann::ordered_json orders = nlohmann::ordered_json::array();
  for (size_t k = 0; k < s.statistics.size(); ++k) {
    const OrderStatistics& o = s.statistics[k];
    const auto& n = o.with_count;
    orders.push_back({{"order", k + 1},
                      {"ngrams", o.kept},
                      {"ngrams_before_pruning", o.ngrams},
                      {"with_adjusted_count", {n[1], n[2], n[3], n[4]}},
                      {"discounts", s.discounts[k].amount},
                      {"discounts_estimated", s.discounts[k].estimated}});
  }
  return {{"documents", s.text.documents},
          {"sentences", s.text.sentences},
          {"words", s.text.words},
          {"different_words", s.words},
          {"orders", std::move(orders)}};
}

std::string table(const NgramSummary& s, const std::string& output) {
  std::string out = concat(output, ": ", s.text.words, " words in ", s.text.sentences,
                           " sentences, ", s.words, " different\n");
  for (size_t k = 0; k < s.statistics.size(); ++k) {
    const OrderStatistics& o = s.statistics[k];
    const auto& d = s.discounts[k].amount;
    out += concat("order ", k + 1, ": ", o.kept, " of ", o.ngrams, " n-grams, discounts ", d[0],
                  " ", d[1], " ", d[2], s.discounts[k].estimated ? "" : " (fallback)", "\n");
  }
  return out;
}

void report(const NgramSummary& s) {
  if (s.text.bad.count > 0) {
    log_warning(concat(s.text.bad.count, " bad records left out; the first: ", s.text.bad.first));
  }
  if (s.text.skipped_symbols > 0) {
    log_warning(concat(s.text.skipped_symbols, " words <s>, </s> or <unk> in the text left out"));
  }
  for (size_t k = 0; k < s.discounts.size(); ++k) {
    if (!s.discounts[k].estimated) {
      log_warning(
          concat("order ", k + 1, ": no discounts can be estimated, the fallback is taken"));
    }
  }
}

// KenLM's binary or ARPA, by the name's ending.
std::unique_ptr<NgramSink> open_sink(const Options& o, ThreadPool& pool) {
  for (const char* ending : {".bin", ".binary", ".klm"}) {
    if (o.output.ends_with(ending)) return std::make_unique<KenlmProbingSink>(o.output);
  }
  return std::make_unique<ArpaWriter>(o.output, pool);
}

NgramTraining training_of(const Options& o, ThreadPool& pool, StageProgress& progress) {
  NgramTraining t;
  t.text = {.inputs = expand_globs(o.inputs),
            .format = record_format(o.format),
            .text_member = o.text_field,
            .skip_bad = o.skip_bad,
            .unit = o.unit == "line" ? SentenceUnit::kLine : SentenceUnit::kDocument,
            .tokenizer = o.tokenizer.empty() ? nullptr : load_tokenizer(o.tokenizer),
            .skip_symbols = o.skip_symbols};
  t.order = o.order;
  t.prune = o.prune;
  if (!o.limit_vocabulary.empty()) t.limit_vocabulary = o.limit_vocabulary;
  if (o.discount_fallback || !o.fallback.empty())
    t.discount_fallback = fallback_discounts(o.fallback);
  t.place = {.folder = work_folder(o.work, o.output),
             .memory = o.memory,
             .pool = &pool,
             .progress = [&progress](std::string_view stage, uint64_t done, uint64_t total) {
               progress.set(stage, done, total);
             }};
  return t;
}

void run(const Options& o, const CLI::App& app) {
  handle_interrupts();
  if (fs::is_regular_file(o.output) && !o.overwrite) {
    fail(Fault::kUsage, concat("'", o.output, "' is there already"),
         "choose another name, or give --overwrite");
  }
  RunManifest manifest = start_manifest(app);
  Runtime runtime(o.threads);
  StageProgress progress;
  const NgramTraining training = training_of(o, runtime.pool(), progress);
  const std::unique_ptr<NgramSink> sink = open_sink(o, runtime.pool());
  const NgramSummary summary = train_ngrams(training, *sink);
  progress.finish();
  for (const std::string& input : training.text.inputs) manifest.add_input(input);
  if (!o.tokenizer.empty()) manifest.add_input(o.tokenizer);
  if (!o.limit_vocabulary.empty()) manifest.add_input(o.limit_vocabulary);
  manifest.add_output(o.output);
  manifest.write(o.output);
  report(summary);
  if (o.output == "-") return;
  write_stdout(o.json ? describe(summary).dump(2) + "\n" : table(summary, o.output));
}

constexpr const char* kFooter =
    "Interpolated modified Kneser-Ney smoothing, the estimate of KenLM's lmplz: the same n-grams,\n"
    "probabilities and back-offs for the same sentences. A sentence is a line of a document "
    "(lines\n"
    "of plain text too), or with --unit document a document; an empty line is one, a document\n"
    "without text is none. Words are what NUL, tab, line feed, carriage return and space stand\n"
    "between; with a tokenizer they are its pieces as its vocabulary spells them (white space in\n"
    "them as <0x20>); what is no piece is a word as it stands. <unk> takes the place of an unseen\n"
    "word: the unigrams are interpolated with 1 / (words with <unk> and </s>).\n"
    "--prune 0 0 1: trigrams and longer ones that occur once in the text are left out; their\n"
    "counts go to the back-offs. Unlike lmplz, a last line without line feed ends with </s>.\n"
    "Where the text is too small or too regular for the discounts' formula the command fails, or\n"
    "takes the fallback.\n"
    "Temporary files have no names and lie in --work, else beside the output; about 60 bytes a\n"
    "word of text for order 5. The model is the same at any --threads and --memory.\n\n"
    "Example:\n  llmtool ngram train wiki-en.jsonl.zst -t en.sp.model --unit document "
    "--discount-fallback -o en.arpa.zst";

void define_ngram_train(CLI::App& app) {
  auto o = std::make_shared<Options>();
  add_inputs(app, o->inputs, "Documents or plain text; .gz, .zst and - too")->required();
  add_output(
      app, o->output,
      "The model: KenLM's probing binary if its name ends in .bin, .binary or .klm, else ARPA "
      "(.arpa, .arpa.gz, .arpa.zst, or - for standard output)")
      ->required();
  app.add_option("--order", o->order, "Words of the longest n-grams")
      ->check(CLI::Range(1, kMostOrder));
  add_tokenizer(app, o->tokenizer);
  app.add_option("--unit", o->unit, "What stands between <s> and </s>")
      ->check(CLI::IsMember({"line", "document"}));
  app.add_option("--prune", o->prune,
                 "Leave out n-grams that occur at most so often: a number for each order, never "
                 "falling; the last is for all higher orders")
      ->type_name("COUNT");
  app.add_flag("--discount-fallback", o->discount_fallback,
               "Where the formula of the discounts fails, take 0.5, 1 and 1.5 for the counts 1, 2, "
               "and 3 and more");
  app.add_option("--fallback-discounts", o->fallback,
                 "The same with other discounts, one to three; the last is for all higher counts")
      ->expected(1, 3)
      ->type_name("D");
  app.add_option("--limit-vocab", o->limit_vocabulary,
                 "Leave out n-grams with words that are not in this file")
      ->type_name("PATH");
  app.add_flag("--skip-symbols", o->skip_symbols,
               "Read <s>, </s> and <unk> in the text as white space, instead of failing");
  add_format(app, o->format, o->text_field);
  add_skip_bad(app, o->skip_bad);
  app.add_option("--memory", o->memory, "Memory for n-grams, e.g. 8G; the rest goes to the disk")
      ->transform(CLI::AsSizeValue(false))
      ->check(CLI::Range(uint64_t{1} << 20, uint64_t{1} << 50));
  add_work(app, o->work);
  add_overwrite(app, o->overwrite, "Replace a model that is already there");
  add_threads(app, o->threads);
  add_json(app, o->json);
  app.footer(kFooter);
  app.callback([o, &app] { run(*o, app); });
}

const Register<Command> ngram_train{
    {"ngram train", "Estimate an n-gram model from text", 18, define_ngram_train}};

}  // namespace
}  // namespace llmtool
