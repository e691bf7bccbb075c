#include "lib/corpus/pipeline.h"

#include <doctest/doctest.h>
#include <set>
#include <unordered_set>

#include "lib/base/error.h"
#include "lib/base/rng.h"
#include "lib/base/text_stream.h"
#include "lib/corpus/dedup/exact_dedup.h"
#include "lib/text/document_sample.h"
#include "tests/scratch_folder.h"

using namespace llmtool;

namespace {

// Appends a mark; drops texts with an 'x' in front.
class MarkStep final : public Step {
 public:
  std::string name() const override { return "mark"; }
  std::vector<Figure> figures() const override {
    return {{"size", Figure::Scale::kLinear, 0, 100, 3.0, {}}};
  }
  void work(Document& document, Tally& tally, int) override {
    const auto size = static_cast<double>(document.text.size());
    tally.record(0, size, document);
    if (size < 3) return reject(document, "mark.size", json_number(size), ">= 3");
    if (document.text.starts_with("x")) return reject(document, "mark.x");
    document.attributes.push_back({"mark", json_number(size)});
  }
};

// Keeps the first of equal texts; its state is rebuilt from a log.
class FirstStep final : public Step {
 public:
  std::string name() const override { return "first"; }
  void start(StepResources& resources) override {
    log_ = &resources.log("hashes");
    log_->flush();
    const std::string bytes = read_file(log_->path());
    for (size_t i = 0; i < bytes.size(); i += 8) {
      uint64_t hash = 0;
      std::copy_n(bytes.data() + i, 8, reinterpret_cast<char*>(&hash));
      seen_.insert(hash);
    }
  }
  void work(Document& document, Tally&, int) override {
    document.keys = {document_hash(document.text, 1)};
  }
  bool in_order() const override { return true; }
  void decide(Document& document, Tally& tally) override {
    if (!seen_.insert(document.keys[0]).second) {
      tally.change("copies", 1, document.text.size(), document.text, document);
      return reject(document, "first.seen");
    }
    log_->append(document.keys.data(), 8);
  }
  void finish(StepResources&) override { finished_ = seen_.size(); }
  std::vector<Fact> facts() const override { return {fact("distinct", finished_)}; }

 private:
  AppendLog* log_ = nullptr;
  std::unordered_set<uint64_t> seen_;
  size_t finished_ = 0;
};

// Numbers each document by how many there are in all, which nobody knows before the end.
class CountStep final : public Step {
 public:
  class Observer final : public Step {
   public:
    std::string name() const override { return "count"; }
    void start(StepResources& resources) override { log_ = &resources.log("indices"); }
    bool in_order() const override { return true; }
    void decide(Document& document, Tally&) override { log_->append(&document.index, 8); }

   private:
    AppendLog* log_ = nullptr;
  };

  std::string name() const override { return "count"; }
  Step* observer() override { return &observer_; }
  void conclude(StepResources& resources) override {
    AppendLog& log = resources.log("indices");
    log.flush();
    const std::string bytes = read_file(log.path());
    bool in_order = true;
    for (size_t i = 0; i < bytes.size() / 8; ++i) {
      uint64_t index = 0;
      std::copy_n(bytes.data() + 8 * i, 8, reinterpret_cast<char*>(&index));
      in_order = in_order && index == i;
    }
    CHECK(in_order);
    write_file(resources.folder / "count", concat(bytes.size() / 8));
  }
  void start(StepResources& resources) override { count_ = read_file(resources.folder / "count"); }
  void work(Document& document, Tally&, int) override {
    document.attributes.push_back({"place", concat("\"", document.index, "/", count_, "\"")});
  }

 private:
  Observer observer_;
  std::string count_;
};

// Fails once, at a document.
class FailStep final : public Step {
 public:
  FailStep(std::string at, bool in_order) : at_(std::move(at)), in_order_(in_order) {}
  std::string name() const override { return "fail"; }
  bool in_order() const override { return in_order_; }
  void work(Document& document, Tally&, int) override {
    if (!in_order_) look(document);
  }
  void decide(Document& document, Tally&) override { look(document); }

