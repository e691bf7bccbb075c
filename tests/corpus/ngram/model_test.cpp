#include "lib/corpus/ngram/model.h"

#include <cmath>
#include <doctest.h>
#include <random>

#include "lib/base/error.h"
#include "lib/base/text_stream.h"
#include "lib/corpus/ngram/arpa_reader.h"
#include "lib/corpus/ngram/kenlm_probing_sink.h"
#include "lib/corpus/ngram/text_scorer.h"
#include "tests/fuzz_rounds.h"
#include "tests/scratch_folder.h"

namespace llmtool {
namespace {

// The 3-gram "b c d" is there without the 2-gram "c d", as SRILM prunes.
constexpr const char* kArpa =
    "# a comment\n\n\\data\\\nngram 1=7\nngram 2=5\nngram 3=2\n\n\\1-grams:\n"
    "-2\t<unk>\t-0.5\n-99\t<s>\t-0.25\n-1\t</s>\n-0.5\ta\t-0.125\n-0.75\tb\t-0.0625\n"
    "-1.5\tc\t-0.375\n-1.25\td\n\n\\2-grams:\n-0.25\t<s> a\t-0.5\n-0.5\ta b\t-0.75\n"
    "-0.125\tb c\t-0.03125\n-0.375\td </s>\n-0.625\tb a\n\n\\3-grams:\n-0.0625\t<s> a b\n"
    "-0.1875\tb c d\n\n\\end\\\n";

TextScorer scorer_of(const fs::path& path, ModelLoading loading = ModelLoading::kPopulate) {
  return TextScorer(load_ngram_model(path, loading), nullptr, {}, path.string());
}

struct Files {
  ScratchFolder folder;
  fs::path arpa = folder.path() / "m.arpa", binary = folder.path() / "m.bin";
  Files() {
    write_file(arpa, kArpa);
    KenlmProbingSink sink(binary);
    read_arpa(arpa, sink);
  }
};

TEST_CASE("log10 probabilities are those of the longest n-gram with the back-offs before it") {
  const Files files;
  for (const fs::path& path : {files.arpa, files.binary}) {
    for (const ModelLoading loading :
         {ModelLoading::kPopulate, ModelLoading::kLazy, ModelLoading::kCopy}) {
      const TextScorer scorer = scorer_of(path, loading);
      TextScorer::Workspace work;
      // <s> a; <s> a b; b | a with what nothing follows
      const TextScore ab = scorer.score("a b", work);
      // p(</s> | a b) = backoff(a b) + backoff(b) + p(</s>)
      CHECK(ab.log10_probability == -0.25 - 0.0625 + (-0.75 - 0.0625 - 1));
      CHECK(ab.words == 2);
      CHECK(ab.sentences == 1);
      CHECK(ab.perplexity() == std::pow(10.0, -ab.log10_probability / 3));
      // d behind "b c" is a 3-gram; </s> behind "c d" is backed off to "d </s>".
      CHECK(scorer.score("b c d", work).log10_probability ==
            (-0.25 - 0.75) - 0.125 - 0.1875 - 0.375);
      // An unknown word, and a word behind it.
      const TextScore unknown = scorer.score("x a", work);
      CHECK(unknown.unknown == 1);
      CHECK(unknown.log10_probability == (-0.25 - 2) + (-0.5 - 0.5) + (-0.125 - 1));
      // Lines are sentences; those without a word are none.
      const TextScore both = scorer.score("a b\n\n  \nx a\n", work);
      CHECK(both.sentences == 2);
      CHECK(both.log10_probability == ab.log10_probability + unknown.log10_probability);
      CHECK(scorer.score_lines("a b\n\nx a", work).size() == 3);
      CHECK(scorer.score(" \n ", work).sentences == 0);
    }
  }
}

TEST_CASE("what a long text's words get does not depend on where blocks end") {
  const Files files;
  const TextScorer scorer = scorer_of(files.binary);
  TextScorer::Workspace work;
  std::string line, text;
  std::mt19937 random(1);
  double sum = 0;
  for (int i = 0; i < 300; ++i) {
    line.clear();
    for (unsigned n = random() % 9 + 1; n > 0; --n)
      line += std::string(1, "abcdx"[random() % 5]) + " ";
    sum += scorer.score(line, work).log10_probability;
    text += line + "\n";
  }
  CHECK(scorer.score(text, work).log10_probability == doctest::Approx(sum).epsilon(1e-12));
}

void expect_refused(const fs::path& path, const std::string& text, const std::string& what) {
  write_file(path, text);
  try {
    load_ngram_model(path);
    FAIL("accepted: " << what);
  } catch (const Error& e) {
    CHECK(e.fault() == Fault::kInput);
    CHECK_MESSAGE(std::string(e.what()).find(what) != std::string::npos, e.what());
  }
}

TEST_CASE("bad ARPA files are named with their line") {
  const ScratchFolder folder;
  const fs::path path = folder.path() / "m.arpa";
  const std::string good = kArpa;
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    return text;
  };
  expect_refused(path, "", "the file ends here");
  expect_refused(path, "hello\n", "expected \\data\\");
  expect_refused(path, with("ngram 2=5", "ngram 3=5"), ":5: ");
  expect_refused(path, with("ngram 2=5", "ngram 2=6"), "a log10 probability");
  expect_refused(path, with("ngram 2=5", "ngram 2=4"), "expected \\3-grams:");
  expect_refused(path, with("-0.5\ta b", "0.5\ta b"), "expected at most 0");
  expect_refused(path, with("-0.5\ta b", "nan\ta b"), "expected a number");
  expect_refused(path, with("-0.5\ta b", "-0.5\ta q"), "is no 1-gram");
  expect_refused(path, with("-1.25\td", "-1.25\tc"), "is there twice");
  expect_refused(path, with("-0.1875\tb c d", "-0.1875\td c d"), "are no 2-gram");
  expect_refused(path, with("<s> a b", "<s> a b\t-1"), "the highest order");
  expect_refused(path, good + "more\n", "behind \\end\\");
  expect_refused(path, good.substr(0, good.size() - 6), "the file ends here");
}

TEST_CASE("damaged binaries are refused or read within their bytes") {
  const Files files;
  const std::string good = read_file(files.binary);
  const fs::path path = files.folder.path() / "damaged.bin";
  expect_refused(path, good.substr(0, 60), "cut short");
  expect_refused(path, good.substr(0, good.size() - 40), "cut short");
  std::mt19937 random(7);
  for (int round = 0; round < fuzz_rounds(400); ++round) {
    std::string bytes = good;
    for (unsigned n = random() % 6 + 1; n > 0; --n) {
      // The header too, but not its magic only.
      const size_t at = 56 + random() % (bytes.size() - 56);
      bytes[at] = static_cast<char>(random());
    }
    if (random() % 4 == 0) bytes.resize(random() % bytes.size());
    write_file(path, bytes);
    try {
      const TextScorer scorer = scorer_of(path);
      TextScorer::Workspace work;
      scorer.score("a b c d x a b\nd c b a <s>", work);
    } catch (const Error& e) {
      CHECK(e.fault() == Fault::kInput);
    }
  }
}

TEST_CASE("a binary without gaps is damaged, not searched for ever") {
  const Files files;
  std::string bytes = read_file(files.binary);
  const size_t end = bytes.find(std::string("<unk>\0", 6));
  for (size_t at = 144; at < end; ++at) {
    if (bytes[at] == 0) bytes[at] = 1;
  }
  write_file(files.binary, bytes);
  CHECK_THROWS_AS(
      [&] {
        const TextScorer scorer = scorer_of(files.binary);
        TextScorer::Workspace work;
        scorer.score("no such words", work);
      }(),
      Error);
}

}  // namespace
}  // namespace llmtool
