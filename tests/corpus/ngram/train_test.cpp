#include "lib/corpus/ngram/train.h"

#include <cmath>
#include <doctest.h>
#include <map>
#include <nlohmann/json.hpp>

#include "lib/base/error.h"
#include "lib/base/rng.h"
#include "lib/corpus/ngram/arpa_writer.h"
#include "tests/scratch_folder.h"

using namespace llmtool;

namespace {

struct Numbers {
  float probability, backoff;
};

// A model in memory, by the words of its n-grams.
class ModelSink final : public NgramSink {
 public:
  void begin(const std::vector<std::string>& words, const std::vector<uint64_t>& counts) override {
    words_ = words;
    counts_ = counts;
    CHECK(counts_[0] == words_.size());
  }
  void add(const Ngram& ngram) override {
    std::string key;
    for (const NgramWord word : ngram.words) key += (key.empty() ? "" : " ") + words_[word];
    CHECK(ngrams.emplace(key, Numbers{ngram.log10_probability, ngram.log10_backoff}).second);
    --counts_[ngram.words.size() - 1];
  }
  void end() override { ended = std::count(counts_.begin(), counts_.end(), 0) == order(); }

  // log10 of p(word | context) by the back-off rule.
  double score(const std::string& context, const std::string& word) const {
    const std::string whole = context.empty() ? word : context + " " + word;
    const auto found = ngrams.find(whole);
    if (found != ngrams.end()) return found->second.probability;
    const auto held = ngrams.find(context);
    const size_t space = context.find(' ');
    const std::string shorter = space == context.npos ? "" : context.substr(space + 1);
    return (held == ngrams.end() ? 0.0 : held->second.backoff) + score(shorter, word);
  }
  int64_t order() const { return static_cast<int64_t>(counts_.size()); }
  const std::vector<std::string>& words() const { return words_; }

  std::map<std::string, Numbers> ngrams;
  bool ended = false;

 private:
  std::vector<std::string> words_;
  std::vector<uint64_t> counts_;
};

// Trains on a text in files of a folder.
class Trainer {
 public:
  explicit Trainer(const std::string& text, const std::string& name = "text.txt", int threads = 2)
      : pool_(threads) {
    write_file(folder_.path() / name, text);
    training.text.inputs = {(folder_.path() / name).string()};
    training.place = {folder_.path(), size_t{1} << 20, &pool_,
                      [](std::string_view, uint64_t, uint64_t) {}};
  }

  NgramSummary run(NgramSink& sink) { return train_ngrams(training, sink); }
  std::string arpa() {
    const fs::path path = folder_.path() / "model.arpa";
    ArpaWriter writer(path, pool_);
    run(writer);
    return read_file(path);
  }
  const fs::path& folder() const { return folder_.path(); }

  NgramTraining training;

 private:
  ScratchFolder folder_;
  ThreadPool pool_;
};

// Lines of words that come as often as in a language.
std::string made_text(int lines, uint64_t seed) {
  const Rng rng(seed);
  uint64_t draws = 0;
  const auto below = [&](uint64_t bound) { return rng.below(draws++, bound); };
  std::string text;
  for (int i = 0; i < lines; ++i) {
    for (uint64_t n = below(12); n > 0; --n) {
      const uint64_t word = below(below(below(3000) + 1) + 1);
      text += concat("w", word, " ");
    }
    text += "\n";
  }
  return text;
}

std::string message_of(Trainer& trainer) {
  ModelSink sink;
  try {
    trainer.run(sink);
  } catch (const Error& e) {
    CHECK(!sink.ended);
    return concat(e.what(), " | ", e.hint());
  }
  return "no error";
}

}  // namespace