 private:
  void look(const Document& document) const {
    check(document.id != at_, Fault::kInput, "the run is stopped here");
  }
  std::string at_;
  bool in_order_;
};

constexpr int kDocuments = 2600;

// A few megabytes, so that there are several blocks.
void write_corpus(const fs::path& path, uint64_t stream) {
  OutputStream out(path);
  const Rng rng(7, stream);
  for (uint64_t i = 0; i < kDocuments; ++i) {
    const uint64_t kind = rng.below(2 * i, 10);
    std::string text(1 + rng.below(2 * i + 1, 1500), static_cast<char>('a' + kind));
    if (kind == 3) text = concat("x", i);
    if (kind == 4) text = "ab";
    if (kind == 5) text += "\xc3\xa9\n\"quoted\"";
    out.write(json_line(concat("d", stream, "-", i), text));
  }
  out.close();
}

using Steps = std::vector<std::unique_ptr<Step>>;

Steps make_steps(const std::string& order) {
  Steps steps;
  for (const char c : order) {
    if (c == 'm') steps.push_back(std::make_unique<MarkStep>());
    if (c == 'f') steps.push_back(std::make_unique<FirstStep>());
    if (c == 'c') steps.push_back(std::make_unique<CountStep>());
  }
  return steps;
}

std::string counts_of(const PipelineResult& r) {
  return stats_json(r.steps) + concat(" ", r.read.documents, " ", r.written.documents);
}

struct Outcome {
  std::string bytes, rejected, counts;
  bool operator==(const Outcome&) const = default;
};

class Corpus {
 public:
  Corpus() {
    write_corpus(folder / "a.jsonl", 1);
    write_corpus(folder / "b.jsonl.zst", 2);
  }

  PipelineOptions options(const std::string& output) const {
    PipelineOptions o;
    o.inputs = {(folder / "a.jsonl").string(), (folder / "b.jsonl.zst").string()};
    o.output = folder / output;
    o.rejected = (folder / (output + ".rejected")).string();
    o.samples = true;
    return o;
  }

  Outcome outcome(const PipelineOptions& o, const PipelineResult& result) const {
    Outcome found{read_file(o.output), "", counts_of(result)};
    for (const auto& name : {"01-mark", "02-first", "02-mark", "01-first"}) {
      const fs::path path = fs::path(o.rejected) / concat(name, ".jsonl.zst");
      if (fs::exists(path)) found.rejected += read_file(path);
    }
    return found;
  }

  Outcome run(const std::string& order, int threads, size_t memory) const {
    ThreadPool pool(threads);
    PipelineOptions o = options(concat("out-", order, threads, "-", memory, ".jsonl.zst"));
    o.memory = memory;
    Steps steps = make_steps(order);
    const PipelineResult result = run_pipeline(steps, o, pool);
    CHECK(!fs::exists(o.output + ".work"));
    return outcome(o, result);
  }

  const ScratchFolder scratch;
  fs::path folder = scratch.path();
};

}  // namespace

TEST_CASE("a pipeline gives the same bytes at any number of threads and any memory") {
  const Corpus corpus;
  for (const std::string order : {"m", "f", "c", "mf", "fm", "mfc", "cmf", "mcfc"}) {
    CAPTURE(order);
    const Outcome expected = corpus.run(order, 1, size_t{1} << 30);
    CHECK(expected.bytes.size() > 1000);
    CHECK(corpus.run(order, 2, size_t{1} << 30) == expected);
    CHECK(corpus.run(order, 5, size_t{1} << 20) == expected);
  }
}

