#include <CLI/CLI.hpp>
#include <chrono>
#include <map>
#include <memory>
#include <optional>

#include "cmd/flags.h"
#include "lib/base/error.h"
#include "lib/base/interrupt.h"
#include "lib/base/log.h"
#include "lib/base/ordered.h"
#include "lib/base/progress.h"
#include "lib/corpus/classify/model_file.h"
#include "lib/corpus/classify/model_note.h"
#include "lib/corpus/classify/score_step.h"
#include "lib/corpus/classify/training.h"
#include "lib/corpus/classify/training_report.h"
#include "lib/corpus/classify/training_set.h"
#include "lib/io/corpus_reader.h"

namespace llmtool {
namespace {

constexpr const char* kHelp =
    "Trains a supervised fastText model (fastText 0.9's library; its tools read the file, too) "
    "and\n"
    "measures it on texts that were held out. Writes model.bin (--quantize: model.ftz), "
    "report.html\n"
    "and report.json to the folder of --output.\n"
    "Labels: --label name=file[,file...] for each, or inputs whose documents name their label in\n"
    "--label-member. A folder is all files below it. Each document is one line of training:\n"
    "  --text plain    as it is, line breaks as spaces (DCLM, RedPajama; fastText makes words at\n"
    "                  white space, punctuation stays on them, case stays)\n"
    "  --text letters  runs of letters and marks in lower case, spaces between\n"
    "  --text joined   line breaks deleted (CCNet)\n"
    "`classify score` prepares texts in the same way: the model file says how. Words that "
    "fastText\n"
    "would take for labels or line ends (__label__, </s>) are broken by a space.\n"
    "Held out is each text whose XXH3 hash by --seed lies in the share --held-out: equal texts "
    "are\n"
    "on one side. The others are learnt in the order of their hashes. With the default of one\n"
    "thread the same texts, flags and program give the same model; with more, another each time.\n"
    "Threshold of the score of --target (default: the first --label): the one with the largest F1\n"
    "on the held-out texts, or with --at-precision P the one with the largest recall whose\n"
    "precision is at least P, or with --at-recall R the largest precision at a recall of R. The\n"
    "report draws the curve; the model file keeps the threshold for `classify score\n"
    "--use-threshold`.\n"
    "Memory: 4 x --buckets x --dim bytes if there are n-grams, and the words; training needs it "
    "in\n"
    "one piece.\n\n"
    "Example:\n"
    "  llmtool classify train --label good=wiki.jsonl --label other=web-*.jsonl.zst \\\n"
    "    --word-ngrams 2 --dim 50 --held-out 0.1 -o quality/";

const std::map<std::string, ModelLoss> kLosses = {{"softmax", ModelLoss::kSoftmax},
                                                  {"ova", ModelLoss::kOneVsAll},
                                                  {"ns", ModelLoss::kNegative},
                                                  {"hs", ModelLoss::kHierarchical}};

struct Options {
  std::vector<std::string> inputs, labels;
  std::string output, label_member, target, form = "plain", loss = "softmax";
  std::string format = "auto", text_field = "text";
  ClassifierTraining training;
  double held_out = 0.1;
  std::optional<double> precision, recall;
  uint64_t seed = 0, max_bytes = 0, memory = uint64_t{4} << 30;
  int threads = 0;
  bool skip_bad = false, overwrite = false, json = false;
};

struct LabelledInputs {
  std::string label;               // empty: each document says it
  std::vector<std::string> names;  // as they were given, without globs
  std::vector<CorpusInput> files;
};

// The files are listed now: what the training writes is none of them.
LabelledInputs inputs_of_label(std::string label, const std::vector<std::string>& names,
                               const fs::path& output) {
  LabelledInputs inputs{std::move(label), expand_globs(names), list_inputs(names)};
  const std::string own = (fs::weakly_canonical(output) / "").string();
  for (const std::string& name : inputs.names) {
    std::error_code error;
    if (!fs::is_directory(name, error)) continue;
    check(!own.starts_with((fs::canonical(name) / "").string()), Fault::kUsage, "--output ",
          output.string(), " lies in '", name, "', which is read: choose a folder outside of it");
  }
  return inputs;
}

std::vector<LabelledInputs> inputs_of(const Options& o) {
  check(o.labels.empty() != o.label_member.empty(), Fault::kUsage,
        "texts need labels: either --label name=file,... or --label-member");
  check(o.labels.empty() == !o.inputs.empty(), Fault::kUsage,
        o.labels.empty() ? "--label-member needs inputs"
                         : "with --label the inputs are those it names, and no others");
  if (o.labels.empty()) return {inputs_of_label("", o.inputs, o.output)};
  std::vector<LabelledInputs> all;
  for (const std::string& text : o.labels) {
    const size_t equals = text.find('=');
    check(equals != text.npos && equals > 0 && equals + 1 < text.size(), Fault::kUsage, "--label ",
          text, ": expected name=file[,file...]");
    std::vector<std::string> files;
    for (const std::string& file : CLI::detail::split(text.substr(equals + 1), ',')) {
      files.push_back(file);
    }
    all.push_back(inputs_of_label(text.substr(0, equals), files, o.output));
  }
  return all;
}

struct ParsedBlock {
  CorpusBlock block;
  uint64_t consumed = 0;
  std::vector<std::pair<std::string, std::string>> texts;  // label, prepared text
  BadLines bad;
};

// Reads the documents of one label, or of all.
void read_inputs(const Options& o, const LabelledInputs& from, ThreadPool& pool, TrainingSet& set) {
  CorpusReader reader(from.files, {.format = record_format(o.format)});
  std::vector<DocumentParser> parsers;
  for (int t = 0; t < pool.size(); ++t) parsers.emplace_back(o.text_field);
  Progress progress(from.label.empty() ? "read" : "read " + from.label, reader.total_bytes(), "B");
  const TextForm form = text_form(o.form);
  BadLines bad;
  run_in_order<ParsedBlock>(
      pool, 4 * parsers.size(),
      [&](ParsedBlock& p) {
        const bool more = reader.next(p.block);
        p.consumed = reader.consumed_bytes();
        p.texts.clear();
        return more;
      },
      [&](ParsedBlock& p, int thread) {
        std::string excerpt, prepared;
        for_each_document(p.block, parsers[static_cast<size_t>(thread)], p.bad.taker(o.skip_bad),
                          [&](Document& d) {
                            const std::string label = from.label.empty()
                                                          ? required_member(d, o.label_member).text
                                                          : from.label;
                            prepare_text(excerpt_of(d.text, o.max_bytes, excerpt), form, prepared);
                            p.texts.emplace_back(label, prepared);
                          });
      },
      [&](ParsedBlock& p) {
        for (const auto& [label, text] : p.texts) set.add(set.label(label), text);
        if (bad.count == 0) bad.first = p.bad.first;
        bad.count += p.bad.count;
        progress.set(p.consumed);
      });
  progress.finish();
  if (bad.count > 0) {
    log_warning(concat(bad.count, " bad records left out; the first: ", bad.first));
  }
}

void check_set(const TrainingSet& set) {
  std::vector<uint64_t> learnt(set.labels().size());
  for (const TrainingSet::Text& text : set.learnt()) ++learnt[text.label];
  check(learnt.size() >= 2, Fault::kInput, "a classifier needs texts of two labels, and there are ",
        learnt.size());
  for (size_t i = 0; i < learnt.size(); ++i) {
    check(learnt[i] > 0, Fault::kInput, "no text of the label '", set.labels()[i],
          "' is left to learn from");
  }
}

// The model's bytes with its note left out.
std::string train(const Options& o, const TrainingSet& set, const fs::path& folder) {
  const fs::path lines = folder / "lines";
  set.write_training_file(lines);
  Progress progress("train", 100, "%");
  const auto show = [&](double share) { progress.set(static_cast<uint64_t>(100 * share)); };
  return train_classifier(o.training, lines, folder, show);
}

// Judges the held-out texts and chooses the threshold.
void measure(const Options& o, const TrainingSet& set, const std::string& model_bytes,
             TrainingReport& report) {
  const TextClassifier model(model_bytes, report.model);
  std::map<std::string, size_t, std::less<>> places;
  for (const std::string& label : set.labels()) {
    places.emplace(label, report.labels.size());
    report.labels.push_back({label, 0, 0, 0, 0});
  }
  for (const TrainingSet::Text& text : set.learnt()) ++report.labels[text.label].learnt;
  TextClassifier::Scratch scratch;
  std::vector<LabelScore> found;
  for (const TrainingSet::Text& text : set.held_out()) {
    check_interrupted();
    model.predict(set.text(text), model.labels().size(), scratch, found);
    LabelFigures& own = report.labels[text.label];
    ++own.held_out;
    double score = 0;
    for (const LabelScore& one : found) {
      if (model.labels()[static_cast<size_t>(one.label)] == report.target) {
        score = rounded_score(one.score);
      }
    }
    if (!found.empty()) {
      LabelFigures& best =
          report.labels[places.at(model.labels()[static_cast<size_t>(found[0].label)])];
      ++best.named;
      best.right += &best == &own;
    }
    if (!report.target.empty()) report.scores.push_back({score, own.label == report.target});
  }
  report.curve = threshold_curve(report.scores);
  report.chosen = choose_threshold(report.curve, {o.precision, o.recall});
}

std::string goal_of(const Options& o) {
  if (o.precision) return concat("largest recall at a precision of at least ", *o.precision);
  if (o.recall) return concat("largest precision at a recall of at least ", *o.recall);
  return "largest F1";
}

// A folder that goes with the object.
struct WorkFolder {
  explicit WorkFolder(fs::path where) : path(std::move(where)) { create_folder(path); }
  ~WorkFolder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;
  fs::path path;
};

void check_options(const Options& o, const fs::path& model) {
  if (fs::exists(model) && !o.overwrite) {
    fail(Fault::kUsage, concat("'", model.string(), "' is there already"),
         "choose another folder, or give --overwrite");
  }
  check(!(o.precision && o.recall), Fault::kUsage,
        "--at-precision and --at-recall exclude another");
  check(o.training.min_chars <= o.training.max_chars, Fault::kUsage, "--min-chars is ",
        o.training.min_chars, ", more than --max-chars, ", o.training.max_chars);
  const uint64_t bytes = training_bytes(o.training);
  if (bytes > o.memory) {
    fail(Fault::kUsage,
         concat("the training needs ", human_bytes(static_cast<double>(bytes)), " of the ",
                human_bytes(static_cast<double>(o.memory)), " of --memory"),
         "give fewer --buckets, a smaller --dim, or more --memory");
  }
}

void run(const Options& options, const CLI::App& app) {
  handle_interrupts();
  Options o = options;
  o.training.loss = kLosses.at(o.loss);
  o.training.seed = static_cast<int>(o.seed & 0x3FFFFFFF);
  const fs::path folder = o.output;
  const fs::path model_path = folder / (o.training.quantize ? "model.ftz" : "model.bin");
  check_options(o, model_path);
  const std::vector<LabelledInputs> inputs = inputs_of(o);
  RunManifest manifest = start_manifest(app);
  const auto started = std::chrono::steady_clock::now();
  create_folder(folder);
  const WorkFolder work(folder / "work.tmp");
  TrainingSet set(work.path, o.held_out, o.seed);
  Runtime runtime(o.threads);
  for (const LabelledInputs& from : inputs) {
    if (!from.label.empty()) set.label(from.label);
    read_inputs(o, from, runtime.pool(), set);
  }
  set.finish();
  check_set(set);
  TrainingReport report;
  report.model = model_path.string();
  report.empty = set.empty();
  report.goal = goal_of(o);
  report.target = o.target.empty() && !o.labels.empty() ? inputs[0].label : o.target;
  check(report.target.empty() || std::ranges::count(set.labels(), report.target) == 1,
        Fault::kUsage, "no text has the label '", report.target, "' of --target");

  const std::string model = train(o, set, work.path);
  measure(o, set, model, report);
  ModelNote note{text_form(o.form), report.target, {}};
  if (report.chosen) note.threshold = report.curve[*report.chosen].threshold;
  write_file(model_path, model + note_bytes(note_text(note)));
  report.seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  write_training_report(folder, report);
  for (const LabelledInputs& from : inputs) {
    for (const std::string& name : from.names) manifest.add_input(name);
  }
  for (const char* name : {"report.json", "report.html"}) manifest.add_output(folder / name);
  manifest.add_output(model_path);
  manifest.write(folder);
  write_stdout(o.json ? training_json(report) + "\n" : training_summary(report));
}

void add_learning(CLI::App& app, Options& o) {
  ClassifierTraining& t = o.training;
  app.add_option("--lr", t.lr, "Learning rate at the start")->check(CLI::Range(1e-6, 100.0));
  app.add_option("--dim", t.columns, "Length of the vectors")->check(CLI::Range(1, 4096));
  app.add_option("--epochs", t.epochs, "Passes over the texts")->check(CLI::Range(1, 10000));
  app.add_option("--word-ngrams", t.word_ngrams, "Longest n-grams of words")
      ->check(CLI::Range(1, 16));
  app.add_option("--min-chars", t.min_chars, "Shortest n-grams of characters")
      ->check(CLI::Range(0, 16));
  app.add_option("--max-chars", t.max_chars, "Longest n-grams of characters; 0: none")
      ->check(CLI::Range(0, 16));
  app.add_option("--buckets", t.buckets, "Rows that all n-grams are hashed to")
      ->check(CLI::Range(1, 1 << 30));
  app.add_option("--min-count", t.min_count, "Words that come less often have no vector")
      ->check(CLI::Range(1, 1 << 30));
  app.add_option("--loss", o.loss, "Softmax, one against all, negative sampling, or a tree")
      ->check(CLI::IsMember({"softmax", "ova", "ns", "hs"}));
  app.add_option("--train-threads", t.threads, "More than 1: faster, another model each time")
      ->check(CLI::Range(1, 1024));
  app.add_flag("--quantize", t.quantize, "Write a small model (.ftz)");
  app.add_option("--cutoff", t.cutoff, "With --quantize: words and n-grams to keep; 0: all");
  app.add_option("--sub-columns", t.sub_columns, "With --quantize: columns that share a code")
      ->check(CLI::Range(1, 16));
  app.add_flag("--retrain", t.retrain, "With --cutoff: train those that are kept once more");
}

void define(CLI::App& app) {
  auto o = std::make_shared<Options>();
  app.add_option("inputs", o->inputs, "Documents, with --label-member")->type_name("FILE");
  app.add_option(
      "--label", o->labels,
      "name=file[,file...]: a label and its documents, files, globs or folders; repeat it");
  app.add_option("--label-member", o->label_member,
                 "Where documents say their label: metadata.language");
  add_output(app, o->output, "Folder for the model")->required();
  app.add_option("--target", o->target,
                 "The label whose score counts (default: the first --label)");
  app.add_option("--text", o->form, "How texts are prepared")
      ->check(CLI::IsMember({"plain", "letters", "joined"}));
  app.add_option("--max-bytes", o->max_bytes,
                 "Learn so much of a text, a piece from each quarter; 0: all of it")
      ->transform(CLI::AsSizeValue(true));
  app.add_option("--held-out", o->held_out, "Share of the texts to measure on")
      ->check(CLI::Range(0.0, 0.9));
  app.add_option("--at-precision", o->precision, "Choose the threshold by precision")
      ->check(CLI::Range(0.0, 1.0));
  app.add_option("--at-recall", o->recall, "Choose the threshold by recall")
      ->check(CLI::Range(0.0, 1.0));
  add_learning(app, *o);
  app.add_option("--memory", o->memory, "Refuse a training that needs more")
      ->transform(CLI::AsSizeValue(true));
  add_format(app, o->format, o->text_field);
  add_skip_bad(app, o->skip_bad);
  add_overwrite(app, o->overwrite, "Replace a model that is already there");
  add_seed(app, o->seed);
  add_threads(app, o->threads)->description("Threads that read");
  add_json(app, o->json);
  app.footer(kHelp);
  app.callback([o, &app] { run(*o, app); });
}

const Register<Command> train_command{
    {"classify train", "Learn a linear classifier from labelled documents", 14, define}};

}  // namespace
}  // namespace llmtool