TEST_CASE("n-gram models equal those of the definition") {
  const auto golden =
      nlohmann::json::parse(read_file(LLMTOOL_SOURCE_DIR "/tests/golden/ngram_train.json"));
  for (const auto& expected : golden["cases"]) {
    CAPTURE(expected["order"].get<int>());
    CAPTURE(expected["prune"].dump());
    Trainer trainer(golden["text"], "text.txt", expected["order"].get<int>() % 3 + 1);
    trainer.training.order = expected["order"];
    trainer.training.prune = expected["prune"].get<std::vector<uint64_t>>();
    trainer.training.discount_fallback = Discounts{.amount = expected["fallback"]};
    if (!expected["limit"].is_null()) {
      std::string words;
      for (const std::string word : expected["limit"]) words += word + "\n";
      write_file(trainer.folder() / "limit", words);
      trainer.training.limit_vocabulary = trainer.folder() / "limit";
    }
    ModelSink sink;
    trainer.run(sink);
    CHECK(sink.ended);
    size_t ngrams = 0;
    for (const auto& order : expected["orders"]) {
      for (const std::string line : order) {
        const size_t tab = line.find('\t'), second = line.find('\t', tab + 1);
        CAPTURE(line);
        const auto found = sink.ngrams.find(line.substr(0, tab));
        REQUIRE(found != sink.ngrams.end());
        CHECK(std::abs(found->second.probability - std::stod(line.substr(tab + 1))) < 1e-6);
        CHECK(std::abs(found->second.backoff - std::stod(line.substr(second + 1))) < 1e-6);
        ++ngrams;
      }
    }
    CHECK(sink.ngrams.size() == ngrams);
  }
}

TEST_CASE("probabilities of an n-gram model add up to 1 behind every context") {
  for (const std::vector<uint64_t>& prune : {std::vector<uint64_t>{}, {0, 1, 2}, {0, 0, 0, 1}}) {
    Trainer trainer("a b c\nb a\nc a b b a\n\na b d\nd d a\nc c c c\n" + made_text(40, 4));
    trainer.training.order = 4;
    trainer.training.prune = prune;
    trainer.training.discount_fallback = Discounts();
    ModelSink sink;
    trainer.run(sink);
    std::vector<std::string> contexts = {"", "a b", "w1 w2", "w0 w0 w0", "never seen"};
    for (const auto& [ngram, numbers] : sink.ngrams) {
      if (contexts.size() < 200 && !ngram.ends_with("</s>")) contexts.push_back(ngram);
    }
    for (const std::string& context : contexts) {
      double sum = 0;
      for (const std::string& word : sink.words()) {
        if (word != "<s>") sum += std::pow(10.0, sink.score(context, word));
      }
      CAPTURE(context);
      CHECK(sum == doctest::Approx(1).epsilon(1e-4));
    }
  }
}