TEST_CASE("a pipeline that stops anywhere goes on to the same bytes") {
  const Corpus corpus;
  for (const std::string order : {"fc", "cf", "mfcfc"}) {
    CAPTURE(order);
    int stopped = 0, went_on = 0;  // a run that had read nothing yet begins anew
    for (const std::string at : {"d1-0", "d1-1301", "d2-2599"}) {
      for (size_t place = 0; place <= order.size(); ++place) {
        CAPTURE(at);
        CAPTURE(place);
        ThreadPool pool(1 + static_cast<int>(place % 3));
        PipelineOptions o = corpus.options(concat("stop-", order, at, "-", place, ".jsonl.zst"));
        o.checkpoint_seconds = 0;
        const auto run = [&](const std::string& fail_at) {
          Steps steps = make_steps(order);
          steps.insert(steps.begin() + static_cast<std::ptrdiff_t>(place),
                       std::make_unique<FailStep>(fail_at, place % 2 == 0));
          return run_pipeline(steps, o, pool);
        };
        try {
          run(at);
          continue;  // dropped before it came there
        } catch (const Error&) {
          ++stopped;
        }
        o.resume = true;
        const PipelineResult resumed = run("none");
        went_on += resumed.resumed;
        const Outcome found = corpus.outcome(o, resumed);
        o.resume = false;
        o.overwrite = true;
        CHECK(corpus.outcome(o, run("none")) == found);
      }
    }
    CHECK(stopped > 4);
    CHECK(went_on > 2);
  }
}

TEST_CASE("a run that is in the way is not lost by mistake") {
  const Corpus corpus;
  ThreadPool pool(2);
  PipelineOptions o = corpus.options("out.jsonl");
  const auto run = [&](const std::string& fail_at) {
    Steps steps = make_steps("m");
    steps.push_back(std::make_unique<FailStep>(fail_at, true));
    return run_pipeline(steps, o, pool);
  };
  CHECK_THROWS_WITH_AS(run("d2-2000"), doctest::Contains("the run is stopped here"), Error);
  CHECK(!fs::exists(o.output));
  CHECK_THROWS_WITH_AS(run("none"), doctest::Contains("holds a run that has not ended"), Error);
  o.resume = true;
  o.settings = "other";
  CHECK_THROWS_WITH_AS(run("none"), doctest::Contains("had other inputs or other settings"), Error);
  o.settings = "";
  run("none");
  o.resume = false;
  CHECK_THROWS_WITH_AS(run("none"), doctest::Contains("is already there"), Error);
  const std::string before = read_file(o.output);
  o.overwrite = true;
  run("none");
  CHECK(read_file(o.output) == before);
  o.inputs.push_back(o.output);
  CHECK_THROWS_WITH_AS(run("none"), doctest::Contains("is an input and the output"), Error);
}

TEST_CASE("shards read everything once") {
  const Corpus corpus;
  ThreadPool pool(2);
  const auto lines = [&](uint64_t shard, uint64_t shards) {
    PipelineOptions o = corpus.options(concat("shard-", shard, "-", shards, ".jsonl"));
    o.shard = shard;
    o.shards = shards;
    Steps steps;
    run_pipeline(steps, o, pool);
    std::multiset<std::string> all;
    LineReader reader(o.output);
    for (std::string_view line; reader.next(line);) all.emplace(line);
    return all;
  };
  const auto expected = lines(0, 1);
  CHECK(expected.size() == 2 * kDocuments);
  for (const uint64_t shards : {2, 3, 7}) {
    std::multiset<std::string> together;
    for (uint64_t shard = 0; shard < shards; ++shard) together.merge(lines(shard, shards));
    CHECK(together == expected);
  }
}

TEST_CASE("what a pipeline counts adds up") {
  const Corpus corpus;
  ThreadPool pool(3);
  PipelineOptions o = corpus.options("out.jsonl");
  Steps steps = make_steps("mf");
  const PipelineResult r = run_pipeline(steps, o, pool);
  CHECK(r.read.documents == 2 * kDocuments);
  CHECK(r.steps[0].in.documents == r.read.documents);
  uint64_t dropped = 0;
  for (const auto& [rule, count] : r.steps[0].rejected) dropped += count.documents;
  CHECK(r.steps[0].out.documents + dropped == r.steps[0].in.documents);
  CHECK(r.steps[0].measured[0].histogram.count == r.read.documents);
  CHECK(r.steps[0].measured[0].kept[0].front().value == 3);
  CHECK(r.steps[0].measured[0].dropped[0].front().value == 2);
  CHECK(r.steps[1].in.documents == r.steps[0].out.documents);
  CHECK(r.steps[1].changed.at("copies").times == r.steps[1].rejected.at("first.seen").documents);
  CHECK(r.findings[1].facts[0].text == concat(r.written.documents));
  LineReader lines(o.output);
  uint64_t written = 0;
  for (std::string_view line; lines.next(line);) ++written;
  CHECK(written == r.written.documents);
}