TEST_CASE("an n-gram model does not depend on threads and memory") {
  const std::string text = made_text(30'000, 9);
  for (const int order : {1, 2, 5, kMostOrder}) {
    std::string first;
    for (const auto& [threads, memory] :
         {std::pair{1, size_t{1} << 30}, {2, size_t{1} << 20}, {5, size_t{1} << 14}}) {
      Trainer trainer(text, "text.txt", threads);
      trainer.training.order = order;
      trainer.training.prune = {0, 0, 1};
      trainer.training.prune.resize(std::min<size_t>(3, static_cast<size_t>(order)));
      trainer.training.discount_fallback = Discounts();
      trainer.training.place.memory = memory;
      const std::string arpa = trainer.arpa();
      if (first.empty()) first = arpa;
      CHECK(arpa.size() > 1000);
      CHECK(arpa == first);
    }
  }
}

TEST_CASE("discounts follow the formula, or fail with a way out") {
  OrderStatistics s;
  s.with_count[1] = 100, s.with_count[2] = 40, s.with_count[3] = 20, s.with_count[4] = 12;
  const Discounts d = estimate_discounts(s, 2, {});
  const double y = 100.0 / 180;
  CHECK(d.estimated);
  CHECK(d.amount[0] == doctest::Approx(1 - 2 * y * 40 / 100));
  CHECK(d.amount[1] == doctest::Approx(2 - 3 * y * 20 / 40));
  CHECK(d.amount[2] == doctest::Approx(3 - 4 * y * 12 / 20));
  CHECK(d.of(0) == 0);
  CHECK(d.of(7) == d.amount[2]);
  s.with_count[4] = 2000;  // D3 < 0
  CHECK_THROWS_AS(estimate_discounts(s, 2, {}), Error);
  CHECK(estimate_discounts(s, 2, Discounts{}).amount[1] == 1.0f);
  CHECK(!estimate_discounts(s, 2, Discounts{}).estimated);

  Trainer tiny("a b c\na b\n");
  CHECK(message_of(tiny).find("--discount-fallback") != std::string::npos);
  CHECK(message_of(tiny).find("order 1: none has the adjusted count 1") == std::string::npos);
  CHECK(message_of(tiny).find("of order 1") != std::string::npos);
}

TEST_CASE("words that models keep for themselves, and texts without sentences") {
  Trainer symbols("a b\nb </s> c\n");
  symbols.training.discount_fallback = Discounts();
  const std::string message = message_of(symbols);
  CHECK(message.find("text.txt") != std::string::npos);
  CHECK(message.find("</s>") != std::string::npos);
  CHECK(message.find("--skip-symbols") != std::string::npos);
  symbols.training.text.skip_symbols = true;
  Trainer plain("a b\nb c\n");
  plain.training.discount_fallback = Discounts();
  CHECK(symbols.arpa() == plain.arpa());

  Trainer nothing("");
  CHECK(message_of(nothing).find("no text") != std::string::npos);
  Trainer falling("a b\n");
  falling.training.prune = {1, 0};
  CHECK(message_of(falling).find("must not fall") != std::string::npos);
  Trainer many("a b\n");
  many.training.order = 2;
  many.training.prune = {0, 0, 1};
  CHECK(message_of(many).find("3 pruning thresholds") != std::string::npos);
}

TEST_CASE("sentences are lines, or documents") {
  const std::string json =
      "{\"text\": \"a b\\n\\nc d\\r\\n\"}\n{\"text\": \"\"}\n{\"text\": \"b a\"}\n";
  Trainer lines(json, "in.jsonl"), same("a b\n\nc d\nb a");
  Trainer documents(json, "in.jsonl"), one("a b c d\nb a\n");
  for (Trainer* t : {&lines, &same, &documents, &one}) {
    t->training.order = 3;
    t->training.discount_fallback = Discounts();
  }
  documents.training.text.unit = SentenceUnit::kDocument;
  ModelSink sink;
  const NgramSummary summary = lines.run(sink);
  CHECK(summary.text.documents == 3);
  CHECK(summary.text.sentences == 4);
  CHECK(summary.text.words == 6);
  CHECK(summary.words == 7);
  CHECK(lines.arpa() == same.arpa());
  CHECK(documents.arpa() == one.arpa());
  CHECK(lines.arpa() != documents.arpa());
}

TEST_CASE("ARPA files") {
  ScratchFolder folder;
  ThreadPool pool(2);
  const fs::path path = folder.path() / "m.arpa";
  {
    ArpaWriter writer(path, pool);
    writer.begin({"<unk>", "<s>", "été"}, {3, 1, 0});
    const NgramWord words[] = {0, 1, 2};
    writer.add({std::span(words).subspan(0, 1), -1.5f, 0});
    writer.add({std::span(words).subspan(1, 1), 0, -0.30103f});
    writer.add({std::span(words).subspan(2, 1), -INFINITY, 1e-7f});
    writer.add({std::span(words).subspan(1, 2), -0.1f, 0.00002f});
    CHECK(!fs::exists(path));
    writer.end();
  }
  CHECK(
      read_file(path) ==
      "\\data\\\nngram 1=3\nngram 2=1\nngram 3=0\n\n\\1-grams:\n-1.5\t<unk>\t0\n0\t<s>\t-0.30103\n"
      "-99\tété\t1e-7\n\n\\2-grams:\n-0.1\t<s> été\t0.00002\n\n\\3-grams:\n\n\\end\\\n");
  for (const char* word : {"", "a b", "a\n"}) {
    ArpaWriter writer(folder.path() / "bad.arpa", pool);
    CHECK_THROWS_AS(writer.begin({"<unk>", word}, {2}), Error);
  }
  CHECK(!fs::exists(folder.path() / "bad.arpa"));
}