TEST_CASE("inputs that change between two readings are an error") {
  // Adds a document once all have been seen.
  class AddStep final : public Step {
   public:
    explicit AddStep(fs::path path) : path_(std::move(path)) {}
    std::string name() const override { return "add"; }
    Step* observer() override { return &seen_; }
    void conclude(StepResources&) override {
      write_file(path_, read_file(path_) + json_line("late", "text"));
    }

   private:
    MarkStep seen_;
    fs::path path_;
  };
  const Corpus corpus;
  ThreadPool pool(2);
  Steps steps;
  steps.push_back(std::make_unique<AddStep>(corpus.folder / "a.jsonl"));
  CHECK_THROWS_WITH_AS(run_pipeline(steps, corpus.options("out.jsonl"), pool),
                       doctest::Contains("the inputs changed between"), Error);
}

TEST_CASE("inputs that change between two readings of dedup exact are an error") {
  // Between the readings: a document more, and a document of more lines.
  class Changing final : public ExactDedup {
   public:
    Changing(ExactDedupOptions options, fs::path path, std::string content)
        : ExactDedup(std::move(options)), path_(std::move(path)), content_(std::move(content)) {}
    void conclude(StepResources& resources) override {
      ExactDedup::conclude(resources);
      write_file(path_, content_);
    }

   private:
    fs::path path_;
    std::string content_;
  };
  const std::string before = json_line("a", "one\\ntwo") + json_line("b", "two\\nthree");
  for (const std::string& now : {before + json_line("c", "two"),
                                 json_line("a", "one\\ntwo\\ntwo") + json_line("b", "two")}) {
    const Corpus corpus;
    const fs::path file = corpus.folder / "changes.jsonl";
    write_file(file, before);
    ThreadPool pool(2);
    Steps steps;
    ExactDedupOptions exact;
    exact.unit = "line";
    exact.keep = "none";
    steps.push_back(std::make_unique<Changing>(exact, file, now));
    PipelineOptions o = corpus.options("out.jsonl");
    o.inputs = {file.string()};
    CHECK_THROWS_WITH_AS(run_pipeline(steps, o, pool),
                         doctest::Contains("the inputs changed between"), Error);
  }
}

TEST_CASE("ids that come again are counted and named, also by a run that goes on") {
  const Corpus corpus;
  const fs::path file = corpus.folder / "ids.jsonl";
  std::string lines;
  for (int i = 0; i < kDocuments; ++i) {
    // No id, one of ten that come again and again, or one of its own.
    const std::string id = i % 5 == 0 ? "" : i % 5 == 1 ? concat("same ", i % 50) : concat(i);
    lines += json_line(id, std::string(1200, 'a'));
  }
  write_file(file, lines);
  const auto run = [&](int threads, size_t memory, const std::string& fail_at, bool resume) {
    ThreadPool pool(threads);
    PipelineOptions o = corpus.options("ids-out.jsonl");
    o.inputs = {file.string()};
    o.memory = memory;
    o.checkpoint_seconds = 0;
    o.overwrite = !resume;
    o.resume = resume;
    Steps steps = make_steps("m");
    steps.push_back(std::make_unique<FailStep>(fail_at, true));
    return run_pipeline(steps, o, pool);
  };
  const PipelineResult expected = run(1, size_t{1} << 30, "none", false);
  CHECK(expected.repeated_id_count == kDocuments / 5 - 10);
  REQUIRE(expected.repeated_ids.size() == 100);
  CHECK(expected.repeated_ids[0] ==
        concat(file.string(), ":52: the id 'same 1' was that of an earlier document"));
  CHECK(run(4, 1, "none", false).repeated_ids == expected.repeated_ids);
  for (const std::string at : {"1002", "2599"}) {
    CHECK_THROWS_WITH_AS(run(2, 1, at, false), doctest::Contains("the run is stopped here"), Error);
    const PipelineResult resumed = run(3, 1, "none", true);
    CHECK(resumed.resumed);
    CHECK(resumed.repeated_id_count == expected.repeated_id_count);
    CHECK(resumed.repeated_ids == expected.repeated_ids);
  }
}
